//! Funding of several perpetuals at one instant: each payment is booked once, and money agrees with the venue to the last digit.

use arbalest::config::Settings;
use arbalest::sim::build::{model_setup, venue_setup};
use arbalest::sim::tape::{MarketModel, ModelParams};
use arbalest::sim::venue::VenueSetup;
use arbalest::sim::world::{World, WorldReport, world_setup};
use arbalest::units::{Nanos, UnixNanos};

/// A funding instant: 2023-11-15 00:00 UTC.
const FUNDING_AT: i64 = 1_700_006_400_000_000_000;

/// Twenty seconds of the demo's market up to the funding instant, and ten after it.
fn run(seed: u64) -> WorldReport {
    let settings = Settings::embedded().unwrap();
    let start = UnixNanos(FUNDING_AT - 20_000_000_000);
    let venues: Vec<VenueSetup> = settings
        .venues()
        .iter()
        .map(|venue| venue_setup(venue, "key", "secret", seed))
        .collect();
    let market = model_setup(settings.venues(), &venues, ModelParams::demo(), seed, start);
    let world = World::new(world_setup(&settings, venues, seed, start).unwrap()).unwrap();
    world.run(&mut MarketModel::new(&market), Nanos::from_secs(30))
}

#[test]
fn two_perpetuals_that_pay_at_one_instant_are_two_payments() {
    let mut most = 0;
    for seed in 1..=10 {
        let report = run(seed);
        assert!(
            report.violations.is_empty(),
            "seed {seed}: {:#?}\n{}",
            report.violations,
            report.summary.text()
        );
        most = most.max(report.fundings.len());
    }
    assert!(most >= 2, "at most {most} payments at one instant");
}
