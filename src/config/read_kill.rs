//! Reads `[kill]` of `limits.toml`.

use rust_decimal::Decimal;

use crate::risk::KillLimits;

use super::document::Report;
use super::quantity;
use super::schema;
use super::table::Table;

/// How levels are kept; `None` when something is wrong (then reported).
pub(super) fn read(top: &Table<'_>, report: &mut Report) -> Option<KillLimits> {
    let table = top.table("kill", &schema::KILL, report)?;
    let before = report.mistakes.len();
    let mut own = KillLimits::default();
    macro_rules! take {
        ($($reader:ident $field:ident $key:literal;)*) => {
            $(if let Some(value) = table.$reader($key, report) {
                own.$field = value;
            })*
        };
    }
    take! {
        ppm near_size "near_size_ratio";
        nanos growing "growing_ms_max";
        nanos cancel "cancel_ms_max";
        count flatten_scopes_max "flatten_scopes_max";
        nanos close_blocked "close_blocked_ms_max";
        nanos portfolio_flatten "portfolio_flatten_ms_max";
        count clears_per_hour_max "clears_per_hour_max";
        count clears_per_day_max "clears_per_day_max";
        nanos probation "probation_ms";
        ppm probation_size "probation_size_ratio";
        nanos token "token_ms_max";
        nanos rearm_feed_healthy "rearm_feed_healthy_ms_min";
    }
    if let Some(times) = table.number("flatten_over_ratio", report) {
        let ppm = times.checked_mul(Decimal::from(1_000_000_u32));
        own.flatten_over = ppm.and_then(quantity::ppm)?;
    }
    if own.clears_per_hour_max > own.clears_per_day_max {
        let rule = format!(
            "is above clears_per_day_max ({}): it could never count",
            own.clears_per_day_max
        );
        table.wrong(
            "clears_per_hour_max",
            rule,
            "lower it or raise the other",
            report,
        );
    }
    (report.mistakes.len() == before).then_some(own)
}
