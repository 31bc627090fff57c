//! The record of what mattered: fills, kill levels and forced closes, appended to a file that survives a crash.
//!
//! One thread writes; a bounded queue leads to it; records are committed in groups with one `fsync` each. The order path
//! never waits for it. A forced close does: its intent is on disk before its first order (RISK.md 2.7 rule 1), by a
//! callback that the writer calls after the commit.

pub mod error;
pub mod fills_csv;
pub mod levels;
pub mod reader;
pub mod record;
pub mod writer;

pub use error::JournalError;
pub use fills_csv::FillsCsv;
pub use levels::{Instant, levels_from_journal};
pub use reader::{Contents, Entry, read};
pub use record::{Names, Record};
pub use writer::{Journal, JournalGauge};
