//! Every control of RISK.md 2.1 as a row: what it measures, from which limit, what it raises, how it ends. The table of
//! `docs/RISK.md` is generated from here.

/// A control of the monitor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the rows below say what each is")]
pub enum Control {
    PositionQuantity,
    UnrealizedLoss,
    PlanLoss,
    SymbolLoss,
    ScopeLoss,
    Drawdown,
    Notional,
    Concentration,
    Leverage,
    MarginUsage,
    Margin,
    LiquidationDistance,
    ValueAtRisk,
    ExpectedShortfall,
    ModelHealth,
    LegImbalance,
    LegRisk,
    AssetDelta,
    StaleFeed,
    FeedFaults,
    StuckOrder,
    Rejects,
    Slippage,
    FillQuality,
    OrderToTrade,
    PositionBreak,
    BalanceBreak,
    ForeignFill,
    VenueErrors,
    Latency,
    Heartbeat,
    DeadMan,
    Unacknowledged,
    Unscraped,
    Unpriceable,
    VenueClose,
    Accounting,
    Stress,
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ControlRow {
    /// Which.
    pub control: Control,
    /// Row of RISK.md; the cause of its levels.
    pub row: &'static str,
    /// Fixed short word: the alert's kind and the metric's label.
    pub word: &'static str,
    /// What is measured.
    pub measures: &'static str,
    /// Keys of `limits.toml`.
    pub limit: &'static str,
    /// Unit of value and limit.
    pub unit: &'static str,
    /// What it raises, where.
    pub level: &'static str,
    /// How it ends.
    pub clears: &'static str,
    /// Where it is computed, below `src/risk/monitor/`.
    pub code: &'static str,
}

const AUTO: &str = "by itself";
const PERSON: &str = "only by a person";

macro_rules! rows {
    ($($control:ident $row:literal $word:literal, $measures:literal, $limit:literal, $unit:literal, $level:literal, $clears:expr, $code:literal;)*) => {
        impl Control {
            /// Every control, in the order of RISK.md 2.1.
            pub const ROWS: &'static [ControlRow] = &[$(ControlRow {
                control: Self::$control, row: $row, word: $word, measures: $measures, limit: $limit, unit: $unit,
                level: $level, clears: $clears, code: $code,
            }),*];

            /// Row of RISK.md; the cause of its levels.
            #[must_use]
            pub const fn row(self) -> &'static str {
                match self { $(Self::$control => $row),* }
            }
            /// Its limit is a least value, not a largest.
            #[must_use]
            pub const fn less_is_worse(self) -> bool {
                matches!(self, Self::LiquidationDistance | Self::FillQuality)
            }
            /// Fixed short word.
            #[must_use]
            pub const fn word(self) -> &'static str {
                match self { $(Self::$control => $word),* }
            }
        }
    };
}

rows! {
    PositionQuantity "AT-01" "position_quantity", "absolute position of one instrument", "[[instrument]] position_qty_base_max", "base units", "K1 symbol, forced close to 80 %", AUTO, "controls.rs check_position";
    UnrealizedLoss "AT-02" "unrealized_loss", "unrealized loss of one position at mid", "unrealized_loss_usd_max", "reporting currency", "K3 symbol, forced close to flat", PERSON, "controls.rs check_loss";
    PlanLoss "AT-03" "plan_loss", "realized loss of one set at its end, fees included", "plan_loss_usd_max", "reporting currency", "alert on the strategy", "with its next set", "loss.rs note_set";
    SymbolLoss "AT-04" "symbol_loss", "loss of one symbol over 24 rolling hours, realized and unrealized", "symbol_loss_24h_usd_max", "reporting currency", "K1 symbol", PERSON, "loss.rs read_symbol_loss";
    ScopeLoss "AT-05" "loss", "loss of unit value in the UTC day or 24 rolling hours, the larger", "strategy_loss_ratio_max, venue_loss_ratio_max, portfolio_loss_ratio_max, loss_flatten_times", "ratio", "K1 strategy, venue or portfolio, K3 at 1.5 times", PERSON, "loss.rs read_scope_losses";
    Drawdown "AT-06" "drawdown", "1 - NAV / high-water mark on unitised NAV", "drawdown_ratio_max, drawdown_ratio_flatten", "ratio", "K1 portfolio, K3 portfolio", PERSON, "loss.rs read_drawdown";
    Notional "AT-07" "notional", "held value by symbol, venue, base asset net, portfolio gross and net", "[notional_usd_max] and notional_tolerance_ratio", "reporting currency", "K1 on the scope", AUTO, "exposure.rs read_notional";
    Concentration "AT-08" "concentration", "equity at one venue over all equity", "venue_equity_ratio_max", "ratio", "alert on the venue", AUTO, "exposure.rs read_concentration";
    Leverage "AT-09" "leverage", "gross held value over equity", "leverage_max", "times", "K1 portfolio", AUTO, "exposure.rs read_leverage";
    MarginUsage "AT-10-usage" "margin_usage", "initial margin over equity of an account", "margin_usage_ratio_max", "ratio", "K1 venue", AUTO, "margin.rs read_margin";
    Margin "AT-10" "margin", "maintenance margin over equity of an account", "margin_ratio_max, margin_ratio_flatten", "ratio", "K1 venue, K3 venue", "by itself; above margin_ratio_flatten only by a person", "margin.rs read_margin";
    LiquidationDistance "AT-11" "liquidation_distance", "move of one price that uses up the margin left", "liquidation_distance_ratio_min", "ratio, less is worse", "K1 instrument", AUTO, "margin.rs read_distance";
    ValueAtRisk "AT-12" "var99", "value at risk, 99 % over a day, EWMA or historical, the larger", "var99_1d_usd_max", "reporting currency", "K1 portfolio", AUTO, "var.rs read_var";
    ExpectedShortfall "AT-13" "es975", "expected shortfall, 97.5 % over a day, the larger", "es975_1d_usd_max", "reporting currency", "K1 portfolio", AUTO, "var.rs read_var";
    ModelHealth "AT-14" "var_model", "days with a loss above the value at risk, of the last 250 (Kupiec, Christoffersen, Basel zones)", "p < 0.05", "days", "alert; a red model scales the limits of AT-12 and AT-13 by 3/4 (its days are in memory only: silent before 250 days in one process)", "with its days", "var.rs read_health";
    LegImbalance "AT-15" "leg_imbalance", "value of what sets have open on one side only, and how long", "leg_imbalance_usd_max, leg_hedge_after_ms, leg_unwind_after_ms, leg_cancel_after_ms, leg_halt_after_ms", "reporting currency", "warning, critical, K2 venue, K4 portfolio", "alerts by themselves, levels only by a person", "legs.rs read_legs";
    LegRisk "AT-15-risk" "leg_risk", "unhedged value times time: of one open set over its own budget, or of all sets of a strategy in an hour over theirs, the larger share", "max_unhedged_quote, max_unhedged_ms (strategy file), leg_risk_quote_s_max", "share of its budget", "K1 strategy, K3 at twice", PERSON, "leg_risk.rs read_leg_risk";
    AssetDelta "AT-16" "asset_delta", "net value of one base asset over all venues", "asset_delta_usd_max", "reporting currency", "K1 asset", AUTO, "exposure.rs read_delta";
    StaleFeed "AT-17" "stale_feed", "age of the last message and sign of life of a venue's market data, and of the last word on a book", "message_age_ms_max, heartbeat_age_ms_max, book_age_ms_max, feed_healthy_ms", "share of its limit", "K1 venue or instrument", "by itself after 10 s healthy", "feeds.rs read_feeds";
    FeedFaults "AT-18" "feed_faults", "gaps and checksum failures of a venue in ten minutes", "feed_faults_max", "count", "K1 venue", AUTO, "feeds.rs read_feeds";
    StuckOrder "AT-19" "stuck_order", "oldest order not acknowledged, cancel without answer, immediate order without end", "unacked_ms_max, cancel_pending_ms_max, ioc_open_ms_max", "share of its limit", "K1 symbol", AUTO, "orders.rs read_orders";
    Rejects "AT-20" "rejects", "refused of the orders sent in a minute, or refusals in a row", "reject_ratio_max, reject_run_max", "ratio", "K1 instrument", AUTO, "orders.rs read_orders";
    Slippage "AT-21" "slippage", "mean of side * (price / decision price - 1) over the last fills of a strategy", "slippage_bps_max", "basis points", "K1 strategy", PERSON, "quality.rs read_quality";
    FillQuality "AT-22" "fill_quality", "realized over expected profit of the last sets of a strategy", "fill_quality_ratio_min", "ratio, less is worse", "K1 strategy", PERSON, "quality.rs read_quality";
    OrderToTrade "AT-23" "order_to_trade", "orders without an execution over ten minutes, by venue", "order_to_trade_ratio_max", "ratio", "halves order sizes at the venue", AUTO, "orders.rs read_ratio";
    PositionBreak "AT-24" "position_break", "difference of a position from the venue's word, quiet and said twice", "position_break_usd_max", "base units beyond one lot", "K1 symbol; K2 symbol when large or of another sign", PERSON, "breaks.rs read_breaks";
    BalanceBreak "AT-25" "balance_break", "difference of a balance from our books", "balance_break_ratio_max, balance_break_usd_min", "ratio", "K1 venue", "after a match", "breaks.rs read_breaks";
    ForeignFill "AT-26" "foreign_fill", "executions on the account that are not ours", "any", "count", "K1 symbol", PERSON, "breaks.rs note_fill";
    VenueErrors "AT-27" "venue_errors", "unexpected errors of a venue in five minutes", "errors_max, errors_cancel", "count", "K1 venue, K2 venue", AUTO, "process.rs read_errors";
    Latency "AT-28" "latency", "tick to decision, fullest ring, events lost in a ring", "decision_latency_ms_warn, ring_used_ratio_max", "share of a ring", "warning; K1 portfolio at 90 % or any loss", AUTO, "process.rs read_latency";
    Heartbeat "AT-29" "heartbeat", "beats of 100 ms that a seat missed", "missed_beats_max", "count", "K2 portfolio", PERSON, "process.rs read_beats";
    DeadMan "AT-30" "deadman", "age of the last refresh of a venue's dead-man switch over its window", "deadman_age_ratio_max", "ratio", "K1 venue", AUTO, "process.rs read_deadman";
    Unacknowledged "AT-31" "unacknowledged", "age of the oldest open critical alert that no person acknowledged", "acknowledge_within_ms", "seconds", "K2 portfolio", PERSON, "process.rs read_people";
    Unscraped "AT-32" "unscraped", "age of the last scrape of /metrics", "scrape_age_ms_max, scrape_required", "seconds", "K1 portfolio", AUTO, "process.rs read_people";
    Unpriceable "AT-33" "position_unpriced", "time that an open position has no usable price", "unpriced_after_ms, price_usable_ms", "seconds", "K1 symbol", AUTO, "feeds.rs read_unpriced";
    VenueClose "AT-34" "venue_close", "positions that a venue closed itself: liquidation, auto-deleveraging, settlement", "any", "count", "K2 venue", PERSON, "breaks.rs note_venue_close";
    Accounting "AT-35" "accounting_broken", "realized + unrealized = cash + value", "exact", "none", "K4 portfolio", PERSON, "monitor.rs on_accounting_error";
    Stress "stress" "stress", "loss of the worst scenario of [[stress]] against its limit", "[[stress]] loss_usd_max", "reporting currency", "K1 portfolio", AUTO, "stress.rs read_stress";
}
