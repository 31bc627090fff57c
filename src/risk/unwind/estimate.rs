//! What a close will cost, before it starts: a walk through what the book shows within the widest protection.

use rust_decimal::Decimal;

use crate::market::depth::{Pool, SideDepth};
use crate::market::{Depth, Instrument};
use crate::units::{Money, Notional, Ppm, Price, Qty, Side};

const BPS_DECIMALS: u32 = 6;

/// The cost of closing a quantity now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloseEstimate {
    /// Quantity to close.
    pub qty: Qty,
    /// Part of it that the book does not show within the widest protection (500 basis points).
    pub unfillable: Qty,
    /// Mid that the cost is measured against.
    pub mid: Price,
    /// Cost of the rest against the mid, in the quote asset; fees are not in it.
    pub cost: Decimal,
    /// The same in basis points of its value at mid, half-even at 6 decimals.
    pub slippage_bps: Decimal,
}

impl CloseEstimate {
    /// Walks the side that `taker` meets; `None` when the book is one-sided or a number does not fit.
    #[must_use]
    pub fn of(depth: &Depth, taker: Side, qty: Qty, instrument: &Instrument) -> Option<Self> {
        let bid = depth.bids.levels().first()?.price;
        let ask = depth.asks.levels().first()?.price;
        let mid = Price(bid.0.checked_add(ask.0)?.div_euclid(2));
        let taken = take(depth.met_by(taker), qty);
        let grid = instrument.grid;
        let multiplier = Money(instrument.multiplier);
        let ideal = grid.notional_money(mid.times(taken.qty))?;
        let value = grid.notional_money(taken.notional)?;
        let cost = match taker {
            Side::Buy => value.sub(ideal),
            Side::Sell => ideal.sub(value),
        };
        let cost = cost.ok()?;
        let slippage_bps = if ideal.is_zero() {
            Money::ZERO
        } else {
            cost.mul_div_half_even(Money(Decimal::from(10_000)), ideal, BPS_DECIMALS)
                .ok()?
        };
        Some(Self {
            qty,
            unfillable: Qty(qty.0.saturating_sub(taken.qty.0)),
            mid,
            cost: cost.mul(multiplier).ok()?.0.normalize(),
            slippage_bps: slippage_bps.0.normalize(),
        })
    }

    /// Share that the book does not show within the widest protection.
    #[must_use]
    pub fn unfillable_share(&self) -> Ppm {
        let million = i128::from(Ppm::ONE.0);
        let share = i128::from(self.unfillable.0) * million;
        let share = share.checked_div_euclid(i128::from(self.qty.0));
        Ppm(share
            .and_then(|share| i64::try_from(share).ok())
            .unwrap_or(0))
    }
}

/// Takes level by level while they are known one by one, then band by band at the average price of what is left of it.
fn take(side: &SideDepth, qty: Qty) -> Pool {
    let mut taken = Pool::default();
    let mut seen = Pool::default();
    for level in side.levels() {
        let part = Qty(level.qty.0.min(qty.0.saturating_sub(taken.qty.0)));
        taken = plus(taken, part, level.price.times(part));
        seen = plus(seen, level.qty, level.price.times(level.qty));
    }
    for step in 0..crate::market::depth::PROTECTION_BANDS.len() {
        let band = side.within(step);
        let more = Qty(band.qty.0.saturating_sub(seen.qty.0));
        let part = Qty(more.0.min(qty.0.saturating_sub(taken.qty.0)));
        if part.0 <= 0 {
            continue;
        }
        // The average is rounded down; over at most a band that is less than one price step.
        let value = (band.notional.0 - seen.notional.0)
            .saturating_mul(i128::from(part.0))
            .div_euclid(i128::from(more.0));
        taken = plus(taken, part, Notional(value));
        seen = band;
    }
    taken
}

const fn plus(pool: Pool, qty: Qty, value: Notional) -> Pool {
    Pool {
        qty: Qty(pool.qty.0.saturating_add(qty.0)),
        notional: Notional(pool.notional.0.saturating_add(value.0)),
    }
}
