//! Kill levels by scope (RISK.md 2.3, 2.5): raised at once, lowered only by a person or by a rule that may.
//!
//! Each cause holds its own entry; a scope's level is the highest of its entries, an order's the highest of its scopes.
//! Raising is idempotent. An entry clears by itself only when it is not latched and its condition was gone for the
//! cool-down; after three such clears in an hour, or ten in a day, the next one stays until a person lowers it.

use crate::market::{Instrument, InstrumentId};
use crate::trade::StrategyId;
use crate::units::{MonoNanos, Nanos};

use super::{Actor, Alert, AlertKind, KillLevel, LevelChange, RiskOutput, Scope, Severity};

pub(super) mod state;

use state::{LevelClear, LevelEntry, LevelState};

const HOUR: Nanos = Nanos::from_secs(3_600);
const DAY: Nanos = Nanos::from_secs(86_400);
const CLEARS_PER_HOUR_MAX: usize = 3;
const CLEARS_PER_DAY_MAX: usize = 10;

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
    entries: Vec<Entry>,
    clears: Vec<(Scope, Cause, MonoNanos)>,
    /// Something of the state changed since [`Levels::take_state`].
    state_changed: bool,
}

impl Levels {
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
                entry.latched |= raise.latched;
                entry.clear_since = None;
                self.state_changed |= before != (entry.level, entry.latched);
            }
            None => {
                self.state_changed = true;
                self.entries.push(Entry {
                    scope: raise.scope,
                    cause: raise.cause,
                    level: raise.level,
                    latched: raise.latched,
                    reason: raise.reason.clone(),
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
        out.push(RiskOutput::Alert(Alert {
            kind: AlertKind::LevelRaised,
            severity: if to >= KillLevel::CancelAll {
                Severity::Critical
            } else {
                Severity::Warning
            },
            scope: raise.scope,
            value: None,
            limit: None,
            raised: true,
            at: now,
        }));
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

    /// What holds a scope above `level`, start-up left out: cause, its own level and whether only people lower it.
    pub(super) fn above(
        &self,
        scope: Scope,
        level: KillLevel,
    ) -> impl Iterator<Item = (Cause, KillLevel, bool, &str)> {
        self.entries
            .iter()
            .filter(move |entry| {
                entry.scope == scope && entry.level > level && entry.cause != STARTUP
            })
            .map(|entry| {
                (
                    entry.cause,
                    entry.level,
                    entry.latched,
                    entry.reason.as_str(),
                )
            })
    }

    /// What must survive a restart.
    pub(super) fn state(&self) -> LevelState {
        LevelState {
            entries: self
                .entries
                .iter()
                .filter(|entry| entry.cause != STARTUP)
                .map(|entry| LevelEntry {
                    scope: entry.scope,
                    cause: entry.cause.label,
                    source: entry.cause.source,
                    level: entry.level,
                    latched: entry.latched,
                    reason: entry.reason.clone(),
                })
                .collect(),
            clears: self
                .clears
                .iter()
                .map(|(scope, cause, at)| LevelClear {
                    scope: *scope,
                    cause: cause.label,
                    source: cause.source,
                    at: *at,
                })
                .collect(),
        }
    }

    /// The state, if it changed since it was last taken.
    pub(super) fn take_state(&mut self) -> Option<LevelState> {
        std::mem::take(&mut self.state_changed).then(|| self.state())
    }

    /// Puts back what an earlier session held. Nothing is lowered by it.
    pub(super) fn restore(&mut self, state: LevelState, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        for entry in state.entries {
            let raise = Raise {
                scope: entry.scope,
                level: entry.level,
                cause: Cause {
                    label: entry.cause,
                    source: entry.source,
                },
                latched: entry.latched,
                by: Actor::Control("restart"),
                reason: entry.reason,
            };
            self.raise(raise, now, out);
        }
        self.clears.extend(state.clears.into_iter().map(|clear| {
            let cause = Cause {
                label: clear.cause,
                source: clear.source,
            };
            (clear.scope, cause, clear.at)
        }));
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
        let within = |span: Nanos| {
            let same = |(other, by, at): &&(Scope, Cause, MonoNanos)| {
                *other == scope && *by == cause && now.since(*at) < span
            };
            self.clears.iter().filter(same).count()
        };
        if within(HOUR) >= CLEARS_PER_HOUR_MAX || within(DAY) >= CLEARS_PER_DAY_MAX {
            for entry in self
                .entries
                .iter_mut()
                .filter(|entry| entry.scope == scope && entry.cause == cause)
            {
                entry.latched = true;
            }
            self.state_changed = true;
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

    /// Highest entry of one scope.
    pub(super) fn of_scope(&self, scope: Scope) -> KillLevel {
        self.entries
            .iter()
            .filter(|entry| entry.scope == scope)
            .map(|entry| entry.level)
            .max()
            .unwrap_or_default()
    }
    /// Highest over every scope an instrument belongs to.
    pub(super) fn of_instrument(&self, instrument: &Instrument) -> KillLevel {
        self.entries
            .iter()
            .filter(|entry| contains(entry.scope, instrument))
            .map(|entry| entry.level)
            .max()
            .unwrap_or_default()
    }
    /// Of one strategy.
    pub(super) fn of_strategy(&self, strategy: StrategyId) -> KillLevel {
        self.of_scope(Scope::Strategy(strategy))
    }
    /// Every scope above Armed with its level.
    pub(super) fn raised(&self) -> Vec<(Scope, KillLevel)> {
        let mut scopes: Vec<Scope> = self.entries.iter().map(|entry| entry.scope).collect();
        scopes.sort_unstable();
        scopes.dedup();
        scopes
            .into_iter()
            .map(|scope| (scope, self.of_scope(scope)))
            .collect()
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
    RiskOutput::Alert(Alert {
        kind: AlertKind::LevelRaised,
        severity: Severity::Info,
        scope,
        value: None,
        limit: None,
        raised: false,
        at,
    })
}
