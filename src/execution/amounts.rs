//! Quantities of a set: base units that legs with contracts of different size share, and what was traded on one leg.

use rust_decimal::Decimal;

use crate::units::{Asset, Notional, Price, Qty, Side};

/// A signed quantity in base units, scaled by 10^8 and the grid, so that contracts of different size add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct BaseQty(pub i128);

/// Base units a contract, times 10^8; `None` when that is no whole number.
#[must_use]
pub fn contract_units(multiplier: Decimal) -> Option<i64> {
    let multiplier = multiplier.normalize();
    let up = 10_i128.checked_pow(8_u32.checked_sub(multiplier.scale())?)?;
    let units = i64::try_from(multiplier.mantissa().checked_mul(up)?).ok()?;
    (units > 0).then_some(units)
}

impl BaseQty {
    /// A signed quantity of contracts of the given size.
    #[must_use]
    pub fn of(side: Side, qty: Qty, units: i64) -> Self {
        Self(i128::from(qty.0) * i128::from(units) * i128::from(side.sign()))
    }
    /// Its magnitude in contracts of the given size, rounded down.
    #[must_use]
    pub fn contracts_floor(self, units: i64) -> Qty {
        let contracts = self
            .0
            .unsigned_abs()
            .div_euclid(u128::from(units.max(1).unsigned_abs()));
        Qty(i64::try_from(contracts).unwrap_or(i64::MAX))
    }
    /// The side that brings it towards zero; `None` when it is zero.
    #[must_use]
    pub const fn reducing_side(self) -> Option<Side> {
        match self.0 {
            0 => None,
            quantity if quantity > 0 => Some(Side::Sell),
            _ => Some(Side::Buy),
        }
    }
}

/// What was traded on one leg, all its orders together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traded {
    /// Quantity bought.
    pub bought: Qty,
    /// What it cost.
    pub bought_notional: Notional,
    /// Quantity sold.
    pub sold: Qty,
    /// What it yielded.
    pub sold_notional: Notional,
    /// Fees in `fee_asset`.
    pub fee: Decimal,
    /// The asset of the first fee.
    pub fee_asset: Option<Asset>,
    /// Fees came in more than one asset, or did not add up: `fee` is incomplete.
    pub fee_incomplete: bool,
}

impl Traded {
    /// Counts one execution.
    pub fn add(
        &mut self,
        side: Side,
        qty: Qty,
        price: Price,
        fee: Decimal,
        fee_asset: Option<Asset>,
    ) {
        let (total, value) = match side {
            Side::Buy => (&mut self.bought, &mut self.bought_notional),
            Side::Sell => (&mut self.sold, &mut self.sold_notional),
        };
        *total = Qty(total.0.saturating_add(qty.0));
        *value = Notional(value.0.saturating_add(price.times(qty).0));
        if fee.is_zero() {
            return;
        }
        let same = fee_asset.is_some() && (self.fee_asset.is_none() || self.fee_asset == fee_asset);
        match self.fee.checked_add(fee) {
            Some(sum) if same => {
                self.fee = sum;
                self.fee_asset = fee_asset;
            }
            _ => self.fee_incomplete = true,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn contract_sizes_add_up() {
        let units = |text: &str| contract_units(text.parse().unwrap());
        assert_eq!(units("1"), Some(100_000_000));
        assert_eq!(units("0.01"), Some(1_000_000));
        assert_eq!(units("0.000000001"), None);
        assert_eq!(units("0"), None);
        let long = BaseQty::of(Side::Buy, Qty(5), units("1").unwrap());
        let short = BaseQty::of(Side::Sell, Qty(500), units("0.01").unwrap());
        assert_eq!(long.0 + short.0, 0);
        assert_eq!(long.contracts_floor(units("0.01").unwrap()), Qty(500));
        assert_eq!(
            (long.reducing_side(), short.reducing_side()),
            (Some(Side::Sell), Some(Side::Buy))
        );
    }
}
