//! What a forced close tells people, and what it asks of the venue.

use crate::risk::{Alert, AlertKind, RiskOutput, Scope, Severity};
use crate::units::MonoNanos;

use super::{ASK_EVERY, BACKOFF_MAX, Close, CloseState, Situation};

impl Close {
    pub(super) fn escalate(&mut self, situation: &Situation<'_>, out: &mut Vec<RiskOutput>) {
        let late = situation.now.since(self.intent.at) >= situation.limits.close.deadline;
        if late || self.attempt_count >= situation.limits.close.attempts_max {
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

    pub(super) fn ask(&mut self, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        if self
            .asked_at
            .is_none_or(|asked| now.since(asked) >= ASK_EVERY)
        {
            self.asked_at = Some(now);
            out.push(RiskOutput::AskPosition(self.intent.instrument));
        }
    }

    pub(super) fn block(&mut self, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        self.state = CloseState::Blocked;
        if self.blocked_since.is_none() {
            self.blocked_since = Some(now);
            self.alert(AlertKind::CloseBlocked, Severity::Critical, true, now, out);
        }
    }

    pub(super) fn unblock(&mut self, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        if self.blocked_since.take().is_some() {
            self.alert(AlertKind::CloseBlocked, Severity::Info, false, now, out);
        }
    }

    pub(super) fn alert(
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
