//! Target A by our own rooms: feed machines, events and books as plain calls on one thread.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::as_conversions,
    reason = "a bench"
)]
#![allow(clippy::cast_sign_loss, reason = "a bench")]

use arbalest::exchanges::feed::{Feed, FeedInstrument, FeedOptions};
use arbalest::exchanges::{Action, Dialect, RequestId};
use arbalest::market::event::{EventKind, EventSink, MarketEvent};
use arbalest::market::{Book, InstrumentId, VenueId};
use arbalest::ring::{Producer, ring};
use arbalest::units::{MonoNanos, Price, Side, UnixNanos};

use super::floor::Outcome;
use super::mix;
use super::recorded::{Line, Source};

/// A venue's feed as its seat holds it, fed from a recording: the snapshot request is answered when the recorded answer
/// comes along.
pub struct RecordedFeed {
    pub feed: Feed,
    actions: Vec<Action>,
    asked: Option<RequestId>,
}

impl RecordedFeed {
    pub fn new(source: Source, index: u8) -> Self {
        let dialect = if source.is_spot() {
            Dialect::BinanceSpot
        } else {
            Dialect::BinanceUsdm
        };
        let instrument = FeedInstrument {
            id: InstrumentId(u16::from(index)),
            native: source.native().to_owned(),
            grid: source.grid().0,
        };
        let mut actions = Vec::with_capacity(16);
        let mut feed = Feed::new(
            dialect,
            0,
            VenueId(index),
            vec![instrument],
            FeedOptions::default(),
        );
        feed.start(MonoNanos(1), &mut actions);
        feed.on_open(MonoNanos(1), &mut actions);
        actions.clear();
        Self {
            feed,
            actions,
            asked: None,
        }
    }

    #[inline]
    pub fn on_line(&mut self, line: &Line, sink: &mut impl EventSink) {
        let (at, time) = (MonoNanos(line.time as u64), UnixNanos(line.time));
        if line.bytes.starts_with(b"{\"lastUpdateId\"") {
            let request = self.asked.take().unwrap();
            self.feed
                .on_http(request, 200, &line.bytes, at, sink, &mut self.actions);
        } else {
            self.feed
                .on_frame(&line.bytes, at, time, sink, &mut self.actions);
        }
        for action in self.actions.drain(..) {
            match action {
                Action::Http { request, .. } => self.asked = Some(request),
                other => panic!("a recording needs no {other:?}"),
            }
        }
    }
}

/// Both books, the latest quotes and what was counted.
pub struct Watcher {
    pub books: [Book; 2],
    quotes: [i64; 2],
    opportunities: u64,
    trades: u64,
}

impl Watcher {
    pub fn new(sources: [Source; 2]) -> Self {
        Self {
            books: sources.map(|source| Book::new(Price(source.grid().1))),
            quotes: [0; 2],
            opportunities: 0,
            trades: 0,
        }
    }

    #[inline]
    pub fn on_event(&mut self, event: &MarketEvent) {
        let which = usize::from(event.instrument.0);
        let Some(book) = self.books.get_mut(which) else {
            return;
        };
        book.apply(event);
        if event.ends_batch() {
            book.finish_batch(event.received_at, true);
        }
        match event.kind {
            EventKind::Quote {
                bid_price,
                ask_price,
                ..
            } => {
                self.quotes[which] = if which == 0 { bid_price.0 } else { ask_price.0 };
                let [bid, ask] = self.quotes;
                self.opportunities += u64::from(ask > 0 && bid * 10_000 >= ask * 10_005);
            }
            EventKind::Trade {
                price,
                qty,
                trade_id,
                ..
            } => {
                self.trades = mix(
                    mix(mix(self.trades, trade_id), price.0 as u64),
                    qty.0 as u64,
                );
            }
            _ => {}
        }
    }

    pub fn outcome(&self) -> Outcome {
        let hash = self.books.iter().fold(self.trades, final_levels);
        Outcome {
            opportunities: self.opportunities,
            hash,
        }
    }
}

impl EventSink for Watcher {
    #[inline]
    fn push(&mut self, event: MarketEvent) {
        self.on_event(&event);
    }
}

/// Plays merged lines of two recordings of one pair, the first sells, the second buys: the feed's seat is the signal's.
pub fn play(sources: [Source; 2], lines: &[Line]) -> Outcome {
    let mut feeds = [
        RecordedFeed::new(sources[0], 0),
        RecordedFeed::new(sources[1], 1),
    ];
    let mut watcher = Watcher::new(sources);
    for line in lines {
        feeds[line.source].on_line(line, &mut watcher);
    }
    watcher.outcome()
}

/// A ring as the feed's seat sees it.
pub struct RingSink(pub Producer<MarketEvent>);

impl EventSink for RingSink {
    #[inline]
    fn push(&mut self, event: MarketEvent) {
        self.0.push(event);
    }
}

/// The event that stands for lost ones.
pub fn gap(lost: u64) -> MarketEvent {
    MarketEvent {
        received_at: MonoNanos(1),
        kind: EventKind::Gap { lost },
        decode_nanos: 0,
        instrument: InstrumentId(0),
        flags: 1,
    }
}

/// The same with each feed's ring between, drained after every message.
pub fn play_through_rings(sources: [Source; 2], lines: &[Line]) -> Outcome {
    let mut feeds = [
        RecordedFeed::new(sources[0], 0),
        RecordedFeed::new(sources[1], 1),
    ];
    let mut watcher = Watcher::new(sources);
    let mut rings = [0, 1]
        .map(|_| ring::<MarketEvent>(16_384, gap))
        .map(|(producer, consumer)| (RingSink(producer), consumer));
    for line in lines {
        let (sink, consumer) = &mut rings[line.source];
        feeds[line.source].on_line(line, sink);
        consumer.drain(16_384, |event| watcher.on_event(event));
    }
    watcher.outcome()
}

/// Mixes the best levels of a book.
fn final_levels(hash: u64, book: &Book) -> u64 {
    [Side::Buy, Side::Sell]
        .into_iter()
        .fold(hash, |hash, side| {
            let best = book.ladder_best(side).unwrap();
            mix(mix(hash, best.price.0 as u64), best.qty.0 as u64)
        })
}
