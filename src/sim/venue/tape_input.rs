//! The market's side: orders of the model's participants, marks, and recorded frames.

use std::sync::Arc;

use crate::sim::dialect;
use crate::sim::tape::{MarketChange, TapeEvent};
use crate::units::{Price, Qty, Side, UnixNanos};

use super::VenueCore;
use super::amount::Amount;
use super::book::{OrderKey, Owner, SelfTrade, accepts};
use super::conn::{StreamKind, envelope};
use super::market::MarkState;
use super::outbox::Outgoing;
use super::settle::Settlement;

/// The eighth decimal of an [`Amount`], which has eighteen.
const FUNDING_GRAIN: i128 = 10_000_000_000;

impl VenueCore {
    /// Lets one market event happen. Events of symbols the setup does not have are ignored.
    pub fn on_market(&mut self, event: &TapeEvent, now: UnixNanos) {
        let symbol = event.symbol;
        if symbol >= self.markets.len() {
            return;
        }
        match &event.change {
            MarketChange::Place {
                order_id,
                side,
                price,
                qty,
                ioc,
            } => {
                self.model_place(symbol, *order_id, (*side, *price, *qty), *ioc, now);
            }
            MarketChange::Cancel { order_id } => {
                if let Some(market) = self.markets.get_mut(symbol) {
                    market.book.cancel(OrderKey {
                        owner: Owner::Model,
                        id: *order_id,
                    });
                }
                self.publish_book(symbol, now);
            }
            MarketChange::Mark {
                mark,
                index,
                funding_ppb,
                next_funding_time,
            } => {
                let state = MarkState {
                    mark: *mark,
                    index: *index,
                    funding_ppb: *funding_ppb,
                    next_funding_time: *next_funding_time,
                };
                self.on_mark(symbol, state, now);
            }
            MarketChange::Frame { stream, data } => {
                self.send_recorded(symbol, stream, data, now);
                if self
                    .markets
                    .get_mut(symbol)
                    .is_some_and(|market| market.on_recorded(&event.change))
                {
                    self.fill_crossed(symbol, now);
                }
            }
            MarketChange::Snapshot { .. } => {
                if self
                    .markets
                    .get_mut(symbol)
                    .is_some_and(|market| market.on_recorded(&event.change))
                {
                    self.fill_crossed(symbol, now);
                }
            }
        }
    }

    fn model_place(
        &mut self,
        symbol: usize,
        id: u64,
        order: (Side, Price, Qty),
        ioc: bool,
        now: UnixNanos,
    ) {
        let (side, price, qty) = order;
        // A tape of another setup may be finer than this venue's lot; a real venue takes no such order.
        let lot = self.markets.get(symbol).map(|market| market.setup.lot);
        let qty = lot.and_then(|lot| qty.floor_to(lot)).unwrap_or_default();
        if qty.0 <= 0 {
            return;
        }
        let key = OrderKey {
            owner: Owner::Model,
            id,
        };
        let mut moved = Vec::new();
        let taken = self.execute(
            Owner::Model,
            None,
            (symbol, side, Some(price), qty),
            SelfTrade::Allow,
            now,
            &mut moved,
        );
        if !ioc && let Some(market) = self.markets.get_mut(symbol) {
            market.book.rest(key, side, price, taken.left);
        }
        self.publish_book(symbol, now);
        self.emit_moved(&moved, symbol, now);
    }

    fn on_mark(&mut self, symbol: usize, state: MarkState, now: UnixNanos) {
        let Some(market) = self.markets.get_mut(symbol) else {
            return;
        };
        let before = market.mark.replace(state);
        market.marks_seen += 1;
        let seen = market.marks_seen;
        if let Some(before) =
            before.filter(|before| before.next_funding_time < state.next_funding_time)
        {
            self.pay_funding(symbol, before, now);
        }
        if self.faults.is_silent(symbol) {
            return;
        }
        let is_wanted = |kind| matches!(kind, StreamKind::Mark(every) if seen.rem_euclid(every.max(1)) == 0 || every == 1);
        if self.conns.is_heard(symbol, is_wanted)
            && let Some(market) = self.markets.get(symbol)
        {
            let data = dialect::stream::mark(market, state, now);
            self.send_stream(symbol, now, &data, is_wanted);
        }
    }

    /// Funding: a positive rate moves cash from longs to shorts, at the last mark before the instant.
    fn pay_funding(&mut self, symbol: usize, state: MarkState, now: UnixNanos) {
        let Some((grid, quote)) = self
            .markets
            .get(symbol)
            .map(|market| (market.setup.grid, market.setup.quote))
        else {
            return;
        };
        for account in 0..self.accounts.len() {
            let Some(owner) = self.accounts.get_mut(account) else {
                continue;
            };
            let qty = owner.position(symbol).qty;
            let value = Amount::of_notional(grid, state.mark.times(qty));
            let exact = (value.0 * i128::from(state.funding_ppb)).div_euclid(1_000_000_000);
            // Paid as it is told: eight decimals, floored.
            let payment = Amount(exact.div_euclid(FUNDING_GRAIN) * FUNDING_GRAIN);
            if payment == Amount::ZERO {
                continue;
            }
            owner.credit(quote, -payment);
            self.house.move_cash(quote, payment);
            let text = dialect::funding_event(self, account, symbol, payment, now);
            self.send_account(account, &text, now);
        }
    }

    /// Delivers a recorded frame to the subscribers of its stream; a depth diff also to those of another speed, under
    /// their own stream name.
    fn send_recorded(&mut self, symbol: usize, stream: &Arc<str>, data: &Arc<str>, now: UnixNanos) {
        let is_diff = matches!(
            dialect::parse_stream(self.setup.dialect, stream),
            Some((_, StreamKind::Depth(_)))
        );
        if self.faults.is_silent(symbol) || (is_diff && self.faults.drops_diff(symbol)) {
            return;
        }
        let latency = self.setup.latency.market_data;
        for to in self.conns.of_symbol(symbol) {
            let same = *to.name == **stream;
            if !(same || (is_diff && matches!(to.kind, StreamKind::Depth(_)))) {
                continue;
            }
            let combined = self.conns.get(to.conn).is_some_and(|conn| conn.combined);
            let text = if combined {
                envelope(&to.name, data)
            } else {
                data.to_string()
            };
            self.outbox
                .send(to.conn, Outgoing::Text(text), now, latency);
        }
    }

    /// Fills our resting orders that the recorded touch reached, at their own price, as far as its quantity goes.
    fn fill_crossed(&mut self, symbol: usize, now: UnixNanos) {
        let mut moved = Vec::new();
        for side in [Side::Buy, Side::Sell] {
            while let Some((settlement, key, left)) = self.next_crossed(symbol, side, now) {
                if let Some(market) = self.markets.get_mut(symbol) {
                    market.book.reduce_to(key, left);
                }
                self.book_fill(settlement, &mut moved);
            }
        }
        self.publish_book(symbol, now);
        self.emit_moved(&moved, symbol, now);
    }

    fn next_crossed(
        &mut self,
        symbol: usize,
        side: Side,
        now: UnixNanos,
    ) -> Option<(Settlement, OrderKey, Qty)> {
        let market = self.markets.get_mut(symbol)?;
        let (key, price, qty) = market.book.front(side)?;
        let recorded = market.recorded.as_mut()?;
        let (touch, _) = recorded.best_available(side.opposite())?;
        if !accepts(side, Some(price), touch) {
            return None;
        }
        let execution = recorded.take_best(side, Some(price), qty)?;
        let trade_id = market.take_trade_id();
        let settlement = Settlement {
            order_id: key.id,
            trade_id,
            price,
            qty: execution.qty,
            is_maker: true,
            time: now,
        };
        Some((settlement, key, Qty(qty.0 - execution.qty.0)))
    }
}
