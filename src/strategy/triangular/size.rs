//! How much of a cycle to take, and at which limit prices.
//!
//! 1. *Levels*: the first leg may take those at which the rest of the cycle at its touch still nets the minimum; later legs
//!    those within the protective limit.
//! 2. *Bounds* of each leg: a share of those levels, the venue's largest order, the caps of what is held, and what is free.
//!    A venue locks a purchase at its limit price. So a later purchase goes to a worse level only as far as the free balance
//!    covers what is locked beyond the price; legs that do not wait for the one before them are paid from what is free.
//! 3. *Size*: the plan that earns most ([`super::search`]).
//! 4. *Limits*: the first leg's worst level moved by the cushion, but never where the cycle would lose with all other legs at
//!    their worst level; later legs the protective limit, for purchases no further than what they yield and is free pays for.

use crate::capacity::LEGS_MAX;
use crate::market::Book;
use crate::market::depth::protected;
use crate::trade::{Leg, SendOrder};
use crate::units::{Money, Notional, Ppm, Price, Qty, Side};

use super::super::inventory::Inventory;
use super::super::params::TriangularParams;
use super::super::signal::Pass;
use super::chain::{Chain, ChainLeg, FEE_DECIMALS, LegShape, Plan};
use super::ladder::Ladder;
use super::search::{NoPlan, Wanted, best_plan};
use super::table::Terms;
use super::wide::RoundTrip;

/// One leg as it stands in the books.
#[derive(Debug, Clone, Copy)]
pub struct Quoted<'a> {
    /// Its instrument.
    pub terms: &'a Terms,
    /// Buy or sell.
    pub side: Side,
    /// Its book.
    pub book: &'a Book,
    /// Price at which it begins.
    pub touch: Price,
}

/// A set that can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sized {
    legs: [Option<Leg>; LEGS_MAX],
    /// Expected edge after fees, floor; what is left over counts nothing.
    pub net_edge: Ppm,
}

impl Sized {
    /// Its legs in order.
    pub fn legs(&self) -> impl Iterator<Item = Leg> {
        self.legs.into_iter().flatten()
    }
}

/// Everything that bounds a size.
#[derive(Debug, Clone, Copy)]
pub struct Bounds<'a> {
    /// The strategy's own.
    pub params: &'a TriangularParams,
    /// The account.
    pub inventory: &'a Inventory<'a>,
    /// Share of the size that risk allows now.
    pub factor: Ppm,
}

/// Free amounts by leg: of the asset it spends, in that asset's units.
type Free = [i128; LEGS_MAX];

/// Legs and limits of the best size, or why there is none.
///
/// # Errors
/// [`Pass`] with both numbers.
pub fn size_cycle(quoted: &[Quoted<'_>], bounds: &Bounds<'_>) -> Result<Sized, Pass> {
    let decimals = decimals_of(quoted);
    let free = free_of(quoted, &decimals, bounds)?;
    let overflow = || no_plan(quoted, &decimals, bounds, &NoPlan::Overflow);
    let mut wanted_legs = [None; LEGS_MAX];
    let mut limits = [Price(0); LEGS_MAX];
    for (index, (slot, limit)) in wanted_legs.iter_mut().zip(&mut limits).enumerate() {
        if index >= quoted.len() {
            break;
        }
        let (leg, protective) =
            chain_leg(index, quoted, &decimals, &free, bounds).ok_or_else(overflow)?;
        (*slot, *limit) = (Some(leg), protective);
    }
    let chain = Chain::new(wanted_legs.into_iter().flatten());
    let units = |money: Money| money.steps_floor(*decimals.first()?);
    let params = bounds.params;
    let start_free = free.first().copied().unwrap_or(0);
    let start_max = units(params.start_max)
        .and_then(|most| scaled_floor(most, bounds.factor))
        .ok_or_else(overflow)?;
    let wanted = Wanted {
        start_max: start_max.min(start_free),
        edge_min: params.common.min_net_edge,
        search: params.size_search,
    };
    let found =
        best_plan(&chain, &wanted).map_err(|reason| no_plan(quoted, &decimals, bounds, &reason))?;
    let limits =
        limit_prices(&chain, &found.plan, quoted, &limits, &free, bounds).ok_or_else(overflow)?;
    let net_edge = found.plan.net_edge().ok_or_else(overflow)?;
    let mut legs = [None; LEGS_MAX];
    let planned = quoted.iter().zip(found.plan.qty).zip(limits);
    for (slot, ((quoted, qty), limit_price)) in legs.iter_mut().zip(planned) {
        *slot = Some(Leg {
            instrument: quoted.terms.instrument,
            side: quoted.side,
            qty: Qty(qty),
            limit_price,
            decision_price: quoted.touch,
        });
    }
    check_first_value(quoted, &found.plan, &limits)?;
    Ok(Sized { legs, net_edge })
}

/// Decimals of the asset that each leg spends, and last of the one that the last leg yields (the start asset again).
fn decimals_of(quoted: &[Quoted<'_>]) -> [u32; LEGS_MAX + 1] {
    let mut decimals = [0; LEGS_MAX + 1];
    let mut before = quoted.last();
    for (slot, leg) in decimals.iter_mut().zip(quoted) {
        let spent = leg.terms.decimals.spent(leg.side);
        let yielded = before.map_or(0, |leg| leg.terms.decimals.yielded(leg.side));
        *slot = spent.max(yielded) + FEE_DECIMALS;
        before = Some(leg);
    }
    let first = decimals.first().copied().unwrap_or(0);
    if let Some(slot) = decimals.get_mut(quoted.len()) {
        *slot = first;
    }
    decimals
}

fn free_of(
    quoted: &[Quoted<'_>],
    decimals: &[u32; LEGS_MAX + 1],
    bounds: &Bounds<'_>,
) -> Result<Free, Pass> {
    let mut free = [0; LEGS_MAX];
    for ((slot, leg), decimals) in free.iter_mut().zip(quoted).zip(decimals) {
        let instrument = leg.terms.instrument;
        let asset = leg.terms.spent(leg.side);
        let known = bounds.inventory.free(bounds.params.venue, asset);
        let units = known.and_then(|money| money.steps_floor(*decimals));
        *slot = units.ok_or(Pass::PositionUnknown { instrument })?.max(0);
    }
    Ok(free)
}

/// One leg with its bounds, and the limit price that is known before the size (the worst that the first leg may touch).
fn chain_leg(
    index: usize,
    quoted: &[Quoted<'_>],
    decimals: &[u32; LEGS_MAX + 1],
    free: &Free,
    bounds: &Bounds<'_>,
) -> Option<(ChainLeg, Price)> {
    let own = quoted.get(index)?;
    let (terms, side, params) = (own.terms, own.side, bounds.params);
    let limit = if index == 0 {
        Price(0)
    } else {
        on_tick(
            protected(own.touch, side, params.protective_limit)?,
            side,
            terms.tick,
        )?
    };
    let within = |price: Price| {
        if index == 0 {
            trip_at(quoted, price).reaches(params.common.min_net_edge)
        } else {
            !is_worse(price, limit, side)
        }
    };
    let levels = usize::try_from(params.common.depth_levels).unwrap_or(usize::MAX);
    let ladder = Ladder::of(own.book.available(side).take(levels.max(1)), within);
    let shape = LegShape {
        side,
        decimals: terms.decimals,
        spent_decimals: *decimals.get(index)?,
        yielded_decimals: *decimals.get(index + 1)?,
        fee: terms.fee,
        fee_taken: params.fee_taken,
    };
    let mut leg = ChainLeg::new(&shape, ladder, terms.lot)?;
    let share = qty_share(ladder.qty(), params.common.max_book_take)?;
    let own_free = leg.steps_covered(*free.get(index)?);
    let waits = match params.execution {
        SendOrder::Sequential => index > 0,
        SendOrder::FirstThenParallel => index == 1,
        SendOrder::Together => false,
    };
    let lockable = match (side, waits) {
        (Side::Buy, true) => {
            leg.ladder = leg.ladder.within_reserve(own_free);
            i64::MAX
        }
        (Side::Sell, true) => i64::MAX,
        (Side::Sell, false) => i64::try_from(own_free).unwrap_or(i64::MAX),
        (Side::Buy, false) if index == 0 => leg.ladder.qty_locking(own_free),
        (Side::Buy, false) => qty_at(own_free, limit),
    };
    leg.room = lockable.min(cap_room(index, quoted, &leg, decimals, free, bounds)?);
    let dearest = match side {
        Side::Buy if index > 0 => limit,
        Side::Buy => {
            let last = leg
                .ladder
                .worst_price(leg.ladder.qty())
                .unwrap_or(own.touch);
            protected(last, side, params.common.limit_cushion)?
        }
        Side::Sell => own.touch,
    };
    leg.qty_max = share
        .min(leg.ladder.qty())
        .min(leg.room)
        .min(qty_share(terms.qty_max, bounds.factor)?)
        .min(qty_at(terms.notional_max, dearest));
    let valued_at = if side == Side::Sell { limit } else { Price(0) };
    leg.demand(terms.qty_min, terms.notional_min, valued_at);
    if index == 0 {
        leg.demand_spent(params.start_min.steps_floor(*decimals.first()?)?);
    }
    Some((leg, limit))
}

/// What the cap of the asset that a leg yields leaves; the last leg's is the start asset, which has none.
fn cap_room(
    index: usize,
    quoted: &[Quoted<'_>],
    leg: &ChainLeg,
    decimals: &[u32; LEGS_MAX + 1],
    free: &Free,
    bounds: &Bounds<'_>,
) -> Option<i64> {
    let Some(next) = quoted.get(index + 1) else {
        return Some(i64::MAX);
    };
    let asset = next.terms.spent(next.side);
    let caps = bounds.params.asset_caps.iter();
    let Some((_, cap)) = caps.copied().find(|(known, _)| *known == asset) else {
        return Some(i64::MAX);
    };
    let cap = cap.steps_floor(*decimals.get(index + 1)?)?;
    let left = leg.steps_held(cap.saturating_sub(*free.get(index + 1)?).max(0));
    Some(match leg.side {
        Side::Buy => i64::try_from(left).unwrap_or(i64::MAX),
        Side::Sell => leg.ladder.qty_within(left),
    })
}

/// The round trip with the first leg at `price` and all others at their touch.
fn trip_at(quoted: &[Quoted<'_>], price: Price) -> RoundTrip {
    let prices = std::iter::once(price).chain(quoted.iter().skip(1).map(|leg| leg.touch));
    let legs = quoted.iter().zip(prices);
    RoundTrip::new(legs.map(|(leg, price)| (leg.terms.rate(leg.side), price)))
}

/// Limit prices of all legs of a plan.
fn limit_prices(
    chain: &Chain,
    plan: &Plan,
    quoted: &[Quoted<'_>],
    protective: &[Price; LEGS_MAX],
    free: &Free,
    bounds: &Bounds<'_>,
) -> Option<[Price; LEGS_MAX]> {
    let mut worst = [Price(0); LEGS_MAX];
    for ((slot, leg), qty) in worst.iter_mut().zip(chain.legs()).zip(plan.qty) {
        *slot = leg.ladder.worst_price(qty)?;
    }
    let mut limits = *protective;
    let mut yielded = 0_i128;
    let own = quoted
        .iter()
        .zip(chain.legs())
        .zip(plan.qty.iter().zip(free));
    let places = limits.iter_mut().zip(&worst).enumerate();
    for ((index, (limit, worst_price)), ((quoted, leg), (qty, free))) in places.zip(own) {
        let waits = match bounds.params.execution {
            SendOrder::Sequential => index > 0,
            SendOrder::FirstThenParallel => index == 1,
            SendOrder::Together => false,
        };
        if index == 0 {
            *limit = first_limit(chain, &worst, quoted, bounds)?;
        }
        if leg.side == Side::Buy {
            let paid = if waits { yielded } else { 0 };
            let steps = leg.steps_covered(paid.checked_add(*free)?);
            let affordable = steps.checked_div(i128::from(*qty))?;
            let affordable = Price(i64::try_from(affordable).unwrap_or(i64::MAX));
            *limit = (*limit).min(affordable).floor_to(quoted.terms.tick)?;
            *limit = (*limit).max(*worst_price);
        }
        yielded = leg.yielded(*qty)?;
    }
    Some(limits)
}

/// The first leg's worst level moved by the cushion, as far as the cycle breaks even with the other legs at their worst.
fn first_limit(
    chain: &Chain,
    worst: &[Price; LEGS_MAX],
    first: &Quoted<'_>,
    bounds: &Bounds<'_>,
) -> Option<Price> {
    let (side, tick) = (first.side, first.terms.tick.0);
    let from = worst.first()?.0;
    let moved = protected(Price(from), side, bounds.params.common.limit_cushion)?;
    let moved = on_tick(moved, side, first.terms.tick)?;
    let at = |ticks: i64| Price(from + side.sign() * ticks * tick);
    let breaks_even = |ticks: i64| {
        let prices = std::iter::once(at(ticks)).chain(worst.iter().skip(1).copied());
        let legs = chain.legs().zip(prices);
        RoundTrip::new(legs.map(|(leg, price)| (leg.rate, price))).reaches(Ppm(0))
    };
    let (mut low, mut high) = (0, (moved.0 - from).abs().div_euclid(tick));
    while low < high {
        let middle = high - (high - low).div_euclid(2);
        if breaks_even(middle) {
            low = middle;
        } else {
            high = middle - 1;
        }
    }
    Some(at(low))
}

/// A sale's limit values the order: the first leg's is known only now.
fn check_first_value(
    quoted: &[Quoted<'_>],
    plan: &Plan,
    limits: &[Price; LEGS_MAX],
) -> Result<(), Pass> {
    let first = quoted.first().zip(plan.qty.first()).zip(limits.first());
    let Some(((first, qty), limit)) = first.filter(|((leg, _), _)| leg.side == Side::Sell) else {
        return Ok(());
    };
    let notional = limit.times(Qty(*qty));
    let notional_min = Notional(first.terms.notional_min);
    if notional < notional_min {
        return Err(Pass::NotionalBelowMin {
            notional,
            notional_min,
        });
    }
    Ok(())
}

/// A missing plan as the trader reads it.
fn no_plan(
    quoted: &[Quoted<'_>],
    decimals: &[u32; LEGS_MAX + 1],
    bounds: &Bounds<'_>,
    reason: &NoPlan,
) -> Pass {
    match *reason {
        NoPlan::Leg {
            qty,
            qty_min,
            is_inventory: true,
            ..
        } => Pass::Inventory {
            room: Qty(qty),
            qty_min: Qty(qty_min),
        },
        NoPlan::Leg { qty, qty_min, .. } => Pass::Thin {
            qty: Qty(qty),
            qty_min: Qty(qty_min),
        },
        NoPlan::Notional {
            notional,
            notional_min,
            ..
        } => Pass::NotionalBelowMin {
            notional: Notional(notional),
            notional_min: Notional(notional_min),
        },
        NoPlan::Start { spent } => Pass::StartBelowMin {
            start: money_floor(spent, decimals.first().copied().unwrap_or(0)),
            start_min: bounds.params.start_min,
        },
        NoPlan::Edge { net_edge } => Pass::LotsEatEdge {
            net_edge,
            net_edge_min: bounds.params.common.min_net_edge,
        },
        NoPlan::Overflow => Pass::Thin {
            qty: Qty::ZERO,
            qty_min: Qty(quoted.first().map_or(0, |leg| leg.terms.qty_min)),
        },
    }
}

/// Units of `10^-decimals` as money with at most twelve decimals, rounded down.
fn money_floor(units: i128, decimals: u32) -> Money {
    let cut = decimals.saturating_sub(12);
    let kept = 10_i128
        .checked_pow(cut)
        .map_or(0, |cut| units.div_euclid(cut));
    let money = rust_decimal::Decimal::try_from_i128_with_scale(kept, decimals - cut);
    Money(money.unwrap_or_default())
}

/// Largest quantity whose value at `price` is at most `notional`.
fn qty_at(notional: i128, price: Price) -> i64 {
    let steps = notional.checked_div(i128::from(price.0)).unwrap_or(0);
    i64::try_from(steps.max(0)).unwrap_or(i64::MAX)
}

fn scaled_floor(whole: i128, share: Ppm) -> Option<i128> {
    let share = i128::from(share.0.clamp(0, Ppm::ONE.0));
    Some(whole.checked_mul(share)?.div_euclid(i128::from(Ppm::ONE.0)))
}

fn qty_share(qty: i64, share: Ppm) -> Option<i64> {
    i64::try_from(scaled_floor(i128::from(qty), share)?).ok()
}

/// Rounded so that it is not moved further: a purchase's down, a sale's up.
fn on_tick(price: Price, side: Side, tick: Price) -> Option<Price> {
    match side {
        Side::Buy => price.floor_to(tick),
        Side::Sell => price.ceil_to(tick),
    }
}

fn is_worse(price: Price, limit: Price, side: Side) -> bool {
    match side {
        Side::Buy => price > limit,
        Side::Sell => price < limit,
    }
}
