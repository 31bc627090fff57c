//! The kill levels in the journal: written whole at each change, read back at the next start (RISK.md 2.5, I12).

use serde::{Deserialize, Serialize};

use crate::market::{InstrumentId, VenueId};
use crate::risk::output::{Actor, LimitsChanged, Scope};
use crate::risk::{Direction, KillLevel, LevelClear, LevelEntry, LevelState, cause_of};
use crate::trade::StrategyId;
use crate::units::{Asset, MonoNanos, Nanos, UnixNanos};

use super::reader::Entry;
use super::record::{Names, Record};

/// One cause that holds one scope up, with names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeldRecord {
    /// As in `level_changed`.
    pub scope: String,
    /// What holds it.
    pub cause: String,
    /// `venue:SYMBOL` whose state is the condition.
    pub source: Option<String>,
    /// Its level.
    pub level: String,
    /// The highest it ever was; older records do not say.
    #[serde(default)]
    pub peak: Option<String>,
    /// Only people lower it.
    pub latched: bool,
    /// In words.
    pub reason: String,
}

/// One automatic clear, with names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClearRecord {
    /// As in `level_changed`.
    pub scope: String,
    /// Of which cause.
    pub cause: String,
    /// Of which instrument's state.
    pub source: Option<String>,
    /// When, ns since 1970.
    pub time: i64,
}

/// One scope on probation, with names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProbationRecord {
    /// As in `level_changed`.
    pub scope: String,
    /// Until when, ns since 1970.
    pub until: i64,
}

/// One limit that changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LimitRecord {
    /// Its key.
    pub key: String,
    /// Before.
    pub old: String,
    /// After.
    pub new: String,
    /// tighter, looser, other.
    pub direction: &'static str,
}

/// An instant in both times: what turns one into the other.
#[derive(Debug, Clone, Copy)]
pub struct Instant {
    /// Our clock.
    pub mono: MonoNanos,
    /// The wall's.
    pub unix: UnixNanos,
}

impl Instant {
    fn unix_of(self, at: MonoNanos) -> i64 {
        let ago = i64::try_from(self.mono.since(at).0).unwrap_or(i64::MAX);
        self.unix.0.saturating_sub(ago)
    }
    /// Any instant of our clock in wall time, before or after this one.
    #[must_use]
    pub fn wall(self, at: MonoNanos) -> i64 {
        if at < self.mono {
            self.unix_of(at)
        } else {
            self.unix_at(at)
        }
    }
    fn unix_at(self, at: MonoNanos) -> i64 {
        let ahead = i64::try_from(at.since(self.mono).0).unwrap_or(i64::MAX);
        self.unix.0.saturating_add(ahead)
    }
    fn mono_at(self, unix: i64) -> MonoNanos {
        let ahead = u64::try_from(unix.saturating_sub(self.unix.0)).unwrap_or(0);
        self.mono.after(Nanos(ahead))
    }
    /// An instant before the process began is its beginning: a clear then counts longer, never shorter.
    fn mono_of(self, unix: i64) -> MonoNanos {
        let ago = u64::try_from(self.unix.0.saturating_sub(unix)).unwrap_or(0);
        MonoNanos(self.mono.0.saturating_sub(Nanos(ago).0))
    }
}

pub(super) fn actor(by: &Actor) -> String {
    match by {
        Actor::Control(row) => (*row).to_owned(),
        Actor::Operator(name) => format!("operator:{name}"),
    }
}

impl Names<'_> {
    /// The levels as they stand.
    #[must_use]
    pub fn level_state(&self, state: &LevelState, now: Instant) -> Record {
        let source = |id: Option<InstrumentId>| id.map(|id| self.catalogue.label(id));
        Record::LevelState {
            held: state
                .entries
                .iter()
                .map(|entry| HeldRecord {
                    scope: self.scope(&entry.scope),
                    cause: entry.cause.to_owned(),
                    source: source(entry.source),
                    level: entry.level.label().to_owned(),
                    peak: Some(entry.peak.label().to_owned()),
                    latched: entry.latched,
                    reason: entry.reason.clone(),
                })
                .collect(),
            clears: state
                .clears
                .iter()
                .map(|clear| ClearRecord {
                    scope: self.scope(&clear.scope),
                    cause: clear.cause.to_owned(),
                    source: source(clear.source),
                    time: now.unix_of(clear.at),
                })
                .collect(),
            probations: state
                .probations
                .iter()
                .map(|(scope, until)| ProbationRecord {
                    scope: self.scope(scope),
                    until: now.unix_at(*until),
                })
                .collect(),
        }
    }

    /// New limits.
    #[must_use]
    pub fn limits_changed(&self, change: &LimitsChanged) -> Record {
        Record::LimitsChanged {
            hash: change.hash.to_string(),
            by: actor(&change.by),
            reason: change.reason.clone(),
            changes: change
                .changes
                .iter()
                .map(|one| LimitRecord {
                    key: one.key.clone(),
                    old: one.old.clone(),
                    new: one.new.clone(),
                    direction: Direction::label(one.direction),
                })
                .collect(),
        }
    }

    fn instrument_of(&self, label: &str) -> Option<InstrumentId> {
        let all = self.catalogue.all();
        let found = all
            .iter()
            .find(|one| self.catalogue.label(one.id) == label)?;
        Some(found.id)
    }

    /// The scope that a text names, as [`Names::scope`] writes it; `None` when there is no such thing here.
    #[must_use]
    pub fn scope_of(&self, text: &str) -> Option<Scope> {
        let (kind, name) = text.split_once(':').unwrap_or((text, ""));
        Some(match kind {
            "portfolio" => Scope::Portfolio,
            "venue" => {
                let names = self.catalogue.venue_names();
                let index = names.iter().position(|venue| venue == name)?;
                Scope::Venue(VenueId(u8::try_from(index).ok()?))
            }
            "asset" => Scope::Asset(Asset::new(name)?),
            "symbol" => Scope::Symbol(name.parse().ok()?),
            "instrument" => Scope::Instrument(self.instrument_of(name)?),
            "strategy" => {
                let index = self.strategies.iter().position(|one| one == name)?;
                Scope::Strategy(StrategyId(u8::try_from(index).ok()?))
            }
            _ => return None,
        })
    }

    /// What one entry says in this configuration. A latch on something that is not configured any more must not be lost
    /// and cannot be placed: it holds everything at reduce only until people look.
    fn held(&self, record: HeldRecord) -> LevelEntry {
        let level = KillLevel::of_label(&record.level);
        let highest = level.unwrap_or(KillLevel::ReduceOnly);
        let peak = record.peak.as_deref().and_then(KillLevel::of_label);
        let peak = peak.unwrap_or(highest).max(highest);
        if let (Some(scope), Some(level)) = (self.scope_of(&record.scope), level) {
            return LevelEntry {
                scope,
                cause: cause_of(&record.cause),
                source: record.source.and_then(|label| self.instrument_of(&label)),
                level,
                peak,
                latched: record.latched,
                reason: record.reason,
            };
        }
        LevelEntry {
            scope: Scope::Portfolio,
            cause: cause_of("restored"),
            source: None,
            level: KillLevel::ReduceOnly,
            peak,
            latched: true,
            reason: format!(
                "an earlier session held {} at {} ({}: {}), which is not configured now",
                record.scope, record.level, record.cause, record.reason
            ),
        }
    }
}

/// The levels that the last session held, from its journal; `None` when it never wrote any.
///
/// # Errors
/// The last record of the levels cannot be understood: then nobody knows what was held.
pub fn levels_from_journal(
    entries: &[Entry],
    names: &Names<'_>,
    now: Instant,
) -> Result<Option<LevelState>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Written {
        held: Vec<HeldRecord>,
        clears: Vec<ClearRecord>,
        probations: Vec<ProbationRecord>,
    }
    let Some(last) = entries.iter().rev().find(|entry| {
        entry.record.get("kind").and_then(|kind| kind.as_str()) == Some("level_state")
    }) else {
        return Ok(None);
    };
    let written: Written = serde_json::from_value(last.record.clone())?;
    Ok(Some(LevelState {
        entries: written
            .held
            .into_iter()
            .map(|record| names.held(record))
            .collect(),
        clears: written
            .clears
            .into_iter()
            .filter_map(|record| {
                Some(LevelClear {
                    scope: names.scope_of(&record.scope)?,
                    cause: cause_of(&record.cause),
                    source: record.source.and_then(|label| names.instrument_of(&label)),
                    at: now.mono_of(record.time),
                })
            })
            .collect(),
        probations: written
            .probations
            .into_iter()
            .filter_map(|record| {
                let until = now.mono_at(record.until);
                Some((names.scope_of(&record.scope)?, until))
            })
            .collect(),
    }))
}
