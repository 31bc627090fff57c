//! What a forced close does next: wait, size and send one child, verify, or end. One function a state of affairs.

use crate::risk::{CloseResult, KillLevel, RiskOutput};
use crate::units::{MonoNanos, Price, Qty, Side};

use super::child::Child;
use super::send::Content;
use super::{
    Allowance, BANDED_ATTEMPTS, CONFIRMATIONS, CONFLICT_MAX, Close, CloseQuote, CloseState,
    Numbers, REREAD_MAX, Situation, VERIFY_AFTER, pricing,
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
        if situation.level == KillLevel::Halt {
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
        if self.contradicted(situation, out) {
            return;
        }
        let left = self.left(situation.position, situation);
        let busy = self.children.iter().any(|child| !child.is_terminal())
            || !self.uncounted(situation).is_zero();
        if left.is_zero() && !busy {
            return self.verify(situation, out);
        }
        self.work(left, situation, numbers, out);
    }

    /// Rule 3: venue and ledger name different sides, or the venue refuses to reduce what it says is not there. Nothing is
    /// sent; people take over when it lasts.
    fn contradicted(&mut self, situation: &Situation<'_>, out: &mut Vec<RiskOutput>) -> bool {
        let now = situation.now;
        let patience = if self.in_conflict(situation) {
            CONFLICT_MAX
        } else if self.denied_by_venue(situation) {
            situation.limits.close.deadline
        } else {
            self.conflict_since = None;
            return false;
        };
        let since = *self.conflict_since.get_or_insert(now);
        self.block(now, out);
        self.ask(now, out);
        if now.since(since) >= patience {
            self.end(CloseResult::Handover, situation, out);
        }
        true
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
        self.pair_waits = false;
        if self.children.iter().any(Child::is_live) {
            self.state = CloseState::Working;
            return;
        }
        let Some(side) = Side::reducing(situation.position) else {
            return self.wait(now, out);
        };
        let other_side = self
            .children
            .iter()
            .any(|child| !child.is_terminal() && child.side != side);
        let free = Qty(left.0 - self.reserved(side, situation).0);
        if other_side || free.0 <= 0 {
            return self.wait(now, out);
        }
        // Rule 11: other hands changed the position; the venue is asked before anything is sized by it.
        if let Some(since) = self.reread_since {
            if now.since(since) < REREAD_MAX {
                self.state = CloseState::Sizing;
                return self.ask(now, out);
            }
            self.reread_since = None;
        }
        if self.banned(situation) {
            return self.block(now, out);
        }
        if self.down_since.is_some() {
            self.block(now, out);
        }
        if now < self.not_before {
            if self.down_since.is_none() {
                self.state = CloseState::Sizing;
            }
            return;
        }
        let Some(quote) = situation.quote else {
            return self.block(now, out);
        };
        let step = self.protection_step(situation);
        let Some(price) = quote.protection(side, step, situation.instrument) else {
            return self.block(now, out);
        };
        if let Some(qty) = self.size(side, (left, free), (step, price), situation, out) {
            self.tried(step, now);
            let content = Content {
                side,
                qty,
                limit_price: price,
                decision_price: quote.decision,
                unpriced: self.last_rung(&quote, situation),
            };
            self.send(content, situation, numbers, out);
        }
    }

    /// Rule 4: the next child's quantity; `None` when there is none now, and what follows was done.
    fn size(
        &mut self,
        side: Side,
        (left, free): (Qty, Qty),
        (step, price): (usize, Price),
        situation: &Situation<'_>,
        out: &mut Vec<RiskOutput>,
    ) -> Option<Qty> {
        let (now, lot) = (situation.now, situation.instrument.lot);
        let smallest = pricing::smallest(price, situation.instrument);
        if left < smallest {
            // What is still out may change what is left.
            if self.children.iter().any(|child| !child.is_terminal()) || free < left {
                self.wait(now, out);
                return None;
            }
            self.end(CloseResult::Dust, situation, out);
            return None;
        }
        let own = Self::slice(side, step, smallest, situation);
        let paired = match situation.pair {
            Allowance::Free => own,
            Allowance::UpTo(most) => own.min(most),
        };
        let wanted = Qty(free.0.min(paired.0)).floor_to(lot)?;
        if wanted < smallest {
            self.pair_waits = paired < own;
            self.wait(now, out);
            return None;
        }
        let covered = self.covered(side, price, situation).map_or(wanted, |most| {
            Qty(wanted.0.min(most.0)).floor_to(lot).unwrap_or_default()
        });
        if covered < smallest {
            // The venue holds less than our books say: nothing can be sent, and it is asked again.
            self.ask(now, out);
            self.block(now, out);
            return None;
        }
        Some(covered)
    }

    /// Rule 6: without a price only as the last rung, when the risk officer allows it and the level is K3.
    fn last_rung(&self, quote: &CloseQuote, situation: &Situation<'_>) -> bool {
        situation.limits.close.allow_unpriced_market
            && situation.level == KillLevel::Flatten
            && self.banded_failed >= BANDED_ATTEMPTS
            && quote.is_book()
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
        if now.since(self.verifying_since) >= situation.limits.close.deadline {
            return self.end(CloseResult::Handover, situation, out);
        }
        if now >= self.last_fill_at.after(VERIFY_AFTER) {
            self.ask(now, out);
        }
    }
}
