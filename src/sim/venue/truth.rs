//! What really is: the venue's own knowledge of an account, to compare a client's beliefs with.

use crate::exchanges::Dialect;
use crate::units::{Asset, Price, Qty, Side, UnixNanos};

use super::VenueCore;
use super::amount::Amount;

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
        let native = |symbol: usize| {
            self.markets
                .get(symbol)
                .map_or_else(String::new, |market| market.setup.native.clone())
        };
        let open_orders = self
            .orders
            .open_of(account, None)
            .into_iter()
            .filter_map(|id| self.orders.get(id));
        let open_orders = open_orders
            .map(|order| TruthOrder {
                symbol: native(order.symbol),
                order_id: order.id,
                client_order_id: order.client_id.clone(),
                side: order.side,
                price: order.price,
                qty: order.qty,
                executed: order.executed,
            })
            .collect();
        let fills = self
            .orders
            .fills
            .iter()
            .filter(|fill| fill.account == account);
        let fills = fills
            .map(|fill| TruthFill {
                symbol: native(fill.symbol),
                order_id: fill.order_id,
                client_order_id: self
                    .orders
                    .get(fill.order_id)
                    .map_or_else(String::new, |order| order.client_id.clone()),
                trade_id: fill.trade_id,
                side: fill.side,
                price: fill.price,
                qty: fill.qty,
                fee: fill.fee,
                fee_asset: fill.fee_asset,
                realized: fill.realized,
                is_maker: fill.is_maker,
                time: fill.time,
            })
            .collect();
        let balances = owner
            .balances
            .iter()
            .map(|(&asset, balance)| TruthBalance {
                asset,
                free: balance.free,
                locked: balance.locked,
            })
            .collect();
        let is_derivative = self.setup.dialect == Dialect::BinanceUsdm;
        let positions = owner
            .positions
            .iter()
            .enumerate()
            .filter(|(_, position)| is_derivative && !position.qty.is_zero())
            .map(|(symbol, position)| TruthPosition {
                symbol: native(symbol),
                qty: position.qty,
                cost: position.cost,
                unrealized: self.unrealized(account, symbol),
            })
            .collect();
        Truth {
            open_orders,
            fills,
            balances,
            positions,
        }
    }
}
