//! Target B: from a frame's bytes to signed order bytes, the whole chain as plain calls on one thread; and target G: what
//! measuring a span costs. Not included: sockets, TLS, the venue.
#![allow(
    missing_docs,
    clippy::allow_attributes,
    clippy::too_many_lines,
    reason = "a bench"
)]
#![allow(
    clippy::semicolon_if_nothing_returned,
    clippy::integer_division,
    reason = "a bench"
)]
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a bench"
)]

mod harness;
#[path = "harness/rig.rs"]
mod rig;

use arbalest::clock::{Clock, OsClock};
use arbalest::telemetry::{Lanes, LiveTimer, NoopTimer, Stage, StageTimer, Telemetry};
use arbalest::units::Nanos;
use harness::{Group, mix, size};
use hdrhistogram::Histogram;
use rig::{Rig, SPOT, USDM};

fn main() {
    inside();
    instrumentation();
}

fn live_timer() -> LiveTimer {
    let lanes = Lanes {
        venues: vec!["spot".into(), "usdm".into()],
        queues: vec!["spot".into(), "usdm".into()],
        strategies: vec!["bench".into()],
    };
    LiveTimer::new(OsClock::new(), Telemetry::new(lanes).recorder(&Stage::ALL))
}

const PARTS: [&str; 6] = [
    "decode",
    "book, signal, gate",
    "desk",
    "encode, sign",
    "whole",
    "tick without order",
];

fn inside() {
    if !harness::is_wanted("B. tick to order") {
        return;
    }
    println!(
        "\n## B. tick to order inside, nanoseconds (decision time is virtual, spans are real; stage recorder on)"
    );
    let rounds = size(1, 5);
    let mut pooled: Vec<Histogram<u64>> =
        PARTS.iter().map(|_| Histogram::new(3).unwrap()).collect();
    for round in 0..rounds {
        let mut histograms: Vec<Histogram<u64>> =
            PARTS.iter().map(|_| Histogram::new(3).unwrap()).collect();
        let orders = play(&mut histograms, size(300, 20_000));
        println!("round {round}: {orders} orders");
        for (whole, one) in pooled.iter_mut().zip(&histograms) {
            whole.add(one).unwrap();
        }
        print_row("  whole, this round", &histograms[4]);
    }
    println!(
        "{:<24}{:>9}{:>9}{:>9}{:>9}{:>9}{:>10}",
        "pooled", "p50", "p90", "p99", "p99.9", "p99.99", "max"
    );
    for (name, histogram) in PARTS.iter().zip(&pooled) {
        print_row(name, histogram);
    }
}

fn print_row(name: &str, histogram: &Histogram<u64>) {
    let at = |quantile: f64| histogram.value_at_quantile(quantile);
    println!(
        "{name:<24}{:>9}{:>9}{:>9}{:>9}{:>9}{:>10}",
        at(0.5),
        at(0.9),
        at(0.99),
        at(0.999),
        at(0.9999),
        histogram.max()
    );
}

/// Every round: both venues quote calmly, spot quotes an edge (measured), the orders are refused.
fn play(histograms: &mut [Histogram<u64>], ticks: usize) -> u64 {
    let clock = OsClock::new();
    let mut rig = Rig::new(live_timer());
    let warm_up = ticks.div_euclid(10);
    for tick in 0..ticks + warm_up {
        rig.step(Nanos::from_millis(250));
        let id = rig.next_id(USDM);
        let calm = rig::calm(USDM, id);
        let calm_from = clock.now();
        assert_eq!(rig.tick(USDM, calm.as_bytes()), 0);
        let calm_span = clock.now().since(calm_from);
        let id = rig.next_id(SPOT);
        let frame = rig::takable(id);
        let bytes = std::hint::black_box(frame.as_bytes());
        let received = clock.now();
        rig.on_frame(SPOT, bytes);
        let decoded = clock.now();
        rig.decide(SPOT);
        let decided = clock.now();
        rig.send();
        let sent = clock.now();
        let orders = rig.encode();
        let encoded = clock.now();
        assert_eq!(
            orders, 2,
            "Invariant: every edge is taken with two orders (tick {tick})"
        );
        rig.settle();
        let id = rig.next_id(SPOT);
        let calm = rig::calm(SPOT, id);
        assert_eq!(rig.tick(SPOT, calm.as_bytes()), 0);
        if tick >= warm_up {
            let spans = [
                decoded.since(received),
                decided.since(decoded),
                sent.since(decided),
                encoded.since(sent),
                encoded.since(received),
                calm_span,
            ];
            for (histogram, span) in histograms.iter_mut().zip(spans) {
                histogram.record(span.0).unwrap();
            }
        }
    }
    rig.sent
}

fn instrumentation() {
    let count = size(2_000, 2_000_000);
    let clock = OsClock::new();
    let mut histogram = Histogram::<u64>::new(3).unwrap();
    let mut timer = live_timer();
    let mut none = NoopTimer;
    let mut group = Group::new("G. instrumentation, a span");
    group.case("base: stamp and bare HDR record", count, || {
        let mut from = clock.now();
        for _ in 0..count {
            let now = clock.now();
            histogram.record(now.since(from).0.min(1_000_000)).unwrap();
            from = now;
        }
        mix(0, count as u64)
    });
    group.case("lap (ours)", count, || {
        let mut from = timer.stamp();
        for _ in 0..count {
            from = timer.lap(Stage::BookApply, 0, from);
        }
        mix(0, count as u64)
    });
    group.case("lap of no timer", count, || {
        let mut from = none.stamp();
        for _ in 0..count {
            from = std::hint::black_box(none.lap(Stage::BookApply, 0, from));
        }
        mix(0, count as u64)
    });
    let _ = group.run();
}
