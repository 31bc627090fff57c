//! One venue with BTC/USDT, ETH/USDT and ETH/BTC in twenty seeded markets with an edge planted around the cycle and twenty
//! without: sets opened, all ended even, and money the same by the fills, by the split of every set and by `arbalest ledger`;
//! and nothing at all where nothing was planted.

use std::collections::BTreeMap;
use std::path::Path;

use arbalest::config::Settings;
use arbalest::sim::tape::ModelParams;
use arbalest::sim::world::{SimulateOptions, WorldReport, simulate};
use arbalest::units::{Asset, Nanos, Side};
use rust_decimal::Decimal;

use super::cross_exchange::{by_command, by_engine};

const SECONDS: u64 = 20;

fn run(seed: u64, model: ModelParams) -> WorldReport {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/simulation/triangular");
    let options = SimulateOptions {
        seed,
        span: Nanos::from_secs(SECONDS),
        recording: None,
        model,
    };
    let report = simulate(&Settings::load(&directory).unwrap(), &options).unwrap();
    let summary = &report.summary;
    assert!(
        report.violations.is_empty(),
        "seed {seed}: {:#?}\n{}",
        report.violations,
        summary.text()
    );
    assert_eq!((summary.orders_open, summary.orders_unknown), (0, 0));
    report
}

/// What the fills moved of each asset, fees included: written here a second time.
fn moved(report: &WorldReport) -> BTreeMap<Asset, Decimal> {
    let mut moved: BTreeMap<Asset, Decimal> = BTreeMap::new();
    for fill in &report.fills {
        let instrument = report.catalogue.get(fill.instrument).unwrap();
        let sign = match fill.side {
            Side::Buy => Decimal::ONE,
            Side::Sell => -Decimal::ONE,
        };
        let qty = sign * instrument.grid.qty_decimal(fill.qty);
        let value = qty * instrument.grid.price_decimal(fill.price);
        *moved.entry(instrument.symbol.base).or_default() += qty;
        *moved.entry(instrument.symbol.quote).or_default() -= value;
        *moved.entry(fill.fee_asset.unwrap()).or_default() -= fill.fee;
    }
    moved
}

/// Sets opened and what they earned in USDT alone.
fn check_planted(seed: u64) -> (u64, Decimal) {
    let report = run(seed, ModelParams::demo());
    let summary = &report.summary;
    let opened = summary.sets_opened;
    assert_eq!(
        opened,
        summary.sets_hedged + summary.sets_empty,
        "seed {seed}"
    );
    assert_eq!(
        (summary.sets_held, summary.forced_closes),
        (0, 0),
        "seed {seed}"
    );
    let moved = moved(&report);
    let of = |code: &str| moved.get(&Asset::new(code).unwrap()).copied();
    let of = |code: &str| of(code).unwrap_or_default();
    // Even: of what it passes through, a set leaves less than a lot, and never needs more than it brought.
    let sets = Decimal::from(opened);
    for (code, lot) in [("BTC", Decimal::new(1, 5)), ("ETH", Decimal::new(1, 4))] {
        let left = of(code);
        assert!(
            left >= Decimal::ZERO && left <= sets * lot,
            "seed {seed}: {left} {code} of {opened} sets"
        );
    }
    // Every set is split, and the splits less what was left over are the cash, to the last digit.
    let splits = report.attributions.iter();
    let cash: Decimal = splits
        .map(|split| split.parts.net().unwrap().0 - split.residual.0)
        .sum();
    assert_eq!(summary.money.sets_unsplit, 0, "seed {seed}");
    assert_eq!(cash, of("USDT"), "seed {seed}");
    assert_eq!(by_command(&report), by_engine(&report), "seed {seed}");
    (opened, of("USDT"))
}

#[test]
fn planted_cycles_are_taken_end_even_and_are_accounted_for() {
    let run = |seeds: std::ops::RangeInclusive<u64>| {
        seeds
            .map(check_planted)
            .fold((0, Decimal::ZERO, 0), |sum, (opened, earned)| {
                (
                    sum.0 + opened,
                    sum.1 + earned,
                    sum.2 + u64::from(opened > 0),
                )
            })
    };
    let (one, two) = std::thread::scope(|scope| {
        let other = scope.spawn(|| run(211..=220));
        (run(201..=210), other.join().unwrap())
    });
    let (opened, earned, markets) = (one.0 + two.0, one.1 + two.1, one.2 + two.2);
    println!("{opened} sets in {markets} of 20 markets earned {earned} USDT");
    assert!(
        opened >= 40 && markets >= 18,
        "{opened} sets in {markets} markets"
    );
    assert!(earned > Decimal::ZERO, "{earned}");
}

#[test]
fn no_cycle_is_taken_where_nothing_was_planted() {
    let check = |seeds: std::ops::RangeInclusive<u64>| {
        for seed in seeds {
            let report = run(seed, ModelParams::without_edge());
            let opened = report.summary.sets_opened;
            assert_eq!((opened, report.fills.len()), (0, 0), "seed {seed}");
            assert!(
                report.summary.frames_received > 1_000,
                "the market was there"
            );
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| check(211..=220));
        check(201..=210);
    });
}
