//! The decimal grid of an instrument: how many decimals its prices and quantities have, for all its venues.

use rust_decimal::Decimal;

use super::number::{DECIMALS_MAX, NumberError, parse_fixed, pow10, write_fixed};
use super::{Money, Notional, Price, Qty};

/// Decimals of prices and quantities. Steps of two venues on the same grid compare as integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Grid {
    price_decimals: u8,
    qty_decimals: u8,
}

/// Why a value is not on the grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum GridError {
    /// The text is not a number on this grid.
    #[error("{0}")]
    Number(#[from] NumberError),
    /// The decimal has more places than the grid, or does not fit.
    #[error("value was off the grid")]
    OffGrid,
    /// A grid has at most 18 decimals.
    #[error("grid had more than 18 decimals")]
    TooManyDecimals,
}

impl GridError {
    /// Fixed short word for a metric label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Number(error) => error.label(),
            Self::OffGrid => "off_grid",
            Self::TooManyDecimals => "too_many_decimals",
        }
    }
}

impl Grid {
    /// Eight decimals both: fine enough for every planned venue when its filters are not known (recordings).
    pub const FINEST: Self = Self {
        price_decimals: 8,
        qty_decimals: 8,
    };

    /// A grid of the given decimals.
    ///
    /// # Errors
    /// [`GridError::TooManyDecimals`] above 18.
    pub const fn new(price_decimals: u8, qty_decimals: u8) -> Result<Self, GridError> {
        if price_decimals > DECIMALS_MAX || qty_decimals > DECIMALS_MAX {
            return Err(GridError::TooManyDecimals);
        }
        Ok(Self {
            price_decimals,
            qty_decimals,
        })
    }

    /// Decimals of a price.
    #[must_use]
    pub const fn price_decimals(self) -> u8 {
        self.price_decimals
    }
    /// Decimals of a quantity.
    #[must_use]
    pub const fn qty_decimals(self) -> u8 {
        self.qty_decimals
    }

    /// Reads a price exactly.
    ///
    /// # Errors
    /// [`GridError::Number`] when the text is no number or finer than the grid.
    #[inline]
    pub fn parse_price(self, text: &[u8]) -> Result<Price, GridError> {
        Ok(Price(parse_fixed(text, self.price_decimals)?))
    }
    /// Reads a quantity exactly.
    ///
    /// # Errors
    /// [`GridError::Number`] when the text is no number or finer than the grid.
    #[inline]
    pub fn parse_qty(self, text: &[u8]) -> Result<Qty, GridError> {
        Ok(Qty(parse_fixed(text, self.qty_decimals)?))
    }
    /// Appends a price as decimal text, all decimals written.
    pub fn write_price(self, price: Price, out: &mut Vec<u8>) {
        write_fixed(price.0, self.price_decimals, out);
    }
    /// Appends a quantity as decimal text, all decimals written.
    pub fn write_qty(self, qty: Qty, out: &mut Vec<u8>) {
        write_fixed(qty.0, self.qty_decimals, out);
    }
    /// A price as decimal text.
    #[must_use]
    pub fn price_text(self, price: Price) -> String {
        fixed_text(price.0, self.price_decimals)
    }
    /// A quantity as decimal text.
    #[must_use]
    pub fn qty_text(self, qty: Qty) -> String {
        fixed_text(qty.0, self.qty_decimals)
    }
    /// A price as an exact decimal.
    #[must_use]
    pub fn price_decimal(self, price: Price) -> Decimal {
        Decimal::new(price.0, u32::from(self.price_decimals))
    }
    /// A quantity as an exact decimal.
    #[must_use]
    pub fn qty_decimal(self, qty: Qty) -> Decimal {
        Decimal::new(qty.0, u32::from(self.qty_decimals))
    }
    /// A notional as exact money in the quote asset; `None` above 96 bits.
    #[must_use]
    pub fn notional_money(self, notional: Notional) -> Option<Money> {
        let scale = u32::from(self.price_decimals) + u32::from(self.qty_decimals);
        if scale <= 28 {
            return Decimal::try_from_i128_with_scale(notional.0, scale)
                .ok()
                .map(Money);
        }
        let extra = pow10(u8::try_from(scale - 28).ok()?)?;
        let extra = i128::from(extra);
        (notional.0.rem_euclid(extra) == 0)
            .then(|| {
                Decimal::try_from_i128_with_scale(notional.0.div_euclid(extra), 28)
                    .ok()
                    .map(Money)
            })
            .flatten()
    }
    /// Money in the quote asset as a notional of this grid, rounded down; `None` when it does not fit.
    #[must_use]
    pub fn notional_floor(self, money: Money) -> Option<Notional> {
        let scale = u32::from(self.price_decimals) + u32::from(self.qty_decimals);
        let mantissa = money.0.mantissa();
        if money.0.scale() <= scale {
            let up = 10_i128.checked_pow(scale - money.0.scale())?;
            mantissa.checked_mul(up).map(Notional)
        } else {
            let down = 10_i128.checked_pow(money.0.scale() - scale)?;
            Some(Notional(mantissa.div_euclid(down)))
        }
    }
    /// A decimal as a price, exactly.
    ///
    /// # Errors
    /// [`GridError::OffGrid`] when a digit would be lost or it does not fit.
    pub fn price_exact(self, value: Decimal) -> Result<Price, GridError> {
        exact_steps(value, self.price_decimals).map(Price)
    }
    /// A decimal as a quantity, exactly.
    ///
    /// # Errors
    /// [`GridError::OffGrid`] when a digit would be lost or it does not fit.
    pub fn qty_exact(self, value: Decimal) -> Result<Qty, GridError> {
        exact_steps(value, self.qty_decimals).map(Qty)
    }
    /// A decimal as a quantity, rounded down; `None` when it does not fit.
    #[must_use]
    pub fn qty_floor(self, value: Decimal) -> Option<Qty> {
        floor_steps(value, self.qty_decimals).map(Qty)
    }
    /// A decimal as a price, rounded down; `None` when it does not fit.
    #[must_use]
    pub fn price_floor(self, value: Decimal) -> Option<Price> {
        floor_steps(value, self.price_decimals).map(Price)
    }
}

fn fixed_text(steps: i64, decimals: u8) -> String {
    let mut out = Vec::with_capacity(24);
    write_fixed(steps, decimals, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

fn exact_steps(value: Decimal, decimals: u8) -> Result<i64, GridError> {
    let value = value.normalize();
    let Some(up) = u32::from(decimals).checked_sub(value.scale()) else {
        return Err(GridError::OffGrid);
    };
    10_i128
        .checked_pow(up)
        .and_then(|factor| value.mantissa().checked_mul(factor))
        .and_then(|steps| i64::try_from(steps).ok())
        .ok_or(GridError::OffGrid)
}

fn floor_steps(value: Decimal, decimals: u8) -> Option<i64> {
    let value = value.normalize();
    let target = u32::from(decimals);
    let steps = if value.scale() <= target {
        value
            .mantissa()
            .checked_mul(10_i128.checked_pow(target - value.scale())?)?
    } else {
        value
            .mantissa()
            .div_euclid(10_i128.checked_pow(value.scale() - target)?)
    };
    i64::try_from(steps).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exact_both_ways() {
        let grid = Grid::new(2, 5).unwrap();
        assert_eq!(grid.parse_price(b"61837.63000000"), Ok(Price(6_183_763)));
        assert_eq!(grid.price_text(Price(6_183_763)), "61837.63");
        assert_eq!(
            grid.price_exact("61837.63".parse().unwrap()),
            Ok(Price(6_183_763))
        );
        assert_eq!(
            grid.price_exact("61837.635".parse().unwrap()),
            Err(GridError::OffGrid)
        );
        assert_eq!(
            grid.qty_floor("0.123456".parse().unwrap()),
            Some(Qty(12_345))
        );
        assert_eq!(
            grid.qty_floor("-0.123456".parse().unwrap()),
            Some(Qty(-12_346))
        );
        let notional = Price(6_183_763).times(Qty(100_000));
        assert_eq!(
            grid.notional_money(notional).unwrap().to_string(),
            "61837.63"
        );
        assert_eq!(
            grid.notional_floor(Money("61837.63".parse().unwrap())),
            Some(notional)
        );
        assert!(Grid::new(19, 0).is_err());
    }
}
