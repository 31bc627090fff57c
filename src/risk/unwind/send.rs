//! The two things a forced close does to the world: one child, and its own end.

use crate::risk::gate::check_reduce_only;
use crate::risk::{AlertKind, Approved, CloseResult, RiskOutput, Severity, UNWIND_STRATEGY};
use crate::trade::{Leg, Purpose, TimeInForce};
use crate::units::{Price, Qty, Side};

use super::{Child, Close, CloseState, Numbers, Situation, record};

/// Content of one child.
#[derive(Debug, Clone, Copy)]
pub(super) struct Content {
    pub(super) side: Side,
    pub(super) qty: Qty,
    pub(super) limit_price: Price,
    pub(super) decision_price: Price,
    /// A market order: the limit price is for the record only.
    pub(super) unpriced: bool,
}

impl Close {
    pub(super) fn send(
        &mut self,
        content: Content,
        situation: &Situation<'_>,
        numbers: &mut Numbers,
        out: &mut Vec<RiskOutput>,
    ) {
        // The last line before the message: PT-27 once more, on the way that sizing did not take.
        let reserved = self.reserved(content.side, situation);
        if check_reduce_only(situation.position, reserved, content.side, content.qty).is_err() {
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
                side: content.side,
                qty: content.qty,
                limit_price: content.limit_price,
                decision_price: content.decision_price,
            },
            time_in_force: if content.unpriced {
                TimeInForce::Unpriced
            } else {
                TimeInForce::ImmediateOrCancel
            },
            reduce_only: situation.instrument.has_reduce_only,
            purpose: Purpose::Unwind,
            approved_at: situation.now,
            tick_received_at: situation.now,
        };
        self.set_children += 1;
        self.attempt_count += 1;
        // What happened before this child was sized explains nothing that it does.
        if self.children.iter().all(Child::is_terminal) && self.uncounted(situation).is_zero() {
            self.foreign_seen = false;
        }
        self.children.push(Child::new(&approved));
        self.moved_at = situation.now;
        // While nothing reaches the venue this is a question whether it is back: the alert stays open until an answer.
        if self.down_since.is_none() {
            self.unblock(situation.now, out);
        }
        self.state = CloseState::Working;
        out.push(RiskOutput::Unwind(approved));
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
