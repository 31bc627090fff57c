//! One depth book and its best quote: what an instrument's market looks like now.
//!
//! Two sources feed it: depth diffs (a contiguous ladder) and best quotes, which usually lead the diffs. The ladder is
//! touched by diffs only; a quote newer than the ladder overrides its top. Both carry the venue's update id, so the
//! newer one is known, and at equal ids they must agree ([`TrustCause::QuoteMismatch`] otherwise).

use crate::units::{MonoNanos, Nanos, Notional, Price, Qty, Side};

use super::event::{EventKind, MarketEvent};
use super::{Funding, Mark, Trust, TrustCause};

mod ladder;

pub use ladder::Ladder;

/// A price and the quantity there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// Level price.
    pub price: Price,
    /// Quantity, above zero.
    pub qty: Qty,
}

/// Best bid and ask, with the standing of the book they come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Top {
    /// Best bid.
    pub bid: Level,
    /// Best ask.
    pub ask: Level,
}

/// What a walk through one side found within a limit price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Walk {
    /// Quantity available.
    pub qty: Qty,
    /// What it costs (or yields): sum of price times quantity.
    pub notional: Notional,
    /// Price of the last level touched; zero when none.
    pub worst_price: Price,
    /// Levels touched.
    pub level_count: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Quote {
    top: Top,
    update_id: u64,
}

/// One instrument's market. What a quote touches stands first, in two cache lines (`benches/book.rs`, growth).
#[derive(Debug, Clone)]
#[repr(C, align(64))]
pub struct Book {
    quote: Option<Quote>,
    ladder_id: u64,
    trust: Trust,
    cause: Option<TrustCause>,
    synced: bool,
    /// A `Clear` came after the last loss of trust: a `Synced` may follow.
    rebuilding: bool,
    crossed_events: u32,
    received_at: MonoNanos,
    changed_at: MonoNanos,
    crossed_since: Option<MonoNanos>,
    counters: BookCounters,
    bids: Ladder,
    asks: Ladder,
    venue_mark: Option<Price>,
    funding: Option<Funding>,
}

/// What one book has seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct BookCounters {
    /// Batches that changed or confirmed the book.
    pub batches: u64,
    /// Levels set or removed.
    pub levels: u64,
    /// Times best bid was at or above best ask after a batch.
    pub crossed: u64,
    /// Gaps the feed or ring reported.
    pub gaps: u64,
    /// Quotes equal to the ladder at the same update id.
    pub quotes_equal: u64,
    /// Quotes that differed from the ladder at the same update id.
    pub quotes_different: u64,
}

impl Book {
    /// An empty book, not trusted. `tick` is the venue's price increment in steps (1 is always right).
    #[must_use]
    pub fn new(tick: Price) -> Self {
        Self {
            bids: Ladder::new(Side::Buy, tick),
            asks: Ladder::new(Side::Sell, tick),
            quote: None,
            ladder_id: 0,
            trust: Trust::Building,
            cause: None,
            synced: false,
            rebuilding: false,
            received_at: MonoNanos(0),
            changed_at: MonoNanos(0),
            crossed_since: None,
            crossed_events: 0,
            venue_mark: None,
            funding: None,
            counters: BookCounters::default(),
        }
    }

    /// Applies one event. Call [`Book::finish_batch`] after the last one of a batch.
    #[inline]
    pub fn apply(&mut self, event: &MarketEvent) {
        match event.kind {
            EventKind::Level {
                side,
                price,
                qty,
                update_id,
            } => {
                match side {
                    Side::Buy => self.bids.set(price, qty),
                    Side::Sell => self.asks.set(price, qty),
                }
                self.ladder_id = update_id;
                self.counters.levels += 1;
            }
            EventKind::Quote {
                bid_price,
                bid_qty,
                ask_price,
                ask_qty,
                update_id,
            } => {
                if self.quote.is_none_or(|quote| update_id >= quote.update_id) {
                    let top = Top {
                        bid: Level {
                            price: bid_price,
                            qty: bid_qty,
                        },
                        ask: Level {
                            price: ask_price,
                            qty: ask_qty,
                        },
                    };
                    self.quote = Some(Quote { top, update_id });
                }
            }
            EventKind::Mark {
                price,
                funding_ppb,
                next_funding_at,
            } => {
                self.venue_mark = Some(price);
                let news = Funding::new(funding_ppb, next_funding_at, event.received_at);
                self.funding = Some(news.after(self.funding));
            }
            EventKind::Clear => self.clear(),
            EventKind::Synced { update_id } => {
                self.ladder_id = update_id;
                // Without a `Clear` since the last loss of trust the levels are not those of a snapshot.
                self.synced |= self.rebuilding;
                self.rebuilding = false;
            }
            EventKind::Distrust { cause } => self.distrust(cause),
            EventKind::Gap { .. } => {
                self.counters.gaps += 1;
                self.distrust(TrustCause::RingFull);
            }
            EventKind::Trade { .. } | EventKind::Alive => {}
        }
    }

    /// Ends a batch: stamps its age and decides whether the book can be trusted.
    #[inline]
    pub fn finish_batch(&mut self, received_at: MonoNanos, changed: bool) {
        self.received_at = received_at;
        if changed {
            self.changed_at = received_at;
        }
        self.counters.batches += 1;
        self.compare_quote();
        if !self.synced {
            return;
        }
        match self.top() {
            None => self.suspect(TrustCause::OneSided),
            Some(top) if top.bid.price >= top.ask.price => {
                self.counters.crossed += 1;
                self.crossed_events += 1;
                self.crossed_since.get_or_insert(received_at);
                self.suspect(TrustCause::Crossed);
            }
            Some(_) => {
                self.crossed_events = 0;
                self.crossed_since = None;
                self.trust = Trust::Trusted;
                self.cause = None;
            }
        }
    }

    fn compare_quote(&mut self) {
        let Some(quote) = self.quote else { return };
        if !self.synced || quote.update_id != self.ladder_id {
            return;
        }
        if self.ladder_top() == Some(quote.top) {
            self.counters.quotes_equal += 1;
            self.quote = None;
        } else {
            self.counters.quotes_different += 1;
        }
    }

    fn suspect(&mut self, cause: TrustCause) {
        if self.trust != Trust::Bad {
            self.trust = Trust::Suspect;
            self.cause = Some(cause);
        }
    }

    fn distrust(&mut self, cause: TrustCause) {
        match cause.level() {
            Trust::Bad => {
                if cause == TrustCause::SequenceGap {
                    self.counters.gaps += 1;
                }
                self.trust = Trust::Bad;
                self.synced = false;
                self.rebuilding = false;
                self.quote = None;
            }
            Trust::Suspect | Trust::Building | Trust::Trusted => {
                if self.trust == Trust::Trusted {
                    self.trust = Trust::Suspect;
                }
            }
        }
        self.cause = Some(cause);
    }

    fn clear(&mut self) {
        self.bids.clear();
        self.asks.clear();
        self.ladder_id = 0;
        self.synced = false;
        self.rebuilding = true;
        self.crossed_since = None;
        self.crossed_events = 0;
        if self.trust != Trust::Bad {
            self.trust = Trust::Building;
        }
    }

    fn ladder_top(&self) -> Option<Top> {
        Some(Top {
            bid: self.bids.best()?,
            ask: self.asks.best()?,
        })
    }

    /// Best bid and ask, the newer of quote and ladder; `None` unless both sides are there.
    #[must_use]
    #[inline]
    pub fn top(&self) -> Option<Top> {
        match self.quote {
            Some(quote) if quote.update_id > self.ladder_id || !self.synced => Some(quote.top),
            _ => self.ladder_top(),
        }
    }

    /// Best level of one side by the ladder alone.
    #[must_use]
    pub fn ladder_best(&self, side: Side) -> Option<Level> {
        self.side(side).best()
    }

    /// Levels of one side, best first, by the ladder alone.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = Level> + '_ {
        self.side(side).iter()
    }

    /// How many levels one side of the ladder has.
    #[must_use]
    pub fn level_count(&self, side: Side) -> usize {
        self.side(side).len()
    }

    const fn side(&self, side: Side) -> &Ladder {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    /// The levels an aggressor of `taker` side meets, best first: a quote newer than the ladder, then every ladder level
    /// behind it.
    pub fn available(&self, taker: Side) -> impl Iterator<Item = Level> + '_ {
        let resting = taker.opposite();
        let quoted = self
            .quote
            .filter(|quote| quote.update_id > self.ladder_id)
            .map(|quote| match resting {
                Side::Buy => quote.top.bid,
                Side::Sell => quote.top.ask,
            });
        let behind = move |level: &Level| {
            quoted.is_none_or(|quoted| match resting {
                Side::Buy => level.price < quoted.price,
                Side::Sell => level.price > quoted.price,
            })
        };
        quoted
            .into_iter()
            .chain(self.side(resting).iter().filter(behind))
    }

    /// What an aggressor of `taker` side finds up to `limit_price` and at most `qty_max`, best first. A quote newer than
    /// the ladder replaces every ladder level at or better than its own price.
    #[must_use]
    pub fn walk(&self, taker: Side, limit_price: Price, qty_max: Qty) -> Walk {
        let within = |price: Price| match taker {
            Side::Buy => price <= limit_price,
            Side::Sell => price >= limit_price,
        };
        let mut walk = Walk::default();
        let mut take = |level: Level| -> bool {
            let left = qty_max.0 - walk.qty.0;
            if left <= 0 || !within(level.price) {
                return false;
            }
            let qty = Qty(level.qty.0.min(left));
            walk.qty = Qty(walk.qty.0 + qty.0);
            walk.notional = Notional(walk.notional.0.saturating_add(level.price.times(qty).0));
            walk.worst_price = level.price;
            walk.level_count += 1;
            true
        };
        let resting = taker.opposite();
        let newer = self.quote.filter(|quote| quote.update_id > self.ladder_id);
        let quoted = newer.map(|quote| match resting {
            Side::Buy => quote.top.bid,
            Side::Sell => quote.top.ask,
        });
        if let Some(level) = quoted
            && !take(level)
        {
            return walk;
        }
        for level in self.side(resting).iter() {
            let behind_quote = quoted.is_none_or(|quoted| match resting {
                Side::Buy => level.price < quoted.price,
                Side::Sell => level.price > quoted.price,
            });
            if behind_quote && !take(level) {
                break;
            }
        }
        walk
    }

    /// Standing as of the last batch (age is the caller's to judge: [`Book::trust_at`]).
    #[must_use]
    pub const fn trust(&self) -> Trust {
        self.trust
    }
    /// Why it is not trusted; `None` while it is.
    #[must_use]
    pub const fn cause(&self) -> Option<TrustCause> {
        self.cause
    }
    /// Standing at `now`: a trusted book not heard of for longer than `age_max` is Suspect.
    #[must_use]
    #[inline]
    pub fn trust_at(&self, now: MonoNanos, age_max: Nanos) -> Trust {
        if self.trust == Trust::Trusted && now.since(self.received_at) > age_max {
            Trust::Suspect
        } else {
            self.trust
        }
    }
    /// When the last batch was received.
    #[must_use]
    pub const fn received_at(&self) -> MonoNanos {
        self.received_at
    }
    /// When the book last changed.
    #[must_use]
    pub const fn changed_at(&self) -> MonoNanos {
        self.changed_at
    }
    /// Since when it has been crossed or locked; `None` when it is not.
    #[must_use]
    pub const fn crossed_since(&self) -> Option<MonoNanos> {
        self.crossed_since
    }
    /// The venue's mark price, where it publishes one.
    #[must_use]
    pub const fn venue_mark(&self) -> Option<Price> {
        self.venue_mark
    }
    /// The venue's last word on funding; `None` when it said nothing.
    #[must_use]
    pub const fn funding(&self) -> Option<Funding> {
        self.funding
    }
    /// Update id the ladder stands at.
    #[must_use]
    pub const fn ladder_id(&self) -> u64 {
        self.ladder_id
    }
    /// What it has seen.
    #[must_use]
    pub const fn counters(&self) -> BookCounters {
        self.counters
    }
    /// Its valuation sample.
    #[must_use]
    pub fn mark(&self, instrument: super::InstrumentId) -> Mark {
        let top = self.top();
        Mark {
            instrument,
            bid: top.map(|top| top.bid.price),
            ask: top.map(|top| top.ask.price),
            venue_mark: self.venue_mark,
            received_at: self.received_at,
            trust: self.trust,
            depth: None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::market::event::END_OF_BATCH;
    use crate::market::{InstrumentId, Trust};

    fn event(kind: EventKind) -> MarketEvent {
        MarketEvent {
            received_at: MonoNanos(1),
            kind,
            decode_nanos: 0,
            instrument: InstrumentId(0),
            flags: END_OF_BATCH,
        }
    }
    fn level(side: Side, price: i64, qty: i64, update_id: u64) -> EventKind {
        EventKind::Level {
            side,
            price: Price(price),
            qty: Qty(qty),
            update_id,
        }
    }
    fn quote(bid: (i64, i64), ask: (i64, i64), update_id: u64) -> EventKind {
        EventKind::Quote {
            bid_price: Price(bid.0),
            bid_qty: Qty(bid.1),
            ask_price: Price(ask.0),
            ask_qty: Qty(ask.1),
            update_id,
        }
    }
    fn run(book: &mut Book, kinds: &[EventKind]) {
        for kind in kinds {
            book.apply(&event(*kind));
        }
        book.finish_batch(MonoNanos(1), true);
    }
    fn synced() -> Book {
        let mut book = Book::new(Price(1));
        run(
            &mut book,
            &[
                EventKind::Clear,
                level(Side::Buy, 99, 5, 10),
                level(Side::Buy, 98, 7, 10),
                level(Side::Sell, 101, 4, 10),
                level(Side::Sell, 102, 6, 10),
                EventKind::Synced { update_id: 10 },
            ],
        );
        book
    }

    #[test]
    fn trust_follows_the_story() {
        let mut book = Book::new(Price(1));
        run(&mut book, &[quote((99, 1), (101, 1), 5)]);
        assert_eq!(book.trust(), Trust::Building, "a quote alone is no book");
        let mut book = synced();
        assert_eq!(book.trust(), Trust::Trusted);
        run(&mut book, &[level(Side::Buy, 101, 1, 11)]);
        assert_eq!(
            (book.trust(), book.cause()),
            (Trust::Suspect, Some(TrustCause::Crossed)),
            "locked"
        );
        run(&mut book, &[level(Side::Buy, 101, 0, 12)]);
        assert_eq!(book.trust(), Trust::Trusted, "heals by itself");
        run(
            &mut book,
            &[EventKind::Distrust {
                cause: TrustCause::SequenceGap,
            }],
        );
        assert_eq!(book.trust(), Trust::Bad);
        run(
            &mut book,
            &[
                level(Side::Buy, 98, 7, 13),
                EventKind::Synced { update_id: 13 },
            ],
        );
        assert_eq!(book.trust(), Trust::Bad, "no snapshot, no trust");
        run(
            &mut book,
            &[
                EventKind::Clear,
                level(Side::Buy, 98, 7, 14),
                EventKind::Gap { lost: 3 },
            ],
        );
        run(
            &mut book,
            &[
                level(Side::Sell, 101, 7, 14),
                EventKind::Synced { update_id: 14 },
            ],
        );
        assert_eq!(
            book.trust(),
            Trust::Bad,
            "a gap inside the snapshot spoils it"
        );
        run(
            &mut book,
            &[
                EventKind::Clear,
                level(Side::Buy, 98, 7, 15),
                level(Side::Sell, 101, 7, 15),
                EventKind::Synced { update_id: 15 },
            ],
        );
        assert_eq!(book.trust(), Trust::Trusted);
        run(&mut book, &[level(Side::Sell, 101, 0, 16)]);
        assert_eq!(
            (book.trust(), book.cause()),
            (Trust::Suspect, Some(TrustCause::OneSided))
        );
        assert_eq!(
            synced().trust_at(MonoNanos(100), Nanos(50)),
            Trust::Suspect,
            "old"
        );
    }

    #[test]
    fn the_newer_of_quote_and_ladder_wins() {
        let mut book = synced();
        run(&mut book, &[quote((100, 2), (101, 4), 12)]);
        assert_eq!(
            book.top().unwrap().bid,
            Level {
                price: Price(100),
                qty: Qty(2)
            }
        );
        assert_eq!(
            book.walk(Side::Sell, Price(98), Qty(100)).qty,
            Qty(2 + 5 + 7)
        );
        assert_eq!(
            book.walk(Side::Sell, Price(99), Qty(6)).notional,
            Notional(100 * 2 + 99 * 4)
        );
        run(&mut book, &[level(Side::Buy, 100, 3, 13)]);
        assert_eq!(
            book.top().unwrap().bid,
            Level {
                price: Price(100),
                qty: Qty(3)
            }
        );
        run(&mut book, &[quote((100, 3), (101, 4), 13)]);
        assert_eq!(
            (
                book.counters().quotes_equal,
                book.counters().quotes_different
            ),
            (1, 0)
        );
        run(&mut book, &[quote((100, 9), (101, 4), 13)]);
        assert_eq!(book.counters().quotes_different, 1);
    }

    /// A quote that removed better levels hides them in a walk.
    #[test]
    fn a_worse_quote_hides_the_levels_before_it() {
        let mut book = synced();
        run(&mut book, &[quote((98, 1), (102, 6), 12)]);
        let walk = book.walk(Side::Buy, Price(200), Qty(100));
        assert_eq!((walk.qty, walk.level_count), (Qty(6), 1));
        assert_eq!(book.walk(Side::Buy, Price(101), Qty(100)).qty, Qty(0));
    }
}
