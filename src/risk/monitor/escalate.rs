//! What time does to raised levels (RISK.md 2.4): open orders at K2 are cancelled until none is left, stuck closes and too
//! many scopes at K3 become K3 on the portfolio, and that becomes K4 when it does not end.

use crate::market::Instrument;
use crate::risk::levels::ladder::{Ladder, Reading};
use crate::risk::levels::{Cause, Raise, contains};
use crate::risk::{Actor, AlertKind, Amount, CloseState, KillLevel, RiskOutput, Scope, Severity};
use crate::units::MonoNanos;

use super::watch::Watch;
use super::{Monitor, alert};

const LADDER: Cause = Cause {
    label: "ladder",
    source: None,
};

/// A scope at K2 or K3 whose open orders are not proven gone.
#[derive(Debug, Clone, Copy)]
struct Clearing {
    scope: Scope,
    since: MonoNanos,
    asked_at: MonoNanos,
    blocked: bool,
}

/// What escalates by time.
#[derive(Debug, Default)]
pub(super) struct Escalation {
    ladder: Ladder,
    clearings: Vec<Clearing>,
    /// Since when a forced close can send nothing, by instrument.
    blocked: Vec<Option<MonoNanos>>,
    /// Since when the ladder holds the portfolio at K3.
    portfolio_since: Option<MonoNanos>,
}

impl Monitor {
    /// The level that a control over its limit calls for (2.4 steps 2 to 4), Armed when it is not over. Call it with every
    /// reading, so that the ladder knows when it ended.
    pub(super) fn climb(
        &mut self,
        scope: Scope,
        cause: Cause,
        (value, limit): (i128, i128),
        now: MonoNanos,
    ) -> KillLevel {
        let reading = Reading {
            value,
            limit,
            orders_open: self.orders_open(scope, MonoNanos(0)) > 0,
        };
        self.escalation
            .ladder
            .climb(scope, cause, reading, &self.limits.kill, now)
    }

    /// A control is at its warning share, or not any more: half the order size in its scope (2.4 step 1).
    pub(super) fn warn(&mut self, scope: Scope, cause: Cause, near: bool) {
        self.view_changed |= self.levels.set_near(scope, cause, near);
    }

    /// A scope was raised to K2 or K3: its orders must be proven gone.
    pub(super) fn begin_clearing(&mut self, scope: Scope, now: MonoNanos) {
        let level = self.levels.of_scope(scope);
        let known = self
            .escalation
            .clearings
            .iter()
            .any(|one| one.scope == scope);
        if !known && matches!(level, KillLevel::CancelAll | KillLevel::Flatten) {
            self.escalation.clearings.push(Clearing {
                scope,
                since: now,
                asked_at: now,
                blocked: false,
            });
        }
    }

    /// Our own orders in a scope, forced closes excluded; an instrument not heard of since `since` counts as one.
    fn orders_open(&self, scope: Scope, since: MonoNanos) -> u64 {
        let count = |watch: &Watch| match watch.open {
            Some((open, at)) if at >= since => u64::from(open.order_count),
            Some(_) | None => u64::from(since > MonoNanos(0)),
        };
        self.catalogue
            .all()
            .iter()
            .zip(&self.watches)
            .filter(|(instrument, _)| contains(scope, instrument))
            .map(|(_, watch)| count(watch))
            .sum()
    }

    /// What rests at the venues of a scope by their own word since `since`, whoever placed it. Of narrower scopes they say
    /// nothing.
    fn resting_at_venues(&self, scope: Scope, since: MonoNanos) -> u64 {
        let within = |venue| matches!(scope, Scope::Portfolio) || scope == Scope::Venue(venue);
        let heard = self.heard.venues.iter().flatten();
        heard
            .filter(|facts| within(facts.venue))
            .filter(|facts| facts.snapshot_at.is_some_and(|at| at > since))
            .map(|facts| u64::from(facts.open_orders.unwrap_or(0)))
            .sum()
    }

    /// K2 and K3 cancel until nothing rests; what does not go within the bound is an alert (I11).
    pub(super) fn clear_orders(&mut self, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        let mut clearings = std::mem::take(&mut self.escalation.clearings);
        clearings.retain_mut(|one| {
            let level = self.levels.of_scope(one.scope);
            let own = self.orders_open(one.scope, one.since);
            let open = own.max(self.resting_at_venues(one.scope, one.since));
            let held = matches!(level, KillLevel::CancelAll | KillLevel::Flatten);
            if !held || open == 0 {
                if one.blocked {
                    let (kind, info) = (AlertKind::CancelBlocked, Severity::Info);
                    self.people.note(kind, one.scope, false, now);
                    out.push(alert(kind, info, one.scope, None, false, now));
                }
                return false;
            }
            if now.since(one.asked_at) >= self.limits.kill.cancel {
                one.asked_at = now;
                self.cancels.push(one.scope);
                if !std::mem::replace(&mut one.blocked, true) {
                    let (kind, critical) = (AlertKind::CancelBlocked, Severity::Critical);
                    let numbers = Some((Amount::count(open), Amount::count(0)));
                    self.people.note(kind, one.scope, true, now);
                    out.push(alert(kind, critical, one.scope, numbers, true, now));
                }
            }
            true
        });
        self.escalation.clearings = clearings;
    }

    /// Step 5 and step 6: the whole portfolio.
    pub(super) fn escalate(&mut self, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        if self.heard.journal.is_some_and(|journal| journal.failed)
            && self.levels.of_scope(Scope::Portfolio) < KillLevel::Halt
        {
            self.halt("journal", "the journal cannot write", now, out);
        }
        if let Some(reason) = self.portfolio_in_danger(now) {
            let raise = Raise {
                scope: Scope::Portfolio,
                level: KillLevel::Flatten,
                cause: LADDER,
                latched: true,
                by: Actor::Control(LADDER.label),
                reason,
            };
            if self.raise(raise, now, out) {
                self.evaluate_all(now, out);
            }
        }
        let held = self.levels.of_cause(Scope::Portfolio, LADDER) == KillLevel::Flatten;
        if !held {
            self.escalation.portfolio_since = None;
            return;
        }
        let since = *self.escalation.portfolio_since.get_or_insert(now);
        let is_left = |watch: &Watch| {
            watch.close.is_some() || (!watch.qty().is_zero() && watch.resting != Some(watch.qty()))
        };
        if now.since(since) >= self.limits.kill.portfolio_flatten
            && self.watches.iter().any(is_left)
        {
            let reason = "the portfolio was not flat in time at K3";
            self.halt(LADDER.label, reason, now, out);
        }
    }

    /// Why the whole portfolio must go to flat, if it must.
    fn portfolio_in_danger(&mut self, now: MonoNanos) -> Option<String> {
        if self.levels.of_scope(Scope::Portfolio) >= KillLevel::Flatten {
            return None;
        }
        let flattened = self.levels.flattened_by_controls();
        let most = self.limits.kill.flatten_scopes_max;
        if flattened > most {
            return Some(format!("{flattened} scopes at K3, allowed {most}"));
        }
        let span = self.limits.kill.close_blocked;
        self.escalation.blocked.resize(self.watches.len(), None);
        let all = self.catalogue.all().iter().zip(&self.watches);
        let stuck =
            |((instrument, watch), since): ((&Instrument, &Watch), &mut Option<MonoNanos>)| {
                let blocked = watch
                    .close
                    .as_ref()
                    .is_some_and(|close| close.state() == CloseState::Blocked);
                *since = blocked.then(|| since.unwrap_or(now));
                let late = since.is_some_and(|at| now.since(at) >= span);
                late.then_some(instrument.id)
            };
        let stuck: Vec<_> = all
            .zip(&mut self.escalation.blocked)
            .filter_map(stuck)
            .collect();
        let first = stuck.first()?;
        let label = self.catalogue.label(*first);
        Some(format!("the forced close of {label} can send nothing"))
    }
}
