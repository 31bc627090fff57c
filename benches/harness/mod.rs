//! The measuring frame of all benches: cases run in turn, round by round, so that a noisy machine hurts all alike.
//!
//! Each case does a known amount of work and returns a hash of its result: a fast wrong answer fails. The first case is the
//! floor (`base`); others are quoted as a ratio to it *in the same round*. `cargo bench` runs large, everything else small.
#![allow(
    clippy::too_many_lines,
    clippy::wildcard_enum_match_arm,
    dead_code,
    unreachable_pub,
    missing_docs,
    clippy::allow_attributes,
    reason = "each bench uses its part of the frame"
)]
#![allow(
    clippy::print_stdout,
    clippy::float_arithmetic,
    clippy::cast_precision_loss,
    reason = "a report"
)]
#![allow(
    clippy::indexing_slicing,
    clippy::print_literal,
    missing_debug_implementations,
    reason = "a bench"
)]

pub mod floor;
pub mod recorded;
pub mod replay;

use std::hint::black_box;

use arbalest::clock::{Clock, OsClock};

/// True under `cargo bench`; tests run the same code with small sizes.
pub fn is_large() -> bool {
    std::env::args().any(|argument| argument == "--bench")
}

/// `large` under `cargo bench`, else `small`.
pub fn size(small: usize, large: usize) -> usize {
    if is_large() { large } else { small }
}

/// Rounds of every group under `cargo bench`; `ARBALEST_ROUNDS` overrides it (profilers want one).
fn rounds() -> usize {
    let asked = std::env::var("ARBALEST_ROUNDS")
        .ok()
        .and_then(|text| text.parse().ok());
    asked.unwrap_or(size(1, 9))
}

/// True unless a word on the command line (`cargo bench --bench book -- growth`) is missing in the title.
pub fn is_wanted(title: &str) -> bool {
    std::env::args()
        .skip(1)
        .filter(|word| !word.starts_with('-'))
        .all(|word| title.contains(&word))
}

type Work<'a> = Box<dyn FnMut() -> u64 + 'a>;

struct Case<'a> {
    name: String,
    units: u64,
    prepare: Box<dyn FnMut() + 'a>,
    work: Work<'a>,
    nanos: Vec<f64>,
    hash: Option<u64>,
}

/// A set of cases to be compared.
pub struct Group<'a> {
    title: String,
    cases: Vec<Case<'a>>,
}

impl<'a> Group<'a> {
    pub fn new(title: &str) -> Self {
        Self {
            title: title.to_owned(),
            cases: Vec::new(),
        }
    }

    /// Adds a case that does `units` units of work a call and returns a hash of its result.
    pub fn case(&mut self, name: &str, units: usize, work: impl FnMut() -> u64 + 'a) {
        self.prepared_case(name, units, || {}, work);
    }

    /// As [`Group::case`], with something done before each round that is not counted.
    pub fn prepared_case(
        &mut self,
        name: &str,
        units: usize,
        prepare: impl FnMut() + 'a,
        work: impl FnMut() -> u64 + 'a,
    ) {
        self.cases.push(Case {
            name: name.to_owned(),
            units: units.max(1) as u64,
            prepare: Box::new(prepare),
            work: Box::new(work),
            nanos: Vec::new(),
            hash: None,
        });
    }

    /// As [`Group::run`], and every case must have come to the same result.
    pub fn run_agreeing(self) {
        let title = self.title.clone();
        let hashes = self.run();
        assert!(
            hashes.windows(2).all(|pair| pair[0] == pair[1]),
            "Invariant: all cases of '{title}' agree"
        );
    }

    /// Runs all cases in turn for some rounds, prints the table and returns the result hashes.
    pub fn run(mut self) -> Vec<u64> {
        if !is_wanted(&self.title) {
            return Vec::new();
        }
        let clock = OsClock::new();
        let rounds = rounds();
        for round in 0..=rounds {
            for case in &mut self.cases {
                (case.prepare)();
                let started_at = clock.now();
                let hash = black_box((case.work)());
                let spent = clock.now().since(started_at);
                assert!(
                    case.hash.is_none_or(|known| known == hash),
                    "Invariant: case {} gives the same result every round",
                    case.name
                );
                case.hash = Some(hash);
                if round > 0 {
                    case.nanos.push(spent.0 as f64 / case.units as f64);
                }
            }
        }
        println!(
            "\n## {} (median of {rounds} interleaved rounds, ns a unit)",
            self.title
        );
        println!(
            "{:<34}{:>12}{:>12}{:>12}{:>10}  {}",
            "case", "median", "min", "max", "ratio", "hash"
        );
        let base = self.cases.first().map_or(1.0, |case| median(&case.nanos));
        for case in &self.cases {
            let middle = median(&case.nanos);
            let low = case.nanos.iter().copied().fold(f64::MAX, f64::min);
            let high = case.nanos.iter().copied().fold(0.0, f64::max);
            println!(
                "{:<34}{middle:>12.2}{low:>12.2}{high:>12.2}{:>10.2}  {:016x}",
                case.name,
                middle / base,
                case.hash.unwrap_or(0)
            );
        }
        self.cases
            .iter()
            .map(|case| case.hash.unwrap_or(0))
            .collect()
    }
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted
        .get(sorted.len().div_euclid(2))
        .copied()
        .unwrap_or(0.0)
}

/// Mixes a number into a hash.
pub fn mix(hash: u64, number: u64) -> u64 {
    (hash ^ number)
        .wrapping_mul(0x0000_0100_0000_01B3)
        .rotate_left(17)
}

/// Where the recordings are, if they are there.
pub fn data_dir() -> Option<std::path::PathBuf> {
    let path = std::env::var_os("ARBALEST_DATA").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        Into::into,
    );
    path.is_dir().then_some(path)
}
