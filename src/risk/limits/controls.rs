//! Limits of the controls AT-03 to AT-34 (RISK.md 2.1) and of stress scenarios; `[controls]` and `[[stress]]` of `limits.toml`.

use rust_decimal::Decimal;

use crate::market::VenueId;
use crate::units::{Asset, Nanos, Ppm};

/// What is imagined to happen at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Shock {
    /// The venue is gone, with our balances and positions there.
    VenueLost(VenueId),
    /// A quote or stable asset moves against the reporting currency, or, when it is the reporting currency, everything else
    /// moves against it; negative when it falls.
    Depeg {
        /// Which.
        asset: Asset,
        /// By how much.
        change: Ppm,
    },
    /// Derivatives move against their spot instruments.
    Basis(Ppm),
    /// The next funding is so many times the usual rate, and we pay it on everything.
    Funding {
        /// Usual rate of one payment.
        rate: Ppm,
        /// How many times.
        times: Ppm,
    },
    /// Price of one base asset, or of all.
    Price {
        /// Which; `None` is all of them.
        asset: Option<Asset>,
        /// By how much; negative when it falls.
        change: Ppm,
    },
}

/// One scenario with its limit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StressScenario {
    /// Its name in metrics and alerts.
    pub name: String,
    /// What happens.
    pub shock: Shock,
    /// Largest loss; more is K1 on the portfolio.
    pub loss_usd_max: Decimal,
}

/// The default is RISK.md's. Every limit is inclusive: equal passes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ControlLimits {
    /// Loss of one set, fees included (AT-03).
    pub plan_loss_usd_max: Decimal,
    /// Loss of one symbol over 24 rolling hours (AT-04).
    pub symbol_loss_usd_max: Decimal,
    /// Loss of one strategy in the UTC day or 24 rolling hours, share of equity (AT-05).
    pub strategy_loss_max: Ppm,
    /// Loss at one venue, share of its equity, money in and out taken out (AT-05).
    pub venue_loss_max: Ppm,
    /// Loss of the whole, share of equity (AT-05).
    pub portfolio_loss_max: Ppm,
    /// So many times a loss limit of AT-05 is K3 (AT-05).
    pub loss_flatten: Ppm,
    /// Fall of the unit value from its high-water mark that warns (AT-06).
    pub drawdown_warn: Ppm,
    /// Fall that is K1 (AT-06).
    pub drawdown_max: Ppm,
    /// Fall that is K3 (AT-06).
    pub drawdown_flatten: Ppm,
    /// What held value may exceed the limits of `[notional_usd_max]` by, for drift of prices (AT-07).
    pub notional_tolerance: Ppm,
    /// Share of all equity at one venue that warns (AT-08).
    pub venue_equity_max: Ppm,
    /// Gross held value over equity (AT-09).
    pub leverage_max: Ppm,
    /// Initial margin over equity of an account, K1 (AT-10).
    pub margin_usage_max: Ppm,
    /// Maintenance margin over equity of an account that warns (AT-10).
    pub margin_warn: Ppm,
    /// The same, K1 (AT-10).
    pub margin_max: Ppm,
    /// The same, K3 (AT-10).
    pub margin_flatten: Ppm,
    /// Smallest move of a price that would liquidate (AT-11).
    pub liquidation_distance_min: Ppm,
    /// Value at risk of what is held, 99 % over a day (AT-12).
    pub var99_usd_max: Decimal,
    /// Expected shortfall of what is held, 97.5 % over a day (AT-13).
    pub es975_usd_max: Decimal,
    /// Interval of the returns behind AT-12 and AT-13; figures are scaled to a day.
    pub var_interval: Nanos,
    /// Fewer returns than this say nothing: no figure (AT-12, AT-13).
    pub var_observations_min: u32,
    /// Returns kept (AT-12, AT-13).
    pub var_observations_max: u32,
    /// Weight of the past against the newest return (AT-12).
    pub var_lambda: Ppm,
    /// Value of what sets have open on one side only (AT-15).
    pub leg_imbalance_usd_max: Decimal,
    /// An imbalance this old warns: the repair is late (AT-15).
    pub leg_hedge_after: Nanos,
    /// An imbalance this old is K1 on the asset (AT-15).
    pub leg_unwind_after: Nanos,
    /// An imbalance this old is K2 at the venue that lacks its leg (AT-15).
    pub leg_cancel_after: Nanos,
    /// An imbalance this old is K4 (AT-15).
    pub leg_halt_after: Nanos,
    /// Unhedged value times seconds of all sets of one strategy in an hour (AT-15-risk).
    pub leg_risk_quote_s_max: Decimal,
    /// Net value of one base asset over all venues (AT-16).
    pub asset_delta_usd_max: Decimal,
    /// Age of the last market message of a venue (AT-17).
    pub message_age_max: Nanos,
    /// Age of the last word on one book (AT-17).
    pub book_age_max: Nanos,
    /// Age of the last sign of life of a market connection (AT-17).
    pub heartbeat_age_max: Nanos,
    /// Healthy this long, a stale feed clears (AT-17).
    pub feed_healthy: Nanos,
    /// Gaps and checksum failures of a venue in ten minutes that warn (AT-18).
    pub feed_faults_warn: u32,
    /// The same, K1 above it (AT-18).
    pub feed_faults_max: u32,
    /// Oldest order without an acknowledgement (AT-19).
    pub unacked_max: Nanos,
    /// Oldest cancel without an answer (AT-19).
    pub cancel_pending_max: Nanos,
    /// Oldest immediate order without an end (AT-19).
    pub ioc_open_max: Nanos,
    /// Refused of the orders sent in one instrument within a minute that warns (AT-20).
    pub reject_warn: Ppm,
    /// The same, K1 (AT-20).
    pub reject_max: Ppm,
    /// Fewer orders within the minute say nothing (AT-20).
    pub reject_orders_min: u32,
    /// Refusals in a row that are still allowed (AT-20).
    pub reject_run_max: u32,
    /// Mean slippage of the last fills of a strategy that warns (AT-21).
    pub slippage_warn: Ppm,
    /// The same, K1 (AT-21).
    pub slippage_max: Ppm,
    /// Fills behind AT-21.
    pub slippage_fills: u32,
    /// Realized over expected profit of the last sets of a strategy; less warns (AT-22).
    pub quality_warn: Ppm,
    /// The same; less is K1 (AT-22).
    pub quality_min: Ppm,
    /// Sets behind AT-22.
    pub quality_sets: u32,
    /// Orders without an execution over ten minutes, one venue; more halves order sizes there (AT-23).
    pub order_to_trade_max: Ppm,
    /// Fewer orders say nothing (AT-23).
    pub order_to_trade_orders_min: u32,
    /// Without a fill for this long, a position must be the venue's (AT-24).
    pub position_break_quiet: Nanos,
    /// A larger difference, or another sign, is K2 (AT-24).
    pub position_break_usd_max: Decimal,
    /// Difference of a balance from our books that warns (AT-25).
    pub balance_break_warn: Ppm,
    /// Differences up to this value are no break (AT-25).
    pub balance_break_usd_min: Decimal,
    /// Difference of a balance that is K1 (AT-25).
    pub balance_break_max: Ppm,
    /// Unexpected errors of a venue in five minutes, K1 above it (AT-27).
    pub errors_max: u32,
    /// The same, K2 above it (AT-27).
    pub errors_cancel: u32,
    /// Tick to decision, 99th percentile over ten seconds, that warns (AT-28).
    pub decision_latency_warn: Nanos,
    /// Used share of a ring that warns (AT-28).
    pub ring_warn: Ppm,
    /// Used share of a ring that is K1 (AT-28).
    pub ring_max: Ppm,
    /// Beats of 100 ms that a seat may miss before it warns (AT-29).
    pub beats_warn: u32,
    /// Beats of 100 ms that a seat may miss; one more is K2 (AT-29).
    pub beats_max: u32,
    /// Age of the last refresh of a venue's dead-man switch, share of its window (AT-30).
    pub deadman_age_max: Ppm,
    /// A critical alert open for longer without a person's word is K2 (AT-31).
    pub acknowledge_within: Nanos,
    /// Age of the last scrape of /metrics that warns (AT-32).
    pub scrape_age_warn: Nanos,
    /// The same, K1 (AT-32).
    pub scrape_age_max: Nanos,
    /// Whether AT-32 holds from the start; otherwise from the first scrape on.
    pub scrape_required: bool,
    /// An open position without a usable price for this long is K1 on its symbol (AT-33).
    pub unpriced_after: Nanos,
    /// Older prices are not usable (AT-33).
    pub price_usable: Nanos,
    /// Stress scenarios with their limits; they are evaluated on every change.
    pub stress: Vec<StressScenario>,
}

impl Default for ControlLimits {
    #[expect(clippy::too_many_lines, reason = "one line a limit")]
    fn default() -> Self {
        Self {
            plan_loss_usd_max: Decimal::from_parts(150, 0, 0, false, 0),
            symbol_loss_usd_max: Decimal::from_parts(1000, 0, 0, false, 0),
            strategy_loss_max: Ppm(10_000),
            venue_loss_max: Ppm(10_000),
            portfolio_loss_max: Ppm(20_000),
            loss_flatten: Ppm(1_500_000),
            drawdown_warn: Ppm(20_000),
            drawdown_max: Ppm(30_000),
            drawdown_flatten: Ppm(50_000),
            notional_tolerance: Ppm(100_000),
            venue_equity_max: Ppm(600_000),
            leverage_max: Ppm(2_500_000),
            margin_usage_max: Ppm(600_000),
            margin_warn: Ppm(400_000),
            margin_max: Ppm(500_000),
            margin_flatten: Ppm(700_000),
            liquidation_distance_min: Ppm(100_000),
            var99_usd_max: Decimal::from_parts(3000, 0, 0, false, 0),
            es975_usd_max: Decimal::from_parts(3500, 0, 0, false, 0),
            var_interval: Nanos::from_secs(60),
            var_observations_min: 30,
            var_observations_max: 1500,
            var_lambda: Ppm(940_000),
            leg_imbalance_usd_max: Decimal::from_parts(1000, 0, 0, false, 0),
            leg_hedge_after: Nanos::from_millis(500),
            leg_unwind_after: Nanos::from_secs(2),
            leg_cancel_after: Nanos::from_secs(10),
            leg_halt_after: Nanos::from_secs(30),
            leg_risk_quote_s_max: Decimal::from_parts(5000, 0, 0, false, 0),
            asset_delta_usd_max: Decimal::from_parts(5000, 0, 0, false, 0),
            message_age_max: Nanos::from_secs(1),
            book_age_max: Nanos::from_secs(5),
            heartbeat_age_max: Nanos::from_secs(5),
            feed_healthy: Nanos::from_secs(10),
            feed_faults_warn: 5,
            feed_faults_max: 10,
            unacked_max: Nanos::from_secs(2),
            cancel_pending_max: Nanos::from_secs(5),
            ioc_open_max: Nanos::from_secs(3),
            reject_warn: Ppm(200_000),
            reject_max: Ppm(500_000),
            reject_orders_min: 10,
            reject_run_max: 4,
            slippage_warn: Ppm::from_bps(10),
            slippage_max: Ppm::from_bps(25),
            slippage_fills: 20,
            quality_warn: Ppm(500_000),
            quality_min: Ppm(0),
            quality_sets: 50,
            order_to_trade_max: Ppm(950_000),
            order_to_trade_orders_min: 5000,
            position_break_quiet: Nanos::from_secs(5),
            position_break_usd_max: Decimal::from_parts(2000, 0, 0, false, 0),
            balance_break_warn: Ppm(100),
            balance_break_usd_min: Decimal::from_parts(5, 0, 0, false, 0),
            balance_break_max: Ppm(1_000),
            errors_max: 20,
            errors_cancel: 60,
            decision_latency_warn: Nanos::from_millis(1),
            ring_warn: Ppm(500_000),
            ring_max: Ppm(900_000),
            beats_warn: 3,
            beats_max: 9,
            deadman_age_max: Ppm(500_000),
            acknowledge_within: Nanos::from_secs(300),
            scrape_age_warn: Nanos::from_secs(60),
            scrape_age_max: Nanos::from_secs(300),
            scrape_required: false,
            unpriced_after: Nanos::from_secs(5),
            price_usable: Nanos::from_secs(60),
            stress: Vec::new(),
        }
    }
}
