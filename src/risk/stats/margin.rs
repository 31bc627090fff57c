//! Maintenance margin by tiers and the liquidation price of an isolated linear position (V36, V37).
//!
//! `margin = notional × rate - amount` of the tier that holds the notional; the amounts make it continuous at each bound.

use rust_decimal::Decimal;

use crate::units::{Money, MoneyError};

/// Decimals of a liquidation price and of a ratio.
const DECIMALS: u32 = 10;

/// One tier of a venue's table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarginTier {
    /// Largest notional of the tier, inclusive; `None` for the last.
    pub notional_max: Option<Decimal>,
    /// Maintenance margin as a fraction of the notional.
    pub rate: Decimal,
    /// What is taken off.
    pub amount: Decimal,
}

/// Why a table is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TierError {
    /// No tier, or only the last may be without a bound.
    #[error("tiers were empty, not ascending, or not closed by one without a bound")]
    Shape,
    /// A rate outside 0 to 1, or falling.
    #[error("rate of a tier was not between 0 and 1 and rising")]
    Rate,
    /// The margin jumps where two tiers meet.
    #[error("maintenance margin was not continuous where two tiers meet")]
    Jump,
    /// An amount does not fit a decimal.
    #[error("{0}")]
    Money(#[from] MoneyError),
}

/// A venue's table of tiers, checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MarginTiers(Vec<MarginTier>);

impl MarginTiers {
    /// Takes a table in ascending order.
    ///
    /// # Errors
    /// [`TierError`] when it is not ascending, not closed or not continuous.
    pub fn new(tiers: Vec<MarginTier>) -> Result<Self, TierError> {
        let last = tiers.len().checked_sub(1).ok_or(TierError::Shape)?;
        for (at, tier) in tiers.iter().enumerate() {
            if (at == last) != tier.notional_max.is_none() {
                return Err(TierError::Shape);
            }
            if tier.rate < Decimal::ZERO || tier.rate >= Decimal::ONE {
                return Err(TierError::Rate);
            }
            let (Some(bound), Some(next)) = (tier.notional_max, tiers.get(at + 1)) else {
                continue;
            };
            if bound <= Decimal::ZERO || next.notional_max.is_some_and(|next| next <= bound) {
                return Err(TierError::Shape);
            }
            if next.rate < tier.rate {
                return Err(TierError::Rate);
            }
            if margin(bound, tier)? != margin(bound, next)? {
                return Err(TierError::Jump);
            }
        }
        Ok(Self(tiers))
    }

    /// Maintenance margin of a notional at or above zero, exact.
    ///
    /// # Errors
    /// [`MoneyError`].
    pub fn maintenance(&self, notional: Decimal) -> Result<Decimal, MoneyError> {
        let tier = self
            .0
            .iter()
            .find(|tier| tier.notional_max.is_none_or(|bound| notional <= bound));
        // The last tier has no bound, so there is one.
        tier.map_or(Ok(Decimal::ZERO), |tier| Ok(margin(notional, tier)?.0))
    }

    /// Price at which the wallet and the position's loss leave exactly the maintenance margin. A long's is rounded up and a
    /// short's down at 10 decimals: never farther away than it is.
    ///
    /// `None` when flat, when the position cannot be liquidated (the price would not be above zero), or when an amount does not
    /// fit. `qty` is signed, in base units; `wallet` is what backs this position alone.
    #[must_use]
    pub fn liquidation_price(
        &self,
        qty: Decimal,
        entry: Decimal,
        wallet: Decimal,
    ) -> Option<Decimal> {
        let (size, value) = (Money(qty.abs()), Money(qty.abs()).mul(Money(entry)).ok()?);
        if size.is_zero() {
            return None;
        }
        let is_long = qty > Decimal::ZERO;
        let mut below = Decimal::ZERO;
        for tier in &self.0 {
            let own = Money(wallet).add(Money(tier.amount)).ok()?;
            let (over, share) = if is_long {
                (value.sub(own).ok()?, Decimal::ONE.checked_sub(tier.rate)?)
            } else {
                (value.add(own).ok()?, Decimal::ONE.checked_add(tier.rate)?)
            };
            let under = size.mul(Money(share)).ok()?;
            let one = Money(Decimal::ONE);
            let price = if is_long {
                over.mul_div_ceil(one, under, DECIMALS)
            } else {
                over.mul_div_floor(one, under, DECIMALS)
            };
            let price = price.ok()?;
            let notional = price.mul(size).ok()?.0;
            let holds = notional > below && tier.notional_max.is_none_or(|bound| notional <= bound);
            if price.0 > Decimal::ZERO && holds {
                return Some(price.0.normalize());
            }
            below = tier.notional_max.unwrap_or(below);
        }
        None
    }
}

fn margin(notional: Decimal, tier: &MarginTier) -> Result<Money, MoneyError> {
    Money(notional)
        .mul(Money(tier.rate))?
        .sub(Money(tier.amount))
}

/// Maintenance margin over margin balance (AT-10), rounded up at 10 decimals; `None` when the balance is not above zero: the
/// caller takes that for the worst.
#[must_use]
pub fn margin_ratio(maintenance: Decimal, balance: Decimal) -> Option<Decimal> {
    if balance <= Decimal::ZERO {
        return None;
    }
    Money(maintenance)
        .mul_div_ceil(Money(Decimal::ONE), Money(balance), DECIMALS)
        .ok()
        .map(|ratio| ratio.0.normalize())
}
