//! What the market's subscribers hear: quotes, batched diffs, trades, marks; the dialect writes the words.

use crate::sim::dialect;
use crate::units::{Nanos, Side, UnixNanos};

use super::VenueCore;
use super::book::Execution;
use super::conn::StreamKind;
use super::market::{DepthBatch, PublicTrade, next_multiple};
use super::outbox::Outgoing;

impl VenueCore {
    /// Publishes what changed in a symbol's book: update ids for every level, a quote when the best changed.
    pub(crate) fn publish_book(&mut self, symbol: usize, now: UnixNanos) {
        let Some(market) = self.markets.get_mut(symbol) else {
            return;
        };
        if !market.note_changes(now) || self.faults.is_silent(symbol) {
            return;
        }
        if self
            .conns
            .is_heard(symbol, |kind| kind == StreamKind::BookTicker)
        {
            let data = dialect::stream::book_ticker(self.setup.dialect, market, market.best(), now);
            self.send_stream(symbol, now, &data, |kind| kind == StreamKind::BookTicker);
        }
    }

    pub(crate) fn send_stream(
        &mut self,
        symbol: usize,
        now: UnixNanos,
        data: &str,
        wanted: impl Fn(StreamKind) -> bool,
    ) {
        let latency = self.setup.latency.market_data;
        self.conns.publish(
            &mut self.outbox,
            (symbol, now, latency),
            data,
            |subscription| wanted(subscription.kind),
        );
    }

    /// Publishes executions of one taker: a trade each, an aggregate trade each run of one price.
    pub(crate) fn publish_trades(
        &mut self,
        symbol: usize,
        taker: Side,
        executions: &[Execution],
        ids: &[u64],
        now: UnixNanos,
    ) {
        let Some(last) = executions.last() else {
            return;
        };
        let Some(market) = self.markets.get_mut(symbol) else {
            return;
        };
        market.last_price = Some(last.price);
        let is_recorded = market.recorded.is_some();
        if is_recorded || self.faults.is_silent(symbol) {
            return;
        }
        let buyer_is_maker = taker == Side::Sell;
        let heard_trades = self
            .conns
            .is_heard(symbol, |kind| kind == StreamKind::Trade);
        let heard_aggregates = self
            .conns
            .is_heard(symbol, |kind| kind == StreamKind::AggTrade);
        let mut texts = Vec::new();
        for (execution, &id) in executions.iter().zip(ids).filter(|_| heard_trades) {
            let trade = PublicTrade {
                id,
                price: execution.price,
                qty: execution.qty,
                buyer_is_maker,
            };
            texts.push((
                StreamKind::Trade,
                dialect::stream::trade(self.setup.dialect, market, trade, now),
            ));
        }
        let mut rest = executions.iter().zip(ids).peekable();
        while let Some((first, &first_id)) = rest.next() {
            let (mut qty, mut last_id) = (first.qty, first_id);
            while let Some((more, &id)) = rest.next_if(|(next, _)| next.price == first.price) {
                qty.0 += more.qty.0;
                last_id = id;
            }
            let aggregate = market.take_aggregate_id();
            if heard_aggregates {
                let trade = PublicTrade {
                    id: aggregate,
                    price: first.price,
                    qty,
                    buyer_is_maker,
                };
                let text = dialect::stream::aggregate(
                    self.setup.dialect,
                    market,
                    trade,
                    (first_id, last_id),
                    now,
                );
                texts.push((StreamKind::AggTrade, text));
            }
        }
        for (wanted, text) in texts {
            self.send_stream(symbol, now, &text, |kind| kind == wanted);
        }
    }

    /// Sends the diffs (and top levels) that are due at `now`.
    pub(crate) fn flush_depth(&mut self, now: UnixNanos) {
        let dialect = self.setup.dialect;
        let latency = self.setup.latency.market_data;
        for (symbol, market) in self.markets.iter_mut().enumerate() {
            let mut batches = std::mem::take(&mut market.batches);
            for batch in batches
                .iter_mut()
                .filter(|batch| batch.due.is_some_and(|due| due <= now))
            {
                batch.due = None;
                batch
                    .dirty
                    .sort_unstable_by_key(|&(side, price)| (side, super::book::rank(side, price)));
                batch.dirty.dedup();
                let (every, last_id) = (batch.every, market.last_id);
                let silent = self.faults.is_silent(symbol);
                let to = (symbol, now, latency);
                let wants_diff = self
                    .conns
                    .is_heard(symbol, |kind| kind == StreamKind::Depth(every));
                if wants_diff && !silent && !self.faults.drops_diff(symbol) {
                    let text = dialect::stream::depth_diff(dialect, market, batch, now);
                    self.conns.publish(&mut self.outbox, to, &text, |to| {
                        to.kind == StreamKind::Depth(every)
                    });
                }
                for levels in [5_usize, 10, 20].into_iter().filter(|_| !silent) {
                    let wanted = StreamKind::TopLevels(levels, every);
                    if self.conns.is_heard(symbol, |kind| kind == wanted) {
                        let text = dialect::stream::top_levels(dialect, market, levels, batch, now);
                        self.conns
                            .publish(&mut self.outbox, to, &text, |to| to.kind == wanted);
                    }
                }
                (batch.first_id, batch.previous_id) = (last_id + 1, last_id);
                batch.dirty.clear();
            }
            market.batches = batches;
        }
    }

    /// A diff and a quote whose best bid lies above the best ask: a fault.
    pub(crate) fn send_crossed(&mut self, symbol: usize, now: UnixNanos) {
        let Some(market) = self.markets.get_mut(symbol) else {
            return;
        };
        let (Some(bid), Some(ask)) = market.best() else {
            return;
        };
        let price = crate::units::Price(ask.0.0 + market.setup.tick.0);
        let recorded_id = market
            .recorded
            .as_ref()
            .map(super::recorded::RecordedBook::last_id);
        let previous_id = recorded_id.unwrap_or(market.last_id);
        if recorded_id.is_none() {
            market.last_id += 1;
        }
        let crossed = (Some((price, bid.1)), Some(ask));
        let quote = dialect::stream::book_ticker(self.setup.dialect, market, crossed, now);
        let mut texts = vec![(StreamKind::BookTicker, quote)];
        let mut batches = std::mem::take(&mut market.batches);
        for batch in &mut batches {
            let fake = DepthBatch {
                every: batch.every,
                first_id: batch.first_id,
                previous_id: batch.previous_id,
                due: Some(next_multiple(now, batch.every)),
                dirty: Vec::new(),
            };
            let last_id = market.last_id.max(previous_id);
            let text = dialect::stream::diff_of(
                self.setup.dialect,
                market,
                &fake,
                last_id,
                &[(Side::Buy, price, bid.1)],
                now,
            );
            texts.push((StreamKind::Depth(batch.every), text));
            (batch.first_id, batch.previous_id) = (last_id + 1, last_id);
        }
        market.batches = batches;
        for (wanted, text) in texts {
            self.send_stream(symbol, now, &text, |kind| kind == wanted);
        }
    }

    /// Sends an account event to everybody who listens to the account.
    pub(crate) fn send_account(&mut self, account: usize, event: &str, now: UnixNanos) {
        let late = self.faults.take_late();
        self.send_account_after(account, event, late, now);
    }

    pub(crate) fn send_account_after(
        &mut self,
        account: usize,
        event: &str,
        late: Nanos,
        now: UnixNanos,
    ) {
        let latency = Nanos(self.setup.latency.response.0.saturating_add(late.0));
        let to: Vec<_> = self
            .conns
            .iter()
            .filter(|(_, conn)| conn.user == Some(account))
            .map(|(id, conn)| (id, conn.kind))
            .collect();
        for (conn, kind) in to {
            let text = dialect::account_envelope(kind, event);
            self.outbox.send(conn, Outgoing::Text(text), now, latency);
        }
    }
}
