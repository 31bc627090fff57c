//! Each rule by written numbers: entries, exits, evening, margin, and what is told when nothing is done.

use arbalest::strategy::basis::carry::{CarryTerms, carry, exit_cost_ceil, flip_loss_floor};
use arbalest::strategy::basis::margin::{distance_floor, leverage_ceil, shrink_share_ceil};
use arbalest::strategy::basis::{Direction, terms::PairTerms};
use arbalest::strategy::{
    BasisDirection, BasisParams, DaySpan, EdgeEnd, Evaluation, ExitStyle, MarginRoom, Outcome,
    Pass, RouteId, SpotPerpBasis, Strategy, StrategyError,
};
use arbalest::units::{Money, MonoNanos, Nanos, Ppm, Price, Qty, Side, UnixNanos};

use super::scene::{HOUR, Held, PERP, SPOT, Scene, T0, inverse, legs, money, params, small};

fn terms() -> CarryTerms {
    CarryTerms {
        spot_fee: Ppm(1_000),
        perp_fee: Ppm(400),
        exit_basis: Ppm(500),
        horizon: Nanos(72 * HOUR.0),
    }
}

/// The worked example of docs/STRATEGIES.md, every number.
#[test]
fn the_worked_example() {
    let worth = carry(
        &terms(),
        Direction::ShortPerp,
        Ppm(3_000),
        300_000,
        Nanos(8 * HOUR.0),
    );
    let worth = worth.unwrap();
    assert_eq!(
        (worth.gross, worth.fees, worth.net, worth.per_day),
        (Ppm(5_200), Ppm(2_803), Ppm(2_397), Ppm(799))
    );
    // Entry: 0.0033 on both legs, limits 2 bps beyond the touch, expected net carry as the edge.
    let mut scene = Scene::new(params());
    let intent = scene.taken(T0);
    assert_eq!(
        (intent.net_edge, intent.gross_edge),
        (Ppm(2_397), Ppm(5_200))
    );
    let [spot, perp] = legs(&intent)[..] else {
        panic!("two legs")
    };
    assert_eq!(
        (spot.instrument, spot.side, spot.qty),
        (SPOT, Side::Buy, Qty(33))
    );
    assert_eq!(
        (perp.instrument, perp.side, perp.qty),
        (PERP, Side::Sell, Qty(33))
    );
    assert_eq!(
        (spot.limit_price, spot.decision_price),
        (Price(6_001_200), Price(6_000_000))
    );
    assert_eq!(
        (perp.limit_price, perp.decision_price),
        (Price(6_016_797), Price(6_018_000))
    );
    // Exit: the perpetual at 60,029 over spot at 60,000 is 4.84 bps, rounded up.
    let mut scene = Scene::new(params());
    scene.spot(6_000_000, 6_000_100, T0);
    scene.perp(6_002_800, 6_002_900, T0);
    scene.held = Held::new(33, -33);
    let intent = scene.taken(T0);
    let [spot, perp] = legs(&intent)[..] else {
        panic!("two legs")
    };
    assert_eq!(
        (spot.side, spot.qty, perp.side, perp.qty),
        (Side::Sell, Qty(33), Side::Buy, Qty(33))
    );
    // Gains 0.16 bps on the exit basis and pays both fees once, 14.002 bps.
    assert_eq!(
        (intent.gross_edge, intent.net_edge),
        (Ppm(16), Ppm(16 - 1_401))
    );
    // A funding of -2 bps costs 18 in 72 h; leaving at 15 bps costs 24.01.
    let loss = flip_loss_floor(&terms(), Direction::ShortPerp, -200_000, Nanos(8 * HOUR.0));
    assert_eq!(loss, Some(Ppm(1_800)));
    assert_eq!(exit_cost_ceil(&terms(), Ppm(1_500)), Some(Ppm(2_401)));
}

#[test]
fn thresholds_are_inclusive() {
    // 20 bps on 60,000 is 120.00.
    for (bid, wanted) in [(6_012_000, true), (6_011_999, false)] {
        let mut scene = Scene::new(params());
        scene.perp(bid, bid + 100, T0);
        scene.fund(600_000, Some(T0.after(HOUR)), T0);
        let taken = matches!(scene.look(T0), Evaluation::Taken(_));
        assert_eq!(taken, wanted, "bid {bid}");
    }
    // 5 bps on 60,000 is 30.00.
    for (ask, wanted) in [(6_003_000, true), (6_003_001, false)] {
        let mut scene = Scene::new(params());
        scene.spot(6_000_000, 6_000_100, T0);
        scene.perp(ask - 100, ask, T0);
        scene.held = Held::new(33, -33);
        let taken = matches!(scene.look(T0), Evaluation::Taken(_));
        assert_eq!(taken, wanted, "ask {ask}");
    }
    // Net carry: 799 ppm a day passes at 799, not at 800.
    for (min, wanted) in [(799, true), (800, false)] {
        let own = BasisParams {
            min_net_carry_per_day: Ppm(min),
            ..params()
        };
        let taken = matches!(Scene::new(own).look(T0), Evaluation::Taken(_));
        assert_eq!(taken, wanted, "carry {min}");
    }
}

/// At the exact threshold there is nothing to give away: the limits are the touch.
#[test]
fn limits_never_undo_the_decision() {
    let mut scene = Scene::new(params());
    scene.perp(6_012_000, 6_012_100, T0);
    scene.fund(600_000, Some(T0.after(HOUR)), T0);
    for leg in legs(&scene.taken(T0)) {
        assert_eq!(leg.limit_price, leg.decision_price);
    }
    // Half of what the basis has to spare: 4 bps over the threshold are 2 a leg, of which the cushion takes all; 2 bps are 1.
    scene = Scene::new(params());
    scene.perp(6_013_200, 6_013_300, T0);
    scene.fund(600_000, Some(T0.after(HOUR)), T0);
    let limits: Vec<Price> = legs(&scene.taken(T0))
        .iter()
        .map(|leg| leg.limit_price)
        .collect();
    assert!(
        limits[0] > Price(6_000_000) && limits[0] <= Price(6_000_600),
        "{limits:?}"
    );
    let basis = (limits[1].0 - limits[0].0) * 1_000_000 / limits[0].0;
    assert!(basis >= 2_000, "still {basis} ppm at the limits");
}

#[test]
#[expect(clippy::too_many_lines, reason = "one case a reason")]
fn every_reason_not_to_enter_has_both_numbers() {
    let near = T0.after(Nanos::from_secs(30));
    let full = Held::new(833, -833);
    let with = |change: &dyn Fn(&mut BasisParams)| {
        let mut own = params();
        change(&mut own);
        Scene::new(own)
    };
    let mut scene = with(&|own| own.common.max_net_edge = Ppm(2_396));
    let reason = Pass::Implausible {
        net_edge: Ppm(2_397),
        net_edge_max: Ppm(2_396),
    };
    assert_eq!(scene.refusal(T0), reason);
    assert!(scene.seen.iter().any(|seen| seen.route == RouteId(0)
        && matches!(seen.end, EdgeEnd::Passed { reason: Some(said), .. } if said == reason)));

    let mut scene = with(&|own| own.min_net_carry_per_day = Ppm(800));
    let (carry_per_day, carry_per_day_min) = (Ppm(799), Ppm(800));
    assert_eq!(
        scene.refusal(T0),
        Pass::CarryBelowMin {
            carry_per_day,
            carry_per_day_min
        }
    );

    let mut scene = with(&|own| own.min_funding_8h_ppb = 300_001);
    let (funding_8h_ppb, funding_8h_ppb_min) = (300_000, 300_001);
    assert_eq!(
        scene.refusal(T0),
        Pass::FundingBelowMin {
            funding_8h_ppb,
            funding_8h_ppb_min
        }
    );

    let mut scene = with(&|_| {});
    scene.fund(300_000, Some(near), T0);
    let (remaining, guard) = (Nanos::from_secs(30), Nanos::from_secs(30));
    assert_eq!(scene.refusal(T0), Pass::NearFunding { remaining, guard });
    scene.fund(300_000, Some(near.after(Nanos(1))), T0);
    assert!(
        matches!(scene.look(T0), Evaluation::Taken(_)),
        "a nanosecond before the guard"
    );

    let mut scene = with(&|_| {});
    let late = T0.after(Nanos(60_000_000_001));
    scene.spot(5_999_900, 6_000_000, late);
    scene.perp(6_018_000, 6_018_100, late);
    let (age, age_max) = (Nanos(60_000_000_001), Nanos::from_secs(60));
    assert_eq!(scene.refusal(late), Pass::FundingStale { age, age_max });

    let mut scene = with(&|own| own.common.confirm_updates = 2);
    assert_eq!(
        scene.refusal(T0),
        Pass::Confirming {
            seen: 1,
            required: 2
        }
    );
    assert!(matches!(scene.look(T0), Evaluation::Taken(_)));

    let mut scene = with(&|own| own.common.max_sets_per_min = 0);
    assert_eq!(
        scene.refusal(T0),
        Pass::SetRate {
            started: 0,
            started_max: 0
        }
    );

    let mut scene = with(&|_| {});
    let later = T0.after(Nanos(100_000_001));
    scene.perp(6_018_000, 6_018_100, later);
    let (skew, skew_max) = (Nanos(100_000_001), Nanos::from_millis(100));
    assert_eq!(scene.refusal(later), Pass::LegSkew { skew, skew_max });

    let mut scene = with(&|_| {});
    scene.held.unsettled[1] = true;
    assert_eq!(scene.refusal(T0), Pass::Unsettled { instrument: PERP });
    scene.held.unsettled.clear();
    assert_eq!(
        scene.refusal(T0),
        Pass::Unsettled { instrument: SPOT },
        "not told is not settled"
    );

    // 5,000 is 0.0833 at 60,000: nothing is left.
    let mut scene = with(&|_| {});
    scene.held = full;
    assert_eq!(
        scene.refusal(T0),
        Pass::Inventory {
            room: Qty(0),
            qty_min: Qty(1)
        }
    );

    let mut scene = with(&|own| own.common.max_book_take = Ppm(99));
    assert_eq!(
        scene.refusal(T0),
        Pass::Thin {
            qty: Qty(0),
            qty_min: Qty(1)
        }
    );

    let mut scene = with(&|_| {});
    scene.held.margins[1] = None;
    assert_eq!(scene.refusal(T0), Pass::MarginUnknown { instrument: PERP });

    // 0.0033 at the mark of 60,180 is 198.594; twice the equity of 99 is 198.
    let mut scene = with(&|_| {});
    scene.held.margins[1] = MarginRoom::new(money("99"), money("0"));
    let (leverage, leverage_max) = (Ppm(2_006_000), Ppm(2_000_000));
    assert_eq!(
        scene.refusal(T0),
        Pass::Leverage {
            leverage,
            leverage_max
        }
    );

    // 100 - 40 - 2.5 % of 198.594 is 55.03515, over 198.594 + 2 x 44.96485.
    let mut scene = with(&|_| {});
    scene.held.margins[1] = MarginRoom::new(money("100"), money("40"));
    let (distance, distance_min) = (Ppm(190_747), Ppm(350_000));
    assert_eq!(
        scene.refusal(T0),
        Pass::LiquidationNear {
            distance,
            distance_min
        }
    );

    let mut scene = with(&|_| {});
    scene.held.positions.pop();
    assert_eq!(
        scene.refusal(T0),
        Pass::PositionUnknown { instrument: PERP }
    );

    let mut scene = with(&|own| own.common.max_broken_sets = 1);
    scene.strategy.on_set_broken(T0);
    assert_eq!(
        scene.refusal(T0),
        Pass::Halted {
            broken: 1,
            broken_max: 1
        }
    );
    scene.strategy.rearm();
    assert!(matches!(scene.look(T0), Evaluation::Taken(_)));
}

/// In a blackout nothing is entered and nothing left, but liquidation does not wait.
#[test]
fn blackouts_hold_what_can_wait() {
    let mut own = params();
    own.common.blackout = vec![DaySpan {
        from: Nanos(0),
        to: Nanos(HOUR.0),
    }];
    let mut scene = Scene::new(own.clone());
    // T0 is 1,000,000 s on our clock: 13:46:40 of a day that began at its zero.
    scene.strategy.on_clock(UnixNanos(0));
    assert!(matches!(scene.look(T0), Evaluation::Taken(_)));
    let zero = UnixNanos(-i64::try_from(T0.0).unwrap() + 1_000_000_000);
    let remaining = Nanos(HOUR.0 - 1_000_000_000);
    let mut scene = Scene::new(own.clone());
    scene.strategy.on_clock(zero);
    assert_eq!(scene.refusal(T0), Pass::Blackout { remaining });
    let mut scene = Scene::new(own);
    scene.strategy.on_clock(zero);
    scene.perp(6_000_000, 6_000_100, T0);
    scene.held = Held::new(33, -33);
    assert_eq!(scene.refusal(T0), Pass::Blackout { remaining });
    scene.held.margins[1] = MarginRoom::new(money("20"), money("1"));
    assert_eq!(scene.taken(T0).leg_count(), 2);
}

#[test]
fn a_venue_that_never_told_funding_gets_no_entry() {
    let mut scene = Scene::of(&small(), params());
    scene.spot(5_999_900, 6_000_000, T0);
    scene.perp(6_018_000, 6_018_100, T0);
    let (age, age_max) = (Nanos(u64::MAX), Nanos::from_secs(60));
    assert_eq!(scene.refusal(T0), Pass::FundingStale { age, age_max });
    scene.fund(300_000, None, T0);
    assert_eq!(
        scene.refusal(T0),
        Pass::FundingStale { age, age_max },
        "no instant"
    );
}

/// The same rate every four hours is twice as much in eight; the interval is learned when the next instant moves on.
#[test]
fn funding_is_normalised_to_eight_hours() {
    let own = BasisParams {
        min_funding_8h_ppb: 600_000,
        ..params()
    };
    let mut scene = Scene::new(own);
    let (funding_8h_ppb, funding_8h_ppb_min) = (300_000, 600_000);
    assert_eq!(
        scene.refusal(T0),
        Pass::FundingBelowMin {
            funding_8h_ppb,
            funding_8h_ppb_min
        }
    );
    let first = T0.after(Nanos::from_secs(1));
    scene.fund(300_000, Some(first), T0);
    scene.fund(300_000, Some(first.after(Nanos(4 * HOUR.0))), first);
    scene.spot(5_999_900, 6_000_000, first);
    scene.perp(6_018_000, 6_018_100, first);
    assert!(matches!(scene.look(first), Evaluation::Taken(_)));
    assert_eq!(
        scene.books.get(PERP).unwrap().funding().unwrap().interval,
        Some(Nanos(4 * HOUR.0))
    );
}

/// One slice a second, and none while a set is out; what is refused rests too.
#[test]
fn slices_keep_their_pace() {
    let mut scene = Scene::new(params());
    scene.taken(T0);
    let soon = T0.after(Nanos::from_millis(100));
    scene.again(soon);
    let (remaining, cooldown) = (Nanos::from_millis(900), Nanos::from_secs(1));
    assert_eq!(
        scene.refusal(soon),
        Pass::Cooldown {
            remaining,
            cooldown
        }
    );
    let later = T0.after(Nanos::from_secs(1));
    scene.again(later);
    assert_eq!(
        scene.refusal(later),
        Pass::OpenSets {
            open: 1,
            open_max: 1
        }
    );
    scene.strategy.on_set_done();
    scene.held = Held::new(33, -33);
    let intent = scene.taken(later);
    assert_eq!(legs(&intent)[0].qty, Qty(33));
    scene.strategy.on_set_refused();
    assert!(
        matches!(scene.refusal(later), Pass::Cooldown { .. }),
        "what the gate refused rests"
    );
    assert_eq!(scene.strategy.counters().of(Outcome::Taken), 2);
}

#[test]
fn risk_and_room_make_slices_smaller() {
    let mut scene = Scene::new(params());
    scene.held.factor = Ppm(500_000);
    assert_eq!(
        legs(&scene.taken(T0))[1].qty,
        Qty(16),
        "half of 0.003333, floored"
    );
    let mut scene = Scene::new(params());
    scene.held = Held::new(820, -820);
    assert_eq!(legs(&scene.taken(T0))[1].qty, Qty(13), "up to 0.0833");
    let own = BasisParams {
        slice: money("5000"),
        ..params()
    };
    let mut scene = Scene::new(own.clone());
    assert_eq!(legs(&scene.taken(T0))[0].qty, Qty(833));
    let mut scene = Scene::new(own);
    scene.spot(5_999_900, 6_000_000, T0);
    let books = &mut scene.books;
    super::small_market::set_book(books, 0, &[(5_999_900, 9)], &[(6_000_000, 400)], T0);
    assert_eq!(
        legs(&scene.taken(T0))[0].qty,
        Qty(100),
        "a quarter of what is shown"
    );
}

/// A fresh strategy finds a pair in the positions and takes it off: nothing of it is memory (hummingbot #4805).
#[test]
fn a_restart_goes_on_with_what_is_held() {
    let mut scene = Scene::new(params());
    scene.spot(6_000_000, 6_000_100, T0);
    scene.perp(6_000_000, 6_000_100, T0);
    scene.held = Held::new(100, -100);
    let mut at = T0;
    let mut left = 100;
    for expected in [33, 33, 34] {
        let intent = scene.taken(at);
        let [spot, perp] = legs(&intent)[..] else {
            panic!("both legs in one set")
        };
        assert_eq!((spot.side, perp.side), (Side::Sell, Side::Buy));
        assert_eq!((spot.qty, perp.qty), (Qty(expected), Qty(expected)));
        left -= expected;
        scene.strategy.on_set_done();
        scene.held = Held::new(left, -left);
        at = at.after(Nanos::from_secs(1));
        scene.again(at);
        if left == 34 {
            // What is left after a slice is more than a slice by one lot: it stays a slice and one lot.
            scene.held = Held::new(34, -34);
            let own = legs(&scene.taken(at))[0].qty;
            assert_eq!(own, Qty(33));
            return;
        }
    }
}

#[test]
fn at_once_is_in_halves_of_the_largest_pair() {
    let own = BasisParams {
        exit_style: ExitStyle::PairNow,
        ..params()
    };
    let mut scene = Scene::new(own);
    scene.spot(6_000_000, 6_000_100, T0);
    scene.perp(6_000_000, 6_000_100, T0);
    scene.held = Held::new(833, -833);
    assert_eq!(legs(&scene.taken(T0))[0].qty, Qty(416));
    scene.strategy.on_set_done();
    scene.held = Held::new(417, -417);
    let at = T0.after(Nanos::from_millis(250));
    scene.again(at);
    assert_eq!(
        legs(&scene.taken(at))[1].qty,
        Qty(416),
        "no slice pause, only the cooldown"
    );
}

#[test]
fn legs_outside_the_band_lose_what_is_too_much() {
    let trim = |spot: i64, perp: i64| {
        let mut scene = Scene::new(params());
        scene.held = Held::new(spot, perp);
        match scene.look(T0) {
            Evaluation::Taken(intent) if intent.leg_count() == 1 => legs(&intent)
                .first()
                .map(|leg| (leg.instrument, leg.side, leg.qty.0)),
            Evaluation::Taken(_) | Evaluation::Refused { .. } | Evaluation::Nothing => None,
        }
    };
    // 50 bps of 600 are 3.
    assert_eq!(trim(600, -597), None, "the band is inclusive");
    assert_eq!(trim(600, -596), Some((SPOT, Side::Sell, 4)));
    assert_eq!(trim(596, -600), Some((PERP, Side::Buy, 4)));
    assert_eq!(trim(-600, 500), Some((SPOT, Side::Buy, 100)));
    assert_eq!(
        trim(100, 0),
        Some((SPOT, Side::Sell, 100)),
        "a leg alone is taken off"
    );
    assert_eq!(trim(0, -100), Some((PERP, Side::Buy, 100)));
    assert_eq!(
        trim(100, 40),
        Some((SPOT, Side::Sell, 100)),
        "never beyond flat"
    );
    // An order that only reduces: the gate asks no edge of it, and it says what it costs.
    let mut scene = Scene::new(params());
    scene.held = Held::new(100, 0);
    assert_eq!(scene.taken(T0).net_edge, Ppm(-1_000));
}

/// Funding that turned is left only when that is cheaper than staying.
#[test]
fn a_funding_flip_weighs_cost_against_loss() {
    let at = |rate: i64, flip: bool| {
        let own = BasisParams {
            funding_flip_exit: flip,
            ..params()
        };
        let mut scene = Scene::new(own);
        // 10 bps are left: 5 above the exit. Leaving costs 5 and both fees once, 14.004.
        scene.spot(6_000_000, 6_000_100, T0);
        scene.perp(6_005_900, 6_006_000, T0);
        scene.held = Held::new(33, -33);
        scene.fund(rate, Some(T0.after(HOUR)), T0);
        let taken = matches!(scene.look(T0), Evaluation::Taken(_));
        (
            taken,
            scene.seen.last().copied(),
            scene.strategy.route(RouteId(1)).unwrap().1,
        )
    };
    let (taken, seen, outcome) = at(-200_000, true);
    let dearer = Pass::ExitDearer {
        cost: Ppm(1_901),
        loss: Ppm(1_800),
    };
    assert!(!taken && outcome == Outcome::ExitDearer);
    assert!(
        matches!(seen.unwrap().end, EdgeEnd::Passed { reason: Some(said), .. } if said == dearer)
    );
    assert!(at(-220_000, true).0, "19.80 are more than 19.01");
    assert!(!at(-220_000, false).0, "switched off");
    assert!(!at(100_000, true).0);
}

/// Age counts from the first look at the pair, so a restart starts it anew.
#[test]
fn a_pair_is_not_held_for_ever() {
    let own = BasisParams {
        max_hold: Nanos::from_secs(10),
        ..params()
    };
    let mut scene = Scene::new(own);
    scene.held = Held::new(100, -100);
    scene.held.unsettled = vec![true, true];
    scene.look(T0);
    assert_eq!(scene.strategy.held_since(), Some(T0));
    scene.held.unsettled = vec![false, false];
    let due = T0.after(Nanos::from_secs(10));
    let early = MonoNanos(due.0 - 1);
    scene.again(early);
    assert_eq!(
        legs(&scene.taken(early))[0].side,
        Side::Buy,
        "one more slice"
    );
    scene.strategy.on_set_refused();
    scene.again(due);
    assert_eq!(
        legs(&scene.taken(due))[0].side,
        Side::Sell,
        "and off it goes"
    );
    scene.strategy.on_set_done();
    // While it is taken off nothing is put on, however good the basis is.
    let later = due.after(Nanos::from_millis(100));
    scene.again(later);
    assert!(matches!(scene.refusal(later), Pass::Cooldown { .. }));
    assert_eq!(scene.strategy.route(RouteId(0)).unwrap().1, Outcome::Outbid);
    scene.held = Held::new(0, 0);
    scene.look(later);
    assert_eq!(scene.strategy.held_since(), None);
}

/// V37's short: 10 at 100,000 with a wallet of 20,000 and maintenance of 6,950; its true liquidation is 129.21 bps away.
#[test]
fn the_distance_to_liquidation_is_never_too_far() {
    let room = MarginRoom::new(money("20000"), money("6950")).unwrap();
    let value = 1_000_000 * 10_i128.pow(12);
    assert_eq!(distance_floor(&room, value), Ppm(12_871));
    assert_eq!(leverage_ceil(&room, value), Ppm(50_000_000));
    let broke = MarginRoom::new(money("-5"), money("1")).unwrap();
    assert_eq!(distance_floor(&broke, value), Ppm(0));
    assert_eq!(leverage_ceil(&broke, value), Ppm(i64::MAX));
    // At a third of the wanted distance two thirds must go; the wanted one is the warning level.
    assert_eq!(shrink_share_ceil(Ppm(175_000), Ppm(200_000)), Ppm(500_000));
    assert_eq!(shrink_share_ceil(Ppm(0), Ppm(200_000)), Ppm(1_000_000));
}

#[test]
fn near_liquidation_both_legs_shrink_together() {
    let look = |equity: &str| {
        let mut scene = Scene::new(params());
        scene.held = Held::new(800, -800);
        // Worth 4,814.40 at the mark of 60,180.
        scene.held.margins[1] = MarginRoom::new(money(equity), money("0"));
        let said = scene.look(T0);
        (said, scene.seen.clone())
    };
    // 2,000 bps are 962.88.
    let (said, _) = look("962.87");
    let Evaluation::Taken(intent) = said else {
        panic!("shrinks: {said:?}")
    };
    let [spot, perp] = legs(&intent)[..] else {
        panic!("both legs")
    };
    // 1 - 1999/3500 of 0.08, rounded up, is 0.0343: at once, not in slices.
    assert_eq!(
        (spot.side, spot.qty, perp.side, perp.qty),
        (Side::Sell, Qty(343), Side::Buy, Qty(343))
    );
    // Between both levels nothing moves, nothing is added, and it is told.
    let (said, seen) = look("962.88");
    assert!(!matches!(said, Evaluation::Taken(_)), "{said:?}");
    let warned = Pass::LiquidationNear {
        distance: Ppm(200_000),
        distance_min: Ppm(350_000),
    };
    assert!(seen.iter().any(|one| one.route == RouteId(1)
        && matches!(one.end, EdgeEnd::Passed { reason: Some(reason), .. } if reason == warned)));
    assert!(
        matches!(look("100000").0, Evaluation::Taken(_)),
        "another slice"
    );
}

/// The mirror: spot is sold from inventory and bought back.
#[test]
fn long_perpetual_is_the_mirror() {
    let own = BasisParams {
        direction: BasisDirection::Both,
        ..params()
    };
    let mut scene = Scene::new(own.clone());
    scene.perp(5_981_800, 5_981_900, T0);
    scene.fund(-300_000, Some(T0.after(HOUR)), T0);
    let intent = scene.taken(T0);
    let [spot, perp] = legs(&intent)[..] else {
        panic!("two legs")
    };
    // 59,999 less 59,819 is 30.00 bps of 59,999.
    assert_eq!((spot.side, perp.side), (Side::Sell, Side::Buy));
    assert_eq!(
        (intent.gross_edge, intent.net_edge),
        (Ppm(5_200), Ppm(5_200 - 2_803))
    );
    let mut scene = Scene::new(own.clone());
    scene.perp(5_981_800, 5_981_900, T0);
    scene.fund(-300_000, Some(T0.after(HOUR)), T0);
    scene.held.available[0] = Qty(20);
    assert_eq!(
        legs(&scene.taken(T0))[0].qty,
        Qty(20),
        "no more than there is"
    );
    let mut scene = Scene::new(own);
    scene.held = Held::new(-33, 33);
    scene.spot(5_999_900, 6_000_000, T0);
    scene.perp(5_998_000, 5_998_100, T0);
    let intent = scene.taken(T0);
    let [spot, perp] = legs(&intent)[..] else {
        panic!("two legs")
    };
    assert_eq!(
        (spot.side, perp.side, spot.qty),
        (Side::Buy, Side::Sell, Qty(33))
    );
}

/// With both directions allowed, a pair is taken off before one of the other direction is put on.
#[test]
fn the_other_direction_waits() {
    let own = BasisParams {
        direction: BasisDirection::Both,
        ..params()
    };
    let mut scene = Scene::new(own);
    scene.held = Held::new(33, -33);
    scene.perp(5_981_800, 5_981_900, T0);
    scene.fund(-300_000, Some(T0.after(HOUR)), T0);
    let intent = scene.taken(T0);
    assert_eq!(scene.strategy.route(RouteId(1)).unwrap().1, Outcome::Taken);
    assert_eq!(legs(&intent)[0].qty, Qty(33));
    let at = T0.after(Nanos::from_millis(10));
    scene.again(at);
    scene.look(at);
    assert_eq!(scene.strategy.route(RouteId(2)).unwrap().1, Outcome::Outbid);
}

#[test]
fn routes_are_four_and_exits_are_always_open() {
    let strategy = SpotPerpBasis::new(params(), &small()).unwrap();
    let strategy: &dyn Strategy = &strategy;
    let ids: Vec<u16> = strategy.routes().map(|(route, _)| route.id.0).collect();
    assert_eq!(ids, [0, 1, 3], "long_perp may not be entered");
    let sides = |id: u16| -> Vec<(u16, Side)> {
        let (route, _) = strategy.route(RouteId(id)).unwrap();
        route
            .legs()
            .map(|(instrument, side)| (instrument.0, side))
            .collect()
    };
    assert_eq!(sides(0), [(0, Side::Buy), (1, Side::Sell)]);
    assert_eq!(sides(1), [(0, Side::Sell), (1, Side::Buy)]);
    assert_eq!(sides(3), [(0, Side::Buy), (1, Side::Sell)]);
}

#[test]
fn stale_books_are_no_prices() {
    let mut scene = Scene::new(params());
    let late = T0.after(Nanos(250_000_001));
    assert_eq!(scene.look(late), Evaluation::Nothing);
    assert_eq!(scene.strategy.counters().of(Outcome::StaleBook), 4);
    let edges = scene.seen.len();
    assert_eq!(edges, 0, "there was no edge to lose");
}

/// V16 and V21: 100-dollar contracts. The base that hedges them is their value at the entry price, and stays it.
#[test]
fn inverse_contracts_are_hedged_by_their_coin() {
    let catalogue = inverse();
    let own = BasisParams {
        slice: money("1000"),
        max_position: money("50000"),
        ..params()
    };
    let terms = PairTerms::new(&own, &catalogue).unwrap();
    // 10,000 at 50,000 and 10,000 at 25,000 of one-dollar contracts cost 0.6 coin: here 200 contracts, sold.
    let base = terms.perp_base(Qty(-200), money("0.6")).unwrap();
    assert_eq!(base, -600_000_000_000);
    let per = terms.per_held(Qty(-200), base);
    let half = terms.pair_floor(300_000_000_000, per);
    assert_eq!((half.perp, half.spot), (Qty(100), Qty(30_000_000)));
    // Entry of 1,000 dollars at 60,000.0: ten contracts against 0.01666666 coin.
    let mut scene = Scene::of(&catalogue, own);
    let spot_qty = 100_000_000;
    super::small_market::set_book(
        &mut scene.books,
        0,
        &[(5_999_900, spot_qty)],
        &[(6_000_000, spot_qty)],
        T0,
    );
    super::small_market::set_book(
        &mut scene.books,
        1,
        &[(601_800, 10_000)],
        &[(601_810, 10_000)],
        T0,
    );
    scene.fund(300_000, Some(T0.after(HOUR)), T0);
    let intent = scene.taken(T0);
    let [spot, perp] = legs(&intent)[..] else {
        panic!("two legs")
    };
    // 1,000 dollars of spot are 0.016666 coin; at 60,180 a contract is 0.001661 coin, so ten fit: 0.01661681 coin.
    assert_eq!((perp.side, perp.qty), (Side::Sell, Qty(10)));
    assert_eq!((spot.side, spot.qty), (Side::Buy, Qty(1_661_681)));
    // V21: whatever the price does, 0.5 coin against 20,000 dollars sold at 40,000 is even.
    scene.held = Held::new(50_000_000, -200);
    scene.held.costs[1] = money("0.5");
    for bid in [320_000, 400_000, 500_000] {
        let spot_bid = bid * 10;
        super::small_market::set_book(
            &mut scene.books,
            0,
            &[(spot_bid, spot_qty)],
            &[(spot_bid + 100, spot_qty)],
            T0,
        );
        super::small_market::set_book(
            &mut scene.books,
            1,
            &[(bid + 40, 10_000)],
            &[(bid + 50, 10_000)],
            T0,
        );
        let alone = matches!(scene.look(T0), Evaluation::Taken(intent) if intent.leg_count() == 1);
        assert!(!alone, "at {bid}");
    }
}

#[test]
fn pairs_that_do_not_hedge_are_refused() {
    let build = |own: BasisParams| SpotPerpBasis::new(own, &small()).unwrap_err();
    let swapped = BasisParams {
        spot: PERP,
        perp: SPOT,
        ..params()
    };
    assert_eq!(build(swapped), StrategyError::NotComparable(1));
    let same = BasisParams {
        perp: SPOT,
        ..params()
    };
    assert_eq!(build(same), StrategyError::NotComparable(0));
    for (own, field) in [
        (
            BasisParams {
                leverage: 0,
                ..params()
            },
            "leverage",
        ),
        (
            BasisParams {
                carry_horizon: Nanos(0),
                ..params()
            },
            "carry_horizon_h",
        ),
        (
            BasisParams {
                slice: Money::ZERO,
                ..params()
            },
            "slice_quote",
        ),
    ] {
        assert_eq!(build(own), StrategyError::Parameter(field));
    }
    let dear = BasisParams {
        perp_fee: Ppm::ONE,
        ..params()
    };
    assert_eq!(build(dear), StrategyError::Fees(2));
}

/// The page and the code say the same.
#[test]
fn the_page_has_these_numbers() {
    let page = include_str!("../../docs/STRATEGIES.md");
    let worth = carry(
        &terms(),
        Direction::ShortPerp,
        Ppm(3_000),
        300_000,
        Nanos(8 * HOUR.0),
    )
    .unwrap();
    let mut scene = Scene::new(params());
    let orders = legs(&scene.taken(T0));
    let grid = super::small_market::grid();
    let v37 = MarginRoom::new(money("20000"), money("6950")).unwrap();
    let distance = distance_floor(&v37, 1_000_000 * 10_i128.pow(12));
    let flip = flip_loss_floor(&terms(), Direction::ShortPerp, -200_000, Nanos(8 * HOUR.0));
    let cost = exit_cost_ceil(&terms(), Ppm(1_500)).unwrap();
    let cost = cost.to_string();
    let rows = [
        format!("| gross carry | {} |", worth.gross),
        format!("bps | {} |\n| net carry in 72 h", worth.fees),
        format!("| net carry in 72 h | {} |", worth.net),
        format!("| net carry a day | {} |", worth.per_day),
        format!("| {} on both legs |", grid.qty_text(orders[0].qty)),
        format!("2 bps above | {} |", grid.price_text(orders[0].limit_price)),
        format!("2 bps below | {} |", grid.price_text(orders[1].limit_price)),
        format!("is {distance} away by that"),
        format!("expected to cost {} in 72 h", flip.unwrap()),
        format!("leaving {} (", cost.trim_end_matches(" bps")),
    ];
    for row in rows {
        assert!(page.contains(&row), "docs/STRATEGIES.md lacks: {row}");
    }
}
