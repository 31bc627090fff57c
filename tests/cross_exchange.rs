//! The cross-venue strategy over many updates against a plain comparison of all pairs, and what else its configuration asks:
//! quotes converted by live books, fee assets, inventory targets, order of legs, blackouts, depth.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test stops at the first surprise"
)]

use std::collections::BTreeSet;
use std::sync::Arc;

use arbalest::market::{Books, Catalogue, Instrument, InstrumentId, VenueId};
use arbalest::prng::Prng;
use arbalest::strategy::edge::net_profit_floor;
use arbalest::strategy::{
    CommonParams, Conversion, CrossVenue, CrossVenueParams, DaySpan, EdgeEnd, EdgeSeen, Evaluation,
    FeeAsset, Inventory, InventoryTargets, LegOrder, Outcome, Pass, Strategy, StrategyError,
};
use arbalest::trade::{Balance, Intent, SendOrder, StrategyId, VenueFacts};
use arbalest::units::{
    Asset, Grid, Money, MonoNanos, Nanos, Notional, Ppm, Price, Qty, Side, UnixNanos,
};
use rust_decimal::Decimal;

#[path = "support/small_market.rs"]
mod small_market;
use small_market::{catalogue, grid, instrument, set_book};

const T0: MonoNanos = MonoNanos(10_000_000_000_000);
const AGE_MAX: Nanos = Nanos::from_millis(250);
const FLAT: [Qty; 12] = [Qty(0); 12];
const FREE: Inventory<'static> = Inventory {
    positions: &FLAT,
    available: &[Qty(1_000_000_000); 12],
    size_factors: &[Ppm::ONE; 12],
    size_factor: Ppm::ONE,
    costs: &[Money::ZERO; 12],
    margins: &[None; 12],
    unsettled: &[false; 12],
    venues: &[],
};

fn usdt(amount: i64) -> Notional {
    grid().notional_floor(Money(Decimal::from(amount))).unwrap()
}

fn params(count: u16) -> CrossVenueParams {
    CrossVenueParams {
        common: CommonParams {
            id: StrategyId(0),
            name: "test".to_owned(),
            min_net_edge: Ppm(400),
            max_net_edge: Ppm(1_000_000),
            confirm_updates: 1,
            max_book_take: Ppm::ONE,
            max_book_age: AGE_MAX,
            max_leg_skew: Nanos::from_secs(1),
            cooldown: Nanos::ZERO,
            max_sets_per_min: 256,
            max_open_sets: 64,
            limit_cushion: Ppm(0),
            leg_timeout: Nanos::from_millis(500),
            max_unwind_cost: Ppm(3_000),
            max_broken_sets: 3,
            depth_levels: 20,
            blackout: Vec::new(),
        },
        instruments: (0..count).map(InstrumentId).collect(),
        taker_fees: vec![Ppm(1_000); usize::from(count)],
        maker_fees: Vec::new(),
        fee_assets: Vec::new(),
        conversions: Vec::new(),
        max_quote_depeg: Ppm::from_bps(30),
        routes_deny: Vec::new(),
        leg_order: LegOrder::Together,
        inventory: None,
        min_runway_sets: 0,
        min_order_notional: Notional(0),
        max_order_notional: usdt(1_000_000),
        max_inventory_notional: usdt(10_000_000),
    }
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

/// Two spot venues, or a world of the given instruments.
struct Scene {
    books: Books,
    strategy: CrossVenue,
}

impl Scene {
    fn new(instruments: Vec<Instrument>, params: CrossVenueParams) -> Self {
        let catalogue = catalogue(instruments);
        Self {
            books: Books::new(&catalogue),
            strategy: CrossVenue::new(params, &catalogue).unwrap(),
        }
    }
    /// V31: buy at 60,000 on venue 0, sell at 60,150 on venue 1, half a coin on each.
    fn v31(params: CrossVenueParams) -> Self {
        let mut scene = Self::new(vec![instrument(0, false), instrument(1, false)], params);
        scene.set(0, 5_999_900, 6_000_000);
        scene.set(1, 6_015_000, 6_015_100);
        scene
    }
    fn set(&mut self, id: u16, bid: i64, ask: i64) {
        set_book(&mut self.books, id, &[(bid, 5_000)], &[(ask, 5_000)], T0);
    }
    fn look(&mut self, changed: u16, inventory: &Inventory<'_>) -> Evaluation {
        let changed = InstrumentId(changed);
        self.strategy
            .on_batch(changed, &self.books, inventory, T0, &mut ())
    }
}

/// Every number of docs/STRATEGIES.md, "cross_exchange".
#[test]
fn the_worked_example() {
    let money = |steps: Notional| {
        grid()
            .notional_money(steps)
            .unwrap()
            .0
            .normalize()
            .to_string()
    };
    let half = grid().parse_qty(b"0.5").unwrap();
    let (bought, sold) = (Price(6_000_000).times(half), Price(6_015_000).times(half));
    assert_eq!(
        (money(bought), money(sold)),
        ("30000".into(), "30075".into())
    );
    let left = |fee: i64| net_profit_floor(bought, Ppm(fee), sold, Ppm(fee)).unwrap();
    assert_eq!(money(left(1_000)), "14.925");
    assert_eq!(money(left(300)), "56.9775");
    let usual = params(2);
    let cushioned = CrossVenueParams {
        common: CommonParams {
            limit_cushion: Ppm(200),
            ..usual.common
        },
        ..usual
    };
    let intent = taken(Scene::v31(cushioned.clone()).look(1, &FREE));
    assert_eq!(intent.gross_edge.to_string(), "25.00 bps");
    assert_eq!(intent.net_edge.to_string(), "4.97 bps");
    let limits: Vec<Price> = intent.legs().map(|leg| leg.limit_price).collect();
    assert_eq!(limits, [Price(6_001_200), Price(6_013_797)]);
    for (bid, is_enough) in [(6_014_415, true), (6_014_414, false)] {
        let mut scene = Scene::v31(cushioned.clone());
        scene.set(1, bid, bid + 100);
        assert_eq!(
            matches!(scene.look(1, &FREE), Evaluation::Taken(_)),
            is_enough
        );
    }
}

/// One venue as the plain comparison knows it.
#[derive(Debug, Clone, Copy)]
struct Seen {
    bid: i64,
    ask: i64,
    at: MonoNanos,
}

/// Every pair of the changed venue, compared in full: those that reach the minimum.
fn all_pairs(
    seen: &[Seen],
    changed: usize,
    params: &CrossVenueParams,
    now: MonoNanos,
) -> BTreeSet<(usize, usize)> {
    let fresh =
        |slot: usize| now.since(seen[slot].at) <= AGE_MAX && seen[slot].bid < seen[slot].ask;
    let id = |slot: usize| InstrumentId(u16::try_from(slot).unwrap());
    let mut reached = BTreeSet::new();
    for other in (0..seen.len()).filter(|other| *other != changed) {
        for (buy, sell) in [(changed, other), (other, changed)] {
            let denied = params.routes_deny.contains(&(id(buy), id(sell)));
            let one = i128::from(Ppm::ONE.0);
            let kept = one - i128::from(params.taker_fees[sell].0);
            let spent = one
                + i128::from(params.taker_fees[buy].0)
                + i128::from(params.common.min_net_edge.0);
            let enough = i128::from(seen[sell].bid) * kept >= i128::from(seen[buy].ask) * spent;
            if enough && !denied && fresh(buy) && fresh(sell) {
                reached.insert((buy, sell));
            }
        }
    }
    reached
}

#[test]
#[expect(
    clippy::too_many_lines,
    reason = "one walk, told and compared step by step"
)]
fn many_updates_tell_what_a_comparison_of_all_pairs_tells() {
    let (mut edges, mut ended, mut quiet) = (0, 0, 0);
    for seed in 0..200 {
        let mut prng = Prng::new(seed);
        let count = usize::try_from(prng.between(2, 8)).unwrap();
        let number = u16::try_from(count).unwrap();
        let usual = params(number);
        let params = CrossVenueParams {
            taker_fees: (0..count).map(|_| Ppm(prng.between(-100, 600))).collect(),
            routes_deny: vec![(InstrumentId(0), InstrumentId(1))],
            // No set is ever sent: each look at an edge is told as passed.
            common: CommonParams {
                max_open_sets: 0,
                ..usual.common
            },
            ..usual
        };
        let instruments = (0..number).map(|id| instrument(id, true)).collect();
        let mut scene = Scene::new(instruments, params.clone());
        let mut now = T0;
        let never = Seen {
            bid: 1,
            ask: 0,
            at: MonoNanos(0),
        };
        let mut seen = vec![never; count];
        let mut open: BTreeSet<(usize, usize)> = BTreeSet::new();
        for _ in 0..120 {
            now = now.after(Nanos::from_millis(
                u64::try_from(prng.between(0, 60)).unwrap(),
            ));
            let changed = usize::try_from(prng.below(u64::try_from(count).unwrap())).unwrap();
            let middle = 6_000_000 + prng.between(-4_500, 4_500);
            let (bid, ask) = (
                middle - prng.between(-1, 500),
                middle + prng.between(0, 500),
            );
            seen[changed] = Seen { bid, ask, at: now };
            let id = u16::try_from(changed).unwrap();
            set_book(&mut scene.books, id, &[(bid, 50)], &[(ask, 50)], now);
            let mut told: Vec<EdgeSeen> = Vec::new();
            let answer =
                scene
                    .strategy
                    .on_batch(InstrumentId(id), &scene.books, &FREE, now, &mut told);
            let reached = all_pairs(&seen, changed, &params, now);
            let route = |edge: &EdgeSeen| {
                let (route, _) = scene.strategy.route(edge.route).unwrap();
                let at: Vec<usize> = route.legs().map(|(at, _)| at.index()).collect();
                (at[0], at[1])
            };
            let is_gone = |edge: &&EdgeSeen| matches!(edge.end, EdgeEnd::Gone(_));
            let found: BTreeSet<_> = told
                .iter()
                .filter(|edge| !is_gone(edge))
                .map(route)
                .collect();
            let gone: BTreeSet<_> = told.iter().filter(is_gone).map(route).collect();
            assert_eq!(found, reached, "seed {seed}");
            let of_changed = |(buy, sell): &&(usize, usize)| *buy == changed || *sell == changed;
            let wanted: BTreeSet<_> = open
                .iter()
                .filter(of_changed)
                .filter(|pair| !reached.contains(pair))
                .copied()
                .collect();
            assert_eq!(gone, wanted, "seed {seed}");
            assert_eq!(told.len(), found.len() + gone.len(), "each is told once");
            assert_eq!(
                matches!(answer, Evaluation::Refused { .. }),
                !reached.is_empty()
            );
            open.retain(|pair| !wanted.contains(pair));
            open.extend(&reached);
            edges += reached.len();
            ended += wanted.len();
            quiet += usize::from(told.is_empty());
        }
        let counted: u64 = scene
            .strategy
            .counters()
            .iter()
            .map(|(_, count)| count)
            .sum();
        let routes = u64::try_from(2 * (count - 1)).unwrap();
        assert_eq!(counted, 120 * routes, "each route of each look counts once");
    }
    assert!(
        edges > 5_000 && ended > 2_000 && quiet > 2_000,
        "{edges} {ended} {quiet}"
    );
}

const USDC_GRID: (u8, u8) = (1, 4);

/// BTC/USDT at venue 0, BTC/USDC on a coarser price grid at venue 1, and a book between the two quotes at venue 2.
fn two_quotes(base_is_usdc: bool) -> Vec<Instrument> {
    let other = Grid::new(USDC_GRID.0, USDC_GRID.1).unwrap();
    let between = if base_is_usdc {
        "USDC/USDT"
    } else {
        "USDT/USDC"
    };
    vec![
        instrument(0, false),
        Instrument {
            symbol: "BTC/USDC".parse().unwrap(),
            grid: other,
            ..instrument(1, false)
        },
        Instrument {
            symbol: between.parse().unwrap(),
            grid: Grid::new(4, 2).unwrap(),
            ..instrument(2, false)
        },
    ]
}

fn converted(min_net_edge: i64) -> CrossVenueParams {
    let usual = params(2);
    CrossVenueParams {
        conversions: vec![Conversion {
            quote: Asset::new("USDC").unwrap(),
            via: InstrumentId(2),
        }],
        common: CommonParams {
            min_net_edge: Ppm(min_net_edge),
            ..usual.common
        },
        ..usual
    }
}

/// Sold for 60,200.0 USDC, bought for 60,000.00 USDT, USDC/USDT at 0.9990 / 0.9991: 60,139.80 USDT received; less 60.1398 and
/// 60 of fees 19.6602 a coin, 327 ppm of 60,000.
#[test]
fn what_is_sold_for_another_quote_counts_at_that_quotes_bid() {
    let mut scene = Scene::new(two_quotes(true), converted(300));
    scene.set(0, 5_999_900, 6_000_000);
    scene.set(1, 602_000, 602_010);
    scene.set(2, 9_990, 9_991);
    let intent = taken(scene.look(1, &FREE));
    assert_eq!((intent.net_edge, intent.gross_edge), (Ppm(327), Ppm(2_330)));
    let legs: Vec<_> = intent.legs().copied().collect();
    assert_eq!(
        (legs[0].instrument, legs[1].instrument),
        (InstrumentId(0), InstrumentId(1))
    );
    assert_eq!(
        (legs[0].limit_price, legs[1].limit_price),
        (Price(6_000_000), Price(602_000))
    );
    assert_eq!(scene.strategy.watched().last(), Some(&InstrumentId(2)));
    assert_eq!(
        scene.strategy.instruments().len(),
        2,
        "the conversion is never traded"
    );
    // One step less on the conversion, and 300 ppm are 267.
    let mut scene = Scene::new(two_quotes(true), converted(300));
    scene.set(0, 5_999_900, 6_000_000);
    scene.set(1, 602_000, 602_010);
    scene.set(2, 9_989, 9_991);
    assert_eq!(scene.look(1, &FREE), Evaluation::Nothing);
    // The conversion alone moves: that is a look at the routes between the quotes.
    scene.set(2, 9_990, 9_991);
    taken(scene.look(2, &FREE));
}

#[test]
fn a_conversion_that_is_stale_or_off_is_named() {
    let scene = |bid: i64, ask: i64| {
        let mut scene = Scene::new(two_quotes(true), converted(300));
        scene.set(0, 5_999_900, 6_000_000);
        scene.set(1, 606_000, 606_010);
        scene.set(2, bid, ask);
        scene
    };
    let instrument = InstrumentId(2);
    assert_eq!(
        refusal(scene(9_991, 9_990).look(1, &FREE)),
        Pass::Conversion { instrument },
        "crossed"
    );
    let depeg_max = Ppm::from_bps(30);
    assert_eq!(
        refusal(scene(9_960, 9_970).look(1, &FREE)),
        Pass::Depeg {
            depeg: Ppm(4_000),
            depeg_max
        }
    );
    taken(scene(9_970, 9_971).look(1, &FREE));
}

/// Exact at any rate, either way round, and with the conversion's spread against us: compared in whole numbers by hand.
#[test]
fn conversions_agree_with_whole_numbers() {
    let (mut takes, mut refuses) = (0, 0);
    for seed in 0..4_000 {
        let mut prng = Prng::new(seed);
        let base_is_usdc = prng.chance_ppm(500_000);
        let edge = prng.between(0, 800);
        let usual = converted(edge);
        let params = CrossVenueParams {
            taker_fees: vec![Ppm(prng.between(0, 1_000)), Ppm(prng.between(0, 1_000))],
            ..usual
        };
        let mut scene = Scene::new(two_quotes(base_is_usdc), params.clone());
        let (usdt, usdc) = (6_000_000 + prng.between(-15_000, 15_000), 600_000);
        let (rate, spread) = (9_985 + prng.between(0, 30), prng.between(1, 5));
        scene.set(0, usdt - prng.between(1, 50), usdt);
        scene.set(1, usdc, usdc + prng.between(1, 50));
        scene.set(2, rate, rate + spread);
        let top = |id: u16| scene.books.get(InstrumentId(id)).unwrap().top().unwrap();
        let prices = |id: u16| {
            (
                i128::from(top(id).bid.price.0),
                i128::from(top(id).ask.price.0),
            )
        };
        let ((usdt_bid, usdt_ask), (usdc_bid, usdc_ask), (low, high)) =
            (prices(0), prices(1), prices(2));
        // A USDC received is worth `got.0 / got.1` USDT, one paid costs `paid.0 / paid.1`.
        let one = 10_000;
        let (got, paid) = if base_is_usdc {
            ((low, one), (high, one))
        } else {
            ((one, high), (one, low))
        };
        let fee = |slot: usize| i128::from(params.taker_fees[slot].0);
        let (kept, spent) = (
            |slot: usize| 1_000_000 - fee(slot),
            |slot: usize| 1_000_000 + fee(slot) + i128::from(edge),
        );
        // Ten steps of USDT are one of USDC.
        let buy_usdt = usdc_bid * 10 * got.0 * kept(1) >= usdt_ask * got.1 * spent(0);
        let buy_usdc = usdt_bid * paid.1 * kept(0) >= usdc_ask * 10 * paid.0 * spent(1);
        match scene.look(u16::from(prng.chance_ppm(500_000)), &FREE) {
            Evaluation::Taken(intent) => {
                takes += 1;
                let first = intent.legs().next().unwrap();
                let bought = (first.instrument == InstrumentId(0), first.side);
                assert_eq!(bought, (buy_usdt, Side::Buy), "seed {seed}");
                assert!(buy_usdt != buy_usdc && intent.net_edge >= Ppm(edge));
            }
            Evaluation::Nothing => {
                refuses += 1;
                assert!(!buy_usdt && !buy_usdc, "seed {seed}");
            }
            other @ Evaluation::Refused { .. } => panic!("seed {seed}: {other:?}"),
        }
    }
    assert!(takes > 500 && refuses > 500, "{takes} {refuses}");
}

#[test]
fn quotes_without_a_book_between_them_are_not_compared() {
    let catalogue = catalogue(two_quotes(true));
    let build = |params| CrossVenue::new(params, &catalogue).map(|_| ()).unwrap_err();
    let bare = CrossVenueParams {
        conversions: Vec::new(),
        ..converted(300)
    };
    assert_eq!(build(bare), StrategyError::Conversion("USDC".to_owned()));
    let wrong = CrossVenueParams {
        conversions: vec![Conversion {
            quote: Asset::new("USDC").unwrap(),
            via: InstrumentId(0),
        }],
        ..converted(300)
    };
    assert_eq!(build(wrong), StrategyError::Conversion("USDC".to_owned()));
    let maker = CrossVenueParams {
        leg_order: LegOrder::MakerThenTaker,
        ..converted(300)
    };
    assert_eq!(build(maker), StrategyError::LegOrder);
}

/// What venue 0 says is free of BNB.
fn free_bnb(amount: &str) -> Vec<Option<Arc<VenueFacts>>> {
    let balance = Balance {
        free: amount.parse().unwrap(),
        locked: Decimal::ZERO,
    };
    let facts = VenueFacts {
        balances: vec![(Asset::new("BNB").unwrap(), balance)],
        ..VenueFacts::unheard(VenueId(0))
    };
    vec![Some(Arc::new(facts))]
}

/// 10 bps less a quarter is 7.5 bps; the floor of 20 USDT is 0.04 BNB at a bid of 500.
#[test]
fn a_fee_asset_saves_only_while_its_floor_is_held() {
    let market = || {
        let bnb = Instrument {
            venue: VenueId(0),
            symbol: "BNB/USDT".parse().unwrap(),
            ..instrument(2, false)
        };
        Catalogue::new(
            vec!["v0".to_owned(), "v1".to_owned()],
            vec![instrument(0, false), instrument(1, false), bnb],
        )
        .unwrap()
    };
    let asset = FeeAsset {
        instrument: InstrumentId(2),
        discount: Ppm(250_000),
        floor: usdt(20),
    };
    let usual = params(2);
    let params = CrossVenueParams {
        fee_assets: vec![Some(asset), None],
        common: CommonParams {
            min_net_edge: Ppm(700),
            ..usual.common
        },
        ..usual
    };
    let look = |venues: &[Option<Arc<VenueFacts>>]| {
        let catalogue = market();
        let mut scene = Scene {
            books: Books::new(&catalogue),
            strategy: CrossVenue::new(params.clone(), &catalogue).unwrap(),
        };
        scene.set(0, 5_999_900, 6_000_000);
        scene.set(1, 6_015_000, 6_015_100);
        scene.set(2, 50_000, 50_010);
        scene.look(1, &Inventory { venues, ..FREE })
    };
    assert_eq!(
        taken(look(&free_bnb("0.04"))).net_edge,
        Ppm(747),
        "497 and 250"
    );
    assert_eq!(look(&free_bnb("0.0399")), Evaluation::Nothing);
    assert_eq!(look(&[None]), Evaluation::Nothing, "nobody told");
    let stranger = CrossVenueParams {
        fee_assets: vec![None, Some(asset)],
        ..params.clone()
    };
    assert_eq!(
        CrossVenue::new(stranger, &market())
            .map(|_| ())
            .unwrap_err(),
        StrategyError::FeeAsset(2),
        "it is held at the other venue"
    );
}

/// Bound 10,000,000 USDT; at 60,000 that is 166.6667 coins, and 50 coins are a ratio of 0.65.
fn targeted(min_net_edge: i64) -> CrossVenueParams {
    let usual = params(2);
    CrossVenueParams {
        inventory: Some(InventoryTargets {
            targets: vec![Ppm(500_000); 2],
            band: Ppm(300_000),
            skew: Ppm(300),
        }),
        common: CommonParams {
            min_net_edge: Ppm(min_net_edge),
            ..usual.common
        },
        ..usual
    }
}

#[test]
fn inventory_shifts_the_edge_that_is_needed() {
    let look = |edge: i64, positions: &[Qty]| {
        let mut scene = Scene::v31(targeted(edge));
        scene.look(1, &Inventory { positions, ..FREE })
    };
    // V31 earns 497 ppm; with nothing held the minimum is what is needed.
    taken(look(497, &[Qty(0), Qty(0)]));
    assert_eq!(look(498, &[Qty(0), Qty(0)]), Evaluation::Nothing);
    // 50 coins held where it buys: 150 ppm more.
    let long = [Qty(500_000), Qty(0)];
    taken(look(347, &long));
    assert_eq!(look(348, &long), Evaluation::Nothing);
    // As many sold short there: 150 ppm less.
    let short = [Qty(-500_000), Qty(0)];
    taken(look(647, &short));
    assert_eq!(look(648, &short), Evaluation::Nothing);
    // Held where it sells: the sale comes back. At 60,150 the ratio is a little more, and so is the discount.
    let held = [Qty(0), Qty(500_000)];
    taken(look(647, &held));
    assert_eq!(look(648, &held), Evaluation::Nothing);
}

#[test]
fn inventory_never_pays_for_a_loss() {
    let mut scene = Scene::v31(targeted(100));
    scene.set(1, 6_011_900, 6_012_000);
    // 60,119 less both fees loses 1.1 a coin; being short by the whole band would forgive 300 ppm.
    let positions = [Qty(-1_000_000), Qty(1_000_000)];
    let held = Inventory {
        positions: &positions,
        ..FREE
    };
    assert_eq!(scene.look(1, &held), Evaluation::Nothing);
}

#[test]
fn out_of_the_band_only_the_way_back_is_taken() {
    let look = |positions: &[Qty]| {
        let mut scene = Scene::v31(targeted(0));
        scene.look(1, &Inventory { positions, ..FREE })
    };
    assert_eq!(
        refusal(look(&[Qty(1_010_000), Qty(0)])),
        Pass::InventoryBand {
            instrument: InstrumentId(0),
            ratio: Ppm(803_000),
            ratio_bound: Ppm(800_000),
        }
    );
    assert!(matches!(
        refusal(look(&[Qty(0), Qty(-1_010_000)])),
        Pass::InventoryBand {
            instrument: InstrumentId(1),
            ..
        }
    ));
    taken(look(&[Qty(-1_010_000), Qty(1_010_000)]));
}

#[test]
fn a_set_that_leaves_too_few_is_counted() {
    let look = |available: i64| {
        let usual = params(2);
        let params = CrossVenueParams {
            min_runway_sets: 5,
            ..usual
        };
        let mut scene = Scene::v31(params);
        let available = [Qty(0), Qty(available)];
        let held = Inventory {
            available: &available,
            ..FREE
        };
        taken(scene.look(1, &held));
        scene.strategy.short_runways()
    };
    assert_eq!(look(30_000), 0, "0.5 sold, five times 0.5 left");
    assert_eq!(look(29_999), 1);
}

#[test]
fn the_thinner_book_may_go_first() {
    let look = |bought: i64, sold: i64, order: LegOrder| {
        let mut scene = Scene::v31(CrossVenueParams {
            leg_order: order,
            ..params(2)
        });
        set_book(
            &mut scene.books,
            0,
            &[(5_999_900, 1)],
            &[(6_000_000, bought)],
            T0,
        );
        set_book(
            &mut scene.books,
            1,
            &[(6_015_000, sold)],
            &[(6_015_100, 1)],
            T0,
        );
        let intent = taken(scene.look(1, &FREE));
        let first = intent.legs().next().unwrap().side;
        (first, intent.send)
    };
    let after = SendOrder::FirstThenParallel;
    assert_eq!(look(5_000, 4_000, LegOrder::ThinFirst), (Side::Sell, after));
    assert_eq!(look(4_000, 5_000, LegOrder::ThinFirst), (Side::Buy, after));
    assert_eq!(look(4_000, 4_000, LegOrder::ThinFirst), (Side::Buy, after));
    assert_eq!(
        look(5_000, 4_000, LegOrder::Together),
        (Side::Buy, SendOrder::Together)
    );
}

#[test]
fn no_set_begins_in_a_blackout() {
    let hour = 3_600_000_000_000_u64;
    let usual = params(2);
    let span = DaySpan {
        from: Nanos(0),
        to: Nanos(hour),
    };
    let mut scene = Scene::v31(CrossVenueParams {
        common: CommonParams {
            blackout: vec![span],
            ..usual.common
        },
        ..usual
    });
    let never = Nanos(u64::MAX);
    assert_eq!(
        refusal(scene.look(1, &FREE)),
        Pass::Blackout { remaining: never }
    );
    // T0 is 2 h 46 min 40 s of our clock: half past midnight when zero was at 21:43:20.
    let midnight = 20_000 * 24 * i64::try_from(hour).unwrap();
    let since = i64::try_from(T0.0).unwrap();
    let half = i64::try_from(hour.div_euclid(2)).unwrap();
    scene.strategy.on_clock(UnixNanos(midnight + half - since));
    let remaining = Nanos(hour.div_euclid(2));
    assert_eq!(refusal(scene.look(1, &FREE)), Pass::Blackout { remaining });
    scene
        .strategy
        .on_clock(UnixNanos(midnight + 2 * half - since));
    taken(scene.look(1, &FREE));
    assert_eq!(scene.strategy.counters().of(Outcome::Blackout), 2);
}

#[test]
fn only_so_many_levels_are_taken() {
    let look = |levels: u32| {
        let usual = params(2);
        let mut scene = Scene::v31(CrossVenueParams {
            common: CommonParams {
                depth_levels: levels,
                ..usual.common
            },
            ..usual
        });
        let asks = [(6_000_000, 10), (6_000_001, 20), (6_000_002, 30)];
        set_book(&mut scene.books, 0, &[(5_999_900, 1)], &asks, T0);
        taken(scene.look(1, &FREE)).legs().next().unwrap().qty
    };
    assert_eq!(
        [look(1), look(2), look(3), look(20)],
        [Qty(10), Qty(30), Qty(60), Qty(60)]
    );
}
