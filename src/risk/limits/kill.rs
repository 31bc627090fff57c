//! How kill levels are kept, escalated, lowered and re-armed (RISK.md 2.3 to 2.5); `[kill]` of `limits.toml`.

use crate::units::{Nanos, Ppm};

/// The default is RISK.md's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KillLimits {
    /// Share of the order limits that is allowed while a control warns (2.4 step 1).
    pub near_size: Ppm,
    /// A control that is still growing this long after it raised K1 raises K2 (2.4 step 2).
    pub growing: Nanos,
    /// Open orders this long after K2 are asked for and cancelled again, and the control goes to K3 (2.4 step 3).
    pub cancel: Nanos,
    /// Share of the limit above which a control goes to K3 (2.4 step 4), e.g. 1,500,000 ppm.
    pub flatten_over: Ppm,
    /// More scopes at K3 than this are K3 on the portfolio (2.4 step 5).
    pub flatten_scopes_max: u32,
    /// A forced close that can send nothing for this long is K3 on the portfolio (2.4 steps 4 and 5).
    pub close_blocked: Nanos,
    /// The portfolio not flat this long after such a K3 is K4 (2.4 step 5).
    pub portfolio_flatten: Nanos,
    /// Most automatic clears of one cause an hour, then it is latched (2.5).
    pub clears_per_hour_max: u32,
    /// The same a day.
    pub clears_per_day_max: u32,
    /// How long a re-armed scope is on probation (2.5).
    pub probation: Nanos,
    /// Share of the order limits that is allowed on probation.
    pub probation_size: Ppm,
    /// How long a token of a request is good.
    pub token: Nanos,
    /// How long the feeds of a scope must have been without a fault before it is re-armed.
    pub rearm_feed_healthy: Nanos,
}

impl Default for KillLimits {
    fn default() -> Self {
        Self {
            near_size: Ppm(500_000),
            growing: Nanos::from_secs(2),
            cancel: Nanos::from_secs(5),
            flatten_over: Ppm(1_500_000),
            flatten_scopes_max: 2,
            close_blocked: Nanos::from_secs(60),
            portfolio_flatten: Nanos::from_secs(300),
            clears_per_hour_max: 3,
            clears_per_day_max: 10,
            probation: Nanos::from_secs(600),
            probation_size: Ppm(250_000),
            token: Nanos::from_secs(60),
            rearm_feed_healthy: Nanos::from_secs(60),
        }
    }
}
