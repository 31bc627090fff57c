//! One book of a feed: its synchronisation, when its snapshot is asked, and the events it becomes.

use crate::exchanges::RequestId;
use crate::exchanges::backoff::Backoff;
use crate::exchanges::frame::{DepthIds, DepthLevels, LevelChange};
use crate::exchanges::sync::{BookSync, SyncBounds, SyncRule};
use crate::market::event::{END_OF_BATCH, EventSink};
use crate::market::{EventKind, InstrumentId, MarketEvent, Trust, TrustCause};
use crate::prng::Prng;
use crate::units::{MonoNanos, Nanos, Side};

/// A snapshot needed again sooner than this after the last request waits by backoff.
const CALM: Nanos = Nanos::from_secs(10);
const SNAPSHOT_WAIT_FIRST: Nanos = Nanos::from_millis(250);
const SNAPSHOT_WAIT_CAP: Nanos = Nanos::from_secs(30);

/// Where the snapshot request of a book stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum SnapshotRequest {
    /// None is needed.
    Idle,
    /// To be asked from this instant on.
    Due(MonoNanos),
    /// Asked; given up at the instant.
    Asked(RequestId, MonoNanos),
}

/// One instrument's feed state.
#[derive(Debug, Clone)]
pub(super) struct FeedBook {
    pub(super) id: InstrumentId,
    pub(super) sync: BookSync,
    pub(super) request: SnapshotRequest,
    pub(super) heard_at: MonoNanos,
    pub(super) is_stale: bool,
    /// Next funding, on our clock; told when it moved by more than a second.
    pub(super) next_event: Option<MonoNanos>,
    pub(super) told_event: Option<MonoNanos>,
    asked_at: Option<MonoNanos>,
    backoff: Backoff,
}

impl FeedBook {
    pub(super) fn new(id: InstrumentId, rule: SyncRule) -> Self {
        Self {
            id,
            sync: BookSync::new(rule, SyncBounds::LIVE),
            request: SnapshotRequest::Idle,
            heard_at: MonoNanos(0),
            is_stale: false,
            next_event: None,
            told_event: None,
            asked_at: None,
            backoff: Backoff::new(SNAPSHOT_WAIT_FIRST, SNAPSHOT_WAIT_CAP),
        }
    }

    /// Another connection: nothing of the old one counts.
    pub(super) fn restart(&mut self, now: MonoNanos) {
        self.sync.restart();
        self.request = SnapshotRequest::Idle;
        self.heard_at = now;
        self.is_stale = false;
    }

    /// Plans a snapshot request unless one is under way: at once in calm times, later by backoff otherwise.
    pub(super) fn need_snapshot(&mut self, now: MonoNanos, prng: &mut Prng) {
        if self.request != SnapshotRequest::Idle {
            return;
        }
        let is_calm = self.asked_at.is_none_or(|asked| now.since(asked) >= CALM);
        if is_calm {
            self.backoff.reset();
            self.request = SnapshotRequest::Due(now);
        } else {
            self.request = SnapshotRequest::Due(now.after(self.backoff.next(prng)));
        }
    }

    /// The request failed: try again after a pause, but only while it is still needed.
    pub(super) fn retry_snapshot(&mut self, now: MonoNanos, prng: &mut Prng) {
        self.request = SnapshotRequest::Idle;
        if self.sync.wants_snapshot() {
            self.request = SnapshotRequest::Due(now.after(self.backoff.next(prng)));
        }
    }

    pub(super) fn asked(&mut self, request: RequestId, now: MonoNanos, timeout: Nanos) {
        self.asked_at = Some(now);
        self.request = SnapshotRequest::Asked(request, now.after(timeout));
    }
}

/// Makes events of one instrument received at one instant.
#[derive(Debug, Clone, Copy)]
pub(super) struct Writer {
    pub(super) instrument: InstrumentId,
    pub(super) received_at: MonoNanos,
}

impl Writer {
    #[inline]
    pub(super) fn push(self, kind: EventKind, flags: u8, sink: &mut impl EventSink) {
        sink.push(MarketEvent {
            received_at: self.received_at,
            kind,
            decode_nanos: 0,
            instrument: self.instrument,
            flags,
        });
    }

    /// A book is proven wrong, or suspected. A suspicion ends no batch: the end of a batch would heal it at once.
    pub(super) fn distrust(self, cause: TrustCause, sink: &mut impl EventSink) {
        let flags = match cause.level() {
            Trust::Bad => END_OF_BATCH,
            Trust::Suspect | Trust::Building | Trust::Trusted => 0,
        };
        self.push(EventKind::Distrust { cause }, flags, sink);
    }

    #[inline]
    fn level(
        self,
        side: Side,
        level: LevelChange,
        update_id: u64,
        flags: u8,
        sink: &mut impl EventSink,
    ) {
        let kind = EventKind::Level {
            side,
            price: level.price,
            qty: level.qty,
            update_id,
        };
        self.push(kind, flags, sink);
    }

    /// One diff of a live book; the last event ends the batch. A diff without levels still says what the book stands at.
    #[inline]
    pub(super) fn diff(self, ids: DepthIds, levels: &DepthLevels, sink: &mut impl EventSink) {
        let mut left = levels.len();
        if left == 0 {
            self.push(
                EventKind::Synced {
                    update_id: ids.last,
                },
                END_OF_BATCH,
                sink,
            );
            return;
        }
        for (side, level) in levels.iter() {
            left -= 1;
            let flags = if left == 0 { END_OF_BATCH } else { 0 };
            self.level(side, level, ids.last, flags, sink);
        }
    }

    /// A book that was just built: cleared, snapshot, diffs, synchronised.
    pub(super) fn built(self, sync: &mut BookSync, sink: &mut impl EventSink) {
        self.push(EventKind::Clear, 0, sink);
        let last = sync.take_built(|part| {
            for (side, level) in part.iter() {
                self.level(side, level, part.update_id, 0, sink);
            }
        });
        self.push(EventKind::Synced { update_id: last }, END_OF_BATCH, sink);
    }
}
