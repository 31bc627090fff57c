//! The quantities a forced close stands on: what is left, what is reserved, what the ledger has not counted; and how far
//! its protection reaches.

use crate::market::InstrumentKind;
use crate::risk::CloseState;
use crate::units::{Money, MonoNanos, Nanos, Ppm, Price, Qty, Side};

use super::{Close, Situation};

impl Close {
    /// Quantity above the target, whole lots; zero when the target is reached or only a part of a lot is left.
    pub(in crate::risk) fn left(&self, position: Qty, situation: &Situation<'_>) -> Qty {
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

    /// Rule 3: the venue refused to reduce, and its newest snapshot since says that there is nothing above the target.
    pub(super) fn denied_by_venue(&self, situation: &Situation<'_>) -> bool {
        self.refused_reducing
            && self
                .venue_snapshot
                .filter(|word| word.taken_at >= self.moved_at)
                .is_some_and(|word| self.left(word.qty, situation).is_zero())
    }

    /// Rule 7: the venue wants no requests now.
    pub(super) fn banned(&self, situation: &Situation<'_>) -> bool {
        let told = situation.venue.and_then(|venue| venue.banned_until);
        self.banned_until
            .max(told)
            .is_some_and(|until| situation.now < until)
    }

    /// Rule 4: the largest child by the limits and by the share of the depth that a protection step shows; never less than
    /// what the venue takes at all.
    pub(super) fn slice(side: Side, step: usize, smallest: Qty, situation: &Situation<'_>) -> Qty {
        let most = situation.slice;
        let Some(depth) = situation.depth else {
            return most;
        };
        let shown = i128::from(depth.met_by(side).within(step).qty.0);
        let share = shown * i128::from(situation.limits.close.depth_fraction.0);
        let share = i64::try_from(share.div_euclid(i128::from(Ppm::ONE.0))).unwrap_or(i64::MAX);
        most.min(Qty(share).max(smallest))
    }

    /// The smallest and the largest next child; `None` without a price.
    pub(in crate::risk) fn bounds(
        &self,
        side: Side,
        situation: &Situation<'_>,
    ) -> Option<(Qty, Qty)> {
        let step = self.protection_step(situation);
        let price = situation
            .quote?
            .protection(side, step, situation.instrument)?;
        let smallest = super::pricing::smallest(price, situation.instrument);
        Some((smallest, Self::slice(side, step, smallest, situation)))
    }

    /// Rule 3: what a spot venue's free balance covers of a child at this price; `None` when it was not told, and for
    /// derivatives, where reduce-only makes a wrong size harmless. Children that may still fill are taken out of it.
    pub(super) fn covered(
        &self,
        side: Side,
        price: Price,
        situation: &Situation<'_>,
    ) -> Option<Qty> {
        let instrument = situation.instrument;
        if instrument.kind() != InstrumentKind::Spot {
            return None;
        }
        let asset = match side {
            Side::Sell => instrument.symbol.base,
            Side::Buy => instrument.symbol.quote,
        };
        let balances = &situation.venue?.balances;
        let (_, balance) = balances.iter().find(|(known, _)| *known == asset)?;
        let qty = match side {
            Side::Sell => instrument.grid.qty_floor(balance.free)?,
            Side::Buy => {
                let unit = Money(instrument.grid.price_decimal(price));
                let unit = unit.mul(Money(instrument.multiplier)).ok()?;
                let most = balance.free.checked_div(unit.0)?;
                instrument.grid.qty_floor(most)?
            }
        };
        let out: i64 = self.children.iter().map(|child| child.remaining().0).sum();
        Some(Qty(qty.0.saturating_sub(out).max(0)))
    }

    /// The other leg of a pair need not wait for this one: it can send nothing, or nothing came of it for long.
    pub(in crate::risk) fn is_stuck(&self, now: MonoNanos) -> bool {
        let blocked = self
            .blocked_since
            .is_some_and(|since| now.since(since) >= super::pair::BLOCKED_PATIENCE);
        let silent = now.since(self.moved_at) >= super::pair::SILENT_PATIENCE && !self.pair_waits;
        blocked || silent || matches!(self.state, CloseState::Ended(_) | CloseState::Verifying)
    }

    /// Signed quantity of fills that the ledger's position does not contain yet.
    pub(in crate::risk) fn uncounted_signed(&self, situation: &Situation<'_>) -> i64 {
        let side = Side::reducing(self.intent.position);
        side.map_or(0, |side| side.signed(self.uncounted(situation)).0)
    }

    /// Signed quantity that may still fill.
    pub(in crate::risk) fn pending_signed(&self) -> i64 {
        self.children
            .iter()
            .map(|child| child.side.signed(child.remaining()).0)
            .sum()
    }

    /// The part of it whose outcome is unknown.
    pub(in crate::risk) fn unknown_signed(&self) -> i64 {
        self.children
            .iter()
            .filter(|child| child.is_unknown())
            .map(|child| child.side.signed(child.remaining()).0)
            .sum()
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
