//! `[kill]` of `limits.toml`: how kill levels escalate, clear and are re-armed.

use super::Absent::Means;
use super::{Section, count, field, ms, ratio, Form, Unit};

/// See the page above.
pub const KILL: Section = Section {
    file: "limits.toml",
    table: "[kill]",
    meaning: "Kill levels (RISK 2.3 to 2.5): the escalation ladder, clearing by itself, re-arming.",
    fields: &[
        ratio("near_size_ratio", Means("0.5"), "share of the order limits that is allowed while a control is at its warning share (2.4 step 1)"),
        ms("growing_ms_max", "0", "600000", Means("2000"), "a control still above its first reading this long after K1 raises K2 (2.4 step 2)"),
        ms("cancel_ms_max", "100", "600000", Means("5000"), "orders still open this long after K2 are cancelled again, with an alert; the control that raised it goes to K3 (2.4 step 3)"),
        field("flatten_over_ratio", Form::Number(Unit::Amount("times the limit"), "1", "10"), Means("1.5"), "above this a control goes to K3 at once (2.4 step 4)"),
        count("flatten_scopes_max", "1", "64", Means("2"), "more scopes at K3 by controls are K3 on the portfolio (2.4 step 5)"),
        ms("close_blocked_ms_max", "0", "3600000", Means("60000"), "a forced close that can send nothing for so long is K3 on the portfolio (2.4 steps 4 and 5)"),
        ms("portfolio_flatten_ms_max", "1000", "86400000", Means("300000"), "a portfolio not flat this long after such a K3 is K4 (2.4 step 5)"),
        count("clears_per_hour_max", "0", "1000", Means("3"), "automatic clears of one cause, then it is latched (2.5)"),
        count("clears_per_day_max", "0", "1000", Means("10"), "the same a day (2.5)"),
        ms("probation_ms", "0", "86400000", Means("600000"), "after a re-arm: smaller orders, and a breach latches at once (2.5)"),
        ratio("probation_size_ratio", Means("0.25"), "share of the order limits that is allowed on probation (2.5)"),
        ms("token_ms_max", "1000", "600000", Means("60000"), "how long the token of a request is good (2.5)"),
        ms("rearm_feed_healthy_ms_min", "0", "3600000", Means("60000"), "feeds without a fault for so long before a scope is re-armed (2.5)"),
    ],
};
