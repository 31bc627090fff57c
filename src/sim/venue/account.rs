//! A customer's money: spot balances, USD-M wallet and one-way positions. Every movement has a counterpart in the
//! [`House`], so the sum of all is constant; a fee moves to the venue.

use std::collections::BTreeMap;

use crate::units::{Asset, Qty, Side};

use super::amount::Amount;

/// An asset's balance. On USD-M `free` is the wallet and nothing is locked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Balance {
    pub(crate) free: Amount,
    pub(crate) locked: Amount,
}

impl Balance {
    pub(crate) fn total(self) -> Amount {
        self.free + self.locked
    }
}

/// A one-way position. `cost` is what was paid for it: positive for long, negative for short.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Position {
    pub(crate) qty: Qty,
    pub(crate) cost: Amount,
}

impl Position {
    /// Applies an execution of `qty` worth `notional` and returns the realized profit.
    ///
    /// For every execution `realized - change of cost` equals the signed cash of the trade exactly, whatever the
    /// rounding of the released part: nothing is lost.
    pub(crate) fn apply(&mut self, side: Side, qty: Qty, notional: Amount) -> Amount {
        let signed = |amount: Amount| if side == Side::Buy { amount } else { -amount };
        let closing = if Side::reducing(self.qty) == Some(side) {
            Qty(qty.0.min(self.qty.abs().0))
        } else {
            Qty::ZERO
        };
        let mut realized = Amount::ZERO;
        let closing_cash = notional.share_floor(closing, qty);
        if !closing.is_zero() {
            let released = self.cost.share_floor(closing, self.qty.abs());
            realized = -signed(closing_cash) - released;
            self.cost -= released;
        }
        self.qty = Qty(self.qty.0 + side.signed(qty).0);
        self.cost += signed(notional - closing_cash);
        realized
    }
}

/// One customer.
#[derive(Debug, Clone, Default)]
pub(crate) struct Account {
    pub(crate) balances: BTreeMap<Asset, Balance>,
    /// By symbol index.
    pub(crate) positions: Vec<Position>,
    /// By symbol index; zero: the symbol's own.
    pub(crate) leverages: Vec<u32>,
}

impl Account {
    pub(crate) fn balance(&self, asset: Asset) -> Balance {
        self.balances.get(&asset).copied().unwrap_or_default()
    }
    pub(crate) fn balance_mut(&mut self, asset: Asset) -> &mut Balance {
        self.balances.entry(asset).or_default()
    }
    pub(crate) fn position(&self, symbol: usize) -> Position {
        self.positions.get(symbol).copied().unwrap_or_default()
    }
    pub(crate) fn position_mut(&mut self, symbol: usize) -> &mut Position {
        if self.positions.len() <= symbol {
            self.positions.resize(symbol + 1, Position::default());
        }
        // The line above made room; a zero-length vector is impossible here.
        self.positions
            .get_mut(symbol)
            .unwrap_or_else(|| unreachable!("room was made for symbol {symbol}"))
    }
    /// Moves free to locked.
    pub(crate) fn lock(&mut self, asset: Asset, amount: Amount) {
        let balance = self.balance_mut(asset);
        balance.free -= amount;
        balance.locked += amount;
    }
    /// Moves locked to free.
    pub(crate) fn unlock(&mut self, asset: Asset, amount: Amount) {
        let balance = self.balance_mut(asset);
        balance.locked -= amount;
        balance.free += amount;
    }
    /// Adds to free (or takes, when negative).
    pub(crate) fn credit(&mut self, asset: Asset, amount: Amount) {
        self.balance_mut(asset).free += amount;
    }
}

/// The other side of every trade of an account, and the fees taken.
#[derive(Debug, Clone, Default)]
pub(crate) struct House {
    pub(crate) cash: BTreeMap<Asset, Amount>,
    pub(crate) fees: BTreeMap<Asset, Amount>,
    /// USD-M: contracts held against the accounts, by symbol.
    pub(crate) contracts: BTreeMap<usize, i64>,
}

impl House {
    pub(crate) fn move_cash(&mut self, asset: Asset, amount: Amount) {
        *self.cash.entry(asset).or_default() += amount;
    }
    pub(crate) fn take_fee(&mut self, asset: Asset, amount: Amount) {
        *self.fees.entry(asset).or_default() += amount;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn position_realizes_on_reduction_and_flip_and_conserves_cash() {
        let mut position = Position::default();
        let mut cash = Amount::ZERO; // realized - cost
        let mut realized_total = Amount::ZERO;
        let trades = [
            (Side::Buy, 3, 300),
            (Side::Buy, 2, 230),
            (Side::Sell, 4, 480),
            (Side::Sell, 3, 330),
            (Side::Buy, 2, 190),
        ];
        for (side, qty, notional) in trades {
            let before = position.cost;
            let realized = position.apply(side, Qty(qty), Amount(notional));
            let flow = if side == Side::Buy {
                -notional
            } else {
                notional
            };
            assert_eq!(realized - (position.cost - before), Amount(flow));
            cash += Amount(flow);
            realized_total += realized;
        }
        assert!(position.qty.is_zero());
        assert_eq!(position.cost, Amount::ZERO);
        assert_eq!(realized_total, cash);
    }
}
