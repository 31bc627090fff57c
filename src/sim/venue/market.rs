//! One symbol as the venue publishes it: its book (modelled or recorded), update ids, depth batches, trades and mark.

use std::sync::Arc;

use crate::sim::tape::MarketChange;
use crate::units::{Nanos, Price, Qty, Side, UnixNanos};

use super::book::{OrderBook, Owner, SelfTrade, Taken};
use super::recorded::RecordedBook;
use super::setup::SymbolSetup;

/// A diff stream of one speed: what changed since the last event.
#[derive(Debug, Clone)]
pub(crate) struct DepthBatch {
    /// Time between events.
    pub(crate) every: Nanos,
    /// First update id that is not sent yet.
    pub(crate) first_id: u64,
    /// Last update id of the event before.
    pub(crate) previous_id: u64,
    /// When the next event is due; `None` while nothing changed.
    pub(crate) due: Option<UnixNanos>,
    /// Changed levels, with repetitions.
    pub(crate) dirty: Vec<(Side, Price)>,
}

/// Mark, index and funding of a perpetual.
#[derive(Debug, Clone, Copy)]
pub(crate) struct MarkState {
    pub(crate) mark: Price,
    pub(crate) index: Price,
    pub(crate) funding_ppb: i64,
    pub(crate) next_funding_time: UnixNanos,
}

/// A public trade.
#[derive(Debug, Clone, Copy)]
pub(crate) struct PublicTrade {
    pub(crate) id: u64,
    pub(crate) price: Price,
    pub(crate) qty: Qty,
    pub(crate) buyer_is_maker: bool,
}

/// Best levels of both sides; zero quantity where a side is empty.
pub(crate) type Best = (Option<(Price, Qty)>, Option<(Price, Qty)>);

/// One symbol.
#[derive(Debug, Clone)]
pub(crate) struct Market {
    pub(crate) setup: SymbolSetup,
    /// All resting orders; of a recorded symbol only those of our accounts.
    pub(crate) book: OrderBook,
    /// The recorded levels, from the first recorded frame on.
    pub(crate) recorded: Option<RecordedBook>,
    pub(crate) last_id: u64,
    pub(crate) batches: Vec<DepthBatch>,
    pub(crate) mark: Option<MarkState>,
    pub(crate) marks_seen: u64,
    pub(crate) last_price: Option<Price>,
    next_trade_id: u64,
    next_aggregate_id: u64,
    best_sent: Best,
    touched: Vec<(Side, Price)>,
}

impl Market {
    pub(crate) fn new(setup: SymbolSetup) -> Self {
        Self {
            setup,
            book: OrderBook::default(),
            recorded: None,
            last_id: 1_000,
            batches: Vec::new(),
            mark: None,
            marks_seen: 0,
            last_price: None,
            next_trade_id: 1,
            next_aggregate_id: 1,
            best_sent: (None, None),
            touched: Vec::new(),
        }
    }

    /// Best levels a taker meets.
    pub(crate) fn best(&self) -> Best {
        (self.best_of(Side::Buy), self.best_of(Side::Sell))
    }
    pub(crate) fn best_of(&self, side: Side) -> Option<(Price, Qty)> {
        let own = self.book.best(side);
        let recorded = self
            .recorded
            .as_ref()
            .and_then(|recorded| recorded.best_available(side));
        match (own, recorded) {
            (Some(own), Some(recorded)) => {
                let own_better = (own.0.0 - recorded.0.0) * side.sign() > 0;
                Some(if own_better { own } else { recorded })
            }
            (own, recorded) => own.or(recorded),
        }
    }
    /// Published levels from best to worst, at most `limit`.
    pub(crate) fn depth(&self, side: Side, limit: usize) -> Vec<(Price, Qty)> {
        match &self.recorded {
            Some(recorded) => recorded.levels(side).take(limit).collect(),
            None => self.book.levels(side).take(limit).collect(),
        }
    }
    /// The price positions are valued at: the mark, else the last trade, else the middle of the book.
    pub(crate) fn mark_price(&self) -> Option<Price> {
        let middle = || match self.best() {
            (Some((bid, _)), Some((ask, _))) => Some(Price(bid.0 + (ask.0 - bid.0).div_euclid(2))),
            (bid, ask) => bid.or(ask).map(|(price, _)| price),
        };
        self.mark
            .map(|state| state.mark)
            .or(self.last_price)
            .or_else(middle)
    }

    /// Quantity a taker could get now.
    pub(crate) fn available(
        &self,
        side: Side,
        limit: Option<Price>,
        wanted: Qty,
        taker: Owner,
        own: SelfTrade,
    ) -> Qty {
        let found = self.book.available(side, limit, wanted, taker, own);
        let more = self.recorded.as_ref().map_or(Qty::ZERO, |recorded| {
            recorded.available(side, limit, wanted)
        });
        Qty(found.0.saturating_add(more.0).min(wanted.0))
    }

    /// Executes a taker: at one price the recorded level was there before our resting orders.
    pub(crate) fn take(
        &mut self,
        side: Side,
        limit: Option<Price>,
        qty: Qty,
        taker: Owner,
        own: SelfTrade,
    ) -> Taken {
        let Some(recorded) = self.recorded.as_mut() else {
            return self.book.take(side, limit, qty, taker, own);
        };
        let mut total = Taken {
            left: qty,
            ..Taken::default()
        };
        while total.left.0 > 0 && !total.taker_expired {
            let recorded_best = recorded.best_available(side.opposite());
            let resting_best = self.book.best(side.opposite());
            let resting_first = match (recorded_best, resting_best) {
                (_, None) => false,
                (None, Some(_)) => true,
                (Some(recorded), Some(resting)) => (recorded.0.0 - resting.0.0) * side.sign() > 0,
            };
            if let Some((price, _)) = resting_best.filter(|_| resting_first) {
                if !super::book::accepts(side, limit, price) {
                    break;
                }
                let part = self.book.take(side, Some(price), total.left, taker, own);
                total.executions.extend(part.executions);
                total.expired_makers.extend(part.expired_makers);
                total.left = part.left;
                total.taker_expired |= part.taker_expired;
            } else if let Some(execution) = recorded.take_best(side, limit, total.left) {
                total.left = Qty(total.left.0 - execution.qty.0);
                total.executions.push(execution);
            } else {
                break;
            }
        }
        total
    }

    pub(crate) const fn take_trade_id(&mut self) -> u64 {
        let id = self.next_trade_id;
        self.next_trade_id += 1;
        id
    }
    pub(crate) const fn take_aggregate_id(&mut self) -> u64 {
        let id = self.next_aggregate_id;
        self.next_aggregate_id += 1;
        id
    }

    /// Gives every changed level its update id and puts it into the batches; true when the best changed (a quote is due).
    pub(crate) fn note_changes(&mut self, now: UnixNanos) -> bool {
        self.book.take_touched(&mut self.touched);
        if self.recorded.is_some() {
            // Recorded streams are delivered verbatim; our own orders do not show in them.
            self.touched.clear();
            return false;
        }
        if self.touched.is_empty() {
            return false;
        }
        self.last_id = self
            .last_id
            .saturating_add(u64::try_from(self.touched.len()).unwrap_or(0));
        for batch in &mut self.batches {
            batch.dirty.extend_from_slice(&self.touched);
            if batch.due.is_none() {
                batch.due = Some(next_multiple(now, batch.every));
            }
        }
        self.touched.clear();
        let best = self.best();
        let changed = best != self.best_sent;
        self.best_sent = best;
        changed
    }

    /// Makes sure a diff stream of this speed runs.
    pub(crate) fn ensure_batch(&mut self, every: Nanos) {
        if !self.batches.iter().any(|batch| batch.every == every) {
            let id = self.last_id;
            self.batches.push(DepthBatch {
                every,
                first_id: id + 1,
                previous_id: id,
                due: None,
                dirty: Vec::new(),
            });
        }
    }
    /// Ends the diff stream of this speed.
    pub(crate) fn drop_batch(&mut self, every: Nanos) {
        self.batches.retain(|batch| batch.every != every);
    }

    /// A quote shown in recorded frames, the snapshot or a diff changed the recorded book. True when it did.
    pub(crate) fn on_recorded(&mut self, change: &MarketChange) -> bool {
        let grid = self.setup.grid;
        let book = self.recorded.get_or_insert_with(RecordedBook::default);
        match change {
            MarketChange::Frame { stream, data } => {
                book.leave_snapshot();
                if stream.contains("@depth") {
                    book.on_diff(grid, data)
                } else if stream.contains("@bookTicker") {
                    book.on_ticker(grid, data)
                } else {
                    false
                }
            }
            MarketChange::Snapshot { data } => book.on_snapshot(grid, data),
            MarketChange::Place { .. }
            | MarketChange::Cancel { .. }
            | MarketChange::Mark { .. } => false,
        }
    }
    /// The recorded REST answer while the tape stands at it.
    pub(crate) fn recorded_snapshot(&self) -> Option<&Arc<str>> {
        self.recorded
            .as_ref()
            .and_then(RecordedBook::current_snapshot)
    }
    /// Id a depth answer carries.
    pub(crate) fn depth_id(&self) -> u64 {
        self.recorded
            .as_ref()
            .map_or(self.last_id, RecordedBook::last_id)
    }
}

/// The first multiple of `every` after `now`.
pub(crate) fn next_multiple(now: UnixNanos, every: Nanos) -> UnixNanos {
    let every = i64::try_from(every.0.max(1)).unwrap_or(i64::MAX);
    UnixNanos((now.0.div_euclid(every).saturating_add(1)).saturating_mul(every))
}
