//! The record of what mattered: orders, reports, fills, kill levels, forced closes, alerts, risk figures, people,
//! configurations; appended to files that survive a crash.
//!
//! One thread writes; a bounded queue leads to it; records are committed in groups with one `fsync` each. The order path
//! never waits for it. A forced close does: its intent is on disk before its first order (RISK.md 2.7 rule 1), by a
//! callback that the writer calls after the commit. The queue has lanes, so that figures can never crowd out a close.
//!
//! Everything else that remembers (the database, a restart) reads these files: [`Cursor`].

pub mod cursor;
pub mod edges;
pub mod error;
pub mod fills_csv;
pub mod levels;
pub mod limits;
pub mod line;
pub mod losses;
pub mod reader;
pub mod record;
pub mod rows;
mod segments;
pub mod tail;
mod thread;
pub mod writer;

pub use cursor::Cursor;
pub use error::JournalError;
pub use fills_csv::FillsCsv;
pub use levels::{Instant, levels_from_journal};
pub use limits::kept_limits;
pub use line::Line;
pub use losses::{LossReading, LossRecord};
pub use reader::{Contents, Entry, first_seq, read};
pub use record::{Lane, Names, Record, RecoveredRecord};
pub use tail::{JournalGauge, Tail};
pub use writer::Journal;
