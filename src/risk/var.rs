//! Value at risk as the gate needs it: exact integers, so that equal inputs give equal decisions.

use crate::units::Asset;

/// Covariance of one-day returns of base assets.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct VarModel {
    /// Base assets, in the order of the matrix.
    pub factors: Vec<Asset>,
    /// Row by row, in parts per million squared (0.04 daily deviation is a variance of 1,600,000,000).
    pub covariance_ppm2: Vec<i64>,
}
