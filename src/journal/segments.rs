//! The files of a journal: `journal.jsonl` is written, `journal-FIRST.jsonl` are older parts that are only read.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::error::JournalError;
use super::line;

/// The file that is written.
pub(super) const ACTIVE: &str = "journal.jsonl";
/// Held by the one process that writes.
pub(super) const LOCK: &str = "journal.lock";

/// One file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Segment {
    /// Number of its first record; `None` for an active file without one.
    pub(super) first_seq: Option<u64>,
    /// Where it is.
    pub(super) path: PathBuf,
    /// It is the one being written.
    pub(super) is_active: bool,
}

/// Where a full active file goes.
pub(super) fn archived(directory: &Path, first_seq: u64) -> PathBuf {
    directory.join(format!("journal-{first_seq:020}.jsonl"))
}

pub(super) fn io_error(path: &Path) -> impl FnOnce(std::io::Error) -> JournalError + '_ {
    move |source| JournalError::Io {
        path: path.to_owned(),
        source,
    }
}

/// All files of a journal, oldest first. An absent directory holds none.
///
/// # Errors
/// I/O errors.
pub(super) fn list(directory: &Path) -> Result<Vec<Segment>, JournalError> {
    let entries = match std::fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(source) => return Err(io_error(directory)(source)),
    };
    let mut segments = Vec::new();
    for entry in entries {
        let entry = entry.map_err(io_error(directory))?;
        let name = entry.file_name();
        let first_seq = name
            .to_str()
            .and_then(|name| name.strip_prefix("journal-")?.strip_suffix(".jsonl"))
            .filter(|digits| digits.len() == 20)
            .and_then(|digits| digits.parse::<u64>().ok());
        if let Some(first_seq) = first_seq {
            segments.push(Segment {
                first_seq: Some(first_seq),
                path: entry.path(),
                is_active: false,
            });
        }
    }
    segments.sort_by_key(|segment| segment.first_seq);
    let active = directory.join(ACTIVE);
    if active.exists() {
        segments.push(Segment {
            first_seq: first_number(&active)?,
            path: active,
            is_active: true,
        });
    }
    Ok(segments)
}

/// Number of the first record; `None` when the file has no whole good line.
fn first_number(path: &Path) -> Result<Option<u64>, JournalError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(source) => return Err(io_error(path)(source)),
    };
    let mut text = Vec::new();
    BufReader::new(file)
        .read_until(b'\n', &mut text)
        .map_err(io_error(path))?;
    Ok(text
        .strip_suffix(b"\n")
        .and_then(|text| line::check(text, None).ok())
        .map(|line| line.seq))
}
