//! Value at risk and expected shortfall of a portfolio of base assets, parametric, in exact integers: equal inputs give
//! equal decisions (PT-29, AT-12, AT-13).
//!
//! With exposures `w` and covariances `C` of one-day returns the standard deviation is `sqrt(w C w)`; the normal
//! distribution then gives `VaR99 = 2.3263478740 sd` and `ES97.5 = 2.3378027922 sd` (RISK.md 3.7). Every rounding is up.

use crate::units::Asset;

/// 99 % quantile of the normal distribution, in parts per billion, rounded up.
pub const VAR99_PPB: i128 = 2_326_347_875;
/// Expected shortfall factor at 97.5 %, in parts per billion, rounded up.
pub const ES975_PPB: i128 = 2_337_802_793;

/// Covariance of one-day returns of base assets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VarModel {
    /// Base assets, in the order of the matrix.
    pub factors: Vec<Asset>,
    /// Row by row, in parts per million squared (0.04 daily deviation is a variance of 1,600,000,000).
    pub covariance_ppm2: Vec<i64>,
}

impl VarModel {
    /// Covariance of two factors by position; zero outside the matrix.
    #[must_use]
    pub fn covariance(&self, row: usize, column: usize) -> i64 {
        let place = row * self.factors.len() + column;
        self.covariance_ppm2.get(place).copied().unwrap_or(0)
    }
    /// Position of an asset among the factors.
    #[must_use]
    pub fn factor(&self, asset: Asset) -> Option<usize> {
        self.factors.iter().position(|factor| *factor == asset)
    }
    /// Standard deviation of a portfolio over a day; see [`deviation`].
    #[must_use]
    pub fn deviation(&self, exposure_cents: impl Fn(usize) -> i128) -> Option<i128> {
        deviation(self.factors.len(), exposure_cents, |row, column| {
            self.covariance(row, column)
        })
    }
}

/// Standard deviation in hundredths of money times ppm, rounded up; `None` on overflow. `exposure` is signed, in hundredths
/// of the reporting currency, by position; a sum of squares below zero (a matrix that is none) counts as zero.
#[must_use]
pub fn deviation(
    factors: usize,
    exposure: impl Fn(usize) -> i128,
    covariance: impl Fn(usize, usize) -> i64,
) -> Option<i128> {
    let mut sum: i128 = 0;
    for row in 0..factors {
        let own = exposure(row);
        if own == 0 {
            continue;
        }
        for column in 0..factors {
            let other = exposure(column);
            let term = own
                .checked_mul(other)?
                .checked_mul(i128::from(covariance(row, column)))?;
            sum = sum.checked_add(term)?;
        }
    }
    let square = sum.max(0);
    let root = square.isqrt();
    Some(if root * root == square {
        root
    } else {
        root + 1
    })
}

/// A quantile of the deviation in hundredths of money, rounded up; `None` on overflow.
#[must_use]
pub fn scaled(deviation: i128, factor_ppb: i128) -> Option<i128> {
    let product = deviation.checked_mul(factor_ppb)?;
    Some(-(-product).div_euclid(1_000_000_000_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn model(covariance_ppm2: &[i64]) -> VarModel {
        let factors = ["BTC", "ETH"].map(|code| Asset::new(code).unwrap());
        VarModel {
            factors: factors.to_vec(),
            covariance_ppm2: covariance_ppm2.to_vec(),
        }
    }

    /// V47: +100,000 (3 %) and -60,000 (4 %), correlation 0.8.
    #[test]
    fn two_assets() {
        let model = model(&[900_000_000, 960_000_000, 960_000_000, 1_600_000_000]);
        let exposures = [10_000_000_i128, -6_000_000];
        let deviation = model.deviation(|index| exposures[index]).unwrap();
        assert_eq!(deviation, 180_000 * 1_000_000, "exactly 1,800");
        assert_eq!(
            scaled(deviation, VAR99_PPB),
            Some(418_743),
            "4,187.42617 up"
        );
        assert_eq!(
            scaled(deviation, ES975_PPB),
            Some(420_805),
            "4,208.04503 up"
        );
        let alone = |index: usize| {
            let only = |place: usize| {
                if place == index { exposures[place] } else { 0 }
            };
            scaled(model.deviation(only).unwrap(), VAR99_PPB).unwrap()
        };
        assert_eq!(alone(0) + alone(1), 1_256_228 + 1, "12,562.28, each up");
    }

    #[test]
    fn roots_are_rounded_up_and_overflow_is_told() {
        assert_eq!(deviation(1, |_| 3, |_, _| 1), Some(3));
        assert_eq!(deviation(1, |_| 1, |_, _| 2), Some(2));
        assert_eq!(deviation(1, |_| 0, |_, _| 2), Some(0));
        assert_eq!(deviation(1, |_| i128::MAX, |_, _| 2), None);
        assert_eq!(scaled(i128::MAX, VAR99_PPB), None);
        assert_eq!(scaled(1, VAR99_PPB), Some(1));
    }
}
