//! Covariance of one-day returns as integers, and the deviation of a portfolio.
//!
//! Returns are whole parts per billion; the mean is taken as zero and the weights are normalised (RISK.md 3.7, V45): the newest
//! weighs 1, each older one `lambda` times less, and the sum of products is divided by the sum of weights.

use rust_decimal::Decimal;

use crate::risk::VarModel;
use crate::units::ratio::{div_half_even, sqrt_floor};
use crate::units::{Asset, Money, Ppm};

/// From parts per billion squared to parts per million squared.
const PPB2_PER_PPM2: i128 = 1_000_000;
/// Largest magnitude of an exposure inside the sums; larger ones are counted in a coarser unit.
const EXPOSURE_UNITS_MAX: i128 = 100_000_000_000;
/// Decimals of an exposure inside the sums: cents.
const EXPOSURE_DECIMALS: u32 = 2;
/// Decimals of a deviation that is answered.
const DEVIATION_DECIMALS: u32 = 12;

/// One EWMA step: `lambda × variance + (1 - lambda) × return²`, both variances in units of 10^-24, the return in parts per
/// billion, rounded half to even. `None` when it does not fit. Example (V46): 1.8 % and a return of -2.3 % at 0.94 give
/// 0.0003363.
#[must_use]
pub fn ewma_step(variance_e24: i128, return_ppb: i64, lambda: Ppm) -> Option<i128> {
    let square = i128::from(return_ppb)
        .checked_mul(i128::from(return_ppb))?
        .checked_mul(1_000_000)?;
    let kept = variance_e24.checked_mul(i128::from(lambda.0))?;
    let new = square.checked_mul(i128::from(Ppm::ONE.0.checked_sub(lambda.0)?))?;
    div_half_even(kept.checked_add(new)?, i128::from(Ppm::ONE.0))
}

/// Covariances of the one-day returns of base assets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Covariance {
    /// Base assets, in the order of the matrix.
    pub factors: Vec<Asset>,
    /// Row by row, in parts per billion squared (units of 10^-18).
    pub ppb2: Vec<i128>,
    /// Fewest returns behind any entry.
    pub observations: usize,
}

impl Covariance {
    /// One entry; `None` when a factor is not there.
    #[must_use]
    pub fn entry(&self, left: Asset, right: Asset) -> Option<i128> {
        let at = |asset| self.factors.iter().position(|factor| *factor == asset);
        self.ppb2
            .get(
                at(left)?
                    .checked_mul(self.factors.len())?
                    .checked_add(at(right)?)?,
            )
            .copied()
    }

    /// The gate's model: parts per million squared, half to even. `None` when an entry does not fit.
    #[must_use]
    pub fn model(&self) -> Option<VarModel> {
        let mut covariance_ppm2 = Vec::with_capacity(self.ppb2.len());
        for entry in &self.ppb2 {
            covariance_ppm2.push(i64::try_from(div_half_even(*entry, PPB2_PER_PPM2)?).ok()?);
        }
        Some(VarModel {
            factors: self.factors.clone(),
            covariance_ppm2,
        })
    }

    /// Standard deviation of one day's profit of `exposures` (asset, signed value). Exposures are rounded half to even to cents
    /// (to a coarser unit above a billion), the root down at the digits that 128 bits give and then up at 12 decimals. A
    /// variance below zero by rounding counts as zero.
    ///
    /// `None` when an exposed asset has no factor, or a sum does not fit: the caller fails closed.
    #[must_use]
    pub fn deviation(&self, exposures: &[(Asset, Decimal)]) -> Option<Decimal> {
        let mut units = Vec::with_capacity(exposures.len());
        for (asset, value) in exposures {
            let cents = Money(*value)
                .mul_div_half_even(Money(Decimal::ONE), Money(Decimal::ONE), EXPOSURE_DECIMALS)
                .ok()?;
            units.push((*asset, cents.0.mantissa()));
        }
        let mut dropped = 0_u32;
        while units
            .iter()
            .any(|(_, unit)| unit.abs() > EXPOSURE_UNITS_MAX)
        {
            for (_, unit) in &mut units {
                *unit = div_half_even(*unit, 10)?;
            }
            dropped += 1;
        }
        let mut variance = 0_i128;
        for (left, own) in &units {
            for (right, other) in &units {
                let product = own
                    .checked_mul(*other)?
                    .checked_mul(self.entry(*left, *right)?)?;
                variance = variance.checked_add(product)?;
            }
        }
        // Units of 10^-18 of a square of 10^-2.
        let (root, decimals) = sqrt_floor(
            u128::try_from(variance.max(0)).ok()?,
            18 + 2 * EXPOSURE_DECIMALS,
        );
        let root = Decimal::try_from_i128_with_scale(i128::try_from(root).ok()?, decimals).ok()?;
        let factor = Decimal::from(10_u64.checked_pow(dropped)?);
        Money(root)
            .mul_div_ceil(Money(factor), Money(Decimal::ONE), DEVIATION_DECIMALS)
            .ok()
            .map(|deviation| deviation.0.normalize())
    }
}
