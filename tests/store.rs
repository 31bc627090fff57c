//! The journal and the database that is filled from it: nothing lost, nothing twice, nothing changed unseen.
//!
//! Every test of `both` runs against `SQLite` and, where `ARBALEST_PG_URL` names one, against a real `PostgreSQL`. With
//! `ARBALEST_REQUIRE_PG=1` (CI) it must.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::integer_division,
    clippy::panic_in_result_fn,
    clippy::wildcard_enum_match_arm,
    clippy::too_many_lines,
    reason = "a test stops at the first surprise"
)]

#[path = "store/both.rs"]
mod both;
#[path = "store/cli.rs"]
mod cli;
#[path = "store/docs.rs"]
mod docs;
#[path = "store/files.rs"]
mod files;
#[path = "store/journal.rs"]
mod journal;
#[path = "store/support.rs"]
mod support;
#[path = "store/tamper.rs"]
mod tamper;
