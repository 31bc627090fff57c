//! Which cycles there are: against every permutation of assets, and given ones.

use std::collections::BTreeSet;

use arbalest::market::{Catalogue, Instrument, InstrumentId, InstrumentStatus};
use arbalest::prng::Prng;
use arbalest::strategy::triangular::CycleError;
use arbalest::strategy::{CycleChoice, RouteId, Strategy, StrategyError, Triangular};
use arbalest::units::{Asset, Side};

use crate::scene::{asset, pair, params};

const CODES: [&str; 6] = ["USDT", "BTC", "ETH", "BNB", "SOL", "EUR"];

fn catalogue(instruments: Vec<Instrument>) -> Catalogue {
    Catalogue::new(vec!["v0".to_owned()], instruments).unwrap()
}

/// Slow twin: every ordered choice of distinct assets, kept when each follows the one before by a pair.
fn permutations(
    pairs: &[Instrument],
    path: &mut Vec<Asset>,
    legs_max: usize,
    may: &dyn Fn(Asset) -> bool,
    found: &mut BTreeSet<Vec<(InstrumentId, Side)>>,
) {
    let way = |from: Asset, to: Asset| {
        pairs.iter().find_map(|pair| {
            let symbol = (pair.symbol.base, pair.symbol.quote);
            let trades = pair.status == InstrumentStatus::Trading;
            if trades && symbol == (from, to) {
                Some((pair.id, Side::Sell))
            } else {
                (trades && symbol == (to, from)).then_some((pair.id, Side::Buy))
            }
        })
    };
    if path.len() >= 3 {
        let next = path.iter().skip(1).chain(path.first());
        let legs: Option<Vec<_>> = path.iter().zip(next).map(|(a, b)| way(*a, *b)).collect();
        found.extend(legs);
    }
    if path.len() == legs_max {
        return;
    }
    for code in CODES {
        let next = asset(code);
        if may(next) && !path.contains(&next) {
            path.push(next);
            permutations(pairs, path, legs_max, may, found);
            path.pop();
        }
    }
}

#[test]
fn discovery_equals_every_permutation() {
    let mut prng = Prng::new(11);
    let mut found_in_all = 0;
    for _ in 0..600 {
        let mut pairs = Vec::new();
        for (index, base) in CODES.iter().enumerate() {
            for quote in &CODES[..index] {
                if prng.below(10) < 6 {
                    let (base, quote) = if prng.below(2) == 0 {
                        (base, quote)
                    } else {
                        (quote, base)
                    };
                    let id = u16::try_from(pairs.len()).unwrap();
                    let mut made = pair(id, &format!("{base}/{quote}"), 2, 2);
                    if prng.below(10) == 0 {
                        made.status = InstrumentStatus::Halted;
                    }
                    pairs.push(made);
                }
            }
        }
        let denied = asset(CODES[1 + usize::try_from(prng.below(5)).unwrap()]);
        let mut wanted = params(pairs.len());
        wanted.max_cycle_legs = 3 + usize::try_from(prng.below(3)).unwrap();
        wanted.cycles = CycleChoice::Discover {
            assets_allow: Vec::new(),
            assets_deny: vec![denied],
        };
        let mut expected = BTreeSet::new();
        let start = asset("USDT");
        permutations(
            &pairs,
            &mut vec![start],
            wanted.max_cycle_legs,
            &|asset| asset != denied,
            &mut expected,
        );
        let catalogue = catalogue(pairs);
        let cycles = match Triangular::cycles_of(&wanted, &catalogue) {
            Ok(cycles) => cycles,
            Err(error) => {
                assert_eq!((error, expected.len()), (CycleError::None, 0));
                continue;
            }
        };
        assert_eq!(cycles.len(), expected.len(), "each once");
        let legs: BTreeSet<_> = cycles.iter().map(|cycle| cycle.legs.clone()).collect();
        assert_eq!(legs, expected);
        assert_eq!(
            Triangular::cycles_of(&wanted, &catalogue).unwrap(),
            cycles,
            "in one order"
        );
        let strategy = Triangular::new(wanted, &catalogue).unwrap();
        assert_eq!(strategy.route_count(), cycles.len());
        for (id, cycle) in (0_u16..).zip(&cycles) {
            let (route, _) = strategy.route(RouteId(id)).unwrap();
            assert_eq!(route.legs().collect::<Vec<_>>(), cycle.legs);
            for (instrument, _) in &cycle.legs {
                assert!(strategy.cycles_containing(*instrument) > 0);
            }
        }
        assert!(
            strategy
                .route(RouteId(u16::try_from(cycles.len()).unwrap()))
                .is_none()
        );
        found_in_all += cycles.len();
    }
    assert!(found_in_all > 2_000, "{found_in_all}");
}

#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn allowed_assets_and_given_paths() {
    let pairs = || {
        catalogue(vec![
            pair(0, "BTC/USDT", 2, 5),
            pair(1, "ETH/BTC", 5, 4),
            pair(2, "ETH/USDT", 2, 4),
            pair(3, "BNB/USDT", 2, 4),
            pair(4, "BNB/BTC", 6, 4),
        ])
    };
    let with = |cycles: CycleChoice| {
        let mut wanted = params(5);
        wanted.cycles = cycles;
        Triangular::new(wanted, &pairs()).map(|strategy| {
            let routes = (&strategy as &dyn Strategy).routes();
            routes
                .map(|(route, _)| route.legs().collect::<Vec<_>>())
                .collect::<Vec<_>>()
        })
    };
    let there = vec![
        (InstrumentId(0), Side::Buy),
        (InstrumentId(1), Side::Buy),
        (InstrumentId(2), Side::Sell),
    ];
    let back = vec![
        (InstrumentId(2), Side::Buy),
        (InstrumentId(1), Side::Sell),
        (InstrumentId(0), Side::Sell),
    ];
    let allow = |codes: &[&str]| CycleChoice::Discover {
        assets_allow: codes.iter().map(|code| asset(code)).collect(),
        assets_deny: Vec::new(),
    };
    assert_eq!(with(allow(&[])).unwrap().len(), 4);
    assert_eq!(with(allow(&["BTC", "ETH"])).unwrap(), [there.clone(), back]);
    let path = |codes: &[&str]| codes.iter().map(|code| asset(code)).collect::<Vec<_>>();
    let given = |codes: &[&str]| with(CycleChoice::Given(vec![path(codes)]));
    assert_eq!(given(&["USDT", "BTC", "ETH"]).unwrap(), [there]);
    for (codes, error, text) in [
        (
            &["USDT", "ETH", "BNB"][..],
            CycleError::NoPair {
                from: asset("ETH"),
                to: asset("BNB"),
            },
            "venue had no spot pair of ETH and BNB",
        ),
        (
            &["USDT", "BTC"],
            CycleError::Length {
                legs: 2,
                legs_max: 3,
            },
            "path had 2 legs, not 3 to 3",
        ),
        (
            &["BTC", "ETH", "USDT"],
            CycleError::Start(asset("BTC")),
            "path began at BTC, which was no start asset",
        ),
        (
            &["USDT", "BTC", "USDT"],
            CycleError::Repeats(asset("USDT")),
            "path came to USDT twice",
        ),
    ] {
        let answer = given(codes).unwrap_err();
        assert_eq!(
            (answer.to_string().as_str(), &answer),
            (text, &StrategyError::Cycle(error))
        );
    }
    assert_eq!(
        with(CycleChoice::Given(Vec::new())),
        Err(StrategyError::Cycle(CycleError::None))
    );
}

/// 40 assets with a pair to USDT and pairs among each other, five legs: more cycles than there is room for are refused, not cut.
#[test]
fn too_many_cycles_are_refused() {
    let mut pairs = Vec::new();
    for one in 0..40 {
        pairs.push(format!("A{one}/USDT"));
        for two in 0..one {
            pairs.push(format!("A{one}/A{two}"));
        }
    }
    let made = pairs.iter().zip(0_u16..);
    let made: Vec<_> = made.map(|(symbol, id)| pair(id, symbol, 2, 2)).collect();
    let mut wanted = params(made.len());
    wanted.max_cycle_legs = 5;
    assert_eq!(
        Triangular::cycles_of(&wanted, &catalogue(made)),
        Err(CycleError::TooMany)
    );
}
