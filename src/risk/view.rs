//! What the risk seat tells the gate (back edge 1): kill levels and positions as of an approval number.

use std::sync::Arc;

use rust_decimal::Decimal;

use crate::trade::{ApprovalSeq, JournalFacts, VenueFacts};
use crate::units::{MonoNanos, Ppm, Qty};

use super::{Amount, VarModel};

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

/// A budget that is used up: what was measured and what was allowed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Spent {
    /// Measured.
    pub value: Amount,
    /// Allowed.
    pub limit: Amount,
}

/// One instrument as the risk seat sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstrumentRisk {
    /// Signed position that contains every approval up to [`RiskView::as_of`].
    pub position_qty: Qty,
    /// Highest level over symbol-venue, symbol, asset, venue and portfolio scopes.
    pub level: KillLevel,
    /// Share of the order limits that is allowed now: [`Ppm::ONE`], less near a limit (2.4) and in probation (2.5).
    pub size_factor: Ppm,
    /// Our orders with an unknown outcome (PT-39).
    pub unknown_orders: u32,
    /// Our orders that the venue has not acknowledged (PT-40).
    pub inflight_orders: u32,
    /// Remaining quantity of our own buys that carry no approval of this session (adopted at start-up).
    pub adopted_buy_qty: Qty,
    /// The same of sells.
    pub adopted_sell_qty: Qty,
    /// The loss budget of one of its scopes is used up (PT-50).
    pub loss: Option<Spent>,
    /// Next funding, settlement or announced maintenance (PT-51).
    pub next_event_at: Option<MonoNanos>,
}

impl Default for InstrumentRisk {
    /// Flat, armed, full size, nothing pending.
    fn default() -> Self {
        Self {
            position_qty: Qty::ZERO,
            level: KillLevel::Armed,
            size_factor: Ppm::ONE,
            unknown_orders: 0,
            inflight_orders: 0,
            adopted_buy_qty: Qty::ZERO,
            adopted_sell_qty: Qty::ZERO,
            loss: None,
            next_event_at: None,
        }
    }
}

/// One strategy as the risk seat sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct StrategyRisk {
    /// Level of its scope.
    pub level: KillLevel,
    /// As [`InstrumentRisk::size_factor`].
    pub size_factor: Ppm,
    /// Its loss budget is used up (PT-50).
    pub loss: Option<Spent>,
}

impl Default for StrategyRisk {
    /// Armed, full size.
    fn default() -> Self {
        Self {
            level: KillLevel::Armed,
            size_factor: Ppm::ONE,
            loss: None,
        }
    }
}

/// The portfolio as the risk seat sees it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PortfolioRisk {
    /// Level of the portfolio scope.
    pub level: KillLevel,
    /// Equity in the reporting currency; `None` when it cannot be told.
    pub equity: Option<Decimal>,
    /// State of the journal (PT-47); `None` when it was not heard.
    pub journal: Option<JournalFacts>,
    /// For incremental VaR and expected shortfall (PT-29); `None` until there is enough history and no limit is set.
    pub var_model: Option<Arc<VarModel>>,
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
    /// The whole.
    pub portfolio: PortfolioRisk,
    /// By instrument id.
    pub instruments: Vec<InstrumentRisk>,
    /// By strategy id.
    pub strategies: Vec<StrategyRisk>,
    /// By venue id: the last facts heard; `None` when a venue was never heard.
    pub venues: Vec<Option<Arc<VenueFacts>>>,
}
