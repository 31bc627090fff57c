//! The cross-venue strategy against written numbers, its bounds one by one, and its slow twin in decimals.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "test helpers")]

use arbalest::market::event::END_OF_BATCH;
use arbalest::market::{Books, EventKind, Instrument, InstrumentId, MarketEvent};
use arbalest::prng::Prng;
use arbalest::strategy::{
    CommonParams, CrossVenue, CrossVenueParams, Evaluation, Inventory, Outcome, Pass, Route,
    Strategy, StrategyError,
};
use arbalest::trade::{Intent, Leg, StrategyId};
use arbalest::units::{MonoNanos, Nanos, Notional, Ppm, Price, Qty, Side};
use rust_decimal::Decimal;

#[path = "support/small_market.rs"]
mod small_market;
use small_market::{catalogue, grid, instrument, set_book};

const T0: MonoNanos = MonoNanos(10_000_000_000_000);
const PLENTY: [Qty; 8] = [Qty(1_000_000_000); 8];
const FLAT: [Qty; 8] = [Qty(0); 8];
const FULL: [Ppm; 8] = [Ppm::ONE; 8];
/// Everything may be sold, nothing is held.
const FREE: Inventory<'static> = Inventory {
    positions: &FLAT,
    available: &PLENTY,
    size_factors: &FULL,
    size_factor: Ppm::ONE,
    costs: &[],
    margins: &[],
    unsettled: &[],
    venues: &[],
};

fn params(count: u16) -> CrossVenueParams {
    CrossVenueParams {
        common: CommonParams {
            id: StrategyId(0),
            name: "test".to_owned(),
            min_net_edge: Ppm(400),
            max_net_edge: Ppm(15_000),
            confirm_updates: 1,
            max_book_take: Ppm::ONE,
            max_book_age: Nanos::from_millis(250),
            max_leg_skew: Nanos::from_millis(100),
            cooldown: Nanos::from_millis(250),
            max_sets_per_min: 30,
            max_open_sets: 1,
            limit_cushion: Ppm(200),
            leg_timeout: Nanos::from_millis(500),
            max_unwind_cost: Ppm(3_000),
            max_broken_sets: 3,
            depth_levels: 20,
            blackout: Vec::new(),
        },
        instruments: (0..count).map(InstrumentId).collect(),
        taker_fees: vec![Ppm(1_000); usize::from(count)],
        routes_deny: Vec::new(),
        maker_fees: Vec::new(),
        fee_assets: Vec::new(),
        conversions: Vec::new(),
        max_quote_depeg: Ppm::from_bps(30),
        leg_order: arbalest::strategy::LegOrder::Together,
        inventory: None,
        min_runway_sets: 0,
        min_order_notional: Notional(0),
        max_order_notional: grid()
            .notional_floor(arbalest::units::Money(Decimal::from(1_000_000)))
            .unwrap(),
        max_inventory_notional: grid()
            .notional_floor(arbalest::units::Money(Decimal::from(10_000_000)))
            .unwrap(),
    }
}

struct Scene {
    books: Books,
    strategy: CrossVenue,
}

impl Scene {
    fn new(instruments: Vec<Instrument>, params: CrossVenueParams) -> Self {
        let catalogue = catalogue(instruments);
        let strategy = CrossVenue::new(params, &catalogue).unwrap();
        Self {
            books: Books::new(&catalogue),
            strategy,
        }
    }
    /// V31: buy at 60,000 on venue 0, sell at 60,150 on venue 1, half a coin on each.
    fn v31(params: CrossVenueParams) -> Self {
        let mut scene = Self::new(vec![instrument(0, false), instrument(1, false)], params);
        scene.show(T0, 6_000_000, 6_015_000);
        scene
    }
    fn show(&mut self, at: MonoNanos, ask: i64, bid: i64) {
        set_book(
            &mut self.books,
            0,
            &[(ask - 100, 5_000)],
            &[(ask, 5_000)],
            at,
        );
        set_book(
            &mut self.books,
            1,
            &[(bid, 5_000)],
            &[(bid + 100, 5_000)],
            at,
        );
    }
    fn look(&mut self, now: MonoNanos) -> Evaluation {
        self.strategy
            .on_batch(InstrumentId(1), &self.books, &FREE, now, &mut ())
    }
}

fn routes(strategy: &dyn Strategy) -> impl Iterator<Item = (Route, Outcome)> {
    strategy.routes()
}

fn taken(evaluation: Evaluation) -> Intent {
    match evaluation {
        Evaluation::Taken(intent) => intent,
        other @ (Evaluation::Refused { .. } | Evaluation::Nothing) => {
            panic!("not taken: {other:?}")
        }
    }
}

fn refusal(evaluation: Evaluation) -> Pass {
    match evaluation {
        Evaluation::Refused { reason, .. } => reason,
        other @ (Evaluation::Taken(_) | Evaluation::Nothing) => panic!("not refused: {other:?}"),
    }
}

fn legs(intent: &Intent) -> Vec<Leg> {
    intent.legs().copied().collect()
}

#[test]
fn takes_the_edge_of_vector_v31() {
    let mut scene = Scene::v31(params(2));
    let intent = taken(scene.look(T0));
    assert_eq!((intent.net_edge, intent.gross_edge), (Ppm(497), Ppm(2_500)));
    assert_eq!(
        (
            intent.tick_received_at,
            intent.decided_at,
            intent.leg_timeout
        ),
        (T0, T0, Nanos::from_millis(500))
    );
    let [buy, sell] = legs(&intent)[..] else {
        panic!("two legs")
    };
    assert_eq!(
        (buy.instrument, buy.side, buy.qty, buy.decision_price),
        (InstrumentId(0), Side::Buy, Qty(5_000), Price(6_000_000))
    );
    assert_eq!(
        (sell.instrument, sell.side, sell.qty, sell.decision_price),
        (InstrumentId(1), Side::Sell, Qty(5_000), Price(6_015_000))
    );
    // The cushion of 2 bps is 12.00, within half of the 29.85 a coin that the pair earns.
    assert_eq!(
        (buy.limit_price, sell.limit_price),
        (Price(6_001_200), Price(6_013_797))
    );
    assert_eq!(scene.strategy.counters().of(Outcome::Taken), 1);
    assert_eq!(
        scene.strategy.counters().of(Outcome::BelowThreshold),
        1,
        "the way back"
    );
    assert_eq!(scene.strategy.counters().opportunities, 1);
}

#[test]
fn either_book_may_be_the_one_that_changed() {
    let mut scene = Scene::v31(params(2));
    let intent = taken(
        scene
            .strategy
            .on_batch(InstrumentId(0), &scene.books, &FREE, T0, &mut ()),
    );
    assert_eq!(legs(&intent)[0].instrument, InstrumentId(0));
    assert_eq!(
        scene
            .strategy
            .on_batch(InstrumentId(7), &scene.books, &FREE, T0, &mut ()),
        Evaluation::Nothing
    );
}

#[test]
fn the_minimum_edge_is_inclusive() {
    // bid × 0.999 >= 60,000 × 1.0014 first holds at 60,144.15 (rounded up to a cent).
    for (bid, wanted) in [(6_014_415, true), (6_014_414, false)] {
        let mut scene = Scene::v31(params(2));
        scene.show(T0, 6_000_000, bid);
        assert_eq!(
            matches!(scene.look(T0), Evaluation::Taken(_)),
            wanted,
            "bid {bid}"
        );
    }
}

#[test]
fn an_edge_too_good_is_refused_with_both_numbers() {
    let mut scene = Scene::v31(params(2));
    scene.show(T0, 6_000_000, 6_200_000);
    let Pass::Implausible {
        net_edge,
        net_edge_max,
    } = refusal(scene.look(T0))
    else {
        panic!()
    };
    assert!(net_edge > net_edge_max);
    assert_eq!(net_edge_max, Ppm(15_000));
}

#[test]
fn a_stale_or_untrusted_book_is_no_price() {
    let mut scene = Scene::v31(params(2));
    let late = T0.after(Nanos::from_millis(250));
    assert!(
        matches!(scene.look(late), Evaluation::Taken(_)),
        "the limit is inclusive"
    );
    let mut scene = Scene::v31(params(2));
    assert_eq!(scene.look(late.after(Nanos(1))), Evaluation::Nothing);
    assert_eq!(scene.strategy.counters().of(Outcome::StaleBook), 2);
    // Crossed: suspect.
    let mut scene = Scene::v31(params(2));
    set_book(
        &mut scene.books,
        0,
        &[(6_000_001, 5_000)],
        &[(6_000_000, 5_000)],
        T0,
    );
    assert_eq!(scene.look(T0), Evaluation::Nothing);
}

#[test]
fn books_of_different_moments_are_refused() {
    let mut scene = Scene::v31(params(2));
    let later = T0.after(Nanos::from_millis(100));
    set_book(
        &mut scene.books,
        1,
        &[(6_015_000, 5_000)],
        &[(6_015_100, 5_000)],
        later,
    );
    assert!(matches!(scene.look(later), Evaluation::Taken(_)));
    let mut scene = Scene::v31(params(2));
    let later = later.after(Nanos(1));
    set_book(
        &mut scene.books,
        1,
        &[(6_015_000, 5_000)],
        &[(6_015_100, 5_000)],
        later,
    );
    let skew_max = Nanos::from_millis(100);
    assert_eq!(
        refusal(scene.look(later)),
        Pass::LegSkew {
            skew: Nanos(100_000_001),
            skew_max
        }
    );
}

#[test]
fn confirmation_counts_consecutive_evaluations() {
    let mut scene = Scene::v31(CrossVenueParams {
        common: CommonParams {
            confirm_updates: 3,
            ..params(2).common
        },
        ..params(2)
    });
    assert_eq!(
        refusal(scene.look(T0)),
        Pass::Confirming {
            seen: 1,
            required: 3
        }
    );
    assert_eq!(
        refusal(scene.look(T0)),
        Pass::Confirming {
            seen: 2,
            required: 3
        }
    );
    scene.show(T0, 6_000_000, 6_000_100);
    assert_eq!(scene.look(T0), Evaluation::Nothing);
    scene.show(T0, 6_000_000, 6_015_000);
    for _ in 0..2 {
        assert!(matches!(refusal(scene.look(T0)), Pass::Confirming { .. }));
    }
    assert!(matches!(scene.look(T0), Evaluation::Taken(_)));
    assert_eq!(
        scene.strategy.counters().opportunities,
        2,
        "the edge opened twice"
    );
}

#[test]
fn a_route_rests_after_a_set() {
    let mut scene = Scene::v31(CrossVenueParams {
        common: CommonParams {
            max_open_sets: 9,
            ..params(2).common
        },
        ..params(2)
    });
    taken(scene.look(T0));
    let before = T0.after(Nanos(249_999_999));
    let expected = Pass::Cooldown {
        remaining: Nanos(1),
        cooldown: Nanos::from_millis(250),
    };
    assert_eq!(refusal(scene.look(before)), expected);
    assert!(matches!(
        scene.look(before.after(Nanos(1))),
        Evaluation::Taken(_)
    ));
}

#[test]
fn open_sets_and_sets_a_minute_are_bounded() {
    let quick = |open, rate| CrossVenueParams {
        common: CommonParams {
            cooldown: Nanos(0),
            max_open_sets: open,
            max_sets_per_min: rate,
            ..params(2).common
        },
        ..params(2)
    };
    let mut scene = Scene::v31(quick(1, 30));
    taken(scene.look(T0));
    assert_eq!(
        refusal(scene.look(T0)),
        Pass::OpenSets {
            open: 1,
            open_max: 1
        }
    );
    scene.strategy.on_set_done();
    taken(scene.look(T0));

    let mut scene = Scene::v31(quick(9, 2));
    taken(scene.look(T0));
    scene.strategy.on_set_refused();
    assert_eq!(
        scene.strategy.sets_open(),
        0,
        "what the gate refused did not start"
    );
    for _ in 0..2 {
        taken(scene.look(T0));
    }
    assert_eq!(
        refusal(scene.look(T0)),
        Pass::SetRate {
            started: 2,
            started_max: 2
        }
    );
    let later = T0.after(Nanos::from_secs(60));
    scene.show(later, 6_000_000, 6_015_000);
    taken(scene.look(later));
}

#[test]
fn broken_sets_stop_it_until_a_person_rearms() {
    let mut scene = Scene::v31(CrossVenueParams {
        common: CommonParams {
            cooldown: Nanos(0),
            max_open_sets: 9,
            ..params(2).common
        },
        ..params(2)
    });
    let hour = Nanos::from_secs(3_600);
    scene.strategy.on_set_broken(MonoNanos(T0.0 - hour.0));
    scene.strategy.on_set_broken(T0);
    scene.strategy.on_set_broken(T0);
    assert!(!scene.strategy.is_halted(), "the first was an hour ago");
    taken(scene.look(T0));
    scene.strategy.on_set_broken(T0);
    assert_eq!(
        refusal(scene.look(T0)),
        Pass::Halted {
            broken: 3,
            broken_max: 3
        }
    );
    let later = T0.after(hour).after(hour);
    scene.show(later, 6_000_000, 6_015_000);
    assert!(
        matches!(refusal(scene.look(later)), Pass::Halted { .. }),
        "time alone does not re-arm"
    );
    scene.strategy.rearm();
    taken(scene.look(later));
}

#[test]
fn a_denied_route_is_not_taken_and_the_way_back_is() {
    let deny = vec![(InstrumentId(0), InstrumentId(1))];
    let mut scene = Scene::v31(CrossVenueParams {
        routes_deny: deny,
        ..params(2)
    });
    assert_eq!(scene.look(T0), Evaluation::Nothing);
    // The other direction: buy on 1, sell on 0.
    set_book(
        &mut scene.books,
        0,
        &[(6_100_000, 5_000)],
        &[(6_100_100, 5_000)],
        T0,
    );
    let intent = taken(scene.look(T0));
    assert_eq!(legs(&intent)[0].instrument, InstrumentId(1));
    assert_eq!(routes(&scene.strategy).count(), 1);
}

#[test]
fn inventory_bounds_what_is_built_up() {
    // 1,000 USDT at 60,000 is 0.0166 (floor to the grid of 0.0001); at 60,150 the same.
    let bounded = || CrossVenueParams {
        max_inventory_notional: grid()
            .notional_floor(arbalest::units::Money(Decimal::from(1_000)))
            .unwrap(),
        ..params(2)
    };
    let look = |positions: &[Qty], available: &[Qty]| {
        let mut scene = Scene::v31(bounded());
        scene.strategy.on_batch(
            InstrumentId(1),
            &scene.books,
            &Inventory {
                positions,
                available,
                ..FREE
            },
            T0,
            &mut (),
        )
    };
    let qty = |evaluation| legs(&taken(evaluation))[0].qty;
    assert_eq!(qty(look(&FLAT, &PLENTY)), Qty(166));
    assert_eq!(qty(look(&[Qty(100), Qty(0)], &PLENTY)), Qty(66));
    assert_eq!(
        qty(look(&[Qty(-100), Qty(100)], &PLENTY)),
        Qty(266),
        "back towards flat and beyond to the bound"
    );
    for positions in [
        [Qty(166), Qty(0)],
        [Qty(0), Qty(-166)],
        [Qty(900), Qty(900)],
    ] {
        assert!(
            matches!(refusal(look(&positions, &PLENTY)), Pass::Inventory { room, .. } if room.0 <= 0)
        );
    }
    // Spot sells only what is there.
    assert_eq!(qty(look(&FLAT, &[Qty(0), Qty(40)])), Qty(40));
    assert!(matches!(
        refusal(look(&FLAT, &[Qty(0), Qty(0)])),
        Pass::Inventory { room: Qty(0), .. }
    ));
    // Not knowing is a refusal.
    let unknown = Pass::PositionUnknown {
        instrument: InstrumentId(1),
    };
    assert_eq!(refusal(look(&[Qty(0)], &PLENTY)), unknown);
    assert_eq!(refusal(look(&FLAT, &[Qty(9)])), unknown);
}

#[test]
fn a_size_factor_makes_the_largest_order_smaller() {
    // 10,000 USDT: at the dearest price, the bid of 60,150, this is 0.1662; a quarter of it 0.0415, both floored.
    let bounded = || CrossVenueParams {
        max_order_notional: grid()
            .notional_floor(arbalest::units::Money(Decimal::from(10_000)))
            .unwrap(),
        min_order_notional: grid()
            .notional_floor(arbalest::units::Money(Decimal::from(100)))
            .unwrap(),
        ..params(2)
    };
    let look = |factors: &[Ppm], own: Ppm| {
        let mut scene = Scene::v31(bounded());
        let inventory = Inventory {
            size_factors: factors,
            size_factor: own,
            ..FREE
        };
        scene
            .strategy
            .on_batch(InstrumentId(1), &scene.books, &inventory, T0, &mut ())
    };
    let qtys = |evaluation| -> Vec<i64> {
        let intent = taken(evaluation);
        legs(&intent).iter().map(|leg| leg.qty.0).collect()
    };
    let (one, quarter, half) = (Ppm::ONE, Ppm(250_000), Ppm(500_000));
    for (factors, own, qty) in [
        ([one, one], one, 1_662),
        ([one, one], Ppm(2_000_000), 1_662),
        ([quarter, one], one, 415),
        ([one, quarter], one, 415),
        ([one, one], quarter, 415),
        ([half, quarter], half, 415),
        ([half, one], one, 831),
    ] {
        assert_eq!(qtys(look(&factors, own)), [qty; 2], "{factors:?} {own:?}");
    }
    // Nothing allowed, or a largest order below the smallest, is a refusal; not knowing is one too.
    for factors in [[Ppm(0), one], [Ppm(-1), one]] {
        assert!(matches!(
            refusal(look(&factors, one)),
            Pass::Inventory { .. } | Pass::Thin { .. }
        ));
    }
    assert!(matches!(
        refusal(look(&[Ppm(9_000), one], one)),
        Pass::NotionalBelowMin { .. }
    ));
    assert_eq!(
        refusal(look(&[one], one)),
        Pass::PositionUnknown {
            instrument: InstrumentId(1)
        }
    );
}

#[test]
fn a_perpetual_may_be_sold_short() {
    let mut scene = Scene::new(vec![instrument(0, false), instrument(1, true)], params(2));
    scene.show(T0, 6_000_000, 6_015_000);
    let inventory = Inventory {
        positions: &FLAT,
        available: &[Qty(0), Qty(0)],
        ..FREE
    };
    taken(
        scene
            .strategy
            .on_batch(InstrumentId(0), &scene.books, &inventory, T0, &mut ()),
    );
}

#[test]
#[expect(clippy::too_many_lines, reason = "one table of cases")]
fn sizes_keep_to_both_venues_rules() {
    let coarse = |lot: i64, qty_min: i64, notional_min: i64| Instrument {
        lot: Qty(lot),
        qty_min: Qty(qty_min),
        notional_min: Decimal::from(notional_min),
        ..instrument(1, false)
    };
    let look = |other: Instrument, params: CrossVenueParams, qty: i64| {
        let mut scene = Scene::new(vec![instrument(0, false), other], params);
        set_book(
            &mut scene.books,
            0,
            &[(5_999_900, 1)],
            &[(6_000_000, qty)],
            T0,
        );
        set_book(
            &mut scene.books,
            1,
            &[(6_015_000, qty)],
            &[(6_015_100, 1)],
            T0,
        );
        scene.look(T0)
    };
    let qty = |evaluation| legs(&taken(evaluation))[0].qty;
    // V30: lot 0.001 of 0.00799 takes 0.007; here in ten-thousandths: lot 10 of 79 takes 70.
    assert_eq!(qty(look(coarse(10, 10, 0), params(2), 79)), Qty(70));
    assert_eq!(
        refusal(look(coarse(10, 10, 0), params(2), 9)),
        Pass::Thin {
            qty: Qty(9),
            qty_min: Qty(10)
        }
    );
    assert_eq!(
        qty(look(
            coarse(1, 1, 0),
            CrossVenueParams {
                common: CommonParams {
                    max_book_take: Ppm(250_000),
                    ..params(2).common
                },
                ..params(2)
            },
            79
        )),
        Qty(19)
    );
    // 0.0001 is worth about 6 USDT: below a minimum of 10, and 0.0002 is above it.
    assert!(matches!(
        refusal(look(coarse(1, 1, 10), params(2), 1)),
        Pass::NotionalBelowMin { .. }
    ));
    assert_eq!(qty(look(coarse(1, 1, 10), params(2), 2)), Qty(2));
    // The dearer leg's value stays within the largest order: 1,000 / 60,150 = 0.0166.
    let small = grid()
        .notional_floor(arbalest::units::Money(Decimal::from(1_000)))
        .unwrap();
    assert_eq!(
        qty(look(
            coarse(1, 1, 0),
            CrossVenueParams {
                max_order_notional: small,
                ..params(2)
            },
            5_000
        )),
        Qty(166)
    );
    assert_eq!(
        qty(look(
            Instrument {
                qty_max: Qty(33),
                ..coarse(1, 1, 0)
            },
            params(2),
            79
        )),
        Qty(33)
    );
}

#[test]
fn what_cannot_be_compared_is_refused_at_once() {
    let build = |instruments: Vec<Instrument>, params: CrossVenueParams| {
        CrossVenue::new(params, &catalogue(instruments))
            .map(|_| ())
            .unwrap_err()
    };
    let two = || vec![instrument(0, false), instrument(1, false)];
    assert_eq!(build(two(), params(1)), StrategyError::InstrumentCount(1));
    assert_eq!(
        build(
            two(),
            CrossVenueParams {
                taker_fees: vec![Ppm(0)],
                ..params(2)
            }
        ),
        StrategyError::Fees(1)
    );
    let twice = vec![InstrumentId(0), InstrumentId(0)];
    assert_eq!(
        build(
            two(),
            CrossVenueParams {
                instruments: twice,
                ..params(2)
            }
        ),
        StrategyError::Instrument(0)
    );
    assert_eq!(build(two(), params(3)), StrategyError::Instrument(2));
    let other = Instrument {
        symbol: "ETH/USDT".parse().unwrap(),
        ..instrument(1, false)
    };
    assert_eq!(
        build(vec![instrument(0, false), other], params(2)),
        StrategyError::NotComparable(1)
    );
    let contract = Instrument {
        multiplier: Decimal::new(1, 2),
        ..instrument(1, true)
    };
    assert_eq!(
        build(vec![instrument(0, false), contract], params(2)),
        StrategyError::Contract(1)
    );
}

// ---- The slow twin: the same question asked in decimals, without a walk. ----

type Levels = Vec<(i64, i64)>;

struct TwinSet {
    buy: usize,
    sell: usize,
    qty: i64,
    worst_ask: i64,
    worst_bid: i64,
    net_edge: i64,
}

/// Price of the level that holds the `quantity`-th step of a side, and the value of all steps up to there.
fn price_at(levels: &Levels, quantity: i64) -> (i64, Decimal) {
    let (mut seen, mut value) = (0, Decimal::ZERO);
    for (price, qty) in levels {
        let take = (*qty).min(quantity - seen);
        value += Decimal::from(*price) * Decimal::from(take);
        seen += take;
        if seen >= quantity {
            return (*price, value);
        }
    }
    panic!("beyond the side");
}

fn ratio(ppm: Ppm) -> Decimal {
    Decimal::new(ppm.0, 6)
}

fn reaches(ask: i64, bid: i64, buy_fee: Ppm, sell_fee: Ppm, edge: Ppm) -> bool {
    let net = Decimal::from(bid) * (Decimal::ONE - ratio(sell_fee))
        - Decimal::from(ask) * (Decimal::ONE + ratio(buy_fee));
    net >= Decimal::from(ask) * ratio(edge)
}

/// Candidates with a size, before minimum order value.
fn twin(
    asks: &[Levels],
    bids: &[Levels],
    params: &CrossVenueParams,
    lots: &[i64],
    changed: usize,
) -> Vec<TwinSet> {
    let count = asks.len();
    let mut found = Vec::new();
    for (buy, sell) in (0..count).flat_map(|buy| (0..count).map(move |sell| (buy, sell))) {
        if buy == sell || (buy != changed && sell != changed) {
            continue;
        }
        let (buy_fee, sell_fee) = (params.taker_fees[buy], params.taker_fees[sell]);
        let total = |levels: &Levels| levels.iter().map(|(_, qty)| qty).sum::<i64>();
        // The last step whose pair of prices still reaches the edge: the edge falls with depth, so bisection by steps.
        let (mut low, mut high) = (0, total(&asks[buy]).min(total(&bids[sell])));
        while low < high {
            let middle = (low + high + 1).div_euclid(2);
            let (ask, bid) = (
                price_at(&asks[buy], middle).0,
                price_at(&bids[sell], middle).0,
            );
            if reaches(ask, bid, buy_fee, sell_fee, params.common.min_net_edge) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        if low == 0 {
            continue;
        }
        let deepest = Decimal::from(price_at(&asks[buy], low).0);
        let cushioned = (deepest * (Decimal::ONE + ratio(params.common.limit_cushion))).ceil();
        let dearest = cushioned.max(Decimal::from(bids[sell][0].0));
        let affordable =
            (Decimal::from_i128_with_scale(params.max_order_notional.0, 0) / dearest).floor();
        let share = (Decimal::from(low) * ratio(params.common.max_book_take)).floor();
        let lot = lots[buy].max(lots[sell]);
        let qty = i64::try_from(affordable.min(share).mantissa())
            .unwrap()
            .div_euclid(lot)
            * lot;
        if qty <= 0 {
            continue;
        }
        let ((worst_ask, bought), (worst_bid, sold)) =
            (price_at(&asks[buy], qty), price_at(&bids[sell], qty));
        let net =
            sold * (Decimal::ONE - ratio(sell_fee)) - bought * (Decimal::ONE + ratio(buy_fee));
        let net_edge =
            i64::try_from((net * Decimal::from(1_000_000) / bought).floor().mantissa()).unwrap();
        found.push(TwinSet {
            buy,
            sell,
            qty,
            worst_ask,
            worst_bid,
            net_edge,
        });
    }
    found
}

/// Shows a best quote (price, quantity in steps) newer than the ladder.
fn show_quote(books: &mut Books, id: u16, bid: (i64, i64), ask: (i64, i64), at: MonoNanos) {
    let book = books.get_mut(InstrumentId(id)).unwrap();
    book.apply(&MarketEvent {
        received_at: at,
        kind: EventKind::Quote {
            bid_price: Price(bid.0),
            bid_qty: Qty(bid.1),
            ask_price: Price(ask.0),
            ask_qty: Qty(ask.1),
            update_id: 2,
        },
        decode_nanos: 0,
        instrument: InstrumentId(id),
        flags: END_OF_BATCH,
    });
    book.finish_batch(at, true);
}

fn random_side(prng: &mut Prng, start: i64, direction: i64) -> Levels {
    let mut price = start;
    (0..prng.between(1, 8))
        .map(|_| {
            let level = (price, prng.between(1, 4_000));
            price += direction * prng.between(1, 900);
            level
        })
        .collect()
}

fn random_params(prng: &mut Prng, count: usize) -> CrossVenueParams {
    let usual = params(u16::try_from(count).unwrap());
    CrossVenueParams {
        max_order_notional: Notional(i128::from(prng.between(1, 2_000)) * 6_000_000_000),
        taker_fees: (0..count).map(|_| Ppm(prng.between(-100, 1_000))).collect(),
        common: CommonParams {
            max_book_take: Ppm(prng.between(1, 1_000_000)),
            limit_cushion: Ppm(prng.between(0, 500)),
            max_net_edge: Ppm(1_000_000),
            ..usual.common
        },
        max_inventory_notional: Notional(i128::from(i64::MAX)),
        ..usual
    }
}

#[test]
fn agrees_with_its_slow_twin() {
    let (mut took, mut refused) = (0, 0);
    for seed in 0..3_000 {
        let mut prng = Prng::new(seed);
        let count = usize::try_from(prng.between(2, 4)).unwrap();
        let lots: Vec<i64> = (0..count)
            .map(|_| [1, 10, 100][usize::try_from(prng.below(3)).unwrap()])
            .collect();
        let instruments = (0_u16..).zip(&lots).map(|(id, lot)| Instrument {
            lot: Qty(*lot),
            ..instrument(id, true)
        });
        let params = random_params(&mut prng, count);
        let mut scene = Scene::new(instruments.collect(), params.clone());
        let (mut asks, mut bids) = (Vec::new(), Vec::new());
        for id in 0..count {
            let middle = 6_000_000 + prng.between(-12_000, 12_000);
            let (above, below) = (prng.between(1, 200), prng.between(0, 200));
            asks.push(random_side(&mut prng, middle + above, 1));
            bids.push(random_side(&mut prng, middle - below, -1));
            let number = u16::try_from(id).unwrap();
            set_book(&mut scene.books, number, &bids[id], &asks[id], T0);
            if prng.chance_ppm(500_000) {
                // A best quote newer than the ladder replaces everything at or better than its price.
                let (bid, ask) = (
                    (middle - prng.between(0, 1_500), 777),
                    (middle + prng.between(1, 1_500), 555),
                );
                show_quote(&mut scene.books, number, bid, ask, T0);
                asks[id].retain(|(price, _)| *price > ask.0);
                asks[id].insert(0, ask);
                bids[id].retain(|(price, _)| *price < bid.0);
                bids[id].insert(0, bid);
            }
        }
        let changed = usize::try_from(prng.below(u64::try_from(count).unwrap())).unwrap();
        let wanted = twin(&asks, &bids, &params, &lots, changed);
        let id = InstrumentId(u16::try_from(changed).unwrap());
        match scene
            .strategy
            .on_batch(id, &scene.books, &FREE, T0, &mut ())
        {
            Evaluation::Taken(intent) => {
                took += 1;
                check_taken(&intent, &wanted, &params, seed);
            }
            Evaluation::Refused { reason, .. } => {
                refused += 1;
                assert!(
                    wanted.is_empty(),
                    "seed {seed}: the twin would take, refused {reason:?}"
                );
                assert!(
                    matches!(reason, Pass::Thin { .. }),
                    "seed {seed}: {reason:?}"
                );
            }
            Evaluation::Nothing => assert!(wanted.is_empty(), "seed {seed}: the twin would take"),
        }
    }
    assert!(
        took > 500 && refused > 20,
        "the cases are not trivial: {took} taken, {refused} refused"
    );
}

fn check_taken(intent: &Intent, wanted: &[TwinSet], params: &CrossVenueParams, seed: u64) {
    let [buy, sell] = legs(intent)[..] else {
        panic!("two legs")
    };
    let same =
        |set: &&TwinSet| set.buy == buy.instrument.index() && set.sell == sell.instrument.index();
    let twin = wanted
        .iter()
        .find(same)
        .unwrap_or_else(|| panic!("seed {seed}: the twin would not take"));
    assert_eq!(buy.qty, Qty(twin.qty), "seed {seed}");
    assert_eq!(buy.qty, sell.qty);
    assert_eq!(intent.net_edge, Ppm(twin.net_edge), "seed {seed}");
    let best = wanted.iter().map(|set| set.net_edge).max().unwrap();
    assert_eq!(
        intent.net_edge,
        Ppm(best),
        "seed {seed}: the best route is taken"
    );
    assert!(intent.net_edge >= params.common.min_net_edge);
    // Limits: at or beyond the worst level, within the cushion, and never a loss when both legs fill wholly at them.
    let (ask, bid) = (Decimal::from(twin.worst_ask), Decimal::from(twin.worst_bid));
    let (buy_limit, sell_limit) = (
        Decimal::from(buy.limit_price.0),
        Decimal::from(sell.limit_price.0),
    );
    assert!(
        buy_limit >= ask && buy_limit <= ask * (Decimal::ONE + ratio(params.common.limit_cushion)),
        "seed {seed}"
    );
    assert!(
        sell_limit <= bid
            && sell_limit >= bid * (Decimal::ONE - ratio(params.common.limit_cushion)),
        "seed {seed}"
    );
    let (buy_fee, sell_fee) = (params.taker_fees[twin.buy], params.taker_fees[twin.sell]);
    let worst =
        sell_limit * (Decimal::ONE - ratio(sell_fee)) - buy_limit * (Decimal::ONE + ratio(buy_fee));
    assert!(
        worst >= Decimal::ZERO,
        "seed {seed}: the worst fill loses {worst}"
    );
    let value = Decimal::from(buy.qty.0) * buy_limit.max(sell_limit);
    assert!(
        value <= Decimal::from_i128_with_scale(params.max_order_notional.0, 0),
        "seed {seed}"
    );
}

#[test]
fn routes_tell_how_they_ended() {
    let mut scene = Scene::v31(params(2));
    scene.look(T0);
    let outcomes: Vec<Outcome> = routes(&scene.strategy)
        .map(|(_, outcome)| outcome)
        .collect();
    assert_eq!(outcomes, [Outcome::Taken, Outcome::BelowThreshold]);
    let counted: u64 = scene
        .strategy
        .counters()
        .iter()
        .map(|(_, count)| count)
        .sum();
    assert_eq!(counted, 2, "every evaluated route counts once");
}
