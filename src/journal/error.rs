//! What can be wrong with a journal.

use std::path::PathBuf;

/// Why a journal could not be opened, read or written.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The system refused.
    #[error("journal {path}: {source}")]
    Io {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Another process writes to it.
    #[error("journal {0} was in use by another process: two engines must not share a data_dir")]
    InUse(PathBuf),
    /// A record inside the file is damaged; only the last one may be (a torn write).
    #[error("journal {path} was damaged at line {line}: {what}")]
    Damaged {
        /// Which file.
        path: PathBuf,
        /// Line, from 1.
        line: usize,
        /// What is wrong with it.
        what: &'static str,
    },
    /// Records are in none of the files although later ones are.
    #[error(
        "journal in {directory} has no record {seq}, but has {next}: put the missing journal-*.jsonl file back"
    )]
    Missing {
        /// Where.
        directory: PathBuf,
        /// The first record that is not there.
        seq: u64,
        /// The next one that is.
        next: u64,
    },
}

/// A record was not taken: the journal is full or has failed. Whoever needs it must act as if nothing was recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NotRecorded {
    /// The queue to the writer is full.
    #[error("journal queue was full")]
    Full,
    /// A write failed earlier; nothing is written any more.
    #[error("journal has failed")]
    Failed,
}

impl NotRecorded {
    /// Fixed short word for a metric label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Full => "full",
            Self::Failed => "failed",
        }
    }
}
