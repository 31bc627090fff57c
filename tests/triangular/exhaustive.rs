//! The size found against every combination of lots of all legs, in exact integers, on random books; and the set found
//! against the best of all cycles.
//!
//! The twin knows nothing of plans, searches or logs: it writes down what each leg costs and yields by walking its levels, and
//! tries all quantities of all legs.

use arbalest::market::{Instrument, InstrumentId};
use arbalest::prng::Prng;
use arbalest::strategy::{CycleChoice, Evaluation, FeeTaken, Pass, Strategy, TriangularParams};
use arbalest::units::{Asset, Money, Ppm, Price, Qty, Side};
use num_bigint::BigInt;
use rust_decimal::Decimal;

use crate::scene::{Levels, Scene, T0, asset, legs, pair, params};

/// All amounts in 10^-12 units of their asset: prices have 4 decimals here, quantities 2, fees 6.
const UNITS: i128 = 1_000_000_000_000;
const MILLION: i128 = 1_000_000;

/// One leg as the twin sees it.
struct TwinLeg {
    side: Side,
    levels: Levels,
    lot: i64,
    fee: i128,
    quote_fee: bool,
    /// Quantities that this leg may have, by its own bounds.
    allowed: Vec<i64>,
    spent: Vec<i128>,
    yielded: Vec<i128>,
}

/// Value of `qty` at the levels, in notional steps (10^-6), and the worst price touched.
fn walk(levels: &Levels, qty: i64) -> Option<(i128, i64)> {
    let (mut left, mut value, mut worst) = (qty, 0, levels.first()?.0);
    for (price, there) in levels {
        if left == 0 {
            break;
        }
        let taken = left.min(*there);
        value += i128::from(*price) * i128::from(taken);
        worst = *price;
        left -= taken;
    }
    (left == 0).then_some((value, worst))
}

impl TwinLeg {
    fn spent(&self, qty: i64) -> i128 {
        match self.side {
            Side::Sell => (i128::from(qty) * UNITS).div_euclid(100),
            Side::Buy => {
                let value = walk(&self.levels, qty).unwrap().0;
                let fee = if self.quote_fee { self.fee } else { 0 };
                value * (MILLION + fee)
            }
        }
    }
    fn yielded(&self, qty: i64) -> i128 {
        match self.side {
            Side::Sell => walk(&self.levels, qty).unwrap().0 * (MILLION - self.fee),
            Side::Buy => {
                let fee = if self.quote_fee { 0 } else { self.fee };
                i128::from(qty) * UNITS.div_euclid(100 * MILLION) * (MILLION - fee)
            }
        }
    }
    /// What one unit yielded costs at the touch, fee included, as a fraction.
    fn cost(&self) -> (BigInt, BigInt) {
        let price = i128::from(self.levels[0].0);
        let (over, under) = match (self.side, self.quote_fee) {
            (Side::Buy, false) => (price * MILLION, 10_000 * (MILLION - self.fee)),
            (Side::Buy, true) => (price * (MILLION + self.fee), 10_000 * MILLION),
            (Side::Sell, _) => (10_000 * MILLION, price * (MILLION - self.fee)),
        };
        (BigInt::from(over), BigInt::from(under))
    }
}

/// `product of rates >= 1 + edge`, where the first leg is at `price`.
fn trip_reaches(twin: &[TwinLeg], price: i64, edge: i128) -> bool {
    let (mut gain, mut cost) = (BigInt::from(MILLION), BigInt::from(MILLION + edge));
    for (index, leg) in twin.iter().enumerate() {
        let price = if index == 0 { price } else { leg.levels[0].0 };
        let at = TwinLeg {
            levels: vec![(price, 1)],
            allowed: Vec::new(),
            spent: Vec::new(),
            yielded: Vec::new(),
            ..*leg
        };
        let (over, under) = at.cost();
        (gain, cost) = (gain * under, cost * over);
    }
    gain >= cost
}

struct Best {
    score: BigInt,
    qty: Vec<i64>,
    spent: i128,
    received: i128,
}

/// Every combination of allowed quantities in which no leg spends more than the one before yields.
fn search(twin: &[TwinLeg], edge: i128, wanted: &dyn Fn(i128) -> bool) -> Option<Best> {
    // What is left over after each leg counts at its cost: all on one denominator.
    let mut values = Vec::new();
    let (mut over, mut under) = (BigInt::from(1), BigInt::from(1));
    for leg in twin {
        let (a, b) = leg.cost();
        (over, under) = (over * a, under * b);
        values.push((over.clone(), under.clone()));
    }
    let whole: BigInt = values.iter().map(|(_, under)| under).product();
    let values: Vec<BigInt> = values
        .iter()
        .map(|(over, under)| over * (&whole / under))
        .collect();
    let mut best = None;
    let mut places = vec![0; twin.len()];
    combine(twin, 0, None, &mut places, &mut |places| {
        let first = &twin[0];
        let (spent, last) = (first.spent[places[0]], twin.len() - 1);
        let received = twin[last].yielded[places[last]];
        if !wanted(spent) || (received - spent) * MILLION < edge * spent {
            return;
        }
        let mut score =
            (BigInt::from(received * MILLION) - BigInt::from(spent * (MILLION + edge))) * &whole;
        for (index, leg) in twin.iter().enumerate().take(last) {
            let left = leg.yielded[places[index]] - twin[index + 1].spent[places[index + 1]];
            score += BigInt::from(left * MILLION) * &values[index];
        }
        if best.as_ref().is_none_or(|best: &Best| score > best.score) {
            let qty = twin
                .iter()
                .zip(places)
                .map(|(leg, place)| leg.allowed[*place]);
            best = Some(Best {
                score,
                qty: qty.collect(),
                spent,
                received,
            });
        }
    });
    best
}

fn combine(
    twin: &[TwinLeg],
    index: usize,
    yielded: Option<i128>,
    places: &mut Vec<usize>,
    found: &mut dyn FnMut(&[usize]),
) {
    let Some(leg) = twin.get(index) else {
        found(places);
        return;
    };
    for place in 0..leg.allowed.len() {
        if yielded.is_some_and(|yielded| leg.spent[place] > yielded) {
            break;
        }
        places[index] = place;
        combine(twin, index + 1, Some(leg.yielded[place]), places, found);
    }
}

/// A random market around one cycle.
struct Market {
    pairs: Vec<Instrument>,
    bids: Vec<Levels>,
    asks: Vec<Levels>,
    path: Vec<Asset>,
}

const CODES: [&str; 5] = ["USDT", "AAA", "BBB", "CCC", "DDD"];

fn below(prng: &mut Prng, bound: u64) -> i64 {
    i64::try_from(prng.below(bound)).unwrap()
}

/// Assets of random worth with a pair between any two that `wants` names; prices agree but for some parts in a thousand.
fn market(
    prng: &mut Prng,
    assets: usize,
    lots: u64,
    wants: &dyn Fn(usize, usize) -> bool,
) -> Market {
    let worth: Vec<i64> = (0..assets)
        .map(|index| {
            if index == 0 {
                100
            } else {
                100 + below(prng, 4_000)
            }
        })
        .collect();
    let mut made = Market {
        pairs: Vec::new(),
        bids: Vec::new(),
        asks: Vec::new(),
        path: CODES[..assets].iter().map(|code| asset(code)).collect(),
    };
    for one in 0..assets {
        for two in 0..one {
            if !wants(one, two) {
                continue;
            }
            let (base, quote) = if prng.below(2) == 0 {
                (one, two)
            } else {
                (two, one)
            };
            let id = u16::try_from(made.pairs.len()).unwrap();
            let mut pair = pair(id, &format!("{}/{}", CODES[base], CODES[quote]), 4, 2);
            // A lot is worth 1 to 6 units of the start asset.
            pair.lot = Qty(((1 + below(prng, 6)) * 10_000 / worth[base]).max(1));
            pair.tick = Price(1 + below(prng, 2));
            if prng.below(8) == 0 {
                pair.qty_min = Qty(pair.lot.0 * (1 + below(prng, 3)));
            }
            if prng.below(8) == 0 {
                let value = pair.lot.0 * worth[base] * (1 + below(prng, 3));
                pair.notional_min = Decimal::new(value, 2) / Decimal::from(worth[quote]);
                pair.notional_min = pair.notional_min.round_dp(5);
            }
            let fair = 10_000 * worth[base] / worth[quote];
            // Lots are coarse against the size, so edges must be large for any size to net one.
            let fair = fair + fair * (below(prng, 900) - 250) / 1_000;
            let tick = pair.tick.0;
            let touch = (fair / tick * tick).max(8 * tick);
            let side = |prng: &mut Prng, sign: i64| {
                let (mut levels, mut price) =
                    (Levels::new(), touch + if sign > 0 { tick } else { 0 });
                for _ in 0..=prng.below(2) {
                    let qty = pair.lot.0 * (3 + below(prng, lots)) + below(prng, 3);
                    levels.push((price, qty));
                    let step = 1 + price * below(prng, 8) / 200;
                    price += sign * step.div_euclid(tick).max(1) * tick;
                    if price < tick {
                        break;
                    }
                }
                levels
            };
            made.bids.push(side(prng, -1));
            made.asks.push(side(prng, 1));
            made.pairs.push(pair);
        }
    }
    made
}

/// The legs of a cycle as the twin sees them, with each leg's own bounds.
fn twin_of(
    market: &Market,
    cycle: &[(InstrumentId, Side)],
    params: &TriangularParams,
    free: &dyn Fn(Asset) -> i128,
) -> Vec<TwinLeg> {
    let mut twin: Vec<TwinLeg> = Vec::new();
    for (id, side) in cycle {
        let index = id.index();
        twin.push(TwinLeg {
            side: *side,
            levels: match side {
                Side::Buy => market.asks[index].clone(),
                Side::Sell => market.bids[index].clone(),
            },
            lot: market.pairs[index].lot.0,
            fee: i128::from(params.taker_fees[index].0),
            quote_fee: params.fee_taken == FeeTaken::FromQuote,
            allowed: Vec::new(),
            spent: Vec::new(),
            yielded: Vec::new(),
        });
    }
    for index in 0..twin.len() {
        let pair = &market.pairs[cycle[index].0.index()];
        let (side, spends) = (
            twin[index].side,
            match twin[index].side {
                Side::Buy => pair.symbol.quote,
                Side::Sell => pair.symbol.base,
            },
        );
        let yields = if spends == pair.symbol.base {
            pair.symbol.quote
        } else {
            pair.symbol.base
        };
        let touch = i128::from(twin[index].levels[0].0);
        let protective = i128::from(params.protective_limit.0);
        let tick = i128::from(pair.tick.0);
        let limit = match side {
            Side::Buy => touch * (MILLION + protective) / MILLION / tick * tick,
            Side::Sell => {
                let limit = (touch * (MILLION - protective) + MILLION - 1) / MILLION;
                (limit + tick - 1) / tick * tick
            }
        };
        let edge = i128::from(params.common.min_net_edge.0);
        let usable: Levels = twin[index]
            .levels
            .iter()
            .copied()
            .take_while(|(price, _)| match (index, side) {
                (0, _) => trip_reaches(&twin, *price, edge),
                (_, Side::Buy) => i128::from(*price) <= limit,
                (_, Side::Sell) => i128::from(*price) >= limit,
            })
            .collect();
        let there: i128 = usable.iter().map(|(_, qty)| i128::from(*qty)).sum();
        let share = there * i128::from(params.common.max_book_take.0) / MILLION;
        let cap = params.asset_caps.iter().find(|(known, _)| *known == yields);
        let cap = cap.filter(|_| index + 1 < twin.len());
        let lot = twin[index].lot;
        let mut allowed = Vec::new();
        for lots in 1.. {
            let qty: i64 = lots * lot;
            let Some((value, worst)) = walk(&usable, qty) else {
                break;
            };
            if i128::from(qty) > share {
                break;
            }
            // In 10^-12 units of the asset spent; a purchase locks its limit price.
            let fee = if twin[index].quote_fee {
                twin[index].fee
            } else {
                0
            };
            let locked = match side {
                Side::Sell => i128::from(qty) * UNITS / 100,
                Side::Buy => i128::from(qty) * i128::from(worst) * (MILLION + fee),
            };
            let beyond = match (index, side) {
                (0, _) => locked,
                (_, Side::Buy) => locked - value * (MILLION + fee),
                (_, Side::Sell) => 0,
            };
            if beyond > free(spends) {
                break;
            }
            let leg = &twin[index];
            if cap.is_some_and(|(_, cap)| free(yields) + leg.yielded(qty) > units(*cap)) {
                break;
            }
            let least = Decimal::try_from_i128_with_scale(value, 6).unwrap();
            let at_limit = i128::from(qty) * limit;
            let least = match (index, side) {
                (0, _) | (_, Side::Buy) => least,
                (_, Side::Sell) => {
                    least.min(Decimal::try_from_i128_with_scale(at_limit, 6).unwrap())
                }
            };
            if qty >= pair.qty_min.0 && least >= pair.notional_min {
                allowed.push(qty);
            }
        }
        let leg = &mut twin[index];
        leg.spent = allowed.iter().map(|qty| leg.spent(*qty)).collect();
        leg.yielded = allowed.iter().map(|qty| leg.yielded(*qty)).collect();
        leg.allowed = allowed;
    }
    twin
}

fn units(money: Money) -> i128 {
    money.steps_floor(12).unwrap()
}

struct Game {
    market: Market,
    params: TriangularParams,
    free: Vec<(Asset, Decimal)>,
}

impl Game {
    fn random(
        prng: &mut Prng,
        assets: usize,
        lots: u64,
        wants: &dyn Fn(usize, usize) -> bool,
    ) -> Self {
        let market = market(prng, assets, lots, wants);
        let mut params = params(market.pairs.len());
        for fee in &mut params.taker_fees {
            *fee = Ppm(below(prng, 16) * 100);
        }
        if prng.below(3) == 0 {
            params.fee_taken = FeeTaken::FromQuote;
        }
        params.max_cycle_legs = assets;
        params.common.max_net_edge = Ppm(10_000_000);
        params.common.min_net_edge = Ppm(below(prng, 8) * 100);
        params.common.max_book_take = Ppm(400_000 + below(prng, 600_001));
        params.protective_limit = Ppm(500 + below(prng, 80_000));
        params.start_min = Money(Decimal::from(below(prng, 5)));
        params.start_max = Money(Decimal::new(3_000 + below(prng, 20_000), 2));
        let mut free = vec![(CODES[0], Decimal::new(2_000 + below(prng, 40_000), 2))];
        for code in &CODES[1..assets] {
            if prng.below(2) == 0 {
                free.push((code, Decimal::new(below(prng, 100), 4)));
            }
            if prng.below(12) == 0 {
                let cap = Money(Decimal::new(100 + below(prng, 2_000), 2));
                params.asset_caps.push((asset(code), cap));
            }
        }
        let free = free.into_iter().map(|(code, free)| (asset(code), free));
        Self {
            free: free.collect(),
            market,
            params,
        }
    }

    fn scene(&self) -> Scene {
        let mut scene = Scene::new(self.market.pairs.clone(), self.params.clone());
        for (asset, free) in &self.free {
            scene.fund(asset.as_str(), &free.to_string());
        }
        for (id, (bids, asks)) in (0..).zip(self.market.bids.iter().zip(&self.market.asks)) {
            scene.show(id, bids, asks, T0);
        }
        scene.warm();
        scene
    }

    fn free(&self, asset: Asset) -> i128 {
        let own = self.free.iter().find(|(known, _)| *known == asset);
        own.map_or(0, |(_, free)| units(Money(*free)))
    }

    fn best(&self, cycle: &[(InstrumentId, Side)]) -> Option<Best> {
        let twin = twin_of(&self.market, cycle, &self.params, &|asset| self.free(asset));
        let edge = i128::from(self.params.common.min_net_edge.0);
        if !trip_reaches(&twin, twin[0].levels[0].0, edge) {
            return None;
        }
        let (low, high) = (units(self.params.start_min), units(self.params.start_max));
        search(&twin, edge, &|spent| (low..=high).contains(&spent))
    }
}

#[test]
fn best_size_equals_every_combination_of_lots() {
    let mut prng = Prng::new(32);
    let (mut taken, mut none) = (0, 0);
    let mut passed = std::collections::BTreeMap::new();
    for book in 0..8_000 {
        let (assets, lots) = [(3, 9), (3, 12), (4, 5), (5, 2)][book % 4];
        // One ring: each asset has a pair with the next one.
        let ring = move |one: usize, two: usize| one == two + 1 || (two == 0 && one == assets - 1);
        let mut game = Game::random(&mut prng, assets, lots, &ring);
        game.params.cycles = CycleChoice::Given(vec![game.market.path.clone()]);
        let mut scene = game.scene();
        let route = scene
            .strategy
            .route(arbalest::strategy::RouteId(0))
            .unwrap()
            .0;
        let cycle: Vec<_> = route.legs().collect();
        let best = game.best(&cycle);
        match (scene.look_at(0, T0), best) {
            (Evaluation::Taken(intent), Some(best)) => {
                let found: Vec<i64> = legs(&intent).iter().map(|leg| leg.qty.0).collect();
                assert_eq!(found, best.qty, "book {book}");
                let edge = (best.received - best.spent) * MILLION;
                let edge = i64::try_from(edge.div_euclid(best.spent)).unwrap();
                assert_eq!(intent.net_edge, Ppm(edge), "book {book}");
                taken += 1;
            }
            (Evaluation::Taken(intent), None) => panic!("book {book}: took {intent:?}"),
            (Evaluation::Refused { reason, .. }, None) => {
                assert!(!matches!(reason, Pass::Implausible { .. }), "book {book}");
                *passed.entry(reason.outcome().label()).or_insert(0) += 1;
            }
            (Evaluation::Nothing, None) => none += 1,
            (answer, Some(best)) => panic!("book {book}: {answer:?} instead of {:?}", best.qty),
        }
    }
    println!("taken {taken}, no edge {none}, passed {passed:?}");
    assert!(
        taken > 700 && none > 300 && passed.len() >= 4,
        "{taken} {none} {passed:?}"
    );
}

/// Four assets, a pair between any two: of all cycles over the changed pair, the one with the best edge at its best size.
#[test]
fn the_set_found_is_the_best_of_all_cycles() {
    let mut prng = Prng::new(5);
    let mut taken = 0;
    for book in 0..1_000 {
        let (lots, legs_max) = if book % 3 == 0 { (4, 4) } else { (10, 3) };
        let mut game = Game::random(&mut prng, 4, lots, &|_, _| true);
        game.params.max_cycle_legs = legs_max;
        let mut scene = game.scene();
        let changed = InstrumentId(u16::try_from(prng.below(6)).unwrap());
        let strategy: &dyn Strategy = &scene.strategy;
        let mut best: Option<(i128, Vec<(InstrumentId, i64)>)> = None;
        for (route, _) in strategy.routes() {
            let cycle: Vec<_> = route.legs().collect();
            if cycle.iter().all(|(instrument, _)| *instrument != changed) {
                continue;
            }
            if let Some(found) = game.best(&cycle) {
                let edge = ((found.received - found.spent) * MILLION).div_euclid(found.spent);
                if best.as_ref().is_none_or(|(known, _)| edge > *known) {
                    let legs = cycle.iter().zip(found.qty);
                    best = Some((edge, legs.map(|((id, _), qty)| (*id, qty)).collect()));
                }
            }
        }
        let answer = scene.look_at(changed.0, T0);
        let Some((edge, expected)) = best else {
            assert!(
                !matches!(answer, Evaluation::Taken(_)),
                "book {book}: {answer:?}"
            );
            continue;
        };
        let Evaluation::Taken(intent) = answer else {
            panic!("book {book}: {answer:?} instead of {expected:?}")
        };
        let found = legs(&intent);
        let found: Vec<_> = found
            .iter()
            .map(|leg| (leg.instrument, leg.qty.0))
            .collect();
        assert_eq!(
            i128::from(intent.net_edge.0),
            edge,
            "book {book}: {found:?} {expected:?}"
        );
        taken += 1;
    }
    println!("taken {taken} of 1,000");
    assert!(taken > 300, "{taken}");
}
