//! Amounts of an asset inside the simulated venue: exact integers, one scale for every asset.
//!
//! One unit is 10^-18, so price times quantity of a grid with at most 18 decimals together is exact. Sums overflow only
//! above 1.7e20 units of an asset; overflow checks stay on in release builds, so that would stop the process, not lie.

use crate::units::{Grid, Notional, Ppm, Qty};

/// Decimals of one [`Amount`] unit.
pub(crate) const AMOUNT_DECIMALS: u8 = 18;
/// Decimals the venue's statements have: fees are rounded to it.
const STATEMENT_DECIMALS: u8 = 8;

/// A signed count of 10^-18 of an asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Amount(pub i128);

const fn pow10(exponent: u8) -> i128 {
    let mut value = 1_i128;
    let mut index = 0;
    while index < exponent {
        value *= 10;
        index += 1;
    }
    value
}

impl Amount {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// Whole units of the asset.
    #[must_use]
    pub const fn whole(units: i64) -> Self {
        Self(units as i128 * pow10(AMOUNT_DECIMALS))
    }

    /// Reads decimal text such as `100000.5`; `None` when it is not a number of at most 18 decimals.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
        let negative = whole.starts_with('-');
        let digits_only = whole
            .trim_start_matches('-')
            .bytes()
            .chain(fraction.bytes())
            .all(|byte| byte.is_ascii_digit());
        if !digits_only
            || whole.trim_start_matches('-').is_empty()
            || fraction.len() > usize::from(AMOUNT_DECIMALS)
        {
            return None;
        }
        let whole: i128 = whole.parse().ok()?;
        let places = u8::try_from(fraction.len()).ok()?;
        let fraction: i128 = if fraction.is_empty() {
            0
        } else {
            fraction.parse().ok()?
        };
        let fraction = fraction * pow10(AMOUNT_DECIMALS - places);
        let whole = whole.checked_mul(pow10(AMOUNT_DECIMALS))?;
        Some(Self(if negative {
            whole.checked_sub(fraction)?
        } else {
            whole.checked_add(fraction)?
        }))
    }

    /// A quantity of the base asset.
    #[must_use]
    pub fn of_qty(grid: Grid, qty: Qty) -> Self {
        Self(i128::from(qty.0) * pow10(AMOUNT_DECIMALS.saturating_sub(grid.qty_decimals())))
    }

    /// Price times quantity, in the quote asset. Exact for grids of at most 18 decimals together.
    #[must_use]
    pub fn of_notional(grid: Grid, notional: Notional) -> Self {
        let decimals = grid.price_decimals().saturating_add(grid.qty_decimals());
        Self(notional.0 * pow10(AMOUNT_DECIMALS.saturating_sub(decimals)))
    }

    /// A share of it, rounded down to the eight decimals of a statement: what a fee of `rate` takes.
    #[must_use]
    pub fn fee_floor(self, rate: Ppm) -> Self {
        let unit = pow10(AMOUNT_DECIMALS - STATEMENT_DECIMALS) * 1_000_000;
        Self(
            (self.0 * i128::from(rate.0)).div_euclid(unit)
                * pow10(AMOUNT_DECIMALS - STATEMENT_DECIMALS),
        )
    }

    /// A share of it, rounded up to eight decimals: what must be reserved for a fee of `rate`.
    #[must_use]
    pub fn fee_ceil(self, rate: Ppm) -> Self {
        Self(-Self(-self.0).fee_floor(rate).0)
    }

    /// `self * part / whole`, rounded down; zero when `whole` is zero.
    #[must_use]
    pub fn share_floor(self, part: Qty, whole: Qty) -> Self {
        if whole.is_zero() {
            return Self::ZERO;
        }
        // Quotient and remainder apart, so that the product cannot overflow.
        let (part, whole) = (i128::from(part.0), i128::from(whole.0));
        let quotient = self.0.div_euclid(whole);
        let rest = self.0.rem_euclid(whole);
        Self(quotient * part + (rest * part).div_euclid(whole))
    }

    /// Divided by a whole number above zero, rounded up.
    #[must_use]
    pub fn divide_ceil(self, divisor: u32) -> Self {
        let divisor = i128::from(divisor.max(1));
        Self(-(-self.0).div_euclid(divisor))
    }

    /// Amount per base unit for a quantity on `grid` (an average price), rounded down; zero for no quantity.
    #[must_use]
    pub fn per_unit_floor(self, grid: Grid, qty: Qty) -> Self {
        if qty.is_zero() {
            return Self::ZERO;
        }
        let scale = pow10(grid.qty_decimals());
        let qty = i128::from(qty.0);
        let quotient = self.0.div_euclid(qty);
        let rest = self.0.rem_euclid(qty);
        Self(quotient * scale + (rest * scale).div_euclid(qty))
    }

    /// Decimal text with exactly `decimals` places (at most 18), rounded towards zero.
    #[must_use]
    pub fn text(self, decimals: u8) -> String {
        let places = decimals.min(AMOUNT_DECIMALS);
        let magnitude = self
            .0
            .unsigned_abs()
            .div_euclid(pow10(AMOUNT_DECIMALS - places).unsigned_abs());
        let sign = if self.0 < 0 && magnitude != 0 {
            "-"
        } else {
            ""
        };
        let scale = pow10(places).unsigned_abs();
        let (whole, fraction) = (magnitude.div_euclid(scale), magnitude % scale);
        if places == 0 {
            return format!("{sign}{whole}");
        }
        format!(
            "{sign}{whole}.{fraction:0width$}",
            width = usize::from(places)
        )
    }

    /// Decimal text without trailing zeros, every digit kept.
    #[must_use]
    pub fn exact_text(self) -> String {
        let text = self.text(AMOUNT_DECIMALS);
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    }

    /// The smaller.
    #[must_use]
    pub fn min(self, other: Self) -> Self {
        Self(self.0.min(other.0))
    }
    /// The larger.
    #[must_use]
    pub fn max(self, other: Self) -> Self {
        Self(self.0.max(other.0))
    }
}

impl std::ops::Add for Amount {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}
impl std::ops::Sub for Amount {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        Self(self.0 - other.0)
    }
}
impl std::ops::Neg for Amount {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}
impl std::ops::AddAssign for Amount {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}
impl std::ops::SubAssign for Amount {
    fn sub_assign(&mut self, other: Self) {
        self.0 -= other.0;
    }
}
impl std::iter::Sum for Amount {
    fn sum<I: Iterator<Item = Self>>(items: I) -> Self {
        items.fold(Self::ZERO, |total, item| total + item)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Price;

    #[test]
    fn text_round_trips_and_rounding_is_named() {
        assert_eq!(
            Amount::parse("-1.05").map(|value| value.text(8)),
            Some("-1.05000000".to_owned())
        );
        assert_eq!(
            Amount::parse("-0.5").map(|value| value.exact_text()),
            Some("-0.5".to_owned())
        );
        assert_eq!(Amount::parse("1e5"), None);
        assert_eq!(Amount::whole(3).exact_text(), "3");
        let amount = Amount::parse("0.00012345").unwrap();
        assert_eq!(amount.fee_floor(Ppm(1_000)).exact_text(), "0.00000012");
        assert_eq!(amount.fee_ceil(Ppm(1_000)).exact_text(), "0.00000013");
        assert_eq!(Amount(-7).divide_ceil(2), Amount(-3));
        assert_eq!(Amount(7).divide_ceil(2), Amount(4));
    }

    #[test]
    fn notional_and_average_price_are_exact() {
        let grid = Grid::new(2, 5).unwrap();
        let cost = Amount::of_notional(grid, Price(6_183_763).times(Qty(150_000)));
        assert_eq!(cost.exact_text(), "92756.445");
        assert_eq!(
            cost.per_unit_floor(grid, Qty(150_000)).exact_text(),
            "61837.63"
        );
        assert_eq!(
            cost.share_floor(Qty(50_000), Qty(150_000)).exact_text(),
            "30918.815"
        );
    }
}
