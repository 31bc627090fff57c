//! Reads `[pre_trade]` of `limits.toml`.

use rust_decimal::Decimal;

use crate::risk::PreTradeLimits;
use crate::units::Ppm;

use super::document::Report;
use super::quantity;
use super::schema;
use super::table::Table;

/// The gate's limits; `None` when something is wrong (then reported). Every key is looked at, so that all mistakes are told.
#[expect(clippy::too_many_lines, reason = "one line a key")]
pub(super) fn read(top: &Table<'_>, report: &mut Report) -> Option<PreTradeLimits> {
    let table = top.table("pre_trade", &schema::PRE_TRADE, report)?;
    let before = report.mistakes.len();
    let mut own = PreTradeLimits::default();
    macro_rules! take {
        ($($reader:ident $field:ident $key:literal;)*) => {
            $(if let Some(value) = table.$reader($key, report) {
                own.$field = value;
            })*
        };
    }
    take! {
        flag facts_required "facts_required";
        nanos instrument_rules_age_max "instrument_rules_age_ms_max";
        flag allow_resting "allow_resting";
        nanos expiry_lead_min "expiry_lead_ms_min";
        ppm price_collar "price_collar_bps";
        ppm price_collar_stable "price_collar_stable_bps";
        ppm ref_jump_max "ref_jump_bps_max";
        nanos ref_jump_window "ref_jump_window_ms";
        nanos ref_quarantine "ref_quarantine_ms";
        ppm consensus_dev_max "consensus_dev_bps_max";
        ppm edge_max "edge_bps_max";
        ppm edge_min "edge_bps_min";
        count open_orders_per_symbol_max "open_orders_per_symbol_max";
        count open_orders_per_venue_max "open_orders_per_venue_max";
        number open_notional_usd_max "open_notional_usd_max";
        ppm balance_reserve "balance_reserve_ratio";
        ppm initial_margin "initial_margin_ratio";
        ppm margin_usage_max "margin_usage_ratio_max";
        ppm maint_margin_max "maint_margin_ratio_max";
        ppm depth_take_max "depth_take_ratio_max";
        number var99_1d_usd_max "var99_1d_usd_max";
        number es975_1d_usd_max "es975_1d_usd_max";
        flag var_model_required "var_model_required";
        count scope_instruments_max "scope_instruments_max";
        count scope_venues_max "scope_venues_max";
        number scope_notional_usd_max "scope_notional_usd_max";
        nanos leg_plan_expiry "leg_plan_expiry_ms";
        count modify_rate_max "modify_rate_per_s_max";
        ppm venue_budget_reserve "venue_budget_reserve_ratio";
        count repeat_exec_max "repeat_exec_max";
        nanos repeat_exec_window "repeat_exec_window_ms";
        nanos dup_intent_window "dup_intent_window_ms";
        count unknown_orders_max "unknown_orders_max";
        count inflight_max "inflight_max";
        ppm ufr_guard "ufr_guard_ratio";
        ppm ifer_guard "ifer_guard_ratio";
        ppm dust_ratio_guard "dust_ratio_guard";
        count ufr_orders_min "ufr_orders_min";
        count ifer_orders_min "ifer_orders_min";
        nanos session_age_max "session_age_ms_max";
        nanos clock_offset_max "clock_offset_ms_max";
        nanos clock_step_quiet "clock_step_quiet_ms";
        nanos deadman_window "deadman_window_ms";
        nanos recon_age_max "recon_age_ms_max";
        nanos journal_lag_max "journal_lag_ms_max";
        nanos maintenance_guard "maintenance_guard_ms";
        nanos funding_guard "funding_guard_ms";
    }
    if let Some(times) = table.number("leverage_max", report) {
        let ppm = times.checked_mul(Decimal::from(1_000_000_u32));
        own.leverage_max = ppm.and_then(quantity::ppm)?;
    }
    if let Some(bytes) = table.number("disk_free_bytes_min", report) {
        own.disk_free_bytes_min = u64::try_from(bytes.floor()).ok()?;
    }
    if own.edge_min > own.edge_max {
        let rule = format!(
            "is above edge_bps_max ({}): no set could pass",
            Ppm(own.edge_max.0)
        );
        table.wrong("edge_bps_min", rule, "lower it or raise the other", report);
    }
    (report.mistakes.len() == before).then_some(own)
}
