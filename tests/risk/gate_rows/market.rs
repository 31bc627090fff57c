//! A and B: rules, forms, prices, jumps, consensus, edges.

use arbalest::market::PriceBand;
use arbalest::trade::TimeInForce;
use arbalest::units::{Ppm, Side};

use super::*;

pub(super) const PROVEN: Proven = &[
    "INSTRUMENT_RULES_STALE",
    "PRICE_OUTSIDE_VENUE_BAND",
    "ORDER_TYPE_UNSUPPORTED",
    "UNPRICED_MARKET_FORBIDDEN",
    "PRICE_COLLAR",
    "REF_PRICE_JUMP",
    "REF_PRICE_DIVERGENT",
    "CONSENSUS_MISSING",
    "EDGE_IMPLAUSIBLE",
    "EDGE_TOO_SMALL",
];

#[test]
fn pt02_rules_age() {
    for (age, expected) in [
        (599_999_999_999, "ok"),
        (600_000_000_000, "ok"),
        (600_000_000_001, "INSTRUMENT_RULES_STALE"),
    ] {
        let mut world = heard(|own| own.instrument_rules_age_max = Nanos::from_secs(600));
        later(&mut world, Nanos(age));
        assert_eq!(world.order(buy(1)), expected, "{age}");
        let way_out = long(&mut world);
        assert_eq!(world.order(way_out), "ok", "reducing");
    }
}

/// PT-08: sides have bounds of their own; the reference is the average where the venue publishes no mark.
#[test]
fn pt08_venue_band() {
    let shape = |all: &mut Vec<Instrument>| {
        all[0].price_band = Some(PriceBand {
            buy_down: Ppm(900_000),
            buy_up: Ppm(1_050_000),
            sell_down: Ppm(950_000),
            sell_up: Ppm(1_100_000),
        });
    };
    let mut world = heard_with(|_| {}, |_| {}, shape, Permits::everything);
    for (side, price, expected) in [
        (Side::Buy, 6_299_999, "ok"),
        (Side::Buy, 6_300_000, "ok"),
        (Side::Buy, 6_300_001, "PRICE_OUTSIDE_VENUE_BAND"),
        (Side::Buy, 5_400_000, "ok"),
        (Side::Buy, 5_400_001, "ok"),
        (Side::Buy, 5_399_999, "PRICE_OUTSIDE_VENUE_BAND"),
        (Side::Sell, 5_700_000, "ok"),
        (Side::Sell, 5_700_001, "ok"),
        (Side::Sell, 5_699_999, "PRICE_OUTSIDE_VENUE_BAND"),
        (Side::Sell, 6_600_000, "ok"),
        (Side::Sell, 6_600_001, "PRICE_OUTSIDE_VENUE_BAND"),
        (Side::Sell, 6_599_999, "ok"),
    ] {
        assert_eq!(
            world.order(at_price(NORTH, side, 1, price)),
            expected,
            "{side} {price}"
        );
    }
    assert_eq!(
        world.order(at_price(SOUTH, Side::Buy, 1, 6_300_001)),
        "ok",
        "a venue without the rule"
    );
}

#[test]
fn pt09_form() {
    for (form, resting, expected) in [
        (TimeInForce::ImmediateOrCancel, false, "ok"),
        (TimeInForce::FillOrKill, false, "ok"),
        (TimeInForce::GoodTillCancel, true, "ok"),
        (TimeInForce::GoodTillCancel, false, "ORDER_TYPE_UNSUPPORTED"),
        (TimeInForce::Unpriced, true, "UNPRICED_MARKET_FORBIDDEN"),
        (TimeInForce::Unpriced, false, "UNPRICED_MARKET_FORBIDDEN"),
    ] {
        for reducing in [false, true] {
            let mut world = heard(|own| own.allow_resting = resting);
            let way_out = long(&mut world);
            let leg = if reducing { way_out } else { buy(1) };
            let told = send(&mut world, &[leg], |intent| intent.time_in_force = form);
            assert_eq!(told, expected, "{form:?}, resting {resting}");
        }
    }
}

/// X08, and a pair of stable coins with its own collar. Reducing orders have it too.
#[test]
fn pt14_collar() {
    let collar = |own: &mut PreTradeLimits| {
        own.price_collar = Ppm::from_bps(100);
        own.price_collar_stable = Ppm::from_bps(25);
    };
    let mut world = heard(collar);
    for (side, price, expected) in [
        (Side::Buy, 6_059_999, "ok"),
        (Side::Buy, 6_060_000, "ok"),
        (Side::Buy, 6_060_001, "PRICE_COLLAR"),
        (Side::Buy, 100, "ok"),
        (Side::Sell, 5_940_001, "ok"),
        (Side::Sell, 5_940_000, "ok"),
        (Side::Sell, 5_939_999, "PRICE_COLLAR"),
        (Side::Sell, 9_000_000, "ok"),
    ] {
        assert_eq!(
            world.order(at_price(NORTH, side, 1, price)),
            expected,
            "{side} {price}"
        );
    }
    assert_eq!(
        world
            .refusal(at_price(NORTH, Side::Buy, 1, 6_060_001))
            .to_string(),
        "PRICE_COLLAR distance_bps=100.0016 distance_bps_max=100"
    );
    world.own(NORTH, ONE);
    assert_eq!(
        world.order(at_price(NORTH, Side::Sell, ONE, 5_939_999)),
        "PRICE_COLLAR"
    );
    let stable = |all: &mut Vec<Instrument>| all[3].symbol = "USDC/USDT".parse().unwrap();
    let mut world = heard_with(collar, |_| {}, stable, Permits::everything);
    for (price, expected) in [(300_749, "ok"), (300_750, "ok"), (300_751, "PRICE_COLLAR")] {
        assert_eq!(
            world.order(at_price(ETHER, Side::Buy, 1, price)),
            expected,
            "{price}"
        );
    }
}

fn jumpy() -> World {
    heard(|own| {
        own.ref_jump_max = Ppm::from_bps(300);
        own.ref_quarantine = Nanos::from_secs(5);
    })
}

/// A quote of the first venue at this mid, after this time.
fn tick(world: &mut World, after: Nanos, mid: i64) {
    world.now = world.now.after(after);
    quote(&mut world.books, NORTH, world.now, mid - 1, mid + 1);
    let book = world.books.get(NORTH).unwrap();
    world.gate.on_book(NORTH, book);
}

/// PT-15: the size of a jump, its window, its confirmation by two, and the end of its quarantine.
#[test]
fn pt15_jump() {
    // 3 % of 60,000 is 1,800.
    for (mid, expected) in [
        (6_180_000, "ok"),
        (6_179_999, "ok"),
        (6_180_001, "REF_PRICE_JUMP"),
        (5_820_000, "ok"),
        (5_819_999, "REF_PRICE_JUMP"),
    ] {
        let mut world = jumpy();
        tick(&mut world, Nanos(0), MID);
        tick(&mut world, Nanos::from_millis(10), mid);
        assert_eq!(world.order(buy(1)), expected, "{mid}");
        let way_out = long(&mut world);
        assert_eq!(world.order(way_out), "ok", "reducing");
    }
    for (window, expected) in [
        (999_999_999, "REF_PRICE_JUMP"),
        (1_000_000_000, "REF_PRICE_JUMP"),
        (1_000_000_001, "ok"),
    ] {
        let mut world = jumpy();
        tick(&mut world, Nanos(0), MID);
        tick(&mut world, Nanos(window), 6_300_000);
        world.see(|_| {});
        assert_eq!(world.order(buy(1)), expected, "{window}");
    }
    // A quick slide: two steps of 2 % each.
    let mut slide = jumpy();
    tick(&mut slide, Nanos(0), MID);
    tick(&mut slide, Nanos::from_millis(400), 6_120_000);
    assert_eq!(slide.order(buy(1)), "ok");
    tick(&mut slide, Nanos::from_millis(400), 6_240_000);
    assert_eq!(slide.order(buy(1)), "REF_PRICE_JUMP");
    for (others, expected) in [(0, "REF_PRICE_JUMP"), (1, "REF_PRICE_JUMP"), (2, "ok")] {
        let mut world = jumpy();
        tick(&mut world, Nanos(0), MID);
        tick(&mut world, Nanos::from_millis(10), 6_300_000);
        for id in [SOUTH, PERP].into_iter().take(others) {
            quote(&mut world.books, id, world.now, 6_299_999, 6_300_001);
        }
        assert_eq!(world.order(buy(1)), expected, "{others} confirm");
    }
    for (quiet, expected) in [
        (4_999_999_999, "REF_PRICE_JUMP"),
        (5_000_000_000, "ok"),
        (5_000_000_001, "ok"),
    ] {
        let mut world = jumpy();
        tick(&mut world, Nanos(0), MID);
        tick(&mut world, Nanos::from_millis(10), 6_300_000);
        tick(&mut world, Nanos(quiet), 6_300_000);
        world.see(|_| {});
        assert_eq!(world.order(buy(1)), expected, "after {quiet}");
    }
}

/// PT-16: the median of the others, of two and of one; none of them usable.
#[test]
fn pt16_consensus() {
    let world = |south: i64, perp: i64| {
        let mut world = heard(|own| own.consensus_dev_max = Ppm::from_bps(200));
        quote(&mut world.books, SOUTH, START, south - 1, south + 1);
        quote(&mut world.books, PERP, START, perp - 1, perp + 1);
        world
    };
    // Ours is 60,000: 2 % above a median of 58,823.53, 2 % below one of 61,224.49.
    for (south, perp, expected) in [
        (5_882_353, 5_882_353, "ok"),
        (5_882_352, 5_882_353, "REF_PRICE_DIVERGENT"),
        (5_882_354, 5_882_353, "ok"),
        (6_122_449, 6_122_448, "ok"),
        (6_122_449, 6_122_450, "REF_PRICE_DIVERGENT"),
        (9_000_000, 3_000_000, "ok"),
    ] {
        let mut world = world(south, perp);
        assert_eq!(world.order(buy(1)), expected, "{south} {perp}");
        let way_out = long(&mut world);
        assert_eq!(world.order(way_out), "ok", "reducing");
    }
    let mut one = world(5_000_000, MID);
    apply(
        &mut one.books,
        SOUTH,
        START,
        &[arbalest::market::EventKind::Clear],
    );
    assert_eq!(one.order(buy(1)), "ok", "one other venue is enough");
    apply(
        &mut one.books,
        PERP,
        START,
        &[arbalest::market::EventKind::Clear],
    );
    assert_eq!(one.order(buy(1)), "CONSENSUS_MISSING");
    assert_eq!(
        one.order(leg(ETHER, Side::Buy, 1)),
        "ok",
        "a symbol of one venue"
    );
    let way_out = long(&mut one);
    assert_eq!(one.order(way_out), "ok", "reducing");
}

#[test]
fn pt17_edge() {
    for (edge, expected) in [
        (15_000, "ok"),
        (15_001, "EDGE_IMPLAUSIBLE"),
        (14_999, "ok"),
        (500, "ok"),
        (499, "EDGE_TOO_SMALL"),
        (501, "ok"),
    ] {
        let mut world = heard(|own| {
            own.edge_max = Ppm::from_bps(150);
            own.edge_min = Ppm::from_bps(5);
        });
        let told = send(&mut world, &[buy(1)], |intent| intent.net_edge = Ppm(edge));
        assert_eq!(told, expected, "{edge}");
        let way_out = long(&mut world);
        assert_eq!(world.order(way_out), "ok", "reducing");
        assert_eq!(world.repair(buy(1)), "ok", "a repair has no edge");
    }
}
