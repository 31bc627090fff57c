//! How an order ends: rested or expired after matching, cancelled; and what its owner hears.

use crate::sim::dialect;
use crate::units::UnixNanos;

use super::VenueCore;
use super::book::{OrderKey, Owner, Taken};
use super::order::{OrderKind, Status, TimeInForce};
use super::place::OrderEvent;

impl VenueCore {
    /// Rests or ends what matching left of a taker.
    pub(super) fn finish_taker(
        &mut self,
        id: u64,
        taken: &Taken,
        reason: &'static str,
        now: UnixNanos,
    ) {
        let Some(order) = self.orders.get(id).filter(|order| order.status.is_open()) else {
            return;
        };
        let rests = order.time_in_force == TimeInForce::Gtc && order.kind != OrderKind::Market;
        if taken.taker_expired {
            self.finish(
                id,
                Status::ExpiredInMatch,
                Some("SELF_TRADE_PREVENTION"),
                &OrderEvent::Expired,
                now,
            );
        } else if rests {
            let key = OrderKey {
                owner: Owner::Account(order.account),
                id,
            };
            let (symbol, side, price, left) = (order.symbol, order.side, order.price, order.left());
            if let Some(market) = self.markets.get_mut(symbol) {
                market.book.rest(key, side, price, left);
            }
        } else {
            self.finish(id, Status::Expired, Some(reason), &OrderEvent::Expired, now);
        }
    }

    /// Ends an order that is not in the book any more.
    pub(super) fn finish(
        &mut self,
        id: u64,
        status: Status,
        reason: Option<&'static str>,
        event: &OrderEvent,
        now: UnixNanos,
    ) {
        let Some(order) = self.orders.get_mut(id) else {
            return;
        };
        order.status = status;
        order.expiry_reason = reason;
        order.updated = now;
        self.orders.close(id);
        self.release_funds(id);
        self.emit(id, event, now);
    }

    /// Takes an open order out of the book. False when it is not open.
    pub(crate) fn cancel(&mut self, id: u64, request_id: String, now: UnixNanos) -> bool {
        let Some(order) = self.orders.get(id).filter(|order| order.status.is_open()) else {
            return false;
        };
        let (account, symbol) = (order.account, order.symbol);
        if let Some(market) = self.markets.get_mut(symbol) {
            market.book.cancel(OrderKey {
                owner: Owner::Account(account),
                id,
            });
        }
        self.finish(
            id,
            Status::Canceled,
            None,
            &OrderEvent::Canceled(request_id),
            now,
        );
        self.publish_book(symbol, now);
        let moved = self.locking(account);
        self.emit_moved(&moved, symbol, now);
        true
    }

    /// Tells the account what happened to its order.
    pub(crate) fn emit(&mut self, id: u64, event: &OrderEvent, now: UnixNanos) {
        let Some(account) = self.orders.get(id).map(|order| order.account) else {
            return;
        };
        let execution_id = self.orders.take_execution_id();
        let again = match event {
            OrderEvent::Trade(_) => self.faults.take_repeat(),
            OrderEvent::New | OrderEvent::Canceled(_) | OrderEvent::Expired => None,
        };
        let texts = dialect::order_event(self, id, event, execution_id, now);
        for text in &texts {
            self.send_account(account, text, now);
        }
        if let Some(span) = again {
            for text in &texts {
                self.send_account_after(account, text, span, now);
            }
        }
    }

    /// Tells the accounts what they hold now.
    pub(crate) fn emit_moved(&mut self, moved: &[usize], symbol: usize, now: UnixNanos) {
        for &account in moved {
            if let Some(text) = dialect::balance_event(self, account, symbol, now) {
                self.send_account(account, &text, now);
            }
        }
    }
}
