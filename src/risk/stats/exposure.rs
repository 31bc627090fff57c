//! Gross and net exposure, and the net quantity of each base asset (V38).

use rust_decimal::Decimal;

use crate::units::{Asset, Money, MoneyError};

/// One position in base units and its price in the reporting currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Held {
    /// What is held.
    pub base: Asset,
    /// Signed, in base units (contracts times multiplier).
    pub qty: Decimal,
    /// Price of one base unit.
    pub price: Decimal,
}

/// Sums over positions, exact.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Exposure {
    /// Sum of magnitudes.
    pub gross: Decimal,
    /// Sum with signs.
    pub net: Decimal,
    /// Net quantity and net value by base asset, in order of the asset.
    pub by_asset: Vec<(Asset, Decimal, Decimal)>,
}

impl Exposure {
    /// Adds up.
    ///
    /// # Errors
    /// [`MoneyError`] when a sum does not fit.
    pub fn of(positions: &[Held]) -> Result<Self, MoneyError> {
        let mut sum = Self::default();
        for held in positions {
            let value = Money(held.qty).mul(Money(held.price))?;
            sum.gross = Money(sum.gross).add(value.abs())?.0;
            sum.net = Money(sum.net).add(value)?.0;
            let at = sum
                .by_asset
                .binary_search_by(|(asset, _, _)| asset.cmp(&held.base));
            match at.map(|at| sum.by_asset.get_mut(at)) {
                Ok(Some((_, qty, worth))) => {
                    *qty = Money(*qty).add(Money(held.qty))?.0;
                    *worth = Money(*worth).add(value)?.0;
                }
                Ok(None) => {}
                Err(at) => sum.by_asset.insert(at, (held.base, held.qty, value.0)),
            }
        }
        Ok(sum)
    }
}
