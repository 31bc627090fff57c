//! One cause in one scope: a control that is judged by scope clears only its own.

use crate::risk::{KillLevel, RiskOutput, Scope};
use crate::units::{MonoNanos, Nanos};

use super::{Cause, Levels};

impl Levels {
    /// Whether the cause holds the scope at least so high already: raising again would change nothing.
    pub(in crate::risk) fn holds(
        &self,
        scope: Scope,
        cause: Cause,
        level: KillLevel,
        latched: bool,
    ) -> bool {
        self.entries.iter().any(|entry| {
            entry.scope == scope
                && entry.cause == cause
                && entry.level >= level
                && (entry.latched || !latched)
                && entry.clear_since.is_none()
        })
    }

    /// As [`Levels::settle`], of this scope alone.
    pub(in crate::risk) fn settle_in(
        &mut self,
        scope: Scope,
        cause: Cause,
        gone: bool,
        cooldown: Nanos,
        now: MonoNanos,
        out: &mut Vec<RiskOutput>,
    ) -> bool {
        let held = self
            .entries
            .iter_mut()
            .find(|entry| entry.scope == scope && entry.cause == cause && !entry.latched);
        let Some(entry) = held else { return false };
        if !gone {
            entry.clear_since = None;
            return false;
        }
        now.since(*entry.clear_since.get_or_insert(now)) >= cooldown
            && self.clear(scope, cause, now, out)
    }
}
