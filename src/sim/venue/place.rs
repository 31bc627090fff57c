//! An account's order from request to book: filters, funds, matching, executions, rest; and its cancellation.

use crate::exchanges::Dialect;
use crate::sim::dialect;
use crate::units::{Price, Qty, Side, UnixNanos};

use super::VenueCore;
use super::amount::Amount;
use super::book::{Execution, OrderKey, Owner, SelfTrade, Taken};
use super::order::{NewOrder, Order, OrderKind, Refusal, Status, TimeInForce};
use super::settle::Settlement;

/// What happened to an order, for the account's event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum OrderEvent {
    New,
    /// An execution, by index.
    Trade(usize),
    /// Taken back; the id of the cancel request.
    Canceled(String),
    Expired,
}

/// Accounts whose money moved, for their balance event.
type Moved = Vec<usize>;

impl VenueCore {
    /// Places an order; its id, or why it is refused (then nothing happened).
    pub(crate) fn place(
        &mut self,
        account: usize,
        mut new: NewOrder,
        now: UnixNanos,
    ) -> Result<u64, Refusal> {
        self.check_new(account, &mut new)?;
        let locked = self.check_funds(account, &new)?;
        let order = self.open_order(account, &new, locked, now);
        let (id, symbol) = (order, new.symbol);
        let mut moved = self.locking(account);
        self.emit(id, &OrderEvent::New, now);
        let blocked = new.time_in_force == TimeInForce::Fok && !self.can_fill_whole(account, &new);
        let cap = self.fill_cap(&new);
        let taken = if blocked {
            Taken {
                left: new.qty,
                ..Taken::default()
            }
        } else {
            self.execute(
                Owner::Account(account),
                Some(id),
                (symbol, new.side, new.price, cap),
                new.self_trade,
                now,
                &mut moved,
            )
        };
        let reason = if blocked {
            "UNFILLED_FOK_ORDER_EXPIRED"
        } else if new.kind == OrderKind::Market {
            "INSUFFICIENT_LIQUIDITY"
        } else {
            "UNFILLED_IOC_QUANTITY_EXPIRED"
        };
        self.finish_taker(id, &taken, reason, now);
        self.publish_book(symbol, now);
        self.emit_moved(&moved, symbol, now);
        Ok(id)
    }

    /// Whose balances a mere resting or cancelling moves: on spot funds are locked, on USD-M nothing is.
    pub(super) fn locking(&self, account: usize) -> Moved {
        match self.setup.dialect {
            Dialect::BinanceSpot => vec![account],
            Dialect::BinanceUsdm => Vec::new(),
        }
    }

    fn open_order(
        &mut self,
        account: usize,
        new: &NewOrder,
        locked: Amount,
        now: UnixNanos,
    ) -> u64 {
        let id = self.orders.take_id();
        let order = Order {
            id,
            account,
            symbol: new.symbol,
            client_id: new
                .client_id
                .clone()
                .unwrap_or_else(|| dialect::generated_client_id(id)),
            side: new.side,
            kind: new.kind,
            time_in_force: new.time_in_force,
            price: new.price.unwrap_or_default(),
            qty: new.qty,
            executed: Qty::ZERO,
            quote: Amount::ZERO,
            status: Status::New,
            reduce_only: new.reduce_only,
            self_trade: new.self_trade,
            created: now,
            updated: now,
            locked,
            expiry_reason: None,
            fills: Vec::new(),
        };
        self.lock_funds(&order);
        self.orders.insert(order);
        id
    }

    /// An order that was not asked for over the wire: no checks, no lock.
    pub(crate) fn open_foreign(&mut self, account: usize, new: &NewOrder, now: UnixNanos) -> u64 {
        self.open_order(account, new, Amount::ZERO, now)
    }

    /// Matches a taker and books every execution on both sides. `order` is the taker's order, if it is an account's.
    pub(crate) fn execute(
        &mut self,
        owner: Owner,
        order: Option<u64>,
        (symbol, side, limit, qty): (usize, Side, Option<Price>, Qty),
        own: SelfTrade,
        now: UnixNanos,
        moved: &mut Moved,
    ) -> Taken {
        let Some(market) = self.markets.get_mut(symbol) else {
            return Taken {
                left: qty,
                ..Taken::default()
            };
        };
        let taken = market.take(side, limit, qty, owner, own);
        let ids: Vec<u64> = taken
            .executions
            .iter()
            .map(|_| market.take_trade_id())
            .collect();
        for (execution, &trade_id) in taken.executions.iter().zip(&ids) {
            let Execution { maker, price, qty } = *execution;
            if let Some(OrderKey {
                owner: Owner::Account(_),
                id,
            }) = maker
            {
                self.book_fill(
                    Settlement {
                        order_id: id,
                        trade_id,
                        price,
                        qty,
                        is_maker: true,
                        time: now,
                    },
                    moved,
                );
            }
            if let Some(order_id) = order {
                self.book_fill(
                    Settlement {
                        order_id,
                        trade_id,
                        price,
                        qty,
                        is_maker: false,
                        time: now,
                    },
                    moved,
                );
            }
        }
        for key in &taken.expired_makers {
            self.finish(
                key.id,
                Status::ExpiredInMatch,
                Some("SELF_TRADE_PREVENTION"),
                &OrderEvent::Expired,
                now,
            );
        }
        self.publish_trades(symbol, side, &taken.executions, &ids, now);
        taken
    }

    /// Settles one side of an execution, moves its order's status and tells its owner.
    pub(crate) fn book_fill(&mut self, settlement: Settlement, moved: &mut Moved) {
        let (id, now) = (settlement.order_id, settlement.time);
        let Some(fill) = self.settle(settlement) else {
            return;
        };
        let Some(order) = self.orders.get_mut(id) else {
            return;
        };
        let (account, symbol) = (order.account, order.symbol);
        order.status = if order.left().is_zero() {
            Status::Filled
        } else {
            Status::PartiallyFilled
        };
        if order.status == Status::Filled {
            self.orders.close(id);
            self.release_funds(id);
            if self.setup.dialect == Dialect::BinanceSpot {
                self.rates.return_order(now, account);
            }
        }
        self.emit(id, &OrderEvent::Trade(fill), now);
        if !moved.contains(&account) {
            moved.push(account);
        }
        if self.setup.dialect == Dialect::BinanceUsdm {
            self.trim_reduce_only(account, symbol, Some(id), now);
        }
    }
}
