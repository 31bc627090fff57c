//! What a set earned: from its executions and the fees the venues really took.

use crate::capacity::LEGS_MAX;
use crate::market::{Catalogue, Instrument};
use crate::units::{Asset, Grid, Money, MonoNanos, Notional, Ppm, Price, Side};

use super::amounts::{BaseQty, Traded};
use super::cycle::{AssetQty, Cycle};
use super::legs::{Assessment, LegSet, SetEnd, SetLeg};
use super::output::{LegSummary, SetSummary};
use super::tracker::Tracker;

/// The summary of a set that ends now.
#[must_use]
pub fn summarize(
    set: &LegSet,
    end: SetEnd,
    look: &Assessment,
    tracker: &Tracker,
    catalogue: &Catalogue,
    now: MonoNanos,
) -> SetSummary {
    let mut legs = [None; LEGS_MAX];
    for (slot, leg) in legs.iter_mut().zip(&set.legs) {
        *slot = Some(LegSummary {
            leg: leg.leg,
            outcome: leg.outcome(tracker),
            traded: leg.traded,
            order_count: u32::try_from(leg.orders().count()).unwrap_or(u32::MAX),
        });
    }
    let even = matches!(end, SetEnd::Hedged | SetEnd::Repaired)
        && look.settled
        && set.carried == BaseQty(0);
    let realized = match &set.cycle {
        _ if !even => None,
        // A single leg earns nothing by itself.
        None if look.delta != BaseQty(0) => None,
        None => realized_floor(&set.legs, catalogue)
            .map(|(profit, bought)| (Some(profit), edge_floor(profit, bought))),
        Some(cycle) => around_floor(cycle, &set.legs, catalogue),
    };
    SetSummary {
        id: set.id,
        strategy: set.strategy,
        end,
        legs,
        net_edge: set.net_edge,
        earned_by: set.earned_by,
        realized_edge: realized.and_then(|(_, edge)| edge),
        realized: realized.and_then(|(profit, _)| profit),
        residual: look.delta,
        changes: changes(set.cycle.as_ref()),
        unhedged: set.exposure.span,
        leg_risk: set.exposure.quote_seconds(),
        broken_count: set.broken_count,
        repair_count: set.repair_count,
        reopened: set.reopened,
        decided_at: set.decided_at,
        sent_at: set.sent_at,
        ended_at: now,
    }
}

/// Profit after fees, rounded down, and what was bought; `None` when legs have different grids or a fee is not known in the
/// quote asset.
fn realized_floor(legs: &[SetLeg], catalogue: &Catalogue) -> Option<(Notional, Notional)> {
    let (mut profit, mut bought) = (Notional(0), Notional(0));
    let first = catalogue.get(legs.first()?.leg.instrument)?;
    for leg in legs {
        let instrument = catalogue.get(leg.leg.instrument)?;
        if instrument.grid != first.grid || instrument.symbol.quote != first.symbol.quote {
            return None;
        }
        let paid = scaled(leg.traded.bought_notional, leg.units)?;
        let received = scaled(leg.traded.sold_notional, leg.units)?;
        let fee = instrument
            .grid
            .notional_floor(Money(-fee_in_quote(&leg.traded, instrument)?.0))?;
        bought = bought.checked_add(paid)?;
        profit = profit
            .checked_add(received)?
            .checked_sub(paid)?
            .checked_add(fee)?;
    }
    Some((profit, bought))
}

/// Profit of a chain in its start asset, rounded down: on the first leg's grid when that is quoted in the start; and as a
/// share of what the first leg spent. What is left of other assets is not counted.
fn around_floor(
    cycle: &Cycle,
    legs: &[SetLeg],
    catalogue: &Catalogue,
) -> Option<(Option<Notional>, Option<Ppm>)> {
    let (first, hop) = (legs.first()?, cycle.hop(0)?);
    if cycle.fees_elsewhere {
        return None;
    }
    let instrument = catalogue.get(first.leg.instrument)?;
    let gained = cycle.open(0);
    let profit = match hop.side {
        Side::Buy => instrument.grid.notional_floor(Money(gained.decimal()?)),
        Side::Sell => None,
    };
    let spent = match hop.side {
        Side::Buy => hop.quote_amount(first.traded.bought_notional),
        Side::Sell => hop.amount(hop.base, first.traded.sold, Price(1)).0,
    };
    Some((profit, edge_floor(Notional(gained.0), Notional(spent))))
}

fn changes(cycle: Option<&Cycle>) -> [Option<(Asset, AssetQty)>; LEGS_MAX] {
    let mut changes = [None; LEGS_MAX];
    for (place, slot) in changes.iter_mut().enumerate() {
        *slot = cycle.and_then(|cycle| Some((cycle.asset(place)?, cycle.open(place))));
    }
    changes
}

fn edge_floor(profit: Notional, bought: Notional) -> Option<Ppm> {
    if bought.0 <= 0 {
        return None;
    }
    let ppm = profit
        .0
        .checked_mul(i128::from(Ppm::ONE.0))?
        .div_euclid(bought.0);
    i64::try_from(ppm).ok().map(Ppm)
}

fn scaled(notional: Notional, units: i64) -> Option<Notional> {
    Some(Notional(
        notional
            .0
            .checked_mul(i128::from(units))?
            .div_euclid(100_000_000),
    ))
}

/// A fee in the base asset is valued at the leg's own average price.
fn fee_in_quote(traded: &Traded, instrument: &Instrument) -> Option<Money> {
    if traded.fee_incomplete {
        return None;
    }
    match traded.fee_asset {
        None => Some(Money::ZERO),
        Some(asset) if asset == instrument.symbol.quote => Some(Money(traded.fee)),
        Some(asset) if asset == instrument.symbol.base => Money(traded.fee)
            .mul(Money(average_ceil(traded, instrument.grid)?))
            .ok(),
        Some(_) => None,
    }
}

fn average_ceil(traded: &Traded, grid: Grid) -> Option<rust_decimal::Decimal> {
    let qty = i128::from(traded.bought.0.checked_add(traded.sold.0)?);
    if qty <= 0 {
        return None;
    }
    let notional = traded.bought_notional.checked_add(traded.sold_notional)?;
    let average = -(-notional.0).div_euclid(qty);
    Some(grid.price_decimal(Price(i64::try_from(average).ok()?)))
}
