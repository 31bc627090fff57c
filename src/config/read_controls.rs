//! Reads `[controls]` and `[[stress]]` of `limits.toml`.

use rust_decimal::Decimal;

use crate::risk::limits::{ControlLimits, Shock, StressScenario};
use crate::units::{Asset, Ppm};

use super::document::Report;
use super::quantity;
use super::read_limits::unknown_venue;
use super::read_venues::{VenueDraft, find};
use super::schema;
use super::table::Table;

/// The limits of the controls; `None` when something is wrong (then reported). Every key is looked at.
pub(super) fn read(
    top: &Table<'_>,
    venues: &[VenueDraft],
    report: &mut Report,
) -> Option<ControlLimits> {
    let before = report.mistakes.len();
    let table = top.table("controls", &schema::CONTROLS, report);
    let mut own = ControlLimits::default();
    if let Some(table) = table {
        read_controls(&table, &mut own, report);
        in_order(&table, &own, report);
    }
    for table in top.tables("stress", &schema::STRESS, report) {
        if let Some(scenario) = read_stress(&table, venues, report) {
            if own.stress.iter().any(|other| other.name == scenario.name) {
                table.wrong(
                    "name",
                    "stands twice",
                    "give each scenario its own name",
                    report,
                );
            }
            own.stress.push(scenario);
        }
    }
    (report.mistakes.len() == before).then_some(own)
}

#[expect(clippy::too_many_lines, reason = "one line a key")]
fn read_controls(table: &Table<'_>, own: &mut ControlLimits, report: &mut Report) {
    macro_rules! take {
        ($($reader:ident $field:ident $key:literal;)*) => {
            $(if let Some(value) = table.$reader($key, report) {
                own.$field = value;
            })*
        };
    }
    take! {
        number plan_loss_usd_max "plan_loss_usd_max";
        number symbol_loss_usd_max "symbol_loss_24h_usd_max";
        ppm strategy_loss_max "strategy_loss_ratio_max";
        ppm venue_loss_max "venue_loss_ratio_max";
        ppm portfolio_loss_max "portfolio_loss_ratio_max";
        ppm drawdown_warn "drawdown_ratio_warn";
        ppm drawdown_max "drawdown_ratio_max";
        ppm drawdown_flatten "drawdown_ratio_flatten";
        ppm notional_tolerance "notional_tolerance_ratio";
        ppm venue_equity_max "venue_equity_ratio_max";
        ppm margin_usage_max "margin_usage_ratio_max";
        ppm margin_warn "margin_ratio_warn";
        ppm margin_max "margin_ratio_max";
        ppm margin_flatten "margin_ratio_flatten";
        ppm liquidation_distance_min "liquidation_distance_ratio_min";
        number var99_usd_max "var99_1d_usd_max";
        number es975_usd_max "es975_1d_usd_max";
        nanos var_interval "var_interval_ms";
        count var_observations_min "var_observations_min";
        count var_observations_max "var_observations_max";
        ppm var_lambda "var_lambda_ratio";
        number leg_imbalance_usd_max "leg_imbalance_usd_max";
        nanos leg_hedge_after "leg_hedge_after_ms";
        nanos leg_unwind_after "leg_unwind_after_ms";
        nanos leg_cancel_after "leg_cancel_after_ms";
        nanos leg_halt_after "leg_halt_after_ms";
        number leg_risk_quote_s_max "leg_risk_quote_s_max";
        number asset_delta_usd_max "asset_delta_usd_max";
        nanos message_age_max "message_age_ms_max";
        nanos book_age_max "book_age_ms_max";
        nanos heartbeat_age_max "heartbeat_age_ms_max";
        nanos feed_healthy "feed_healthy_ms";
        count feed_faults_warn "feed_faults_warn";
        count feed_faults_max "feed_faults_max";
        nanos unacked_max "unacked_ms_max";
        nanos cancel_pending_max "cancel_pending_ms_max";
        nanos ioc_open_max "ioc_open_ms_max";
        ppm reject_warn "reject_ratio_warn";
        ppm reject_max "reject_ratio_max";
        count reject_orders_min "reject_orders_min";
        count reject_run_max "reject_run_max";
        ppm slippage_warn "slippage_bps_warn";
        ppm slippage_max "slippage_bps_max";
        count slippage_fills "slippage_fills";
        ppm quality_warn "fill_quality_ratio_warn";
        ppm quality_min "fill_quality_ratio_min";
        count quality_sets "fill_quality_sets";
        ppm order_to_trade_max "order_to_trade_ratio_max";
        count order_to_trade_orders_min "order_to_trade_orders_min";
        nanos position_break_quiet "position_break_quiet_ms";
        number position_break_usd_max "position_break_usd_max";
        ppm balance_break_warn "balance_break_ratio_warn";
        number balance_break_usd_min "balance_break_usd_min";
        ppm balance_break_max "balance_break_ratio_max";
        count errors_max "errors_max";
        count errors_cancel "errors_cancel";
        nanos decision_latency_warn "decision_latency_ms_warn";
        ppm ring_warn "ring_used_ratio_warn";
        ppm ring_max "ring_used_ratio_max";
        count beats_warn "missed_beats_warn";
        count beats_max "missed_beats_max";
        ppm deadman_age_max "deadman_age_ratio_max";
        nanos acknowledge_within "acknowledge_within_ms";
        nanos scrape_age_warn "scrape_age_ms_warn";
        nanos scrape_age_max "scrape_age_ms_max";
        flag scrape_required "scrape_required";
        nanos unpriced_after "unpriced_after_ms";
        nanos price_usable "price_usable_ms";
    }
    if let Some(value) = times(table, "loss_flatten_times", report) {
        own.loss_flatten = value;
    }
    if let Some(value) = times(table, "leverage_max", report) {
        own.leverage_max = value;
    }
}

fn times(table: &Table<'_>, key: &str, report: &mut Report) -> Option<Ppm> {
    let number = table.number(key, report)?;
    quantity::ppm(number.checked_mul(Decimal::from(1_000_000_u32))?.floor())
}

/// A warning must come before its limit, a limit before what is harder.
fn in_order(table: &Table<'_>, own: &ControlLimits, report: &mut Report) {
    for (key, first, then, second) in [
        (
            "drawdown_ratio_warn",
            own.drawdown_warn,
            "drawdown_ratio_max",
            own.drawdown_max,
        ),
        (
            "drawdown_ratio_max",
            own.drawdown_max,
            "drawdown_ratio_flatten",
            own.drawdown_flatten,
        ),
        (
            "margin_ratio_warn",
            own.margin_warn,
            "margin_ratio_max",
            own.margin_max,
        ),
        (
            "margin_ratio_max",
            own.margin_max,
            "margin_ratio_flatten",
            own.margin_flatten,
        ),
        (
            "reject_ratio_warn",
            own.reject_warn,
            "reject_ratio_max",
            own.reject_max,
        ),
        (
            "slippage_bps_warn",
            own.slippage_warn,
            "slippage_bps_max",
            own.slippage_max,
        ),
        (
            "fill_quality_ratio_min",
            own.quality_min,
            "fill_quality_ratio_warn",
            own.quality_warn,
        ),
        (
            "balance_break_ratio_warn",
            own.balance_break_warn,
            "balance_break_ratio_max",
            own.balance_break_max,
        ),
        (
            "ring_used_ratio_warn",
            own.ring_warn,
            "ring_used_ratio_max",
            own.ring_max,
        ),
    ] {
        if first > second {
            table.wrong(
                key,
                format!("is above {then}"),
                "lower it or raise the other",
                report,
            );
        }
    }
}

fn read_stress(
    table: &Table<'_>,
    venues: &[VenueDraft],
    report: &mut Report,
) -> Option<StressScenario> {
    let name = table.text("name", report);
    let shock = table.choice("shock", report);
    let loss_usd_max = table.number("loss_usd_max", report);
    let change = table.ppm("change_bps", report);
    let funding = table.ppm("funding_bps", report);
    let times = times(table, "times", report);
    let asset = asset(table, report);
    let name = name.filter(|name| {
        let fine = !name.is_empty()
            && name.len() <= 32
            && name
                .bytes()
                .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_');
        if !fine {
            table.wrong(
                "name",
                "is not a name",
                "use lower-case letters, digits and _, at most 32",
                report,
            );
        }
        fine
    });
    let mut needed = |key: &str, missing: bool| {
        if missing && !table.has(key) {
            table.wrong(key, "is missing, and this shock needs it", "add it", report);
        }
    };
    let shock = match shock? {
        "venue_lost" => {
            needed("venue", true);
            Shock::VenueLost(venue(table, venues, report)?)
        }
        "depeg" => {
            needed("asset", asset.is_none());
            needed("change_bps", change.is_none());
            Shock::Depeg {
                asset: asset?,
                change: change?,
            }
        }
        "basis" => {
            needed("change_bps", change.is_none());
            Shock::Basis(change?)
        }
        "funding" => Shock::Funding {
            rate: funding?,
            times: times?,
        },
        _ => {
            needed("change_bps", change.is_none());
            Shock::Price {
                asset,
                change: change?,
            }
        }
    };
    Some(StressScenario {
        name: name?,
        shock,
        loss_usd_max: loss_usd_max?,
    })
}

fn asset(table: &Table<'_>, report: &mut Report) -> Option<Asset> {
    if !table.has("asset") {
        return None;
    }
    let text = table.text("asset", report)?;
    let asset = Asset::new(&text);
    if asset.is_none() {
        table.wrong("asset", "is no asset code", "write it like BTC", report);
    }
    asset
}

fn venue(
    table: &Table<'_>,
    venues: &[VenueDraft],
    report: &mut Report,
) -> Option<crate::market::VenueId> {
    if !table.has("venue") {
        return None;
    }
    let name = table.text("venue", report)?;
    let found = find(venues, &name);
    if found.is_none() {
        unknown_venue(table, "venue", &name, venues, report);
    }
    found.map(|(id, _)| id)
}
