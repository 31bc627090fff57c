//! One depth book and its best quote: what an instrument's market looks like now.
//!
//! Two sources feed it: depth diffs (a contiguous ladder) and best quotes, which usually lead the diffs. The ladder is
//! touched by diffs only; a quote newer than the ladder overrides its top. Both carry the venue's update id, so the
//! newer one is known, and at equal ids they must agree ([`TrustCause::QuoteMismatch`] otherwise).

use crate::units::{MonoNanos, Nanos, Notional, Price, Qty, Side};

use super::event::{EventKind, MarketEvent};
use super::{Mark, Trust, TrustCause};

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

/// One instrument's market.
#[derive(Debug, Clone)]
pub struct Book {
    bids: Ladder,
    asks: Ladder,
    quote: Option<Quote>,
    ladder_id: u64,
    trust: Trust,
    cause: Option<TrustCause>,
    synced: bool,
    received_at: MonoNanos,
    changed_at: MonoNanos,
    crossed_since: Option<MonoNanos>,
    crossed_events: u32,
    venue_mark: Option<Price>,
    funding_ppb: i64,
    counters: BookCounters,
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
            received_at: MonoNanos(0),
            changed_at: MonoNanos(0),
            crossed_since: None,
            crossed_events: 0,
            venue_mark: None,
            funding_ppb: 0,
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
                price, funding_ppb, ..
            } => {
                self.venue_mark = Some(price);
                self.funding_ppb = funding_ppb;
            }
            EventKind::Clear => self.clear(),
            EventKind::Synced { update_id } => {
                self.ladder_id = update_id;
                self.synced = true;
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
        }
    }
}
