//! Five venues of a thousand symbols: what the whole signal seat takes in memory, and that every update is looked at.
#![expect(clippy::unwrap_used, reason = "a test's helpers")]

use arbalest::engine::HotOutput;
use arbalest::strategy::Outcome;

#[path = "support/wide_market.rs"]
mod wide_market;
use wide_market::{VENUES, build_books, touch, wide_hot_path};

/// Resident memory of this process; zero where it cannot be read.
fn resident_bytes() -> usize {
    std::fs::read_to_string("/proc/self/statm")
        .ok()
        .and_then(|text| text.split_ascii_whitespace().nth(1)?.parse::<usize>().ok())
        .unwrap_or(0)
        * 4_096
}

/// Target K, for everything that the signal seat owns: books, strategies, gate, opportunity ledger.
#[test]
fn five_venues_of_a_thousand_symbols_fit_two_hundred_megabytes() {
    const SYMBOLS: usize = 1_000;
    let before = resident_bytes();
    let mut hot = wide_hot_path(SYMBOLS);
    let mut out = HotOutput::with_capacity();
    build_books(&mut hot, 50, &mut out);
    for (id, instrument) in (2..).zip(0..SYMBOLS * VENUES) {
        touch(&mut hot, instrument, id, &mut out);
        out.marks.clear();
    }
    let taken = resident_bytes().saturating_sub(before);
    println!("the signal seat takes {} KiB", taken.div_euclid(1_024));
    assert!(taken < 200 << 20, "{taken} bytes");
    // Each strategy looked at each of its books twice, at both routes of four neighbours, and found nothing.
    for strategy in hot.strategies() {
        let counters = strategy.counters();
        assert_eq!(counters.evaluations, 2 * 5);
        assert_eq!(counters.of(Outcome::BelowThreshold), 2 * 5 * 8);
    }
    assert!(out.sets.is_empty());
}
