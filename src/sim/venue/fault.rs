//! Misbehaviour on request: each variant is one thing a real venue has done to somebody.

use std::collections::BTreeMap;

use crate::units::{Nanos, Price, Qty, Side, UnixNanos};

use super::Account;

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
    /// A person rests an order on an account, from a second terminal (A14).
    RestByHand {
        /// Which account.
        account: usize,
        /// Which symbol.
        symbol: usize,
        /// Side.
        side: Side,
        /// Quantity in steps.
        qty: Qty,
        /// Limit price.
        price: Price,
    },
    /// The next requests are answered 429.
    RateLimit {
        /// How many requests.
        count: u32,
        /// The `Retry-After` it names.
        retry_after_s: u32,
    },
    /// Every request is answered 418, with the instant the ban ends in its text and as `Retry-After` (A05).
    Ban {
        /// How long.
        seconds: u32,
    },
    /// Every connection is closed and refused, every request answered 503 with a page for people (A10).
    Outage {
        /// How long.
        span: Nanos,
    },
    /// The next account events take this much longer (O01, O02).
    LateFills {
        /// How much.
        span: Nanos,
        /// How many events.
        count: u32,
    },
    /// The next executions are told twice, the second time this much later (O09).
    RepeatFills {
        /// How much.
        span: Nanos,
        /// How many executions.
        count: u32,
    },
    /// Questions for balances and positions are answered as they stand now, for this long (A02, A03).
    StaleAccount {
        /// How long.
        span: Nanos,
    },
    /// The venue closes a position itself, at the mark (O22). Only on USD-M.
    VenueClose {
        /// Which account.
        account: usize,
        /// Which symbol.
        symbol: usize,
        /// Why.
        how: VenueClose,
        /// Share of the position, rounded down to the lot, at least one lot.
        share_ppm: u32,
    },
}

/// Why a venue closes a position that its owner did not close.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum VenueClose {
    /// The margin did not suffice: an order with a client id that begins with `autoclose-`, executed as `CALCULATED`.
    Liquidation,
    /// The other side was liquidated and nobody else took it: an order with client id `adl_autoclose`.
    AutoDeleverage,
}

impl Fault {
    /// Fixed short word, as faults are counted by.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::DropDiffs { .. } => "drop_diffs",
            Self::CrossedBook { .. } => "crossed_book",
            Self::Silence { .. } => "silence",
            Self::Cut(FaultScope::All) => "cut_all",
            Self::Cut(FaultScope::Streams) => "cut_streams",
            Self::Cut(FaultScope::Api) => "cut_api",
            Self::Cut(FaultScope::Account) => "cut_account",
            Self::AnnounceShutdown => "announce_shutdown",
            Self::RejectNext { .. } => "reject_next",
            Self::SwallowAck => "swallow_ack",
            Self::SwallowRequest => "swallow_request",
            Self::Delay { .. } => "delay",
            Self::Malformed { .. } | Self::MalformedBytes { .. } => "malformed",
            Self::HoldSnapshots { .. } => "hold_snapshots",
            Self::PartialFill { .. } => "partial_fill",
            Self::PositionPush { .. } => "position_push",
            Self::RestByHand { .. } => "rest_by_hand",
            Self::RateLimit { .. } => "rate_limit",
            Self::Ban { .. } => "ban",
            Self::Outage { .. } => "outage",
            Self::LateFills { .. } => "late_fills",
            Self::RepeatFills { .. } => "repeat_fills",
            Self::StaleAccount { .. } => "stale_account",
            Self::VenueClose {
                how: VenueClose::Liquidation,
                ..
            } => "liquidation",
            Self::VenueClose {
                how: VenueClose::AutoDeleverage,
                ..
            } => "auto_deleverage",
        }
    }
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
    pub(crate) banned_until: Option<UnixNanos>,
    pub(crate) down_until: Option<UnixNanos>,
    pub(crate) late_fills: Option<(Nanos, u32)>,
    pub(crate) repeat_fills: Option<(Nanos, u32)>,
    /// Accounts as they stood, and until when they are shown so.
    pub(crate) stale: Option<(Vec<Account>, UnixNanos)>,
    /// How often each kind had an effect.
    fired: BTreeMap<&'static str, u64>,
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
        self.fire("drop_diffs");
        true
    }
    /// A fault of this kind had an effect.
    pub(crate) fn fire(&mut self, label: &'static str) {
        *self.fired.entry(label).or_default() += 1;
    }
    /// How often each kind had an effect, by label.
    pub(crate) const fn fired(&self) -> &BTreeMap<&'static str, u64> {
        &self.fired
    }
    /// The next account event takes this much longer.
    pub(crate) fn take_late(&mut self) -> Nanos {
        let late = take_one(&mut self.late_fills);
        if late.is_some() {
            self.fire("late_fills");
        }
        late.unwrap_or(Nanos::ZERO)
    }
    /// The next execution is told again, this much later.
    pub(crate) fn take_repeat(&mut self) -> Option<Nanos> {
        let again = take_one(&mut self.repeat_fills);
        if again.is_some() {
            self.fire("repeat_fills");
        }
        again
    }
    pub(crate) fn is_down(&self, now: UnixNanos) -> bool {
        self.down_until.is_some_and(|until| now < until)
    }
    pub(crate) fn is_silent(&self, symbol: usize) -> bool {
        self.silent.contains(&symbol)
    }
}

fn take_one(left: &mut Option<(Nanos, u32)>) -> Option<Nanos> {
    let (span, count) = left.take().filter(|(_, count)| *count > 0)?;
    *left = (count > 1).then_some((span, count - 1));
    Some(span)
}
