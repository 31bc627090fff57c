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

use crate::market::{Depth, Instrument};
use crate::trade::{ApprovalSeq, OpenOrders, SetId, VenueFacts, VenuePosition};
use crate::units::{MonoNanos, Nanos, Price, Qty};

use super::{
    AlertKind, Amount, CloseIntent, CloseResult, KillLevel, Limits, RiskOutput, Severity,
    UNWIND_SEQ_BIT,
};

mod child;
mod estimate;
mod inputs;
mod pair;
mod pricing;
mod record;
mod send;
mod steps;
mod sums;
mod tell;

use child::Child;
pub use estimate::CloseEstimate;
pub(super) use pair::{Allowance, PairLeg, allowance};
pub(super) use pricing::{CloseQuote, MARK_AGE_MAX};

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
/// How long a close waits for the venue's word after the position changed by other hands (rule 11).
const REREAD_MAX: Nanos = Nanos::from_secs(5);
/// A refusal for too many requests stops children at least this long when the venue names no end (rule 7).
const BAN_PAUSE: Nanos = Nanos::from_secs(5);
/// Children with a price that must have failed before one without may go (rule 6).
const BANDED_ATTEMPTS: u32 = 6;

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
    /// Largest child by the limits.
    pub(super) slice: Qty,
    /// The ledger's position.
    pub(super) position: Qty,
    /// The ledger's count of forced-close fills.
    pub(super) unwind_filled: Qty,
    /// Our other orders, with when we heard it.
    pub(super) open: Option<(OpenOrders, MonoNanos)>,
    pub(super) quote: Option<CloseQuote>,
    /// What the book shows near its touch, when it is fresh.
    pub(super) depth: Option<&'a Depth>,
    /// The venue's account and connection, as far as they were told.
    pub(super) venue: Option<&'a VenueFacts>,
    /// Highest level that covers the position. At K4 nothing may be sent.
    pub(super) level: KillLevel,
    /// What the other legs of a hedged pair leave this one.
    pub(super) pair: Allowance,
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
    /// Children since the last progress.
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
    blocked_since: Option<MonoNanos>,
    escalated: bool,
    /// Since when the venue's word on a position that other hands changed is awaited.
    reread_since: Option<MonoNanos>,
    /// Other hands changed the position while a child of ours was out: they may explain what that child did.
    foreign_seen: bool,
    /// Too many requests, by the venue's refusal.
    banned_until: Option<MonoNanos>,
    /// Nothing reaches the venue, since when.
    down_since: Option<MonoNanos>,
    /// The venue refused the last child as not reducing.
    refused_reducing: bool,
    /// Children with a price that filled nothing since the last progress.
    banded_failed: u32,
    /// When something of this close last moved: a child sent, or told to be over.
    moved_at: MonoNanos,
    /// It waits for the other leg of its pair.
    pair_waits: bool,
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
            blocked_since: None,
            escalated: false,
            reread_since: None,
            foreign_seen: false,
            banned_until: None,
            down_since: None,
            refused_reducing: false,
            banded_failed: 0,
            moved_at: now,
            pair_waits: false,
        };
        close.alert(AlertKind::CloseStarted, Severity::Critical, true, now, out);
        out.push(RiskOutput::CancelInstrument(intent.instrument));
        close.state = CloseState::Freezing;
        close
    }

    pub(super) const fn intent(&self) -> &CloseIntent {
        &self.intent
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
    pub(super) fn merge(
        &mut self,
        target: Qty,
        estimate: Option<CloseEstimate>,
        out: &mut Vec<RiskOutput>,
    ) {
        if target < self.intent.target {
            self.intent.target = target;
            self.intent.estimate = estimate;
            out.push(RiskOutput::CloseIntent(self.intent));
            self.confirmations = 0;
            if self.state == CloseState::Verifying {
                self.state = CloseState::Sizing;
            }
        }
    }
}

/// A quantity as an amount.
pub(super) fn qty_amount(qty: Qty, instrument: &Instrument) -> Amount {
    Amount::new(i128::from(qty.0), instrument.grid.qty_decimals())
}
