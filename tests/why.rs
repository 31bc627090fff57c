//! The opportunity ledger: episodes, half-lives, attribution and `arbalest why`.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    reason = "a test stops at the first surprise"
)]

#[path = "why/attribution.rs"]
mod attribution;
#[path = "support/data.rs"]
mod data;
#[path = "why/half_life.rs"]
mod half_life;
#[path = "why/text.rs"]
mod text;
