//! How a set goes on: wait, break, be repaired, end. Follows quantities, not events.
//!
//! - Undecided legs are waited for until the set's deadline. After it, what is *known* to be uneven is repaired, but never
//!   at the undecided leg; when that leg turns out to have filled, the set is uneven the other way and is looked at again.
//! - While a repair is undecided nothing more is sent for the set.
//! - A broken set is reported once an imbalance, again when no answer came or a repair did not suffice, each time after a
//!   longer pause, and is held in an open alert after [`super::DeskParams::repairs_max`] reports.
//! - A remainder too small to trade ends the set and is carried by strategy and symbol; the next set of that strategy that
//!   breaks takes it over. It is never retried by itself.

use crate::capacity::LEGS_MAX;
use crate::risk::Approved;
use crate::trade::SetId;
use crate::units::{MonoNanos, Nanos};

use super::super::amounts::BaseQty;
use super::super::legs::{Assessment, LegOutcome, LegSet, PairClass, Phase, SetEnd};
use super::super::output::{DeskAlertKind, DeskOutput};
use super::super::resolver::{BrokenLeg, BrokenSet, HoldReason};
use super::super::summary::summarize;
use super::{Desk, SETS_KEPT};

impl Desk {
    /// Looks at one set after anything that may concern it: a report, a deadline, an answer.
    pub(super) fn look_at_set(&mut self, id: SetId, now: MonoNanos, out: &mut Vec<DeskOutput>) {
        self.note_exposure(id, now, out);
        self.advance(id, now, out);
        let Some(set) = self.sets.get(&id) else {
            return;
        };
        let look = set.assess(&self.tracker, &self.catalogue);
        match set.phase {
            Phase::Done(_) if look.delta == BaseQty(0) && look.even => self.carry_late(id),
            Phase::Done(_) => self.reopen(id, now, out),
            Phase::Working => self.look_at_working(id, &look, now, out),
            Phase::Broken { due } => {
                if look.even && !look.leg_undecided {
                    self.end_even(id, &look, now, out);
                } else if now >= due {
                    self.break_set(id, now, out);
                }
            }
        }
    }

    /// A late execution changed a set that had ended.
    fn reopen(&mut self, id: SetId, now: MonoNanos, out: &mut Vec<DeskOutput>) {
        if let Some(set) = self.sets.get_mut(&id) {
            set.phase = Phase::Working;
            set.reopened = true;
            set.broken_count = 0;
            self.open_sets.insert(id);
        }
        self.look_at_set(id, now, out);
    }

    fn look_at_working(
        &mut self,
        id: SetId,
        look: &Assessment,
        now: MonoNanos,
        out: &mut Vec<DeskOutput>,
    ) {
        let Some(set) = self.sets.get_mut(&id) else {
            return;
        };
        let late = now >= set.deadline;
        let undecided = look.repair_undecided || look.leg_undecided;
        if undecided && !set.alerted && now.since(set.sent_at) >= self.params.undecided_max {
            set.alerted = true;
            self.alert(DeskAlertKind::SetUndecided, None, Some(id), None, now, out);
        }
        let uncertain = !look.even && !look.actionable;
        let waits = look.repair_undecided || uncertain || (look.class == PairClass::Wait && !late);
        if waits {
            return;
        }
        let is_hedge = self.sets.get(&id).is_some_and(|set| set.cycle.is_none());
        if look.even || (is_hedge && look.class == PairClass::Empty) {
            self.end_even(id, look, now, out);
        } else {
            self.break_set(id, now, out);
        }
    }

    /// Ends a set whose sides are even, once nothing about it is open any more.
    fn end_even(
        &mut self,
        id: SetId,
        look: &Assessment,
        now: MonoNanos,
        out: &mut Vec<DeskOutput>,
    ) {
        let Some(set) = self.sets.get_mut(&id) else {
            return;
        };
        // Executions on their way belong into the summary; a venue that never sends them must not keep the set.
        let overdue = now.since(set.sent_at) >= self.params.undecided_max;
        if look.leg_undecided || look.repair_undecided || !(look.settled || overdue) {
            set.phase = Phase::Working;
            return;
        }
        let end = if !set.has_traded(&self.tracker) {
            SetEnd::Empty
        } else if set.broken_count > 0 {
            SetEnd::Repaired
        } else {
            SetEnd::Hedged
        };
        self.end(id, end, now, out);
    }

    /// Reports an imbalance, or holds the set when that was done often enough.
    fn break_set(&mut self, id: SetId, now: MonoNanos, out: &mut Vec<DeskOutput>) {
        self.take_residual(id);
        let (wait, most) = (self.params.repair_wait, self.params.repairs_max);
        let Some(set) = self.sets.get_mut(&id) else {
            return;
        };
        let look = set.assess(&self.tracker, &self.catalogue);
        if look.even {
            set.broken_count = set.broken_count.max(1);
            self.end_even(id, &look, now, out);
            return;
        }
        if set.broken_count == 0 && !set.reopened {
            self.counters.sets_broken += 1;
        }
        // Around a chain each repair that filled whole leads to the next leg: that is progress, not a failure.
        let steps = match &set.cycle {
            Some(cycle) => look
                .repairs_whole
                .min(u32::try_from(cycle.len()).unwrap_or(0)),
            None => 0,
        };
        let progressed = steps > std::mem::replace(&mut set.repairs_whole, steps);
        if set.broken_count.saturating_sub(steps) >= most {
            self.alert(DeskAlertKind::SetHeld, None, Some(id), None, now, out);
            self.end(id, SetEnd::Held, now, out);
            return;
        }
        let earliest = set.asked_at.after(pause(wait, set.broken_count));
        if set.broken_count > 1 && now < earliest && !progressed {
            // The first answer may fail at once (a moved price); after the second the books need time to change.
            set.phase = Phase::Broken { due: earliest };
            return;
        }
        set.broken_count += 1;
        set.asked_at = now;
        let due = now.after(pause(wait, set.broken_count));
        set.phase = Phase::Broken { due };
        let broken = broken_set(set, &look, due, &self.tracker);
        out.push(DeskOutput::Broken(broken));
    }

    /// The signal seat's answer to a broken set: nothing is sent. Dust ends the set, and so does a rule of its strategy, in an
    /// open alert; anything else is asked again later.
    pub fn on_hold(
        &mut self,
        id: SetId,
        reason: HoldReason,
        now: MonoNanos,
        out: &mut Vec<DeskOutput>,
    ) {
        let is_dust = matches!(reason, HoldReason::Dust { .. });
        let Some(set) = self.sets.get(&id) else {
            return;
        };
        let undecided = set.assess(&self.tracker, &self.catalogue);
        let decided = !undecided.leg_undecided && !undecided.repair_undecided;
        if matches!(set.phase, Phase::Broken { .. }) && is_dust && decided {
            self.end(id, SetEnd::Residual, now, out);
        } else if matches!(set.phase, Phase::Broken { .. })
            && reason == HoldReason::ByRule
            && decided
        {
            self.alert(DeskAlertKind::SetHeld, None, Some(id), None, now, out);
            self.end(id, SetEnd::Held, now, out);
        }
        self.flush(out);
    }

    /// Sends a repair, if it still fits its set.
    pub(super) fn send_repair(
        &mut self,
        approved: &Approved,
        now: MonoNanos,
        out: &mut Vec<DeskOutput>,
    ) {
        let (seq, instrument) = (approved.seq(), approved.instrument());
        if !self.settlement.open(seq) {
            self.alert(
                DeskAlertKind::ApprovalRepeated,
                None,
                approved.set(),
                Some(instrument),
                now,
                out,
            );
            return;
        }
        let index = usize::from(approved.leg_index());
        let fits = approved
            .set()
            .and_then(|id| self.sets.get(&id))
            .filter(|set| self.repair_fits(set, approved));
        let order = fits.and_then(|set| {
            let attempt = u16::try_from(set.legs.get(index)?.repairs.len() + 1).ok()?;
            Some((
                set.id,
                set.leg_timeout,
                self.ids.id(set.id, approved.leg_index(), attempt),
            ))
        });
        let sent = order.filter(|(_, timeout, order)| {
            self.place(approved, *order, now.after(*timeout), now, out)
        });
        let Some((id, timeout, order)) = sent else {
            self.alert(
                DeskAlertKind::RepairRefused,
                None,
                approved.set(),
                Some(instrument),
                now,
                out,
            );
            self.settled_moved |= self.settlement.close(seq);
            return;
        };
        if let Some(set) = self.sets.get_mut(&id) {
            set.repair_count += 1;
            set.phase = Phase::Working;
            set.deadline = now.after(timeout);
            if let Some(leg) = set.legs.get_mut(index) {
                leg.repairs.push(order);
            }
        }
    }

    /// A repair must answer an open question, bring the set towards even without crossing it, and not repeat an order
    /// whose outcome is not known.
    fn repair_fits(&self, set: &LegSet, approved: &Approved) -> bool {
        let look = set.assess(&self.tracker, &self.catalogue);
        let Some(leg) = set.legs.get(usize::from(approved.leg_index())) else {
            return false;
        };
        let shrinks = match &set.cycle {
            Some(cycle) => cycle.shrinks(approved, |place| set.may_act(place, &self.tracker)),
            None => {
                let size = BaseQty::of(approved.side(), approved.qty(), leg.units);
                look.delta.reducing_side() == Some(approved.side())
                    && size.0.unsigned_abs() <= look.delta.0.unsigned_abs()
            }
        };
        matches!(set.phase, Phase::Broken { .. })
            && !look.repair_undecided
            && leg.leg.instrument == approved.instrument()
            && leg.outcome(&self.tracker) != LegOutcome::Unknown
            && shrinks
    }

    fn end(&mut self, id: SetId, end: SetEnd, now: MonoNanos, out: &mut Vec<DeskOutput>) {
        let Some(set) = self.sets.get_mut(&id) else {
            return;
        };
        let look = set.assess(&self.tracker, &self.catalogue);
        let summary = summarize(set, end, &look, &self.tracker, &self.catalogue, now);
        set.phase = Phase::Done(end);
        set.ended_delta = look.delta;
        // The set is even from here on: what is left is carried (dust) or told (held). A late fill shows as a difference.
        set.carried = BaseQty(set.carried.0.saturating_sub(look.delta.0));
        let first_end = !set.reopened;
        let rest = set
            .cycle
            .as_mut()
            .map(super::super::cycle::Cycle::take_rest);
        let strategy = set.strategy;
        if end == SetEnd::Residual {
            self.carry(id, look.delta);
        }
        if let Some(rest) = rest.filter(|_| end != SetEnd::Held) {
            self.carry_dust(strategy, &rest);
        }
        let counters = &mut self.counters;
        let count = match end {
            SetEnd::Empty => &mut counters.sets_empty,
            SetEnd::Hedged => &mut counters.sets_hedged,
            SetEnd::Repaired => &mut counters.sets_repaired,
            SetEnd::Residual => &mut counters.sets_residual,
            SetEnd::Held => &mut counters.sets_held,
        };
        *count += u64::from(first_end);
        out.push(DeskOutput::SetDone(summary));
        self.end_exposure(id, end, now, out);
        self.open_sets.remove(&id);
        self.ended_sets.push_back(id);
        self.forget_oldest_set();
    }

    /// Forgets the oldest ended set beyond the bound; its orders are remembered a while longer.
    fn forget_oldest_set(&mut self) {
        if self.ended_sets.len() <= SETS_KEPT {
            return;
        }
        let Some(oldest) = self.ended_sets.pop_front() else {
            return;
        };
        // A set that was opened again ends again, and stands in the queue once more.
        if self.open_sets.contains(&oldest) || self.ended_sets.contains(&oldest) {
            return;
        }
        if let Some(set) = self.sets.remove(&oldest) {
            for id in set.legs.iter().flat_map(super::super::legs::SetLeg::orders) {
                self.tracker.retire(id);
            }
        }
    }
}

/// Doubles with each report: wait, 2 × wait, 4 × wait, …
fn pause(wait: Nanos, attempt: u32) -> Nanos {
    let factor = 1_u64
        .checked_shl(attempt.saturating_sub(1).min(16))
        .unwrap_or(u64::MAX);
    Nanos(wait.0.saturating_mul(factor))
}

fn broken_set(
    set: &LegSet,
    look: &Assessment,
    answer_due: MonoNanos,
    tracker: &super::super::tracker::Tracker,
) -> BrokenSet {
    let mut legs = [None; LEGS_MAX];
    for (slot, leg) in legs.iter_mut().zip(&set.legs) {
        *slot = Some(BrokenLeg {
            leg: leg.leg,
            units: leg.units,
            traded: leg.traded,
            undecided: leg.outcome(tracker) == LegOutcome::Unknown
                || (set.cycle.is_some() && leg.is_unsettled(tracker)),
            refusals: leg.refusals(tracker),
        });
    }
    BrokenSet {
        id: set.id,
        strategy: set.strategy,
        legs,
        cycle: set.cycle,
        delta: look.delta,
        attempt: set.broken_count,
        answer_due,
    }
}
