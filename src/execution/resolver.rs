//! What to do with a broken set: complete it, reverse it, or hold it, whichever costs least on the live books. Pure.
//!
//! A set that is long by some quantity must sell it. Selling at a leg that wanted to sell *completes* the set, selling at a
//! leg that bought *reverses* it: the same order at another venue. So the cheapest is simply the best price after the fee.
//! The *cost* is what the repair loses against what the excess cost (or yielded) with its fee; no order is planned whose
//! worst fill would cost more than the largest allowed. Completing usually costs less than nothing. A leg where orders were
//! refused is used only when there is no other: time matters more than its better price.
//!
//! Never planned: a repair at a leg whose own order is unknown (it may still fill), a price from a book that is not
//! trusted, a quantity rounded up.

use crate::capacity::LEGS_MAX;
use crate::market::{Books, Catalogue, Instrument, InstrumentId};
use crate::risk::Parent;
use crate::trade::{Leg, SetId, StrategyId};
use crate::units::{MonoNanos, Nanos, Notional, Ppm, Price, Qty, Side};

use super::amounts::{BaseQty, Traded};
use super::choice::{Choice, OnBroken, WayOut};
use super::cycle::Cycle;
use super::cycle_repair::plan_cycle;
use super::minimum::tradable;

/// A set whose sides are uneven, with everything a repair needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrokenSet {
    /// Which.
    pub id: SetId,
    /// Whose.
    pub strategy: StrategyId,
    /// Its legs.
    pub legs: [Option<BrokenLeg>; LEGS_MAX],
    /// A chain's assets; `None` for a hedge.
    pub cycle: Option<Cycle>,
    /// Unhedged quantity: positive is too much bought.
    pub delta: BaseQty,
    /// Which report of this set it is, from 1.
    pub attempt: u32,
    /// The desk asks again (or gives up) at this instant.
    pub answer_due: MonoNanos,
}

impl BrokenSet {
    /// The imbalance that a repair evens, in contracts of its leg (PT-32). A leg whose own order is not over has room for
    /// nothing: it may still fill.
    #[must_use]
    pub fn parent(&self, leg_index: u8, order: &Leg) -> Parent {
        let place = usize::from(leg_index);
        let leg = self.legs.iter().flatten().nth(place);
        leg.map_or_else(Parent::default, |leg| Parent {
            qty: match &self.cycle {
                Some(cycle) => cycle.room(place, order),
                None => self.delta.contracts_floor(leg.units),
            },
            unknown: if leg.undecided {
                leg.leg.qty
            } else {
                Qty::ZERO
            },
            ..Parent::default()
        })
    }
}

/// One leg of a broken set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BrokenLeg {
    /// What was wanted.
    pub leg: Leg,
    /// Base units a contract × 10^8.
    pub units: i64,
    /// What was traded.
    pub traded: Traded,
    /// Its own order is not over: nothing may be sent that repeats it.
    pub undecided: bool,
    /// Orders on it that the venue refused, or that never left: the next one may end the same way.
    pub refusals: u32,
}

/// How far a repair may go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RepairRules {
    /// Which ways may be taken.
    pub on_broken: OnBroken,
    /// Costliest repair; above it the set is held.
    pub cost_max: Ppm,
    /// Oldest book that may price it.
    pub book_age_max: Nanos,
    /// How far past the worst level the limit may lie at the first attempt; grows with each.
    pub cushion: Ppm,
    /// Added to a venue's smallest order value, so that the gate's own margin does not refuse it.
    pub notional_margin: Ppm,
}

/// What the resolver looks at.
#[derive(Debug, Clone, Copy)]
pub struct RepairMarket<'a> {
    /// Instruments.
    pub catalogue: &'a Catalogue,
    /// Live books.
    pub books: &'a Books,
    /// Taker fee by instrument id; a missing one counts as everything.
    pub fees: &'a [Ppm],
}

/// Why nothing is sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldReason {
    /// Below every venue's lot or smallest order: carried on, never retried in a loop.
    Dust {
        /// How much.
        delta: BaseQty,
    },
    /// No book of the set can be trusted.
    NoTrustedBook,
    /// The books are empty on the needed side.
    NoDepth,
    /// Every way out costs more than allowed.
    TooDear {
        /// The cheapest at the touch.
        cost: Ppm,
        /// The largest allowed.
        cost_max: Ppm,
    },
    /// The only leg to repair at is undecided.
    LegUndecided,
    /// The gate refused the repair.
    GateRefused,
    /// The leg is priced in another quote asset, or on another grid, than what is too much: its cost cannot be told from these
    /// prices, so only the leg that has too much is repaired at.
    OtherQuote,
    /// The strategy's rule allows no way that there is.
    ByRule,
}

impl Default for RepairRules {
    fn default() -> Self {
        Self {
            on_broken: OnBroken::Cheapest,
            cost_max: Ppm::from_bps(30),
            book_age_max: Nanos::from_millis(250),
            cushion: Ppm::from_bps(2),
            notional_margin: Ppm(0),
        }
    }
}

impl HoldReason {
    /// Fixed short word.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Dust { .. } => "dust",
            Self::NoTrustedBook => "no_trusted_book",
            Self::NoDepth => "no_depth",
            Self::TooDear { .. } => "too_dear",
            Self::LegUndecided => "leg_undecided",
            Self::GateRefused => "gate_refused",
            Self::OtherQuote => "other_quote",
            Self::ByRule => "by_rule",
        }
    }
}

/// What to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RepairPlan {
    /// Send what a leg still misses.
    Complete {
        /// Which leg.
        leg_index: u8,
        /// The order, for the gate.
        leg: Leg,
        /// Loss against what the excess cost; negative is a gain.
        cost: Ppm,
    },
    /// Undo what a leg did too much.
    Reverse {
        /// Which leg.
        leg_index: u8,
        /// The order, for the gate.
        leg: Leg,
        /// Loss against what the excess cost.
        cost: Ppm,
    },
    /// Send nothing.
    Hold {
        /// Why.
        reason: HoldReason,
    },
}

/// The cheapest way to even a broken set, or why to hold it.
#[must_use]
pub fn plan_repair(
    broken: &BrokenSet,
    market: &RepairMarket<'_>,
    rules: &RepairRules,
    now: MonoNanos,
) -> RepairPlan {
    if rules.on_broken == OnBroken::Hold {
        let reason = HoldReason::ByRule;
        return RepairPlan::Hold { reason };
    }
    if let Some(cycle) = &broken.cycle {
        return plan_cycle(broken, cycle, market, rules, now);
    }
    let dust = HoldReason::Dust {
        delta: broken.delta,
    };
    let Some(side) = broken.delta.reducing_side() else {
        return RepairPlan::Hold { reason: dust };
    };
    let case = Case {
        broken,
        side,
        basis: Basis::of(broken, side, market.fees),
        market,
        rules,
        now,
    };
    let mut choice = Choice::of(rules.on_broken);
    for (leg_index, leg) in (0_u8..).zip(broken.legs.iter().flatten()) {
        choice.take(case.price_leg(leg_index, leg));
    }
    choice.plan(dust)
}

/// What the excess cost or yielded a unit with its fee, in millionths of a price step of its instrument.
#[derive(Debug, Clone, Copy)]
struct Basis {
    micros: i128,
    /// Where the excess was traded: prices in another quote or on another grid do not compare with it.
    at: Option<InstrumentId>,
}

impl Basis {
    fn of(broken: &BrokenSet, needed: Side, fees: &[Ppm]) -> Self {
        let excess = needed.opposite();
        let (mut value, mut quantity, mut fee) = (0_i128, 0_i128, Ppm(-Ppm::ONE.0));
        let mut at = None;
        for leg in broken.legs.iter().flatten() {
            let (notional, qty) = match excess {
                Side::Buy => (leg.traded.bought_notional, leg.traded.bought),
                Side::Sell => (leg.traded.sold_notional, leg.traded.sold),
            };
            if qty.0 > 0 {
                value = value.saturating_add(notional.0);
                quantity = quantity.saturating_add(i128::from(qty.0));
                fee = fee.max(fee_of(fees, leg));
                at = at.or(Some(leg.leg.instrument));
            }
        }
        if quantity == 0 {
            // Its executions have not arrived: what it was decided at.
            let own = |leg: &&BrokenLeg| leg.leg.side == excess;
            let leg = broken
                .legs
                .iter()
                .flatten()
                .find(own)
                .or_else(|| broken.legs.iter().flatten().next());
            value = leg.map_or(0, |leg| i128::from(leg.leg.decision_price.0));
            quantity = 1;
            fee = leg.map_or(Ppm(0), |leg| fee_of(fees, leg));
            at = leg.map(|leg| leg.leg.instrument);
        }
        Self {
            at,
            micros: value
                .saturating_mul(i128::from(with_fee(excess, fee)))
                .div_euclid(quantity),
        }
    }

    /// Worst price a repair of `side` may have, so that it costs at most `cost_max`. Rounded to the safe side.
    fn bound(self, side: Side, fee: Ppm, cost_max: Ppm) -> Option<Price> {
        let one = i128::from(Ppm::ONE.0);
        let factor = i128::from(with_fee(side, fee));
        let allowed = one + i128::from(side.sign()) * i128::from(cost_max.0);
        let micros = self.micros.checked_mul(allowed)?.div_euclid(one);
        if factor <= 0 {
            return None;
        }
        let price = match side {
            Side::Buy => micros.div_euclid(factor),
            Side::Sell => -(-micros).div_euclid(factor),
        };
        i64::try_from(price)
            .ok()
            .filter(|price| *price > 0)
            .map(Price)
    }

    /// Loss of trading `qty` for `notional` against the basis, rounded up.
    fn cost(self, side: Side, fee: Ppm, notional: Notional, qty: Qty) -> Option<Ppm> {
        if qty.0 <= 0 || self.micros <= 0 {
            return None;
        }
        let net = notional
            .0
            .checked_mul(i128::from(with_fee(side, fee)))?
            .div_euclid(i128::from(qty.0));
        let loss = (net - self.micros).checked_mul(i128::from(side.sign()))?;
        let ppm = -(-loss.checked_mul(i128::from(Ppm::ONE.0))?).div_euclid(self.micros);
        i64::try_from(ppm).ok().map(Ppm)
    }
}

/// What a unit of notional costs a buyer, or leaves a seller, in ppm.
const fn with_fee(side: Side, fee: Ppm) -> i64 {
    Ppm::ONE.0 + side.sign() * fee.0
}

pub(super) fn fee_of(fees: &[Ppm], leg: &BrokenLeg) -> Ppm {
    fees.get(leg.leg.instrument.index())
        .copied()
        .unwrap_or(Ppm::ONE)
}

/// What every way out of one broken set has in common.
#[derive(Debug, Clone, Copy)]
struct Case<'a> {
    broken: &'a BrokenSet,
    side: Side,
    basis: Basis,
    market: &'a RepairMarket<'a>,
    rules: &'a RepairRules,
    now: MonoNanos,
}

impl Case<'_> {
    fn price_leg(&self, leg_index: u8, leg: &BrokenLeg) -> Result<WayOut, HoldReason> {
        let dust = HoldReason::Dust {
            delta: self.broken.delta,
        };
        let (id, side) = (leg.leg.instrument, self.side);
        let instrument = self.market.catalogue.get(id).ok_or(dust)?;
        if leg.undecided {
            return Err(HoldReason::LegUndecided);
        }
        if !self.compares(instrument) {
            return Err(HoldReason::OtherQuote);
        }
        let top = self
            .market
            .books
            .trusted_top(id, self.now, self.rules.book_age_max);
        let (Some(top), Some(book)) = (top, self.market.books.get(id)) else {
            return Err(HoldReason::NoTrustedBook);
        };
        let touch = match side {
            Side::Buy => top.ask.price,
            Side::Sell => top.bid.price,
        };
        let margin = self.rules.notional_margin;
        let wanted = self
            .broken
            .delta
            .contracts_floor(leg.units)
            .min(instrument.qty_max);
        let wanted = tradable(instrument, touch, wanted, margin).ok_or(dust)?;
        let fee = fee_of(self.market.fees, leg);
        let too_dear = || self.too_dear(touch, fee);
        let bound = self
            .basis
            .bound(side, fee, self.rules.cost_max)
            .ok_or_else(too_dear)?;
        let within_bound = book.walk(side, bound, wanted).qty;
        let found = tradable(instrument, touch, within_bound, margin);
        let nothing = || {
            if within(side, touch, bound) {
                HoldReason::NoDepth
            } else {
                too_dear()
            }
        };
        let qty = found.ok_or_else(nothing)?;
        let walk = book.walk(side, bound, qty);
        let worst = walk.worst_price;
        let moved = cushioned(side, worst, self.rules.cushion, self.broken.attempt);
        let limit_price = moved.and_then(|price| limit(instrument, side, price, worst, bound));
        let cost = self.basis.cost(side, fee, walk.notional, walk.qty);
        let (Some(limit_price), Some(cost)) = (limit_price, cost) else {
            return Err(too_dear());
        };
        let order = Leg {
            instrument: id,
            side,
            qty,
            limit_price,
            decision_price: touch,
        };
        Ok(WayOut {
            leg_index,
            leg: order,
            completes: leg.leg.side == side,
            cost,
            refusals: leg.refusals,
        })
    }

    /// Whether prices here are of the quote and grid that the excess was traded in.
    fn compares(&self, instrument: &Instrument) -> bool {
        let excess = self.basis.at.and_then(|at| self.market.catalogue.get(at));
        excess.is_some_and(|excess| {
            excess.grid == instrument.grid && excess.symbol.quote == instrument.symbol.quote
        })
    }

    fn too_dear(&self, touch: Price, fee: Ppm) -> HoldReason {
        let cost = self.basis.cost(self.side, fee, touch.times(Qty(1)), Qty(1));
        HoldReason::TooDear {
            cost: cost.unwrap_or(Ppm(i64::MAX)),
            cost_max: self.rules.cost_max,
        }
    }
}

pub(super) fn within(side: Side, price: Price, bound: Price) -> bool {
    match side {
        Side::Buy => price <= bound,
        Side::Sell => price >= bound,
    }
}

/// The worst level moved away by the cushion times the attempt.
pub(super) fn cushioned(side: Side, worst: Price, cushion: Ppm, attempt: u32) -> Option<Price> {
    let moved = i128::from(worst.0) * i128::from(cushion.0.max(0)) * i128::from(attempt.max(1));
    let moved = i64::try_from(moved.div_euclid(i128::from(Ppm::ONE.0))).ok()?;
    worst
        .0
        .checked_add(moved.checked_mul(side.sign())?)
        .map(Price)
}

/// Never beyond the bound; buy floored, sell ceiled to the tick; `None` when that is no longer at the worst level.
pub(super) fn limit(
    instrument: &Instrument,
    side: Side,
    moved: Price,
    worst: Price,
    bound: Price,
) -> Option<Price> {
    match side {
        Side::Buy => moved
            .min(bound)
            .floor_to(instrument.tick)
            .filter(|price| *price >= worst),
        Side::Sell => moved
            .max(bound)
            .ceil_to(instrument.tick)
            .filter(|price| *price <= worst),
    }
}
