//! Reads a whole journal back and checks every line: number, checksum, and whether the last write was torn by a crash.

use std::path::Path;

use super::cursor::Cursor;
use super::error::JournalError;
use super::line::Line;
use super::segments;

/// One record as it was written.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Running number from 1, without gaps.
    pub seq: u64,
    /// When it was appended, ns since 1970.
    pub time_ns: i64,
    /// The record, with its `kind`.
    pub record: serde_json::Value,
}

/// A whole journal.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Contents {
    /// All good records, in order.
    pub entries: Vec<Entry>,
    /// Bytes of the last file up to the end of its last good record.
    pub good_bytes: u64,
    /// Bytes after it: a write that a crash cut off. They hold no committed record.
    pub torn_bytes: u64,
}

impl Line {
    /// The record as JSON, without number and time.
    #[must_use]
    pub fn record(&self) -> serde_json::Value {
        let mut record: serde_json::Value = serde_json::from_str(&self.text).unwrap_or_default();
        if let Some(fields) = record.as_object_mut() {
            fields.remove("seq");
            fields.remove("time_ns");
        }
        record
    }
}

/// Reads and checks a journal, `path` being its active file `journal.jsonl`: older parts beside it come first. A missing
/// file is an empty one.
///
/// # Errors
/// [`JournalError::Damaged`] when a line before the last is not what was written; I/O errors.
pub fn read(path: &Path) -> Result<Contents, JournalError> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let first = segments::list(directory)?
        .iter()
        .find_map(|segment| segment.first_seq);
    let mut cursor = Cursor::new(directory, first.unwrap_or(1));
    let mut entries = Vec::new();
    while let Some(line) = cursor.next()? {
        entries.push(Entry {
            seq: line.seq,
            time_ns: line.time_ns,
            record: line.record(),
        });
    }
    let (good_bytes, torn_bytes) = cursor.bytes();
    Ok(Contents {
        entries,
        good_bytes,
        torn_bytes,
    })
}

/// Number of the oldest record that is kept; 1 for an empty journal.
///
/// # Errors
/// I/O errors.
pub fn first_seq(directory: &Path) -> Result<u64, JournalError> {
    let segments = segments::list(directory)?;
    let first = segments.iter().find_map(|segment| segment.first_seq);
    Ok(first.unwrap_or(1))
}
