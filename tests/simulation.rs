//! The whole engine against its simulated venues in virtual time: money to the last digit, invariants, determinism.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test says no by panicking, and why it skips"
)]

#[path = "simulation/closes.rs"]
mod closes;
#[path = "simulation/cross_exchange.rs"]
mod cross_exchange;
#[path = "simulation/funding.rs"]
mod funding;
#[path = "simulation/levels.rs"]
mod levels;
#[path = "simulation/triangular.rs"]
mod triangular;

use std::path::{Path, PathBuf};

use arbalest::config::Settings;
use arbalest::config::load::Files;
use arbalest::market::VenueId;
use arbalest::prng::Prng;
use arbalest::sim::build::{model_setup, venue_setup};
use arbalest::sim::tape::{MarketModel, ModelParams};
use arbalest::sim::venue::{Fault, FaultScope, FeeAsset, VenueSetup};
use arbalest::sim::world::{
    PlannedFault, SimulateOptions, World, WorldReport, simulate, simulate_faulty, world_setup,
};
use arbalest::units::{Asset, Nanos, Price, Qty, Side, UnixNanos};
use rust_decimal::Decimal;

fn run(seed: u64, seconds: u64, model: ModelParams) -> WorldReport {
    let settings = Settings::embedded().unwrap();
    let options = SimulateOptions {
        seed,
        span: Nanos::from_secs(seconds),
        recording: None,
        model,
    };
    simulate(&settings, &options).unwrap()
}

fn decimal(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// Realized and unrealized together.
fn profit(report: &WorldReport) -> Decimal {
    decimal(&report.summary.realized_pnl) + decimal(&report.summary.unrealized_pnl)
}

/// Twenty markets with an edge planted: sets are opened, both legs fill, money agrees with the venues, and it earns.
///
/// The checker compares every fill, position and balance with the venues' own truth, exactly (I01, I03, I04), and watches
/// the other invariants of RISK.md 4.1 that apply without faults.
#[test]
fn twenty_seeds_hold_every_invariant_and_earn() {
    let (mut opened, mut hedged, mut earned) = (0, 0, Decimal::ZERO);
    for seed in 1..=20 {
        let report = run(seed, 20, ModelParams::demo());
        let summary = &report.summary;
        assert!(
            report.violations.is_empty(),
            "seed {seed}: {:#?}",
            report.violations
        );
        assert_eq!(
            (summary.orders_open, summary.orders_unknown),
            (0, 0),
            "seed {seed}"
        );
        assert_eq!(
            (summary.frames_malformed, summary.book_gaps),
            (0, 0),
            "seed {seed}"
        );
        let frames = summary.frames_decoded + summary.frames_ignored + summary.frames_malformed;
        assert_eq!(summary.frames_received, frames, "seed {seed}");
        let ended = summary.sets_hedged + summary.sets_empty + summary.sets_held;
        assert!(
            summary.sets_opened > 0 && summary.fills > 0,
            "seed {seed}: {}",
            summary.text()
        );
        assert_eq!(
            summary.sets_opened,
            ended,
            "seed {seed}: {}",
            summary.text()
        );
        opened += summary.sets_opened;
        hedged += summary.sets_hedged;
        earned += profit(&report);
    }
    assert!(
        hedged * 10 >= opened * 9,
        "{hedged} of {opened} sets hedged"
    );
    assert!(earned > Decimal::ZERO, "a planted edge earns, not {earned}");
}

/// Without a planted edge there is nothing to take above the demo's thresholds.
#[test]
fn no_edge_no_trades() {
    for seed in 1..=5 {
        let report = run(seed, 60, ModelParams::without_edge());
        assert!(
            report.violations.is_empty(),
            "seed {seed}: {:#?}",
            report.violations
        );
        assert_eq!(
            report.summary.sets_opened,
            0,
            "seed {seed}: {}",
            report.summary.text()
        );
        assert_eq!(profit(&report), Decimal::ZERO);
        assert!(
            report.summary.frames_received > 10_000,
            "the market was there"
        );
    }
}

#[test]
fn equal_seeds_decide_equally() {
    let one = run(7, 30, ModelParams::demo());
    let two = run(7, 30, ModelParams::demo());
    let other = run(8, 30, ModelParams::demo());
    assert_eq!(one.summary, two.summary);
    assert_eq!(one.fills, two.fills);
    assert_ne!(one.summary.decision_hash, other.summary.decision_hash);
}

/// Fees taken of what was bought: the base fee leaves the position, and every balance still agrees to the last digit.
#[test]
fn fees_in_the_base_asset_are_booked_exactly() {
    let settings = Settings::embedded().unwrap();
    let start = UnixNanos(1_700_000_000_000_000_000);
    for seed in 1..=5 {
        let venues: Vec<VenueSetup> = settings
            .venues()
            .iter()
            .map(|venue| VenueSetup {
                fee_asset: FeeAsset::Received,
                ..venue_setup(venue, "key", "secret", seed)
            })
            .collect();
        let market = model_setup(settings.venues(), &venues, ModelParams::demo(), seed, start);
        let world = World::new(world_setup(&settings, venues, seed, start).unwrap()).unwrap();
        let report = world.run(&mut MarketModel::new(&market), Nanos::from_secs(30));
        assert!(
            report.violations.is_empty(),
            "seed {seed}: {:#?}\n{}",
            report.violations,
            report.summary.text()
        );
        let base = Asset::new("BTC");
        assert!(
            report.fills.iter().any(|fill| fill.fee_asset == base),
            "seed {seed}"
        );
    }
}

/// Something goes wrong at some venue about every second, most of it while orders are out.
fn plan_faults(seed: u64, seconds: u64) -> Vec<PlannedFault> {
    let mut prng = Prng::new(seed).fork("faults");
    let mut faults = Vec::new();
    for second in 3..seconds {
        let at = Nanos(second * 1_000_000_000 + prng.below(1_000_000_000));
        let venue = VenueId(u8::try_from(prng.below(3)).unwrap());
        let symbol = usize::try_from(prng.below(2)).unwrap();
        let mut plan = |at: Nanos, fault: Fault| faults.push(PlannedFault { at, venue, fault });
        match prng.below(13) {
            0 => plan(at, Fault::DropDiffs { symbol, count: 1 }),
            1 => plan(at, Fault::CrossedBook { symbol }),
            2 => {
                plan(
                    at,
                    Fault::Silence {
                        symbol: Some(symbol),
                        on: true,
                    },
                );
                plan(
                    Nanos(at.0 + 1_500_000_000),
                    Fault::Silence {
                        symbol: Some(symbol),
                        on: false,
                    },
                );
            }
            3 => plan(at, Fault::Cut(FaultScope::Streams)),
            4 => plan(at, Fault::Cut(FaultScope::Api)),
            5 => plan(at, Fault::Cut(FaultScope::Account)),
            6 => plan(
                at,
                Fault::RejectNext {
                    code: -2_010,
                    message: "Account has insufficient balance.".to_owned(),
                },
            ),
            7 => plan(at, Fault::SwallowAck),
            8 => plan(at, Fault::SwallowRequest),
            9 => plan(
                at,
                Fault::Delay {
                    span: Nanos::from_millis(700),
                    count: 40,
                },
            ),
            10 => plan(
                at,
                Fault::Malformed {
                    symbol,
                    text: "{\"stream\":1e400".to_owned(),
                },
            ),
            11 => plan(at, Fault::PartialFill { share_ppm: 300_000 }),
            _ => plan(
                at,
                Fault::RateLimit {
                    count: 2,
                    retry_after_s: 1,
                },
            ),
        }
    }
    faults
}

/// Gaps, cuts, silence, lost answers, rejects, partial fills, delays and rubbish: money still agrees with the venues to the
/// last digit, no order is priced from a bad book, every set ends even or in an open alert, nothing stays unknown.
#[test]
fn faults_break_no_invariant() {
    let settings = Settings::embedded().unwrap();
    for seed in 1..=12 {
        let span = Nanos::from_secs(40);
        let options = SimulateOptions {
            seed,
            span,
            recording: None,
            model: ModelParams::demo(),
        };
        let report = simulate_faulty(&settings, &options, plan_faults(seed, 38)).unwrap();
        let summary = &report.summary;
        assert!(
            report.violations.is_empty(),
            "seed {seed}: {}\n{:#?}",
            summary.text(),
            report.violations
        );
        assert_eq!(
            (summary.orders_open, summary.orders_unknown),
            (0, 0),
            "seed {seed}"
        );
        assert!(summary.sets_opened > 0, "seed {seed}: {}", summary.text());
    }
}

/// Name, venue, side, quantity, price, and the most that may be left. BTC on the grid of 2 and 8 decimals; the limit is 0.25,
/// the target 80 % of it, the loss limit 500 USDT.
const PUSHES: [(&str, VenueId, Side, i64, i64, &str); 5] = [
    (
        "perp, long over the limit",
        VenueId(2),
        Side::Buy,
        30_000_000,
        6_180_000,
        "0.2",
    ),
    (
        "perp, short over the limit",
        VenueId(2),
        Side::Sell,
        30_000_000,
        6_180_000,
        "0.2",
    ),
    (
        "spot, long over the limit",
        VenueId(0),
        Side::Buy,
        30_000_000,
        6_180_000,
        "0.2",
    ),
    (
        "perp, long under water",
        VenueId(2),
        Side::Buy,
        20_000_000,
        6_700_000,
        "0",
    ),
    (
        "perp, short under water",
        VenueId(2),
        Side::Sell,
        20_000_000,
        5_700_000,
        "0",
    ),
];

/// A fill that we did not order puts the position over its limit (AT-01), or deep under water (AT-02): the monitor closes it
/// by reduce-only orders, to the target or to flat, never through zero, never twice.
#[test]
fn positions_over_a_limit_are_closed() {
    let settings = Settings::embedded().unwrap();
    for (name, venue, side, qty, price, most) in PUSHES {
        let push = Fault::PositionPush {
            account: 0,
            symbol: 0,
            side,
            qty: Qty(qty),
            price: Some(Price(price)),
        };
        let faults = vec![PlannedFault {
            at: Nanos::from_secs(5),
            venue,
            fault: push,
        }];
        let options = SimulateOptions {
            seed: 3,
            span: Nanos::from_secs(20),
            recording: None,
            model: ModelParams::without_edge(),
        };
        let report = simulate_faulty(&settings, &options, faults).unwrap();
        let summary = &report.summary;
        assert!(
            report.violations.is_empty(),
            "{name}: {:#?}\n{}",
            report.violations,
            summary.text()
        );
        assert_eq!(summary.forced_closes, 1, "{name}: {}", summary.text());
        let venue = usize::from(venue.0) * 2;
        let left = decimal(&summary.positions[venue].quantity).abs();
        assert!(
            left <= decimal(most),
            "{name}: {left} left\n{}",
            summary.text()
        );
        assert!(
            most == "0" || left > Decimal::ZERO,
            "{name}: closed to the target, not beyond"
        );
    }
}

/// Where the recordings are; `None` (with the reason printed) when they are absent and need not be there.
fn recordings() -> Option<PathBuf> {
    let data = std::env::var_os("ARBALEST_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    let dir = data.join("recordings");
    if dir.is_dir() {
        return Some(dir);
    }
    assert!(
        std::env::var_os("ARBALEST_REQUIRE_DATA").is_none(),
        "{} is absent",
        dir.display()
    );
    println!("skipped: {} is absent", dir.display());
    None
}

#[test]
fn a_recording_twice_decides_equally() {
    let Some(dir) = recordings() else { return };
    let settings = Settings::from_files(&Files::recorded()).unwrap();
    let span = Nanos::from_secs(40);
    let options = SimulateOptions {
        seed: 1,
        span,
        recording: Some(&dir),
        model: ModelParams::demo(),
    };
    let one = simulate(&settings, &options).unwrap();
    let two = simulate(&settings, &options).unwrap();
    assert_eq!(one.summary, two.summary);
    assert!(one.violations.is_empty(), "{:#?}", one.violations);
    assert_eq!(one.summary.frames_malformed, 0, "{}", one.summary.text());
    assert!(
        one.summary.frames_received > 10_000,
        "{}",
        one.summary.text()
    );
}

/// The data README's final books: update id, best levels and the hash of the best twenty a side.
#[test]
fn whole_recordings_end_at_the_recorded_books() {
    let Some(dir) = recordings() else { return };
    let settings = Settings::from_files(&Files::recorded()).unwrap();
    let span = Nanos::from_secs(3_600);
    let options = SimulateOptions {
        seed: 1,
        span,
        recording: Some(&dir),
        model: ModelParams::demo(),
    };
    let report = simulate(&settings, &options).unwrap();
    let summary = &report.summary;
    assert!(report.violations.is_empty(), "{:#?}", report.violations);
    assert_eq!(summary.ended_by, "recording_end");
    assert_eq!(
        (summary.book_gaps, summary.frames_malformed),
        (0, 0),
        "{}",
        summary.text()
    );
    let frames = 3_451
        + 28_040
        + 9_757
        + 24_077
        + 3_434
        + 6_106
        + 6_551
        + 66_089
        + 21_313
        + 53_992
        + 6_586
        + 14_076;
    assert_eq!(summary.frames_received, frames, "{}", summary.text());
    let ends: Vec<(u64, &str)> = summary
        .books
        .iter()
        .map(|book| (book.update_id, book.top20_sha256.as_str()))
        .collect();
    assert_eq!(
        ends,
        [
            (
                50_093_421_584,
                "a6f081ff03e21c59f4ecbb299d93fa02904af42868bd1bbdf79bba23143ebf61"
            ),
            (
                35_346_671_849,
                "521428843681c3959207dfd4d4562bd79e45296d46ef80a65e9a8e5fa68e4645"
            ),
            (
                5_123_135_475_514,
                "d997582f03bef93d9c469ee8e6a5ddd3b9f3645103593d2fb38a03dbd577ca16"
            ),
            (
                5_123_135_545_737,
                "6c547d52c5d5bed4e13ffabb22c3d2b55985f12353c53b16369389f1259f6949"
            ),
        ]
    );
}
