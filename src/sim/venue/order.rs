//! An account's order and its executions, and the words for asking and refusing one.

use std::collections::BTreeMap;

use crate::units::{Asset, Price, Qty, Side, UnixNanos};

use super::amount::Amount;
use super::book::SelfTrade;

/// Closed orders kept for queries; older ones are forgotten.
const CLOSED_KEPT: usize = 50_000;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum OrderKind {
    Limit,
    /// Refused when it would take.
    PostOnly,
    Market,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimeInForce {
    Gtc,
    Ioc,
    Fok,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Status {
    New,
    PartiallyFilled,
    Filled,
    Canceled,
    Expired,
    ExpiredInMatch,
}

impl Status {
    pub(crate) const fn is_open(self) -> bool {
        matches!(self, Self::New | Self::PartiallyFilled)
    }
    pub(crate) const fn label(self) -> &'static str {
        match self {
            Self::New => "NEW",
            Self::PartiallyFilled => "PARTIALLY_FILLED",
            Self::Filled => "FILLED",
            Self::Canceled => "CANCELED",
            Self::Expired => "EXPIRED",
            Self::ExpiredInMatch => "EXPIRED_IN_MATCH",
        }
    }
}

/// What an account asks for, its numbers already on the symbol's grid.
#[derive(Debug, Clone)]
pub(crate) struct NewOrder {
    pub(crate) symbol: usize,
    pub(crate) client_id: Option<String>,
    pub(crate) side: Side,
    pub(crate) kind: OrderKind,
    pub(crate) time_in_force: TimeInForce,
    /// `None` for a market order.
    pub(crate) price: Option<Price>,
    pub(crate) qty: Qty,
    pub(crate) reduce_only: bool,
    pub(crate) self_trade: SelfTrade,
}

/// Why the venue refuses an order; the dialect knows its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Refusal {
    PriceOutside,
    PriceOffTick,
    QtyNotPositive,
    QtyBelowMin,
    QtyAboveMax,
    QtyOffLot,
    NotionalBelowMin,
    TooManyOpenOrders,
    BalanceShort,
    MarginShort,
    ReduceOnly,
    WouldTake,
    CannotFillWhole,
    DuplicateClientId,
}

/// An order of an account.
#[derive(Debug, Clone)]
pub(crate) struct Order {
    pub(crate) id: u64,
    pub(crate) account: usize,
    pub(crate) symbol: usize,
    pub(crate) client_id: String,
    pub(crate) side: Side,
    pub(crate) kind: OrderKind,
    pub(crate) time_in_force: TimeInForce,
    /// Zero for a market order.
    pub(crate) price: Price,
    pub(crate) qty: Qty,
    pub(crate) executed: Qty,
    /// Sum of price times quantity of its executions.
    pub(crate) quote: Amount,
    pub(crate) status: Status,
    pub(crate) reduce_only: bool,
    pub(crate) self_trade: SelfTrade,
    pub(crate) created: UnixNanos,
    pub(crate) updated: UnixNanos,
    /// Spot: what it keeps locked of the asset it gives.
    pub(crate) locked: Amount,
    /// Why it expired, in the venue's words.
    pub(crate) expiry_reason: Option<&'static str>,
    /// Indices of its executions.
    pub(crate) fills: Vec<usize>,
}

impl Order {
    pub(crate) const fn left(&self) -> Qty {
        Qty(self.qty.0 - self.executed.0)
    }
}

/// One execution of an account's order.
#[derive(Debug, Clone)]
pub(crate) struct AccountFill {
    pub(crate) account: usize,
    pub(crate) symbol: usize,
    pub(crate) order_id: u64,
    pub(crate) trade_id: u64,
    pub(crate) side: Side,
    pub(crate) price: Price,
    pub(crate) qty: Qty,
    pub(crate) quote: Amount,
    pub(crate) fee: Amount,
    pub(crate) fee_asset: Asset,
    pub(crate) realized: Amount,
    pub(crate) is_maker: bool,
    pub(crate) time: UnixNanos,
}

/// All orders and executions of all accounts.
#[derive(Debug, Clone)]
pub(crate) struct OrderStore {
    orders: BTreeMap<u64, Order>,
    open: BTreeMap<(usize, usize, u64), ()>,
    by_client_id: BTreeMap<(usize, String), u64>,
    pub(crate) fills: Vec<AccountFill>,
    next_id: u64,
    next_execution_id: u64,
}

impl OrderStore {
    pub(crate) const fn new(first_id: u64) -> Self {
        Self {
            orders: BTreeMap::new(),
            open: BTreeMap::new(),
            by_client_id: BTreeMap::new(),
            fills: Vec::new(),
            next_id: first_id,
            next_execution_id: 1,
        }
    }
    pub(crate) const fn take_id(&mut self) -> u64 {
        let id = self.next_id;
        self.next_id += 1;
        id
    }
    pub(crate) const fn take_execution_id(&mut self) -> u64 {
        let id = self.next_execution_id;
        self.next_execution_id += 1;
        id
    }
    pub(crate) fn get(&self, id: u64) -> Option<&Order> {
        self.orders.get(&id)
    }
    pub(crate) fn get_mut(&mut self, id: u64) -> Option<&mut Order> {
        self.orders.get_mut(&id)
    }
    pub(crate) fn by_client_id(&self, account: usize, client_id: &str) -> Option<&Order> {
        self.by_client_id
            .get(&(account, client_id.to_owned()))
            .and_then(|id| self.orders.get(id))
    }
    /// Open orders of an account, oldest first; of one symbol when given.
    pub(crate) fn open_of(&self, account: usize, symbol: Option<usize>) -> Vec<u64> {
        let wanted = |at: usize| symbol.is_none_or(|symbol| symbol == at);
        self.open
            .keys()
            .filter(|&&(owner, at, _)| owner == account && wanted(at))
            .map(|&(_, _, id)| id)
            .collect()
    }
    /// Open orders of all accounts.
    pub(crate) fn open_count(&self) -> usize {
        self.open.len()
    }
    /// All orders of an account in a symbol that are still remembered, oldest first.
    pub(crate) fn all_of(&self, account: usize, symbol: usize) -> impl Iterator<Item = &Order> {
        self.orders
            .values()
            .filter(move |order| order.account == account && order.symbol == symbol)
    }
    pub(crate) fn insert(&mut self, order: Order) {
        self.by_client_id
            .insert((order.account, order.client_id.clone()), order.id);
        self.open
            .insert((order.account, order.symbol, order.id), ());
        self.orders.insert(order.id, order);
        if self.orders.len() > CLOSED_KEPT.saturating_mul(2) {
            self.forget_old();
        }
    }
    /// Notes that an order is no longer open.
    pub(crate) fn close(&mut self, id: u64) {
        if let Some(order) = self.orders.get(&id) {
            self.open.remove(&(order.account, order.symbol, id));
        }
    }
    fn forget_old(&mut self) {
        let excess = self.orders.len().saturating_sub(CLOSED_KEPT);
        let old: Vec<u64> = self
            .orders
            .values()
            .filter(|order| !order.status.is_open())
            .map(|order| order.id)
            .take(excess)
            .collect();
        for id in old {
            if let Some(order) = self.orders.remove(&id) {
                let key = (order.account, order.client_id);
                if self.by_client_id.get(&key) == Some(&id) {
                    self.by_client_id.remove(&key);
                }
            }
        }
    }
}
