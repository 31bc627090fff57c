//! Hedged legs under a forced close: which other position a close would leave naked, and what each leg may send next.

use std::sync::Arc;

use crate::market::{Instrument, InstrumentId, InstrumentKind};
use crate::risk::levels::{Cause, Raise};
use crate::risk::unwind::{Allowance, Close, PairLeg, Situation, allowance, qty_amount};
use crate::risk::{Actor, CloseCause, KillLevel, RiskOutput, Scope};
use crate::units::{Money, MonoNanos, Qty, Side};

use super::Monitor;
use super::closes::Trigger;

/// Row of the catalogue that closes the other leg.
const LABEL: &str = "2.7-pair";

/// What keeps the other leg from being built up again.
pub(super) const fn cause(id: InstrumentId) -> Cause {
    Cause {
        label: LABEL,
        source: Some(id),
    }
}

impl Monitor {
    /// Closes with a leg what it hedges (or is hedged by): by the quantity by which the net of the base asset would grow. A
    /// close to a limit does so only when the net would be worth more than the delta limit.
    pub(super) fn close_counterparts(
        &mut self,
        instrument: &Instrument,
        trigger: &Trigger,
        now: MonoNanos,
        out: &mut Vec<RiskOutput>,
    ) {
        if trigger.cause == CloseCause::PairLeg {
            return;
        }
        let catalogue = Arc::clone(&self.catalogue);
        let group = group(catalogue.all(), instrument);
        let Some(scale) = scale(&group) else { return };
        let of = |monitor: &Self, other: &Instrument| {
            let watch = monitor.watches.get(other.id.index());
            let kept = watch
                .and_then(|watch| watch.close.as_ref())
                .map_or(i64::MAX, |close| close.intent().target.0);
            let qty = watch.map_or(0, |watch| watch.qty().0);
            // What is left once its own close ends.
            base(Qty(qty.clamp(-kept, kept)), other, scale)
        };
        let position = self
            .watches
            .get(instrument.id.index())
            .map_or(Qty::ZERO, super::Watch::qty);
        let Some(before) = base(position, instrument, scale) else {
            return;
        };
        let after: Option<i128> = group.iter().map(|other| of(self, other)).sum();
        let Some(net_after) = after else { return };
        let sign = before.signum();
        // Without this leg the net leans to the other side by this much, of which this close causes no more than it closes.
        let lean = (-net_after * sign).max(0);
        if !trigger.target.is_zero() && !self.over_delta(lean, instrument, scale) {
            return;
        }
        let closed = before.abs() - of(self, instrument).map_or(0, i128::abs);
        let mut naked = lean.min(closed);
        let mut legs: Vec<(i128, &Instrument)> = group
            .iter()
            .filter_map(|other| Some((of(self, other)?, *other)))
            .filter(|(kept, other)| other.id != instrument.id && kept.signum() == -sign)
            .collect();
        // The largest hedge first.
        legs.sort_by_key(|(kept, other)| (-kept.abs(), other.id));
        for (kept, other) in legs {
            let take = naked.min(kept.abs());
            naked -= take;
            let Some(target) = steps(kept.abs() - take, other, scale) else {
                continue;
            };
            if take == 0 {
                continue;
            }
            if self.close_level(other) == KillLevel::Flatten {
                // K3 covers this leg too: it is closed by its own cause, whichever leg was looked at first.
                self.flatten(other, now, out);
                continue;
            }
            let value = qty_amount(position, instrument);
            let leg = Trigger {
                cause: CloseCause::PairLeg,
                target,
                value,
                limit: trigger.limit,
            };
            // What is being closed as a hedge must not be built up again meanwhile.
            let raise = Raise {
                scope: Scope::Instrument(other.id),
                level: KillLevel::ReduceOnly,
                cause: cause(other.id),
                latched: false,
                by: Actor::Control(LABEL),
                reason: "the position that it hedges is being closed".to_owned(),
            };
            self.raise(raise, now, out);
            self.begin_close(other, leg, now, out);
        }
    }

    /// Whether a quantity of the base asset is worth more than a close to a limit may leave unhedged. Without a price it is.
    fn over_delta(&self, naked: i128, instrument: &Instrument, scale: u32) -> bool {
        let value = || {
            let watch = self.watches.get(instrument.id.index())?;
            let qty = rust_decimal::Decimal::try_from_i128_with_scale(naked, scale).ok()?;
            let value = Money(qty).mul(Money(watch.mid(instrument)?)).ok()?;
            (instrument.symbol.quote == self.reporting).then_some(value.0)
        };
        naked > 0 && value().is_none_or(|value| value > self.limits.close.pair_delta_usd_max)
    }

    /// What the other legs leave the next child of this close.
    pub(super) fn pair_allowance(
        &self,
        instrument: &Instrument,
        close: &Close,
        situation: &Situation<'_>,
    ) -> Allowance {
        let alone = !self
            .catalogue
            .all()
            .iter()
            .zip(&self.watches)
            .any(|(other, watch)| {
                other.symbol.base == instrument.symbol.base
                    && other.id != instrument.id
                    && watch.close.is_some()
            });
        if alone {
            return Allowance::Free;
        }
        self.allowance_of(instrument, close, situation)
            .map_or(Allowance::Free, Allowance::UpTo)
    }

    fn allowance_of(
        &self,
        instrument: &Instrument,
        close: &Close,
        situation: &Situation<'_>,
    ) -> Option<Qty> {
        let group = group(self.catalogue.all(), instrument);
        let scale = scale(&group)?;
        let me = group.iter().position(|other| other.id == instrument.id)?;
        let mut legs = Vec::with_capacity(group.len());
        for other in &group {
            legs.push(if other.id == instrument.id {
                leg(Some(close), situation, scale)?
            } else {
                let watch = self.watches.get(other.id.index())?;
                let situation = self.situation(other, situation.now)?;
                leg(watch.close.as_ref(), &situation, scale)?
            });
        }
        steps(allowance(&legs, me)?, instrument, scale)
    }
}

/// Instruments whose quantity is one of the same base asset.
fn group<'a>(all: &'a [Instrument], of: &Instrument) -> Vec<&'a Instrument> {
    let linear = |instrument: &&Instrument| match instrument.kind() {
        InstrumentKind::Spot | InstrumentKind::LinearPerpetual => true,
        InstrumentKind::InversePerpetual => false,
    };
    all.iter()
        .filter(|other| other.symbol.base == of.symbol.base)
        .filter(linear)
        .collect()
}

/// Decimals at which every quantity of the group is a whole number of base units.
fn scale(group: &[&Instrument]) -> Option<u32> {
    let decimals = |instrument: &&Instrument| {
        u32::from(instrument.grid.qty_decimals()) + instrument.multiplier.normalize().scale()
    };
    group.iter().map(decimals).max()
}

/// One step of quantity in base units.
fn step(instrument: &Instrument, scale: u32) -> Option<i128> {
    let multiplier = instrument.multiplier.normalize();
    let decimals = u32::from(instrument.grid.qty_decimals()) + multiplier.scale();
    let power = 10_i128.checked_pow(scale.checked_sub(decimals)?)?;
    multiplier.mantissa().checked_mul(power)
}

fn base(qty: Qty, instrument: &Instrument, scale: u32) -> Option<i128> {
    i128::from(qty.0).checked_mul(step(instrument, scale)?)
}

/// Whole lots within a number of base units.
fn steps(units: i128, instrument: &Instrument, scale: u32) -> Option<Qty> {
    let qty = units.checked_div_euclid(step(instrument, scale)?)?;
    Qty(i64::try_from(qty).unwrap_or(i64::MAX)).floor_to(instrument.lot)
}

fn leg(close: Option<&Close>, situation: &Situation<'_>, scale: u32) -> Option<PairLeg> {
    let instrument = situation.instrument;
    let uncounted = close.map_or(0, |close| close.uncounted_signed(situation));
    let position = Qty(situation.position.0.saturating_add(uncounted));
    let side = Side::reducing(position).unwrap_or(Side::Sell);
    let depth = situation
        .depth
        .map_or(Qty::ZERO, |depth| depth.met_by(side).within(0).qty);
    let bounds = close.and_then(|close| close.bounds(side, situation));
    let (smallest, slice) = bounds.unwrap_or((instrument.lot, situation.slice));
    Some(PairLeg {
        position: base(position, instrument, scale)?,
        pending: base(
            Qty(close.map_or(0, Close::pending_signed)),
            instrument,
            scale,
        )?,
        unknown: base(
            Qty(close.map_or(0, Close::unknown_signed)),
            instrument,
            scale,
        )?,
        left: base(
            close.map_or(Qty::ZERO, |close| close.left(position, situation)),
            instrument,
            scale,
        )?,
        is_active: close.is_some_and(|close| !close.is_stuck(situation.now)),
        slice: base(slice, instrument, scale)?,
        smallest: base(smallest, instrument, scale)?,
        rank: (
            instrument.kind() == InstrumentKind::Spot,
            base(depth, instrument, scale)?,
            instrument.id.0,
        ),
    })
}
