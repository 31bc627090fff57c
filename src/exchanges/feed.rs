//! The feed machine: one market-data connection of one venue, from bytes to market events, without IO.
//!
//! It subscribes, decodes, synchronises books, notices gaps, silence and nonsense, and asks its shell for connections and
//! snapshots by [`Action`]s. A venue may need several connections ([`Feed::lanes`]); each has a machine of its own.
//!
//! The shell calls [`Feed::start`] once, then `on_open`, `on_frame`, `on_http` and `on_closed` as things happen, and
//! `on_timer` about every 100 ms. After an [`Action::Reconnect`] the old connection's end is not reported, only whether
//! the new one stands (`on_open`) or fails (`on_closed`).

mod book;
mod connection;
mod counters;
mod facts;
mod malformed;
mod options;
mod snapshot;
#[cfg(test)]
mod tests;

use crate::market::event::{END_OF_BATCH, EventSink};
use crate::market::{EventKind, TrustCause, VenueId};
use crate::prng::Prng;
use crate::units::{MonoNanos, UnixNanos};

use super::backoff::Backoff;
use super::binance::streams::{Lane, MarketDialect};
use super::decode::{Decoder, market};
use super::frame::{
    DepthLevels, DepthMessage, FrameKind, MarkMessage, Message, QuoteMessage, TradeMessage,
};
use super::sync::SyncStep;
use super::{Action, Dialect, ReconnectCause};

use book::{FeedBook, Writer};
use connection::{Connection, RECONNECT_WAIT_CAP, RECONNECT_WAIT_FIRST};
pub use counters::FeedCounters;
use malformed::MalformedWindow;
pub use options::{FeedInstrument, FeedOptions, FeedStreams, SubscribeBy};

/// What one frame told beside its events.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct FrameOutcome {
    /// Venue stamp to receive time, in nanoseconds: negative when the venue's clock runs ahead; `None` without a stamp.
    pub delay_nanos: Option<i64>,
}

/// One connection's feed.
#[derive(Debug)]
pub struct Feed {
    venue: VenueId,
    dialect: Dialect,
    market: &'static MarketDialect,
    lane: Option<Lane>,
    options: FeedOptions,
    decoder: Decoder,
    books: Vec<FeedBook>,
    connection: Connection,
    malformed: MalformedWindow,
    snapshot_levels: DepthLevels,
    next_request: u32,
    prng: Prng,
    backoff: Backoff,
    counters: FeedCounters,
}

impl Feed {
    /// How many connections a venue of this dialect needs.
    #[must_use]
    pub const fn lanes(dialect: Dialect) -> usize {
        market(dialect).lanes.len()
    }

    /// A feed for connection number `lane` of a venue instance.
    #[must_use]
    pub fn new(
        dialect: Dialect,
        lane: usize,
        venue: VenueId,
        instruments: Vec<FeedInstrument>,
        options: FeedOptions,
    ) -> Self {
        let market = market(dialect);
        let mut decoder = Decoder::new(dialect);
        let mut books = Vec::with_capacity(instruments.len());
        for instrument in instruments {
            if decoder.insert(&instrument.native, instrument.grid) == books.len() {
                books.push(FeedBook::new(instrument.id, market.rule));
            }
        }
        let prng = Prng::new(options.seed).fork(&format!("feed {} {lane}", venue.0));
        Self {
            venue,
            dialect,
            market,
            lane: market.lanes.get(lane).copied(),
            options,
            decoder,
            books,
            connection: Connection::default(),
            malformed: MalformedWindow::default(),
            snapshot_levels: DepthLevels::default(),
            next_request: 0,
            prng,
            backoff: Backoff::new(RECONNECT_WAIT_FIRST, RECONNECT_WAIT_CAP),
            counters: FeedCounters::default(),
        }
    }

    /// Which venue instance it belongs to.
    #[must_use]
    pub const fn venue(&self) -> VenueId {
        self.venue
    }

    /// What it has seen.
    #[must_use]
    pub const fn counters(&self) -> &FeedCounters {
        &self.counters
    }

    /// True while the connection stands.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.connection.is_open()
    }

    /// How many of its books are synchronised.
    #[must_use]
    pub fn live_books(&self) -> usize {
        self.books.iter().filter(|book| book.sync.is_live()).count()
    }

    /// Depth or quotes come here, so trust in the books depends on this connection.
    fn carries_books(&self) -> bool {
        self.lane.is_some_and(|lane| {
            (lane.depth && self.options.streams.depth)
                || (lane.quotes && self.options.streams.quotes)
        })
    }

    /// Takes one frame. Quotes, depth, trades and mark prices allocate nothing.
    #[inline]
    pub fn on_frame(
        &mut self,
        bytes: &[u8],
        received_at: MonoNanos,
        received_time: UnixNanos,
        sink: &mut impl EventSink,
        actions: &mut Vec<Action>,
    ) -> FrameOutcome {
        self.counters.frames_received += 1;
        self.counters.bytes_received += u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.connection.heard_at = received_at;
        self.connection.message_at = Some(received_at);
        let message = match self.decoder.decode(bytes) {
            Ok(message) => message,
            Err(malformed) => {
                self.on_malformed(malformed, bytes, received_at, sink, actions);
                return FrameOutcome::default();
            }
        };
        let (slot, event_time) = match message {
            Message::Quote(quote) => (quote.slot, quote.event_time),
            Message::Depth(depth) => (depth.slot, Some(depth.event_time)),
            Message::Trade(trade) => (trade.slot, Some(trade.event_time)),
            Message::Mark(mark) => (mark.slot, Some(mark.event_time)),
            Message::Control { .. }
            | Message::Shutdown
            | Message::UnknownSymbol { .. }
            | Message::Ignored => {
                self.on_idle_message(message, received_at, sink, actions);
                return FrameOutcome::default();
            }
        };
        let Some(book) = self.books.get_mut(slot) else {
            self.counters.ignored += 1;
            return FrameOutcome::default();
        };
        book.heard_at = received_at;
        book.is_stale = false;
        let writer = Writer {
            instrument: book.id,
            received_at,
        };
        if let Message::Mark(mark) = message {
            book.next_event =
                facts::on_our_clock(mark.next_funding_time, received_at, received_time);
        }
        match message {
            Message::Quote(quote) => self.on_quote(&quote, writer, sink),
            Message::Depth(depth) => self.on_depth(&depth, writer, sink, actions),
            Message::Trade(trade) => self.on_trade(&trade, writer, sink),
            Message::Mark(mark) => {
                let next_funding_at =
                    facts::on_our_clock(mark.next_funding_time, received_at, received_time);
                self.on_mark(&mark, next_funding_at, writer, sink);
            }
            Message::Control { .. }
            | Message::Shutdown
            | Message::UnknownSymbol { .. }
            | Message::Ignored => {}
        }
        let delay_nanos = event_time.map(|event_time| received_time.signed_since(event_time));
        if let Some(delay) = delay_nanos {
            self.judge_delay(delay, writer, sink);
        }
        FrameOutcome { delay_nanos }
    }

    #[inline]
    fn on_quote(&mut self, quote: &QuoteMessage, writer: Writer, sink: &mut impl EventSink) {
        self.counters.decoded += 1;
        self.counters.count_kind(FrameKind::Quote);
        let kind = EventKind::Quote {
            bid_price: quote.bid.price,
            bid_qty: quote.bid.qty,
            ask_price: quote.ask.price,
            ask_qty: quote.ask.qty,
            update_id: quote.update_id,
        };
        writer.push(kind, END_OF_BATCH, sink);
    }

    #[inline]
    fn on_depth(
        &mut self,
        depth: &DepthMessage,
        writer: Writer,
        sink: &mut impl EventSink,
        actions: &mut Vec<Action>,
    ) {
        self.counters.decoded += 1;
        self.counters.count_kind(FrameKind::Depth);
        let levels = self.decoder.levels();
        let Some(book) = self.books.get_mut(depth.slot) else {
            return;
        };
        let gaps_before = book.sync.gaps();
        let step = book.sync.on_diff(depth.ids, levels);
        self.counters.gaps += book.sync.gaps() - gaps_before;
        match step {
            SyncStep::Apply => {
                self.counters.levels += u64::try_from(levels.len()).unwrap_or(0);
                writer.diff(depth.ids, levels, sink);
                return;
            }
            SyncStep::Old => writer.push(EventKind::Alive, END_OF_BATCH, sink),
            SyncStep::Waiting => {}
            SyncStep::Built => {
                self.counters.syncs += 1;
                writer.built(&mut book.sync, sink);
            }
            SyncStep::Gap => writer.distrust(TrustCause::SequenceGap, sink),
            SyncStep::TooOld => self.counters.snapshots_too_old += 1,
            SyncStep::Overflow => self.counters.overflows += 1,
        }
        self.seek_snapshot(depth.slot, writer.received_at, actions);
    }

    #[inline]
    fn on_trade(&mut self, trade: &TradeMessage, writer: Writer, sink: &mut impl EventSink) {
        self.counters.count_kind(trade.kind);
        if !trade.is_market {
            self.counters.ignored += 1;
            return;
        }
        self.counters.decoded += 1;
        let kind = EventKind::Trade {
            price: trade.price,
            qty: trade.qty,
            aggressor: trade.aggressor,
            trade_id: trade.trade_id,
        };
        writer.push(kind, self.end_of_batch(), sink);
    }

    #[inline]
    fn on_mark(
        &mut self,
        mark: &MarkMessage,
        next_funding_at: Option<MonoNanos>,
        writer: Writer,
        sink: &mut impl EventSink,
    ) {
        self.counters.decoded += 1;
        self.counters.count_kind(FrameKind::Mark);
        let kind = EventKind::Mark {
            price: mark.price,
            funding_ppb: mark.funding_ppb,
            next_funding_at,
        };
        writer.push(kind, self.end_of_batch(), sink);
    }

    /// The end of a batch refreshes a book's age: only the connection that carries the book may say that.
    fn end_of_batch(&self) -> u8 {
        if self.carries_books() {
            END_OF_BATCH
        } else {
            0
        }
    }

    /// Frames that concern no book.
    fn on_idle_message(
        &mut self,
        message: Message<'_>,
        now: MonoNanos,
        sink: &mut impl EventSink,
        actions: &mut Vec<Action>,
    ) {
        self.counters.ignored += 1;
        match message {
            Message::Control { id, is_error } => {
                self.counters.count_kind(FrameKind::Control);
                if is_error {
                    self.reconnect(ReconnectCause::Subscription, now, sink, actions);
                } else if let Some(id) = id {
                    self.connection.acknowledge(id);
                }
            }
            Message::Shutdown => {
                self.counters.count_kind(FrameKind::Shutdown);
                self.reconnect(ReconnectCause::ServerShutdown, now, sink, actions);
            }
            Message::UnknownSymbol { kind, .. } => self.counters.count_kind(kind),
            Message::Quote(_)
            | Message::Depth(_)
            | Message::Trade(_)
            | Message::Mark(_)
            | Message::Ignored => {}
        }
    }

    fn judge_delay(&mut self, delay: i64, writer: Writer, sink: &mut impl EventSink) {
        if delay < 0 {
            self.counters.negative_delays += 1;
            return;
        }
        let is_late = self
            .options
            .delay_max
            .is_some_and(|most| delay.unsigned_abs() > most.0);
        if is_late && self.carries_books() {
            self.counters.late += 1;
            writer.distrust(TrustCause::Stale, sink);
        }
    }
}
