//! D: budget, bans, repetition, unknown and unacknowledged orders, ratios; what a refusal raises.

use arbalest::risk::{KillLevel, OrderFlow, OrderWindow, RaiseScope};
use arbalest::trade::OrderFacts;
use arbalest::units::{Ppm, Side};

use super::*;

pub(super) const PROVEN: Proven = &[
    "VENUE_BUDGET",
    "VENUE_BANNED",
    "REPEAT_EXECUTION",
    "DUPLICATE_INTENT",
    "UNKNOWN_ORDER_PENDING",
    "IN_FLIGHT_MAX",
    "ORDER_TO_TRADE",
];

#[test]
fn pt35_budget() {
    for (used, expected) in [(700_000, "ok"), (699_999, "ok"), (700_001, "VENUE_BUDGET")] {
        let mut world = heard(|own| own.venue_budget_reserve = Ppm(300_000));
        hear(&mut world, 0, |facts| facts.weight_used = Ppm(used));
        assert_eq!(world.order(buy(1)), expected, "{used}");
        let way_out = long(&mut world);
        assert_eq!(world.order(way_out), "ok", "reducing");
    }
}

/// PT-36: nothing at all, and K1 on the venue.
#[test]
fn pt36_ban() {
    for (until, expected) in [
        (START.0, "ok"),
        (START.0 + 1, "VENUE_BANNED"),
        (START.0 - 1, "ok"),
    ] {
        let mut world = heard(|_| {});
        let way_out = long(&mut world);
        hear(&mut world, 0, |facts| {
            facts.banned_until = Some(MonoNanos(until));
        });
        assert_eq!(world.order(way_out), expected, "{until}: reducing too");
        assert_eq!(world.order(buy(1)), expected, "{until}");
        assert_eq!(world.order(leg(SOUTH, Side::Buy, 1)), "ok");
    }
    let mut world = heard(|_| {});
    hear(&mut world, 0, |facts| {
        facts.banned_until = Some(at(Nanos::from_secs(1)));
    });
    assert_eq!(
        world.refusal(buy(1)).raises(),
        Some((KillLevel::ReduceOnly, RaiseScope::Venue))
    );
}

/// PT-37: the count, its window, its key; and K1 on the strategy.
#[test]
fn pt37_repeated_execution() {
    let world = || {
        heard(|own| {
            own.repeat_exec_max = 2;
            own.repeat_exec_window = Nanos::from_secs(60);
        })
    };
    let mut again = world();
    assert_eq!([(); 2].map(|()| again.order(buy(1))), ["ok"; 2]);
    assert_eq!(again.order(sell(1)), "ok", "another side");
    assert_eq!(again.order(leg(SOUTH, Side::Buy, 1)), "ok", "another venue");
    let other = send(&mut again, &[buy(1)], |intent| {
        intent.strategy = StrategyId(1);
    });
    assert_eq!(other, "ok", "another strategy");
    assert_eq!(again.repair(buy(1)), "ok", "a repair");
    let refusal = again.refusal(buy(1));
    assert_eq!(
        refusal.to_string(),
        "REPEAT_EXECUTION orders=3 orders_max=2"
    );
    assert_eq!(
        refusal.raises(),
        Some((KillLevel::ReduceOnly, RaiseScope::Strategy))
    );
    for (age, expected) in [
        (59_999_999_999, "REPEAT_EXECUTION"),
        (60_000_000_000, "ok"),
        (60_000_000_001, "ok"),
    ] {
        let mut world = world();
        assert_eq!([(); 2].map(|()| world.order(buy(1))), ["ok"; 2]);
        later(&mut world, Nanos(age));
        assert_eq!(world.order(buy(1)), expected, "{age}");
    }
    let mut refused = world();
    for _ in 0..5 {
        let told = send(
            &mut refused,
            &[buy(1), leg(InstrumentId(99), Side::Sell, 1)],
            |_| {},
        );
        assert_eq!(told, "INSTRUMENT_UNKNOWN", "a refused set does not count");
    }
}

#[test]
fn pt38_duplicates() {
    let world = || heard(|own| own.dup_intent_window = Nanos::from_millis(250));
    for (age, expected) in [
        (249_999_999, "DUPLICATE_INTENT"),
        (250_000_000, "ok"),
        (250_000_001, "ok"),
    ] {
        let mut world = world();
        assert_eq!(world.order(buy(5)), "ok");
        assert_eq!(world.order(buy(6)), "ok", "another quantity");
        later(&mut world, Nanos(age));
        assert_eq!(world.order(buy(5)), expected, "{age}");
    }
    let mut differs = world();
    assert_eq!(differs.order(buy(5)), "ok");
    assert_eq!(differs.order(sell(5)), "ok", "another side");
    assert_eq!(
        differs.order(at_price(NORTH, Side::Buy, 5, MID - 1)),
        "ok",
        "another price"
    );
    assert_eq!(differs.order(leg(SOUTH, Side::Buy, 5)), "ok");
    let other = send(&mut differs, &[buy(5)], |intent| {
        intent.strategy = StrategyId(1);
    });
    assert_eq!(other, "ok", "another strategy");
    assert_eq!(differs.repair(buy(5)), "ok", "a repair may come again");
    let mut refused = world();
    let legs = [buy(5), leg(InstrumentId(99), Side::Sell, 1)];
    assert_eq!(send(&mut refused, &legs, |_| {}), "INSTRUMENT_UNKNOWN");
    assert_eq!(refused.order(buy(5)), "ok", "a refused one was never sent");
}

/// PT-39: in the instrument, or in any leg of the set.
#[test]
fn pt39_unknown_orders() {
    for (unknown, expected) in [
        (0, "ok"),
        (1, "ok"),
        (2, "UNKNOWN_ORDER_PENDING"),
        (3, "UNKNOWN_ORDER_PENDING"),
    ] {
        let mut world = heard(|own| own.unknown_orders_max = 2);
        world.see(|view| view.instruments[id(PERP)].unknown_orders = unknown);
        assert_eq!(world.order(leg(PERP, Side::Buy, 1)), expected, "{unknown}");
        let pair = [buy(1), leg(PERP, Side::Sell, 1)];
        assert_eq!(send(&mut world, &pair, |_| {}), expected, "{unknown}");
        assert_eq!(world.order(buy(1)), "ok", "elsewhere");
        world.own(PERP, ONE);
        assert_eq!(world.order(leg(PERP, Side::Sell, 1)), "ok", "reducing");
    }
}

/// PT-40: what the view counts and what was approved since it was made.
#[test]
fn pt40_in_flight() {
    for (told, expected) in [(2, "ok"), (3, "ok"), (4, "IN_FLIGHT_MAX")] {
        let mut world = heard(|own| own.inflight_max = 4);
        world.see(|view| view.instruments[0].inflight_orders = told);
        assert_eq!(world.order(buy(1)), expected, "{told}");
        assert_eq!(world.order(leg(SOUTH, Side::Buy, 1)), "ok", "elsewhere");
        let way_out = long(&mut world);
        assert_eq!(world.order(way_out), "ok", "reducing");
    }
    let mut own = heard(|own| own.inflight_max = 2);
    assert_eq!(
        [(); 3].map(|()| own.order(buy(1))),
        ["ok", "ok", "IN_FLIGHT_MAX"]
    );
    own.now = at(Nanos(1));
    own.see(|_| {});
    assert_eq!(own.order(buy(1)), "ok", "the newer view knows better");
}

/// X11: 100 placed, 2 executed is 0.98; and the number of orders from which it is judged.
#[test]
fn pt41_ratios() {
    let flow = |placed: u64, executed: u64, immediate: u64, expired: u64, dust: u64| OrderFlow {
        placed,
        executed,
        immediate,
        expired,
        dust,
    };
    for (flow, guard, least, expected) in [
        (flow(100, 2, 0, 0, 0), 980_000, 0, "ok"),
        (flow(100, 2, 0, 0, 0), 979_999, 0, "ORDER_TO_TRADE"),
        (flow(100, 2, 0, 0, 0), 980_001, 0, "ok"),
        (flow(100, 2, 0, 0, 0), 950_000, 100, "ok"),
        (flow(100, 2, 0, 0, 0), 950_000, 99, "ORDER_TO_TRADE"),
        (flow(0, 0, 20, 19, 0), 950_000, 0, "ok"),
        (flow(0, 0, 20, 19, 0), 949_999, 0, "ORDER_TO_TRADE"),
        (flow(0, 0, 20, 19, 0), 900_000, 20, "ok"),
        (flow(0, 0, 20, 19, 0), 900_000, 19, "ORDER_TO_TRADE"),
        (flow(10, 10, 0, 0, 8), 800_000, 0, "ok"),
        (flow(10, 10, 0, 0, 8), 799_999, 0, "ORDER_TO_TRADE"),
        (flow(0, 0, 0, 0, 0), 0, 0, "ok"),
    ] {
        let mut world = heard(|own| {
            own.ufr_guard = Ppm(guard);
            own.ifer_guard = Ppm(guard);
            own.dust_ratio_guard = Ppm(guard);
            own.ufr_orders_min = least;
            own.ifer_orders_min = least;
        });
        world.see(|view| view.instruments[0].order_flow = Some(flow));
        assert_eq!(world.order(buy(1)), expected, "{flow:?} {guard} {least}");
        let way_out = long(&mut world);
        assert_eq!(world.order(way_out), "ok", "reducing");
    }
}

/// The window's counts from cumulative ones: ten minutes, then what is older is forgotten; a new session begins anew.
#[test]
fn ten_minutes_of_orders() {
    let facts = |submitted, rejected, executed| OrderFacts {
        instrument: NORTH,
        open: 0,
        unknown: 0,
        inflight: 0,
        inflight_since: None,
        cancel_since: None,
        submitted,
        rejected,
        executed,
        immediate_since: None,
        rejected_run: 0,
    };
    let minute = |count: u64| at(Nanos::from_secs(60 * count));
    let mut window = OrderWindow::default();
    let flow = window.on_orders(&facts(105, 5, 2), minute(0));
    let expected = OrderFlow {
        placed: 100,
        executed: 2,
        immediate: 100,
        expired: 98,
        dust: 0,
    };
    assert_eq!(flow, expected);
    let flow = window.on_orders(&facts(115, 5, 12), minute(9));
    assert_eq!((flow.placed, flow.executed), (110, 12));
    let flow = window.flow(minute(11));
    assert_eq!(
        (flow.placed, flow.executed),
        (10, 10),
        "the first hundred are older"
    );
    assert_eq!(window.flow(minute(30)).placed, 0, "all are");
    let flow = window.on_orders(&facts(3, 0, 1), minute(31));
    assert_eq!((flow.placed, flow.executed), (3, 1), "a new session");
}
