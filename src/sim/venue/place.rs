//! An account's order from request to book: filters, funds, matching, executions, rest; and its cancellation.

use crate::exchanges::Dialect;
use crate::sim::dialect;
use crate::units::{Price, Qty, Side, UnixNanos};

use super::VenueCore;
use super::amount::Amount;
use super::book::{Execution, OrderKey, Owner, SelfTrade, Taken, accepts};
use super::filters;
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
    fn locking(&self, account: usize) -> Moved {
        match self.setup.dialect {
            Dialect::BinanceSpot => vec![account],
            Dialect::BinanceUsdm => Vec::new(),
        }
    }

    fn check_new(&self, account: usize, new: &mut NewOrder) -> Result<(), Refusal> {
        let market = self.markets.get(new.symbol).ok_or(Refusal::PriceOutside)?;
        let reference = market
            .best_of(new.side.opposite())
            .map(|(price, _)| price)
            .or_else(|| market.mark_price());
        filters::check(&market.setup, new, reference)?;
        let open = self.orders.open_of(account, Some(new.symbol));
        if open.len() >= usize::try_from(market.setup.open_orders_max).unwrap_or(usize::MAX) {
            return Err(Refusal::TooManyOpenOrders);
        }
        let duplicate = new
            .client_id
            .as_ref()
            .and_then(|client_id| self.orders.by_client_id(account, client_id));
        if duplicate.is_some_and(|order| order.status.is_open()) {
            return Err(Refusal::DuplicateClientId);
        }
        if new.reduce_only {
            new.qty = self.reducible(account, new.symbol, new.side, new.qty)?;
        }
        let would_take = match (new.kind, new.price) {
            (OrderKind::PostOnly, Some(_)) => market
                .best_of(new.side.opposite())
                .is_some_and(|(best, _)| accepts(new.side, new.price, best)),
            _ => false,
        };
        if would_take {
            return Err(Refusal::WouldTake);
        }
        let refuses_fok =
            self.setup.dialect == Dialect::BinanceUsdm && new.time_in_force == TimeInForce::Fok;
        if refuses_fok && !self.can_fill_whole(account, new) {
            return Err(Refusal::CannotFillWhole);
        }
        Ok(())
    }

    /// What a reduce-only order may still close: the position less what resting reduce-only orders cover.
    fn reducible(
        &self,
        account: usize,
        symbol: usize,
        side: Side,
        wanted: Qty,
    ) -> Result<Qty, Refusal> {
        let position = self
            .accounts
            .get(account)
            .map_or(Qty::ZERO, |account| account.position(symbol).qty);
        if Side::reducing(position) != Some(side) {
            return Err(Refusal::ReduceOnly);
        }
        let covered: i64 = self
            .resting_reduce_only(account, symbol)
            .iter()
            .map(|order| order.left().0)
            .sum();
        let free = position.abs().0 - covered;
        if free <= 0 {
            return Err(Refusal::ReduceOnly);
        }
        Ok(Qty(wanted.0.min(free)))
    }

    fn resting_reduce_only(&self, account: usize, symbol: usize) -> Vec<&Order> {
        let open = self.orders.open_of(account, Some(symbol));
        open.into_iter()
            .filter_map(|id| self.orders.get(id))
            .filter(|order| order.reduce_only)
            .collect()
    }

    fn can_fill_whole(&self, account: usize, new: &NewOrder) -> bool {
        let owner = Owner::Account(account);
        self.markets.get(new.symbol).is_some_and(|market| {
            market.available(new.side, new.price, new.qty, owner, new.self_trade) >= new.qty
        })
    }

    /// The fault of a thin fill: an immediate order gets only a share.
    fn fill_cap(&mut self, new: &NewOrder) -> Qty {
        if new.time_in_force != TimeInForce::Ioc {
            return new.qty;
        }
        let Some(ppm) = self.faults.partial_ppm.take() else {
            return new.qty;
        };
        let lot = self
            .markets
            .get(new.symbol)
            .map_or(Qty(1), |market| market.setup.lot);
        let share = (i128::from(new.qty.0) * i128::from(ppm)).div_euclid(1_000_000);
        Qty(i64::try_from(share).unwrap_or(0))
            .floor_to(lot)
            .unwrap_or_default()
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
    pub(crate) fn open_foreign(
        &mut self,
        account: usize,
        new: &mut NewOrder,
        now: UnixNanos,
    ) -> u64 {
        new.client_id = Some(format!("web_{:016x}", self.prng.next_u64()));
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

    /// Rests or ends what matching left of a taker.
    fn finish_taker(&mut self, id: u64, taken: &Taken, reason: &'static str, now: UnixNanos) {
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
    fn finish(
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

    /// Shrinks resting reduce-only orders to what the position still allows: they never flip it.
    pub(crate) fn trim_reduce_only(
        &mut self,
        account: usize,
        symbol: usize,
        taking: Option<u64>,
        now: UnixNanos,
    ) {
        let position = self
            .accounts
            .get(account)
            .map_or(Qty::ZERO, |account| account.position(symbol).qty);
        let mut allowed = position.abs().0;
        let resting: Vec<(u64, Side, i64)> = self
            .resting_reduce_only(account, symbol)
            .iter()
            .filter(|order| Some(order.id) != taking)
            .map(|order| (order.id, order.side, order.left().0))
            .collect();
        for (id, side, left) in resting {
            let keep = if Side::reducing(position) == Some(side) {
                left.min(allowed)
            } else {
                0
            };
            allowed -= keep;
            if keep == left {
                continue;
            }
            let key = OrderKey {
                owner: Owner::Account(account),
                id,
            };
            if let Some(market) = self.markets.get_mut(symbol) {
                market.book.reduce_to(key, Qty(keep));
            }
            if keep == 0 {
                self.finish(
                    id,
                    Status::Expired,
                    Some("REDUCE_ONLY"),
                    &OrderEvent::Expired,
                    now,
                );
            } else if let Some(order) = self.orders.get_mut(id) {
                order.qty = Qty(order.executed.0 + keep);
            }
        }
    }

    /// Tells the account what happened to its order.
    pub(crate) fn emit(&mut self, id: u64, event: &OrderEvent, now: UnixNanos) {
        let Some(account) = self.orders.get(id).map(|order| order.account) else {
            return;
        };
        let execution_id = self.orders.take_execution_id();
        for text in dialect::order_event(self, id, event, execution_id, now) {
            self.send_account(account, &text, now);
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
