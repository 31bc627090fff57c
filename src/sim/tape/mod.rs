//! What happens on a simulated venue's market, in time order: from the seeded model or from a recording.

pub mod chance;
pub mod choose;
mod latent;
mod maker;
mod market;
pub mod model;
pub mod recorded;
pub mod setup;

use std::sync::Arc;

use crate::units::{Price, Qty, Side, UnixNanos};

pub use choose::{RecordedVenue, RecordingFile, Recordings, recording_at, recordings_in};
pub use model::MarketModel;
pub use recorded::{Pace, RecordedCounts, RecordedSource, RecordedTape};
pub use setup::{
    ModelParams, ModelSetup, PlantedBasis, SymbolShape, VenueShape, usual_price_cents,
};

/// One happening on one venue's market.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TapeEvent {
    /// When it happens.
    pub at: UnixNanos,
    /// Index of the venue in the world's list.
    pub venue: usize,
    /// Index of the symbol in that venue's setup.
    pub symbol: usize,
    /// What happens.
    pub change: MarketChange,
}

/// What happens to one symbol of one venue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum MarketChange {
    /// A participant of the model sends a limit order.
    Place {
        /// The participant's own id, unique in its venue and symbol.
        order_id: u64,
        /// Buy or sell.
        side: Side,
        /// Limit price in steps of the symbol's grid, on its tick.
        price: Price,
        /// Quantity in steps of the symbol's grid, on its lot, above zero.
        qty: Qty,
        /// True: what cannot fill at once is cancelled. False: the rest stays in the book.
        ioc: bool,
    },
    /// A participant of the model takes an order back. It may be gone already: then nothing happens.
    Cancel {
        /// The id of its [`MarketChange::Place`].
        order_id: u64,
    },
    /// A perpetual's mark and funding, once a second.
    Mark {
        /// Mark price in steps of the symbol's grid.
        mark: Price,
        /// Index price in steps of the symbol's grid.
        index: Price,
        /// Rate of the next funding payment in parts per billion; positive: long pays short.
        funding_ppb: i64,
        /// When that payment is due.
        next_funding_time: UnixNanos,
    },
    /// A recorded frame, delivered verbatim.
    Frame {
        /// Stream name, such as `btcusdt@bookTicker`.
        stream: Arc<str>,
        /// The JSON below `data`, byte for byte as recorded.
        data: Arc<str>,
    },
    /// A recorded REST depth answer, byte for byte.
    Snapshot {
        /// The JSON object.
        data: Arc<str>,
    },
}

/// A market in time order: `next` never yields an earlier instant than before.
pub trait Tape {
    /// When the next event happens; `None` at the end.
    fn peek(&self) -> Option<UnixNanos>;
    /// Takes the next event; `None` at the end.
    fn next(&mut self) -> Option<TapeEvent>;
}

impl<T: Tape + ?Sized> Tape for Box<T> {
    fn peek(&self) -> Option<UnixNanos> {
        (**self).peek()
    }
    fn next(&mut self) -> Option<TapeEvent> {
        (**self).next()
    }
}

#[cfg(test)]
mod model_tests;
#[cfg(test)]
mod recorded_tests;
