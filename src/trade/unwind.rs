//! What the desk and the account tell the risk seat about forced closes. Values only: no decisions.
//!
//! Reports of one instrument must arrive in the order in which the desk learnt them.

use crate::market::InstrumentId;
use crate::units::{MonoNanos, Price, Qty};

use super::{ApprovalSeq, RejectReason};

/// News of one order of a forced close ([`super::Purpose::Unwind`]).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnwindReport {
    /// What is being closed.
    pub instrument: InstrumentId,
    /// The approval that this order carries: the name of the child.
    pub approval: ApprovalSeq,
    /// What happened.
    pub kind: UnwindKind,
    /// When the desk learnt it.
    pub at: MonoNanos,
}

/// What happened to an order of a forced close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnwindKind {
    /// It was handed to the gateway.
    Sent,
    /// One execution, counted once.
    Filled {
        /// Its quantity, above zero.
        qty: Qty,
        /// Its price.
        price: Price,
    },
    /// Terminal by the venue's own word: nothing more can fill.
    Done {
        /// Cumulative filled quantity.
        filled: Qty,
    },
    /// Certainly not placed, by the venue's word or because it never left this machine.
    Rejected {
        /// Why.
        reason: RejectReason,
    },
    /// Time-out, 5xx or lost connection: the outcome is not known. Never turned into `Done` without evidence.
    Unknown,
    /// One look-up by client id found nothing. One such answer proves nothing.
    NotFound,
}

/// What is live, in flight or unknown of our own orders in one instrument, forced closes excluded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenOrders {
    /// In which instrument.
    pub instrument: InstrumentId,
    /// How many orders.
    pub order_count: u32,
    /// Remaining quantity of the buys, at least zero.
    pub buy_qty: Qty,
    /// Remaining quantity of the sells, at least zero.
    pub sell_qty: Qty,
}

/// Where a venue's own word on a position came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PositionSource {
    /// The private stream.
    Stream,
    /// An answer to a question (REST or socket API).
    Snapshot,
}

/// A position by the venue's own word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VenuePosition {
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// Signed quantity. For spot: the part of the balance that belongs to the ledger's position.
    pub qty: Qty,
    /// Who says so.
    pub source: PositionSource,
    /// For a snapshot: when the question was *sent* (the state may be that old); for the stream: when it was received.
    pub taken_at: MonoNanos,
}
