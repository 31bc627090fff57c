//! What a forced close hears: news of its children, the venue's word on the position, and changes by other hands.

use crate::trade::{PositionSource, RejectReason, UnwindKind, UnwindReport, VenuePosition};
use crate::units::{MonoNanos, Nanos};

use super::{BACKOFF_FIRST, BACKOFF_MAX, BAN_PAUSE, Close, CloseState, Situation, VERIFY_AFTER};

impl Close {
    /// News of one child. Unknown numbers are of an earlier close and change nothing here.
    pub(in crate::risk) fn on_report(&mut self, report: &UnwindReport, now: MonoNanos) {
        let Some(child) = self
            .children
            .iter_mut()
            .find(|child| child.seq == report.approval)
        else {
            return;
        };
        let before = child.filled();
        child.on_report(report);
        let progressed = child.filled() > before;
        let ended = child.is_terminal();
        let empty = child.filled().is_zero();
        if progressed {
            self.ladder_step = 0;
            self.step_attempts = 0;
            self.banded_failed = 0;
            self.attempt_count = 0;
            self.last_fill_at = now;
            self.confirmations = 0;
            self.backoff = BACKOFF_FIRST;
            self.not_before = now;
        }
        let over = match report.kind {
            UnwindKind::Done { .. } => {
                self.down_since = None;
                self.refused_reducing = false;
                true
            }
            UnwindKind::Rejected { reason } => {
                self.on_refused(reason, now);
                true
            }
            UnwindKind::Filled { .. } => {
                self.down_since = None;
                self.refused_reducing = false;
                false
            }
            UnwindKind::Sent | UnwindKind::Unknown | UnwindKind::NotFound => false,
        };
        if over && ended {
            self.moved_at = now;
            if empty {
                self.banded_failed += 1;
                self.not_before = now.after(self.backoff_with_jitter());
                self.backoff = Nanos((self.backoff.0 * 2).min(BACKOFF_MAX.0));
            }
        }
        if report.kind
            == (UnwindKind::Rejected {
                reason: RejectReason::NotSent,
            })
        {
            // It never left this machine: no evidence, and there may be thousands while a venue is down.
            self.children.retain(|child| child.seq != report.approval);
        }
    }

    /// A refusal tells more than that nothing filled.
    fn on_refused(&mut self, reason: RejectReason, now: MonoNanos) {
        match reason {
            RejectReason::NotSent => {
                self.down_since.get_or_insert(now);
            }
            RejectReason::RateLimit => {
                self.down_since = None;
                self.banned_until = Some(now.after(BAN_PAUSE));
            }
            RejectReason::ReduceOnly => {
                self.down_since = None;
                self.refused_reducing = true;
            }
            RejectReason::Filter
            | RejectReason::Balance
            | RejectReason::WouldTake
            | RejectReason::CannotFill
            | RejectReason::Duplicate
            | RejectReason::Overloaded
            | RejectReason::Clock
            | RejectReason::Permission
            | RejectReason::Instrument
            | RejectReason::Other => self.down_since = None,
        }
    }

    /// The position changed by hands other than this close's (rule 11): nothing more is sent until the venue was asked
    /// again.
    pub(in crate::risk) fn on_foreign(&mut self, situation: &Situation<'_>) {
        self.reread_since = Some(situation.now);
        self.refused_reducing = false;
        let out = self.children.iter().any(|child| !child.is_terminal());
        self.foreign_seen |= out || !self.uncounted(situation).is_zero();
    }

    /// Other hands may explain what a child of ours did to the position (rule 14).
    pub(in crate::risk) const fn foreign_seen(&self) -> bool {
        self.foreign_seen
    }

    /// The venue's own word on the position.
    pub(in crate::risk) fn on_confirm(&mut self, word: &VenuePosition, situation: &Situation<'_>) {
        match word.source {
            PositionSource::Stream => self.venue_stream = Some(*word),
            PositionSource::Snapshot => self.on_snapshot(word, situation),
        }
    }

    fn on_snapshot(&mut self, word: &VenuePosition, situation: &Situation<'_>) {
        let newer = self
            .venue_snapshot
            .is_none_or(|known| word.taken_at > known.taken_at);
        if !newer {
            return;
        }
        self.venue_snapshot = Some(*word);
        if self
            .reread_since
            .is_some_and(|since| word.taken_at >= since)
        {
            self.reread_since = None;
        }
        for child in &mut self.children {
            child.on_snapshot(word.taken_at, situation.now);
        }
        let late_enough = word.taken_at >= self.last_fill_at.after(VERIFY_AFTER);
        let reached = self.left(word.qty, situation).is_zero();
        // Fills are the stream's word already; an explicit one counts when it is not older than the last fill.
        let stream_agrees = self
            .venue_stream
            .filter(|stream| stream.taken_at >= self.last_fill_at)
            .is_none_or(|stream| self.left(stream.qty, situation).is_zero());
        if self.state == CloseState::Verifying && late_enough {
            self.confirmations = if reached && stream_agrees {
                self.confirmations + 1
            } else {
                0
            };
        }
    }
}
