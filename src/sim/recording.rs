//! Reading recordings: lines of `<receive time> <frame>` from gzip, zstd or plain text.
//!
//! Two forms are read, line by line, so they may even be mixed:
//! - ours and hftbacktest's: `1723161253937085768 {"stream":..}`, nanoseconds since 1970; a REST depth answer has no
//!   `stream` and stands where it arrived;
//! - cryptofeed's: `1633998512.0633569: {..}` received, `wss://.. <-> T` opened, `wss://.. <- T: {..}` sent,
//!   `https://.. -> T: {..}` an HTTP answer, `configuration: {..}`.
//!
//! Several files are one recording: they are merged by receive time, lines of one file keep their order, and at equal
//! times the file named first comes first. So consecutive hours simply follow each other, and the HTTP answers that
//! cryptofeed keeps in a file of their own come to stand among the frames where they arrived.

mod bytes;
mod line;

use std::path::{Path, PathBuf};

use crate::units::UnixNanos;

pub use line::LineKind;
use line::{LineFault, parse_line};

/// Bytes of one line that are kept. The rest of a longer line is skipped and the line marked as cut.
pub const LINE_BYTES_MAX: usize = crate::capacity::MESSAGE_BYTES_MAX + 4_096;

/// One line of a recording.
#[derive(Debug, Clone, Copy)]
pub struct RecordedLine<'a> {
    /// When it was received. Lines without a time of their own (`configuration`) have that of the line before.
    pub time: UnixNanos,
    /// What it is.
    pub kind: LineKind<'a>,
    /// The frame or answer as received; not checked to be UTF-8 or JSON.
    pub bytes: &'a [u8],
    /// True when the line was longer than [`LINE_BYTES_MAX`] and its end is missing.
    pub is_cut: bool,
    /// Which file.
    pub file: &'a Path,
    /// Which line of that file, from 1.
    pub number: u64,
}

impl RecordedLine<'_> {
    /// The frame as text; `None` when it is not UTF-8.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        std::str::from_utf8(self.bytes).ok()
    }
}

/// Why a recording cannot be read (on).
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// The file cannot be opened.
    #[error("{file}: cannot be opened: {error}")]
    Open {
        /// Which file.
        file: String,
        /// The system's word.
        error: std::io::Error,
    },
    /// Binary content that is neither gzip nor zstd.
    #[error("{file}: neither gzip nor zstd nor text")]
    NotText {
        /// Which file.
        file: String,
    },
    /// There is no line in it.
    #[error("{file}: not a recording: it is empty")]
    Empty {
        /// Which file.
        file: String,
    },
    /// The file ends in the middle.
    #[error("{file}: line {line}: the file is cut off here")]
    CutOff {
        /// Which file.
        file: String,
        /// Line that was being read.
        line: u64,
    },
    /// The compressed data is damaged.
    #[error("{file}: line {line}: the compressed data is damaged: {error}")]
    Damaged {
        /// Which file.
        file: String,
        /// Line that was being read.
        line: u64,
        /// The decoder's word.
        error: std::io::Error,
    },
    /// The line begins with something that is no time.
    #[error("{file}: line {line}: not a recording: time was '{found}', not a number")]
    BadTime {
        /// Which file.
        file: String,
        /// Which line.
        line: u64,
        /// What stands there, shortened.
        found: String,
    },
    /// The line has no form that a recording's line has.
    #[error(
        "{file}: line {line}: not a recording: expected '<nanoseconds> <frame>', found '{found}'"
    )]
    NotARecording {
        /// Which file.
        file: String,
        /// Which line.
        line: u64,
        /// What stands there, shortened.
        found: String,
    },
}

/// One file of a recording, read line by line.
#[derive(Debug)]
struct RecordingFile {
    path: PathBuf,
    source: bytes::LineSource,
    /// The line that comes next; `None` at the end.
    head: Option<Head>,
    number: u64,
    time: UnixNanos,
}

/// Where the parts of the current line lie in the source's buffer.
#[derive(Debug, Clone)]
struct Head {
    time: UnixNanos,
    kind: line::Kind,
    payload: std::ops::Range<usize>,
    url: std::ops::Range<usize>,
    is_cut: bool,
}

/// A recording of one or more files.
#[derive(Debug)]
pub struct Recording {
    files: Vec<RecordingFile>,
    /// The file whose head was given out last and must move on.
    given: Option<usize>,
}

impl Recording {
    /// Opens the files and reads the first line of each.
    ///
    /// # Errors
    /// [`RecordingError`] when one cannot be opened or does not begin as a recording.
    pub fn open<P: AsRef<Path>>(paths: &[P]) -> Result<Self, RecordingError> {
        let mut files = Vec::with_capacity(paths.len());
        for path in paths {
            files.push(RecordingFile::open(path.as_ref())?);
        }
        Ok(Self { files, given: None })
    }

    /// The next line by receive time; `None` at the end.
    ///
    /// # Errors
    /// [`RecordingError`] with file and line.
    pub fn next_line(&mut self) -> Result<Option<RecordedLine<'_>>, RecordingError> {
        if let Some(given) = self.given.take()
            && let Some(file) = self.files.get_mut(given)
        {
            file.advance()?;
        }
        let due = self
            .files
            .iter()
            .enumerate()
            .filter_map(|(index, file)| Some((file.head.as_ref()?.time, index)))
            .min();
        let Some((_, index)) = due else {
            return Ok(None);
        };
        self.given = Some(index);
        Ok(self.files.get(index).and_then(RecordingFile::line))
    }
}

impl RecordingFile {
    fn open(path: &Path) -> Result<Self, RecordingError> {
        let source = bytes::LineSource::open(path)?;
        let mut file = Self {
            path: path.to_path_buf(),
            source,
            head: None,
            number: 0,
            time: UnixNanos(i64::MIN),
        };
        file.advance()?;
        if file.head.is_none() {
            return Err(RecordingError::Empty { file: file.name() });
        }
        Ok(file)
    }

    fn name(&self) -> String {
        self.path.display().to_string()
    }

    fn advance(&mut self) -> Result<(), RecordingError> {
        self.head = None;
        self.number += 1;
        let (file, line) = (self.path.as_path(), self.number);
        let named = || file.display().to_string();
        let state = self.source.next_line().map_err(|fault| match fault {
            bytes::SourceFault::CutOff => RecordingError::CutOff {
                file: named(),
                line,
            },
            bytes::SourceFault::NotText => RecordingError::NotText { file: named() },
            bytes::SourceFault::Damaged(error) => RecordingError::Damaged {
                file: named(),
                line,
                error,
            },
        })?;
        let Some(state) = state else { return Ok(()) };
        let parsed = parse_line(self.source.line()).map_err(|fault| match fault {
            LineFault::BadTime(found) => RecordingError::BadTime {
                file: named(),
                line,
                found,
            },
            LineFault::Foreign(found) => RecordingError::NotARecording {
                file: named(),
                line,
                found,
            },
        })?;
        if state.is_unended && !ends_like_json(self.source.line()) {
            return Err(RecordingError::CutOff {
                file: named(),
                line,
            });
        }
        self.time = parsed.time.unwrap_or(self.time);
        self.head = Some(Head {
            time: self.time,
            kind: parsed.kind,
            payload: parsed.payload,
            url: parsed.url,
            is_cut: state.is_cut,
        });
        Ok(())
    }

    fn line(&self) -> Option<RecordedLine<'_>> {
        let head = self.head.as_ref()?;
        let whole = self.source.line();
        let url = whole
            .get(head.url.clone())
            .and_then(|url| std::str::from_utf8(url).ok())
            .unwrap_or_default();
        Some(RecordedLine {
            time: head.time,
            kind: head.kind.with_url(url),
            bytes: whole.get(head.payload.clone())?,
            is_cut: head.is_cut,
            file: &self.path,
            number: self.number,
        })
    }
}

/// Whether a last line without a newline can be whole.
fn ends_like_json(line: &[u8]) -> bool {
    match line.trim_ascii_end().last() {
        Some(b'}' | b']') => true,
        // `wss://.. <-> T` ends in a digit.
        Some(last) => last.is_ascii_digit() && line.starts_with(b"ws"),
        None => false,
    }
}

#[cfg(test)]
mod tests;
