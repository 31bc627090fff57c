//! C: orders already open, balances, margin, leverage, depth, self-trade, size factor.

use arbalest::trade::TimeInForce;
use arbalest::units::{Ppm, Price, Side};

use super::*;

pub(super) const PROVEN: Proven = &[
    "OPEN_ORDERS_MAX",
    "OPEN_NOTIONAL_MAX",
    "BALANCE_INSUFFICIENT",
    "MARGIN_USAGE_MAX",
    "LEVERAGE_MAX",
    "DEPTH_FRACTION_MAX",
    "SELF_TRADE",
    "ARITHMETIC",
];

/// The size factor of the instrument or the strategy makes both order limits smaller, rounded down; not for the way back.
#[test]
fn pt18_pt19_size_factor() {
    for scope in 0..2 {
        let mut world = heard_with(
            |_| {},
            |own| {
                own.instruments[0].as_mut().unwrap().order_qty_max = qty(1_001);
                own.order_notional_usd_max = dec("30000");
            },
            |_| {},
            Permits::everything,
        );
        world.see(|view| match scope {
            0 => view.instruments[0].size_factor = Ppm(250_000),
            _ => view.strategies[0].size_factor = Ppm(250_000),
        });
        for (size, expected) in [(249, "ok"), (250, "ok"), (251, "ORDER_QTY_MAX")] {
            assert_eq!(world.order(buy(size)), expected, "{scope} {size}");
        }
        // A quarter of 30,000 is 0.125 BTC, at another instrument for its own quantity limit.
        if scope == 1 {
            for (size, expected) in [
                (125_000, "ok"),
                (124_999, "ok"),
                (125_001, "ORDER_NOTIONAL_MAX"),
            ] {
                assert_eq!(world.order(leg(SOUTH, Side::Buy, size)), expected);
            }
        }
        world.own(NORTH, ONE);
        assert_eq!(world.order(sell(1_001)), "ok", "reducing");
    }
}

/// V39 again, with orders that carry no approval of this session.
#[test]
fn pt20_counts_adopted_orders() {
    let mut world = heard_with(
        |_| {},
        |own| own.instruments[0].as_mut().unwrap().position_qty_max = qty(6 * ONE),
        |_| {},
        Permits::everything,
    );
    world.see(|view| {
        view.instruments[0].position_qty = qty(3 * ONE);
        view.instruments[0].adopted_sell_qty = qty(7 * ONE);
    });
    for (size, expected) in [
        (2 * ONE - 1, "ok"),
        (2 * ONE + 1, "POSITION_LIMIT"),
        (1, "ok"),
        (1, "POSITION_LIMIT"),
    ] {
        assert_eq!(world.order(sell(size)), expected, "{size}");
    }
    world.see(|view| view.instruments[0].adopted_sell_qty = qty(0));
    assert_eq!(world.order(sell(ONE)), "ok", "they are gone");
}

#[test]
fn pt22_open_orders_and_their_value() {
    let mut symbol = heard(|own| own.open_orders_per_symbol_max = 2);
    let codes = [(); 3].map(|()| symbol.order(buy(1)));
    assert_eq!(codes, ["ok", "ok", "OPEN_ORDERS_MAX"], "below, at, above");
    assert_eq!(symbol.order(leg(SOUTH, Side::Buy, 1)), "ok");
    symbol.gate.release(arbalest::trade::ApprovalSeq(1));
    assert_eq!(symbol.order(buy(1)), "ok", "one came back");
    let mut venue = heard(|own| own.open_orders_per_venue_max = 2);
    let codes = [NORTH, ETHER, NORTH].map(|id| venue.order(leg(id, Side::Buy, 1)));
    assert_eq!(codes, ["ok", "ok", "OPEN_ORDERS_MAX"]);
    venue.see(|view| view.as_of = arbalest::trade::ApprovalSeq(1));
    assert_eq!(venue.order(buy(1)), "ok", "one is over");
    let mut adopted = heard(|own| own.open_orders_per_symbol_max = 2);
    adopted.see(|view| view.instruments[0].adopted_orders = 1);
    let codes = [(); 2].map(|()| adopted.order(buy(1)));
    assert_eq!(codes, ["ok", "OPEN_ORDERS_MAX"]);
    // 1,200 at 60,000 is 0.02.
    for (size, expected) in [(10_000, "ok"), (9_999, "ok"), (10_001, "OPEN_NOTIONAL_MAX")] {
        let mut value = heard(|own| own.open_notional_usd_max = dec("1200"));
        assert_eq!(value.order(leg(PERP, Side::Buy, 10_000)), "ok");
        assert_eq!(value.order(buy(size)), expected, "{size}");
    }
}

/// PT-23: quote and fee of a purchase, the base of a sale, margin and fee of a derivative; holds, reserve, V13.
#[test]
fn pt23_balance() {
    let with_fee = |catalogue: &Catalogue| Permits {
        taker_fees: vec![Ppm(1_000); 5],
        ..Permits::everything(catalogue)
    };
    let rich = || {
        heard_with(
            |own| {
                own.balance_reserve = Ppm(20_000);
                own.initial_margin = Ppm(50_000);
            },
            |_| {},
            |_| {},
            with_fee,
        )
    };
    // One BTC at 60,000 and a fee of 60 need 60,060; of x free 98 % are.
    for (amount, expected) in [
        ("61285.714286", "ok"),
        ("61285.8", "ok"),
        ("61285.714285", "BALANCE_INSUFFICIENT"),
    ] {
        let mut world = rich();
        free(&mut world, 0, "USDT", amount);
        assert_eq!(world.order(buy(ONE)), expected, "{amount}");
    }
    // Two legs of one set: cumulative.
    for (amount, expected) in [
        ("122571.428572", "ok"),
        ("122571.42", "LEG_PLAN_DENIED"),
        ("122571.43", "ok"),
    ] {
        let mut world = rich();
        free(&mut world, 0, "USDT", amount);
        let told = send(&mut world, &[buy(ONE), buy(ONE)], |_| {});
        assert_eq!(told, expected, "{amount}");
    }
    // V13: 0.999 is held after the fee was taken from the base; a sale that reduces may use the reserve.
    for (size, expected) in [
        (999_000, "ok"),
        (998_999, "ok"),
        (999_001, "BALANCE_INSUFFICIENT"),
        (ONE, "BALANCE_INSUFFICIENT"),
    ] {
        let mut world = rich();
        free(&mut world, 0, "BTC", "0.999");
        world.own(NORTH, ONE);
        assert_eq!(world.order(sell(size)), expected, "{size}");
    }
    let mut short = rich();
    free(&mut short, 0, "BTC", "1");
    assert_eq!(short.order(sell(980_000)), "ok", "the reserve stays");
    let mut short = rich();
    free(&mut short, 0, "BTC", "1");
    assert_eq!(short.order(sell(980_001)), "BALANCE_INSUFFICIENT");
    // A perpetual: 5 % margin and the fee of 60,000 are 3,060, of 98 %.
    for (amount, expected) in [
        ("3122.448980", "ok"),
        ("3122.5", "ok"),
        ("3122.448979", "BALANCE_INSUFFICIENT"),
    ] {
        let mut world = rich();
        free(&mut world, 2, "USDT", amount);
        assert_eq!(world.order(leg(PERP, Side::Buy, ONE)), expected);
    }
    let mut reduce = rich();
    reduce.own(PERP, ONE);
    free(&mut reduce, 2, "USDT", "60");
    assert_eq!(
        reduce.order(leg(PERP, Side::Sell, ONE)),
        "ok",
        "reducing needs its fee only"
    );
}

/// What an order needed stays promised until its end is in the view, and spent until the venue told its balances twice.
#[test]
fn pt23_remembers_what_the_balance_does_not_contain() {
    let mut world = heard(|_| {});
    free(&mut world, 0, "USDT", "100000");
    assert_eq!(world.order(buy(ONE)), "ok");
    assert_eq!(world.order(buy(ONE)), "BALANCE_INSUFFICIENT", "promised");
    world.see(|view| view.as_of = arbalest::trade::ApprovalSeq(1));
    assert_eq!(world.order(buy(ONE)), "BALANCE_INSUFFICIENT", "spent");
    hear(&mut world, 0, |_| {});
    assert_eq!(
        world.order(buy(ONE)),
        "BALANCE_INSUFFICIENT",
        "told once: perhaps from before the fill"
    );
    hear(&mut world, 0, |_| {});
    assert_eq!(world.order(buy(ONE)), "ok", "told twice: it was not filled");
    let mut back = heard(|_| {});
    free(&mut back, 0, "USDT", "100000");
    assert_eq!(back.order(buy(ONE)), "ok");
    back.gate.release(arbalest::trade::ApprovalSeq(1));
    assert_eq!(back.order(buy(ONE)), "ok", "it never left");
}

#[test]
fn pt24_margin() {
    let world = |initial: &str, maintenance: &str| {
        let mut world = heard(|own| {
            own.initial_margin = Ppm(100_000);
            own.margin_usage_max = Ppm(500_000);
            own.maint_margin_max = Ppm(400_000);
        });
        hear(&mut world, 2, |facts| {
            facts.margin = margin("20000", initial, maintenance);
        });
        world
    };
    // One contract needs 6,000 of 10,000 that may be used.
    for (initial, maintenance, expected) in [
        ("4000", "0", "ok"),
        ("3999.99", "0", "ok"),
        ("4000.01", "0", "MARGIN_USAGE_MAX"),
        ("0", "8000", "ok"),
        ("0", "7999.99", "ok"),
        ("0", "8000.01", "MARGIN_USAGE_MAX"),
    ] {
        let mut world = world(initial, maintenance);
        assert_eq!(
            world.order(leg(PERP, Side::Buy, ONE)),
            expected,
            "{initial} {maintenance}"
        );
        assert_eq!(world.order(buy(ONE)), "ok", "spot has none");
        world.own(PERP, ONE);
        hear(&mut world, 2, |facts| {
            facts.margin = margin("1", "20000", "20000");
        });
        assert_eq!(world.order(leg(PERP, Side::Sell, ONE)), "ok", "reducing");
    }
    let mut held = world("0", "0");
    assert_eq!(held.order(leg(PERP, Side::Buy, ONE)), "ok");
    assert_eq!(
        held.refusal(leg(PERP, Side::Buy, ONE)).to_string(),
        "MARGIN_USAGE_MAX kind=initial usage=0.6 usage_max=0.5",
        "what is promised counts"
    );
    hear(&mut held, 2, |facts| facts.margin = margin("0", "0", "0"));
    assert_eq!(
        held.order(leg(PERP, Side::Buy, 1)),
        "MARGIN_USAGE_MAX",
        "of nothing, anything is too much"
    );
}

#[test]
fn pt25_leverage() {
    for (equity, expected) in [
        ("30000", "ok"),
        ("30000.01", "ok"),
        ("29999.99", "LEVERAGE_MAX"),
        ("0", "LEVERAGE_MAX"),
        ("-1", "LEVERAGE_MAX"),
    ] {
        let mut world = heard(|own| own.leverage_max = Ppm(2_000_000));
        world.see(|view| view.portfolio.equity = Some(dec(equity)));
        assert_eq!(world.order(buy(ONE)), expected, "{equity}");
        let way_out = long(&mut world);
        assert_eq!(world.order(way_out), "ok", "reducing");
    }
}

/// PT-26: a quarter of what is visible within the collar; what lies behind it does not count.
#[test]
fn pt26_depth() {
    for (side, inside, outside) in [
        (Side::Buy, 6_060_000, 6_060_001),
        (Side::Sell, 5_940_000, 5_939_999),
    ] {
        for (second, size, expected) in [
            (inside, 500_000, "ok"),
            (inside, 499_999, "ok"),
            (inside, 500_001, "DEPTH_FRACTION_MAX"),
            (outside, 250_000, "ok"),
            (outside, 250_001, "DEPTH_FRACTION_MAX"),
        ] {
            let mut world = heard(|own| {
                own.depth_take_max = Ppm(250_000);
                own.price_collar = Ppm::from_bps(100);
            });
            apply(
                &mut world.books,
                NORTH,
                START,
                &[level(side.opposite(), second, ONE)],
            );
            assert_eq!(
                world.order(leg(NORTH, side, size)),
                expected,
                "{side} {second} {size}"
            );
        }
    }
    let mut world = heard(|own| own.depth_take_max = Ppm(250_000));
    world.own(NORTH, ONE);
    assert_eq!(
        world.order(sell(250_001)),
        "DEPTH_FRACTION_MAX",
        "reducing orders have it too"
    );
    assert_eq!(
        world.repair(sell(ONE)),
        "ok",
        "a repair takes what it needs"
    );
    let mut blind = heard(|own| own.depth_take_max = Ppm(250_000));
    blind.own(NORTH, ONE);
    apply(
        &mut blind.books,
        NORTH,
        START,
        &[arbalest::market::EventKind::Clear],
    );
    assert_eq!(blind.order(sell(ONE)), "ok", "no book, and reducing");
}

/// PT-28: own resting orders of the other side that would match, and those of which no price is known.
#[test]
fn pt28_self_trade() {
    let rest = |world: &mut World, side, price| {
        send(world, &[at_price(NORTH, side, 1, price)], |intent| {
            intent.time_in_force = TimeInForce::GoodTillCancel;
        })
    };
    for (resting, taking, price, expected) in [
        (Side::Sell, Side::Buy, 6_000_100, "SELF_TRADE"),
        (Side::Sell, Side::Buy, 6_000_101, "SELF_TRADE"),
        (Side::Sell, Side::Buy, 6_000_099, "ok"),
        (Side::Buy, Side::Sell, 6_000_100, "SELF_TRADE"),
        (Side::Buy, Side::Sell, 6_000_099, "SELF_TRADE"),
        (Side::Buy, Side::Sell, 6_000_101, "ok"),
    ] {
        let mut world = heard(|_| {});
        assert_eq!(rest(&mut world, resting, 6_000_100), "ok");
        assert_eq!(
            world.order(at_price(NORTH, taking, 1, price)),
            expected,
            "{taking} at {price}"
        );
        assert_eq!(
            world.order(at_price(SOUTH, taking, 1, price)),
            "ok",
            "another venue"
        );
        assert_eq!(world.order(at_price(NORTH, resting, 1, price)), "ok");
        world.gate.release(arbalest::trade::ApprovalSeq(1));
        assert_eq!(
            world.order(at_price(NORTH, taking, 2, price)),
            "ok",
            "it is gone"
        );
    }
    let mut immediate = heard(|_| {});
    assert_eq!(immediate.order(sell(1)), "ok");
    assert_eq!(
        immediate.order(buy(1)),
        "ok",
        "an immediate order never rests"
    );
    let mut adopted = heard(|_| {});
    adopted.see(|view| view.instruments[0].adopted_sell_qty = qty(1));
    assert_eq!(adopted.order(buy(1)), "SELF_TRADE");
    assert_eq!(adopted.order(sell(1)), "ok");
}

/// A sum that does not fit refuses; what fits passes.
#[test]
fn arithmetic_that_does_not_fit() {
    let shape = |all: &mut Vec<Instrument>| {
        all[0].multiplier = dec("10000000000000000000000000000");
        all[0].qty_max = qty(i64::MAX);
    };
    for (price, expected) in [(1, "ok"), (i64::MAX, "ARITHMETIC")] {
        let mut world = World::with(
            |own| own.instruments[0].as_mut().unwrap().order_qty_max = qty(i64::MAX),
            shape,
        );
        if expected == "ok" {
            assert_ne!(
                world.order(at_price(NORTH, Side::Buy, 1, price)),
                "ARITHMETIC"
            );
        } else {
            let huge = Leg {
                limit_price: Price(price),
                ..buy(i64::MAX)
            };
            assert_eq!(world.order(huge), expected);
        }
    }
}
