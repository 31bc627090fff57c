//! Limits over a restart: a file that became looser meanwhile needs two people, as it would in a running engine (RISK.md 2.5).

use std::collections::BTreeMap;
use std::sync::Arc;

use arbalest::engine::recovery::StartLimits;
use arbalest::risk::limits::{Shock, StressScenario};
use arbalest::risk::{Direction, Limits};
use arbalest::units::{Asset, Grid, Nanos, Ppm, Qty};

use super::support::*;

fn kept(limits: &Limits) -> BTreeMap<String, String> {
    let catalogue = catalogue(instruments());
    limits.values(&catalogue).into_iter().collect()
}

fn start(file: Limits, kept: Option<&BTreeMap<String, String>>) -> StartLimits {
    StartLimits::new(&Arc::new(file), kept, &catalogue(instruments())).unwrap()
}

fn scenario(name: &str, shock: Shock) -> StressScenario {
    StressScenario {
        name: name.to_owned(),
        shock,
        loss_usd_max: dec("1000.5"),
    }
}

/// Every kind of value, and every kind of shock.
fn many() -> Limits {
    let mut all = limits();
    all.instruments[ETHER.index()] = None;
    all.unrealized_loss_usd_max = dec("512.25");
    all.spread_max = Ppm::from_bps(7);
    all.cooldown = Nanos::from_millis(61_234);
    all.submit_rate_max_symbol = 17;
    all.pre_trade.facts_required = false;
    all.pre_trade.disk_free_bytes_min = 123_456_789_012;
    all.close.attempts_max = 3;
    all.kill.clears_per_day_max = 4;
    let (asset, change) = (Asset::new("USDT").unwrap(), Ppm(-20_000));
    all.controls.stress = vec![
        scenario("lose", Shock::VenueLost(arbalest::market::VenueId(1))),
        scenario("depeg", Shock::Depeg { asset, change }),
        scenario("basis", Shock::Basis(Ppm(20_000))),
        scenario(
            "funding",
            Shock::Funding {
                rate: Ppm(100),
                times: Ppm(5_000_000),
            },
        ),
        scenario(
            "crash",
            Shock::Price {
                asset: None,
                change,
            },
        ),
        scenario(
            "one",
            Shock::Price {
                asset: Some(asset),
                change,
            },
        ),
    ];
    all
}

#[test]
fn what_was_kept_comes_back_exactly() {
    let catalogue = catalogue(instruments());
    for all in [limits(), many()] {
        // Whatever the file says now.
        for file in [limits(), many()] {
            let mut expected = all.clone();
            if file.instruments[ETHER.index()].is_none() {
                expected.instruments[ETHER.index()] = None;
            }
            assert_eq!(file.as_kept(&kept(&all), &catalogue), Ok(expected));
        }
    }
}

#[test]
fn the_first_start_takes_the_file_and_so_does_one_with_the_same_or_a_tighter_one() {
    assert_eq!(*start(many(), None).limits, many());
    let same = start(many(), Some(&kept(&many())));
    assert_eq!((&*same.limits, same.told()), (&many(), None));
    let mut tighter = many();
    tighter.spread_max = Ppm::from_bps(6);
    tighter.instruments[NORTH.index()] = None;
    let begun = start(tighter.clone(), Some(&kept(&many())));
    assert_eq!((&*begun.limits, begun.told()), (&tighter, None));
}

#[test]
fn a_looser_file_starts_with_the_tighter_of_both_and_every_loosened_limit_is_named() {
    let mut file = many();
    file.unrealized_loss_usd_max = dec("900");
    file.spread_max = Ppm::from_bps(6);
    file.close.attempts_max = 9;
    file.instruments[NORTH.index()]
        .as_mut()
        .unwrap()
        .order_qty_max = Qty(200 * ONE);
    file.instruments[ETHER.index()] = file.instruments[SOUTH.index()];
    file.controls.stress.pop();
    let begun = start(file.clone(), Some(&kept(&many())));
    let mut expected = many();
    expected.spread_max = Ppm::from_bps(6);
    assert_eq!(*begun.limits, expected);
    let waiting: Vec<(&str, &str, &str)> = begun
        .waiting
        .iter()
        .map(|one| (one.key.as_str(), one.old.as_str(), one.new.as_str()))
        .collect();
    assert_eq!(
        waiting[..4],
        [
            ("instrument[north:BTC/USDT].order_qty_max", "100", "200"),
            (
                "instrument[north:ETH/USDT]",
                "not traded",
                "order 100, position 1000"
            ),
            ("unrealized_loss_usd_max", "512.25", "900"),
            ("force_close.attempts_max", "3", "9"),
        ]
    );
    assert_eq!((waiting.len(), waiting[4].0), (5, "controls.stress"));
    assert!(
        begun
            .waiting
            .iter()
            .all(|one| one.direction != Direction::Tighter)
    );
    let told = begun.told().unwrap();
    assert!(told.contains("unrealized_loss_usd_max stays 512.25 (the file says 900)"));
    // A second restart changes nothing: what was in force is what counts, not what the file said.
    let again = start(file, Some(&kept(&begun.limits)));
    assert_eq!(*again.limits, expected);
    assert_eq!(again.waiting, begun.waiting);
}

/// Steps are a venue's: the quantity is what was agreed.
#[test]
fn another_size_of_a_step_is_no_loosening() {
    let was = kept(&limits());
    let mut finer = instruments();
    for instrument in &mut finer {
        instrument.grid = Grid::new(2, 7).unwrap();
    }
    let catalogue = catalogue(finer);
    let steps = |factor: i64| {
        let mut own = limits();
        for one in own.instruments.iter_mut().flatten() {
            one.order_qty_max = Qty(100 * ONE * factor);
            one.position_qty_max = Qty(1_000 * ONE * factor);
        }
        Arc::new(own)
    };
    let same = StartLimits::new(&steps(10), Some(&was), &catalogue).unwrap();
    assert_eq!((&same.limits, same.waiting.len()), (&steps(10), 0));
    let double = StartLimits::new(&steps(20), Some(&was), &catalogue).unwrap();
    assert_eq!((&double.limits, double.waiting.len()), (&steps(10), 10));
}

#[test]
fn a_kept_value_that_nobody_understands_is_no_start() {
    for (key, text) in [
        ("spread_bps_max", "a lot"),
        ("cooldown_ms", "60000"),
        ("controls.stress", "x|flood|1"),
        ("instrument[north:BTC/USDT].order_qty_max", "1e99"),
    ] {
        let mut kept = kept(&limits());
        assert!(
            kept.insert(key.to_owned(), text.to_owned()).is_some(),
            "{key}"
        );
        let catalogue = catalogue(instruments());
        let found = StartLimits::new(&Arc::new(limits()), Some(&kept), &catalogue);
        assert_eq!(found, Err(vec![format!("{key} = {text}")]));
    }
    // A limit that is new in this build has nothing to be compared with.
    let mut older = kept(&limits());
    older.remove("cooldown_ms");
    let mut file = limits();
    file.cooldown = Nanos::from_secs(1);
    assert_eq!(*start(file.clone(), Some(&older)).limits, file);
}
