//! What a feed has seen.

use crate::exchanges::ReconnectCause;
use crate::exchanges::frame::{FrameKind, Malformed};

/// Counters of one feed. `frames_received == decoded + ignored + malformed` always.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FeedCounters {
    /// Frames given to the feed.
    pub frames_received: u64,
    /// Their bytes.
    pub bytes_received: u64,
    /// Frames that became market events (or confirmed a book).
    pub decoded: u64,
    /// Well-formed frames without use: answers to requests, other kinds, unknown symbols, prints that are no trades.
    pub ignored: u64,
    /// Frames that could not be understood.
    pub malformed: u64,
    by_kind: [u64; FrameKind::ALL.len()],
    malformed_by_kind: [u64; Malformed::COUNT],
    /// Depth levels pushed by diffs (without snapshots).
    pub levels: u64,
    /// Breaks in a chain of depth ids.
    pub gaps: u64,
    /// Books built from a snapshot, the first time included.
    pub syncs: u64,
    /// Snapshots received.
    pub snapshots: u64,
    /// Snapshots that were too old for the diffs at hand.
    pub snapshots_too_old: u64,
    /// Snapshot requests that failed, timed out or brought no snapshot.
    pub snapshots_failed: u64,
    /// Times more diffs waited for a snapshot than are kept.
    pub overflows: u64,
    /// Times a book went stale while connected.
    pub stale: u64,
    /// Messages later than `delay_max`.
    pub late: u64,
    /// Messages whose venue time lies ahead of our clock.
    pub negative_delays: u64,
    /// Connections replaced or lost.
    pub reconnects: u64,
    /// Why the last one was.
    pub reconnect_cause: Option<ReconnectCause>,
}

impl FeedCounters {
    /// Well-formed frames of a kind, used or not.
    #[must_use]
    pub fn of_kind(&self, kind: FrameKind) -> u64 {
        self.by_kind.get(kind.index()).copied().unwrap_or(0)
    }

    /// Malformed frames by label, those that occurred.
    pub fn malformed_kinds(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        Malformed::LABELS
            .into_iter()
            .zip(self.malformed_by_kind)
            .filter(|(_, count)| *count > 0)
    }

    #[inline]
    pub(super) fn count_kind(&mut self, kind: FrameKind) {
        if let Some(count) = self.by_kind.get_mut(kind.index()) {
            *count += 1;
        }
    }

    pub(super) fn count_malformed(&mut self, malformed: Malformed) {
        self.malformed += 1;
        if let Some(count) = self.malformed_by_kind.get_mut(malformed.index()) {
            *count += 1;
        }
    }
}
