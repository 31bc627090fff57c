//! One line of a journal: number, time, record, checksum. How it is written and how it is checked.

use serde::{Deserialize, Serialize};

use super::record::Record;

/// What stands before the checksum of a line.
const CHECK_KEY: &str = ",\"crc\":\"";

/// One good line, as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Running number from 1, without gaps.
    pub seq: u64,
    /// When it was appended, ns since 1970.
    pub time_ns: i64,
    /// The JSON object without its checksum: what the checksum and the audit chain are made of.
    pub text: String,
    /// CRC-32 of `text` without its closing brace.
    pub crc: u32,
}

#[derive(Deserialize)]
struct Head {
    seq: u64,
    time_ns: i64,
}

/// CRC-32 of a line's text before the checksum.
fn checksum(text: &str) -> u32 {
    let mut crc = flate2::Crc::new();
    crc.update(text.as_bytes());
    crc.sum()
}

/// Appends one line to a buffer. False when the record cannot be written as JSON.
pub(super) fn encode(seq: u64, time_ns: i64, record: &Record, buffer: &mut Vec<u8>) -> bool {
    #[derive(Serialize)]
    struct Whole<'a> {
        seq: u64,
        time_ns: i64,
        #[serde(flatten)]
        record: &'a Record,
    }
    let whole = Whole {
        seq,
        time_ns,
        record,
    };
    let Ok(text) = serde_json::to_string(&whole) else {
        return false;
    };
    let body = text.strip_suffix('}').unwrap_or(&text);
    let sum = checksum(body);
    buffer.extend_from_slice(format!("{body}{CHECK_KEY}{sum:08x}\"}}\n").as_bytes());
    true
}

/// Checks one line (without its newline); `expected` is the number it must have, `None` for any.
///
/// # Errors
/// What is wrong with it.
pub(super) fn check(line: &[u8], expected: Option<u64>) -> Result<Line, &'static str> {
    let text = std::str::from_utf8(line).map_err(|_error| "it is not UTF-8")?;
    let (body, tail) = text.rsplit_once(CHECK_KEY).ok_or("it has no checksum")?;
    let written = tail.strip_suffix("\"}").ok_or("it has no end")?;
    let canonical = written.len() == 8
        && written
            .bytes()
            .all(|digit| digit.is_ascii_digit() || (b'a'..=b'f').contains(&digit));
    let crc = u32::from_str_radix(written, 16).map_err(|_error| "its checksum is wrong")?;
    if !canonical || crc != checksum(body) {
        return Err("its checksum is wrong");
    }
    let text = format!("{body}}}");
    let head: Head = serde_json::from_str(&text).map_err(|_error| "it has no number or time")?;
    if expected.is_some_and(|expected| head.seq != expected) {
        return Err("its number does not follow");
    }
    Ok(Line {
        seq: head.seq,
        time_ns: head.time_ns,
        text,
        crc,
    })
}
