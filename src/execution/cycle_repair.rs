//! What to do with a broken chain: for an asset that is left over go on around the remaining legs, go back the way it came,
//! or hold it; for one that is missing the same the other way round. Whichever loses least in the start asset on the live
//! books, with the taker fees of every leg on the way. Pure.
//!
//! Each way is priced to the start and begun with one order; what that brings is looked at again. The *cost* is the loss
//! against what the asset cost (or yielded) in the start asset, at the average prices that the set traded at and with the
//! fees. The first order's limit never costs more than allowed.

use crate::market::Book;
use crate::trade::Leg;
use crate::units::ratio::mul_div_floor;
use crate::units::{Asset, MonoNanos, Ppm, Price, Qty, Side};

use super::choice::{Choice, WayOut};
use super::cycle::{AssetQty, Cycle, Hop};
use super::minimum::tradable;
use super::resolver::{
    BrokenLeg, BrokenSet, HoldReason, RepairMarket, RepairPlan, RepairRules, cushioned, fee_of,
    limit, within,
};

/// The cheapest way to even a broken chain, or why to hold it: of the asset that is worth most first.
#[must_use]
pub fn plan_cycle(
    broken: &BrokenSet,
    cycle: &Cycle,
    market: &RepairMarket<'_>,
    rules: &RepairRules,
    now: MonoNanos,
) -> RepairPlan {
    let around = Around {
        broken,
        cycle,
        market,
        rules,
        now,
    };
    let dust = HoldReason::Dust {
        delta: broken.delta,
    };
    let mut best: Option<(i128, RepairPlan)> = None;
    let mut held = Choice::default();
    for place in (1..cycle.len()).filter(|place| cycle.open(*place).0 != 0) {
        let mut choice = Choice::of(rules.on_broken);
        for is_forward in [true, false] {
            choice.take(around.price(place, is_forward));
        }
        let plan = choice.plan(dust);
        if let RepairPlan::Hold { reason } = plan {
            held.take(Err(reason));
            continue;
        }
        let open = cycle.open(place);
        let worth = around.basis(place, AssetQty(open.0.saturating_abs()), open.0 > 0);
        let worth = worth.unwrap_or(0);
        if best.as_ref().is_none_or(|(known, _)| worth > *known) {
            best = Some((worth, plan));
        }
    }
    best.map_or_else(|| held.plan(dust), |(_, plan)| plan)
}

/// A broken chain among live books.
#[derive(Debug, Clone, Copy)]
struct Around<'a> {
    broken: &'a BrokenSet,
    cycle: &'a Cycle,
    market: &'a RepairMarket<'a>,
    rules: &'a RepairRules,
    now: MonoNanos,
}

const ONE: i128 = Ppm::ONE.0 as i128;

impl<'a> Around<'a> {
    fn leg(&self, place: usize) -> Option<&'a BrokenLeg> {
        self.broken.legs.get(place)?.as_ref()
    }

    /// The leg over which the asset of `place` leaves, and the place that this leads to.
    fn step(&self, place: usize, is_forward: bool) -> (usize, usize) {
        if is_forward {
            (place, self.cycle.after(place))
        } else {
            (self.cycle.before(place), self.cycle.before(place))
        }
    }

    /// The trusted book of a leg and its touch for a taker.
    fn book(&self, leg: &BrokenLeg, side: Side) -> Option<(&'a Book, Price)> {
        let id = leg.leg.instrument;
        let age_max = self.rules.book_age_max;
        let top = self.market.books.trusted_top(id, self.now, age_max)?;
        let touch = match side {
            Side::Buy => top.ask.price,
            Side::Sell => top.bid.price,
        };
        Some((self.market.books.get(id)?, touch))
    }

    /// The first order on one way round, and what the whole way costs.
    #[expect(clippy::too_many_lines, reason = "one order, priced step by step")]
    fn price(&self, place: usize, is_forward: bool) -> Result<WayOut, HoldReason> {
        let dust = HoldReason::Dust {
            delta: self.broken.delta,
        };
        let open = self.cycle.open(place);
        let (at, _) = self.step(place, is_forward);
        let parts = self.leg(at).zip(self.cycle.hop(at));
        let ((leg, hop), asset) = parts.zip(self.cycle.asset(place)).ok_or(dust)?;
        let instrument = self.market.catalogue.get(leg.leg.instrument).ok_or(dust)?;
        let uncertain = if open.0 > 0 {
            self.leg(place)
        } else {
            self.leg(self.cycle.before(place))
        };
        if leg.undecided || uncertain.is_some_and(|leg| leg.undecided) {
            return Err(HoldReason::LegUndecided);
        }
        let spending = hop.side_spending(asset);
        let side = if open.0 > 0 {
            spending
        } else {
            spending.opposite()
        };
        let (book, touch) = self.book(leg, side).ok_or(HoldReason::NoTrustedBook)?;
        let margin = self.rules.notional_margin;
        let wanted = hop.steps_floor(asset, open, touch).min(instrument.qty_max);
        let wanted = tradable(instrument, touch, wanted, margin).ok_or(dust)?;
        // The touch first: what it leaves of the largest cost is how far the order may go into the book.
        let least = tradable(
            instrument,
            touch,
            instrument.qty_min.max(instrument.lot),
            Ppm(0),
        );
        let probe = self.cost(
            place,
            is_forward,
            hop,
            least.unwrap_or(wanted).min(wanted),
            touch,
        );
        let probe = probe.ok_or(HoldReason::NoDepth)?;
        let too_dear = |cost: Ppm| HoldReason::TooDear {
            cost,
            cost_max: self.rules.cost_max,
        };
        let slack = self.rules.cost_max.0.saturating_sub(probe.0);
        if slack < 0 {
            return Err(too_dear(probe));
        }
        let bound = moved(touch, side, Ppm(slack)).ok_or_else(|| too_dear(probe))?;
        let walk = book.walk(side, bound, wanted);
        let worst = walk.worst_price;
        let limit_price = cushioned(side, worst, self.rules.cushion, self.broken.attempt)
            .and_then(|price| limit(instrument, side, price, worst, bound))
            .filter(|price| within(side, *price, bound))
            .ok_or_else(|| too_dear(probe))?;
        let affordable = if open.0 > 0 {
            hop.steps_floor(asset, open, limit_price)
        } else {
            wanted
        };
        let qty = tradable(instrument, touch, walk.qty.min(affordable), margin);
        let qty = qty.ok_or(HoldReason::NoDepth)?;
        let cost = self.cost(place, is_forward, hop, qty, touch);
        let cost = cost.ok_or(HoldReason::NoDepth)?;
        if cost > self.rules.cost_max {
            return Err(too_dear(cost));
        }
        Ok(WayOut {
            leg_index: u8::try_from(at).unwrap_or(u8::MAX),
            leg: Leg {
                instrument: leg.leg.instrument,
                side,
                qty,
                limit_price,
                decision_price: touch,
            },
            completes: side == leg.leg.side,
            cost,
            refusals: leg.refusals,
        })
    }

    /// Loss of one way for as much as the first order moves, rounded up; `None` when a book on the way cannot price it.
    fn cost(
        &self,
        place: usize,
        is_forward: bool,
        hop: &Hop,
        qty: Qty,
        touch: Price,
    ) -> Option<Ppm> {
        let asset = self.cycle.asset(place)?;
        let open = self.cycle.open(place);
        let amount = hop.amount(asset, qty, touch).0.min(open.0.saturating_abs());
        let basis = self.basis(place, AssetQty(amount), open.0 > 0)?;
        let (mut at, mut amount) = (place, amount);
        while at != 0 {
            let (over, next) = self.step(at, is_forward);
            let (leg, hop) = self.leg(over).zip(self.cycle.hop(over))?;
            let spending = hop.side_spending(self.cycle.asset(at)?);
            amount = if open.0 > 0 {
                self.through(leg, hop, spending, amount)?
            } else {
                self.needed(leg, hop, spending.opposite(), amount)?
            };
            at = next;
        }
        let loss = if open.0 > 0 {
            basis.checked_sub(amount)?
        } else {
            amount.checked_sub(basis)?
        };
        let ppm = -(-loss.checked_mul(ONE)?).div_euclid(basis);
        i64::try_from(ppm).ok().map(Ppm)
    }

    /// What spending that much brings at the book, after the fee.
    fn through(&self, leg: &BrokenLeg, hop: &Hop, side: Side, amount: i128) -> Option<i128> {
        let spent = hop.spends(side);
        let (qty, notional) = self.walked(leg, hop, side, spent, amount)?;
        let gross = match side {
            Side::Sell => hop.quote_of(amount, qty, notional)?,
            Side::Buy => hop.base_of(amount, qty, notional)?,
        };
        mul_div_floor(gross, self.left(leg)?, ONE)
    }

    /// What must be given to receive that much after the fee.
    fn needed(&self, leg: &BrokenLeg, hop: &Hop, side: Side, amount: i128) -> Option<i128> {
        let gross = mul_div_floor(amount, ONE, self.left(leg)?)?;
        let (qty, notional) = self.walked(leg, hop, side, hop.yields(side), gross)?;
        match side {
            Side::Buy => hop.quote_of(gross, qty, notional),
            Side::Sell => hop.base_of(gross, qty, notional),
        }
    }

    /// Quantity and notional that the book trades for that much of an asset, at least one step; `None` when it is too thin.
    fn walked(
        &self,
        leg: &BrokenLeg,
        hop: &Hop,
        side: Side,
        asset: Asset,
        amount: i128,
    ) -> Option<(i128, i128)> {
        let (book, touch) = self.book(leg, side)?;
        let qty = hop.steps_floor(asset, AssetQty(amount), touch).max(Qty(1));
        let any = match side {
            Side::Buy => Price(i64::MAX),
            Side::Sell => Price(i64::MIN),
        };
        let walk = book.walk(side, any, qty);
        (walk.qty == qty).then_some((i128::from(qty.0), walk.notional.0))
    }

    /// What a fee leaves of a million.
    fn left(&self, leg: &BrokenLeg) -> Option<i128> {
        let left = ONE - i128::from(fee_of(self.market.fees, leg).0);
        (left > 0).then_some(left)
    }

    /// What that much of an asset cost in the start asset on its way here with the fees (`spent`), or would have brought on
    /// its way on: at the set's own average prices, or at the decided ones where it has not traded.
    fn basis(&self, place: usize, amount: AssetQty, spent: bool) -> Option<i128> {
        let (mut at, mut amount) = (place, amount.0);
        while at != 0 {
            let over = if spent { self.cycle.before(at) } else { at };
            let (leg, hop) = self.leg(over).zip(self.cycle.hop(over))?;
            let left = self.left(leg)?;
            let (qty, notional) = own_price(leg, hop.side);
            if spent {
                amount = mul_div_floor(amount, ONE, left)?;
            }
            // Spent: from what the leg yields to what it spends. Otherwise the other way.
            amount = if (hop.side == Side::Buy) == spent {
                hop.quote_of(amount, qty, notional)?
            } else {
                hop.base_of(amount, qty, notional)?
            };
            if !spent {
                amount = mul_div_floor(amount, left, ONE)?;
            }
            at = if spent {
                self.cycle.before(at)
            } else {
                self.cycle.after(at)
            };
        }
        (amount > 0).then_some(amount)
    }
}

/// Quantity and notional whose quotient is the leg's price.
fn own_price(leg: &BrokenLeg, side: Side) -> (i128, i128) {
    let (qty, notional) = match side {
        Side::Buy => (leg.traded.bought, leg.traded.bought_notional),
        Side::Sell => (leg.traded.sold, leg.traded.sold_notional),
    };
    if qty.0 > 0 && notional.0 > 0 {
        (i128::from(qty.0), notional.0)
    } else {
        (1, i128::from(leg.leg.decision_price.0))
    }
}

/// A price moved against a taker.
fn moved(price: Price, side: Side, by: Ppm) -> Option<Price> {
    let by = i128::from(price.0)
        .checked_mul(i128::from(by.0))?
        .div_euclid(ONE);
    let moved = i128::from(price.0).checked_add(by.checked_mul(i128::from(side.sign()))?)?;
    i64::try_from(moved)
        .ok()
        .filter(|price| *price > 0)
        .map(Price)
}
