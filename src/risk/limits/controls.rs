//! Limits of the controls AT-03 to AT-34 (RISK.md 2.1); `[controls]` and `[stress]` of `limits.toml`.

/// The default is RISK.md's.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ControlLimits {}
