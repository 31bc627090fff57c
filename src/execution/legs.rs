//! A set of legs as one unit: what was wanted, what filled, and whether it is even, broken or still undecided.
//!
//! Whether a set is hedged follows from quantities, not from events: the sum over its legs of what was bought less what was
//! sold, in base units. The [`MATRIX`] says for each pair of leg outcomes what has to be looked at.

use rust_decimal::Decimal;

use crate::capacity::LEGS_MAX;
use crate::risk::{Approved, ApprovedSet};
use crate::trade::{ClientOrderId, Leg, RejectReason, SetId, StrategyId};
use crate::units::{Asset, MonoNanos, Nanos, Notional, Ppm, Price, Qty, Side};

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

/// A signed quantity in base units, scaled by 10^8 and the grid, so that contracts of different size add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct BaseQty(pub i128);

/// Base units a contract, times 10^8; `None` when that is no whole number.
#[must_use]
pub fn contract_units(multiplier: Decimal) -> Option<i64> {
    let multiplier = multiplier.normalize();
    let up = 10_i128.checked_pow(8_u32.checked_sub(multiplier.scale())?)?;
    let units = i64::try_from(multiplier.mantissa().checked_mul(up)?).ok()?;
    (units > 0).then_some(units)
}

impl BaseQty {
    /// A signed quantity of contracts of the given size.
    #[must_use]
    pub fn of(side: Side, qty: Qty, units: i64) -> Self {
        Self(i128::from(qty.0) * i128::from(units) * i128::from(side.sign()))
    }
    /// Its magnitude in contracts of the given size, rounded down.
    #[must_use]
    pub fn contracts_floor(self, units: i64) -> Qty {
        let contracts = self
            .0
            .unsigned_abs()
            .div_euclid(u128::from(units.max(1).unsigned_abs()));
        Qty(i64::try_from(contracts).unwrap_or(i64::MAX))
    }
    /// The side that brings it towards zero; `None` when it is zero.
    #[must_use]
    pub const fn reducing_side(self) -> Option<Side> {
        match self.0 {
            0 => None,
            quantity if quantity > 0 => Some(Side::Sell),
            _ => Some(Side::Buy),
        }
    }
}

/// What was traded on one leg, all its orders together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traded {
    /// Quantity bought.
    pub bought: Qty,
    /// What it cost.
    pub bought_notional: Notional,
    /// Quantity sold.
    pub sold: Qty,
    /// What it yielded.
    pub sold_notional: Notional,
    /// Fees in `fee_asset`.
    pub fee: Decimal,
    /// The asset of the first fee.
    pub fee_asset: Option<Asset>,
    /// Fees came in more than one asset, or did not add up: `fee` is incomplete.
    pub fee_incomplete: bool,
}

impl Traded {
    /// Counts one execution.
    pub fn add(
        &mut self,
        side: Side,
        qty: Qty,
        price: Price,
        fee: Decimal,
        fee_asset: Option<Asset>,
    ) {
        let (total, value) = match side {
            Side::Buy => (&mut self.bought, &mut self.bought_notional),
            Side::Sell => (&mut self.sold, &mut self.sold_notional),
        };
        *total = Qty(total.0.saturating_add(qty.0));
        *value = Notional(value.0.saturating_add(price.times(qty).0));
        if fee.is_zero() {
            return;
        }
        let same = fee_asset.is_some() && (self.fee_asset.is_none() || self.fee_asset == fee_asset);
        match self.fee.checked_add(fee) {
            Some(sum) if same => {
                self.fee = sum;
                self.fee_asset = fee_asset;
            }
            _ => self.fee_incomplete = true,
        }
    }
}

/// One leg of a set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetLeg {
    /// What was wanted.
    pub leg: Leg,
    /// Base units a contract × 10^8.
    pub units: i64,
    /// Its own order; `None` when it could not be sent.
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
            return LegOutcome::NotSent;
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
            .saturating_add(u32::from(self.order.is_none()))
    }

    /// Its own order and its repairs.
    pub fn orders(&self) -> impl Iterator<Item = ClientOrderId> + '_ {
        self.order.into_iter().chain(self.repairs.iter().copied())
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
    /// Unhedged quantity, carried residual included.
    pub delta: BaseQty,
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
    /// Expected edge after fees.
    pub net_edge: Ppm,
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
    /// Residual of earlier sets taken over when it broke.
    pub carried: BaseQty,
    /// Unhedged quantity when it last ended.
    pub ended_delta: BaseQty,
    /// It ended before and a late fill opened it again.
    pub reopened: bool,
    /// An alert about it is open.
    pub alerted: bool,
}

impl LegSet {
    /// A set whose legs are about to be sent. `units` are the legs' contract sizes.
    #[must_use]
    pub fn new(id: SetId, set: &ApprovedSet, units: &[i64], now: MonoNanos) -> Self {
        let leg = |(approved, units): (&Approved, &i64)| SetLeg {
            leg: *approved.leg(),
            units: *units,
            order: None,
            repairs: Vec::new(),
            traded: Traded::default(),
        };
        Self {
            id,
            strategy: set.strategy(),
            legs: set.legs().zip(units).map(leg).collect(),
            net_edge: set.net_edge(),
            decided_at: set.decided_at(),
            sent_at: now,
            leg_timeout: set.leg_timeout(),
            deadline: now.after(set.leg_timeout()),
            phase: Phase::Working,
            broken_count: 0,
            asked_at: now,
            repair_count: 0,
            carried: BaseQty(0),
            ended_delta: BaseQty(0),
            reopened: false,
            alerted: false,
        }
    }

    /// Looks at its orders.
    #[must_use]
    pub fn assess(&self, tracker: &Tracker) -> Assessment {
        let mut outcomes = [LegOutcome::NotSent; LEGS_MAX];
        for (slot, leg) in outcomes.iter_mut().zip(&self.legs) {
            *slot = leg.outcome(tracker);
        }
        let outcomes = outcomes.get(..self.legs.len()).unwrap_or_default();
        let mut repairs = self
            .legs
            .iter()
            .flat_map(|leg| &leg.repairs)
            .filter_map(|id| tracker.get(*id));
        let delta: i128 = self.legs.iter().map(|leg| leg.delta(tracker)).sum();
        Assessment {
            class: classify(outcomes),
            delta: BaseQty(delta.saturating_add(self.carried.0)),
            leg_undecided: outcomes.contains(&LegOutcome::Unknown),
            repair_undecided: repairs.any(|order| !order.state().is_terminal()),
            settled: self.all_orders(tracker).all(Order::is_settled),
        }
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

    #[test]
    fn contract_sizes_add_up() {
        let units = |text: &str| contract_units(text.parse().unwrap());
        assert_eq!(units("1"), Some(100_000_000));
        assert_eq!(units("0.01"), Some(1_000_000));
        assert_eq!(units("0.000000001"), None);
        assert_eq!(units("0"), None);
        let long = BaseQty::of(Side::Buy, Qty(5), units("1").unwrap());
        let short = BaseQty::of(Side::Sell, Qty(500), units("0.01").unwrap());
        assert_eq!(long.0 + short.0, 0);
        assert_eq!(long.contracts_floor(units("0.01").unwrap()), Qty(500));
        assert_eq!(
            (long.reducing_side(), short.reducing_side()),
            (Some(Side::Sell), Some(Side::Buy))
        );
    }
}
