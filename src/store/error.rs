//! What can be wrong with the database, and what to do about it.

use std::path::PathBuf;

use crate::journal::JournalError;

/// Why rows cannot be written or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// It cannot be reached or used now; it is tried again.
    #[error("{place}: {reason}")]
    Unavailable {
        /// File or server.
        place: String,
        /// What it says.
        reason: String,
    },
    /// Its schema is of a later program.
    #[error(
        "{place} has schema version {found}, this program knows up to {known}: run the newer program, or use another database"
    )]
    Newer {
        /// File or server.
        place: String,
        /// Its version.
        found: u32,
        /// Ours.
        known: u32,
    },
    /// Something else is there.
    #[error("{place} is not a database of arbalest ({reason}): use another place, or move it away")]
    Foreign {
        /// File or server.
        place: String,
        /// How we know.
        reason: String,
    },
    /// Its content is damaged.
    #[error(
        "{place} is damaged ({reason}). Nothing was changed. Restore a backup, or move it away: a new one is filled from the journal"
    )]
    Damaged {
        /// File or server.
        place: String,
        /// What is wrong.
        reason: String,
    },
    /// It was filled from another journal.
    #[error(
        "{place} holds another journal: its last record is {seq}, which differs from, or is not in, {directory}. \
         Use the journal that belongs to it, or another database"
    )]
    OtherJournal {
        /// File or server.
        place: String,
        /// The last record it holds.
        seq: u64,
        /// Our journal.
        directory: PathBuf,
    },
    /// The address cannot be used.
    #[error("database address: {0}")]
    Address(String),
    /// The journal cannot be read.
    #[error("{0}")]
    Journal(#[from] JournalError),
}

impl StoreError {
    /// True when waiting does not help: a person must act, and a start is refused.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        !matches!(self, Self::Unavailable { .. })
    }
}
