//! At what price a forced close may trade: the protection ladder from the touch it hits, or from the last mark.

use crate::market::depth::{PROTECTION_BANDS, protected};
use crate::market::{Instrument, Mark, Trust};
use crate::risk::Limits;
use crate::units::{Money, MonoNanos, Nanos, Ppm, Price, Qty, Side};

/// Added when the book cannot be used and the last mark stands in (rule 9a).
const STALE_EXTRA: Ppm = Ppm::from_bps(50);
/// Added when only other venues' prices stand in (rule 9b).
const ELSEWHERE_EXTRA: Ppm = Ppm::from_bps(100);
/// Oldest mark that may price anything (rule 9c).
pub(in crate::risk) const MARK_AGE_MAX: Nanos = Nanos::from_secs(60);

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
    /// than a minute, with 50 basis points more room; else the median of other venues with 100 more; else `None`.
    pub(in crate::risk) fn of(
        mark: Option<&Mark>,
        last_mid: Option<(Price, MonoNanos)>,
        elsewhere: Option<Price>,
        limits: &Limits,
        now: MonoNanos,
    ) -> Option<Self> {
        let age = |mark: &Mark| now.since(mark.received_at);
        if let Some(mark) = mark.filter(|mark| mark.trust == Trust::Trusted)
            && age(mark) <= limits.ref_price_age_max
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
        let venue = mark
            .filter(|mark| age(mark) <= MARK_AGE_MAX)
            .and_then(|mark| mark.venue_mark);
        let own = last_mid
            .filter(|(_, at)| now.since(*at) <= MARK_AGE_MAX)
            .map(|(price, _)| price);
        let at = |price: Price, extra: Ppm| Self {
            bid: price,
            ask: price,
            extra,
            decision: price,
        };
        let usable = |price: &Price| price.0 > 0;
        venue
            .or(own)
            .filter(usable)
            .map(|price| at(price, STALE_EXTRA))
            .or_else(|| {
                elsewhere
                    .filter(usable)
                    .map(|price| at(price, ELSEWHERE_EXTRA))
            })
    }

    /// Whether it is the touch of the venue's own book.
    pub(super) const fn is_book(&self) -> bool {
        self.extra.0 == 0
    }

    /// The worst price of a child at a ladder step, on the tick and within the venue's bounds, rounded so that the cap is
    /// not exceeded: a buy down, a sale up. `None` when there is no such price.
    pub(super) fn protection(
        &self,
        side: Side,
        step: usize,
        instrument: &Instrument,
    ) -> Option<Price> {
        let band = PROTECTION_BANDS.get(step.min(PROTECTION_BANDS.len() - 1))?;
        let touch = match side {
            Side::Buy => self.ask,
            Side::Sell => self.bid,
        };
        let cap = protected(touch, side, band.saturating_add(self.extra))?;
        let price = match side {
            Side::Buy => cap.floor_to(instrument.tick)?,
            Side::Sell => cap.ceil_to(instrument.tick)?,
        };
        let low = price >= instrument.price_min.max(instrument.tick);
        let high = instrument.price_max.is_none_or(|max| price <= max);
        (low && high && price.0 > 0).then_some(price)
    }
}

/// The smallest order that the venue takes at a price, whole lots. Venues with reduce-only orders waive their minimum value
/// for them, not their minimum quantity.
pub(super) fn smallest(price: Price, instrument: &Instrument) -> Qty {
    let most = Qty(i64::MAX);
    let by_qty = instrument
        .qty_min
        .max(instrument.lot)
        .ceil_to(instrument.lot)
        .unwrap_or(most);
    if instrument.has_reduce_only || instrument.notional_min.is_zero() {
        return by_qty;
    }
    let unit = Money(instrument.grid.price_decimal(price)).mul(Money(instrument.multiplier));
    let by_value = unit
        .ok()
        .filter(|unit| !unit.is_zero())
        .and_then(|unit| instrument.notional_min.checked_div(unit.0))
        .and_then(|qty| instrument.grid.qty_floor(qty))
        .and_then(|qty| {
            // The floor may fall short of the minimum by less than a step.
            let lots = qty.floor_to(instrument.lot)?;
            let enough = |qty: Qty| {
                let value = instrument.grid.notional_money(price.times(qty))?;
                let value = value.mul(Money(instrument.multiplier)).ok()?;
                Some(value.0 >= instrument.notional_min)
            };
            if enough(lots)? {
                Some(lots)
            } else {
                lots.checked_add(instrument.lot)
            }
        });
    by_qty.max(by_value.unwrap_or(most))
}
