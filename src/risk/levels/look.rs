//! Questions to the levels.

use crate::market::Instrument;
use crate::risk::{KillLevel, Scope};
use crate::trade::StrategyId;

use super::{Cause, Levels, STARTUP, contains};

impl Levels {
    /// Highest entry of one scope.
    pub(in crate::risk) fn of_scope(&self, scope: Scope) -> KillLevel {
        self.entries
            .iter()
            .filter(|entry| entry.scope == scope)
            .map(|entry| entry.level)
            .max()
            .unwrap_or_default()
    }
    /// Highest over every scope an instrument belongs to.
    pub(in crate::risk) fn of_instrument(&self, instrument: &Instrument) -> KillLevel {
        self.entries
            .iter()
            .filter(|entry| contains(entry.scope, instrument))
            .map(|entry| entry.level)
            .max()
            .unwrap_or_default()
    }
    /// Of one cause in one scope.
    pub(in crate::risk) fn of_cause(&self, scope: Scope, cause: Cause) -> KillLevel {
        self.entries
            .iter()
            .find(|entry| entry.scope == scope && entry.cause == cause)
            .map_or(KillLevel::Armed, |entry| entry.level)
    }
    /// How many scopes below the portfolio a control holds at K3; what people flatten is their choice.
    pub(in crate::risk) fn flattened_by_controls(&self) -> u32 {
        let mut scopes: Vec<Scope> = self
            .entries
            .iter()
            .filter(|entry| {
                entry.level == KillLevel::Flatten
                    && entry.scope != Scope::Portfolio
                    && entry.cause.label != "operator"
            })
            .map(|entry| entry.scope)
            .collect();
        scopes.sort_unstable();
        scopes.dedup();
        u32::try_from(scopes.len()).unwrap_or(u32::MAX)
    }
    /// Of one strategy.
    pub(in crate::risk) fn of_strategy(&self, strategy: StrategyId) -> KillLevel {
        self.of_scope(Scope::Strategy(strategy))
    }
    /// Every scope above Armed with its level.
    pub(in crate::risk) fn raised(&self) -> Vec<(Scope, KillLevel)> {
        let mut scopes: Vec<Scope> = self.entries.iter().map(|entry| entry.scope).collect();
        scopes.sort_unstable();
        scopes.dedup();
        scopes
            .into_iter()
            .map(|scope| (scope, self.of_scope(scope)))
            .collect()
    }

    /// Whether something that holds a scope above `level` was ever at K3 or above, start-up left out.
    pub(in crate::risk) fn was_flattened(&self, scope: Scope, level: KillLevel) -> bool {
        self.entries.iter().any(|entry| {
            entry.scope == scope
                && entry.level > level
                && entry.cause != STARTUP
                && entry.peak >= KillLevel::Flatten
        })
    }

    /// What holds a scope above `level`, start-up left out: cause, its own level and whether only people lower it.
    pub(in crate::risk) fn above(
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
}
