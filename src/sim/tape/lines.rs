//! The lines of a recording: receive time in nanoseconds, one space, the JSON as received; gzip, zstd or plain.

use std::fs::File;
use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use crate::capacity::MESSAGE_BYTES_MAX;
use crate::units::UnixNanos;

/// Why a recording cannot be played (on).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("recording {} line {line}: {problem}", path.display())]
pub struct RecordedError {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1; zero when it could not be opened.
    pub line: u64,
    /// What is wrong.
    pub problem: String,
}

/// One recording being read; one line in memory.
pub(super) struct Lines {
    path: PathBuf,
    reader: Box<dyn BufRead + Send>,
    buffer: Vec<u8>,
    line: u64,
}

/// Opens a recording by what it contains, not by its name.
pub(super) fn open_lines(path: &Path) -> Result<Lines, RecordedError> {
    let refuse = |problem: String| RecordedError {
        path: path.to_path_buf(),
        line: 0,
        problem,
    };
    let file = File::open(path).map_err(|error| refuse(format!("cannot be opened: {error}")))?;
    let mut file = BufReader::with_capacity(1 << 16, file);
    let head = file
        .fill_buf()
        .map_err(|error| refuse(format!("cannot be read: {error}")))?;
    let reader: Box<dyn BufRead + Send> = match head {
        [0x1F, 0x8B, ..] => Box::new(BufReader::with_capacity(
            1 << 16,
            flate2::bufread::MultiGzDecoder::new(file),
        )),
        [0x28, 0xB5, 0x2F, 0xFD, ..] => {
            let decoder = ruzstd::decoding::StreamingDecoder::new(file)
                .map_err(|error| refuse(format!("is not zstd: {error}")))?;
            Box::new(BufReader::with_capacity(1 << 16, decoder))
        }
        [b'0'..=b'9', ..] => Box::new(file),
        [] => return Err(refuse("is empty".to_owned())),
        _ => {
            return Err(refuse(
                "is neither gzip, zstd nor plain lines that begin with a time".to_owned(),
            ));
        }
    };
    Ok(Lines {
        path: path.to_path_buf(),
        reader,
        buffer: Vec::with_capacity(1 << 16),
        line: 0,
    })
}

impl Lines {
    /// The next line's time and text; `None` at the clean end.
    pub(super) fn next_line(&mut self) -> Result<Option<(UnixNanos, &str)>, RecordedError> {
        self.buffer.clear();
        self.line += 1;
        let limit = u64::try_from(MESSAGE_BYTES_MAX).unwrap_or(u64::MAX);
        let read = self
            .reader
            .by_ref()
            .take(limit)
            .read_until(b'\n', &mut self.buffer);
        let (path, line) = (&self.path, self.line);
        let refuse = |problem: String| RecordedError {
            path: path.clone(),
            line,
            problem,
        };
        match read {
            Ok(0) => return Ok(None),
            Ok(_) => {}
            Err(error) => return Err(refuse(format!("was cut off or damaged: {error}"))),
        }
        if self.buffer.last() != Some(&b'\n') {
            return Err(refuse("was cut off (no line end)".to_owned()));
        }
        let text = std::str::from_utf8(&self.buffer)
            .map_err(|_invalid| refuse("was not UTF-8".to_owned()))?;
        let (time, rest) = text
            .trim_ascii_end()
            .split_once(' ')
            .ok_or_else(|| refuse("had no time and frame".to_owned()))?;
        let nanos = match time.parse::<i64>() {
            Ok(nanos) if time.len() == 19 => nanos,
            Ok(_) | Err(_) => {
                return Err(refuse("did not begin with a time of 19 digits".to_owned()));
            }
        };
        Ok(Some((UnixNanos(nanos), rest)))
    }
}
