//! What really is: the venue's own knowledge of an account, to compare a client's beliefs with.

use crate::exchanges::Dialect;
use crate::units::{Asset, Price, Qty, Side, UnixNanos};

use super::VenueCore;
use super::amount::Amount;
use super::order::{AccountFill, Order};

/// An open order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TruthOrder {
    /// Native symbol.
    pub symbol: String,
    /// Venue's id.
    pub order_id: u64,
    /// Client's id.
    pub client_order_id: String,
    /// Side.
    pub side: Side,
    /// Limit price.
    pub price: Price,
    /// What it asked for.
    pub qty: Qty,
    /// What is done.
    pub executed: Qty,
}

/// An execution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TruthFill {
    /// Native symbol.
    pub symbol: String,
    /// Venue's order id.
    pub order_id: u64,
    /// Client's order id.
    pub client_order_id: String,
    /// Trade id, unique in the symbol (two sides of a self-trade share it).
    pub trade_id: u64,
    /// Side of the account.
    pub side: Side,
    /// Price.
    pub price: Price,
    /// Quantity.
    pub qty: Qty,
    /// Fee paid.
    pub fee: Amount,
    /// In which asset.
    pub fee_asset: Asset,
    /// Profit this execution realized (USD-M).
    pub realized: Amount,
    /// True when the account's order rested.
    pub is_maker: bool,
    /// When.
    pub time: UnixNanos,
}

/// A balance (USD-M: the wallet, nothing locked).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TruthBalance {
    /// Asset.
    pub asset: Asset,
    /// Usable.
    pub free: Amount,
    /// Bound by open orders.
    pub locked: Amount,
}

/// A USD-M position that is not flat.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TruthPosition {
    /// Native symbol.
    pub symbol: String,
    /// Signed quantity.
    pub qty: Qty,
    /// Signed cost: quantity times average entry price.
    pub cost: Amount,
    /// Profit at the mark.
    pub unrealized: Amount,
}

/// Everything of one account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Truth {
    /// Open orders, oldest first.
    pub open_orders: Vec<TruthOrder>,
    /// Executions, oldest first.
    pub fills: Vec<TruthFill>,
    /// Balances by asset.
    pub balances: Vec<TruthBalance>,
    /// Positions by symbol of the setup.
    pub positions: Vec<TruthPosition>,
}

impl VenueCore {
    /// Snapshot of an account; empty for an index that does not exist.
    #[must_use]
    pub fn truth(&self, account: usize) -> Truth {
        let Some(owner) = self.accounts.get(account) else {
            return Truth::default();
        };
        let open = self.orders.open_of(account, None).into_iter();
        let fills = self
            .orders
            .fills
            .iter()
            .filter(|fill| fill.account == account);
        let balances = owner.balances.iter().map(|(&asset, balance)| TruthBalance {
            asset,
            free: balance.free,
            locked: balance.locked,
        });
        Truth {
            open_orders: open
                .filter_map(|id| self.orders.get(id))
                .map(|order| self.true_order(order))
                .collect(),
            fills: fills.map(|fill| self.true_fill(fill)).collect(),
            balances: balances.collect(),
            positions: self.true_positions(account),
        }
    }

    /// How many orders of accounts rest here.
    #[must_use]
    pub fn resting_count(&self) -> usize {
        self.orders.open_count()
    }

    fn native(&self, symbol: usize) -> String {
        self.markets
            .get(symbol)
            .map_or_else(String::new, |market| market.setup.native.clone())
    }

    fn true_order(&self, order: &Order) -> TruthOrder {
        TruthOrder {
            symbol: self.native(order.symbol),
            order_id: order.id,
            client_order_id: order.client_id.clone(),
            side: order.side,
            price: order.price,
            qty: order.qty,
            executed: order.executed,
        }
    }

    fn true_fill(&self, fill: &AccountFill) -> TruthFill {
        let order = self.orders.get(fill.order_id);
        TruthFill {
            symbol: self.native(fill.symbol),
            order_id: fill.order_id,
            client_order_id: order.map_or_else(String::new, |order| order.client_id.clone()),
            trade_id: fill.trade_id,
            side: fill.side,
            price: fill.price,
            qty: fill.qty,
            fee: fill.fee,
            fee_asset: fill.fee_asset,
            realized: fill.realized,
            is_maker: fill.is_maker,
            time: fill.time,
        }
    }

    fn true_positions(&self, account: usize) -> Vec<TruthPosition> {
        let Some(owner) = self
            .accounts
            .get(account)
            .filter(|_| self.setup.dialect == Dialect::BinanceUsdm)
        else {
            return Vec::new();
        };
        let held = owner
            .positions
            .iter()
            .enumerate()
            .filter(|(_, position)| !position.qty.is_zero());
        held.map(|(symbol, position)| TruthPosition {
            symbol: self.native(symbol),
            qty: position.qty,
            cost: position.cost,
            unrealized: self.unrealized(account, symbol),
        })
        .collect()
    }
}
