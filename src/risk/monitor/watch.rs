//! What the risk seat knows of one instrument: its position, its price, and what follows for AT-01 and AT-02.

use rust_decimal::Decimal;

use crate::market::{Depth, Instrument, InstrumentKind, Mark, Trust};
use crate::risk::unwind::Close;
use crate::risk::{InstrumentLimits, Limits};
use crate::trade::{OpenOrders, PositionSnapshot};
use crate::units::{Money, MonoNanos, Ppm, Price, Qty};

/// One instrument under watch.
#[derive(Debug, Default)]
pub(super) struct Watch {
    pub(super) position: Option<PositionSnapshot>,
    pub(super) mark: Option<Mark>,
    /// What the book showed last, and when.
    depth: Option<(Depth, MonoNanos)>,
    /// Sum of bid and ask of the last trusted sample, or twice the venue's mark.
    price_twice: Option<(i128, MonoNanos)>,
    pub(super) open: Option<(OpenOrders, MonoNanos)>,
    pub(super) close: Option<Close>,
    /// What a close left behind, or people took over: not tried again until a person acts or the position changes.
    pub(super) resting: Option<Qty>,
    pub(super) position_warned: bool,
    pub(super) loss_warned: bool,
    pub(super) unpriced_since: Option<MonoNanos>,
    /// Value and unrealized profit as of the last position and price.
    worth: Option<(Money, Money)>,
}

impl Watch {
    pub(super) fn qty(&self) -> Qty {
        self.position.map_or(Qty::ZERO, |position| position.qty)
    }

    /// Takes a sample. Only a trusted, uncrossed book or the venue's own mark moves the price.
    pub(super) fn on_mark(&mut self, mark: &Mark) {
        let mid = match (mark.trust, mark.bid, mark.ask) {
            (Trust::Trusted, Some(bid), Some(ask)) if bid < ask => {
                Some(i128::from(bid.0) + i128::from(ask.0))
            }
            _ => None,
        };
        let venue = mark
            .venue_mark
            .filter(|price| price.0 > 0)
            .map(|price| 2 * i128::from(price.0));
        if let Some(twice) = mid.or(venue) {
            self.price_twice = Some((twice, mark.received_at));
        }
        self.mark = Some(*mark);
        if let Some(depth) = mark.depth {
            self.depth = Some((depth, mark.received_at));
        }
    }

    /// What the book shows, while it is trusted and both are fresh.
    pub(super) fn depth(&self, limits: &Limits, now: MonoNanos) -> Option<&Depth> {
        let trusted = self
            .mark
            .is_some_and(|mark| mark.trust == Trust::Trusted && mark.bid < mark.ask);
        let (depth, at) = self.depth.as_ref().filter(|_| trusted)?;
        (now.since(*at) <= limits.ref_price_age_max).then_some(depth)
    }

    /// Last mid, rounded down to a step, with its instant.
    pub(super) fn last_mid(&self) -> Option<(Price, MonoNanos)> {
        let (twice, at) = self.price_twice?;
        Some((Price(i64::try_from(twice.div_euclid(2)).ok()?), at))
    }

    /// Mid as an exact decimal (half a step may be needed).
    pub(super) fn mid(&self, instrument: &Instrument) -> Option<Decimal> {
        let (twice, _) = self.price_twice?;
        let tenths = twice.checked_mul(5)?;
        Decimal::try_from_i128_with_scale(tenths, u32::from(instrument.grid.price_decimals()) + 1)
            .ok()
    }

    /// Makes value and unrealized profit anew; after every change of position or price. `rate` is the price of one unit of the
    /// quote asset in the reporting currency; without one there is no value.
    pub(super) fn revalue(&mut self, instrument: &Instrument, rate: Option<Decimal>) {
        let value = self.value_now(instrument);
        let unrealized = value
            .zip(self.position)
            .and_then(|(value, position)| value.sub(Money(position.cost)).ok());
        let reported = |quote: Option<Money>| quote?.mul(Money(rate?)).ok();
        self.worth = reported(value).zip(reported(unrealized));
    }

    /// Value of the open quantity at mid, signed, in the reporting currency; `None` when it cannot be told.
    pub(super) fn value(&self) -> Option<Money> {
        if self.qty().is_zero() {
            return Some(Money::ZERO);
        }
        self.worth.map(|(value, _)| value)
    }

    /// Profit of the open quantity at mid; `None` when it cannot be told. A flat position has none, exactly zero.
    pub(super) fn unrealized(&self) -> Option<Money> {
        if self.qty().is_zero() {
            return Some(Money::ZERO);
        }
        self.worth.map(|(_, unrealized)| unrealized)
    }

    /// In the quote asset.
    fn value_now(&self, instrument: &Instrument) -> Option<Money> {
        if self.qty().is_zero() {
            return Some(Money::ZERO);
        }
        if instrument.kind() == InstrumentKind::InversePerpetual {
            return None;
        }
        let qty = Money(instrument.grid.qty_decimal(self.qty()));
        qty.mul(Money(self.mid(instrument)?))
            .ok()?
            .mul(Money(instrument.multiplier))
            .ok()
    }

    /// AT-01: how the position stands against its limit.
    pub(super) fn position_standing(&self, own: &InstrumentLimits, limits: &Limits) -> Standing {
        let value = i128::from(self.qty().0).abs();
        standing(value, i128::from(own.position_qty_max.0), limits)
    }

    /// AT-02: how the loss stands against its limit; `None` when it cannot be told.
    pub(super) fn loss_standing(&self, limits: &Limits) -> Option<Standing> {
        let loss = -self.unrealized()?.0;
        let (loss, limit) = common_scale(loss.max(Decimal::ZERO), limits.unrealized_loss_usd_max)?;
        Some(standing(loss, limit, limits))
    }
}

/// How a measured value stands against a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Standing {
    /// Above the limit (the limit itself passes).
    pub(super) over: bool,
    /// At or above the warning share.
    pub(super) near: bool,
    /// At or below the clear threshold: 80 % of the limit (2.5).
    pub(super) clear: bool,
}

const CLEAR_AT: Ppm = Ppm(800_000);

fn standing(value: i128, limit: i128, limits: &Limits) -> Standing {
    let million = i128::from(Ppm::ONE.0);
    let scaled = value.saturating_mul(million);
    Standing {
        over: value > limit,
        near: value > 0 && scaled >= limit.saturating_mul(i128::from(limits.warn_at.0)),
        clear: scaled <= limit.saturating_mul(i128::from(CLEAR_AT.0)),
    }
}

fn common_scale(left: Decimal, right: Decimal) -> Option<(i128, i128)> {
    let (left, right) = (left.normalize(), right.normalize());
    let scale = left.scale().max(right.scale());
    let up = |value: Decimal| {
        value
            .mantissa()
            .checked_mul(10_i128.checked_pow(scale - value.scale())?)
    };
    Some((up(left)?, up(right)?))
}
