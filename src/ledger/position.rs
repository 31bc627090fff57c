//! The position rule: signed quantity, signed cost, realized profit, fees by asset, and the identity that ties them.
//!
//! - Same side or flat: `q += d`, `C += d × px`.
//! - Reduce by `c`: the cost removed is all of `C` when the position closes, else `C × c / |q|` rounded half to even at 8
//!   decimals; `realized += ±c × px - removed`; subtraction is exact, so what is rounded away here stays in the cost.
//! - Flip: close fully, then open the remainder at the same price.
//! - Identity, exact, after every trade: `realized + (q × mark - C) == cash + q × mark`, that is `realized - C == cash`.
//!
//! Example (V08b): buys of 1 at 100, 101 and 103, a sale of 1 at 101.33 leaves C = 202.66666667 and realized -0.00333333;
//! the sale of the other 2 at 101.33 ends at exactly -0.01.
//!
//! Fees. In the quote asset: less cash, less realized. In the base asset of a spot pair: less quantity received; a buy that
//! opens or adds keeps its whole cost (V13), otherwise the fee leaves the position like a trade at price zero (V14). In a
//! third asset: booked by asset. An unknown fee is flagged, never taken for zero.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::units::{Asset, Money, Side};

use super::LedgerError;

/// Decimals at which a removed share of cost is rounded.
const COST_DECIMALS: u32 = 8;
/// Decimals of a shown average price.
const AVERAGE_DECIMALS: u32 = 12;

/// What a position is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// What is held; `None` when the symbol does not tell (then no fee is taken for a base fee).
    pub base: Option<Asset>,
    /// What cost and profit are in; `None` when the symbol does not tell.
    pub quote: Option<Asset>,
    /// Whether a fee in the base asset comes out of the quantity (spot).
    pub is_spot: bool,
    /// Base units a contract; 1 for spot.
    pub multiplier: Decimal,
}

/// The fee of one trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fee {
    /// The venue said: positive is paid, negative a rebate. No asset is right only for zero.
    Known {
        /// How much.
        amount: Decimal,
        /// Of what.
        asset: Option<Asset>,
    },
    /// The venue has not said.
    Unknown,
}

/// One trade, in decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Trade {
    /// Our side.
    pub side: Side,
    /// Above zero.
    pub qty: Decimal,
    /// Above zero.
    pub price: Decimal,
    /// Its fee.
    pub fee: Fee,
}

/// What one trade did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Change {
    /// Quantity that closed.
    pub closed_qty: Decimal,
    /// Quantity that opened or added.
    pub opened_qty: Decimal,
    /// Change of realized profit, quote fee included.
    pub realized_pnl: Decimal,
    /// The fee's part for the closed quantity, by quantity, half to even at 8 decimals.
    pub closed_fee: Decimal,
    /// The rest of the fee.
    pub opened_fee: Decimal,
}

/// State of one position.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Position {
    qty: Money,
    cost: Money,
    realized: Money,
    cash: Money,
    fees: BTreeMap<Asset, Money>,
    unknown_fee_count: u64,
    third_asset_fee_count: u64,
}

impl Position {
    /// Signed quantity.
    #[must_use]
    pub const fn qty(&self) -> Decimal {
        self.qty.0
    }
    /// Signed cost of the open quantity: exactly zero when flat.
    #[must_use]
    pub const fn cost(&self) -> Decimal {
        self.cost.0
    }
    /// Realized profit and loss, quote fees deducted.
    #[must_use]
    pub const fn realized_pnl(&self) -> Decimal {
        self.realized.0
    }
    /// Change of cash: what was received less what was paid, quote fees included.
    #[must_use]
    pub const fn cash(&self) -> Decimal {
        self.cash.0
    }
    /// Fees paid by asset; rebates are negative.
    #[must_use]
    pub const fn fees(&self) -> &BTreeMap<Asset, Money> {
        &self.fees
    }
    /// Trades whose fee the venue has not said: profit is incomplete while above zero.
    #[must_use]
    pub const fn unknown_fee_count(&self) -> u64 {
        self.unknown_fee_count
    }
    /// Trades whose fee was in a third asset: profit in the quote asset lacks their value.
    #[must_use]
    pub const fn third_asset_fee_count(&self) -> u64 {
        self.third_asset_fee_count
    }
    /// Average price of the open quantity, half to even at 12 decimals; `None` when flat or not computable.
    #[must_use]
    pub fn average_price(&self, multiplier: Decimal) -> Option<Decimal> {
        let value = self.qty.mul(Money(multiplier)).ok()?;
        self.cost
            .div_half_even(value, AVERAGE_DECIMALS)
            .ok()
            .map(|price| price.0.normalize())
    }
    /// Profit or loss of the open quantity at a mark.
    ///
    /// # Errors
    /// [`LedgerError::Money`] when it does not fit.
    pub fn unrealized_pnl(
        &self,
        mark: Decimal,
        multiplier: Decimal,
    ) -> Result<Decimal, LedgerError> {
        Ok(self
            .qty
            .mul(Money(mark))?
            .mul(Money(multiplier))?
            .sub(self.cost)?
            .0)
    }

    /// Books one trade.
    ///
    /// # Errors
    /// [`LedgerError`]; the position is then unchanged.
    pub fn apply(&mut self, trade: &Trade, pair: &Pair) -> Result<Change, LedgerError> {
        let mut next = self.clone();
        let change = next.book(trade, pair)?;
        next.check_identity()?;
        *self = next;
        Ok(change)
    }

    fn book(&mut self, trade: &Trade, pair: &Pair) -> Result<Change, LedgerError> {
        if trade.qty <= Decimal::ZERO
            || trade.price <= Decimal::ZERO
            || pair.multiplier <= Decimal::ZERO
        {
            return Err(LedgerError::BadFill);
        }
        let realized_before = self.realized;
        let delta = Money(if trade.side == Side::Buy {
            trade.qty
        } else {
            -trade.qty
        });
        let price = Money(trade.price).mul(Money(pair.multiplier))?;
        let adds = self.qty.is_zero() || (self.qty.0 > Decimal::ZERO) == (delta.0 > Decimal::ZERO);
        let closed = if adds {
            Money::ZERO
        } else {
            Money(trade.qty.min(self.qty.0.abs()))
        };
        self.trade(delta, price)?;
        self.cash = self.cash.sub(delta.mul(price)?)?;
        let (amount, asset) = match trade.fee {
            Fee::Known { amount, asset } => (Money(amount), asset),
            Fee::Unknown => {
                self.unknown_fee_count += 1;
                (Money::ZERO, None)
            }
        };
        if !amount.is_zero() {
            let kept =
                adds && trade.side == Side::Buy && amount.0 > Decimal::ZERO && amount.0 < trade.qty;
            self.book_fee(amount, asset, pair, kept)?;
        }
        let closed_fee = amount.mul_div_half_even(closed, Money(trade.qty), COST_DECIMALS)?;
        Ok(Change {
            closed_qty: closed.0,
            opened_qty: trade.qty - closed.0,
            realized_pnl: self.realized.sub(realized_before)?.0,
            closed_fee: closed_fee.0,
            opened_fee: amount.sub(closed_fee)?.0,
        })
    }

    /// `cost_kept`: a base fee lowers the quantity received and leaves the cost.
    fn book_fee(
        &mut self,
        amount: Money,
        asset: Option<Asset>,
        pair: &Pair,
        cost_kept: bool,
    ) -> Result<(), LedgerError> {
        let Some(asset) = asset else {
            self.unknown_fee_count += 1;
            return Ok(());
        };
        let sum = self.fees.entry(asset).or_default();
        *sum = sum.add(amount)?;
        if pair.quote == Some(asset) {
            self.cash = self.cash.sub(amount)?;
            self.realized = self.realized.sub(amount)?;
        } else if pair.is_spot && pair.base == Some(asset) {
            if cost_kept {
                self.qty = self.qty.sub(amount)?;
            } else {
                self.trade(-amount, Money::ZERO)?;
            }
        } else {
            self.third_asset_fee_count += 1;
        }
        Ok(())
    }

    /// The rule itself, without cash and fees.
    fn trade(&mut self, delta: Money, price: Money) -> Result<(), LedgerError> {
        let same_side =
            self.qty.is_zero() || (self.qty.0 > Decimal::ZERO) == (delta.0 > Decimal::ZERO);
        if same_side {
            self.qty = self.qty.add(delta)?;
            self.cost = self.cost.add(delta.mul(price)?)?;
            return Ok(());
        }
        let open = self.qty.abs();
        let closed = Money(open.0.min(delta.0.abs()));
        let signed = if self.qty.0 > Decimal::ZERO {
            closed
        } else {
            -closed
        };
        let removed = if closed == open {
            self.cost
        } else {
            self.cost.mul_div_half_even(closed, open, COST_DECIMALS)?
        };
        self.realized = self.realized.add(signed.mul(price)?)?.sub(removed)?;
        self.cost = self.cost.sub(removed)?;
        self.qty = self.qty.sub(signed)?;
        let rest = delta.add(signed)?;
        if rest.is_zero() {
            Ok(())
        } else {
            self.trade(rest, price)
        }
    }

    fn check_identity(&self) -> Result<(), LedgerError> {
        let flat_without_cost = !self.qty.is_zero() || self.cost.is_zero();
        if flat_without_cost && self.realized.sub(self.cost)? == self.cash {
            Ok(())
        } else {
            Err(LedgerError::Identity)
        }
    }
}
