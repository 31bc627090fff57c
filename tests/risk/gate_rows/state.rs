//! E: state gates.

use arbalest::risk::{Amount, Permits, Spent, StrategyPermit};
use arbalest::trade::{DeadMan, JournalFacts, StrategyId, TimeInForce};
use arbalest::units::{Nanos, Notional, Side};

use super::*;

pub(super) const PROVEN: Proven = &[
    "NOT_PERMITTED",
    "LOSS_LIMIT",
    "JOURNAL_UNAVAILABLE",
    "JOURNAL_LAG",
    "FACT_MISSING",
    "VENUE_NOT_READY",
    "STREAM_RECONCILING",
    "SESSION_TOO_OLD",
    "CLOCK_OFFSET",
    "CLOCK_STEPPED",
    "DEADMAN_NOT_ARMED",
    "ACCOUNT_STALE",
    "CALENDAR_GUARD",
];

#[test]
fn all_that_was_heard_is_good() {
    let mut world = heard(|_| {});
    assert_eq!(world.order(buy(1)), "ok");
    assert_eq!(world.order(leg(PERP, Side::Sell, 1)), "ok");
}

/// PT-49: the instrument, and the value of a leg at its limit price.
#[test]
fn pt49_permission() {
    let permits = |_: &Catalogue| Permits {
        strategies: vec![StrategyPermit {
            strategy: StrategyId(0),
            instruments: vec![NORTH],
            // 1,000 at eight decimals of price times quantity.
            order_notional_max: Some(Notional(1_000 * 100_000_000)),
        }],
        taker_fees: Vec::new(),
    };
    let mut world = heard_with(|_| {}, |_| {}, |_| {}, permits);
    for (price, expected) in [
        (5_000_000, "ok"),
        (5_000_001, "NOT_PERMITTED"),
        (4_999_999, "ok"),
    ] {
        assert_eq!(
            world.order(at_price(NORTH, Side::Buy, 20_000, price)),
            expected,
            "{price}"
        );
    }
    assert_eq!(
        world.order(leg(SOUTH, Side::Buy, 1)),
        "NOT_PERMITTED",
        "another instrument"
    );
    let other = send(&mut world, &[buy(1)], |intent| {
        intent.strategy = StrategyId(1);
    });
    assert_eq!(other, "NOT_PERMITTED", "another strategy");
    let beyond = send(&mut world, &[buy(1)], |intent| {
        intent.strategy = StrategyId(200);
    });
    assert_eq!(beyond, "KILL_HALT", "a strategy that cannot be");
}

/// PT-50: the monitor says when a budget is spent; reducing orders pass.
#[test]
fn pt50_loss_budget() {
    let spent = Some(Spent {
        value: Amount::new(100_001, 2),
        limit: Amount::new(100_000, 2),
    });
    for scope in 0..2 {
        let mut world = heard(|_| {});
        let way_out = long(&mut world);
        assert_eq!(world.order(buy(1)), "ok", "within the budget");
        world.see(|view| match scope {
            0 => view.instruments[id(NORTH)].loss = spent,
            _ => view.strategies[0].loss = spent,
        });
        assert_eq!(
            world.refusal(buy(1)).to_string(),
            "LOSS_LIMIT loss=1000.01 loss_max=1000"
        );
        assert_eq!(world.order(way_out), "ok", "reducing");
    }
}

#[test]
fn pt47_journal() {
    let world = |journal: Option<JournalFacts>| {
        let mut world = heard(|own| {
            own.journal_lag_max = Nanos::from_millis(50);
            own.disk_free_bytes_min = 1_000;
        });
        let way_out = long(&mut world);
        world.see(|view| view.portfolio.journal = journal);
        let reducing = world.order(way_out);
        (world.order(buy(1)), reducing)
    };
    let facts = |lag: u64, free: u64, failed: bool| {
        Some(JournalFacts {
            lag: Nanos(lag),
            failed,
            disk_free_bytes: Some(free),
        })
    };
    for (lag, expected) in [
        (49_999_999, "ok"),
        (50_000_000, "ok"),
        (50_000_001, "JOURNAL_LAG"),
    ] {
        assert_eq!(
            world(facts(lag, 1_000, false)),
            (expected, expected),
            "{lag}: reducing orders too"
        );
    }
    for (bytes, expected) in [(1_001, "ok"), (1_000, "ok"), (999, "JOURNAL_UNAVAILABLE")] {
        assert_eq!(world(facts(0, bytes, false)), (expected, expected));
    }
    assert_eq!(
        world(facts(0, 1_000_000, true)).1,
        "JOURNAL_UNAVAILABLE",
        "it failed"
    );
    assert_eq!(world(None), ("FACT_MISSING", "ok"), "never heard");
}

#[test]
fn pt43_readiness_and_the_age_of_a_session() {
    for (age, expected) in [
        (4_999_999_999, "ok"),
        (5_000_000_000, "ok"),
        (5_000_000_001, "SESSION_TOO_OLD"),
    ] {
        let mut world = heard(|own| own.session_age_max = Nanos::from_secs(5));
        later(&mut world, Nanos(age));
        assert_eq!(world.order(buy(1)), expected, "{age}");
        let way_out = long(&mut world);
        assert_eq!(world.order(way_out), "ok", "reducing");
    }
    let mut world = heard(|_| {});
    hear(&mut world, 0, |facts| facts.ready = false);
    assert_eq!(world.order(buy(1)), "VENUE_NOT_READY");
    assert_eq!(
        world.order(leg(SOUTH, Side::Buy, 1)),
        "ok",
        "another venue is"
    );
    let way_out = long(&mut world);
    assert_eq!(world.order(way_out), "ok", "reducing");
    let mut world = heard(|_| {});
    hear(&mut world, 0, |facts| facts.reconciled_at = None);
    assert_eq!(world.order(buy(1)), "STREAM_RECONCILING");
    let way_out = long(&mut world);
    assert_eq!(world.order(way_out), "ok", "reducing");
}

#[test]
fn what_was_never_heard_refuses_where_facts_are_required() {
    type Edit = fn(&mut RiskView);
    fn facts(view: &mut RiskView, edit: impl FnOnce(&mut VenueFacts)) {
        let mut own = (**view.venues[2].as_ref().unwrap()).clone();
        edit(&mut own);
        view.venues[2] = Some(Arc::new(own));
    }
    let rows: [(&str, Edit); 9] = [
        ("venue", |view| view.venues[2] = None),
        ("venues", |view| view.venues.clear()),
        ("session_started_at", |view| {
            facts(view, |own| own.session_started_at = None);
        }),
        ("clock_offset_ns", |view| {
            facts(view, |own| own.clock_offset_ns = None);
        }),
        ("rules_loaded_at", |view| {
            facts(view, |own| own.rules_loaded_at = None);
        }),
        ("balances", |view| facts(view, |own| own.balances.clear())),
        ("margin", |view| facts(view, |own| own.margin = None)),
        ("equity", |view| view.portfolio.equity = None),
        ("journal", |view| view.portfolio.journal = None),
    ];
    for (fact, edit) in rows {
        for (required, expected) in [(true, "FACT_MISSING"), (false, "ok")] {
            let mut world = heard(|own| own.facts_required = required);
            world.see(edit);
            assert_eq!(
                world.order(leg(PERP, Side::Buy, ONE)),
                expected,
                "{fact}, required {required}"
            );
            world.own(PERP, ONE);
            world.see(edit);
            assert_eq!(
                world.order(leg(PERP, Side::Sell, 1)),
                "ok",
                "{fact}: reducing"
            );
        }
    }
}

#[test]
fn pt44_clock() {
    for (offset, expected) in [
        (249_999_999, "ok"),
        (250_000_000, "ok"),
        (250_000_001, "CLOCK_OFFSET"),
        (-250_000_000, "ok"),
        (-250_000_001, "CLOCK_OFFSET"),
    ] {
        let mut world = heard(|own| own.clock_offset_max = Nanos::from_millis(250));
        hear(&mut world, 0, |facts| facts.clock_offset_ns = Some(offset));
        assert_eq!(world.order(buy(1)), expected, "{offset}");
        let way_out = long(&mut world);
        assert_eq!(world.order(way_out), "ok", "reducing");
    }
    for (age, expected) in [
        (9_999_999_999, "CLOCK_STEPPED"),
        (10_000_000_000, "ok"),
        (10_000_000_001, "ok"),
    ] {
        let mut world = heard(|own| own.clock_step_quiet = Nanos::from_secs(10));
        hear(&mut world, 0, |facts| facts.clock_stepped_at = Some(START));
        later(&mut world, Nanos(age));
        assert_eq!(world.order(buy(1)), expected, "{age}");
        let way_out = long(&mut world);
        assert_eq!(world.order(way_out), "ok", "reducing");
    }
}

/// PT-45: only resting orders, reducing or not; the shorter of both windows counts.
#[test]
fn pt45_dead_man() {
    let rest = |world: &mut World, leg: Leg| {
        send(world, &[leg], |intent| {
            intent.time_in_force = TimeInForce::GoodTillCancel;
        })
    };
    for (own, venues, age, expected) in [
        (60, 90, 59_999_999_999, "ok"),
        (60, 90, 60_000_000_000, "ok"),
        (60, 90, 60_000_000_001, "DEADMAN_NOT_ARMED"),
        (60, 30, 30_000_000_000, "ok"),
        (60, 30, 30_000_000_001, "DEADMAN_NOT_ARMED"),
    ] {
        let mut world = heard(|limits| limits.deadman_window = Nanos::from_secs(own));
        hear(&mut world, 0, |facts| {
            facts.dead_man = DeadMan::Armed {
                refreshed_at: START,
                window: Nanos::from_secs(venues),
            };
        });
        later(&mut world, Nanos(age));
        assert_eq!(rest(&mut world, buy(1)), expected, "{age}");
        assert_eq!(
            world.order(buy(1)),
            "ok",
            "an immediate order leaves nothing"
        );
    }
    for state in [DeadMan::Off, DeadMan::Unsupported] {
        let mut world = heard(|_| {});
        let way_out = long(&mut world);
        hear(&mut world, 0, |facts| facts.dead_man = state);
        assert_eq!(rest(&mut world, way_out), "DEADMAN_NOT_ARMED");
    }
}

#[test]
fn pt46_reconciled() {
    for (age, expected) in [
        (59_999_999_999, "ok"),
        (60_000_000_000, "ok"),
        (60_000_000_001, "ACCOUNT_STALE"),
    ] {
        let mut world = heard(|own| own.recon_age_max = Nanos::from_secs(60));
        later(&mut world, Nanos(age));
        assert_eq!(world.order(buy(1)), expected, "{age}");
        let way_out = long(&mut world);
        assert_eq!(world.order(way_out), "ok", "reducing");
    }
}

/// PT-51: funding on both sides of its instant, halts before it and after.
#[test]
fn pt51_calendar() {
    let second = 1_000_000_000_u64;
    let event = START.0 + 1_000 * second;
    for (now, expected) in [
        (event - 5 * second, "ok"),
        (event - 5 * second - 1, "ok"),
        (event - 5 * second + 1, "CALENDAR_GUARD"),
        (event + 5 * second, "ok"),
        (event + 5 * second - 1, "CALENDAR_GUARD"),
        (event + 5 * second + 1, "ok"),
    ] {
        let mut world = heard(|own| own.funding_guard = Nanos::from_secs(5));
        world.now = MonoNanos(now);
        freshen(&mut world);
        world.see(|view| view.instruments[0].next_event_at = Some(MonoNanos(event)));
        assert_eq!(world.order(buy(1)), expected, "{now}");
        let way_out = long(&mut world);
        assert_eq!(world.order(way_out), "ok", "reducing");
    }
    for kind in 0..2 {
        for (now, expected) in [
            (event - 300 * second, "ok"),
            (event - 300 * second - 1, "ok"),
            (event - 300 * second + 1, "CALENDAR_GUARD"),
            (event + 900 * second, "CALENDAR_GUARD"),
        ] {
            let mut world = heard(|own| own.maintenance_guard = Nanos::from_secs(300));
            world.now = MonoNanos(now);
            freshen(&mut world);
            if kind == 0 {
                hear(&mut world, 0, |facts| {
                    facts.maintenance_at = Some(MonoNanos(event));
                });
            } else {
                world.see(|view| view.instruments[0].halts_at = Some(MonoNanos(event)));
            }
            assert_eq!(world.order(buy(1)), expected, "{kind} {now}");
            let way_out = long(&mut world);
            assert_eq!(world.order(way_out), "ok", "reducing");
        }
    }
}
