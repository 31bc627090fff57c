//! What taking costs a venue's customer: taker fees by the strategy's own venue slot.
//!
//! A fee is what the venue keeps of the notional, in parts per million. Negative (a rebate) is allowed, one of 100% or
//! more is not a fee but a mistake. Fees are worst-case taker fees: no discount is assumed that the account may lose.

use crate::units::Ppm;

/// Taker fees by slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TakerFees {
    by_slot: Vec<Ppm>,
}

impl TakerFees {
    /// Takes the fees; `None` when one is not between -100% and +100%.
    #[must_use]
    pub fn new(by_slot: Vec<Ppm>) -> Option<Self> {
        by_slot
            .iter()
            .all(|fee| fee.0.abs() < Ppm::ONE.0)
            .then_some(Self { by_slot })
    }
    /// How many slots have a fee.
    #[must_use]
    pub const fn count(&self) -> usize {
        self.by_slot.len()
    }
    /// The fee of a slot; a slot without one costs everything, so that it never trades.
    #[must_use]
    #[inline]
    pub fn of(&self, slot: usize) -> Ppm {
        self.by_slot.get(slot).copied().unwrap_or(Ppm::ONE)
    }
    /// Edge that only pays the fees of a route: below it a trade loses for certain. Rounded up to a ppm.
    ///
    /// `(1 + buy) / (1 - sell) - 1`, so it is a little more than the sum of both fees.
    #[must_use]
    pub fn break_even(&self, buy_slot: usize, sell_slot: usize) -> Ppm {
        let paid = i128::from(Ppm::ONE.0 + self.of(buy_slot).0) * i128::from(Ppm::ONE.0);
        let kept = i128::from(Ppm::ONE.0 - self.of(sell_slot).0);
        if kept <= 0 {
            return Ppm(i64::MAX);
        }
        let ceil = -(-paid).div_euclid(kept);
        Ppm(i64::try_from(ceil - i128::from(Ppm::ONE.0)).unwrap_or(i64::MAX))
    }
}

/// A fee less a share of it, rounded up (a cost is never understated). A rebate keeps its worth.
#[must_use]
pub fn discounted_ceil(fee: Ppm, discount: Ppm) -> Ppm {
    if fee.0 <= 0 {
        return fee;
    }
    let paid = i128::from(fee.0) * i128::from(Ppm::ONE.0 - discount.0);
    Ppm(i64::try_from(-(-paid).div_euclid(i128::from(Ppm::ONE.0))).unwrap_or(i64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_discount_is_rounded_against_us() {
        assert_eq!(discounted_ceil(Ppm(1_000), Ppm(250_000)), Ppm(750));
        assert_eq!(discounted_ceil(Ppm(450), Ppm(100_000)), Ppm(405));
        assert_eq!(discounted_ceil(Ppm(333), Ppm(250_000)), Ppm(250), "249.75");
        assert_eq!(discounted_ceil(Ppm(-10), Ppm(250_000)), Ppm(-10));
    }

    #[test]
    fn break_even_is_a_little_above_both_fees() {
        let fees = TakerFees::new(vec![Ppm(1_000), Ppm(400)]).unwrap();
        assert_eq!(fees.break_even(0, 1), Ppm(1_401));
        assert_eq!(fees.of(7), Ppm::ONE);
        assert_eq!(fees.break_even(0, 7), Ppm(i64::MAX));
        assert!(TakerFees::new(vec![Ppm(1_000_000)]).is_none());
    }
}
