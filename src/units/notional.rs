//! Price times quantity, exact.

/// Count of `10^-(price_decimals + qty_decimals)` quote units. Exact: an `i64 × i64` always fits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Notional(pub i128);

impl Notional {
    /// Nothing.
    pub const ZERO: Self = Self(0);
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
    /// Magnitude; saturates.
    #[must_use]
    pub fn abs(self) -> Self {
        Self(self.0.saturating_abs())
    }
    /// `self × ratio`, rounded towards plus infinity (a cost is never understated).
    #[must_use]
    pub fn times_ppm_ceil(self, ratio: super::Ppm) -> Option<Self> {
        let product = self.0.checked_mul(i128::from(ratio.0))?;
        let floor = product.div_euclid(1_000_000);
        Some(Self(if product.rem_euclid(1_000_000) == 0 {
            floor
        } else {
            floor + 1
        }))
    }
    /// `self × ratio`, rounded towards minus infinity (a gain is never overstated).
    #[must_use]
    pub fn times_ppm_floor(self, ratio: super::Ppm) -> Option<Self> {
        Some(Self(
            self.0
                .checked_mul(i128::from(ratio.0))?
                .div_euclid(1_000_000),
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::Ppm;

    #[test]
    fn ppm_rounds_by_name() {
        assert_eq!(
            Notional(1_000_001).times_ppm_ceil(Ppm(1_000)),
            Some(Notional(1_001))
        );
        assert_eq!(
            Notional(1_000_001).times_ppm_floor(Ppm(1_000)),
            Some(Notional(1_000))
        );
        assert_eq!(
            Notional(1_000_001).times_ppm_floor(Ppm(-1_000)),
            Some(Notional(-1_001))
        );
    }
}
