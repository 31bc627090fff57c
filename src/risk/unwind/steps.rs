//! What a forced close does next: wait, send one child, verify, or end. One function a state of affairs.

use crate::risk::gate::check_reduce_only;
use crate::risk::{AlertKind, Approved, CloseResult, RiskOutput, Severity, UNWIND_STRATEGY};
use crate::trade::{Leg, Purpose, TimeInForce};
use crate::units::{MonoNanos, Price, Qty, Side};

use super::child::Child;
use super::{
    CONFIRMATIONS, CONFLICT_MAX, Close, CloseState, Numbers, Situation, VERIFY_AFTER, pricing,
    record,
};

impl Close {
    /// Does what is to be done now. Call after every input and on every timer.
    pub(in crate::risk) fn step(
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
            if !quiet && now.since(self.frozen_at) < situation.limits.close.cancel_wait {
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
    pub(super) fn work(
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
        self.tried(step, now);
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
    pub(super) fn send(
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
        if check_reduce_only(situation.position, reserved, side, qty).is_err() {
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
    pub(super) fn wait(&mut self, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        if self.children.iter().any(Child::is_unknown) {
            self.state = CloseState::WaitUnknown;
            self.ask(now, out);
        } else {
            self.state = CloseState::Sizing;
        }
    }

    /// The books say that the target is reached: believe it when the venue said so twice.
    pub(super) fn verify(&mut self, situation: &Situation<'_>, out: &mut Vec<RiskOutput>) {
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
        if now.since(self.verifying_since) >= situation.limits.close.deadline {
            return self.end(CloseResult::Handover, situation, out);
        }
        if now >= self.last_fill_at.after(VERIFY_AFTER) {
            self.ask(now, out);
        }
    }

    pub(super) fn end(
        &mut self,
        result: CloseResult,
        situation: &Situation<'_>,
        out: &mut Vec<RiskOutput>,
    ) {
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
}
