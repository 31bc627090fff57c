//! Limits of the checks PT-02 to PT-51 (RISK.md 1); `[pre_trade]` of `limits.toml`.

/// The default is RISK.md's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PreTradeLimits {}
