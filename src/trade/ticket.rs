//! The content of an order, as a gateway encodes it. A ticket alone sends nothing: only an `OrderCommand` of the
//! execution room carries one to a gateway.

use crate::market::InstrumentId;
use crate::units::{Price, Qty, Side};

use super::{ApprovalSeq, ClientOrderId, StrategyId};

/// How long an order may rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TimeInForce {
    /// Fill what is there, cancel the rest.
    ImmediateOrCancel,
    /// Rest until cancelled.
    GoodTillCancel,
    /// All at once or nothing.
    FillOrKill,
    /// A market order: fill at any price, cancel the rest. Only the last rung of a forced close (RISK.md 2.7 rule 6).
    Unpriced,
}

/// Why the order exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Purpose {
    /// A leg of a strategy's set.
    Leg,
    /// Completing or reversing a broken set.
    Repair,
    /// A forced close: reduce only.
    Unwind,
}

/// One order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ticket {
    /// Our id.
    pub client_order_id: ClientOrderId,
    /// The approval that allowed it.
    pub approval: ApprovalSeq,
    /// The strategy it belongs to.
    pub strategy: StrategyId,
    /// Where and what.
    pub instrument: InstrumentId,
    /// Buy or sell.
    pub side: Side,
    /// Quantity, above zero.
    pub qty: Qty,
    /// Limit price.
    pub limit_price: Price,
    /// How long it may rest.
    pub time_in_force: TimeInForce,
    /// Ask the venue to refuse what would enlarge or flip the position (derivatives only).
    pub reduce_only: bool,
    /// Refuse to take (maker only).
    pub post_only: bool,
    /// Why it exists.
    pub purpose: Purpose,
}
