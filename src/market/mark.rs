//! The price a position is valued at.

use crate::units::{MonoNanos, Price};

use super::{Depth, InstrumentId, Trust};

/// One valuation sample from the signal seat to the risk seat, at a bounded rate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Mark {
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// Best bid; `None` when that side is empty.
    pub bid: Option<Price>,
    /// Best ask; `None` when that side is empty.
    pub ask: Option<Price>,
    /// The venue's own mark price, where it has one.
    pub venue_mark: Option<Price>,
    /// When the book last changed or was confirmed alive.
    pub received_at: MonoNanos,
    /// Whether the book may be believed.
    pub trust: Trust,
    /// What the book shows near its touch; in some samples only, for a forced close to size and price by.
    pub depth: Option<Depth>,
}

impl Mark {
    /// Middle of bid and ask, floored to a step; `None` unless both sides are there.
    #[must_use]
    pub fn mid_floor(&self) -> Option<Price> {
        let (bid, ask) = (self.bid?, self.ask?);
        Some(Price(bid.0.checked_add(ask.0)?.div_euclid(2)))
    }
}
