//! One unit for ratios: parts per million. One basis point is 100 ppm.

/// Parts per million, signed. Fees, edges, slippage and drawdown all use it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(transparent)]
pub struct Ppm(pub i64);

impl Ppm {
    /// The whole: 1,000,000 ppm.
    pub const ONE: Self = Self(1_000_000);
    /// From whole basis points.
    #[must_use]
    pub const fn from_bps(bps: i64) -> Self {
        Self(bps * 100)
    }
    /// Sum, saturating.
    #[must_use]
    pub const fn saturating_add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
    /// Difference, saturating.
    #[must_use]
    pub const fn saturating_sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl std::fmt::Display for Ppm {
    /// In basis points with two decimals, as traders read it: `5.25 bps`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let sign = if self.0 < 0 { "-" } else { "" };
        let magnitude = self.0.unsigned_abs();
        write!(
            f,
            "{sign}{}.{:02} bps",
            magnitude.div_euclid(100),
            magnitude % 100
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shows_basis_points() {
        assert_eq!(Ppm(525).to_string(), "5.25 bps");
        assert_eq!(Ppm(-1).to_string(), "-0.01 bps");
        assert_eq!(Ppm::from_bps(5), Ppm(500));
    }
}
