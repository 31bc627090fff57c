//! How a forced close works (RISK.md 2.7).

use rust_decimal::Decimal;

use crate::units::{Nanos, Ppm};

/// `[force_close]` of `limits.toml`; the default is RISK.md's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseLimits {
    /// Share of the position limit that a close aims at (AT-01), e.g. 800,000 ppm.
    pub to_limit: Ppm,
    /// How long own open orders may take to become terminal (rule 2).
    pub cancel_wait: Nanos,
    /// Largest share of the visible depth inside the protection that one child may take (rule 4).
    pub depth_fraction: Ppm,
    /// Wait for progress before the protection steps up (rule 6).
    pub attempt: Nanos,
    /// Most attempts before escalation (rule 7).
    pub attempts_max: u32,
    /// Deadline before escalation (rule 7).
    pub deadline: Nanos,
    /// Unpriced market orders are never sent unless this is true (rule 6).
    pub allow_unpriced_market: bool,
    /// Net value of a base asset, in the reporting currency, above which a close to a limit takes the other leg of a hedged
    /// pair with it (the first figure of AT-15).
    pub pair_delta_usd_max: Decimal,
}

impl Default for CloseLimits {
    fn default() -> Self {
        Self {
            to_limit: Ppm(800_000),
            cancel_wait: Nanos::from_millis(1_500),
            depth_fraction: Ppm(250_000),
            attempt: Nanos::from_millis(1_000),
            attempts_max: 20,
            deadline: Nanos::from_secs(60),
            allow_unpriced_market: false,
            pair_delta_usd_max: Decimal::ONE_THOUSAND,
        }
    }
}
