//! How much of its margin account a perpetual uses, and how far the price may move until the venue liquidates it.
//!
//! The whole account stands for the position (cross margin). With equity E, maintenance margin M and value V the price may
//! move by `(E - M) / (V + 2M)`: a short's maintenance grows as the price rises, at a rate that is more than M / V in the
//! higher tiers. V37 (10 short at 100,000, wallet 20,000): 128.71 bps, where the true liquidation is 129.21 bps away.

use crate::market::Instrument;
use crate::strategy::inventory::{MARGIN_DECIMALS, MarginRoom};
use crate::strategy::signal::Pass;
use crate::units::{Money, Ppm, Price, Qty};

/// Below this distance nothing is added and it is told; at or above the minimum nothing is taken off.
pub const DISTANCE_WARN: Ppm = Ppm::from_bps(3_500);
/// Maintenance margin assumed for what is added, of its value.
const MAINTENANCE_ADDED: Ppm = Ppm(25_000);

/// Value of contracts in the unit of [`MarginRoom`], without sign, rounded up. `None` when it does not fit.
#[must_use]
pub fn value_ceil(contract: &Instrument, qty: Qty, price: Price) -> Option<i128> {
    let value = contract.contract().value(
        Money(contract.grid.qty_decimal(qty.abs())),
        Money(contract.grid.price_decimal(price)),
    );
    // Floor of minus the magnitude is minus its ceil.
    (-value.ok()?.abs())
        .steps_floor(MARGIN_DECIMALS)
        .map(|floor| -floor)
}

/// Move of the price against the position until its venue liquidates, in ppm, rounded down.
#[must_use]
pub fn distance_floor(room: &MarginRoom, value: i128) -> Ppm {
    let maintenance = room.equity.saturating_sub(room.left).max(0);
    let under = value.saturating_add(maintenance.saturating_mul(2));
    let Some(over) = room.left.max(0).checked_mul(i128::from(Ppm::ONE.0)) else {
        return Ppm(i64::MAX);
    };
    if under <= 0 {
        return Ppm(i64::MAX);
    }
    Ppm(i64::try_from(over.div_euclid(under)).unwrap_or(i64::MAX))
}

/// Value over equity in ppm, rounded up; without equity the largest there is.
#[must_use]
pub fn leverage_ceil(room: &MarginRoom, value: i128) -> Ppm {
    if room.equity <= 0 {
        return Ppm(i64::MAX);
    }
    let over = value.saturating_mul(i128::from(Ppm::ONE.0));
    Ppm(i64::try_from(-(-over).div_euclid(room.equity)).unwrap_or(i64::MAX))
}

/// May `added` be put on top of `held`?
///
/// # Errors
/// [`Pass::Leverage`] or [`Pass::LiquidationNear`] with both numbers, of the position as it would be.
pub fn check_entry(
    room: &MarginRoom,
    held: i128,
    added: i128,
    leverage_max: u32,
    distance_min: Ppm,
) -> Result<(), Pass> {
    let value = held.saturating_add(added);
    let leverage = leverage_ceil(room, value);
    let leverage_max = Ppm(Ppm::ONE.0.saturating_mul(i64::from(leverage_max)));
    if leverage > leverage_max {
        return Err(Pass::Leverage {
            leverage,
            leverage_max,
        });
    }
    let maintenance = added
        .saturating_mul(i128::from(MAINTENANCE_ADDED.0))
        .div_euclid(i128::from(Ppm::ONE.0))
        .saturating_add(1);
    let after = MarginRoom {
        equity: room.equity,
        left: room.left.saturating_sub(maintenance),
    };
    let (distance, distance_min) = (
        distance_floor(&after, value),
        distance_min.max(DISTANCE_WARN),
    );
    if distance < distance_min {
        return Err(Pass::LiquidationNear {
            distance,
            distance_min,
        });
    }
    Ok(())
}

/// Share of the position that must go so that the distance is at the warning level again, in ppm, rounded up.
#[must_use]
pub fn shrink_share_ceil(distance: Ppm, distance_min: Ppm) -> Ppm {
    let wanted = i128::from(distance_min.max(DISTANCE_WARN).0.max(1));
    // The distance is inverse to the value: value' / value = distance / wanted.
    let kept = (i128::from(distance.0.max(0)) * i128::from(Ppm::ONE.0)).div_euclid(wanted);
    Ppm(Ppm::ONE.0 - i64::try_from(kept).unwrap_or(Ppm::ONE.0).min(Ppm::ONE.0))
}
