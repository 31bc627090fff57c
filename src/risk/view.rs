//! What the risk seat tells the gate (back edge 1): kill levels and positions as of an approval number.

use crate::trade::ApprovalSeq;
use crate::units::{MonoNanos, Qty};

/// Kill levels of RISK.md 2.3, ordered: the effective level of an order is the highest over its scopes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum KillLevel {
    /// K0: orders are checked and pass.
    #[default]
    Armed = 0,
    /// K1: only strictly reducing orders.
    ReduceOnly = 1,
    /// K2: all resting orders cancelled; only forced close or operator.
    CancelAll = 2,
    /// K3: positions are driven to flat by the forced close alone.
    Flatten = 3,
    /// K4: nothing; humans act.
    Halt = 4,
}

impl KillLevel {
    /// Fixed short word.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Armed => "armed",
            Self::ReduceOnly => "reduce_only",
            Self::CancelAll => "cancel_all",
            Self::Flatten => "flatten",
            Self::Halt => "halt",
        }
    }
}

/// One instrument as the risk seat sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct InstrumentRisk {
    /// Signed position that contains every approval up to [`RiskView::as_of`].
    pub position_qty: Qty,
    /// Highest level over symbol-venue, symbol, asset, venue and portfolio scopes.
    pub level: KillLevel,
}

/// A complete picture, replaced whole. The gate refuses increasing orders when it is missing or too old.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RiskView {
    /// Running number; never falls.
    pub version: u64,
    /// Every approval up to this one is terminal and in `position_qty`: its hold is forgotten.
    pub as_of: ApprovalSeq,
    /// When it was made.
    pub issued_at: MonoNanos,
    /// Level of the whole portfolio.
    pub portfolio_level: KillLevel,
    /// By instrument id.
    pub instruments: Vec<InstrumentRisk>,
    /// By strategy id.
    pub strategy_levels: Vec<KillLevel>,
}
