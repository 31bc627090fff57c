//! Each bound and each refusal alone, with both its numbers, on the market of vector V32.

use arbalest::strategy::{
    DaySpan, EdgeEnd, Outcome, Pass, RouteId, SizeSearch, Strategy, TriangularParams,
};
use arbalest::trade::{Intent, SendOrder};
use arbalest::units::{Money, MonoNanos, Nanos, Notional, Ppm, Price, Qty, UnixNanos};
use rust_decimal::Decimal;

use crate::scene::{Scene, T0, asset, decimal, legs, params, refusal, taken};

fn with(change: impl FnOnce(&mut TriangularParams)) -> Scene {
    let mut wanted = params(3);
    change(&mut wanted);
    let mut scene = Scene::v32(wanted);
    scene.warm();
    scene
}

fn qty(intent: &Intent) -> Vec<i64> {
    legs(intent).iter().map(|leg| leg.qty.0).collect()
}

const V32: [i64; 3] = [16_666, 33_298, 33_264];

#[test]
fn an_edge_equal_to_the_minimum_is_taken_and_one_ppm_less_is_not() {
    // 1.005 × 0.999^3 is 1.001988013995: 1,988 ppm and a little.
    let mut scene = with(|params| params.common.min_net_edge = Ppm(1_989));
    scene.look_at(0, T0);
    assert_eq!(scene.strategy.counters().of(Outcome::BelowThreshold), 2);
    let mut scene = with(|params| params.common.min_net_edge = Ppm(1_988));
    // At the touch it is there; what lots leave over takes it away.
    let reason = refusal(scene.look_at(0, T0));
    assert!(
        matches!(reason, Pass::LotsEatEdge { net_edge, net_edge_min: Ppm(1_988) } if net_edge < Ppm(1_988)),
        "{reason:?}"
    );
}

#[test]
fn what_is_too_good_is_an_error_in_the_data() {
    let mut scene = with(|params| params.common.max_net_edge = Ppm(1_987));
    assert_eq!(
        refusal(scene.look_at(2, T0)),
        Pass::Implausible {
            net_edge: Ppm(1_988),
            net_edge_max: Ppm(1_987)
        }
    );
    let seen = scene.edges[0];
    assert_eq!(seen.route, RouteId(0));
    assert!(
        matches!(
            seen.end,
            EdgeEnd::Passed {
                net_edge: Ppm(1_988),
                gross_edge: Ppm(5_000),
                reason: Some(_)
            }
        ),
        "{seen:?}"
    );
}

#[test]
fn confirmation_starts_anew_when_the_edge_was_gone() {
    let mut scene = with(|params| params.common.confirm_updates = 2);
    let confirming = Pass::Confirming {
        seen: 1,
        required: 2,
    };
    assert_eq!(refusal(scene.look_at(0, T0)), confirming);
    scene.show(2, &[(300_000, 500_000)], &[(301_600, 500_000)], T0);
    scene.look_at(2, T0);
    assert!(
        matches!(scene.edges[..], [seen] if seen.end == EdgeEnd::Gone(Outcome::BelowThreshold))
    );
    scene.show_v32(T0);
    assert_eq!(refusal(scene.look_at(2, T0)), confirming);
    assert_eq!(qty(&taken(scene.look_at(2, T0))), V32);
    assert_eq!(scene.strategy.counters().opportunities, 2);
}

#[test]
fn old_books_do_not_price() {
    let mut scene = with(|_| ());
    let late = T0.after(Nanos::from_millis(51));
    scene.show(0, &[(5_999_000, 500_000)], &[(6_000_000, 500_000)], late);
    scene.look_at(0, late);
    let route = scene.strategy.route(RouteId(0)).unwrap();
    assert_eq!(route.1, Outcome::StaleBook, "the other two are 51 ms old");
    let skewed = T0.after(Nanos::from_millis(26));
    scene.show(0, &[(5_999_000, 500_000)], &[(6_000_000, 500_000)], skewed);
    assert_eq!(
        refusal(scene.look_at(0, skewed)),
        Pass::LegSkew {
            skew: Nanos::from_millis(26),
            skew_max: Nanos::from_millis(25)
        }
    );
    let within = T0.after(Nanos::from_millis(25));
    scene.show(0, &[(5_999_000, 500_000)], &[(6_000_000, 500_000)], within);
    assert_eq!(qty(&taken(scene.look_at(0, within))), V32);
}

fn at(millis: u64) -> MonoNanos {
    T0.after(Nanos::from_millis(millis))
}

#[test]
fn open_sets_cooldown_and_pace() {
    let mut scene = with(|params| params.common.max_sets_per_min = 2);
    taken(scene.look_at(0, T0));
    assert_eq!(
        refusal(scene.look_at(2, at(1))),
        Pass::Cooldown {
            remaining: Nanos::from_millis(249),
            cooldown: Nanos::from_millis(250)
        },
        "its instruments rest"
    );
    scene.show_v32(at(250));
    assert_eq!(
        refusal(scene.look_at(0, at(250))),
        Pass::OpenSets {
            open: 1,
            open_max: 1
        }
    );
    scene.strategy.on_set_done();
    taken(scene.look_at(0, at(250)));
    scene.strategy.on_set_refused();
    scene.show_v32(at(500));
    taken(scene.look_at(0, at(500)));
    scene.strategy.on_set_done();
    scene.show_v32(at(1_000));
    assert_eq!(
        refusal(scene.look_at(0, at(1_000))),
        Pass::SetRate {
            started: 2,
            started_max: 2
        },
        "the refused one did not start"
    );
}

/// A span over the whole day; nobody told the time, which refuses too.
#[test]
fn times_without_new_sets() {
    let mut scene = with(|params| {
        params.common.blackout = vec![DaySpan {
            from: Nanos(0),
            to: Nanos::from_secs(23 * 3_600),
        }];
    });
    let unknown = Nanos(u64::MAX);
    assert_eq!(
        refusal(scene.look_at(0, T0)),
        Pass::Blackout { remaining: unknown }
    );
    // Our zero was such that it is 22:00 now: an hour remains.
    let zero = 22 * 3_600_000_000_000 - i64::try_from(T0.0).unwrap();
    scene.strategy.on_clock(UnixNanos(zero));
    assert_eq!(
        refusal(scene.look_at(0, T0)),
        Pass::Blackout {
            remaining: Nanos::from_secs(3_600)
        }
    );
    scene.strategy.on_clock(UnixNanos(zero + 3_600_000_000_000));
    assert_eq!(qty(&taken(scene.look_at(0, T0))), V32);
}

#[test]
fn broken_sets_halt_until_rearmed() {
    let mut scene = with(|_| ());
    for _ in 0..3 {
        scene.strategy.on_set_broken(T0);
    }
    assert!(scene.strategy.is_halted());
    assert_eq!(
        refusal(scene.look_at(0, T0)),
        Pass::Halted {
            broken: 3,
            broken_max: 3
        }
    );
    scene.strategy.rearm();
    taken(scene.look_at(0, T0));
}

#[test]
fn what_is_not_known_refuses() {
    let mut scene = with(|_| ());
    scene.unsettled[1] = true;
    let one = arbalest::market::InstrumentId(1);
    assert_eq!(
        refusal(scene.look_at(0, T0)),
        Pass::Unsettled { instrument: one }
    );
    scene.unsettled[1] = false;
    scene.balances.clear();
    assert!(matches!(
        refusal(scene.look_at(0, T0)),
        Pass::PositionUnknown { .. }
    ));
}

#[test]
fn the_account_bounds_the_size() {
    let mut scene = with(|_| ());
    scene.fund("USDT", "600");
    let intent = taken(scene.look_at(0, T0));
    assert_eq!(qty(&intent)[0], 1_000);
    let first = legs(&intent)[0];
    let locked = first.limit_price.times(first.qty);
    assert!(
        locked <= Notional(6_000_000_000),
        "no more is locked than is free: {locked:?}"
    );
    scene.strategy.on_set_done();
    let mut scene = with(|_| ());
    scene.fund("USDT", "0.5");
    assert_eq!(
        refusal(scene.look_at(0, T0)),
        Pass::Inventory {
            room: Qty(0),
            qty_min: Qty(1)
        }
    );
    let mut scene = with(|params| params.start_min = Money(decimal("700")));
    scene.fund("USDT", "600");
    assert_eq!(
        refusal(scene.look_at(0, T0)),
        Pass::StartBelowMin {
            start: Money(decimal("600")),
            start_min: Money(decimal("700"))
        }
    );
    // 0.1 BTC may be held and 0.04 are: 0.06 may come, after the fee.
    let mut scene = with(|params| params.asset_caps = vec![(asset("BTC"), Money(decimal("0.1")))]);
    scene.fund("BTC", "0.04");
    let bought = qty(&taken(scene.look_at(0, T0)))[0];
    assert!((5_990..=6_006).contains(&bought), "{bought}");
    let mut scene = with(|_| ());
    scene.size_factor = Ppm(500_000);
    let bought = qty(&taken(scene.look_at(0, T0)))[0];
    assert!(
        (8_330..=8_333).contains(&bought),
        "half of 10,000: {bought}"
    );
}

#[test]
fn the_books_bound_the_size() {
    let mut scene = with(|params| params.common.max_book_take = Ppm(250_000));
    scene.show(1, &[(4_990, 500_000)], &[(5_000, 40_000)], T0);
    let found = qty(&taken(scene.look_at(1, T0)));
    assert!(
        (9_998..=10_000).contains(&found[1]),
        "a quarter of 4 ETH: {found:?}"
    );
    // A second level of ETH/BTC within the protective limit needs BTC to lock, and none is free.
    let mut scene = with(|_| ());
    scene.show(
        1,
        &[(4_990, 500_000)],
        &[(5_000, 10_000), (5_001, 40_000)],
        T0,
    );
    assert_eq!(qty(&taken(scene.look_at(1, T0)))[1], 10_000);
    let mut scene = with(|_| ());
    scene.fund("BTC", "0.00001");
    scene.show(
        1,
        &[(4_990, 500_000)],
        &[(5_000, 10_000), (5_001, 40_000)],
        T0,
    );
    let intent = taken(scene.look_at(1, T0));
    assert_eq!(
        (qty(&intent)[1], legs(&intent)[1].limit_price),
        (33_294, Price(5_001))
    );
    // Beyond the protective limit nothing is taken.
    let mut scene = with(|_| ());
    scene.show(
        2,
        &[(301_500, 10_000), (300_800, 40_000)],
        &[(301_600, 1)],
        T0,
    );
    let found = qty(&taken(scene.look_at(2, T0)));
    assert_eq!(found[2], 10_000);
}

/// Legs that do not wait are paid from what is free.
#[test]
fn parallel_legs_need_their_own_balances() {
    let mut scene = with(|params| params.execution = SendOrder::Together);
    assert_eq!(
        refusal(scene.look_at(0, T0)),
        Pass::Inventory {
            room: Qty(0),
            qty_min: Qty(1)
        }
    );
    scene.fund("BTC", "0.1");
    scene.fund("ETH", "1");
    let intent = taken(scene.look_at(0, T0));
    assert_eq!(qty(&intent)[2], 10_000, "all of the one ETH");
    let mut scene = with(|params| params.execution = SendOrder::FirstThenParallel);
    scene.fund("ETH", "2");
    assert_eq!(qty(&taken(scene.look_at(0, T0)))[2], 20_000);
}

#[test]
fn small_orders_are_refused_with_both_numbers() {
    let mut wanted = params(3);
    wanted.start_max = Money(Decimal::from(100));
    let mut scene = Scene::v32(wanted.clone());
    scene.warm();
    let mut pairs = scene.catalogue.all().to_vec();
    pairs[2].notional_min = Decimal::from(150);
    let mut scene = Scene::new(pairs.clone(), wanted.clone());
    scene.fund("USDT", "20000");
    scene.show_v32(T0);
    scene.warm();
    let reason = refusal(scene.look_at(0, T0));
    assert!(
        matches!(reason, Pass::NotionalBelowMin { notional, notional_min } if notional < notional_min && notional_min == Notional(150_000_000)),
        "{reason:?}"
    );
    pairs[2].notional_min = Decimal::ZERO;
    pairs[1].qty_min = Qty(400);
    let mut scene = Scene::new(pairs, wanted);
    scene.fund("USDT", "20000");
    scene.show_v32(T0);
    scene.warm();
    assert!(matches!(
        refusal(scene.look_at(0, T0)),
        Pass::Thin {
            qty: Qty(330..=333),
            qty_min: Qty(400)
        }
    ));
}

#[test]
fn a_grid_tries_shares_and_is_no_better() {
    let mut scene = with(|params| params.size_search = SizeSearch::Grid);
    let intent = taken(scene.look_at(0, T0));
    assert_eq!(qty(&intent), V32, "the largest is one of them");
}

/// Every route that was looked at counts once.
#[test]
fn counters_add_up() {
    let mut scene = with(|_| ());
    let before: u64 = scene
        .strategy
        .counters()
        .iter()
        .map(|(_, count)| count)
        .sum();
    assert_eq!(before, 6, "three looks at old books, two cycles each");
    for millis in 0..40 {
        scene.look_at(u16::try_from(millis % 3).unwrap(), at(millis));
    }
    let after: u64 = scene
        .strategy
        .counters()
        .iter()
        .map(|(_, count)| count)
        .sum();
    assert_eq!(after, before + 80);
    assert_eq!(scene.strategy.counters().evaluations, 43);
}
