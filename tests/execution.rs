//! The desk: every cell of the fill matrix, unknown orders both ways, late and repeated reports, and a venue that delays,
//! repeats and loses what it says.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::integer_division,
    clippy::wildcard_enum_match_arm,
    reason = "test helpers"
)]

#[path = "execution_parts/bench.rs"]
mod bench;
#[path = "execution_parts/budget.rs"]
mod budget;
#[path = "execution_parts/cells.rs"]
mod cells;
#[path = "execution_parts/cycles.rs"]
mod cycles;
#[path = "execution_parts/disorder.rs"]
mod disorder;
#[path = "execution_parts/faults.rs"]
mod faults;
#[path = "execution_parts/matrix.rs"]
mod matrix;
#[path = "execution_parts/reports.rs"]
mod reports;
#[path = "execution_parts/resolver.rs"]
mod resolver;
#[path = "execution_parts/sends.rs"]
mod sends;
#[path = "execution_parts/sets.rs"]
mod sets;
#[path = "support/small_market.rs"]
mod small_market;
#[path = "execution_parts/unwinds.rs"]
mod unwinds;
