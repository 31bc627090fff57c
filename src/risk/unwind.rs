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
    ApprovalSeq, Leg, OpenOrders, PositionSource, SetId, TimeInForce, UnwindKind, UnwindReport,
};
use crate::trade::{Purpose, VenuePosition};
use crate::units::{MonoNanos, Nanos, Price, Qty, Side};

use super::{
    Alert, AlertKind, Amount, Approved, CloseIntent, CloseResult, Limits, RiskOutput, Scope,
    Severity, UNWIND_SEQ_BIT, UNWIND_STRATEGY,
};

mod child;
mod pricing;
mod record;

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
    backoff: Nanos,
    not_before: MonoNanos,
    progress_at: MonoNanos,
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
            backoff: BACKOFF_FIRST,
            not_before: now,
            progress_at: now,
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
            self.progress_at = now;
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

    /// Does what is to be done now. Call after every input and on every timer.
    pub(super) fn step(
        &mut self,
        situation: &Situation<'_>,
        numbers: &mut Numbers,
        out: &mut Vec<RiskOutput>,
    ) {
        let now = situation.now;
        if matches!(self.state, CloseState::Ended(_)) {
            return;
        }
        if situation.halted {
            return self.end(CloseResult::Handover, situation, out);
        }
        if self.state == CloseState::Freezing {
            let quiet = situation
                .open
                .is_some_and(|(open, at)| at >= self.frozen_at && open.order_count == 0);
            if !quiet && now.since(self.frozen_at) < situation.limits.close_cancel_wait {
                return;
            }
            self.state = CloseState::Sizing;
        }
        self.escalate(situation, out);
        if self.in_conflict(situation) {
            let since = *self.conflict_since.get_or_insert(now);
            self.block(now, out);
            self.ask(now, out);
            if now.since(since) >= CONFLICT_MAX {
                self.end(CloseResult::Handover, situation, out);
            }
            return;
        }
        self.conflict_since = None;
        let left = self.left(situation.position, situation);
        let busy = self.children.iter().any(|child| !child.is_terminal())
            || !self.uncounted(situation).is_zero();
        if left.is_zero() && !busy {
            return self.verify(situation, out);
        }
        self.work(left, situation, numbers, out);
    }

    /// Sends the next child when nothing stands in its way.
    fn work(
        &mut self,
        left: Qty,
        situation: &Situation<'_>,
        numbers: &mut Numbers,
        out: &mut Vec<RiskOutput>,
    ) {
        let now = situation.now;
        if self.children.iter().any(Child::is_live) {
            self.state = CloseState::Working;
            return;
        }
        let Some(side) = Side::reducing(situation.position) else {
            self.wait(now, out);
            return;
        };
        let other_side = self
            .children
            .iter()
            .any(|child| !child.is_terminal() && child.side != side);
        let reserved = self.reserved(side, situation);
        let free = Qty(left.0 - reserved.0);
        let lot = situation.instrument.lot;
        let qty = Qty(free.0.min(situation.slice.0))
            .floor_to(lot)
            .unwrap_or(Qty::ZERO);
        if other_side || qty.0 <= 0 {
            self.wait(now, out);
            return;
        }
        if now < self.not_before {
            self.state = CloseState::Sizing;
            return;
        }
        let Some(quote) = situation.quote else {
            self.block(now, out);
            return;
        };
        let step = self.protection_step(situation);
        let Some(limit_price) = quote.protection(side, step, situation.instrument) else {
            self.block(now, out);
            return;
        };
        if pricing::is_dust(qty, limit_price, situation.instrument) {
            if qty == left.floor_to(lot).unwrap_or(Qty::ZERO) {
                self.end(CloseResult::Dust, situation, out);
            } else {
                self.wait(now, out);
            }
            return;
        }
        self.send(
            side,
            qty,
            limit_price,
            quote.decision,
            situation,
            numbers,
            out,
        );
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "the content of one order and where it goes"
    )]
    fn send(
        &mut self,
        side: Side,
        qty: Qty,
        limit_price: Price,
        decision_price: Price,
        situation: &Situation<'_>,
        numbers: &mut Numbers,
        out: &mut Vec<RiskOutput>,
    ) {
        // The last line before the message: PT-27 once more, on the way that sizing did not take.
        let reserved = self.reserved(side, situation);
        if super::gate::check_reduce_only(situation.position, reserved, side, qty).is_err() {
            self.alert(
                AlertKind::ClosePostcondition,
                Severity::Critical,
                true,
                situation.now,
                out,
            );
            return self.end(CloseResult::Handover, situation, out);
        }
        if self.set_children > u16::from(u8::MAX) {
            self.set = numbers.next_set();
            self.set_children = 0;
        }
        let approved = Approved {
            seq: numbers.next_seq(),
            set: Some(self.set),
            leg_index: u8::try_from(self.set_children).unwrap_or(u8::MAX),
            strategy: UNWIND_STRATEGY,
            leg: Leg {
                instrument: situation.instrument.id,
                side,
                qty,
                limit_price,
                decision_price,
            },
            time_in_force: TimeInForce::ImmediateOrCancel,
            reduce_only: situation.instrument.has_reduce_only,
            purpose: Purpose::Unwind,
            approved_at: situation.now,
            tick_received_at: situation.now,
        };
        self.set_children += 1;
        self.attempt_count += 1;
        self.children.push(Child::new(&approved));
        self.unblock(situation.now, out);
        self.state = CloseState::Working;
        out.push(RiskOutput::Unwind(approved));
    }

    /// All that is left may still fill: nothing is sent until that is known.
    fn wait(&mut self, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        if self.children.iter().any(Child::is_unknown) {
            self.state = CloseState::WaitUnknown;
            self.ask(now, out);
        } else {
            self.state = CloseState::Sizing;
        }
    }

    /// The books say that the target is reached: believe it when the venue said so twice.
    fn verify(&mut self, situation: &Situation<'_>, out: &mut Vec<RiskOutput>) {
        let now = situation.now;
        if self.state != CloseState::Verifying {
            self.state = CloseState::Verifying;
            self.verifying_since = now;
            self.confirmations = 0;
            self.unblock(now, out);
        }
        if self.confirmations >= CONFIRMATIONS {
            let rest = !situation.position.is_zero() && self.intent.target.is_zero();
            return self.end(
                if rest {
                    CloseResult::Dust
                } else {
                    CloseResult::Done
                },
                situation,
                out,
            );
        }
        if now.since(self.verifying_since) >= situation.limits.close_deadline {
            return self.end(CloseResult::Handover, situation, out);
        }
        if now >= self.last_fill_at.after(VERIFY_AFTER) {
            self.ask(now, out);
        }
    }

    fn end(&mut self, result: CloseResult, situation: &Situation<'_>, out: &mut Vec<RiskOutput>) {
        self.unblock(situation.now, out);
        self.state = CloseState::Ended(result);
        let (kind, severity) = match result {
            CloseResult::Done => (AlertKind::CloseDone, Severity::Info),
            CloseResult::Dust => (AlertKind::CloseDust, Severity::Warning),
            CloseResult::Handover => (AlertKind::CloseHandover, Severity::Critical),
        };
        self.alert(kind, severity, true, situation.now, out);
        self.alert(
            AlertKind::CloseStarted,
            Severity::Info,
            false,
            situation.now,
            out,
        );
        let record = record::record(self, result, situation);
        out.push(RiskOutput::CloseRecord(Box::new(record)));
    }

    /// Quantity above the target, whole lots; zero when the target is reached or only a part of a lot is left.
    fn left(&self, position: Qty, situation: &Situation<'_>) -> Qty {
        let over = Qty((position.abs().0 - self.intent.target.0).max(0));
        over.floor_to(situation.instrument.lot).unwrap_or(Qty::ZERO)
    }

    /// Everything that may still reduce the position.
    fn reserved(&self, side: Side, situation: &Situation<'_>) -> Qty {
        let children: i64 = self.children.iter().map(|child| child.remaining().0).sum();
        let own = situation.open.map_or(Qty::ZERO, |(open, _)| match side {
            Side::Buy => open.buy_qty,
            Side::Sell => open.sell_qty,
        });
        Qty(children
            .saturating_add(self.uncounted(situation).0)
            .saturating_add(own.0.max(0)))
    }

    /// Fills that the desk reported and the ledger's position does not contain yet.
    fn uncounted(&self, situation: &Situation<'_>) -> Qty {
        let reported: i64 = self.children.iter().map(|child| child.filled().0).sum();
        let counted = situation.unwind_filled.0 - self.unwind_filled_base.0;
        Qty((reported - counted).max(0))
    }

    /// Venue and ledger name different sides.
    fn in_conflict(&self, situation: &Situation<'_>) -> bool {
        let newest = match (self.venue_stream, self.venue_snapshot) {
            (Some(stream), Some(snapshot)) if stream.taken_at > snapshot.taken_at => Some(stream),
            (stream, snapshot) => snapshot.or(stream),
        };
        newest
            .filter(|word| word.taken_at >= self.last_fill_at)
            .is_some_and(|word| word.qty.0.signum() * situation.position.0.signum() < 0)
    }

    /// One step up for every `close_attempt` without progress, but never more steps than attempts that filled nothing.
    fn protection_step(&self, situation: &Situation<'_>) -> usize {
        let empty = self
            .children
            .iter()
            .rev()
            .take_while(|child| child.filled().is_zero())
            .count();
        let spans = situation
            .now
            .since(self.progress_at)
            .0
            .div_euclid(situation.limits.close_attempt.0.max(1));
        empty.min(usize::try_from(spans).unwrap_or(usize::MAX))
    }

    fn backoff_with_jitter(&self) -> Nanos {
        let mut chance =
            crate::prng::Prng::new(self.intent.set.0 ^ (u64::from(self.attempt_count) << 32));
        Nanos(self.backoff.0 + chance.below((self.backoff.0 >> 2).max(1)))
    }

    fn escalate(&mut self, situation: &Situation<'_>, out: &mut Vec<RiskOutput>) {
        let late = situation.now.since(self.intent.at) >= situation.limits.close_deadline;
        if late || self.attempt_count >= situation.limits.close_attempts_max {
            self.backoff = BACKOFF_MAX;
            if !self.escalated {
                self.escalated = true;
                self.alert(
                    AlertKind::CloseEscalated,
                    Severity::Critical,
                    true,
                    situation.now,
                    out,
                );
            }
        }
    }

    fn ask(&mut self, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        if self
            .asked_at
            .is_none_or(|asked| now.since(asked) >= ASK_EVERY)
        {
            self.asked_at = Some(now);
            out.push(RiskOutput::AskPosition(self.intent.instrument));
        }
    }

    fn block(&mut self, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        self.state = CloseState::Blocked;
        if !self.blocked_alert {
            self.blocked_alert = true;
            self.alert(AlertKind::CloseBlocked, Severity::Critical, true, now, out);
        }
    }

    fn unblock(&mut self, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        if self.blocked_alert {
            self.blocked_alert = false;
            self.alert(AlertKind::CloseBlocked, Severity::Info, false, now, out);
        }
    }

    fn alert(
        &self,
        kind: AlertKind,
        severity: Severity,
        raised: bool,
        at: MonoNanos,
        out: &mut Vec<RiskOutput>,
    ) {
        out.push(RiskOutput::Alert(Alert {
            kind,
            severity,
            scope: Scope::Instrument(self.intent.instrument),
            value: Some(self.intent.value),
            limit: Some(self.intent.limit),
            raised,
            at,
        }));
    }
}

/// A quantity as an amount.
pub(super) fn qty_amount(qty: Qty, instrument: &Instrument) -> Amount {
    Amount::new(i128::from(qty.0), instrument.grid.qty_decimals())
}
