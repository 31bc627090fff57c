//! How large orders may be: half while a control warns (RISK.md 2.4 step 1), a quarter after a re-arm (2.5).

use crate::market::Catalogue;
use crate::risk::Scope;
use crate::units::{MonoNanos, Ppm};

use super::{Cause, Levels, contains};

/// A scope that was re-armed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::risk) struct Probation {
    pub(in crate::risk) scope: Scope,
    /// The first instant without it.
    pub(in crate::risk) until: MonoNanos,
}

impl Levels {
    /// A scope was re-armed: a later end of a running probation stays.
    pub(in crate::risk) fn start_probation(&mut self, scope: Scope, until: MonoNanos) {
        self.state_changed = true;
        match self.probations.iter_mut().find(|one| one.scope == scope) {
            Some(known) => known.until = known.until.max(until),
            None => self.probations.push(Probation { scope, until }),
        }
    }

    /// Ends what is over; true when something ended.
    pub(in crate::risk) fn end_probations(&mut self, now: MonoNanos) -> bool {
        let before = self.probations.len();
        self.probations.retain(|one| now < one.until);
        let ended = self.probations.len() < before;
        self.state_changed |= ended;
        ended
    }

    /// A control warns, or stops to; true when that is news.
    pub(in crate::risk) fn set_near(&mut self, scope: Scope, cause: Cause, near: bool) -> bool {
        let known = self.near.contains(&(scope, cause));
        if near && !known {
            self.near.push((scope, cause));
        } else if !near {
            self.near.retain(|one| *one != (scope, cause));
        }
        near != known
    }

    /// A row warns of a scope no more, whatever its instrument.
    pub(in crate::risk) fn forget_near(&mut self, scope: Scope, row: &str) {
        self.near
            .retain(|(other, cause)| *other != scope || cause.label != row);
    }

    /// Share of the order limits that is allowed where `covers` says that a scope counts.
    pub(in crate::risk) fn size_factor(&self, covers: impl Fn(Scope) -> bool) -> Ppm {
        let mut factor = Ppm::ONE;
        if self.near.iter().any(|(scope, _)| covers(*scope)) {
            factor = factor.min(self.rules.near_size);
        }
        if self.probations.iter().any(|one| covers(one.scope)) {
            factor = factor.min(self.rules.probation_size);
        }
        factor
    }

    /// Whether something of a scope is on probation: then a breach there latches at once.
    pub(in crate::risk) fn is_on_probation(&self, scope: Scope, catalogue: &Catalogue) -> bool {
        self.probations.iter().any(|one| {
            one.scope == scope
                || one.scope == Scope::Portfolio
                || scope == Scope::Portfolio
                || catalogue.all().iter().any(|instrument| {
                    contains(one.scope, instrument) && contains(scope, instrument)
                })
        })
    }
}
