//! The legs of a set leave: all at once, the first before the others, or one after another.
//!
//! A leg that waits for another leaves when that one is over with all its executions, for at most what was approved and at
//! most what the other one brought. It is *skipped*, and its approval given back, when that is less than the venue takes,
//! when the deadline of the leg before it has passed, and when what it belongs to is cancelled.

use crate::capacity::{OPEN_ORDERS_MAX, OPEN_SETS_MAX};
use crate::market::{Catalogue, InstrumentId};
use crate::risk::{Approved, ApprovedSet};
use crate::trade::{SendOrder, SetForm, SetId, StrategyId};
use crate::units::{MonoNanos, Ppm, Price, Qty, Side};

use super::super::legs::LegSet;
use super::super::minimum::tradable;
use super::super::output::{DeskAlertKind, DeskOutput};
use super::super::tracker::Tracker;
use super::Desk;

/// What becomes of a leg that waits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// Not yet.
    Wait,
    /// Never.
    Skip,
    /// Now, for this much.
    Go(Approved),
}

impl Desk {
    /// Takes a new set and sends what may leave at once.
    pub fn on_set(&mut self, set: &ApprovedSet, now: MonoNanos, out: &mut Vec<DeskOutput>) {
        let repeated = set.legs().any(|leg| !self.settlement.is_new(leg.seq()));
        if repeated || set.leg_count() == 0 {
            self.alert(DeskAlertKind::ApprovalRepeated, None, None, None, now, out);
            return;
        }
        for leg in set.legs() {
            self.settlement.open(leg.seq());
        }
        self.last_set += 1;
        let id = SetId(self.last_set);
        let units: Vec<i64> = set
            .legs()
            .filter_map(|leg| self.units_of(leg.instrument()))
            .collect();
        let busy = self.tracker.active_count() + self.waiting_count;
        let room =
            busy + set.leg_count() <= OPEN_ORDERS_MAX && self.open_sets.len() < OPEN_SETS_MAX;
        let mut state = LegSet::new(id, set, &units, &self.catalogue, now);
        let counted = units.len() == set.leg_count()
            && (state.cycle.is_some() || set.form() == SetForm::Hedge);
        if room && counted {
            self.counters.sets_opened += 1;
            self.waiting_count += state.legs.len();
        } else {
            self.alert(DeskAlertKind::NotSendable, None, Some(id), None, now, out);
            for leg in set.legs() {
                self.settled_moved |= self.settlement.close(leg.seq());
            }
            for leg in &mut state.legs {
                leg.waiting = None;
            }
        }
        self.sets.insert(id, state);
        self.open_sets.insert(id);
        self.look_at_set(id, now, out);
        self.flush(out);
    }

    /// Sends the legs whose turn has come, and skips those whose turn will not come.
    pub(super) fn advance(&mut self, id: SetId, now: MonoNanos, out: &mut Vec<DeskOutput>) {
        let Some(count) = self.sets.get(&id).filter(|set| set.is_waiting()) else {
            return;
        };
        for index in 0..count.legs.len() {
            let Some(set) = self.sets.get(&id) else {
                return;
            };
            let late = now >= set.deadline;
            let (timeout, first) = (set.leg_timeout, index == 0);
            match turn(set, index, late, &self.tracker, &self.catalogue) {
                Some(Turn::Go(approved)) => {
                    let order = self.ids.id(id, approved.leg_index(), 0);
                    let sent = self.place(&approved, order, now.after(timeout), now, out);
                    self.leave(id, index, sent.then_some(order));
                    if let Some(set) = self.sets.get_mut(&id).filter(|_| sent && !first) {
                        set.deadline = now.after(timeout);
                    }
                    if !sent {
                        self.settled_moved |= self.settlement.close(approved.seq());
                    }
                }
                Some(Turn::Skip) => self.skip(id, index),
                Some(Turn::Wait) | None => {}
            }
        }
    }

    /// A leg waits no more.
    fn leave(
        &mut self,
        id: SetId,
        index: usize,
        order: Option<crate::trade::ClientOrderId>,
    ) -> Option<Approved> {
        let leg = self.sets.get_mut(&id)?.legs.get_mut(index)?;
        let waited = leg.waiting.take()?;
        leg.order = order;
        self.waiting_count = self.waiting_count.saturating_sub(1);
        Some(waited)
    }

    fn skip(&mut self, id: SetId, index: usize) {
        if let Some(approved) = self.leave(id, index, None) {
            self.settled_moved |= self.settlement.close(approved.seq());
        }
        let leg = self
            .sets
            .get_mut(&id)
            .and_then(|set| set.legs.get_mut(index));
        if let Some(leg) = leg {
            leg.skipped = true;
        }
    }

    /// A cancel reaches orders that have not left as well: every waiting leg of a set that has one of these.
    pub(super) fn skip_where(&mut self, wanted: &impl Fn(InstrumentId, StrategyId) -> bool) {
        if self.waiting_count == 0 {
            return;
        }
        let hit = |set: &LegSet| {
            let mut waiting = set.legs.iter().filter(|leg| leg.waiting.is_some());
            waiting.any(|leg| wanted(leg.leg.instrument, set.strategy))
        };
        let hit: Vec<(SetId, usize)> = self
            .open_sets
            .iter()
            .filter_map(|id| self.sets.get(id).filter(|set| hit(set)))
            .map(|set| (set.id, set.legs.len()))
            .collect();
        for (id, count) in hit {
            for index in 0..count {
                if self.is_leg_waiting(id, index) {
                    self.skip(id, index);
                }
            }
        }
    }

    fn is_leg_waiting(&self, id: SetId, index: usize) -> bool {
        let leg = self.sets.get(&id).and_then(|set| set.legs.get(index));
        leg.is_some_and(|leg| leg.waiting.is_some())
    }
}

/// Whether a waiting leg may leave; `None` when it does not wait.
fn turn(
    set: &LegSet,
    index: usize,
    late: bool,
    tracker: &Tracker,
    catalogue: &Catalogue,
) -> Option<Turn> {
    let leg = set.legs.get(index)?;
    let approved = leg.waiting?;
    let before = match set.send {
        SendOrder::Together => None,
        SendOrder::FirstThenParallel => (index > 0).then_some(0),
        SendOrder::Sequential => index.checked_sub(1),
    };
    let Some(prior) = before.and_then(|before| set.legs.get(before)) else {
        return Some(Turn::Go(approved));
    };
    if prior.waiting.is_some() {
        return Some(Turn::Wait);
    }
    let Some(order) = prior.order.and_then(|id| tracker.get(id)) else {
        return Some(Turn::Skip);
    };
    if !order.is_settled() {
        return Some(if late { Turn::Skip } else { Turn::Wait });
    }
    let funded = before.and_then(|before| before.checked_add(1)) == Some(index);
    let less = match &set.cycle {
        Some(cycle) if funded => {
            let asset = cycle.asset(index)?;
            let amount = cycle.open(index);
            let hop = cycle.hop(index)?;
            let price = approved.decision_price();
            let brought = if amount.0 > 0 {
                hop.steps_floor(asset, amount, price)
            } else {
                Qty::ZERO
            };
            fitting(&approved, approved.qty().min(brought), catalogue, |qty| {
                // No more is spent than there is, even at the limit.
                hop.price_floor(asset, amount, qty)
            })
        }
        Some(_) | None => {
            let part = share(approved.qty(), order.filled_known(), prior.leg.qty);
            fitting(&approved, part, catalogue, |_| None)
        }
    };
    Some(less.map_or(Turn::Skip, Turn::Go))
}

/// `whole × part / parts`, rounded down, at most `whole`.
fn share(whole: Qty, part: Qty, parts: Qty) -> Qty {
    if part >= parts || parts.0 <= 0 {
        return whole;
    }
    let qty = i128::from(whole.0) * i128::from(part.0.max(0));
    Qty(i64::try_from(qty.div_euclid(i128::from(parts.0))).unwrap_or(0))
}

/// The approval for at most this much, on lot and tick; `None` when the venue would not take it. `affordable` is the worst
/// price at which a quantity can be paid.
fn fitting(
    approved: &Approved,
    qty: Qty,
    catalogue: &Catalogue,
    affordable: impl Fn(Qty) -> Option<Price>,
) -> Option<Approved> {
    let instrument = catalogue.get(approved.instrument())?;
    let limit = approved.limit_price();
    let qty = tradable(instrument, limit, qty, Ppm(0))?;
    let bound = match approved.side() {
        Side::Buy => affordable(qty).and_then(|price| price.floor_to(instrument.tick)),
        Side::Sell => None,
    };
    approved.lessened(qty, bound.map_or(limit, |bound| bound.min(limit)))
}
