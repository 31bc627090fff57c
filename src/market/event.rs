//! What a feed puts into its ring: one fixed-size, copyable event.
//!
//! A book update of many levels is many events, the last marked [`END_OF_BATCH`]: the signal seat applies each and
//! evaluates once a batch. Prices and quantities are on the instrument's grid. The venue's own time stamp is not here:
//! the feed measures its delay and distrusts a book that lags, so that the event stays one cache line.

use crate::units::{MonoNanos, Price, Qty, Side};

use super::{InstrumentId, TrustCause};

/// Flag: the last event of one venue message.
pub const END_OF_BATCH: u8 = 1;

/// What changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C, u8)]
pub enum EventKind {
    /// The absolute quantity at one price of the depth book; zero removes the level.
    Level {
        /// Bid or ask side.
        side: Side,
        /// Level price.
        price: Price,
        /// New absolute quantity, zero or more.
        qty: Qty,
        /// Venue update id of the message.
        update_id: u64,
    },
    /// Best bid and ask as the venue publishes them (always both sides).
    Quote {
        /// Best bid price.
        bid_price: Price,
        /// Quantity there.
        bid_qty: Qty,
        /// Best ask price.
        ask_price: Price,
        /// Quantity there.
        ask_qty: Qty,
        /// Venue update id, on the same scale as the depth book's.
        update_id: u64,
    },
    /// A public trade.
    Trade {
        /// Price paid.
        price: Price,
        /// Quantity.
        qty: Qty,
        /// Side of the aggressor.
        aggressor: Side,
        /// Venue trade id.
        trade_id: u64,
    },
    /// Venue mark price and funding.
    Mark {
        /// Mark price, floored to the grid.
        price: Price,
        /// Funding rate of the running interval in parts per billion.
        funding_ppb: i64,
        /// Next funding instant, on our clock; `None` when the venue names none.
        next_funding_at: Option<MonoNanos>,
    },
    /// Forget all levels of this book: a snapshot follows in the same batch.
    Clear,
    /// The depth book is synchronised as of `update_id`: it may be trusted.
    Synced {
        /// Venue update id the book stands at.
        update_id: u64,
    },
    /// The feed says this book must not be trusted any more, and why.
    Distrust {
        /// Why.
        cause: TrustCause,
    },
    /// Events of this feed were lost (its ring was full): every book of the feed is stale until rebuilt.
    Gap {
        /// How many were lost.
        lost: u64,
    },
    /// The connection is alive although nothing changed (venue heartbeat, or a message of another symbol).
    Alive,
}

/// One event: 64 bytes, `Copy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(C)]
pub struct MarketEvent {
    /// When the frame was received, our clock.
    pub received_at: MonoNanos,
    /// What changed.
    pub kind: EventKind,
    /// Nanoseconds from `received_at` until the event was pushed into the ring (saturates at 4.29 s).
    pub decode_nanos: u32,
    /// Which book.
    pub instrument: InstrumentId,
    /// [`END_OF_BATCH`] or 0.
    pub flags: u8,
}

const _: () = assert!(
    size_of::<MarketEvent>() <= 64,
    "Invariant: a market event is one cache line"
);

impl MarketEvent {
    /// True for the last event of a venue message.
    #[must_use]
    #[inline]
    pub const fn ends_batch(&self) -> bool {
        self.flags & END_OF_BATCH != 0
    }
}

/// Where decoded events go: a ring in production, a vector in tests and tools.
pub trait EventSink {
    /// Takes one event. A full ring remembers a gap; the caller does not wait.
    fn push(&mut self, event: MarketEvent);
}

impl EventSink for Vec<MarketEvent> {
    fn push(&mut self, event: MarketEvent) {
        Self::push(self, event);
    }
}
