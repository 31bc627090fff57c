//! How a thread measures its own stages: histograms it owns, handed over once a second without ever waiting.

use std::sync::{Arc, Mutex, PoisonError, TryLockError};

use crate::clock::{Clock, OsClock};
use crate::units::{MonoNanos, Nanos};

use super::latency::Lanes;
use super::spans::Spans;
use super::stage::Stage;

/// What the decision path calls to be measured. Simulation and replay use [`NoopTimer`].
pub trait StageTimer {
    /// Our monotonic instant, for measuring only: no decision may depend on it.
    fn stamp(&mut self) -> MonoNanos;
    /// Counts one span. `lane` is the index of the stage's [`super::Dimension`]: venue, ring or strategy id, else 0.
    fn record(&mut self, stage: Stage, lane: usize, span: Nanos);
    /// Counts the time from `from` until now and returns now, so that stages chain with one clock read each.
    #[inline]
    fn lap(&mut self, stage: Stage, lane: usize, from: MonoNanos) -> MonoNanos {
        let now = self.stamp();
        self.record(stage, lane, now.since(from));
        now
    }
}

/// Measures nothing and reads no clock: every stamp is zero.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NoopTimer;

impl StageTimer for NoopTimer {
    #[inline]
    fn stamp(&mut self) -> MonoNanos {
        MonoNanos(0)
    }
    #[inline]
    fn record(&mut self, _stage: Stage, _lane: usize, _span: Nanos) {}
}

/// Measures with the machine's clock into a recorder.
#[derive(Debug)]
pub struct LiveTimer {
    clock: OsClock,
    recorder: StageRecorder,
}

impl LiveTimer {
    /// A timer whose instants compare with those of `clock`.
    #[must_use]
    pub const fn new(clock: OsClock, recorder: StageRecorder) -> Self {
        Self { clock, recorder }
    }
    /// The recorder, to record spans measured elsewhere and to publish.
    pub const fn recorder(&mut self) -> &mut StageRecorder {
        &mut self.recorder
    }
}

impl StageTimer for LiveTimer {
    #[inline]
    fn stamp(&mut self) -> MonoNanos {
        self.clock.now()
    }
    #[inline]
    fn record(&mut self, stage: Stage, lane: usize, span: Nanos) {
        self.recorder.record(stage, lane, span);
    }
}

/// The histograms of one thread: for each recorded stage one a lane.
#[derive(Debug)]
pub(super) struct StageSet {
    by_stage: [Vec<Spans>; Stage::ALL.len()],
}

impl StageSet {
    fn new(stages: &[Stage], lanes: &Lanes) -> Self {
        let by_stage = Stage::ALL.map(|stage| {
            let count = if stages.contains(&stage) {
                lanes.count(stage.dimension())
            } else {
                0
            };
            std::iter::repeat_with(Spans::new).take(count).collect()
        });
        Self { by_stage }
    }
    #[inline]
    fn spans_mut(&mut self, stage: Stage, lane: usize) -> Option<&mut Spans> {
        self.by_stage.get_mut(stage.index())?.get_mut(lane)
    }
    /// Everything that was counted.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Stage, usize, &Spans)> {
        Stage::ALL.into_iter().flat_map(|stage| {
            let lanes = self
                .by_stage
                .get(stage.index())
                .map_or(&[][..], Vec::as_slice);
            lanes
                .iter()
                .enumerate()
                .map(move |(lane, spans)| (stage, lane, spans))
        })
    }
    fn clear(&mut self) {
        self.by_stage.iter_mut().flatten().for_each(Spans::clear);
    }
}

/// Where a recorder leaves a full set and finds an empty one.
#[derive(Debug, Default)]
pub(super) struct Port {
    slot: Mutex<Slot>,
}

#[derive(Debug, Default)]
struct Slot {
    full: Option<Box<StageSet>>,
    empty: Option<Box<StageSet>>,
    unlisted: u64,
}

impl Port {
    /// Takes the full set, lets `merge` read it, and leaves it empty for the next exchange. Returns how many spans
    /// the recorder could not place so far.
    pub(super) fn drain(&self, merge: impl FnOnce(&StageSet)) -> u64 {
        let full = self
            .slot
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .full
            .take();
        let emptied = full.map(|mut set| {
            merge(&set);
            set.clear();
            set
        });
        // The lock is not held while histograms are merged, so a publishing thread finds it free.
        let mut slot = self.slot.lock().unwrap_or_else(PoisonError::into_inner);
        if emptied.is_some() {
            slot.empty = emptied;
        }
        slot.unlisted
    }
}

/// Owned by one thread. `record` costs a few nanoseconds and never allocates; `publish` never waits.
#[derive(Debug)]
pub struct StageRecorder {
    live: Box<StageSet>,
    port: Arc<Port>,
    unlisted: u64,
}

impl StageRecorder {
    /// Histograms for the given stages, twice: one being filled, one being read.
    pub(super) fn new(stages: &[Stage], lanes: &Lanes) -> (Self, Arc<Port>) {
        let port = Arc::new(Port {
            slot: Mutex::new(Slot {
                full: None,
                empty: Some(Box::new(StageSet::new(stages, lanes))),
                unlisted: 0,
            }),
        });
        let recorder = Self {
            live: Box::new(StageSet::new(stages, lanes)),
            port: Arc::clone(&port),
            unlisted: 0,
        };
        (recorder, port)
    }

    /// Counts one span. A stage or lane this recorder was not made for is counted apart, never guessed.
    #[inline]
    pub fn record(&mut self, stage: Stage, lane: usize, span: Nanos) {
        match self.live.spans_mut(stage, lane) {
            Some(spans) => spans.record(span),
            None => self.unlisted = self.unlisted.saturating_add(1),
        }
    }

    /// Counts a span that may be negative (venue stamp to receive, by two clocks): below zero counts as zero.
    #[inline]
    pub fn record_signed(&mut self, stage: Stage, lane: usize, nanos: i64) {
        self.record(stage, lane, Nanos(u64::try_from(nanos).unwrap_or(0)));
    }

    /// Hands over what was counted; call about once a second. False when the other side has not read the last
    /// handover yet or holds the lock: nothing is lost, the next call hands over both.
    pub fn publish(&mut self) -> bool {
        let mut slot = match self.port.slot.try_lock() {
            Ok(slot) => slot,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return false,
        };
        slot.unlisted = self.unlisted;
        if slot.full.is_some() {
            return false;
        }
        let Some(empty) = slot.empty.take() else {
            return false;
        };
        slot.full = Some(std::mem::replace(&mut self.live, empty));
        true
    }
}

impl StageTimer for StageRecorder {
    /// Zero: a bare recorder reads no clock; it takes spans that the caller measured (virtual time).
    #[inline]
    fn stamp(&mut self) -> MonoNanos {
        MonoNanos(0)
    }
    #[inline]
    fn record(&mut self, stage: Stage, lane: usize, span: Nanos) {
        Self::record(self, stage, lane, span);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lanes() -> Lanes {
        Lanes {
            venues: vec!["a".into(), "b".into()],
            queues: vec![],
            strategies: vec![],
        }
    }

    #[test]
    fn a_handover_that_nobody_reads_loses_nothing() {
        let (mut recorder, port) = StageRecorder::new(&[Stage::Decode], &lanes());
        recorder.record(Stage::Decode, 0, Nanos(10));
        assert!(recorder.publish());
        recorder.record(Stage::Decode, 1, Nanos(20));
        assert!(!recorder.publish(), "the first handover was not read");
        let read = |port: &Port| {
            let mut counts = [0; 2];
            port.drain(|set| {
                for (_, lane, spans) in set.iter() {
                    counts[lane] += spans.count();
                }
            });
            counts
        };
        assert_eq!(read(&port), [1, 0]);
        assert!(recorder.publish());
        assert_eq!(read(&port), [0, 1]);
        assert_eq!(read(&port), [0, 0]);
    }

    #[test]
    fn what_has_no_place_is_counted_apart() {
        let (mut recorder, port) = StageRecorder::new(&[Stage::Decode], &lanes());
        recorder.record(Stage::Decode, 2, Nanos(1));
        recorder.record(Stage::Write, 0, Nanos(1));
        recorder.record_signed(Stage::Decode, 0, -5);
        assert!(recorder.publish());
        let mut total = 0;
        assert_eq!(
            port.drain(|set| total = set.iter().map(|(_, _, spans)| spans.count()).sum()),
            2
        );
        assert_eq!(total, 1);
    }
}
