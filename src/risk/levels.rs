//! Kill levels by scope (RISK.md 2.3, 2.5): raised at once, lowered only by a person or by a rule that may.
//!
//! Each cause holds its own entry; a scope's level is the highest of its entries, an order's the highest of its scopes.
//! Raising is idempotent. An entry clears by itself only when it is not latched and its condition was gone for the
//! cool-down; after three such clears in an hour, or ten in a day, the next one stays until a person lowers it.

use crate::market::{Instrument, InstrumentId};
use crate::units::{MonoNanos, Nanos};

use super::{
    Actor, Alert, AlertKind, KillLevel, KillLimits, LevelChange, RiskOutput, Scope, Severity,
};

pub(super) mod ladder;
mod look;
mod probation;
mod scoped;
pub(super) mod state;

pub(super) use probation::Probation;

const HOUR: Nanos = Nanos::from_secs(3_600);
const DAY: Nanos = Nanos::from_secs(86_400);

/// What holds a level up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cause {
    /// Fixed short word; rows of the catalogue for controls.
    pub(super) label: &'static str,
    /// The instrument whose state is the condition; `None` for a person.
    pub(super) source: Option<InstrumentId>,
}

/// Start-up's own K1: only start-up lifts it, and start-up lifts nothing else (2.5).
pub(super) const STARTUP: Cause = Cause {
    label: "startup",
    source: None,
};

#[derive(Debug, Clone)]
struct Entry {
    scope: Scope,
    cause: Cause,
    level: KillLevel,
    /// The highest it ever was: two people who lowered a K3 have not left the rest to one of them.
    peak: KillLevel,
    latched: bool,
    reason: String,
    clear_since: Option<MonoNanos>,
}

/// One wish to raise a level.
#[derive(Debug, Clone)]
pub(super) struct Raise {
    pub(super) scope: Scope,
    pub(super) level: KillLevel,
    pub(super) cause: Cause,
    pub(super) latched: bool,
    pub(super) by: Actor,
    pub(super) reason: String,
}

#[derive(Debug, Default)]
pub(super) struct Levels {
    rules: KillLimits,
    entries: Vec<Entry>,
    clears: Vec<(Scope, Cause, MonoNanos)>,
    /// Scopes that were re-armed a short while ago.
    probations: Vec<Probation>,
    /// Controls that warn: half the order size.
    near: Vec<(Scope, Cause)>,
    /// Something of the state changed since [`Levels::take_state`].
    state_changed: bool,
}

impl Levels {
    /// Nothing raised.
    pub(super) fn new(rules: KillLimits) -> Self {
        Self {
            rules,
            ..Self::default()
        }
    }
    /// Other rules from now on.
    pub(super) fn set_rules(&mut self, rules: KillLimits) {
        self.rules = rules;
    }

    /// Raises, or keeps what is higher. True when the scope's level changed.
    pub(super) fn raise(
        &mut self,
        raise: Raise,
        now: MonoNanos,
        out: &mut Vec<RiskOutput>,
    ) -> bool {
        let from = self.of_scope(raise.scope);
        let known = self
            .entries
            .iter_mut()
            .find(|entry| entry.scope == raise.scope && entry.cause == raise.cause);
        match known {
            Some(entry) => {
                let before = (entry.level, entry.latched);
                entry.level = entry.level.max(raise.level);
                entry.peak = entry.peak.max(raise.level);
                entry.latched |= raise.latched;
                entry.clear_since = None;
                self.state_changed |= before != (entry.level, entry.latched);
            }
            None => {
                self.state_changed = true;
                // Who raised it must survive a restart with why.
                let reason = match &raise.by {
                    Actor::Operator(name) => format!("{name}: {}", raise.reason),
                    Actor::Control(_) => raise.reason.clone(),
                };
                self.entries.push(Entry {
                    scope: raise.scope,
                    cause: raise.cause,
                    level: raise.level,
                    peak: raise.level,
                    latched: raise.latched,
                    reason,
                    clear_since: None,
                });
            }
        }
        let to = self.of_scope(raise.scope);
        if to == from {
            return false;
        }
        let label = raise.cause.label;
        out.push(changed(
            raise.scope,
            from,
            to,
            label,
            raise.by,
            raise.reason,
            now,
        ));
        let severity = if to >= KillLevel::CancelAll {
            Severity::Critical
        } else {
            Severity::Warning
        };
        out.push(alert(
            AlertKind::LevelRaised,
            severity,
            raise.scope,
            true,
            now,
        ));
        true
    }

    /// Lowers every entry of a scope but start-up's to at most `level`, latched or not: only people may.
    pub(super) fn lower(
        &mut self,
        scope: Scope,
        level: KillLevel,
        by: Actor,
        reason: String,
        now: MonoNanos,
        out: &mut Vec<RiskOutput>,
    ) -> bool {
        let from = self.of_scope(scope);
        for entry in self.entries.iter_mut().filter(|entry| entry.scope == scope) {
            if entry.cause != STARTUP && entry.level > level {
                entry.level = level;
                self.state_changed = true;
            }
        }
        self.entries.retain(|entry| entry.level > KillLevel::Armed);
        let to = self.of_scope(scope);
        if to == from {
            return false;
        }
        out.push(changed(scope, from, to, "operator", by, reason, now));
        out.push(cleared_alert(scope, now));
        true
    }

    /// Takes away what start-up itself holds, and nothing else.
    pub(super) fn end_startup(
        &mut self,
        reason: String,
        now: MonoNanos,
        out: &mut Vec<RiskOutput>,
    ) -> bool {
        let from = self.of_scope(Scope::Portfolio);
        self.entries.retain(|entry| entry.cause != STARTUP);
        let to = self.of_scope(Scope::Portfolio);
        if to == from {
            return false;
        }
        let by = Actor::Control(STARTUP.label);
        out.push(changed(
            Scope::Portfolio,
            from,
            to,
            STARTUP.label,
            by,
            reason,
            now,
        ));
        out.push(cleared_alert(Scope::Portfolio, now));
        true
    }

    /// Tells that a condition is gone (`true`) or back; clears its unlatched entries once it was gone for `cooldown`.
    pub(super) fn settle(
        &mut self,
        cause: Cause,
        gone: bool,
        cooldown: Nanos,
        now: MonoNanos,
        out: &mut Vec<RiskOutput>,
    ) -> bool {
        let mut cleared = Vec::new();
        for entry in self
            .entries
            .iter_mut()
            .filter(|entry| entry.cause == cause && !entry.latched)
        {
            if !gone {
                entry.clear_since = None;
            } else if now.since(*entry.clear_since.get_or_insert(now)) >= cooldown {
                cleared.push(entry.scope);
            }
        }
        let mut any = false;
        for scope in cleared {
            any |= self.clear(scope, cause, now, out);
        }
        any
    }

    fn clear(
        &mut self,
        scope: Scope,
        cause: Cause,
        now: MonoNanos,
        out: &mut Vec<RiskOutput>,
    ) -> bool {
        self.clears.retain(|(_, _, at)| now.since(*at) < DAY);
        let used = |span: Nanos, most: u32| {
            let same = |(other, by, at): &&(Scope, Cause, MonoNanos)| {
                *other == scope && *by == cause && now.since(*at) < span
            };
            let count = self.clears.iter().filter(same).count();
            u32::try_from(count).unwrap_or(u32::MAX) >= most
        };
        if used(HOUR, self.rules.clears_per_hour_max) || used(DAY, self.rules.clears_per_day_max) {
            for entry in self
                .entries
                .iter_mut()
                .filter(|entry| entry.scope == scope && entry.cause == cause)
            {
                entry.latched = true;
            }
            self.state_changed = true;
            out.push(alert(
                AlertKind::LevelLatched,
                Severity::Critical,
                scope,
                true,
                now,
            ));
            return false;
        }
        let from = self.of_scope(scope);
        self.state_changed = true;
        self.clears.push((scope, cause, now));
        self.entries
            .retain(|entry| entry.scope != scope || entry.cause != cause);
        let to = self.of_scope(scope);
        if to != from {
            let reason = "condition gone for the cool-down".to_owned();
            out.push(changed(
                scope,
                from,
                to,
                cause.label,
                Actor::Control(cause.label),
                reason,
                now,
            ));
            out.push(cleared_alert(scope, now));
        }
        to != from
    }
}

/// Whether a scope covers an instrument. A strategy's scope covers none: it stops its orders only.
pub(super) fn contains(scope: Scope, instrument: &Instrument) -> bool {
    match scope {
        Scope::Portfolio => true,
        Scope::Venue(venue) => instrument.venue == venue,
        Scope::Asset(asset) => instrument.symbol.base == asset,
        Scope::Symbol(symbol) => instrument.symbol == symbol,
        Scope::Instrument(id) => instrument.id == id,
        Scope::Strategy(_) => false,
    }
}

fn changed(
    scope: Scope,
    from: KillLevel,
    to: KillLevel,
    cause: &'static str,
    by: Actor,
    reason: String,
    at: MonoNanos,
) -> RiskOutput {
    RiskOutput::LevelChanged(LevelChange {
        scope,
        from,
        to,
        cause,
        by,
        reason,
        at,
    })
}

fn cleared_alert(scope: Scope, at: MonoNanos) -> RiskOutput {
    alert(AlertKind::LevelRaised, Severity::Info, scope, false, at)
}

fn alert(
    kind: AlertKind,
    severity: Severity,
    scope: Scope,
    raised: bool,
    at: MonoNanos,
) -> RiskOutput {
    RiskOutput::Alert(Alert {
        kind,
        severity,
        scope,
        value: None,
        limit: None,
        raised,
        at,
    })
}
