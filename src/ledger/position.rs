//! The position rule: signed quantity, signed cost, realized profit, fees by asset, and the identity that ties them.
//!
//! `v(d)` is the signed value of a signed quantity at the trade's price ([`Contract::value`]): `d × px × m` in the quote asset, or
//! `-d × cv / px` in coin for inverse contracts.
//!
//! - Same side or flat: `q += d`, `C += v(d)`.
//! - Reduce by `c`: the cost removed is all of `C` when the position closes, else `C × c / |q|` rounded half to even at 8
//!   decimals; `realized += v(±c) - removed`; subtraction is exact, so what is rounded away here stays in the cost.
//! - Flip: close fully, then open the remainder; both values add up to the trade's exactly.
//! - Identity, exact, after every trade and payment: `realized - C - cost of fee stocks == cash`, that is
//!   `realized + unrealized == cash + value`, the fee stocks being positions like any other.
//!
//! Example (V08b): buys of 1 at 100, 101 and 103, a sale of 1 at 101.33 leaves C = 202.66666667 and realized -0.00333333;
//! the sale of the other 2 at 101.33 ends at exactly -0.01.
//!
//! Fees. In the settlement asset: less cash, less realized. In the base asset of a spot pair: less quantity received; a buy that
//! opens or adds keeps its whole cost (V13), otherwise the fee leaves the position like a trade at price zero (V14). In a
//! third asset: less stock of that asset, bought at its rate (V15); without a rate the profit is flagged incomplete. An unknown
//! fee is flagged, never taken for zero. Funding is a payment of the same three kinds but the second.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::market::contract::COIN_DECIMALS;
use crate::market::{Contract, InstrumentKind};
use crate::units::{Asset, Money, Side};

use super::fee::FEE_VALUE_DECIMALS;
use super::{Fee, FeeRate, LedgerError, Payment, Stock};

/// Decimals at which a removed share of cost is rounded.
pub const COST_DECIMALS: u32 = 8;
/// A venue's own value of a fill may differ from quantity over price by this share (V20), in parts of one.
const VENUE_VALUE_TOLERANCE: Decimal = Decimal::from_parts(1, 0, 0, false, 4);

/// What a position is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pair {
    /// What is held; `None` when the symbol does not tell (then no fee is taken for a base fee).
    pub base: Option<Asset>,
    /// What prices are in; `None` when the symbol does not tell.
    pub quote: Option<Asset>,
    /// How quantity becomes money.
    pub contract: Contract,
}

impl Pair {
    /// What cost and profit are in: quote, or base for inverse contracts.
    #[must_use]
    pub const fn settlement(&self) -> Option<Asset> {
        match self.contract.kind {
            InstrumentKind::Spot | InstrumentKind::LinearPerpetual => self.quote,
            InstrumentKind::InversePerpetual => self.base,
        }
    }
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
    /// The venue's own rounded value of an inverse contract's fill, in coin, where it sends one; used instead of
    /// quantity over price, so that our cost is the venue's.
    pub venue_value: Option<Decimal>,
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
    /// Change of realized profit, fees with a known value included.
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
    funding: Money,
    fees: BTreeMap<Asset, Money>,
    stocks: BTreeMap<Asset, Stock>,
    unknown_fee_count: u64,
    third_asset_fee_count: u64,
    unpriced_fee_count: u64,
}

impl Position {
    /// Signed quantity.
    #[must_use]
    pub const fn qty(&self) -> Decimal {
        self.qty.0
    }
    /// Signed cost of the open quantity in the settlement asset: exactly zero when flat. Below zero for a long inverse position.
    #[must_use]
    pub const fn cost(&self) -> Decimal {
        self.cost.0
    }
    /// Realized profit and loss in the settlement asset: fees with a known value and funding deducted.
    #[must_use]
    pub const fn realized_pnl(&self) -> Decimal {
        self.realized.0
    }
    /// Change of cash in the settlement asset: what was received less what was paid, its fees and funding included.
    #[must_use]
    pub const fn cash(&self) -> Decimal {
        self.cash.0
    }
    /// Funding paid less received, in the settlement asset; part of realized profit.
    #[must_use]
    pub const fn funding(&self) -> Decimal {
        self.funding.0
    }
    /// Fees paid by asset; rebates are negative.
    #[must_use]
    pub const fn fees(&self) -> &BTreeMap<Asset, Money> {
        &self.fees
    }
    /// Stocks of third assets that fees made.
    #[must_use]
    pub const fn stocks(&self) -> &BTreeMap<Asset, Stock> {
        &self.stocks
    }
    /// Cost of all stocks of third assets, in the settlement asset.
    ///
    /// # Errors
    /// [`LedgerError::Money`] when a sum does not fit.
    pub fn stock_cost(&self) -> Result<Decimal, LedgerError> {
        let mut sum = Money::ZERO;
        for stock in self.stocks.values() {
            sum = sum.add(stock.cost)?;
        }
        Ok(sum.0)
    }
    /// Trades whose fee the venue has not said: profit is incomplete while above zero.
    #[must_use]
    pub const fn unknown_fee_count(&self) -> u64 {
        self.unknown_fee_count
    }
    /// Trades and payments in a third asset.
    #[must_use]
    pub const fn third_asset_fee_count(&self) -> u64 {
        self.third_asset_fee_count
    }
    /// Those of them without a rate: profit lacks their value.
    #[must_use]
    pub const fn unpriced_fee_count(&self) -> u64 {
        self.unpriced_fee_count
    }
    /// True when every fee so far is in the profit.
    #[must_use]
    pub const fn is_complete(&self) -> bool {
        self.unknown_fee_count == 0 && self.unpriced_fee_count == 0
    }
    /// Average price of the open quantity; `None` when flat or not computable.
    #[must_use]
    pub fn average_price(&self, contract: Contract) -> Option<Decimal> {
        let price = contract.average_price(self.qty, self.cost).ok()?;
        Some(price.0)
    }
    /// Profit or loss of the open quantity at a mark, in the settlement asset.
    ///
    /// # Errors
    /// [`LedgerError::Money`] when it does not fit.
    pub fn unrealized_pnl(
        &self,
        mark: Decimal,
        contract: Contract,
    ) -> Result<Decimal, LedgerError> {
        Ok(contract.profit(self.qty, self.cost, Money(mark))?.0)
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

    /// Books a payment beside trades. Payments add up in any order.
    ///
    /// # Errors
    /// [`LedgerError`]; the position is then unchanged.
    pub fn pay(&mut self, payment: &Payment, pair: &Pair) -> Result<(), LedgerError> {
        let mut next = self.clone();
        let amount = Money(payment.amount);
        if amount.is_zero() {
            return Ok(());
        }
        if pair.settlement() == Some(payment.asset) {
            next.cash = next.cash.sub(amount)?;
            next.realized = next.realized.sub(amount)?;
            next.funding = next.funding.add(amount)?;
        } else {
            next.take_stock(amount, payment.asset, payment.rate)?;
        }
        next.check_identity()?;
        *self = next;
        Ok(())
    }

    fn book(&mut self, trade: &Trade, pair: &Pair) -> Result<Change, LedgerError> {
        if trade.qty <= Decimal::ZERO
            || trade.price <= Decimal::ZERO
            || pair.contract.multiplier <= Decimal::ZERO
        {
            return Err(LedgerError::BadFill);
        }
        let realized_before = self.realized;
        let delta = Money(if trade.side == Side::Buy {
            trade.qty
        } else {
            -trade.qty
        });
        let value = trade_value(trade, delta, pair.contract)?;
        let adds = self.qty.is_zero() || (self.qty.0 > Decimal::ZERO) == (delta.0 > Decimal::ZERO);
        let closed = if adds {
            Money::ZERO
        } else {
            Money(trade.qty.min(self.qty.0.abs()))
        };
        let signed = if trade.side == Side::Buy {
            closed
        } else {
            -closed
        };
        let closed_value = match pair.contract.kind {
            _ if closed.0 == trade.qty => value,
            InstrumentKind::Spot | InstrumentKind::LinearPerpetual => {
                pair.contract.value(signed, Money(trade.price))?
            }
            InstrumentKind::InversePerpetual => share(value, closed, Money(trade.qty))?,
        };
        self.trade(delta, value, closed_value)?;
        self.cash = self.cash.sub(value)?;
        let amount = match trade.fee {
            Fee::Known {
                amount,
                asset,
                rate,
            } => {
                let opens = adds && trade.side == Side::Buy;
                let kept = opens && amount > Decimal::ZERO && amount < trade.qty;
                self.book_fee(Money(amount), asset, rate, pair, kept)?;
                Money(amount)
            }
            Fee::Unknown => {
                self.unknown_fee_count += 1;
                Money::ZERO
            }
        };
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
        rate: Option<FeeRate>,
        pair: &Pair,
        cost_kept: bool,
    ) -> Result<(), LedgerError> {
        if amount.is_zero() {
            return Ok(());
        }
        let Some(asset) = asset else {
            self.unknown_fee_count += 1;
            return Ok(());
        };
        let sum = self.fees.entry(asset).or_default();
        *sum = sum.add(amount)?;
        if pair.settlement() == Some(asset) {
            self.cash = self.cash.sub(amount)?;
            self.realized = self.realized.sub(amount)?;
        } else if pair.contract.is_spot() && pair.base == Some(asset) {
            if cost_kept {
                self.qty = self.qty.sub(amount)?;
            } else {
                self.trade(-amount, Money::ZERO, Money::ZERO)?;
            }
        } else {
            self.take_stock(amount, asset, rate)?;
        }
        Ok(())
    }

    /// A third asset is bought at its rate and spent at once: realized falls by its value, its stock by the amount.
    fn take_stock(
        &mut self,
        amount: Money,
        asset: Asset,
        rate: Option<FeeRate>,
    ) -> Result<(), LedgerError> {
        self.third_asset_fee_count += 1;
        let stock = self.stocks.entry(asset).or_default();
        stock.qty = stock.qty.sub(amount)?;
        let Some(rate) = rate.filter(|rate| rate.price > Decimal::ZERO) else {
            self.unpriced_fee_count += 1;
            stock.unpriced = stock.unpriced.add(amount.abs())?;
            return Ok(());
        };
        let one = Money(Decimal::ONE);
        let value = amount.mul_div_half_even(Money(rate.price), one, FEE_VALUE_DECIMALS)?;
        let value = Money(value.0.normalize());
        stock.cost = stock.cost.sub(value)?;
        self.realized = self.realized.sub(value)?;
        Ok(())
    }

    /// The rule itself, without cash and fees; `closed_value` is the part of the value that closes.
    fn trade(
        &mut self,
        delta: Money,
        value: Money,
        closed_value: Money,
    ) -> Result<(), LedgerError> {
        let same_side =
            self.qty.is_zero() || (self.qty.0 > Decimal::ZERO) == (delta.0 > Decimal::ZERO);
        if same_side {
            self.qty = self.qty.add(delta)?;
            self.cost = self.cost.add(value)?;
            return Ok(());
        }
        let open = self.qty.abs();
        let closed = Money(open.0.min(delta.0.abs()));
        let removed = if closed == open {
            self.cost
        } else {
            self.cost.mul_div_half_even(closed, open, COST_DECIMALS)?
        };
        self.realized = self.realized.sub(closed_value)?.sub(removed)?;
        self.cost = self.cost.sub(removed)?;
        self.qty = self.qty.add(delta)?;
        if closed.0 < delta.0.abs() {
            // Flipped: what is left over opens, at what is left of the value.
            self.cost = self.cost.add(value.sub(closed_value)?)?;
        }
        Ok(())
    }

    fn check_identity(&self) -> Result<(), LedgerError> {
        let flat_without_cost = !self.qty.is_zero() || self.cost.is_zero();
        let tied = self
            .realized
            .sub(self.cost)?
            .sub(Money(self.stock_cost()?))?;
        if flat_without_cost && tied == self.cash {
            Ok(())
        } else {
            Err(LedgerError::Identity)
        }
    }
}

/// The signed value of a trade, the venue's own where it sent one.
fn trade_value(trade: &Trade, delta: Money, contract: Contract) -> Result<Money, LedgerError> {
    let own = contract.value(delta, Money(trade.price))?;
    let Some(venues) = trade.venue_value.map(|value| Money(value.abs())) else {
        return Ok(own);
    };
    let apart = venues.sub(own.abs())?.abs();
    let allowed = own.abs().mul_div_half_even(
        Money(VENUE_VALUE_TOLERANCE),
        Money(Decimal::ONE),
        FEE_VALUE_DECIMALS,
    )?;
    if contract.kind != InstrumentKind::InversePerpetual || apart > allowed {
        return Err(LedgerError::BadValue);
    }
    Ok(if own.0 < Decimal::ZERO {
        -venues
    } else {
        venues
    })
}

/// The part of a coin value that belongs to `part` of `whole`, half to even at 18 decimals; the rest is found by subtraction.
fn share(value: Money, part: Money, whole: Money) -> Result<Money, LedgerError> {
    let cut = value.mul_div_half_even(part, whole, COIN_DECIMALS)?;
    Ok(Money(cut.0.normalize()))
}
