//! The quantities a forced close stands on: what is left, what is reserved, what the ledger has not counted; and how far
//! its protection reaches.

use crate::units::{MonoNanos, Nanos, Qty, Side};

use super::{Close, Situation};

impl Close {
    /// Quantity above the target, whole lots; zero when the target is reached or only a part of a lot is left.
    pub(super) fn left(&self, position: Qty, situation: &Situation<'_>) -> Qty {
        let over = Qty((position.abs().0 - self.intent.target.0).max(0));
        over.floor_to(situation.instrument.lot).unwrap_or(Qty::ZERO)
    }

    /// Everything that may still reduce the position.
    pub(super) fn reserved(&self, side: Side, situation: &Situation<'_>) -> Qty {
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
    pub(super) fn uncounted(&self, situation: &Situation<'_>) -> Qty {
        let reported: i64 = self.children.iter().map(|child| child.filled().0).sum();
        let counted = situation.unwind_filled.0 - self.unwind_filled_base.0;
        Qty((reported - counted).max(0))
    }

    /// Venue and ledger name different sides.
    pub(super) fn in_conflict(&self, situation: &Situation<'_>) -> bool {
        let newest = match (self.venue_stream, self.venue_snapshot) {
            (Some(stream), Some(snapshot)) if stream.taken_at > snapshot.taken_at => Some(stream),
            (stream, snapshot) => snapshot.or(stream),
        };
        newest
            .filter(|word| word.taken_at >= self.last_fill_at)
            .is_some_and(|word| word.qty.0.signum() * situation.position.0.signum() < 0)
    }

    /// The step for the next child: one up when the present one was tried and `attempt` passed without progress.
    pub(super) fn protection_step(&self, situation: &Situation<'_>) -> usize {
        let tried = self.step_attempts > 0
            && situation.now.since(self.stepped_at) >= situation.limits.close.attempt;
        self.ladder_step + usize::from(tried)
    }

    /// An attempt at a step is about to be sent.
    pub(super) fn tried(&mut self, step: usize, now: MonoNanos) {
        if step != self.ladder_step || self.step_attempts == 0 {
            self.ladder_step = step;
            self.step_attempts = 0;
            self.stepped_at = now;
        }
        self.step_attempts += 1;
    }

    pub(super) fn backoff_with_jitter(&self) -> Nanos {
        let mut chance =
            crate::prng::Prng::new(self.intent.set.0 ^ (u64::from(self.attempt_count) << 32));
        Nanos(self.backoff.0 + chance.below((self.backoff.0 >> 2).max(1)))
    }
}
