//! At what price a forced close may trade: the protection ladder from the touch it hits, or from the last mark.

use crate::market::{Instrument, Mark, Trust};
use crate::risk::Limits;
use crate::units::{Grid, Money, MonoNanos, Nanos, Ppm, Price, Qty, Side};

/// Protection relative to the touch, step by step (2.7 rule 6).
const LADDER: [Ppm; 5] = [
    Ppm::from_bps(20),
    Ppm::from_bps(50),
    Ppm::from_bps(100),
    Ppm::from_bps(200),
    Ppm::from_bps(500),
];
/// Added when the book cannot be used and the last mark stands in (rule 9a).
const STALE_EXTRA: Ppm = Ppm::from_bps(50);
/// Oldest mark that may price anything (rule 9c).
pub(super) const MARK_AGE_MAX: Nanos = Nanos::from_secs(60);

/// A price to close by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::risk) struct CloseQuote {
    /// What a sale meets.
    bid: Price,
    /// What a purchase meets.
    ask: Price,
    /// Added to the ladder.
    extra: Ppm,
    /// Mid or mark: what the slippage is measured against.
    pub(in crate::risk) decision: Price,
}

impl CloseQuote {
    /// The touch of a trusted, fresh, uncrossed book; else the newest mark of the venue or our own last mid, not older
    /// than a minute, with 50 basis points more room; else `None`.
    pub(in crate::risk) fn of(
        mark: Option<&Mark>,
        last_mid: Option<(Price, MonoNanos)>,
        limits: &Limits,
        now: MonoNanos,
    ) -> Option<Self> {
        let mark = mark?;
        let age = now.since(mark.received_at);
        if mark.trust == Trust::Trusted
            && age <= limits.ref_price_age_max
            && let (Some(bid), Some(ask)) = (mark.bid, mark.ask)
            && bid < ask
        {
            return Some(Self {
                bid,
                ask,
                extra: Ppm(0),
                decision: mark.mid_floor()?,
            });
        }
        let venue = mark.venue_mark.filter(|_| age <= MARK_AGE_MAX);
        let own = last_mid
            .filter(|(_, at)| now.since(*at) <= MARK_AGE_MAX)
            .map(|(price, _)| price);
        let price = venue.or(own).filter(|price| price.0 > 0)?;
        Some(Self {
            bid: price,
            ask: price,
            extra: STALE_EXTRA,
            decision: price,
        })
    }

    /// The worst price of a child at a ladder step, on the tick and within the venue's bounds, rounded so that the cap is
    /// not exceeded: a buy down, a sale up. `None` when there is no such price.
    pub(super) fn protection(
        &self,
        side: Side,
        step: usize,
        instrument: &Instrument,
    ) -> Option<Price> {
        let cap = LADDER
            .get(step.min(LADDER.len() - 1))?
            .saturating_add(self.extra);
        let touch = match side {
            Side::Buy => self.ask,
            Side::Sell => self.bid,
        };
        let million = i128::from(Ppm::ONE.0);
        let factor = million + i128::from(side.sign()) * i128::from(cap.0);
        let scaled = i128::from(touch.0).checked_mul(factor)?;
        let price = match side {
            Side::Buy => {
                Price(i64::try_from(scaled.div_euclid(million)).ok()?).floor_to(instrument.tick)?
            }
            Side::Sell => Price(i64::try_from(-(-scaled).div_euclid(million)).ok()?)
                .ceil_to(instrument.tick)?,
        };
        let low = price >= instrument.price_min.max(instrument.tick);
        let high = instrument.price_max.is_none_or(|max| price <= max);
        (low && high && price.0 > 0).then_some(price)
    }
}

/// Whether the venue would refuse an order for being too small. Venues with reduce-only orders waive their minimum value
/// for them, not their minimum quantity.
pub(super) fn is_dust(qty: Qty, price: Price, instrument: &Instrument) -> bool {
    if qty < instrument.qty_min {
        return true;
    }
    if instrument.has_reduce_only {
        return false;
    }
    let grid: Grid = instrument.grid;
    let value = grid
        .notional_money(price.times(qty))
        .and_then(|value| value.mul(Money(instrument.multiplier)).ok());
    value.is_some_and(|value| value.0 < instrument.notional_min)
}
