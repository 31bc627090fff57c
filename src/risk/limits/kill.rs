//! How kill levels are kept, lowered and re-armed (RISK.md 2.3 to 2.5); `[kill]` of `limits.toml`.

/// The default is RISK.md's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KillLimits {}
