//! The venue's clock less ours: several measurements, the one with the shortest round trip counts.
//!
//! An offset is known to half of its round trip. The first question of a session often waits for a connection to be made, so a
//! series is asked and its best kept. A step of our own clock makes every offset worthless: a new series begins.

use crate::units::{MonoNanos, Nanos, UnixNanos};

/// Pause between two questions of a series.
const SAMPLE_PAUSE: Nanos = Nanos::from_millis(100);
/// Another series after this.
pub(super) const CLOCK_EVERY: Nanos = Nanos::from_secs(1_800);
/// Our wall clock moved against our monotonic one by more than this between two looks (RISK.md PT-44 `clock_step_ms_max`).
const STEP_NANOS: i64 = 100_000_000;

/// What is known of both clocks.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct VenueClock {
    /// Best of the running or last series: round trip and offset.
    best: Option<(Nanos, i64)>,
    /// Offset in force; `None` before the first answer.
    offset: Option<i64>,
    left: u8,
    /// Wall less monotonic at the last look.
    skew: Option<i64>,
    stepped_at: Option<MonoNanos>,
}

impl VenueClock {
    /// A question is asked: the next of the running series, or the first of a new one. The old offset stays in force until
    /// the first answer.
    pub(super) const fn ask(&mut self, samples: u8) {
        if self.left == 0 {
            self.best = None;
            self.left = samples;
        }
    }
    /// One measurement; when to ask again.
    pub(super) fn measured(&mut self, offset: i64, round_trip: Nanos) -> Nanos {
        if self.best.is_none_or(|(shortest, _)| round_trip < shortest) {
            self.best = Some((round_trip, offset));
            self.offset = Some(offset);
        }
        self.left = self.left.saturating_sub(1);
        if self.left > 0 {
            SAMPLE_PAUSE
        } else {
            CLOCK_EVERY
        }
    }
    /// The offset in force; zero before the first answer.
    pub(super) const fn offset_nanos(&self) -> i64 {
        match self.offset {
            Some(offset) => offset,
            None => 0,
        }
    }
    /// The offset, if it was measured.
    pub(super) const fn known(&self) -> Option<i64> {
        self.offset
    }
    /// When a step of our clock was last seen.
    pub(super) const fn stepped_at(&self) -> Option<MonoNanos> {
        self.stepped_at
    }
    /// Looks at both of our clocks. True when the wall clock stepped: measure again.
    pub(super) fn look(&mut self, now: MonoNanos, time: UnixNanos) -> bool {
        let skew = time
            .0
            .saturating_sub(i64::try_from(now.0).unwrap_or(i64::MAX));
        let before = self.skew.replace(skew);
        let stepped =
            before.is_some_and(|before| skew.saturating_sub(before).saturating_abs() > STEP_NANOS);
        if stepped {
            self.stepped_at = Some(now);
            self.left = 0;
        }
        stepped
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shortest_round_trip_counts() {
        let mut clock = VenueClock::default();
        assert_eq!((clock.known(), clock.offset_nanos()), (None, 0));
        clock.ask(5);
        let mut more = Vec::new();
        for (offset, millis) in [
            (75_000_000, 150),
            (900, 2),
            (5_000_000, 9),
            (800, 2),
            (7, 3),
        ] {
            more.push(clock.measured(offset, Nanos::from_millis(millis)));
        }
        assert_eq!(
            more,
            [
                SAMPLE_PAUSE,
                SAMPLE_PAUSE,
                SAMPLE_PAUSE,
                SAMPLE_PAUSE,
                CLOCK_EVERY
            ]
        );
        assert_eq!(clock.known(), Some(900));
        // A later series replaces it even when its best is slower: clocks drift.
        clock.ask(5);
        assert_eq!(clock.measured(1_000, Nanos::from_millis(4)), SAMPLE_PAUSE);
        assert_eq!(clock.known(), Some(1_000));
    }

    #[test]
    fn a_step_is_seen_once() {
        let mut clock = VenueClock::default();
        let at = |now: u64, wall: i64| (MonoNanos(now), UnixNanos(wall));
        let (now, time) = at(0, 1_000);
        assert!(!clock.look(now, time));
        let (now, time) = at(50, 1_050 + STEP_NANOS);
        assert!(!clock.look(now, time), "at the bound");
        let (now, time) = at(60, 1_061 + 2 * STEP_NANOS);
        assert!(clock.look(now, time));
        assert_eq!(clock.stepped_at(), Some(MonoNanos(60)));
        let (now, time) = at(70, 1_071 + 2 * STEP_NANOS);
        assert!(!clock.look(now, time));
    }
}
