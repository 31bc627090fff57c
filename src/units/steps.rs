//! Prices and quantities as integer steps on an instrument's grid.
//!
//! | operation | result |
//! |---|---|
//! | `Price - Price`, `Qty ± Qty` | checked, `Option` |
//! | `Price × Qty` | [`Notional`], exact in `i128` |
//! | `qty.floor_to(lot)` | largest multiple of the lot not above it (towards minus infinity) |

use super::notional::Notional;

/// A price: count of `10^-price_decimals` quote units per base unit. Positive for every tradable price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Price(pub i64);

/// A quantity: count of `10^-qty_decimals` base units (or contracts). Signed where it is a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Qty(pub i64);

/// Largest multiple of `step` that is not above `value`; `None` when `step <= 0`.
fn floor_steps(value: i64, step: i64) -> Option<i64> {
    (step > 0).then(|| value - value.rem_euclid(step))
}

/// Smallest multiple of `step` that is not below `value`; `None` when `step <= 0` or on overflow.
fn ceil_steps(value: i64, step: i64) -> Option<i64> {
    let floor = floor_steps(value, step)?;
    if floor == value {
        Some(value)
    } else {
        floor.checked_add(step)
    }
}

impl Price {
    /// Rounds down to a multiple of `tick`.
    #[must_use]
    pub fn floor_to(self, tick: Self) -> Option<Self> {
        floor_steps(self.0, tick.0).map(Self)
    }
    /// Rounds up to a multiple of `tick`.
    #[must_use]
    pub fn ceil_to(self, tick: Self) -> Option<Self> {
        ceil_steps(self.0, tick.0).map(Self)
    }
    /// Exact product with a quantity.
    #[must_use]
    #[inline]
    pub fn times(self, qty: Qty) -> Notional {
        Notional(i128::from(self.0) * i128::from(qty.0))
    }
    /// Sum, or `None` on overflow.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }
    /// Difference, or `None` on overflow.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }
}

impl Qty {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// Rounds down to a multiple of `lot`.
    #[must_use]
    pub fn floor_to(self, lot: Self) -> Option<Self> {
        floor_steps(self.0, lot.0).map(Self)
    }
    /// Rounds up to a multiple of `lot`.
    #[must_use]
    pub fn ceil_to(self, lot: Self) -> Option<Self> {
        ceil_steps(self.0, lot.0).map(Self)
    }
    /// Sum, or `None` on overflow.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).map(Self)
    }
    /// Difference, or `None` on overflow.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        self.0.checked_sub(other.0).map(Self)
    }
    /// Magnitude; saturates at `i64::MAX`.
    #[must_use]
    pub fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }
    /// True for exactly zero.
    #[must_use]
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RISK.md V28 and V29: floor and ceil on decimal grids.
    #[test]
    fn rounding_vectors() {
        for (value, step, floor, ceil) in [
            (100_037, 50, 100_000, 100_050),
            (2_712_374, 50, 2_712_350, 2_712_400),
            (123_456, 1_000, 123_000, 124_000),
            (161, 100, 100, 200),
            (-37, 5, -40, -35),
            (29, 1, 29, 29),
            (115, 5, 115, 115),
            (3, 1, 3, 3),
        ] {
            assert_eq!(Qty(value).floor_to(Qty(step)), Some(Qty(floor)));
            assert_eq!(Qty(value).ceil_to(Qty(step)), Some(Qty(ceil)));
            assert_eq!(Price(value).floor_to(Price(step)), Some(Price(floor)));
            assert_eq!(Price(value).ceil_to(Price(step)), Some(Price(ceil)));
        }
        assert_eq!(Qty(1).floor_to(Qty(0)), None);
        assert_eq!(Qty(i64::MAX).ceil_to(Qty(10)), None);
    }
}
