//! What all threads measured together: cumulative since the start, and the last closed ten-second window.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::units::{MonoNanos, Nanos};

use super::spans::Spans;
use super::stage::{Dimension, Stage};

/// Length of a window.
pub const WINDOW: Nanos = Nanos::from_secs(10);

/// The names of the lanes, by index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lanes {
    /// By venue id.
    pub venues: Vec<String>,
    /// Rings and queues, in an order that the wiring decides.
    pub queues: Vec<String>,
    /// By strategy id.
    pub strategies: Vec<String>,
}

impl Lanes {
    /// How many lanes a stage of this dimension has.
    #[must_use]
    pub const fn count(&self, dimension: Dimension) -> usize {
        match dimension {
            Dimension::Venue => self.venues.len(),
            Dimension::Queue => self.queues.len(),
            Dimension::Strategy => self.strategies.len(),
            Dimension::None => 1,
        }
    }
    /// The name of one lane.
    #[must_use]
    pub fn name(&self, dimension: Dimension, lane: usize) -> Option<&str> {
        let names = match dimension {
            Dimension::Venue => &self.venues,
            Dimension::Queue => &self.queues,
            Dimension::Strategy => &self.strategies,
            Dimension::None => return None,
        };
        names.get(lane).map(String::as_str)
    }
}

/// Figures of one stage, as `--json` and `/status` show them.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct StageLatency {
    /// Spans counted.
    pub count: u64,
    /// Median.
    pub p50_ns: u64,
    /// 90th percentile.
    pub p90_ns: u64,
    /// 99 of 100 are at or below.
    pub p99_ns: u64,
    /// 999 of 1,000 are at or below.
    pub p999_ns: u64,
    /// Longest.
    pub max_ns: u64,
}

impl StageLatency {
    /// Reads the figures.
    #[must_use]
    pub fn of(spans: &Spans) -> Self {
        Self {
            count: spans.count(),
            p50_ns: spans.quantile(0.5).0,
            p90_ns: spans.quantile(0.9).0,
            p99_ns: spans.quantile(0.99).0,
            p999_ns: spans.quantile(0.999).0,
            max_ns: spans.max().0,
        }
    }
}

/// One stage and lane.
#[derive(Debug, Default)]
pub(super) struct Track {
    pub(super) total: Spans,
    pub(super) open: Spans,
    pub(super) closed: Spans,
}

/// Everything measured so far. Lives behind the hub's lock; hot threads never see it.
#[derive(Debug, Default)]
pub(super) struct LatencyStore {
    tracks: BTreeMap<(Stage, usize), Track>,
    window_since: Option<MonoNanos>,
}

impl LatencyStore {
    /// Counts one handed-over histogram.
    pub(super) fn merge(&mut self, stage: Stage, lane: usize, spans: &Spans) {
        if spans.is_empty() {
            return;
        }
        let track = self.tracks.entry((stage, lane)).or_default();
        track.total.merge(spans);
        track.open.merge(spans);
    }
    /// Closes the window when it is over. What was handed over up to here belongs to it.
    pub(super) fn roll(&mut self, now: MonoNanos) {
        let since = *self.window_since.get_or_insert(now);
        if now.since(since) < WINDOW {
            return;
        }
        self.window_since = Some(now);
        for track in self.tracks.values_mut() {
            std::mem::swap(&mut track.open, &mut track.closed);
            track.open.clear();
        }
    }
    /// By stage and lane.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Stage, usize, &Track)> {
        self.tracks
            .iter()
            .map(|((stage, lane), track)| (*stage, *lane, track))
    }
    /// From frame to decision in the last closed window: the slowest lane's 99th percentile of each stage on the way, summed.
    /// The sum is at least the true percentile.
    pub(super) fn decision_p99(&self) -> Nanos {
        let stages = [
            Stage::Decode,
            Stage::QueueWait,
            Stage::BookApply,
            Stage::StrategyEval,
            Stage::RiskCheck,
        ];
        let slowest = |stage: Stage| {
            let tracks = self.tracks.range((stage, 0)..=(stage, usize::MAX));
            let closed = tracks
                .map(|(_, track)| &track.closed)
                .filter(|closed| !closed.is_empty());
            closed.map(|closed| closed.quantile(0.99).0).max()
        };
        Nanos(
            stages
                .into_iter()
                .filter_map(slowest)
                .fold(0, u64::saturating_add),
        )
    }
    /// One stage over all its lanes, since the start.
    pub(super) fn stage(&self, stage: Stage) -> StageLatency {
        let mut sum = Spans::new();
        for track in self
            .tracks
            .range((stage, 0)..=(stage, usize::MAX))
            .map(|(_, track)| track)
        {
            sum.merge(&track.total);
        }
        StageLatency::of(&sum)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_shows_the_last_ten_seconds_only() {
        let mut store = LatencyStore::default();
        let mut spans = Spans::new();
        spans.record(Nanos(100));
        let start = MonoNanos(0);
        store.roll(start);
        store.merge(Stage::Decode, 0, &spans);
        store.roll(start.after(Nanos::from_secs(9)));
        let counts = |store: &LatencyStore| {
            store
                .iter()
                .map(|(_, _, track)| (track.total.count(), track.closed.count()))
                .collect::<Vec<_>>()
        };
        assert_eq!(counts(&store), [(1, 0)]);
        store.roll(start.after(Nanos::from_secs(10)));
        assert_eq!(counts(&store), [(1, 1)]);
        store.roll(start.after(Nanos::from_secs(20)));
        assert_eq!(counts(&store), [(1, 0)]);
        assert_eq!(store.stage(Stage::Decode).p50_ns, 100);
        assert_eq!(store.stage(Stage::Write), StageLatency::default());
    }
}
