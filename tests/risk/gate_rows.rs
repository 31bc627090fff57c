//! Every row of the gate at its boundary: one below, at, and one above; what reduces passes where the row says so; what was
//! never heard refuses. Each case names the codes it proves, and the last test fails when a code has no case.

use std::sync::Arc;

use arbalest::market::{Catalogue, Instrument, InstrumentId};
use arbalest::risk::{Limits, Permits, PreTradeLimits, Refusal, RiskView, SetVerdict};
use arbalest::trade::{Intent, Leg, MarginFacts, StrategyId, VenueFacts};
use arbalest::units::{Asset, MonoNanos, Nanos, Qty};

use super::support::*;

#[path = "gate_rows/capital.rs"]
mod capital;
#[path = "gate_rows/flow.rs"]
mod flow;
#[path = "gate_rows/market.rs"]
mod market;
#[path = "gate_rows/older.rs"]
mod older;
#[path = "gate_rows/state.rs"]
mod state;
#[path = "gate_rows/unsent.rs"]
mod unsent;
#[path = "gate_rows/whole.rs"]
mod whole;

/// What a group of cases proves: codes with a boundary test.
pub(super) type Proven = &'static [&'static str];

/// A world in which everything was heard and is good, with the given limits of the gate.
pub(super) fn heard(edit: impl FnOnce(&mut PreTradeLimits)) -> World {
    heard_with(edit, |_| {}, |_| {}, Permits::everything)
}

pub(super) fn heard_with(
    edit: impl FnOnce(&mut PreTradeLimits),
    limits: impl FnOnce(&mut Limits),
    shape: impl FnOnce(&mut Vec<Instrument>),
    permits: impl FnOnce(&Catalogue) -> Permits,
) -> World {
    let mut seen = None;
    let mut world = World::permitted(
        |own| {
            own.pre_trade = PreTradeLimits::open();
            own.pre_trade.facts_required = true;
            edit(&mut own.pre_trade);
            limits(own);
        },
        shape,
        |catalogue| {
            seen = Some(RiskView::calm(catalogue, 4, START));
            permits(catalogue)
        },
    );
    let calm = seen.unwrap();
    world.see(|view| {
        view.portfolio = calm.portfolio;
        view.venues = calm.venues;
    });
    world
}

/// Changes what was heard of one venue.
pub(super) fn hear(world: &mut World, venue: usize, edit: impl FnOnce(&mut VenueFacts)) {
    world.see(|view| {
        let mut facts = (**view.venues[venue].as_ref().unwrap()).clone();
        edit(&mut facts);
        view.venues[venue] = Some(Arc::new(facts));
    });
}

/// The free balance of one asset.
pub(super) fn free(world: &mut World, venue: usize, asset: &str, amount: &str) {
    let asset = Asset::new(asset).unwrap();
    hear(world, venue, |facts| {
        for (known, balance) in &mut facts.balances {
            if *known == asset {
                balance.free = dec(amount);
            }
        }
    });
}

pub(super) fn margin(equity: &str, initial: &str, maintenance: &str) -> Option<MarginFacts> {
    Some(MarginFacts {
        equity: dec(equity),
        initial: dec(initial),
        maintenance: dec(maintenance),
    })
}

/// Moves time ahead and keeps the books and the view fresh.
pub(super) fn later(world: &mut World, span: Nanos) {
    world.now = world.now.after(span);
    freshen(world);
}

pub(super) fn freshen(world: &mut World) {
    let now = world.now;
    for id in [NORTH, SOUTH, PERP, EURO] {
        quote(&mut world.books, id, now, MID - 1, MID + 1);
    }
    quote(&mut world.books, ETHER, now, 299_999, 300_001);
    world.see(|_| {});
}

pub(super) fn at(span: Nanos) -> MonoNanos {
    START.after(span)
}

/// Sends a set with one change.
pub(super) fn send(world: &mut World, legs: &[Leg], edit: impl FnOnce(&mut Intent)) -> String {
    let mut intent = Intent::new(StrategyId(0), legs, world.now);
    edit(&mut intent);
    match world.gate.check_set(&intent, &world.books, world.now) {
        SetVerdict::Approved(_) => "ok".to_owned(),
        SetVerdict::Refused { refusal, .. } => refusal.code().to_owned(),
    }
}

/// A long position of one BTC at the first venue, and an order that reduces it.
pub(super) fn long(world: &mut World) -> Leg {
    world.own(NORTH, ONE);
    sell(ONE)
}

pub(super) const fn id(instrument: InstrumentId) -> usize {
    instrument.index()
}

pub(super) const fn qty(steps: i64) -> Qty {
    Qty(steps)
}

/// A new row cannot be added without a boundary test.
#[test]
fn every_code_has_a_boundary_test() {
    let proven: Vec<&str> = [
        older::PROVEN,
        state::PROVEN,
        market::PROVEN,
        capital::PROVEN,
        flow::PROVEN,
        unsent::PROVEN,
        whole::PROVEN,
    ]
    .concat();
    for row in Refusal::ROWS {
        assert!(
            proven.contains(&row.code),
            "{} {} has no boundary test in tests/risk/gate_rows/",
            row.row,
            row.code
        );
    }
    for code in &proven {
        assert!(
            Refusal::ROWS.iter().any(|row| row.code == *code),
            "{code} is no code"
        );
    }
    // 51 rows, of which PT-21 is five.
    for number in 1..=51 {
        let row = format!("PT-{number:02}");
        assert!(
            Refusal::ROWS
                .iter()
                .any(|known| known.row.starts_with(&row)),
            "{row} has no code"
        );
    }
}
