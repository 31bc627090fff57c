//! Each row of the gate at its boundary, one above and one below; holds, sets, repairs; no allocation.

use arbalest::market::{EventKind, InstrumentId, InstrumentStatus, TrustCause};
use arbalest::risk::{KillLevel, Refusal, SetVerdict};
use arbalest::trade::{ApprovalSeq, Intent, StrategyId};
use arbalest::units::{MonoNanos, Nanos, Ppm, Price, Qty, Side};

use super::support::*;

#[test]
fn pt42_levels_leave_only_what_they_allow() {
    for (level, reducing, increasing) in [
        (KillLevel::Armed, "ok", "ok"),
        (KillLevel::ReduceOnly, "ok", "KILL_REDUCE_ONLY"),
        (KillLevel::CancelAll, "KILL_CANCEL_ALL", "KILL_CANCEL_ALL"),
        (KillLevel::Flatten, "KILL_FLATTEN", "KILL_FLATTEN"),
        (KillLevel::Halt, "KILL_HALT", "KILL_HALT"),
    ] {
        for scope in 0..3 {
            let mut world = World::new();
            world.own(NORTH, 3 * ONE);
            world.see(|view| match scope {
                0 => view.portfolio.level = level,
                1 => view.instruments[0].level = level,
                _ => view.strategies[0].level = level,
            });
            assert_eq!(world.order(buy(1)), increasing, "{level:?} {scope}");
            assert_eq!(world.order(sell(ONE)), reducing, "{level:?} {scope}");
        }
    }
}

/// PT-27 at K1: one step more than what is left to reduce is refused, holds counted, and so is the wrong side.
#[test]
fn pt27_reducing_never_overshoots() {
    for (position, side, wrong) in [
        (3 * ONE, Side::Sell, Side::Buy),
        (-3 * ONE, Side::Buy, Side::Sell),
    ] {
        let mut world = World::new();
        world.own(NORTH, position);
        world.see(|view| view.portfolio.level = KillLevel::ReduceOnly);
        assert_eq!(
            world.order(leg(NORTH, side, 3 * ONE + 1)),
            "KILL_REDUCE_ONLY"
        );
        assert_eq!(world.order(leg(NORTH, wrong, 1)), "KILL_REDUCE_ONLY");
        assert_eq!(world.order(leg(NORTH, side, 2 * ONE)), "ok");
        assert_eq!(
            world.order(leg(NORTH, side, ONE + 1)),
            "KILL_REDUCE_ONLY",
            "two are held"
        );
        assert_eq!(world.order(leg(NORTH, side, ONE)), "ok");
        assert_eq!(
            world.order(leg(NORTH, side, 1)),
            "KILL_REDUCE_ONLY",
            "all is held"
        );
    }
}

#[test]
fn pt46_the_view_must_be_there_and_fresh() {
    let mut world = World::new();
    world.own(NORTH, ONE);
    world.now = START.after(Nanos::from_millis(500));
    world.see(|_| {});
    for (age, expected) in [
        (1_999_999_999, "ok"),
        (2_000_000_000, "ok"),
        (2_000_000_001, "RISK_VIEW_STALE"),
    ] {
        world.now = START.after(Nanos(500_000_000 + age));
        quote(&mut world.books, NORTH, world.now, MID - 1, MID + 1);
        assert_eq!(world.order(buy(1)), expected, "{age}");
        assert_eq!(world.order(sell(1)), "ok", "reducing");
    }
    let mut blind = World::new();
    blind.see(|view| view.instruments.truncate(3));
    assert_eq!(
        blind.order(buy(1)),
        "RISK_VIEW_MISSING",
        "a view that lacks an instrument"
    );
    let mut strange = World::new();
    strange.see(|view| view.strategies.clear());
    assert_eq!(
        strange.order(buy(1)),
        "KILL_HALT",
        "a strategy nobody knows"
    );
}

#[test]
fn a_gate_without_a_view_refuses() {
    let all = catalogue(instruments());
    let world = World::new();
    let mut gate = arbalest::risk::Gate::new(
        std::sync::Arc::new(limits()),
        all.clone(),
        usdt(),
        &arbalest::risk::Permits::everything(&all),
    );
    let verdict = gate.check_set(
        &Intent::new(StrategyId(0), &[buy(1)], START),
        &world.books,
        START,
    );
    assert!(
        matches!(verdict, SetVerdict::Refused { refusal, .. } if refusal.code() == "RISK_VIEW_MISSING")
    );
}

#[test]
fn pt01_unknown_or_not_trading() {
    let mut world = World::new();
    assert_eq!(
        world.order(leg(InstrumentId(99), Side::Buy, 1)),
        "INSTRUMENT_UNKNOWN"
    );
    for (status, expected) in [
        (InstrumentStatus::Trading, "ok"),
        (InstrumentStatus::CancelOnly, "INSTRUMENT_NOT_TRADING"),
        (InstrumentStatus::Halted, "INSTRUMENT_NOT_TRADING"),
    ] {
        let mut world = World::with(|_| {}, |all| all[0].status = status);
        assert_eq!(world.order(buy(1)), expected);
    }
}

#[test]
fn pt03_fields_are_above_zero() {
    let mut world = World::new();
    for (qty, price, expected) in [
        (1, 1, "ok"),
        (0, MID, "ORDER_FIELD_INVALID"),
        (-1, MID, "ORDER_FIELD_INVALID"),
        (1, 0, "ORDER_FIELD_INVALID"),
        (1, -1, "ORDER_FIELD_INVALID"),
    ] {
        assert_eq!(
            world.order(at_price(NORTH, Side::Buy, qty, price)),
            expected,
            "{qty} at {price}"
        );
    }
}

#[test]
fn pt04_prices_on_tick_and_within_the_filter() {
    let shape = |all: &mut Vec<arbalest::market::Instrument>| {
        all[0].tick = Price(50);
        all[0].price_min = Price(5_000_000);
        all[0].price_max = Some(Price(7_000_000));
    };
    let mut world = World::with(|_| {}, shape);
    for (price, expected) in [
        (MID, "ok"),
        (MID + 1, "PRICE_OFF_TICK"),
        (MID - 1, "PRICE_OFF_TICK"),
        (5_000_000, "ok"),
        (4_999_950, "PRICE_OUTSIDE_FILTER"),
        (5_000_050, "ok"),
        (7_000_000, "ok"),
        (7_000_050, "PRICE_OUTSIDE_FILTER"),
        (6_999_950, "ok"),
    ] {
        assert_eq!(
            world.order(at_price(NORTH, Side::Buy, 1, price)),
            expected,
            "{price}"
        );
    }
}

#[test]
fn pt05_pt06_quantities_on_lot_and_within_bounds() {
    let shape = |all: &mut Vec<arbalest::market::Instrument>| {
        all[0].lot = Qty(100);
        all[0].qty_min = Qty(300);
        all[0].qty_max = Qty(900);
    };
    let mut world = World::with(|_| {}, shape);
    for (qty, expected) in [
        (500, "ok"),
        (501, "QTY_OFF_LOT"),
        (499, "QTY_OFF_LOT"),
        (300, "ok"),
        (200, "QTY_BELOW_MIN"),
        (400, "ok"),
        (900, "ok"),
        (1_000, "QTY_ABOVE_MAX"),
        (800, "ok"),
    ] {
        assert_eq!(world.order(buy(qty)), expected, "{qty}");
    }
}

/// PT-07: an immediate order is tested at R(1 - x) for the minimum and at R(1 + x) for the maximum.
#[test]
fn pt07_venue_notional_bounds_include_the_protection() {
    let mut exact = World::with(|_| {}, |all| all[0].notional_min = dec("12"));
    for (qty, expected) in [(200, "ok"), (199, "NOTIONAL_BELOW_MIN"), (201, "ok")] {
        assert_eq!(exact.order(buy(qty)), expected, "{qty} x 60,000 against 12");
    }
    // Limit 1 % away: 59,400 counts. Minimum 10 plus 50 bps is 10.05: 0.000169 x 59,400 = 10.0386, 0.00017 is 10.098.
    let mut margin = World::with(
        |own| own.notional_margin = Ppm::from_bps(50),
        |all| all[0].notional_min = dec("10"),
    );
    for (qty, price, expected) in [
        (169, 6_060_000, "NOTIONAL_BELOW_MIN"),
        (170, 6_060_000, "ok"),
        (169, MID, "ok"),
        (170, 5_940_000, "ok"),
        (169, 5_940_000, "NOTIONAL_BELOW_MIN"),
    ] {
        let side = if price > MID { Side::Buy } else { Side::Sell };
        assert_eq!(
            margin.order(at_price(NORTH, side, qty, price)),
            expected,
            "{qty} at {price}"
        );
    }
    for (max, expected) in [
        ("606", "ok"),
        ("605.99", "NOTIONAL_ABOVE_VENUE_MAX"),
        ("606.01", "ok"),
    ] {
        for (side, price) in [(Side::Buy, 6_060_000), (Side::Sell, 5_940_000)] {
            let mut world = World::with(|_| {}, |all| all[0].notional_max = Some(dec(max)));
            assert_eq!(
                world.order(at_price(NORTH, side, 10_000, price)),
                expected,
                "{side} {max}"
            );
        }
    }
}

#[test]
fn values_need_the_reporting_currency() {
    let mut world = World::new();
    assert_eq!(world.order(leg(EURO, Side::Buy, 1)), "CONVERSION_MISSING");
    world.own(EURO, 1);
    assert_eq!(
        world.order(buy(1)),
        "POSITION_UNPRICED",
        "no total is known"
    );
    world.own(NORTH, ONE);
    assert_eq!(world.order(sell(1)), "ok", "reducing");
}

#[test]
fn pt12_the_reference_is_there_and_fresh() {
    for (age, expected) in [
        (999_999_999, "ok"),
        (1_000_000_000, "ok"),
        (1_000_000_001, "REF_PRICE_STALE"),
    ] {
        let mut world = World::new();
        world.own(NORTH, ONE);
        world.now = START.after(Nanos(age));
        assert_eq!(world.order(buy(1)), expected, "{age}");
        assert_eq!(world.order(sell(1)), "ok", "reducing orders skip it");
    }
    let mut world = World::new();
    world.own(NORTH, ONE);
    apply(&mut world.books, NORTH, START, &[EventKind::Clear]);
    assert_eq!(world.order(buy(1)), "REF_PRICE_MISSING");
    assert_eq!(world.order(sell(1)), "ok");
}

#[test]
fn pt13_the_book_is_usable() {
    let mut world = World::new();
    apply(
        &mut world.books,
        NORTH,
        START,
        &[level(Side::Sell, MID + 1, 0)],
    );
    assert_eq!(world.order(buy(1)), "BOOK_ONE_SIDED");
    for (age, expected) in [
        (99_999_999, "BOOK_OUT_OF_SYNC"),
        (100_000_000, "BOOK_OUT_OF_SYNC"),
        (100_000_001, "BOOK_CROSSED"),
    ] {
        let mut world = World::new();
        apply(
            &mut world.books,
            NORTH,
            START,
            &[level(Side::Buy, MID + 1, 1)],
        );
        world.now = START.after(Nanos(age));
        assert_eq!(world.order(buy(1)), expected, "locked for {age}");
        world.own(NORTH, ONE);
        assert_eq!(world.order(sell(1)), "ok", "reducing");
    }
    let mut world = World::new();
    apply(
        &mut world.books,
        NORTH,
        START,
        &[EventKind::Distrust {
            cause: TrustCause::SequenceGap,
        }],
    );
    assert_eq!(world.order(buy(1)), "BOOK_OUT_OF_SYNC");
    // 600 of 60,000 is exactly 100 bps.
    for (bid, ask, expected) in [
        (5_970_000, 6_030_000, "ok"),
        (5_969_999, 6_030_001, "SPREAD_TOO_WIDE"),
        (5_970_001, 6_029_999, "ok"),
    ] {
        let mut world = World::new();
        quote(&mut world.books, NORTH, START, bid, ask);
        assert_eq!(world.order(buy(1)), expected, "{bid} / {ask}");
    }
}

#[test]
fn pt18_order_quantity() {
    let mut world = World::with(
        |own| own.instruments[0].as_mut().unwrap().order_qty_max = Qty(500),
        |_| {},
    );
    for (qty, expected) in [(500, "ok"), (501, "ORDER_QTY_MAX"), (499, "ok")] {
        assert_eq!(world.order(buy(qty)), expected);
    }
    let mut bare = World::with(|own| own.instruments[0] = None, |_| {});
    assert_eq!(bare.order(buy(1)), "LIMIT_MISSING");
}

/// X07, and the price that counts: the higher of limit and reference for a buy, the reference for a sale.
#[test]
fn pt19_order_notional() {
    let capped = || World::with(|own| own.order_notional_usd_max = dec("10000"), |_| {});
    let mut world = capped();
    assert_eq!(world.order(buy(166_666)), "ok", "9,999.96");
    let refusal = world.refusal(buy(166_667));
    assert_eq!(
        refusal.to_string(),
        "ORDER_NOTIONAL_MAX notional=10000.02 notional_max=10000"
    );
    assert_eq!(
        World::with(|own| own.order_notional_usd_max = dec("9999.96"), |_| {}).order(buy(166_666)),
        "ok",
        "equal"
    );
    for (side, price, expected) in [
        (Side::Buy, 6_000_025, "ORDER_NOTIONAL_MAX"),
        (Side::Buy, 6_000_024, "ok"),
        (Side::Buy, 5_000_000, "ok"),
        (Side::Sell, 6_000_025, "ok"),
        (Side::Sell, 5_000_000, "ok"),
    ] {
        assert_eq!(
            capped().order(at_price(NORTH, side, 166_666, price)),
            expected,
            "{side} at {price}"
        );
    }
}

/// V39: the worst case counts what is pending on each side alone.
#[test]
fn pt20_worst_case_position() {
    let set = || {
        let mut world = World::with(
            |own| own.instruments[0].as_mut().unwrap().position_qty_max = Qty(6 * ONE),
            |_| {},
        );
        world.own(NORTH, 3 * ONE);
        assert_eq!(world.order(buy(2 * ONE)), "ok");
        assert_eq!(world.order(sell(7 * ONE)), "ok");
        world
    };
    assert_eq!(
        set().refusal(sell(3 * ONE)).to_string(),
        "POSITION_LIMIT position=7 position_max=6",
        "the position alone would have passed"
    );
    for (qty, expected) in [
        (2 * ONE, "ok"),
        (2 * ONE + 1, "POSITION_LIMIT"),
        (2 * ONE - 1, "ok"),
    ] {
        assert_eq!(set().order(sell(qty)), expected, "{qty}");
    }
    let mut over = World::with(
        |own| own.instruments[0].as_mut().unwrap().position_qty_max = Qty(6 * ONE),
        |_| {},
    );
    over.own(NORTH, 9 * ONE);
    assert_eq!(over.order(buy(1)), "POSITION_LIMIT");
    assert_eq!(
        over.order(sell(ONE)),
        "ok",
        "a worst case that does not grow passes above the limit"
    );
}

/// Every scope of PT-21 with a limit of 60,000 = one BTC: equal passes, one step more is refused.
#[test]
fn pt21_scopes_at_their_limits() {
    type Edit = fn(&mut arbalest::risk::Limits);
    let rows: [(&str, Edit, InstrumentId); 5] = [
        (
            "NOTIONAL_LIMIT_SYMBOL",
            |own| own.notional_usd_max_symbol = dec("60000"),
            SOUTH,
        ),
        (
            "NOTIONAL_LIMIT_VENUE",
            |own| own.notional_usd_max_venue = dec("60000"),
            ETHER,
        ),
        (
            "NOTIONAL_LIMIT_ASSET",
            |own| own.notional_usd_max_asset_net = dec("60000"),
            PERP,
        ),
        (
            "NOTIONAL_LIMIT_GROSS",
            |own| own.notional_usd_max_gross = dec("60000"),
            PERP,
        ),
        (
            "NOTIONAL_LIMIT_NET",
            |own| own.notional_usd_max_net = dec("60000"),
            ETHER,
        ),
    ];
    for (code, edit, other) in rows {
        for (qty, expected) in [(ONE, "ok"), (ONE + 1, code), (ONE - 1, "ok")] {
            assert_eq!(
                World::with(edit, |_| {}).order(buy(qty)),
                expected,
                "{code} alone {qty}"
            );
        }
        // Half of the limit is used by another instrument of the same scope: 30,000 = 0.5 BTC = 10 ETH.
        let used = if other == ETHER { 10 * ONE } else { HALF };
        for (qty, expected) in [(HALF, "ok"), (HALF + 1, code), (HALF - 1, "ok")] {
            let mut world = World::with(edit, |_| {});
            world.own(other, used);
            assert_eq!(
                world.order(buy(qty)),
                expected,
                "{code} with {used} elsewhere"
            );
            let mut pending = World::with(edit, |_| {});
            assert_eq!(pending.order(leg(other, Side::Buy, used)), "ok");
            assert_eq!(
                pending.order(buy(qty)),
                expected,
                "{code} with {used} pending"
            );
        }
    }
}

/// Gross scopes never net; net scopes do with positions, but not with what is only pending.
#[test]
fn pt21_what_nets_and_what_does_not() {
    let mut gross = World::with(|own| own.notional_usd_max_symbol = dec("60000"), |_| {});
    gross.own(SOUTH, -ONE);
    assert_eq!(gross.order(buy(1)), "NOTIONAL_LIMIT_SYMBOL");
    let mut net = World::with(|own| own.notional_usd_max_asset_net = dec("60000"), |_| {});
    net.own(SOUTH, -ONE);
    assert_eq!(net.order(buy(2 * ONE)), "ok", "from -1 to +1");
    assert_eq!(net.order(buy(1)), "NOTIONAL_LIMIT_ASSET");
    let mut set = World::with(|own| own.notional_usd_max_asset_net = dec("60000"), |_| {});
    let legs = [buy(ONE), leg(SOUTH, Side::Sell, ONE)];
    assert!(
        matches!(set.set(&legs), SetVerdict::Approved(_)),
        "each leg alone is within the limit"
    );
    assert!(
        matches!(set.set(&legs), SetVerdict::Refused { leg_index: 0, .. }),
        "two buys could fill before two sales"
    );
    // Prices move under a position: a scope over its limit refuses growth and lets the way back pass.
    let mut moved = World::with(|own| own.notional_usd_max_gross = dec("60000"), |_| {});
    moved.own(NORTH, ONE);
    quote(&mut moved.books, NORTH, START, 2 * MID - 1, 2 * MID + 1);
    assert_eq!(
        moved.order(leg(SOUTH, Side::Buy, 1)),
        "NOTIONAL_LIMIT_GROSS"
    );
    assert_eq!(moved.order(sell(ONE)), "ok");
}

#[test]
fn pt22_the_memory_of_holds_is_bounded() {
    let mut world = World::new();
    let max = i64::try_from(arbalest::capacity::OPEN_ORDERS_MAX).unwrap();
    for index in 0..max {
        world.now = MonoNanos(START.0 + u64::try_from(index).unwrap() * 10_000_000);
        world.see(|_| {});
        quote(&mut world.books, NORTH, world.now, MID - 1, MID + 1);
        assert_eq!(world.order(buy(1)), "ok", "{index}");
    }
    assert_eq!(world.order(buy(1)), "OPEN_ORDERS_MAX");
    world.see(|view| view.as_of = ApprovalSeq(1));
    assert_eq!(world.order(buy(1)), "ok");
    assert_eq!(world.order(buy(1)), "OPEN_ORDERS_MAX");
}

#[test]
fn pt33_submissions_in_a_sliding_second() {
    type Edit = fn(&mut arbalest::risk::Limits);
    let rows: [(&str, Edit, InstrumentId, InstrumentId); 3] = [
        ("symbol", |own| own.submit_rate_max_symbol = 3, SOUTH, PERP),
        ("venue", |own| own.submit_rate_max_venue = 3, ETHER, SOUTH),
        ("global", |own| own.submit_rate_max_global = 3, PERP, PERP),
    ];
    for (scope, edit, inside, outside) in rows {
        let mut world = World::with(edit, |_| {});
        assert_eq!(
            [
                world.order(buy(1)),
                world.order(leg(inside, Side::Buy, 1)),
                world.order(buy(1))
            ],
            ["ok"; 3]
        );
        assert_eq!(
            world.refusal(buy(1)).to_string(),
            format!("RATE_SUBMIT scope={scope} submits_max=3")
        );
        if scope != "global" {
            assert_eq!(
                world.order(leg(outside, Side::Buy, 1)),
                "ok",
                "{scope}: another scope is free"
            );
        }
        assert_eq!(world.repair(sell(1)), "ok", "repairs have a reserve");
        for (age, expected) in [(999_999_999, "RATE_SUBMIT"), (1_000_000_000, "ok")] {
            world.now = START.after(Nanos(age));
            world.see(|_| {});
            for id in [NORTH, SOUTH, PERP, ETHER] {
                let mid = if id == ETHER { 300_000 } else { MID };
                quote(&mut world.books, id, world.now, mid - 1, mid + 1);
            }
            assert_eq!(world.order(buy(1)), expected, "{scope} after {age}");
        }
    }
    let mut reserve = World::with(|own| own.submit_rate_max_global = 4, |_| {});
    for _ in 0..6 {
        assert_eq!(reserve.repair(buy(1)), "ok", "four and a reserve of two");
    }
    assert_eq!(reserve.repair(buy(1)), "RATE_SUBMIT");
    let mut none = World::with(|own| own.submit_rate_max_global = 0, |_| {});
    assert_eq!(
        none.order(buy(1)),
        "RATE_SUBMIT",
        "a limit of nothing allows nothing"
    );
}

#[test]
fn a_refused_leg_takes_every_hold_of_its_set_back() {
    let mut world = World::with(
        |own| {
            own.instruments[1].as_mut().unwrap().order_qty_max = Qty(10);
            own.submit_rate_max_global = 2;
        },
        |_| {},
    );
    for _ in 0..5 {
        let verdict = world.set(&[buy(5), leg(SOUTH, Side::Sell, 11)]);
        assert!(
            matches!(verdict, SetVerdict::Refused { leg_index: 1, refusal } if refusal.code() == "ORDER_QTY_MAX")
        );
    }
    assert_eq!(
        (
            world.gate.hold_count(),
            world.gate.held(NORTH),
            world.gate.last_seq()
        ),
        (0, (Qty(0), Qty(0)), ApprovalSeq(0))
    );
    let SetVerdict::Approved(set) = world.set(&[buy(5), leg(SOUTH, Side::Sell, 10)]) else {
        panic!("rates were taken back")
    };
    let seqs: Vec<u64> = set.legs().map(|leg| leg.seq().0).collect();
    assert_eq!(seqs, [1, 2]);
    assert!(
        set.legs()
            .all(|leg| leg.set().is_none() && !leg.reduce_only() && !leg.is_unwind())
    );
    assert_eq!(world.gate.held(SOUTH), (Qty(0), Qty(10)));
    assert_eq!(world.gate.counters().refused, 5);
}

#[test]
fn holds_last_until_the_view_contains_them() {
    let mut world = World::with(
        |own| own.instruments[0].as_mut().unwrap().position_qty_max = Qty(2 * ONE),
        |_| {},
    );
    assert_eq!(world.order(buy(ONE)), "ok");
    assert_eq!(world.order(buy(ONE)), "ok");
    assert_eq!(
        world.order(buy(1)),
        "POSITION_LIMIT",
        "in flight counts at once"
    );
    world.see(|view| view.as_of = ApprovalSeq(1));
    assert_eq!(world.order(buy(ONE)), "ok", "the first came to nothing");
    world.see(|view| {
        view.as_of = ApprovalSeq(3);
        view.instruments[0].position_qty = Qty(2 * ONE);
    });
    assert_eq!(
        (world.gate.held(NORTH), world.gate.hold_count()),
        ((Qty(0), Qty(0)), 0)
    );
    assert_eq!(world.order(buy(1)), "POSITION_LIMIT", "filled");
    world.see(|view| view.as_of = ApprovalSeq(1));
    assert_eq!(
        world.gate.counters().views_ignored,
        1,
        "a watermark never falls"
    );
    let mut given_back = World::new();
    assert_eq!(given_back.order(buy(ONE)), "ok");
    given_back.gate.release(ApprovalSeq(1));
    given_back.gate.release(ApprovalSeq(1));
    given_back.gate.release(ApprovalSeq(77));
    assert_eq!(given_back.gate.held(NORTH), (Qty(0), Qty(0)));
}

/// A set of one BTC each side broke: the buy filled, the sale died, both are still held and the net limit is one BTC.
#[test]
fn a_repair_may_bring_back_what_its_set_opened_and_no_more() {
    let broken = || {
        let mut world = World::with(
            |own| {
                own.notional_usd_max_asset_net = dec("60000");
                own.instruments[1].as_mut().unwrap().position_qty_max = Qty(ONE);
            },
            |_| {},
        );
        assert!(matches!(
            world.set(&[buy(ONE), leg(SOUTH, Side::Sell, ONE)]),
            SetVerdict::Approved(_)
        ));
        world
    };
    for way in [leg(SOUTH, Side::Sell, ONE), sell(ONE)] {
        let mut world = broken();
        assert_eq!(
            world.order(way),
            if way.instrument == SOUTH {
                "POSITION_LIMIT"
            } else {
                "NOTIONAL_LIMIT_ASSET"
            }
        );
        assert_eq!(world.repair(way), "ok");
        assert_ne!(
            world.repair(leg(way.instrument, way.side, 1)),
            "ok",
            "twice is too much"
        );
    }
    let mut counted = broken();
    counted.see(|view| {
        view.as_of = ApprovalSeq(2);
        view.instruments[0].position_qty = Qty(ONE);
    });
    assert_eq!(
        counted.repair(leg(SOUTH, Side::Sell, ONE)),
        "ok",
        "the view contains the fill"
    );
    let mut wrong = broken();
    assert_eq!(
        wrong.repair(leg(SOUTH, Side::Buy, ONE)),
        "ok",
        "the sale might have been the one that filled"
    );
    assert_eq!(
        wrong.repair(leg(NORTH, Side::Buy, ONE)),
        "NOTIONAL_LIMIT_ASSET",
        "but only once"
    );
    let mut dear = World::with(
        |own| own.instruments[0].as_mut().unwrap().order_qty_max = Qty(10),
        |_| {},
    );
    assert_eq!(dear.repair(buy(11)), "ORDER_QTY_MAX", "other checks stay");
}

#[test]
fn a_reducing_repair_asks_the_venue_to_refuse_more() {
    let mut world = World::new();
    world.own(PERP, ONE);
    let reduce = leg(PERP, Side::Sell, ONE);
    let order = arbalest::risk::Repair {
        set: arbalest::trade::SetId(4),
        leg_index: 1,
        ..repair_of(&reduce)
    };
    let verdict = world.gate.check_repair(&order, &world.books, world.now);
    let arbalest::risk::Verdict::Approved(approved) = verdict else {
        panic!("{verdict:?}")
    };
    assert!(approved.reduce_only());
    assert_eq!(
        (approved.set(), approved.leg_index()),
        (Some(arbalest::trade::SetId(4)), 1)
    );
}

#[test]
fn sums_that_do_not_fit_refuse() {
    let mut world = World::with(
        |own| own.instruments[0].as_mut().unwrap().order_qty_max = Qty(i64::MAX),
        |all| all[0].qty_max = Qty(i64::MAX),
    );
    let code = world.order(at_price(NORTH, Side::Buy, i64::MAX, i64::MAX));
    assert_ne!(code, "ok");
}

/// Holds and the portfolio's worst case equal a recount from nothing, after thousands of random steps.
#[test]
#[expect(clippy::too_many_lines, reason = "one story")]
fn running_sums_equal_a_recount() {
    let mut prng = arbalest::prng::Prng::new(11);
    let mut world = World::with(|own| own.notional_usd_max_gross = dec("200000"), |_| {});
    let mut compared = 0;
    let (mut open, mut settled): (Vec<(usize, i64)>, usize) = (Vec::new(), 0);
    let mut positions = [0_i64; 5];
    for step in 0..3_000_u64 {
        world.now = MonoNanos(START.0 + step * 20_000_000);
        let ids = [NORTH, SOUTH, PERP];
        let mut mids = [0_i64; 3];
        for id in ids {
            let mid = MID + prng.between(-5_000, 5_000);
            mids[id.index()] = mid;
            quote(&mut world.books, id, world.now, mid - 1, mid + 1);
        }
        quote(&mut world.books, ETHER, world.now, 299_999, 300_001);
        let id = ids[usize::try_from(prng.below(3)).unwrap()];
        let (side, qty) = (
            if prng.chance_ppm(500_000) {
                Side::Buy
            } else {
                Side::Sell
            },
            prng.between(1, ONE),
        );
        let before = world.gate.last_seq();
        world.see(|_| {});
        match world.set(&[leg(id, side, qty)]) {
            SetVerdict::Approved(_) => {
                assert_eq!(world.gate.last_seq().0, before.0 + 1);
                open.push((id.index(), side.sign() * qty));
            }
            SetVerdict::Refused {
                refusal: Refusal::NotionalLimitGross { notional, .. },
                ..
            } => {
                compared += 1;
                let asked = (id.index(), side.sign() * qty);
                let pending: Vec<(usize, i64)> =
                    open[settled..].iter().copied().chain([asked]).collect();
                let worst = |index: usize| {
                    let sum = |sign: i64| -> i64 {
                        pending
                            .iter()
                            .filter(|(at, qty)| *at == index && qty.signum() == sign)
                            .map(|(_, qty)| qty)
                            .sum()
                    };
                    let (high, low) = (positions[index] + sum(1), positions[index] + sum(-1));
                    i128::from(high.abs().max(low.abs())) * i128::from(mids[index])
                };
                assert_eq!(
                    notional.steps,
                    (0..3).map(worst).sum::<i128>(),
                    "step {step}"
                );
            }
            SetVerdict::Refused { refusal, .. } => panic!("step {step}: {refusal}"),
        }
        if prng.chance_ppm(400_000) {
            let upto = open.len()
                - usize::try_from(prng.below(3))
                    .unwrap()
                    .min(open.len() - settled);
            for (index, signed) in &open[settled..upto] {
                if prng.chance_ppm(500_000) {
                    positions[*index] += signed;
                }
            }
            settled = upto;
            world.see(|view| {
                view.as_of = ApprovalSeq(u64::try_from(settled).unwrap());
                for (own, qty) in view.instruments.iter_mut().zip(positions) {
                    own.position_qty = Qty(qty);
                }
            });
        }
        let pending = &open[settled..];
        for id in ids {
            let sum = |sign: i64| -> i64 {
                pending
                    .iter()
                    .filter(|(index, qty)| *index == id.index() && qty.signum() == sign)
                    .map(|(_, qty)| qty.abs())
                    .sum()
            };
            assert_eq!(
                world.gate.held(id),
                (Qty(sum(1)), Qty(sum(-1))),
                "step {step}"
            );
        }
    }
    assert!(
        settled > 300 && compared > 300,
        "{settled} settled, {compared} compared"
    );
}

#[test]
fn nothing_allocates_on_the_tick_path() {
    let mut world = World::with(|own| own.notional_usd_max_asset_net = dec("60000"), |_| {});
    let good = Intent::new(StrategyId(0), &[buy(10), leg(SOUTH, Side::Sell, 10)], START);
    let bad = Intent::new(
        StrategyId(0),
        &[buy(10), leg(SOUTH, Side::Buy, 5 * ONE)],
        START,
    );
    let before = super::allocations();
    for _ in 0..50 {
        assert!(matches!(
            world.gate.check_set(&good, &world.books, START),
            SetVerdict::Approved(_)
        ));
        assert!(matches!(
            world.gate.check_set(&bad, &world.books, START),
            SetVerdict::Refused { .. }
        ));
        world.view.version += 1;
        world.view.as_of = world.gate.last_seq();
        world.gate.on_view(&world.view);
    }
    let approved = world
        .gate
        .check_repair(&repair_of(&buy(1)), &world.books, START);
    assert!(matches!(approved, arbalest::risk::Verdict::Approved(_)));
    world.gate.release(world.gate.last_seq());
    assert_eq!(super::allocations() - before, 0);
}
