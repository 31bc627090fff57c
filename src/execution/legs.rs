//! A set of legs as one unit: what was wanted, what filled, and whether it is even, broken or still undecided.
//!
//! Whether a set is hedged follows from quantities, not from events: the sum over its legs of what was bought less what was
//! sold, in base units; for a chain the change of each asset ([`Cycle`]). The [`MATRIX`] says for each pair of leg outcomes
//! what has to be looked at.

use crate::capacity::LEGS_MAX;
use crate::market::Catalogue;
use crate::risk::{Approved, ApprovedSet};
use crate::trade::{
    ClientOrderId, EarnedBy, Leg, RejectReason, SendOrder, SetForm, SetId, StrategyId,
};
use crate::units::{MonoNanos, Nanos, Ppm};

use super::amounts::{BaseQty, Traded};
use super::cycle::Cycle;
use super::desk::Exposure;
use super::order::{Order, OrderState};
use super::tracker::Tracker;

/// How the first order of a leg ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum LegOutcome {
    /// Over, nothing filled.
    None = 0,
    /// Over, some filled.
    Partial,
    /// All filled.
    Full,
    /// The venue refused it, or it was proven absent.
    Rejected,
    /// Not known (yet).
    Unknown,
    /// It never left this machine.
    NotSent,
}

/// What a pair of leg outcomes means. Ordered: the worst of all pairs decides for the set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PairClass {
    /// Nothing happened: over.
    Empty,
    /// Compare quantities: even or broken.
    Compare,
    /// Uneven for certain.
    Broken,
    /// Wait for the venue's word, or for the deadline.
    Wait,
}

/// The fill matrix: `MATRIX[one][two]` by [`LegOutcome`]. Symmetric.
pub const MATRIX: [[PairClass; 6]; 6] = {
    use PairClass::{Broken as B, Compare as C, Empty as E, Wait as W};
    [
        // none, partial, full, rejected, unknown, not sent
        [E, B, B, E, W, E], // none
        [B, C, B, B, W, B], // partial
        [B, B, C, B, W, B], // full
        [E, B, B, E, W, E], // rejected
        [W, W, W, W, W, W], // unknown
        [E, B, B, E, W, E], // not sent
    ]
};

/// Class of a whole set: the worst over all pairs of its legs.
///
/// A partial against a full leg may still be even when the legs' contracts differ in size; the quantities decide, the
/// matrix only says that there is something to decide.
#[must_use]
pub fn classify(outcomes: &[LegOutcome]) -> PairClass {
    let mut worst = PairClass::Empty;
    for (place, one) in outcomes.iter().enumerate() {
        let others = outcomes.get(place + 1..).unwrap_or_default();
        // A set of one leg is looked at against itself.
        for two in if outcomes.len() == 1 {
            outcomes
        } else {
            others
        } {
            let class = MATRIX
                .get(*one as usize)
                .and_then(|row| row.get(*two as usize))
                .copied();
            worst = worst.max(class.unwrap_or(PairClass::Wait));
        }
    }
    worst
}

/// One leg of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetLeg {
    /// What was wanted.
    pub leg: Leg,
    /// Base units a contract × 10^8.
    pub units: i64,
    /// Its approval while it waits for the leg before it; its order has not left.
    pub waiting: Option<Approved>,
    /// Its turn never came: nothing was sent, nothing was refused.
    pub skipped: bool,
    /// Its own order; `None` while it waits, and when it could not or need not be sent.
    pub order: Option<ClientOrderId>,
    /// Repairs on its instrument.
    pub repairs: Vec<ClientOrderId>,
    /// What was traded.
    pub traded: Traded,
}

impl SetLeg {
    /// How the leg's own order ended.
    #[must_use]
    pub fn outcome(&self, tracker: &Tracker) -> LegOutcome {
        let Some(order) = self.order.and_then(|id| tracker.get(id)) else {
            return if self.waiting.is_some() {
                LegOutcome::Unknown
            } else {
                LegOutcome::NotSent
            };
        };
        let filled = order.filled_known();
        if !order.state().is_terminal() {
            LegOutcome::Unknown
        } else if filled >= self.leg.qty {
            LegOutcome::Full
        } else if filled.0 > 0 {
            LegOutcome::Partial
        } else if order.state() != OrderState::Rejected {
            LegOutcome::None
        } else if order.reject() == Some(RejectReason::NotSent) {
            LegOutcome::NotSent
        } else {
            LegOutcome::Rejected
        }
    }

    /// Orders on it that were refused or never left.
    #[must_use]
    pub fn refusals(&self, tracker: &Tracker) -> u32 {
        let refused = |order: &&Order| order.state() == OrderState::Rejected;
        let known = self
            .orders()
            .filter_map(|id| tracker.get(id))
            .filter(refused)
            .count();
        u32::try_from(known)
            .unwrap_or(u32::MAX)
            .saturating_add(u32::from(self.order.is_none() && !self.skipped))
    }

    /// Its own order and its repairs.
    pub fn orders(&self) -> impl Iterator<Item = ClientOrderId> + '_ {
        self.order.into_iter().chain(self.repairs.iter().copied())
    }

    /// An order on it is not over, or executions that the venue spoke of are missing.
    #[must_use]
    pub fn is_unsettled(&self, tracker: &Tracker) -> bool {
        let orders = self.orders().filter_map(|id| tracker.get(id));
        self.waiting.is_some() || orders.into_iter().any(|order| !order.is_settled())
    }

    /// What the leg changed, in base units, as far as anybody knows.
    fn delta(&self, tracker: &Tracker) -> i128 {
        let signed =
            |order: &Order| BaseQty::of(order.ticket.side, order.filled_known(), self.units).0;
        self.orders()
            .filter_map(|id| tracker.get(id))
            .map(signed)
            .sum()
    }
}

/// Where a set stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Legs (or a repair) are out.
    Working,
    /// Reported as broken; the answer is awaited until `due`.
    Broken {
        /// When to report it again.
        due: MonoNanos,
    },
    /// Over.
    Done(SetEnd),
}

/// How a set ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SetEnd {
    /// Nothing filled.
    Empty,
    /// Both sides are even without a repair.
    Hedged,
    /// Even after completing or reversing.
    Repaired,
    /// Even but for a remainder too small to trade, carried on.
    Residual,
    /// Left uneven in an open alert: people or the monitor act.
    Held,
}

impl SetEnd {
    /// Fixed short word.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::Hedged => "hedged",
            Self::Repaired => "repaired",
            Self::Residual => "residual",
            Self::Held => "held",
        }
    }
}

/// What a look at a set says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Assessment {
    /// By the matrix, over the legs' own orders.
    pub class: PairClass,
    /// Unhedged quantity, carried residual included. Zero for a chain.
    pub delta: BaseQty,
    /// Nothing is unhedged (a chain: but for dust).
    pub even: bool,
    /// What is unhedged can be acted on: no order of which too little is known would change it.
    pub actionable: bool,
    /// Repairs that filled whole.
    pub repairs_whole: u32,
    /// A leg's own order is not over.
    pub leg_undecided: bool,
    /// A repair is not over.
    pub repair_undecided: bool,
    /// Every order is over and every execution the venue spoke of has arrived.
    pub settled: bool,
}

/// One set, from approval to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegSet {
    /// Its number.
    pub id: SetId,
    /// Who wanted it.
    pub strategy: StrategyId,
    /// Its legs.
    pub legs: Vec<SetLeg>,
    /// In which order they leave.
    pub send: SendOrder,
    /// A chain's assets; `None` for a hedge.
    pub cycle: Option<Cycle>,
    /// Expected edge after fees.
    pub net_edge: Ppm,
    /// Where it is earned.
    pub earned_by: EarnedBy,
    /// When the strategy decided.
    pub decided_at: MonoNanos,
    /// When its legs were handed to the gateways.
    pub sent_at: MonoNanos,
    /// How long a leg may stay undecided.
    pub leg_timeout: Nanos,
    /// When an undecided leg goes to the resolver.
    pub deadline: MonoNanos,
    /// Where it stands.
    pub phase: Phase,
    /// Times it was reported as broken.
    pub broken_count: u32,
    /// When it was last reported as broken.
    pub asked_at: MonoNanos,
    /// Repairs sent.
    pub repair_count: u32,
    /// Of these, filled whole when it was last reported as broken.
    pub repairs_whole: u32,
    /// Residual of earlier sets taken over when it broke.
    pub carried: BaseQty,
    /// Unhedged quantity when it last ended.
    pub ended_delta: BaseQty,
    /// It ended before and a late fill opened it again.
    pub reopened: bool,
    /// An alert about it is open.
    pub alerted: bool,
    /// What it had unhedged.
    pub exposure: Exposure,
}

impl LegSet {
    /// A set whose legs are about to be sent: all wait. `units` are the legs' contract sizes. A chain whose assets cannot be
    /// counted has no [`Self::cycle`], and must not be sent.
    #[must_use]
    pub fn new(
        id: SetId,
        set: &ApprovedSet,
        units: &[i64],
        catalogue: &Catalogue,
        now: MonoNanos,
    ) -> Self {
        let leg = |(approved, units): (&Approved, &i64)| SetLeg {
            leg: *approved.leg(),
            units: *units,
            waiting: Some(*approved),
            skipped: false,
            order: None,
            repairs: Vec::new(),
            traded: Traded::default(),
        };
        let cycle = match set.form() {
            SetForm::Hedge => None,
            SetForm::Cycle { start } => {
                let legs = set.legs().map(Approved::leg);
                Cycle::new(start, legs, catalogue)
            }
        };
        Self {
            id,
            strategy: set.strategy(),
            legs: set.legs().zip(units).map(leg).collect(),
            send: set.send(),
            cycle,
            net_edge: set.net_edge(),
            earned_by: set.earned_by(),
            decided_at: set.decided_at(),
            sent_at: now,
            leg_timeout: set.leg_timeout(),
            deadline: now.after(set.leg_timeout()),
            phase: Phase::Working,
            broken_count: 0,
            asked_at: now,
            repair_count: 0,
            repairs_whole: 0,
            carried: BaseQty(0),
            ended_delta: BaseQty(0),
            reopened: false,
            alerted: false,
            exposure: Exposure::default(),
        }
    }

    /// Looks at its orders.
    #[must_use]
    pub fn assess(&self, tracker: &Tracker, catalogue: &Catalogue) -> Assessment {
        let mut outcomes = [LegOutcome::NotSent; LEGS_MAX];
        for (slot, leg) in outcomes.iter_mut().zip(&self.legs) {
            *slot = leg.outcome(tracker);
        }
        let outcomes = outcomes.get(..self.legs.len()).unwrap_or_default();
        let repairs = || {
            let ids = self.legs.iter().flat_map(|leg| &leg.repairs);
            ids.filter_map(|id| tracker.get(*id))
        };
        let (delta, even, actionable) = match &self.cycle {
            None => {
                let delta = self.delta(tracker).0;
                (delta, delta == 0 || self.legs.len() == 1, true)
            }
            Some(cycle) => {
                let uneven = |place: &usize| !self.is_dust(cycle, *place, catalogue);
                let mut places = (1..self.legs.len()).filter(uneven).peekable();
                let even = places.peek().is_none();
                (0, even, places.any(|place| self.may_act(place, tracker)))
            }
        };
        let whole = repairs().filter(|order| order.state() == OrderState::Filled);
        Assessment {
            class: classify(outcomes),
            delta: BaseQty(delta),
            even,
            actionable,
            repairs_whole: u32::try_from(whole.count()).unwrap_or(u32::MAX),
            leg_undecided: outcomes.contains(&LegOutcome::Unknown),
            repair_undecided: repairs().any(|order| !order.state().is_terminal()),
            settled: self.all_orders(tracker).all(Order::is_settled),
        }
    }

    /// Unhedged quantity of a hedge, carried residual included.
    #[must_use]
    pub fn delta(&self, tracker: &Tracker) -> BaseQty {
        let delta: i128 = self.legs.iter().map(|leg| leg.delta(tracker)).sum();
        BaseQty(delta.saturating_add(self.carried.0))
    }

    fn is_dust(&self, cycle: &Cycle, place: usize, catalogue: &Catalogue) -> bool {
        let leg = |place: usize| self.legs.get(place).map(|leg| leg.leg);
        cycle.is_dust(place, leg, catalogue)
    }

    /// Whether what is open of a chain's asset is certain: too much of it could still be spent by the leg after it, too
    /// little could still be brought by the leg before it.
    #[must_use]
    pub fn may_act(&self, place: usize, tracker: &Tracker) -> bool {
        let Some(cycle) = &self.cycle else {
            return true;
        };
        let other = if cycle.open(place).0 > 0 {
            place
        } else {
            cycle.before(place)
        };
        let leg = self.legs.get(other);
        leg.is_none_or(|leg| !leg.is_unsettled(tracker))
    }

    /// A leg has not left yet.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.legs.iter().any(|leg| leg.waiting.is_some())
    }

    /// True when anything was traded, as far as anybody knows.
    #[must_use]
    pub fn has_traded(&self, tracker: &Tracker) -> bool {
        self.all_orders(tracker)
            .any(|order| order.filled_known().0 > 0)
    }

    fn all_orders<'a>(&'a self, tracker: &'a Tracker) -> impl Iterator<Item = &'a Order> {
        self.legs
            .iter()
            .flat_map(SetLeg::orders)
            .filter_map(|id| tracker.get(id))
    }

    /// True when it is over.
    #[must_use]
    pub const fn is_done(&self) -> bool {
        matches!(self.phase, Phase::Done(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn matrix_is_symmetric_and_unknown_always_waits() {
        for (one, row) in MATRIX.iter().enumerate() {
            for (two, class) in row.iter().enumerate() {
                assert_eq!(*class, MATRIX[two][one]);
                let unknown = LegOutcome::Unknown as usize;
                assert_eq!(*class == PairClass::Wait, one == unknown || two == unknown);
            }
        }
        use LegOutcome::{Full, None, Partial, Rejected, Unknown};
        assert_eq!(classify(&[Full, Full]), PairClass::Compare);
        assert_eq!(classify(&[Full, Rejected]), PairClass::Broken);
        assert_eq!(classify(&[None, Rejected, Unknown]), PairClass::Wait);
        assert_eq!(classify(&[None]), PairClass::Empty);
        assert_eq!(classify(&[Partial]), PairClass::Compare);
        assert_eq!(classify(&[]), PairClass::Empty);
    }
}
