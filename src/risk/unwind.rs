//! The forced close of one position: never flips, never closes twice, works without the signal seat (RISK.md 2.7).
//!
//! ```text
//! TRIGGERED -> FREEZING -> SIZING -> WORKING <-> WAIT_UNKNOWN <-> BLOCKED -> VERIFYING -> DONE | DUST | HANDOVER
//! ```
//!
//! The intent is written before the first message. Own open orders are cancelled and waited for. Then children: immediate
//! limit orders at a protection price, one live at a time, each at most `position - target - reserved`, where reserved is
//! everything that may still fill: live and unknown children, fills that the ledger has not counted yet, and own orders
//! that could not be cancelled. An unknown child stays reserved until the evidence of rule 8 is complete. The end is
//! believed only after fresh snapshots of the venue agree twice.
//!
//! Example (F01): closing 1.37 with slices of 0.5 sends 0.5, 0.5, 0.37; (F02) when the second is unknown, the next is at
//! most 0.37.

use crate::market::Instrument;
use crate::trade::{
    ApprovalSeq, OpenOrders, PositionSource, SetId, UnwindKind, UnwindReport, VenuePosition,
};
use crate::units::{MonoNanos, Nanos, Price, Qty};

use super::{
    AlertKind, Amount, CloseIntent, CloseResult, Limits, RiskOutput, Severity, UNWIND_SEQ_BIT,
};

mod child;
mod pricing;
mod record;
mod steps;
mod sums;
mod tell;

use child::Child;
pub(super) use pricing::CloseQuote;

/// First pause after an attempt that filled nothing; doubles up to the largest (rule 7).
const BACKOFF_FIRST: Nanos = Nanos::from_millis(250);
const BACKOFF_MAX: Nanos = Nanos::from_secs(5);
/// How long venue and ledger may disagree on the sign before people take over (rule 3).
const CONFLICT_MAX: Nanos = Nanos::from_secs(10);
/// A snapshot proves the end only when asked this long after the last fill (rule 13).
const VERIFY_AFTER: Nanos = Nanos::from_secs(1);
/// Pause between two questions for the venue's position.
const ASK_EVERY: Nanos = Nanos::from_secs(1);
/// Agreeing snapshots in a row that end a close (rule 13).
const CONFIRMATIONS: u32 = 2;

/// Where a close stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CloseState {
    /// Just decided.
    Triggered,
    /// Own open orders are being cancelled.
    Freezing,
    /// Nothing stands in the way of the next child.
    Sizing,
    /// A child is live.
    Working,
    /// All that is left is reserved by children of unknown outcome.
    WaitUnknown,
    /// Nothing can be sent: no price, or venue and ledger contradict each other.
    Blocked,
    /// The target is reached by our own books; the venue is asked.
    Verifying,
    /// Over.
    Ended(CloseResult),
}

impl CloseState {
    /// Fixed short word.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Triggered => "triggered",
            Self::Freezing => "freezing",
            Self::Sizing => "sizing",
            Self::Working => "working",
            Self::WaitUnknown => "wait_unknown",
            Self::Blocked => "blocked",
            Self::Verifying => "verifying",
            Self::Ended(result) => result.label(),
        }
    }
}

/// What the monitor knows when a close takes a step.
#[derive(Debug, Clone, Copy)]
pub(super) struct Situation<'a> {
    pub(super) instrument: &'a Instrument,
    pub(super) limits: &'a Limits,
    /// Largest child.
    pub(super) slice: Qty,
    /// The ledger's position.
    pub(super) position: Qty,
    /// The ledger's count of forced-close fills.
    pub(super) unwind_filled: Qty,
    /// Our other orders, with when we heard it.
    pub(super) open: Option<(OpenOrders, MonoNanos)>,
    pub(super) quote: Option<CloseQuote>,
    /// K4 covers the instrument: nothing may be sent.
    pub(super) halted: bool,
    pub(super) now: MonoNanos,
}

/// Running numbers that closes share.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Numbers {
    pub(super) seq: u64,
    pub(super) set: u64,
}

impl Numbers {
    pub(super) fn next_set(&mut self) -> SetId {
        let set = SetId(crate::trade::id::UNWIND_SET_FIRST + self.set);
        self.set += 1;
        set
    }
    fn next_seq(&mut self) -> ApprovalSeq {
        self.seq += 1;
        ApprovalSeq(self.seq | UNWIND_SEQ_BIT)
    }
}

/// One live close.
#[derive(Debug)]
pub(super) struct Close {
    intent: CloseIntent,
    state: CloseState,
    decision_price: Option<Price>,
    children: Vec<Child>,
    /// The set that the next child names; a set has at most 256 children.
    set: SetId,
    set_children: u16,
    attempt_count: u32,
    /// Protection in use, since when, and how often it was tried since the last progress.
    ladder_step: usize,
    stepped_at: MonoNanos,
    step_attempts: u32,
    backoff: Nanos,
    not_before: MonoNanos,
    last_fill_at: MonoNanos,
    frozen_at: MonoNanos,
    verifying_since: MonoNanos,
    conflict_since: Option<MonoNanos>,
    asked_at: Option<MonoNanos>,
    unwind_filled_base: Qty,
    venue_stream: Option<VenuePosition>,
    venue_snapshot: Option<VenuePosition>,
    confirmations: u32,
    blocked_alert: bool,
    escalated: bool,
}

impl Close {
    /// Starts a close: the intent first, then the cancels.
    pub(super) fn start(
        intent: CloseIntent,
        situation: &Situation<'_>,
        out: &mut Vec<RiskOutput>,
    ) -> Self {
        let now = situation.now;
        out.push(RiskOutput::CloseIntent(intent));
        let mut close = Self {
            intent,
            state: CloseState::Triggered,
            decision_price: situation.quote.map(|quote| quote.decision),
            children: Vec::new(),
            set: intent.set,
            set_children: 0,
            attempt_count: 0,
            ladder_step: 0,
            stepped_at: now,
            step_attempts: 0,
            backoff: BACKOFF_FIRST,
            not_before: now,
            last_fill_at: now,
            frozen_at: now,
            verifying_since: now,
            conflict_since: None,
            asked_at: None,
            unwind_filled_base: situation.unwind_filled,
            venue_stream: None,
            venue_snapshot: None,
            confirmations: 0,
            blocked_alert: false,
            escalated: false,
        };
        close.alert(AlertKind::CloseStarted, Severity::Critical, true, now, out);
        out.push(RiskOutput::CancelInstrument(intent.instrument));
        close.state = CloseState::Freezing;
        close
    }

    pub(super) const fn state(&self) -> CloseState {
        self.state
    }

    /// Sign of the position that this close reduces; by its first position when it is flat now.
    pub(super) const fn closing_sign(&self, position: Qty) -> i64 {
        if position.0 == 0 {
            self.intent.position.0.signum()
        } else {
            position.0.signum()
        }
    }

    /// A second trigger: the stricter target wins, and is written before anything is sent for it.
    pub(super) fn merge(&mut self, target: Qty, out: &mut Vec<RiskOutput>) {
        if target < self.intent.target {
            self.intent.target = target;
            out.push(RiskOutput::CloseIntent(self.intent));
            self.confirmations = 0;
            if self.state == CloseState::Verifying {
                self.state = CloseState::Sizing;
            }
        }
    }

    /// News of one child. Unknown numbers are of an earlier close and change nothing here.
    pub(super) fn on_report(&mut self, report: &UnwindReport, now: MonoNanos) {
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
        if progressed {
            self.ladder_step = 0;
            self.step_attempts = 0;
            self.last_fill_at = now;
            self.confirmations = 0;
            self.backoff = BACKOFF_FIRST;
            self.not_before = now;
        }
        let empty = child.filled().is_zero();
        let over = matches!(
            report.kind,
            UnwindKind::Done { .. } | UnwindKind::Rejected { .. }
        );
        if over && ended && empty {
            self.not_before = now.after(self.backoff_with_jitter());
            self.backoff = Nanos((self.backoff.0 * 2).min(BACKOFF_MAX.0));
        }
    }

    /// The venue's own word on the position.
    pub(super) fn on_confirm(&mut self, word: &VenuePosition, situation: &Situation<'_>) {
        match word.source {
            PositionSource::Stream => self.venue_stream = Some(*word),
            PositionSource::Snapshot => {
                let newer = self
                    .venue_snapshot
                    .is_none_or(|known| word.taken_at > known.taken_at);
                if !newer {
                    return;
                }
                self.venue_snapshot = Some(*word);
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
    }
}

/// A quantity as an amount.
pub(super) fn qty_amount(qty: Qty, instrument: &Instrument) -> Amount {
    Amount::new(i128::from(qty.0), instrument.grid.qty_decimals())
}
