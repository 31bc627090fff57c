//! Which of the ways out of a broken set is taken: the rule of its strategy, then the fewest refusals, then the least cost.

use crate::trade::Leg;
use crate::units::Ppm;

use super::resolver::{HoldReason, RepairPlan};

/// What a strategy wants done with a broken set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OnBroken {
    /// Whichever way costs least.
    #[default]
    Cheapest,
    /// Only what legs still miss.
    Complete,
    /// Only undo what legs did.
    Reverse,
    /// Nothing: an open alert at once.
    Hold,
}

impl OnBroken {
    pub(super) const fn allows(self, completes: bool) -> bool {
        match self {
            Self::Cheapest => true,
            Self::Complete => completes,
            Self::Reverse => !completes,
            Self::Hold => false,
        }
    }
}

/// One way out, priced.
#[derive(Debug, Clone, Copy)]
pub(super) struct WayOut {
    pub(super) leg_index: u8,
    pub(super) leg: Leg,
    pub(super) completes: bool,
    pub(super) cost: Ppm,
    pub(super) refusals: u32,
}

/// The best of the ways looked at so far, and why others are none.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Choice {
    rule: OnBroken,
    best: Option<WayOut>,
    hold: Option<HoldReason>,
}

impl Choice {
    pub(super) const fn of(rule: OnBroken) -> Self {
        Self {
            rule,
            best: None,
            hold: None,
        }
    }
    pub(super) fn take(&mut self, way: Result<WayOut, HoldReason>) {
        let ruled = way.and_then(|way| {
            let allowed = self.rule.allows(way.completes);
            allowed.then_some(way).ok_or(HoldReason::ByRule)
        });
        match ruled {
            Ok(way) => {
                let better = self
                    .best
                    .as_ref()
                    .is_none_or(|known| rank(&way) < rank(known));
                if better {
                    self.best = Some(way);
                }
            }
            Err(reason) => {
                self.hold = Some(self.hold.map_or(reason, |known| worse(known, reason)));
            }
        }
    }
    /// What to do; `otherwise` says why nothing is sent when there was nothing to look at.
    pub(super) fn plan(self, otherwise: HoldReason) -> RepairPlan {
        let Some(way) = self.best else {
            let reason = self.hold.unwrap_or(otherwise);
            return RepairPlan::Hold { reason };
        };
        let (leg_index, leg, cost) = (way.leg_index, way.leg, way.cost);
        if way.completes {
            RepairPlan::Complete {
                leg_index,
                leg,
                cost,
            }
        } else {
            RepairPlan::Reverse {
                leg_index,
                leg,
                cost,
            }
        }
    }
}

/// Ways out in order of choice: fewest refusals, least cost, completing before reversing.
const fn rank(way: &WayOut) -> (u32, i64, bool) {
    (way.refusals, way.cost.0, !way.completes)
}

/// Of two reasons the one that may go away by itself; dust only when nothing else stands in the way.
fn worse(one: HoldReason, two: HoldReason) -> HoldReason {
    let weight = |reason: &HoldReason| match reason {
        HoldReason::LegUndecided => 5,
        HoldReason::NoTrustedBook => 4,
        HoldReason::NoDepth => 3,
        HoldReason::TooDear { .. } => 2,
        HoldReason::GateRefused | HoldReason::ByRule | HoldReason::OtherQuote => 1,
        HoldReason::Dust { .. } => 0,
    };
    match (one, two) {
        (HoldReason::TooDear { cost: first, .. }, HoldReason::TooDear { cost: second, .. })
            if second < first =>
        {
            two
        }
        _ if weight(&two) > weight(&one) => two,
        _ => one,
    }
}
