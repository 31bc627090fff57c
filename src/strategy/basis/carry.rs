//! What holding a pair earns: basis, funding and fees, as integers that err against us.
//!
//! A pair earns in three ways. The *basis* at which it was entered is expected to fall to the basis at which it is taken off.
//! *Funding* is paid on the perpetual once an interval. Four *fees* are paid once a round trip, and spread over the horizon.
//!
//! Example (docs/STRATEGIES.md): perpetual at 60,180 over spot at 60,000 is 30 bps; to 5 bps it decays by 25. Funding of 3 bps
//! in 8 h makes 27 in 72 h. Fees of 10 and 4 bps, twice, on 60,180 for the perpetual: 28.03. Net 23.97 in 72 h, 7.99 a day.

use crate::units::{Nanos, Ppm};

use super::Direction;

/// Eight hours: the unit of all funding rates.
pub const EIGHT_HOURS: Nanos = Nanos::from_secs(8 * 3_600);
/// A day.
pub const DAY: Nanos = Nanos::from_secs(24 * 3_600);
const PPB_IN_PPM: i128 = 1_000;

/// How far the perpetual lies beyond spot in the direction that a pair earns by, in ppm of spot, rounded down: what an entry at
/// these prices gets. Prices on one scale. `None` when spot is not above zero, or it does not fit.
#[must_use]
pub fn basis_floor(direction: Direction, spot: i128, perp: i128) -> Option<Ppm> {
    ratio(direction.sign() * (perp - spot), spot, false)
}

/// The same rounded up: what is left of it when the pair is taken off at these prices.
#[must_use]
pub fn basis_ceil(direction: Direction, spot: i128, perp: i128) -> Option<Ppm> {
    ratio(direction.sign() * (perp - spot), spot, true)
}

fn ratio(over: i128, under: i128, up: bool) -> Option<Ppm> {
    if under <= 0 {
        return None;
    }
    let over = over.checked_mul(i128::from(Ppm::ONE.0))?;
    let ppm = if up {
        -(-over).div_euclid(under)
    } else {
        over.div_euclid(under)
    };
    i64::try_from(ppm).ok().map(Ppm)
}

/// Funding that a pair receives over a span, parts per billion of its value, rounded down; negative: it pays. `interval` is the
/// venue's time between two fundings.
#[must_use]
pub fn funding_over(
    direction: Direction,
    rate_ppb: i64,
    interval: Nanos,
    span: Nanos,
) -> Option<i64> {
    if interval.0 == 0 {
        return None;
    }
    let received = direction.sign() * i128::from(rate_ppb);
    let over = received.checked_mul(i128::from(span.0))?;
    i64::try_from(over.div_euclid(i128::from(interval.0))).ok()
}

/// What a pair is judged by.
#[derive(Debug, Clone, Copy)]
pub struct CarryTerms {
    /// Taker fee at spot.
    pub spot_fee: Ppm,
    /// Taker fee at the perpetual.
    pub perp_fee: Ppm,
    /// Basis that it decays to.
    pub exit_basis: Ppm,
    /// Over how long.
    pub horizon: Nanos,
}

/// What a pair is expected to earn, of its value at entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Carry {
    /// Funding and decay over the horizon, floor.
    pub gross: Ppm,
    /// Fees of the round trip, ceil.
    pub fees: Ppm,
    /// Gross less fees, floor.
    pub net: Ppm,
    /// Net a day, floor.
    pub per_day: Ppm,
}

/// Fees of both legs once, in ppm of the spot value, rounded up. The perpetual's fee is on its own price.
#[must_use]
pub fn fees_once_ceil(terms: &CarryTerms, basis: Ppm) -> Option<i64> {
    fees_ceil(terms, basis, 1)
}

fn fees_ceil(terms: &CarryTerms, basis: Ppm, times: i128) -> Option<i64> {
    let one = i128::from(Ppm::ONE.0);
    // A discount of the perpetual makes its fee smaller: not counted.
    let price = one + i128::from(basis.0.max(0));
    let micros =
        times * (i128::from(terms.spot_fee.0) * one + i128::from(terms.perp_fee.0) * price);
    i64::try_from(-(-micros).div_euclid(one)).ok()
}

/// The carry of a pair entered at `basis`. `None` when a number does not fit.
#[must_use]
pub fn carry(
    terms: &CarryTerms,
    direction: Direction,
    basis: Ppm,
    rate_ppb: i64,
    interval: Nanos,
) -> Option<Carry> {
    let funding = funding_over(direction, rate_ppb, interval, terms.horizon)?;
    let fees = fees_ceil(terms, basis, 2)?;
    let decay = i128::from(basis.0) - i128::from(terms.exit_basis.0);
    let gross = i128::from(funding) + decay * PPB_IN_PPM;
    let net = gross - i128::from(fees) * PPB_IN_PPM;
    let horizon = i128::from(terms.horizon.0).checked_mul(PPB_IN_PPM)?;
    if horizon <= 0 {
        return None;
    }
    let per_day = net.checked_mul(i128::from(DAY.0))?.div_euclid(horizon);
    let ppm = |value: i128| i64::try_from(value).ok().map(Ppm);
    Some(Carry {
        gross: ppm(gross.div_euclid(PPB_IN_PPM))?,
        fees: Ppm(fees),
        net: ppm(net.div_euclid(PPB_IN_PPM))?,
        per_day: ppm(per_day)?,
    })
}

/// What a pair whose funding turned is expected to lose over the horizon, in ppm, rounded down; zero when it receives.
#[must_use]
pub fn flip_loss_floor(
    terms: &CarryTerms,
    direction: Direction,
    rate_ppb: i64,
    interval: Nanos,
) -> Option<Ppm> {
    let funding = funding_over(direction, rate_ppb, interval, terms.horizon)?;
    let loss = -i128::from(funding).min(0);
    i64::try_from(loss.div_euclid(PPB_IN_PPM)).ok().map(Ppm)
}

/// What taking a pair off costs now: both fees once, and the basis above the one it would have decayed to. Rounded up.
#[must_use]
pub fn exit_cost_ceil(terms: &CarryTerms, remaining: Ppm) -> Option<Ppm> {
    let forgone = remaining.0.checked_sub(terms.exit_basis.0)?.max(0);
    fees_once_ceil(terms, remaining)?
        .checked_add(forgone)
        .map(Ppm)
}
