//! Historical value at risk and expected shortfall, with the exact index rule of RISK.md 3.7.
//!
//! Losses sorted ascending `l1..ln`, `t = n × (1 - a)` exactly: VaR is `l` at index `n - floor(t)`, ES is
//! `[sum of the floor(t) worst + (t - floor(t)) × next] / t`. Example: 20 losses at 90 %: VaR is the third worst, ES the mean of
//! the two worst.

use rust_decimal::Decimal;

use crate::units::Money;

use super::Confidence;

/// Decimals at which an expected shortfall is rounded up.
const ES_DECIMALS: u32 = 8;

/// Both figures and how much they can say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Historical {
    /// Value at risk, exact: one of the losses.
    pub var: Decimal,
    /// Expected shortfall, rounded up at 8 decimals, so that it is never below the value at risk (I26).
    pub es: Decimal,
    /// How many losses there were: 20 cannot tell 97.5 % from 99 % (V42).
    pub observations: usize,
}

/// Sorts `losses` (a loss is positive) and answers; `None` without losses or when a sum does not fit.
#[must_use]
pub fn historical(losses: &mut [Decimal], confidence: Confidence) -> Option<Historical> {
    losses.sort_unstable();
    let observations = losses.len();
    let tail = confidence.tail_ppm(observations);
    let (whole, part) = (tail.div_euclid(1_000_000), tail.rem_euclid(1_000_000));
    let whole = usize::try_from(whole).ok()?;
    let at = observations.checked_sub(whole)?.checked_sub(1)?;
    let var = *losses.get(at)?;
    let million = Money(Decimal::from(1_000_000_u32));
    let mut sum = Money::ZERO;
    for loss in losses.get(at + 1..)? {
        sum = sum.add(Money(*loss)).ok()?;
    }
    let next = Money(var).mul(Money(Decimal::from(part))).ok()?;
    let weighted = sum.mul(million).ok()?.add(next).ok()?;
    let es = weighted
        .mul_div_ceil(Money(Decimal::ONE), Money(Decimal::from(tail)), ES_DECIMALS)
        .ok()?;
    Some(Historical {
        var,
        es: es.0.normalize(),
        observations,
    })
}
