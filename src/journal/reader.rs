//! Reads a journal back and checks every line: number, checksum, and whether the last write was torn by a crash.

use std::path::Path;

use serde::Deserialize;

use super::error::JournalError;

/// What stands before the checksum of a line, and how long checksum and end are.
pub(super) const CHECK_KEY: &str = ",\"crc\":\"";

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
    /// Bytes of the file up to the end of the last good record.
    pub good_bytes: u64,
    /// Bytes after it: a write that a crash cut off. They hold no committed record.
    pub torn_bytes: u64,
}

#[derive(Deserialize)]
struct Head {
    seq: u64,
    time_ns: i64,
}

/// CRC-32 of a line's text before the checksum.
pub(super) fn checksum(text: &str) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(text.as_bytes());
    crc.sum()
}

/// Reads and checks a journal; a missing file is an empty one.
///
/// # Errors
/// [`JournalError::Damaged`] when a line before the last is not what was written; I/O errors.
pub fn read(path: &Path) -> Result<Contents, JournalError> {
    let bytes = match std::fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Ok(Contents::default());
        }
        Err(source) => {
            return Err(JournalError::Io {
                path: path.to_owned(),
                source,
            });
        }
    };
    let size = |part: &[u8]| u64::try_from(part.len()).unwrap_or(u64::MAX);
    let mut contents = Contents::default();
    let mut rest = bytes.as_slice();
    let mut line_number = 0_usize;
    while let Some(end) = memchr::memchr(b'\n', rest) {
        line_number += 1;
        let (line, after) = rest.split_at(end + 1);
        let expected = contents.entries.len().saturating_add(1);
        match parse(
            line.get(..end).unwrap_or_default(),
            u64::try_from(expected).unwrap_or(u64::MAX),
        ) {
            Ok(entry) => contents.entries.push(entry),
            // A torn write of several pages may leave garbage with a newline, but only at the very end.
            Err(_what) if after.is_empty() => break,
            Err(what) => {
                return Err(JournalError::Damaged {
                    path: path.to_owned(),
                    line: line_number,
                    what,
                });
            }
        }
        contents.good_bytes = contents.good_bytes.saturating_add(size(line));
        rest = after;
    }
    contents.torn_bytes = size(rest);
    Ok(contents)
}

fn parse(line: &[u8], expected_seq: u64) -> Result<Entry, &'static str> {
    let text = std::str::from_utf8(line).map_err(|_error| "it is not UTF-8")?;
    let (body, tail) = text.rsplit_once(CHECK_KEY).ok_or("it has no checksum")?;
    let written = tail.strip_suffix("\"}").ok_or("it has no end")?;
    if u32::from_str_radix(written, 16) != Ok(checksum(body)) {
        return Err("its checksum is wrong");
    }
    let whole = format!("{body}}}");
    let head: Head = serde_json::from_str(&whole).map_err(|_error| "it has no number or time")?;
    if head.seq != expected_seq {
        return Err("its number does not follow");
    }
    let mut record: serde_json::Value =
        serde_json::from_str(&whole).map_err(|_error| "it is not JSON")?;
    if let Some(fields) = record.as_object_mut() {
        fields.remove("seq");
        fields.remove("time_ns");
    }
    Ok(Entry {
        seq: head.seq,
        time_ns: head.time_ns,
        record,
    })
}
