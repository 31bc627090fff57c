//! USD-M margin: what a position and open orders bind, and whether a new order fits. No liquidation.

use crate::units::{Asset, Qty, Side};

use super::VenueCore;
use super::amount::Amount;
use super::order::{NewOrder, Refusal};

/// An account's margin in one asset.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct MarginView {
    pub(crate) wallet: Amount,
    pub(crate) unrealized: Amount,
    pub(crate) position_margin: Amount,
    pub(crate) order_margin: Amount,
}

impl MarginView {
    /// What new orders may bind, never below zero.
    pub(crate) fn available(self) -> Amount {
        (self.wallet + self.unrealized - self.position_margin - self.order_margin).max(Amount::ZERO)
    }
}

impl VenueCore {
    /// Leverage of an account in a symbol, at least 1.
    pub(crate) fn leverage(&self, account: usize, symbol: usize) -> u32 {
        self.accounts
            .get(account)
            .and_then(|account| account.leverages.get(symbol))
            .copied()
            .unwrap_or(1)
            .max(1)
    }

    /// Profit of a position at the mark.
    pub(crate) fn unrealized(&self, account: usize, symbol: usize) -> Amount {
        let Some(position) = self
            .accounts
            .get(account)
            .map(|account| account.position(symbol))
        else {
            return Amount::ZERO;
        };
        let Some(market) = self.markets.get(symbol).filter(|_| !position.qty.is_zero()) else {
            return Amount::ZERO;
        };
        let value = market
            .mark_price()
            .map(|mark| Amount::of_notional(market.setup.grid, mark.times(position.qty)));
        value.map_or(Amount::ZERO, |value| value - position.cost)
    }

    /// Initial margin of a position, on its cost.
    pub(crate) fn position_margin(&self, account: usize, symbol: usize) -> Amount {
        let cost = self
            .accounts
            .get(account)
            .map_or(Amount::ZERO, |account| account.position(symbol).cost);
        cost.max(-cost).divide_ceil(self.leverage(account, symbol))
    }

    /// Initial margin of an account's open orders in a symbol: the larger side, less what would only close.
    pub(crate) fn order_margin(&self, account: usize, symbol: usize) -> Amount {
        let Some(market) = self.markets.get(symbol) else {
            return Amount::ZERO;
        };
        let mut sides = [Amount::ZERO; 2];
        for order in self
            .orders
            .open_of(account, Some(symbol))
            .iter()
            .filter_map(|&id| self.orders.get(id))
        {
            if !order.reduce_only {
                let notional =
                    Amount::of_notional(market.setup.grid, order.price.times(order.left()));
                let [buys, sells] = &mut sides;
                *(if order.side == Side::Buy { buys } else { sells }) += notional;
            }
        }
        let cost = self
            .accounts
            .get(account)
            .map_or(Amount::ZERO, |account| account.position(symbol).cost);
        let [buys, sells] = sides;
        // Orders against the position first close it, and closing binds nothing.
        let buys = (buys + cost.min(Amount::ZERO)).max(Amount::ZERO);
        let sells = (sells - cost.max(Amount::ZERO)).max(Amount::ZERO);
        buys.max(sells).divide_ceil(self.leverage(account, symbol))
    }

    /// Everything of one margin asset.
    pub(crate) fn margin_view(&self, account: usize, asset: Asset) -> MarginView {
        let mut view = MarginView::default();
        if let Some(account) = self.accounts.get(account) {
            view.wallet = account.balance(asset).total();
        }
        for (symbol, _) in self
            .markets
            .iter()
            .enumerate()
            .filter(|(_, market)| market.setup.quote == asset)
        {
            view.unrealized += self.unrealized(account, symbol);
            view.position_margin += self.position_margin(account, symbol);
            view.order_margin += self.order_margin(account, symbol);
        }
        view
    }

    /// Refuses an order whose opening part binds more than is available.
    pub(crate) fn check_margin(&self, account: usize, new: &NewOrder) -> Result<(), Refusal> {
        let market = self.markets.get(new.symbol).ok_or(Refusal::MarginShort)?;
        let position = self
            .accounts
            .get(account)
            .ok_or(Refusal::MarginShort)?
            .position(new.symbol);
        let closing = if Side::reducing(position.qty) == Some(new.side) {
            position.qty.abs()
        } else {
            Qty::ZERO
        };
        let opening = Qty((new.qty.0 - closing.0).max(0));
        if new.reduce_only || opening.is_zero() {
            return Ok(());
        }
        let price = new
            .price
            .or_else(|| self.worst_price(new))
            .or_else(|| market.mark_price());
        let notional =
            Amount::of_notional(market.setup.grid, price.unwrap_or_default().times(opening));
        let need = notional.divide_ceil(self.leverage(account, new.symbol))
            + notional.fee_ceil(self.setup.taker_fee);
        if need > self.margin_view(account, market.setup.quote).available() {
            return Err(Refusal::MarginShort);
        }
        Ok(())
    }
}
