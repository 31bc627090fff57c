//! The engine's heartbeat as other processes see it, and what a watchdog concludes from it. Pure.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::units::{MonoNanos, Nanos};

/// Name of the file in `data_dir`.
pub const HEARTBEAT_FILE: &str = "heartbeat.json";

/// Amounts by venue and asset.
pub type ByVenue = BTreeMap<String, BTreeMap<String, Decimal>>;

/// What the engine is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum HeartState {
    /// Connecting and reconciling after a session that died; reduce-only.
    #[default]
    Starting,
    /// Running.
    Running,
    /// Cancelling and closing connections.
    Stopping,
    /// Ended in order, or begins again after that and does not trade yet: what it holds is meant to be held.
    Stopped,
}

/// One beat. Written ten times a second.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Heartbeat {
    /// Session number of the engine.
    pub epoch_secs: u32,
    /// Its process.
    pub pid: u32,
    /// Counts up by one a beat of the control thread: its proof of life, whoever writes the file.
    pub seq: u64,
    /// Signs of life of the signal seat so far, ten a second.
    #[serde(default)]
    pub signal_seq: u64,
    /// Wall time, ns since 1970.
    pub time_ns: i64,
    /// What it is doing.
    pub state: HeartState,
    /// What was in each spot account before the engine traded there.
    pub baselines: ByVenue,
    /// What the engine's executions changed in each spot account, and what its open purchases may still add. Nothing else above
    /// the baseline is the engine's. `None` was not told.
    #[serde(default)]
    pub own: Option<ByVenue>,
}

impl Heartbeat {
    /// The beat of a start that does not trade yet, after what the last session left. After a stop in order, or when there
    /// was none, it says "stopped": a start that is refused or dies here has touched nothing, and what is held stays held.
    /// After a death it says "starting": should the start fail as well, nobody looks after what the dead session left.
    #[must_use]
    pub fn at_start(before: Option<Self>) -> Self {
        let Some(before) = before else {
            return Self {
                state: HeartState::Stopped,
                ..Self::default()
            };
        };
        let state = match before.state {
            HeartState::Stopped => HeartState::Stopped,
            HeartState::Starting | HeartState::Running | HeartState::Stopping => {
                HeartState::Starting
            }
        };
        Self {
            state,
            baselines: before.baselines,
            own: before.own,
            ..Self::default()
        }
    }
}

/// What is known of the engine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// No heartbeat was ever seen.
    NeverSeen,
    /// It beats.
    Alive,
    /// It stopped in order.
    Stopped,
    /// No new beat for this long; not yet the grace.
    Late(Nanos),
    /// No new beat for longer than the grace.
    Gone(Nanos),
}

/// Follows one heartbeat. Time counts from when a *new* beat was seen here: clocks need not agree.
#[derive(Debug, Clone)]
pub struct Pulse {
    grace: Nanos,
    last: Option<(u32, u64)>,
    state: HeartState,
    changed_at: MonoNanos,
    changes: u64,
    signal: u64,
    signal_at: MonoNanos,
}

/// A beat this much behind is late.
const LATE: Nanos = Nanos::from_secs(1);

impl Pulse {
    /// Nothing seen yet.
    #[must_use]
    pub const fn new(grace: Nanos) -> Self {
        Self {
            grace,
            last: None,
            state: HeartState::Starting,
            changed_at: MonoNanos(0),
            changes: 0,
            signal: 0,
            signal_at: MonoNanos(0),
        }
    }
    /// A look at the heartbeat; the same beat again proves nothing.
    pub fn on_look(&mut self, beat: &Heartbeat, now: MonoNanos) {
        let name = (beat.epoch_secs, beat.seq);
        if self.last != Some(name) {
            self.last = Some(name);
            self.changed_at = now;
            self.changes = self.changes.saturating_add(1);
        }
        // Where it does not trade, the seat need not be there.
        if self.signal != beat.signal_seq || beat.state != HeartState::Running {
            self.signal = beat.signal_seq;
            self.signal_at = now;
        }
        self.state = beat.state;
    }
    /// The engine beats, its signal seat did not for longer than the grace. An engine that never tells of it (`signal_seq` 0)
    /// is not judged.
    #[must_use]
    pub fn signal_stands(&self, now: MonoNanos) -> bool {
        self.signal != 0 && now.since(self.signal_at) > self.grace
    }
    /// A beat came after the first that was found: the first may be years old.
    #[must_use]
    pub const fn has_beaten(&self) -> bool {
        self.changes > 1
    }
    /// What follows.
    #[must_use]
    pub fn verdict(&self, now: MonoNanos) -> Verdict {
        if self.last.is_none() {
            return Verdict::NeverSeen;
        }
        if self.state == HeartState::Stopped {
            return Verdict::Stopped;
        }
        match now.since(self.changed_at) {
            age if age > self.grace => Verdict::Gone(age),
            age if age > LATE => Verdict::Late(age),
            _ => Verdict::Alive,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_new_beats_count_and_a_stop_in_order_is_no_death() {
        let mut pulse = Pulse::new(Nanos::from_secs(10));
        let at = |secs: u64| MonoNanos(secs * 1_000_000_000);
        assert_eq!(pulse.verdict(at(100)), Verdict::NeverSeen);
        let mut beat = Heartbeat {
            epoch_secs: 7,
            seq: 1,
            state: HeartState::Running,
            ..Heartbeat::default()
        };
        pulse.on_look(&beat, at(100));
        assert_eq!(pulse.verdict(at(101)), Verdict::Alive);
        for secs in 101..=110 {
            pulse.on_look(&beat, at(secs));
        }
        assert_eq!(
            pulse.verdict(at(110)),
            Verdict::Late(Nanos::from_secs(10)),
            "equal to the grace is within it"
        );
        assert_eq!(pulse.verdict(at(111)), Verdict::Gone(Nanos::from_secs(11)));
        beat.seq = 2;
        assert!(!pulse.has_beaten());
        pulse.on_look(&beat, at(112));
        assert!(pulse.has_beaten());
        assert_eq!(pulse.verdict(at(112)), Verdict::Alive);
        beat = Heartbeat {
            epoch_secs: 8,
            seq: 0,
            ..beat
        };
        pulse.on_look(&beat, at(130));
        assert_eq!(
            pulse.verdict(at(130)),
            Verdict::Alive,
            "another session beats"
        );
        beat.state = HeartState::Stopped;
        pulse.on_look(&beat, at(131));
        assert_eq!(pulse.verdict(at(999)), Verdict::Stopped);
    }

    #[test]
    fn a_start_that_fails_changes_nothing_of_what_the_last_session_left() {
        let verdict_after = |before: Option<HeartState>| {
            let before = before.map(|state| Heartbeat {
                epoch_secs: 7,
                seq: 900,
                state,
                baselines: [("spot".to_owned(), BTreeMap::new())].into(),
                ..Heartbeat::default()
            });
            let known = before.as_ref().map(|beat| beat.baselines.clone());
            let beat = Heartbeat {
                epoch_secs: 8,
                seq: 1,
                ..Heartbeat::at_start(before)
            };
            assert_eq!(beat.baselines, known.unwrap_or_default());
            let mut pulse = Pulse::new(Nanos::from_secs(10));
            pulse.on_look(&beat, MonoNanos(0));
            pulse.verdict(MonoNanos(60_000_000_000))
        };
        assert_eq!(verdict_after(None), Verdict::Stopped);
        for (left, dead) in [
            (HeartState::Stopped, false),
            (HeartState::Starting, true),
            (HeartState::Running, true),
            (HeartState::Stopping, true),
        ] {
            let verdict = verdict_after(Some(left));
            assert_eq!(matches!(verdict, Verdict::Gone(_)), dead, "{left:?}");
        }
    }
}
