//! C: is the order a sound part of a whole? The age of a set's decision, and children that never exceed their parent.

use crate::risk::{Amount, Refusal};
use crate::trade::{Leg, SetId, StrategyId};
use crate::units::Qty;

use super::look::Look;
use super::price::millis;

/// What children belong to, in steps of the child's instrument: nothing of it may be sent twice (PT-32, X09).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Parent {
    /// What all children together may be.
    pub qty: Qty,
    /// Filled.
    pub filled: Qty,
    /// Open or in flight.
    pub live: Qty,
    /// With an unknown outcome.
    pub unknown: Qty,
}

/// One order that completes or reverses a broken set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Repair<'a> {
    /// Which set.
    pub set: SetId,
    /// Which of its legs.
    pub leg_index: u8,
    /// Whose.
    pub strategy: StrategyId,
    /// The order.
    pub leg: &'a Leg,
    /// What it is to even.
    pub parent: Parent,
}

impl Parent {
    /// PT-32: whether one more child of this quantity fits.
    ///
    /// # Errors
    /// [`Refusal::ParentOverrun`] with the sum and the parent's quantity, in steps of `decimals`.
    pub fn check(&self, child: Qty, decimals: u8) -> Result<(), Refusal> {
        let sum = |parts: [Qty; 4]| parts.iter().map(|part| i128::from(part.0)).sum::<i128>();
        let total = sum([self.filled, self.live, self.unknown, child]);
        if total > i128::from(self.qty.0) {
            return Err(Refusal::ParentOverrun {
                total: Amount::new(total, decimals),
                parent_qty: Amount::new(i128::from(self.qty.0), decimals),
            });
        }
        Ok(())
    }
}

/// PT-31, the age of a set's decision. That the whole set and every subset of its legs pass PT-20 to PT-25 follows from the
/// worst cases: each leg is judged with the legs before it pending, and a pending leg never makes a worst case smaller.
pub(super) fn check_age(look: &Look<'_>) -> Result<(), Refusal> {
    let Some(decided_at) = look.plan.decided_at else {
        return Ok(());
    };
    let (age, age_max) = (look.now.since(decided_at), look.limits.leg_plan_expiry);
    if age > age_max {
        return Err(Refusal::LegPlanExpired {
            age_ms: millis(age),
            age_ms_max: millis(age_max),
        });
    }
    Ok(())
}

/// PT-32. The legs of a new set are their own parents; a repair has one.
pub(super) fn check_parent(look: &Look<'_>) -> Result<(), Refusal> {
    look.plan.parent.map_or(Ok(()), |parent| {
        parent.check(look.leg.qty, look.terms.qty_decimals)
    })
}
