//! The best size of a chain: the lots of the last leg whose plan earns most beyond the wanted edge.
//!
//! Without lots the earnings are concave in the size: every further unit meets worse prices. Lots make a saw of them that is
//! never above that curve and never further below than [`Chain::lot_loss_ceil`]. So [`SizeSearch::Bisect`] halves the range
//! where one more unit would still earn the edge, then looks at the lots on both sides; as soon as one lies below the best by
//! more than lots can take, none beyond it can be better. That is exact, unless [`LOOKS_MAX`] lots on one side are not enough;
//! then nothing beyond them is better by more than that loss.

use crate::units::Ppm;

use super::super::params::SizeSearch;
use super::chain::{Chain, ChainLeg, Plan};

/// Lots looked at on each side of where one more unit would not earn the edge.
pub const LOOKS_MAX: i64 = 256;
/// Shares of the range that [`SizeSearch::Grid`] tries.
pub const GRID_STEPS: i64 = 32;

/// Within what a size is looked for. Amounts are in units of the start asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Most that the first leg spends.
    pub start_max: i128,
    /// Edge that the plan must net, and every further unit of it.
    pub edge_min: Ppm,
    /// How to search.
    pub search: SizeSearch,
}

/// A size that can be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Found {
    /// The plan.
    pub plan: Plan,
    /// True when no other lots are better.
    pub is_exact: bool,
}

/// Why there is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoPlan {
    /// A leg can trade less than the smallest quantity.
    Leg {
        /// Which.
        leg_index: usize,
        /// What it can.
        qty: i64,
        /// Least.
        qty_min: i64,
        /// True when the account is the reason, false when the books are.
        is_inventory: bool,
    },
    /// An order would be worth less than the venue takes.
    Notional {
        /// Which.
        leg_index: usize,
        /// Its value.
        notional: i128,
        /// Least.
        notional_min: i128,
    },
    /// The first leg can spend less than the least.
    Start {
        /// What it can.
        spent: i128,
    },
    /// No lots net the edge.
    Edge {
        /// Net edge of the lots nearest to the best.
        net_edge: Ppm,
    },
    /// The amounts do not fit 128 bits.
    Overflow,
}

/// The best plan, or why there is none.
///
/// # Errors
/// [`NoPlan`] with the numbers.
pub fn best_plan(chain: &Chain, wanted: &Wanted) -> Result<Found, NoPlan> {
    let range = range(chain, wanted)?;
    let mut search = Search {
        chain,
        edge_min: wanted.edge_min,
        best: None,
    };
    match wanted.search {
        SizeSearch::Bisect => search.bisect(range),
        SizeSearch::Grid => search.grid(range),
    }
}

/// Least and most lots of the last leg that every bound allows.
fn range(chain: &Chain, wanted: &Wanted) -> Result<(i64, i64), NoPlan> {
    let most = chain.largest(wanted.start_max);
    for (leg_index, (leg, qty)) in chain.legs().zip(most).enumerate() {
        if qty < leg.qty_least {
            return Err(too_small(leg_index, leg, qty));
        }
    }
    let last = chain.legs().zip(most).last();
    let (least, most) = last.map_or((1, 0), |(leg, most)| (leg.qty_least, most));
    let lot = chain.last_lot();
    Ok((least.div_euclid(lot), most.div_euclid(lot)))
}

/// Why the most that a leg can trade is not enough.
fn too_small(leg_index: usize, leg: &ChainLeg, qty: i64) -> NoPlan {
    let spent = leg.spent(qty).unwrap_or(0);
    let qty_min = leg.qty_min.max(leg.lot);
    let notional = leg.value(qty);
    if qty >= qty_min && notional < leg.notional_min {
        return NoPlan::Notional {
            leg_index,
            notional,
            notional_min: leg.notional_min,
        };
    }
    if qty >= qty_min && spent < leg.spent_min {
        return NoPlan::Start { spent };
    }
    NoPlan::Leg {
        leg_index,
        qty,
        qty_min,
        is_inventory: leg.room < qty_min,
    }
}

/// Smallest number in `low..=high` for which `holds`, which holds for `high` and for everything above the first.
fn first_true(low: i64, high: i64, holds: impl Fn(i64) -> bool) -> i64 {
    let (mut low, mut high) = (low, high);
    while low < high {
        let middle = low + (high - low).div_euclid(2);
        if holds(middle) {
            high = middle;
        } else {
            low = middle + 1;
        }
    }
    low
}

#[derive(Debug)]
struct Search<'a> {
    chain: &'a Chain,
    edge_min: Ppm,
    best: Option<(i128, Plan)>,
}

impl Search<'_> {
    fn bisect(&mut self, (lots_min, lots_max): (i64, i64)) -> Result<Found, NoPlan> {
        let goes_on = |lots: i64| {
            let plan = self.chain.plan(lots);
            plan.is_some_and(|plan| self.chain.goes_on(&plan, self.edge_min))
        };
        let peak = first_true(lots_min, lots_max, |lots| {
            lots == lots_max || !goes_on(lots)
        });
        let largest = self.chain.plan(lots_max).ok_or(NoPlan::Overflow)?;
        let loss = self.chain.lot_loss_ceil(&largest.qty, self.edge_min);
        let loss = loss.ok_or(NoPlan::Overflow)?;
        self.look(peak)?;
        let mut is_exact = true;
        for step in [-1, 1] {
            let mut lots = peak + step;
            while (lots_min..=lots_max).contains(&lots) {
                if (lots - peak).abs() > LOOKS_MAX {
                    is_exact = false;
                    break;
                }
                let score = self.look(lots)?;
                // A plan that nets the edge has a score of at least zero.
                let to_beat = self.best.map_or(0, |(best, _)| best.max(0));
                if score.checked_add(loss).ok_or(NoPlan::Overflow)? < to_beat {
                    break;
                }
                lots += step;
            }
        }
        self.found(peak, is_exact)
    }

    fn grid(&mut self, (lots_min, lots_max): (i64, i64)) -> Result<Found, NoPlan> {
        let width = i128::from(lots_max - lots_min);
        for step in 0..=GRID_STEPS {
            let share = (width * i128::from(step)).div_euclid(i128::from(GRID_STEPS));
            self.look(lots_min + i64::try_from(share).unwrap_or(0))?;
        }
        self.found(lots_max, false)
    }

    /// The score of so many lots; kept when it nets the edge and is better, or as good with fewer lots.
    fn look(&mut self, lots: i64) -> Result<i128, NoPlan> {
        let plan = self.chain.plan(lots).ok_or(NoPlan::Overflow)?;
        let score = plan.score(self.edge_min).ok_or(NoPlan::Overflow)?;
        let better = self
            .best
            .is_none_or(|(best, known)| (score, known.spent) > (best, plan.spent));
        if better && plan.net_edge().is_some_and(|edge| edge >= self.edge_min) {
            self.best = Some((score, plan));
        }
        Ok(score)
    }

    fn found(&self, tried: i64, is_exact: bool) -> Result<Found, NoPlan> {
        match self.best {
            Some((_, plan)) => Ok(Found { plan, is_exact }),
            None => {
                let edge = self.chain.plan(tried).and_then(|plan| plan.net_edge());
                Err(NoPlan::Edge {
                    net_edge: edge.ok_or(NoPlan::Overflow)?,
                })
            }
        }
    }
}
