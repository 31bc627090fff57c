//! Snapshot requests: when they are made, answered, and made again.

use crate::exchanges::binance::streams::snapshot_target;
use crate::exchanges::decode::decode_snapshot;
use crate::exchanges::sync::SyncStep;
use crate::exchanges::{Action, Method, RequestId};
use crate::market::TrustCause;
use crate::market::event::EventSink;
use crate::units::{MonoNanos, Nanos};

use super::Feed;
use super::book::{SnapshotRequest, Writer};

/// Snapshot requests under way at once: each weighs on the venue's limit.
const IN_FLIGHT_MAX: usize = 4;
/// After the venue said "too many requests".
const THROTTLED_WAIT: Nanos = Nanos::from_secs(30);

impl Feed {
    /// After a diff: asks for a snapshot when the book needs one and none is under way.
    pub(super) fn seek_snapshot(&mut self, slot: usize, now: MonoNanos, actions: &mut Vec<Action>) {
        let Some(book) = self.books.get_mut(slot) else {
            return;
        };
        if book.sync.wants_snapshot() {
            book.need_snapshot(now, &mut self.prng);
            self.ask_snapshot(slot, now, actions);
        }
    }

    fn in_flight(&self) -> usize {
        self.books
            .iter()
            .filter(|book| matches!(book.request, SnapshotRequest::Asked(..)))
            .count()
    }

    fn ask_snapshot(&mut self, slot: usize, now: MonoNanos, actions: &mut Vec<Action>) {
        let is_due =
            |book: &super::FeedBook| matches!(book.request, SnapshotRequest::Due(at) if at <= now);
        if !self.books.get(slot).is_some_and(is_due) || self.in_flight() >= IN_FLIGHT_MAX {
            return;
        }
        let request = RequestId(self.next_request);
        self.next_request = self.next_request.wrapping_add(1);
        let native = self.decoder.table().native(slot).unwrap_or_default();
        let target = snapshot_target(
            self.market.snapshot_path,
            native,
            self.options.snapshot_limit,
        );
        if let Some(book) = self.books.get_mut(slot) {
            book.asked(request, now, self.options.snapshot_timeout);
        }
        actions.push(Action::Http {
            request,
            method: Method::Get,
            target,
            with_key: false,
        });
    }

    /// Asks what is due, and gives up what took too long.
    pub(super) fn ask_due_snapshots(
        &mut self,
        now: MonoNanos,
        sink: &mut impl EventSink,
        actions: &mut Vec<Action>,
    ) {
        for slot in 0..self.books.len() {
            let request = self
                .books
                .get(slot)
                .map_or(SnapshotRequest::Idle, |book| book.request);
            match request {
                SnapshotRequest::Idle => {}
                SnapshotRequest::Due(_) => self.ask_snapshot(slot, now, actions),
                SnapshotRequest::Asked(_, give_up_at) if now >= give_up_at => {
                    self.snapshot_failed(slot, now, Nanos::ZERO, sink);
                }
                SnapshotRequest::Asked(..) => {}
            }
        }
    }

    fn snapshot_failed(
        &mut self,
        slot: usize,
        now: MonoNanos,
        wait: Nanos,
        sink: &mut impl EventSink,
    ) {
        self.counters.snapshots_failed += 1;
        let Some(book) = self.books.get_mut(slot) else {
            return;
        };
        book.retry_snapshot(now.after(wait), &mut self.prng);
        let writer = Writer {
            instrument: book.id,
            received_at: now,
        };
        writer.distrust(TrustCause::SnapshotFailed, sink);
    }

    /// An HTTP answer; `status` 0 when the transport failed. Answers to requests given up meanwhile are dropped.
    pub fn on_http(
        &mut self,
        request: RequestId,
        status: u16,
        body: &[u8],
        now: MonoNanos,
        sink: &mut impl EventSink,
        actions: &mut Vec<Action>,
    ) {
        let is_asked = |book: &super::FeedBook| matches!(book.request, SnapshotRequest::Asked(id, _) if id == request);
        let Some(slot) = self.books.iter().position(is_asked) else {
            return;
        };
        let grid = self.decoder.table().grid(slot);
        let snapshot = match (status, grid) {
            (200, Some(grid)) => {
                decode_snapshot(self.dialect, body, grid, &mut self.snapshot_levels).ok()
            }
            _ => None,
        };
        let Some(update_id) = snapshot else {
            let is_throttled = matches!(status, 403 | 418 | 429);
            let wait = if is_throttled {
                THROTTLED_WAIT
            } else {
                Nanos::ZERO
            };
            self.snapshot_failed(slot, now, wait, sink);
            return;
        };
        self.counters.snapshots += 1;
        let Some(book) = self.books.get_mut(slot) else {
            return;
        };
        book.request = SnapshotRequest::Idle;
        match book.sync.on_snapshot(update_id, &mut self.snapshot_levels) {
            SyncStep::Built => {
                self.counters.syncs += 1;
                let writer = Writer {
                    instrument: book.id,
                    received_at: now,
                };
                writer.built(&mut book.sync, sink);
            }
            SyncStep::TooOld => {
                self.counters.snapshots_too_old += 1;
                book.retry_snapshot(now, &mut self.prng);
            }
            SyncStep::Old
            | SyncStep::Waiting
            | SyncStep::Apply
            | SyncStep::Gap
            | SyncStep::Overflow => {}
        }
        self.ask_due_snapshots(now, sink, actions);
    }
}
