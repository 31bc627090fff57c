//! Fills that an account did not ask for: a person at a second terminal, a liquidation, auto-deleveraging.

use crate::exchanges::Dialect;
use crate::units::{Price, Qty, Side, UnixNanos};

use super::VenueCore;
use super::book::SelfTrade;
use super::fault::VenueClose;
use super::order::{NewOrder, OrderKind, Status, TimeInForce};
use super::settle::Settlement;

impl VenueCore {
    /// Books a fill the account did not order, with an order of the venue's own making.
    pub(super) fn push_position(
        &mut self,
        account: usize,
        what: (usize, Side, Qty),
        price: Price,
        now: UnixNanos,
    ) {
        let client_id = format!("web_{:016x}", self.prng.next_u64());
        if self.fill_unasked(account, what, price, client_id, now) {
            self.faults.fire("position_push");
        }
    }

    /// Rests an order that a person asked for elsewhere. Refused like any other; then nothing happens.
    pub(super) fn rest_by_hand(
        &mut self,
        account: usize,
        (symbol, side, qty): (usize, Side, Qty),
        price: Price,
        now: UnixNanos,
    ) {
        let new = NewOrder {
            symbol,
            client_id: Some(format!("web_{:016x}", self.prng.next_u64())),
            side,
            kind: OrderKind::PostOnly,
            time_in_force: TimeInForce::Gtc,
            price: Some(price),
            qty,
            reduce_only: false,
            self_trade: SelfTrade::Allow,
        };
        if account < self.accounts.len() && self.place(account, new, now).is_ok() {
            self.faults.fire("rest_by_hand");
        }
    }

    /// Closes a share of a USD-M position at the mark, with an order of the venue's own making.
    pub(super) fn venue_close(
        &mut self,
        account: usize,
        symbol: usize,
        how: VenueClose,
        share_ppm: u32,
        now: UnixNanos,
    ) {
        let position = self
            .accounts
            .get(account)
            .map_or(Qty::ZERO, |account| account.position(symbol).qty);
        let Some(lot) = self.markets.get(symbol).map(|market| market.setup.lot) else {
            return;
        };
        let share = i128::from(position.abs().0) * i128::from(share_ppm);
        let share = i64::try_from(share.div_euclid(1_000_000)).unwrap_or(i64::MAX);
        let qty = Qty(share).floor_to(lot).unwrap_or_default().max(lot);
        let qty = qty.min(position.abs());
        let usdm = self.setup.dialect == Dialect::BinanceUsdm;
        let (Some(side), Some(price), true) =
            (Side::reducing(position), self.mark_on_tick(symbol), usdm)
        else {
            return;
        };
        let (client_id, label) = match how {
            VenueClose::Liquidation => {
                let number = self.prng.below(1_000_000_000_000);
                (format!("autoclose-{number}"), "liquidation")
            }
            VenueClose::AutoDeleverage => ("adl_autoclose".to_owned(), "auto_deleverage"),
        };
        if self.fill_unasked(account, (symbol, side, qty), price, client_id, now) {
            self.faults.fire(label);
        }
    }

    /// The mark, floored to the tick: what the venue itself trades at.
    pub(super) fn mark_on_tick(&self, symbol: usize) -> Option<Price> {
        let market = self.markets.get(symbol)?;
        let mark = market.mark_price().or_else(|| {
            let (bid, _) = market.best();
            bid.map(|(price, _)| price)
        });
        mark?.floor_to(market.setup.tick)
    }

    fn fill_unasked(
        &mut self,
        account: usize,
        (symbol, side, qty): (usize, Side, Qty),
        price: Price,
        client_id: String,
        now: UnixNanos,
    ) -> bool {
        if account >= self.accounts.len() || qty.0 <= 0 || price.0 <= 0 {
            return false;
        }
        let new = NewOrder {
            symbol,
            client_id: Some(client_id),
            side,
            kind: OrderKind::Market,
            time_in_force: TimeInForce::Ioc,
            price: None,
            qty,
            reduce_only: false,
            self_trade: SelfTrade::Allow,
        };
        let id = self.open_foreign(account, &new, now);
        let Some(trade_id) = self
            .markets
            .get_mut(symbol)
            .map(super::market::Market::take_trade_id)
        else {
            return false;
        };
        let mut moved = Vec::new();
        self.book_fill(
            Settlement {
                order_id: id,
                trade_id,
                price,
                qty,
                is_maker: false,
                time: now,
            },
            &mut moved,
        );
        debug_assert!(
            self.orders
                .get(id)
                .is_none_or(|order| order.status == Status::Filled)
        );
        self.emit_moved(&moved, symbol, now);
        true
    }
}
