//! Money for the ledger, reports and configuration: `rust_decimal` behind checked operations only.
//!
//! The plain operators of `rust_decimal` panic on overflow, and its multiplication may silently drop digits
//! when the exact product needs more than 28 decimals. Every operation here says so instead.

use rust_decimal::Decimal;

/// An amount of one asset (which asset is the owner's knowledge). Exact decimal.
#[derive(
    Debug,
    Clone,
    Copy,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Default,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(transparent)]
pub struct Money(#[serde(with = "rust_decimal::serde::str")] pub Decimal);

/// Why an amount could not be computed exactly.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// More than 96 bits.
    #[error("amount overflowed 96 bits")]
    Overflow,
    /// The exact result needs more decimals than a decimal can hold.
    #[error("amount needed more than 28 decimals")]
    Inexact,
    /// Division by zero.
    #[error("amount was divided by zero")]
    DivisionByZero,
}

/// Which way a quotient's cut digits go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rounding {
    HalfEven,
    Ceil,
    Floor,
}

#[expect(
    clippy::should_implement_trait,
    reason = "the operators would have to panic; these answer"
)]
impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);

    /// Exact sum.
    ///
    /// # Errors
    /// [`MoneyError`] when the exact result does not fit.
    pub fn add(self, other: Self) -> Result<Self, MoneyError> {
        let scale = self.0.scale().max(other.0.scale());
        let sum = self.0.checked_add(other.0).ok_or(MoneyError::Overflow)?;
        if sum.scale() < scale && !sum.is_zero() {
            // The library rescales a sum that is too wide; accept it only if nothing was lost.
            let back = sum.checked_sub(other.0).ok_or(MoneyError::Overflow)?;
            if back != self.0 {
                return Err(MoneyError::Inexact);
            }
        }
        Ok(Self(sum))
    }

    /// Exact difference.
    ///
    /// # Errors
    /// [`MoneyError`] when the exact result does not fit.
    pub fn sub(self, other: Self) -> Result<Self, MoneyError> {
        self.add(Self(-other.0))
    }

    /// Exact product.
    ///
    /// # Errors
    /// [`MoneyError`] when the exact result does not fit.
    pub fn mul(self, other: Self) -> Result<Self, MoneyError> {
        let left = self.0.normalize();
        let right = other.0.normalize();
        let product = left.checked_mul(right).ok_or(MoneyError::Overflow)?;
        if !product.is_zero() && product.scale() < left.scale() + right.scale() {
            let exact = left
                .mantissa()
                .checked_mul(right.mantissa())
                .and_then(|mantissa| {
                    Decimal::try_from_i128_with_scale(mantissa, left.scale() + right.scale()).ok()
                });
            if exact != Some(product) {
                return Err(MoneyError::Inexact);
            }
        }
        if product.is_zero() && !left.is_zero() && !right.is_zero() {
            return Err(MoneyError::Inexact);
        }
        Ok(Self(product))
    }

    /// Quotient rounded half to even at `decimals`, from the exact quotient (never rounded twice).
    ///
    /// # Errors
    /// [`MoneyError`] on division by zero or overflow.
    pub fn div_half_even(self, other: Self, decimals: u32) -> Result<Self, MoneyError> {
        self.mul_div_half_even(Self(Decimal::ONE), other, decimals)
    }

    /// `self × factor / divisor` rounded half to even at `decimals`, from the exact quotient. A share of a cost uses this:
    /// a quotient cut at 28 digits first and rounded then could end on the wrong side of a half.
    ///
    /// # Errors
    /// [`MoneyError`] on division by zero or overflow.
    pub fn mul_div_half_even(
        self,
        factor: Self,
        divisor: Self,
        decimals: u32,
    ) -> Result<Self, MoneyError> {
        self.mul_div(factor, divisor, decimals, Rounding::HalfEven)
    }

    fn mul_div(
        self,
        factor: Self,
        divisor: Self,
        decimals: u32,
        rounding: Rounding,
    ) -> Result<Self, MoneyError> {
        let (left, right, below) = (
            self.0.normalize(),
            factor.0.normalize(),
            divisor.0.normalize(),
        );
        if below.is_zero() {
            return Err(MoneyError::DivisionByZero);
        }
        let product = left
            .mantissa()
            .checked_mul(right.mantissa())
            .ok_or(MoneyError::Overflow)?;
        let negative = (product < 0) != (below.mantissa() < 0);
        let (over, under) = (product.unsigned_abs(), below.mantissa().unsigned_abs());
        let (mut whole, mut rest) = (over.div_euclid(under), over % under);
        let places = i64::from(decimals) + i64::from(below.scale())
            - i64::from(left.scale())
            - i64::from(right.scale());
        for _ in 0..places.max(0) {
            // `rest` is below the divisor's 96 bits, so ten times it fits.
            rest *= 10;
            whole = whole
                .checked_mul(10)
                .and_then(|tens| tens.checked_add(rest.div_euclid(under)))
                .ok_or(MoneyError::Overflow)?;
            rest %= under;
        }
        // Twice the part cut off, compared with one unit of the last place; `rest` decides a tie.
        let (unit, cut) = if places < 0 {
            let drop = u32::try_from(-places).map_err(|_too_many| MoneyError::Overflow)?;
            let unit = 10_u128.checked_pow(drop).ok_or(MoneyError::Overflow)?;
            let cut = whole % unit;
            whole = whole.div_euclid(unit);
            (unit, cut)
        } else {
            (under, std::mem::take(&mut rest))
        };
        let up = match rounding {
            Rounding::Ceil => !negative && (cut > 0 || rest > 0),
            Rounding::Floor => negative && (cut > 0 || rest > 0),
            Rounding::HalfEven => match (cut * 2).cmp(&unit) {
                std::cmp::Ordering::Greater => true,
                std::cmp::Ordering::Equal => rest > 0 || whole % 2 == 1,
                std::cmp::Ordering::Less => false,
            },
        };
        let whole =
            i128::try_from(whole + u128::from(up)).map_err(|_too_large| MoneyError::Overflow)?;
        Decimal::try_from_i128_with_scale(if negative { -whole } else { whole }, decimals)
            .map(Self)
            .map_err(|_too_large| MoneyError::Overflow)
    }

    /// `self × factor / divisor` rounded up (towards plus infinity) at `decimals`, from the exact quotient.
    ///
    /// # Errors
    /// [`MoneyError`] on division by zero or overflow.
    pub fn mul_div_ceil(
        self,
        factor: Self,
        divisor: Self,
        decimals: u32,
    ) -> Result<Self, MoneyError> {
        self.mul_div(factor, divisor, decimals, Rounding::Ceil)
    }

    /// `self × factor / divisor` rounded down (towards minus infinity) at `decimals`, from the exact quotient.
    ///
    /// # Errors
    /// [`MoneyError`] on division by zero or overflow.
    pub fn mul_div_floor(
        self,
        factor: Self,
        divisor: Self,
        decimals: u32,
    ) -> Result<Self, MoneyError> {
        self.mul_div(factor, divisor, decimals, Rounding::Floor)
    }

    /// Whole units of `10^-decimals`, rounded down (towards minus infinity); `None` when they do not fit.
    #[must_use]
    pub fn steps_floor(self, decimals: u32) -> Option<i128> {
        let (mantissa, scale) = (self.0.mantissa(), self.0.scale());
        if scale <= decimals {
            mantissa.checked_mul(10_i128.checked_pow(decimals - scale)?)
        } else {
            Some(mantissa.div_euclid(10_i128.checked_pow(scale - decimals)?))
        }
    }

    /// True for exactly zero.
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// Magnitude.
    #[must_use]
    pub fn abs(self) -> Self {
        Self(self.0.abs())
    }
}

impl std::ops::Neg for Money {
    type Output = Self;
    fn neg(self) -> Self {
        Self(-self.0)
    }
}

impl std::fmt::Display for Money {
    /// Without trailing zeros; minus zero is written `0`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_zero() {
            f.pad("0")
        } else {
            f.pad(&self.0.normalize().to_string())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn money(text: &str) -> Money {
        Money(text.parse().unwrap())
    }

    #[test]
    fn exact_or_an_error() {
        assert_eq!(money("0.1").add(money("0.2")), Ok(money("0.3")));
        assert_eq!(money("0.1").mul(money("0.2")), Ok(money("0.02")));
        assert_eq!(
            money("79228162514264337593543950335").add(money("1")),
            Err(MoneyError::Overflow)
        );
        assert_eq!(
            money("79228162514264337593543950335").mul(money("2")),
            Err(MoneyError::Overflow)
        );
        assert_eq!(
            money("1.0000000000000000000000000001").mul(money("1.0000000000000000000000000001")),
            Err(MoneyError::Inexact)
        );
        assert_eq!(
            money("0.0000000000000000000000000001").mul(money("0.1")),
            Err(MoneyError::Inexact)
        );
        assert_eq!(
            money("1").div_half_even(money("0"), 8),
            Err(MoneyError::DivisionByZero)
        );
        assert_eq!(
            money("2").div_half_even(money("3"), 8),
            Ok(money("0.66666667"))
        );
        assert_eq!(money("-0.00").to_string(), "0");
        assert_eq!(money("1.500").to_string(), "1.5");
    }

    #[test]
    fn shares_round_once_half_to_even() {
        for (a, b, c, decimals, expected) in [
            ("304", "1", "3", 8, "101.33333333"),
            ("1", "1", "8", 2, "0.12"),
            ("3", "1", "8", 2, "0.38"),
            ("-3", "1", "8", 2, "-0.38"),
            ("-1", "1", "8", 2, "-0.12"),
            ("0.000000005", "1", "1", 8, "0.00000000"),
            ("0.000000015", "1", "1", 8, "0.00000002"),
            ("0.0000000050000000000000000001", "1", "1", 8, "0.00000001"),
            (
                "0.00000001",
                "1",
                "2.0000000000000000000000000001",
                8,
                "0.00000000",
            ),
            (
                "0.00000001",
                "1",
                "1.9999999999999999999999999999",
                8,
                "0.00000001",
            ),
            ("7", "0.5", "0.25", 0, "14"),
        ] {
            let result = money(a)
                .mul_div_half_even(money(b), money(c), decimals)
                .unwrap();
            assert_eq!(result.0.to_string(), expected, "{a} * {b} / {c}");
        }
        assert_eq!(
            money("1").div_half_even(Money::ZERO, 2),
            Err(MoneyError::DivisionByZero)
        );
    }

    #[test]
    fn steps_are_floored() {
        for (text, decimals, steps) in [("1.239", 2, 123), ("-1.231", 2, -124), ("5", 3, 5_000)] {
            assert_eq!(money(text).steps_floor(decimals), Some(steps));
        }
        assert_eq!(money("1").steps_floor(40), None);
    }

    #[test]
    fn ceil_and_floor_enclose_the_quotient() {
        for (a, b, c, ceil, floor) in [
            ("1", "1", "3", "0.34", "0.33"),
            ("-1", "1", "3", "-0.33", "-0.34"),
            ("1", "1", "-3", "-0.33", "-0.34"),
            ("2", "1", "3", "0.67", "0.66"),
            ("1", "1", "4", "0.25", "0.25"),
            ("0", "5", "3", "0", "0"),
        ] {
            let (a, b, c) = (money(a), money(b), money(c));
            assert_eq!(a.mul_div_ceil(b, c, 2), Ok(money(ceil)));
            assert_eq!(a.mul_div_floor(b, c, 2), Ok(money(floor)));
        }
    }
}
