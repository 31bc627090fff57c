//! Target F: what the gate's whole chain of checks costs a set of two legs, approved and refused, and that it allocates
//! nothing (`tests/allocations.rs` holds that).
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

use std::sync::Arc;

use arbalest::clock::{Clock, OsClock};
use arbalest::risk::{Gate, Limits, PreTradeLimits, RiskView, SetVerdict, VarModel};
use arbalest::telemetry::NoopTimer;
use arbalest::trade::{ApprovalSeq, Intent, Leg, StrategyId};
use arbalest::units::{Asset, Nanos, Ppm, Price, Qty, Side};
use harness::size;
use hdrhistogram::Histogram;
use rig::Rig;

fn intent(gate_qty: i64, at: arbalest::units::MonoNanos) -> Intent {
    let leg = |instrument: u16, side: Side, price: i64| Leg {
        instrument: arbalest::market::InstrumentId(instrument),
        side,
        qty: Qty(gate_qty),
        limit_price: Price(price),
        decision_price: Price(price),
    };
    Intent::new(
        StrategyId(0),
        &[leg(1, Side::Buy, 6_000_100), leg(0, Side::Sell, 5_999_900)],
        at,
    )
}

/// Every check judges something: facts required, limits as RISK.md has them, but for what a bench repeats on purpose.
fn limits() -> Limits {
    Limits {
        pre_trade: PreTradeLimits {
            facts_required: true,
            edge_min: Ppm(0),
            repeat_exec_window: Nanos::from_millis(1),
            dup_intent_window: Nanos::from_millis(5),
            instrument_rules_age_max: Nanos::from_secs(1_000_000),
            recon_age_max: Nanos::from_secs(1_000_000),
            ..PreTradeLimits::default()
        },
        ..rig::limits()
    }
}

fn main() {
    let count = size(500, 200_000);
    let clock = OsClock::new();
    println!(
        "\n## F. gate, one set of two legs, nanoseconds (a clock read of about 10 ns is inside)"
    );
    println!(
        "{:<34}{:>8}{:>8}{:>8}{:>8}{:>10}",
        "case", "p50", "p90", "p99", "p99.9", "max"
    );
    for (name, qty, is_approved) in [
        ("approved", 1_000, true),
        ("refused: order too large", 1_000_000_000, false),
    ] {
        let mut pooled = Histogram::<u64>::new(3).unwrap();
        for round in 0..size(1, 5) {
            let mut histogram = Histogram::<u64>::new(3).unwrap();
            let mut rig = Rig::new(NoopTimer);
            let catalogue = rig::catalogue();
            let mut gate = Gate::new(
                Arc::new(limits()),
                catalogue.clone(),
                Asset::new("USDT").unwrap(),
                &arbalest::risk::Permits::everything(&catalogue),
            );
            let mut view = RiskView::calm(&catalogue, 1, rig.now);
            view.portfolio.var_model = Some(Arc::new(VarModel {
                factors: vec![Asset::new("BTC").unwrap()],
                covariance_ppm2: vec![1_600_000_000],
            }));
            gate.on_view(&view);
            let mut last = ApprovalSeq(0);
            for index in 0..count {
                // Ten milliseconds a decision, for the rate limits.
                rig.step(Nanos::from_millis(10));
                let now = rig.now;
                let intent = std::hint::black_box(intent(qty, now));
                let from = clock.now();
                let verdict = gate.check_set(&intent, rig.hot.books(), now);
                let span = clock.now().since(from);
                match (&verdict, is_approved) {
                    (SetVerdict::Approved(set), true) => {
                        for leg in set.legs() {
                            last = leg.seq();
                            gate.release(leg.seq());
                        }
                    }
                    (SetVerdict::Refused { .. }, false) => {}
                    (verdict, _) => panic!("{name}, round {round}, set {index}: {verdict:?}"),
                }
                if index % 64 == 63 {
                    // Fresh books, and a view that knows what was settled.
                    for venue in [rig::SPOT, rig::USDM] {
                        let id = rig.next_id(venue);
                        rig.tick(venue, rig::calm(venue, id).as_bytes());
                    }
                    view.version += 1;
                    view.as_of = last;
                    view.issued_at = now;
                    gate.on_view(&view);
                }
                histogram.record(span.0).unwrap();
            }
            pooled.add(&histogram).unwrap();
        }
        let at = |quantile: f64| pooled.value_at_quantile(quantile);
        println!(
            "{name:<34}{:>8}{:>8}{:>8}{:>8}{:>10}",
            at(0.5),
            at(0.9),
            at(0.99),
            at(0.999),
            pooled.max()
        );
    }
}
