//! What of the kill levels survives a restart (RISK.md 2.5), as values; the journal turns them into names and back.

use crate::market::InstrumentId;
use crate::risk::{Actor, KillLevel, RiskOutput, Scope};
use crate::units::MonoNanos;

use super::{Cause, Levels, Probation, Raise, STARTUP};

/// Every level that is held and every automatic clear of the last day. Start-up's own K1 is not in it: each start raises
/// its own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LevelState {
    /// What holds which scope up.
    pub entries: Vec<LevelEntry>,
    /// Automatic clears, which are counted an hour and a day.
    pub clears: Vec<LevelClear>,
    /// Scopes on probation and until when.
    pub probations: Vec<(Scope, MonoNanos)>,
}

/// One cause that holds one scope up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelEntry {
    /// Where.
    pub scope: Scope,
    /// Fixed short word; rows of the catalogue for controls.
    pub cause: &'static str,
    /// The instrument whose state is the condition.
    pub source: Option<InstrumentId>,
    /// How high.
    pub level: KillLevel,
    /// The highest since this cause began to hold the scope: from K3 on two people lower it, in as many steps as they like.
    pub peak: KillLevel,
    /// Only people lower it.
    pub latched: bool,
    /// In words.
    pub reason: String,
}

/// One automatic clear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LevelClear {
    /// Where.
    pub scope: Scope,
    /// Of which cause.
    pub cause: &'static str,
    /// Of which instrument's state.
    pub source: Option<InstrumentId>,
    /// When.
    pub at: MonoNanos,
}

/// Every word that may stand as a cause. A word of another version becomes `restored`.
const CAUSES: &[&str] = &[
    "operator",
    "restored",
    "ladder",
    "journal",
    "2.7-14",
    "2.7-pair",
    "I40",
    "AT-01",
    "AT-02",
    "AT-03",
    "AT-04",
    "AT-05",
    "AT-06",
    "AT-07",
    "AT-08",
    "AT-09",
    "AT-10",
    "AT-11",
    "AT-12",
    "AT-10-usage",
    "AT-13",
    "AT-14",
    "AT-15",
    "AT-15-risk",
    "AT-16",
    "AT-17",
    "AT-18",
    "AT-19",
    "AT-20",
    "AT-21",
    "AT-22",
    "AT-23",
    "AT-24",
    "AT-25",
    "AT-26",
    "AT-27",
    "AT-28",
    "AT-29",
    "AT-30",
    "AT-31",
    "AT-32",
    "AT-33",
    "AT-34",
    "AT-35",
    "PT-32",
    "PT-36",
    "PT-37",
    "PT-47",
    "PT-48",
    "stress",
];

/// The fixed word that a text of an earlier session stands for.
#[must_use]
pub fn cause_of(text: &str) -> &'static str {
    CAUSES
        .iter()
        .find(|cause| **cause == text)
        .copied()
        .unwrap_or("restored")
}

impl Levels {
    /// What must survive a restart.
    pub(in crate::risk) fn state(&self) -> LevelState {
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
                    peak: entry.peak,
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
            probations: self
                .probations
                .iter()
                .map(|one| (one.scope, one.until))
                .collect(),
        }
    }

    /// The state, if it changed since it was last taken.
    pub(in crate::risk) fn take_state(&mut self) -> Option<LevelState> {
        std::mem::take(&mut self.state_changed).then(|| self.state())
    }

    /// Puts back what an earlier session held. Nothing is lowered by it.
    pub(in crate::risk) fn restore(
        &mut self,
        state: LevelState,
        now: MonoNanos,
        out: &mut Vec<RiskOutput>,
    ) {
        for entry in state.entries {
            let (scope, peak) = (entry.scope, entry.peak);
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
            let cause = raise.cause;
            self.raise(raise, now, out);
            let same = |held: &&mut super::Entry| held.scope == scope && held.cause == cause;
            if let Some(held) = self.entries.iter_mut().find(same) {
                held.peak = held.peak.max(peak);
            }
        }
        self.clears.extend(state.clears.into_iter().map(|clear| {
            let cause = Cause {
                label: clear.cause,
                source: clear.source,
            };
            (clear.scope, cause, clear.at)
        }));
        for (scope, until) in state.probations {
            self.probations.push(Probation { scope, until });
        }
    }
}
