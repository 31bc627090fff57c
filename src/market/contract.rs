//! What a quantity is worth: spot and linear contracts in the quote asset, inverse contracts in the base asset (coin).
//!
//! One signed value serves all three, so that one position rule serves all three: `profit = value now - value paid`. A long
//! inverse contract loses coin as the price rises, so its value is negative: `-contracts × contract value / price`.
//!
//! Example (RISK.md V16): 10,000 contracts of 1 USD at 50,000 and 10,000 at 25,000 cost -0.6 BTC; at 40,000 they are worth -0.5 BTC:
//! a profit of 0.1 BTC. The average entry is 20,000 / 0.6, the harmonic mean.

use rust_decimal::Decimal;

use crate::units::{Money, MoneyError};

use super::InstrumentKind;

/// Decimals of a coin value, half to even: 1/price has no end. Venues themselves round to 8.
pub const COIN_DECIMALS: u32 = 18;
/// Decimals of an average price, half to even.
const AVERAGE_DECIMALS: u32 = 12;

/// How one instrument's quantity becomes money.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Contract {
    /// Spot, linear or inverse.
    pub kind: InstrumentKind,
    /// Base units a contract (spot 1); for inverse contracts quote units a contract.
    pub multiplier: Decimal,
}

impl Contract {
    /// Signed value of a signed quantity at a price above zero, in the settlement asset: exact in quote; half to even at
    /// [`COIN_DECIMALS`] in coin.
    ///
    /// # Errors
    /// [`MoneyError`] when it does not fit, or the price is zero.
    pub fn value(self, qty: Money, price: Money) -> Result<Money, MoneyError> {
        match self.kind {
            InstrumentKind::Spot | InstrumentKind::LinearPerpetual => {
                qty.mul(price.mul(Money(self.multiplier))?)
            }
            InstrumentKind::InversePerpetual => {
                let coin =
                    (-qty).mul_div_half_even(Money(self.multiplier), price, COIN_DECIMALS)?;
                Ok(Money(coin.0.normalize()))
            }
        }
    }

    /// Profit or loss of an open quantity with a signed cost, at a mark.
    ///
    /// # Errors
    /// [`MoneyError`] as [`Contract::value`].
    pub fn profit(self, qty: Money, cost: Money, mark: Money) -> Result<Money, MoneyError> {
        self.value(qty, mark)?.sub(cost)
    }

    /// Average entry price of an open quantity with a signed cost, half to even at 12 decimals: the harmonic mean for inverse
    /// contracts.
    ///
    /// # Errors
    /// [`MoneyError`]; division by zero when flat or without cost.
    pub fn average_price(self, qty: Money, cost: Money) -> Result<Money, MoneyError> {
        let size = qty.mul(Money(self.multiplier))?;
        let price = match self.kind {
            InstrumentKind::Spot | InstrumentKind::LinearPerpetual => {
                cost.div_half_even(size, AVERAGE_DECIMALS)?
            }
            InstrumentKind::InversePerpetual => (-size).div_half_even(cost, AVERAGE_DECIMALS)?,
        };
        Ok(Money(price.0.normalize()))
    }

    /// Funding that a signed quantity pays at the venue's mark (not at its entry) and rate; negative: it receives (V23, V24).
    /// Spot pays none.
    ///
    /// # Errors
    /// [`MoneyError`] when it does not fit, or the mark is zero.
    pub fn funding(self, qty: Money, mark: Money, rate: Money) -> Result<Money, MoneyError> {
        match self.kind {
            InstrumentKind::Spot => Ok(Money::ZERO),
            InstrumentKind::LinearPerpetual => self.value(qty, mark)?.mul(rate),
            InstrumentKind::InversePerpetual => {
                let size = qty.mul(Money(self.multiplier))?;
                let coin = size.mul_div_half_even(rate, mark, COIN_DECIMALS)?;
                Ok(Money(coin.0.normalize()))
            }
        }
    }

    /// True when fees in the base asset come out of the quantity received.
    #[must_use]
    pub fn is_spot(self) -> bool {
        self.kind == InstrumentKind::Spot
    }
}
