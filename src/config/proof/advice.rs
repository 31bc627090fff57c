//! What to move where, so that no venue runs dry first. It advises; nothing here or elsewhere transfers anything.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::market::VenueId;
use crate::units::{Asset, Nanos};

use super::runway::{Runway, runways};
use super::{Ground, ratio};

/// Proposals at most: after that many transfers the question is another one.
const PROPOSALS_MAX: usize = 16;

/// How far one asset at one venue goes for the strategy that takes most of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stock {
    /// Where.
    pub venue: VenueId,
    /// What.
    pub asset: Asset,
    /// Free of it, with what is on its way there.
    pub free: Decimal,
    /// What one set of full size takes, at most.
    pub per_set: Decimal,
    /// Fewer sets are worth a transfer.
    pub sets_few: u32,
}

impl Stock {
    /// Whole sets.
    #[must_use]
    pub fn sets(&self) -> Option<u64> {
        u64::try_from(self.free.checked_div(self.per_set)?.trunc()).ok()
    }
    fn is_few(&self) -> bool {
        self.sets()
            .is_some_and(|sets| sets < u64::from(self.sets_few))
    }
}

/// One transfer worth thinking of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// From where.
    pub from: VenueId,
    /// To where.
    pub to: VenueId,
    /// What.
    pub asset: Asset,
    /// How much leaves.
    pub amount: Decimal,
    /// What the venue keeps, in the asset; `None` when it was not declared.
    pub fee: Option<Decimal>,
    /// The same in the reporting currency.
    pub cost: Option<Decimal>,
    /// How long it takes; `None` when it was not declared.
    pub time: Option<Nanos>,
    /// Sets at the giving venue, before and after.
    pub from_sets: (u64, u64),
    /// Sets at the taking venue, before and after.
    pub to_sets: (u64, u64),
    /// Sets of full size at the least edge that pay the cost back.
    pub paid_back_after_sets: Option<u64>,
}

/// Every asset at every venue that a strategy spends: the strategy that takes most of it decides.
#[must_use]
pub fn stocks(ground: &Ground<'_>) -> Vec<Stock> {
    let mut all: BTreeMap<(Asset, VenueId), Stock> = BTreeMap::new();
    for Runway {
        venue,
        asset,
        free,
        per_set,
        sets_few,
        ..
    } in runways(ground)
    {
        let (Some(free), Some(per_set)) = (free, per_set.filter(|amount| !amount.is_zero())) else {
            continue;
        };
        let stock = all.entry((asset, venue)).or_insert(Stock {
            venue,
            asset,
            free,
            per_set,
            sets_few,
        });
        stock.per_set = stock.per_set.max(per_set);
        stock.sets_few = stock.sets_few.max(sets_few);
    }
    all.into_values().collect()
}

/// Transfers that help the venues that run dry first, each from where the asset lasts longest, so that both last as long.
#[must_use]
pub fn proposals(ground: &Ground<'_>) -> Vec<Proposal> {
    let mut stocks = stocks(ground);
    let mut found = Vec::new();
    while found.len() < PROPOSALS_MAX {
        let Some(proposal) = next(ground, &stocks) else {
            break;
        };
        for stock in stocks
            .iter_mut()
            .filter(|stock| stock.asset == proposal.asset)
        {
            if stock.venue == proposal.from {
                stock.free = stock.free.saturating_sub(proposal.amount);
            } else if stock.venue == proposal.to {
                let arrives = proposal
                    .amount
                    .saturating_sub(proposal.fee.unwrap_or_default());
                stock.free = stock.free.saturating_add(arrives);
            }
        }
        found.push(proposal);
    }
    found
}

fn next(ground: &Ground<'_>, stocks: &[Stock]) -> Option<Proposal> {
    let mut few: Vec<&Stock> = stocks.iter().filter(|stock| stock.is_few()).collect();
    few.sort_by_key(|stock| stock.sets());
    few.into_iter().find_map(|taker| {
        let givers = stocks.iter().filter(|stock| {
            stock.asset == taker.asset && stock.venue != taker.venue && !stock.is_few()
        });
        let giver = givers.max_by_key(|stock| stock.sets())?;
        propose(ground, giver, taker)
    })
}

/// Both last as many sets afterwards. `None` when that gains no whole set, or leaves the giver with too few.
fn propose(ground: &Ground<'_>, giver: &Stock, taker: &Stock) -> Option<Proposal> {
    let all = giver.free.checked_add(taker.free)?;
    let takes = giver.per_set.checked_add(taker.per_set)?;
    let fair = all.checked_mul(taker.per_set)?.checked_div(takes)?;
    // No dust in a proposal: six decimals, rounded down.
    let amount = fair
        .checked_sub(taker.free)?
        .trunc_with_scale(6)
        .normalize();
    let settings = ground.settings.venues().get(giver.venue.index())?;
    let mut declared = settings.withdraw_fees.iter();
    let fee = declared
        .find(|(asset, _)| *asset == giver.asset)
        .map(|(_, fee)| *fee);
    let arrives = amount.checked_sub(fee.unwrap_or_default())?;
    let after = |stock: &Stock, change: Decimal| {
        let free = stock.free.checked_add(change)?;
        Stock {
            free,
            ..stock.clone()
        }
        .sets()
    };
    let from_sets = (giver.sets()?, after(giver, -amount)?);
    let to_sets = (taker.sets()?, after(taker, arrives)?);
    if to_sets.1 <= to_sets.0 || from_sets.1 < from_sets.0.min(u64::from(giver.sets_few)) {
        return None;
    }
    let cost = fee.and_then(|fee| fee.checked_mul(ground.value(giver.asset)?));
    Some(Proposal {
        from: giver.venue,
        to: taker.venue,
        asset: giver.asset,
        amount,
        fee,
        cost,
        time: settings.withdraw_time,
        from_sets,
        to_sets,
        paid_back_after_sets: cost.and_then(|cost| paid_back(ground, taker, cost)),
    })
}

/// Sets at the least edge of the strategy with the smallest one that pay a cost.
fn paid_back(ground: &Ground<'_>, taker: &Stock, cost: Decimal) -> Option<u64> {
    let edges = ground.settings.strategies.iter();
    let edges = edges.map(|strategy| strategy.common().min_net_edge);
    let edge = edges.filter(|edge| edge.0 > 0).min()?;
    let value = taker.per_set.checked_mul(ground.value(taker.asset)?)?;
    let gain = value.checked_mul(ratio(edge))?;
    u64::try_from(cost.checked_div(gain)?.ceil()).ok()
}
