//! AT-01 and AT-02 of one instrument: compare, warn, raise, and begin what must be undone.

use rust_decimal::Decimal;

use crate::market::Instrument;
use crate::risk::levels::{Cause, Raise};
use crate::risk::unwind::qty_amount;
use crate::risk::{
    Actor, AlertKind, Amount, CloseCause, InstrumentLimits, KillLevel, Limits, RiskOutput, Scope,
    Severity,
};
use crate::units::{MonoNanos, Qty};

use super::closes::Trigger;
use super::{Monitor, alert};

impl Monitor {
    pub(super) fn check_position(
        &mut self,
        instrument: &Instrument,
        own: &InstrumentLimits,
        now: MonoNanos,
        out: &mut Vec<RiskOutput>,
    ) {
        let Some(watch) = self.watches.get_mut(instrument.id.index()) else {
            return;
        };
        let standing = watch.position_standing(own, &self.limits);
        let (value, limit) = (
            qty_amount(watch.qty().abs(), instrument),
            qty_amount(own.position_qty_max, instrument),
        );
        let numbers = Some((value, limit));
        let scope = Scope::Instrument(instrument.id);
        let symbol = Scope::Symbol(instrument.symbol);
        if standing.near != watch.position_warned {
            watch.position_warned = standing.near;
            out.push(alert(
                AlertKind::PositionNearLimit,
                Severity::Warning,
                scope,
                Some((value, limit)),
                standing.near,
                now,
            ));
        }
        let cause = Cause {
            label: "AT-01",
            source: Some(instrument.id),
        };
        self.warn(symbol, cause, standing.near);
        let level = self.climb(symbol, cause, (value.steps, limit.steps), now);
        if standing.over {
            let reason = format!("position {value} was over {limit}");
            let raise = Raise {
                scope: symbol,
                level,
                cause,
                latched: level > KillLevel::ReduceOnly,
                by: Actor::Control("AT-01"),
                reason,
            };
            if self.raise(raise, now, out) {
                let (kind, critical) = (AlertKind::PositionOverLimit, Severity::Critical);
                self.people.note(kind, scope, true, now);
                out.push(alert(kind, critical, scope, numbers, true, now));
            }
            let target = close_target(own, &self.limits, instrument);
            let trigger = Trigger {
                cause: CloseCause::PositionLimit,
                target,
                value,
                limit,
            };
            self.begin_close(instrument, trigger, now, out);
        } else if self
            .levels
            .settle(cause, standing.clear, self.limits.cooldown, now, out)
        {
            self.view_changed = true;
            let (kind, info) = (AlertKind::PositionOverLimit, Severity::Info);
            self.people.note(kind, scope, false, now);
            out.push(alert(kind, info, scope, numbers, false, now));
        }
    }

    pub(super) fn check_loss(
        &mut self,
        instrument: &Instrument,
        now: MonoNanos,
        out: &mut Vec<RiskOutput>,
    ) {
        let Some(watch) = self.watches.get_mut(instrument.id.index()) else {
            return;
        };
        let Some(standing) = watch.loss_standing(&self.limits) else {
            return;
        };
        let loss = watch.unrealized().map_or(Decimal::ZERO, |pnl| -pnl.0);
        let (value, limit) = (
            Amount::of_decimal(loss),
            Amount::of_decimal(self.limits.unrealized_loss_usd_max),
        );
        let scope = Scope::Instrument(instrument.id);
        if standing.near != watch.loss_warned {
            watch.loss_warned = standing.near;
            out.push(alert(
                AlertKind::LossNearLimit,
                Severity::Warning,
                scope,
                Some((value, limit)),
                standing.near,
                now,
            ));
        }
        let cause = Cause {
            label: "AT-02",
            source: Some(instrument.id),
        };
        self.warn(Scope::Symbol(instrument.symbol), cause, standing.near);
        if !standing.over {
            return;
        }
        let raise = Raise {
            scope: Scope::Symbol(instrument.symbol),
            level: KillLevel::Flatten,
            cause,
            latched: true,
            by: Actor::Control("AT-02"),
            reason: format!("unrealized loss {value} was over {limit}"),
        };
        if self.raise(raise, now, out) {
            self.people.note(AlertKind::LossOverLimit, scope, true, now);
            out.push(alert(
                AlertKind::LossOverLimit,
                Severity::Critical,
                scope,
                Some((value, limit)),
                true,
                now,
            ));
        }
        let trigger = Trigger {
            cause: CloseCause::UnrealizedLoss,
            target: Qty::ZERO,
            value,
            limit,
        };
        self.begin_close(instrument, trigger, now, out);
    }
}

/// Where AT-01's close ends: the configured share of the limit, whole lots.
fn close_target(own: &InstrumentLimits, limits: &Limits, instrument: &Instrument) -> Qty {
    let share = i128::from(own.position_qty_max.0) * i128::from(limits.close.to_limit.0);
    let target = i64::try_from(share.div_euclid(1_000_000)).ok();
    let target = target.and_then(|qty| Qty(qty).floor_to(instrument.lot));
    target.unwrap_or(Qty::ZERO).max(Qty::ZERO)
}
