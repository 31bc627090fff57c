//! Can the venue that just changed be part of an edge at all? Answered from one small table, without looking at any other book.
//!
//! The table keeps, by slot, the best ask as what it costs at least and the best bid as what it yields at most (fees with every
//! discount, the smallest edge that is ever asked for), and by quote asset the cheapest and the dearest of them. An edge needs a
//! bid somewhere that yields at least what some ask costs: usually the changed slot's two figures against the best two say no,
//! at once. Only when the slot that held a best figure gives it up are the others looked through, in this same table.
//!
//! It never misses an edge; it may send a few looks on that the exact comparison then turns down. A book counts as it was when
//! its best prices last changed, whatever became of its trust since.

use crate::capacity::ROUTE_VENUES_MAX;
use crate::market::Top;

use super::super::routes::{QUOTES_MAX, RouteTable};
use super::convert::Rate;

/// Nothing to sell to.
const NO_BID: i128 = -1;
/// Nothing to buy.
const NO_ASK: i128 = i128::MAX;

/// What is compared of every slot.
#[derive(Debug, Clone)]
pub(super) struct Nearest {
    costs: [i128; ROUTE_VENUES_MAX],
    yields: [i128; ROUTE_VENUES_MAX],
    known: [bool; ROUTE_VENUES_MAX],
    all_known: bool,
    /// By quote asset: the slot of the cheapest ask and of the dearest bid.
    cheapest: [usize; QUOTES_MAX],
    dearest: [usize; QUOTES_MAX],
}

impl Nearest {
    pub(super) const fn new() -> Self {
        Self {
            costs: [NO_ASK; ROUTE_VENUES_MAX],
            yields: [NO_BID; ROUTE_VENUES_MAX],
            known: [false; ROUTE_VENUES_MAX],
            all_known: false,
            cheapest: [0; QUOTES_MAX],
            dearest: [0; QUOTES_MAX],
        }
    }

    /// True once every slot was noted.
    pub(super) const fn all_known(&self) -> bool {
        self.all_known
    }
    pub(super) fn knows(&self, slot: usize) -> bool {
        self.known.get(slot).copied().unwrap_or(false)
    }

    /// Takes the best prices of a slot.
    #[inline]
    pub(super) fn note(&mut self, slot: usize, top: Option<Top>, routes: &RouteTable) {
        let (kept, spent) = routes.best_terms(slot);
        let scale = routes.price_scale(slot);
        let (cost, gain) = top.map_or((NO_ASK, NO_BID), |top| {
            (
                scaled(top.ask.price.0, scale, spent).unwrap_or(NO_ASK),
                scaled(top.bid.price.0, scale, kept).unwrap_or(NO_BID),
            )
        });
        if let (Some(own_cost), Some(own_yield), Some(known)) = (
            self.costs.get_mut(slot),
            self.yields.get_mut(slot),
            self.known.get_mut(slot),
        ) {
            let (cost_rose, yield_fell) = (cost > *own_cost, gain < *own_yield);
            (*own_cost, *own_yield) = (cost, gain);
            if !*known {
                *known = true;
                self.all_known = (0..routes.count()).all(|other| self.knows(other));
            }
            self.place(slot, routes, cost_rose, yield_fell);
        }
    }

    fn place(&mut self, slot: usize, routes: &RouteTable, cost_rose: bool, yield_fell: bool) {
        let quote = routes.quote(slot);
        let (Some(cheapest), Some(dearest)) =
            (self.cheapest.get_mut(quote), self.dearest.get_mut(quote))
        else {
            return;
        };
        let of_quote = |other: &usize| routes.quote(*other) == quote;
        let (costs, yields) = (&self.costs, &self.yields);
        let cost = |slot: usize| costs.get(slot).copied().unwrap_or(NO_ASK);
        let gain = |slot: usize| yields.get(slot).copied().unwrap_or(NO_BID);
        if routes.quote(*cheapest) != quote || (*cheapest == slot && cost_rose) {
            let all = (0..routes.count()).filter(of_quote);
            *cheapest = all.min_by_key(|other| cost(*other)).unwrap_or(slot);
        } else if cost(slot) < cost(*cheapest) {
            *cheapest = slot;
        }
        if routes.quote(*dearest) != quote || (*dearest == slot && yield_fell) {
            let all = (0..routes.count()).filter(of_quote);
            *dearest = all.max_by_key(|other| gain(*other)).unwrap_or(slot);
        } else if gain(slot) > gain(*dearest) {
            *dearest = slot;
        }
    }

    /// Whether a route of the slot could have an edge.
    #[inline]
    pub(super) fn may_reach(&self, slot: usize, routes: &RouteTable, rates: &[Rate]) -> bool {
        let own = routes.quote(slot);
        let (cost, gain) = (self.cost(slot), self.gain(slot));
        (0..routes.quote_count()).any(|quote| {
            let (Some(cheapest), Some(dearest)) =
                (self.cheapest.get(quote), self.dearest.get(quote))
            else {
                return true;
            };
            reached(self.gain(*dearest), quote, cost, own, rates)
                || reached(gain, own, self.cost(*cheapest), quote, rates)
        })
    }

    /// Whether any route between two quote assets could have an edge.
    pub(super) fn may_cross(&self, routes: &RouteTable, rates: &[Rate]) -> bool {
        let count = routes.quote_count();
        (0..count).any(|buy| {
            (0..count).any(|sell| {
                let (Some(cheapest), Some(dearest)) =
                    (self.cheapest.get(buy), self.dearest.get(sell))
                else {
                    return true;
                };
                buy != sell && reached(self.gain(*dearest), sell, self.cost(*cheapest), buy, rates)
            })
        })
    }

    fn cost(&self, slot: usize) -> i128 {
        self.costs.get(slot).copied().unwrap_or(NO_ASK)
    }
    fn gain(&self, slot: usize) -> i128 {
        self.yields.get(slot).copied().unwrap_or(NO_BID)
    }
}

fn scaled(price: i64, scale: i64, terms: i64) -> Option<i128> {
    i128::from(price)
        .checked_mul(i128::from(scale))?
        .checked_mul(i128::from(terms))
}

/// True when a bid's yield is at least an ask's cost, each in its own quote. What does not fit is left to the exact comparison.
#[inline]
fn reached(gain: i128, sell_quote: usize, cost: i128, buy_quote: usize, rates: &[Rate]) -> bool {
    if gain < 0 || cost == NO_ASK {
        return false;
    }
    if sell_quote == buy_quote {
        return gain >= cost;
    }
    let (Some(sell), Some(buy)) = (rates.get(sell_quote), rates.get(buy_quote)) else {
        return true;
    };
    let (sell_factor, buy_factor) = Rate::factors(*sell, *buy);
    match (gain.checked_mul(sell_factor), cost.checked_mul(buy_factor)) {
        (Some(gain), Some(cost)) => gain >= cost,
        _ => true,
    }
}
