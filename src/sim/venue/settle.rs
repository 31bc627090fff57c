//! Money of orders and executions: what is locked, paid, charged and freed. Exact; the house holds the other side.

use crate::exchanges::Dialect;
use crate::units::{Asset, Price, Qty, Side, UnixNanos};

use super::VenueCore;
use super::amount::Amount;
use super::order::{AccountFill, NewOrder, Order, OrderKind, Refusal};
use super::setup::FeeAsset;

/// An execution as one of its sides sees it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settlement {
    pub(crate) order_id: u64,
    pub(crate) trade_id: u64,
    pub(crate) price: Price,
    pub(crate) qty: Qty,
    pub(crate) is_maker: bool,
    pub(crate) time: UnixNanos,
}

impl VenueCore {
    fn notional(&self, symbol: usize, price: Price, qty: Qty) -> Amount {
        self.markets.get(symbol).map_or(Amount::ZERO, |market| {
            Amount::of_notional(market.setup.grid, price.times(qty))
        })
    }
    fn assets(&self, symbol: usize) -> Option<(Asset, Asset)> {
        self.markets
            .get(symbol)
            .map(|market| (market.setup.base, market.setup.quote))
    }

    /// What a spot limit order keeps locked for `left` of its quantity, and of which asset.
    fn spot_need(
        &self,
        symbol: usize,
        side: Side,
        price: Price,
        left: Qty,
    ) -> Option<(Asset, Amount)> {
        let (base, quote) = self.assets(symbol)?;
        let grid = self.markets.get(symbol)?.setup.grid;
        Some(match side {
            Side::Sell => (base, Amount::of_qty(grid, left)),
            Side::Buy => {
                let notional = self.notional(symbol, price, left);
                let fee = match self.setup.fee_asset {
                    FeeAsset::Received => Amount::ZERO,
                    FeeAsset::Quote => {
                        notional.fee_ceil(self.setup.maker_fee.max(self.setup.taker_fee))
                    }
                };
                (quote, notional + fee)
            }
        })
    }

    /// Checks that the account can pay for the order, and returns what it locks (nothing on USD-M and for market buys).
    pub(crate) fn check_funds(&self, account: usize, new: &NewOrder) -> Result<Amount, Refusal> {
        if self.setup.dialect == Dialect::BinanceUsdm {
            return self.check_margin(account, new).map(|()| Amount::ZERO);
        }
        let owner = self.accounts.get(account).ok_or(Refusal::BalanceShort)?;
        let market_buy = new.kind == OrderKind::Market && new.side == Side::Buy;
        let price = if market_buy {
            self.worst_price(new).unwrap_or_default()
        } else {
            new.price.unwrap_or_default()
        };
        let (asset, need) = self
            .spot_need(new.symbol, new.side, price, new.qty)
            .ok_or(Refusal::BalanceShort)?;
        if need > owner.balance(asset).free {
            return Err(Refusal::BalanceShort);
        }
        Ok(if market_buy { Amount::ZERO } else { need })
    }

    /// The worst price a market order would pay now.
    pub(crate) fn worst_price(&self, new: &NewOrder) -> Option<Price> {
        let market = self.markets.get(new.symbol)?;
        let mut left = new.qty.0;
        let mut worst = None;
        for (price, qty) in market.depth(new.side.opposite(), usize::MAX) {
            worst = Some(price);
            left -= qty.0;
            if left <= 0 {
                break;
            }
        }
        worst
    }

    pub(crate) fn lock_funds(&mut self, order: &Order) {
        let Some((base, quote)) = self.assets(order.symbol) else {
            return;
        };
        let asset = if order.side == Side::Buy { quote } else { base };
        if let Some(account) = self
            .accounts
            .get_mut(order.account)
            .filter(|_| order.locked > Amount::ZERO)
        {
            account.lock(asset, order.locked);
        }
    }

    /// Frees what an order no longer needs for what is left of it.
    pub(crate) fn release_funds(&mut self, order_id: u64) {
        let Some(order) = self
            .orders
            .get(order_id)
            .filter(|order| order.locked > Amount::ZERO)
        else {
            return;
        };
        let left = if order.status.is_open() {
            order.left()
        } else {
            Qty::ZERO
        };
        let (account, locked) = (order.account, order.locked);
        let Some((asset, need)) = self.spot_need(order.symbol, order.side, order.price, left)
        else {
            return;
        };
        let keep = need.min(locked);
        if let Some(order) = self.orders.get_mut(order_id) {
            order.locked = keep;
        }
        if let Some(account) = self.accounts.get_mut(account) {
            account.unlock(asset, locked - keep);
        }
    }

    /// Books one execution on its order and account; the index of the new fill.
    pub(crate) fn settle(&mut self, settlement: Settlement) -> Option<usize> {
        let Settlement {
            order_id,
            trade_id,
            price,
            qty,
            is_maker,
            time,
        } = settlement;
        let fill_index = self.orders.fills.len();
        let order = self.orders.get_mut(order_id)?;
        let (account, symbol, side) = (order.account, order.symbol, order.side);
        let grid = self.markets.get(symbol)?.setup.grid;
        let quote = Amount::of_notional(grid, price.times(qty));
        order.executed = Qty(order.executed.0 + qty.0);
        order.quote += quote;
        order.updated = time;
        order.fills.push(fill_index);
        self.release_funds(order_id);
        let rate = if is_maker {
            self.setup.maker_fee
        } else {
            self.setup.taker_fee
        };
        let (fee, fee_asset, realized) = match self.setup.dialect {
            Dialect::BinanceSpot => {
                let (fee, asset) = self.settle_spot(
                    account,
                    symbol,
                    side,
                    (Amount::of_qty(grid, qty), quote),
                    rate,
                )?;
                (fee, asset, Amount::ZERO)
            }
            Dialect::BinanceUsdm => {
                self.settle_contract(account, symbol, side, (qty, quote), rate)?
            }
        };
        let fill = AccountFill {
            account,
            symbol,
            order_id,
            trade_id,
            side,
            price,
            qty,
            quote,
            fee,
            fee_asset,
            realized,
            is_maker,
            time,
        };
        self.orders.fills.push(fill);
        Some(fill_index)
    }

    fn settle_spot(
        &mut self,
        account: usize,
        symbol: usize,
        side: Side,
        (base_amount, quote_amount): (Amount, Amount),
        rate: crate::units::Ppm,
    ) -> Option<(Amount, Asset)> {
        let (base, quote) = self.assets(symbol)?;
        let owner = self.accounts.get_mut(account)?;
        let sign = |amount: Amount| if side == Side::Buy { amount } else { -amount };
        owner.credit(base, sign(base_amount));
        owner.credit(quote, -sign(quote_amount));
        let in_base = side == Side::Buy && self.setup.fee_asset == FeeAsset::Received;
        let (fee, asset) = if in_base {
            (base_amount.fee_floor(rate), base)
        } else {
            (quote_amount.fee_floor(rate), quote)
        };
        owner.credit(asset, -fee);
        self.house.move_cash(base, -sign(base_amount));
        self.house.move_cash(quote, sign(quote_amount));
        self.house.take_fee(asset, fee);
        Some((fee, asset))
    }

    fn settle_contract(
        &mut self,
        account: usize,
        symbol: usize,
        side: Side,
        (qty, notional): (Qty, Amount),
        rate: crate::units::Ppm,
    ) -> Option<(Amount, Asset, Amount)> {
        let (_, quote) = self.assets(symbol)?;
        let owner = self.accounts.get_mut(account)?;
        let realized = owner.position_mut(symbol).apply(side, qty, notional);
        let fee = notional.fee_floor(rate);
        owner.credit(quote, realized - fee);
        let cash = if side == Side::Buy {
            notional
        } else {
            -notional
        };
        self.house.move_cash(quote, cash);
        self.house.take_fee(quote, fee);
        *self.house.contracts.entry(symbol).or_default() -= side.signed(qty).0;
        Some((fee, quote, realized))
    }

    /// The sum of an asset over accounts, house and fees: constant for ever (on USD-M less the positions' costs).
    #[must_use]
    pub fn conserved(&self, asset: Asset) -> Amount {
        let accounts: Amount = self
            .accounts
            .iter()
            .map(|account| account.balance(asset).total())
            .sum();
        let costs: Amount = self
            .accounts
            .iter()
            .flat_map(|account| account.positions.iter().zip(&self.markets))
            .filter(|(_, market)| market.setup.quote == asset)
            .map(|(position, _)| position.cost)
            .sum();
        let house = self.house.cash.get(&asset).copied().unwrap_or_default();
        let fees = self.house.fees.get(&asset).copied().unwrap_or_default();
        accounts - costs + house + fees
    }
}
