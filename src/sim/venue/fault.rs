//! Misbehaviour on request: each variant is one thing a real venue has done to somebody.

use crate::units::{Nanos, Price, Qty, Side};

/// Which connections a fault concerns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FaultScope {
    /// Every connection.
    All,
    /// Market streams.
    Streams,
    /// Order entry.
    Api,
    /// Account events.
    Account,
}

/// One misbehaviour. Symbols are indices of the setup.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// The next `count` depth diffs of the symbol are not sent: a sequence gap (M01).
    DropDiffs {
        /// Which symbol.
        symbol: usize,
        /// How many diffs.
        count: u32,
    },
    /// One diff and one quote with the best bid above the best ask (M07). Quotes heal with the next true one, a diff
    /// book only by a new snapshot.
    CrossedBook {
        /// Which symbol.
        symbol: usize,
    },
    /// The symbol's streams (all of them, or all symbols') say nothing while connection and pings live (M10, M12).
    Silence {
        /// Which symbol; `None`: all.
        symbol: Option<usize>,
        /// False ends it.
        on: bool,
    },
    /// Connections are closed without notice (M13).
    Cut(FaultScope),
    /// `serverShutdown` is announced on every connection (M13).
    AnnounceShutdown,
    /// The next new order is refused with this code and text.
    RejectNext {
        /// The venue's code.
        code: i32,
        /// Its text.
        message: String,
    },
    /// The next new order goes live, but its answer never comes (over HTTP: 503, outcome unknown). Account events do.
    SwallowAck,
    /// The next new order is lost on its way in: not placed, no answer (over HTTP: 503, outcome unknown).
    SwallowRequest,
    /// The next messages to clients take this much longer.
    Delay {
        /// How much.
        span: Nanos,
        /// How many messages.
        count: u32,
    },
    /// This text is sent to all subscribers of the symbol as it is (M16).
    Malformed {
        /// Which symbol.
        symbol: usize,
        /// The text.
        text: String,
    },
    /// These bytes are sent to all subscribers of the symbol as one text frame, valid UTF-8 or not (M16).
    MalformedBytes {
        /// Which symbol.
        symbol: usize,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// Depth snapshots of the symbol are not answered until this is switched off (over sockets only).
    HoldSnapshots {
        /// Which symbol.
        symbol: usize,
        /// False ends it.
        on: bool,
    },
    /// The next immediate-or-cancel order fills at most this share of its quantity.
    PartialFill {
        /// Parts per million of the quantity.
        share_ppm: u32,
    },
    /// A fill on an account that its owner did not ask for (a second terminal, an auto-close).
    PositionPush {
        /// Which account.
        account: usize,
        /// Which symbol.
        symbol: usize,
        /// Side of the fill.
        side: Side,
        /// Quantity in steps.
        qty: Qty,
        /// Price; `None`: the mark.
        price: Option<Price>,
    },
    /// The next requests are answered 429.
    RateLimit {
        /// How many requests.
        count: u32,
        /// The `Retry-After` it names.
        retry_after_s: u32,
    },
}

/// Faults that wait for their moment.
#[derive(Debug, Clone, Default)]
pub(crate) struct FaultState {
    pub(crate) drop_diffs: Vec<(usize, u32)>,
    pub(crate) silent: Vec<usize>,
    pub(crate) held_snapshots: Vec<usize>,
    pub(crate) reject_next: Option<(i32, String)>,
    pub(crate) swallow_ack: bool,
    pub(crate) swallow_request: bool,
    pub(crate) partial_ppm: Option<u32>,
    pub(crate) rate_limit: Option<(u32, u32)>,
}

impl FaultState {
    /// True when the next diff of the symbol is to be dropped; counts it.
    pub(crate) fn drops_diff(&mut self, symbol: usize) -> bool {
        let Some(entry) = self
            .drop_diffs
            .iter_mut()
            .find(|entry| entry.0 == symbol && entry.1 > 0)
        else {
            return false;
        };
        entry.1 -= 1;
        true
    }
    pub(crate) fn is_silent(&self, symbol: usize) -> bool {
        self.silent.contains(&symbol)
    }
}
