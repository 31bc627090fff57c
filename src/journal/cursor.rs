//! Reads a journal line by line, over all its files, from any record on; also while it is being written.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use super::error::JournalError;
use super::line::{self, Line};
use super::segments::{self, Segment, io_error};

/// A place in a journal. Reads only whole lines; every line is checked: number, checksum, form.
#[derive(Debug)]
pub struct Cursor {
    directory: PathBuf,
    /// The record that is read next.
    next_seq: u64,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    reader: BufReader<File>,
    path: PathBuf,
    is_active: bool,
    line_number: usize,
    /// Bytes of whole good lines so far.
    good_bytes: u64,
    /// A line that is not whole yet.
    partial: Vec<u8>,
    /// Number that the file's next line must have; lines before `next_seq` are checked and skipped.
    expected: Option<u64>,
}

impl Cursor {
    /// Before the record `next_seq` of the journal in a directory.
    #[must_use]
    pub fn new(directory: &Path, next_seq: u64) -> Self {
        Self {
            directory: directory.to_owned(),
            next_seq: next_seq.max(1),
            open: None,
        }
    }

    /// The record that is read next.
    #[must_use]
    pub const fn next_seq(&self) -> u64 {
        self.next_seq
    }

    /// The next record; `None` at the end, where a torn or unfinished line may follow.
    ///
    /// # Errors
    /// [`JournalError::Damaged`] when a line is not what was written, [`JournalError::Missing`] when the record is in none of
    /// the files although later ones are; I/O errors.
    #[expect(
        clippy::should_implement_trait,
        reason = "it can fail, and after the end it may go on: an iterator would promise otherwise"
    )]
    pub fn next(&mut self) -> Result<Option<Line>, JournalError> {
        loop {
            if self.open.is_none() && !self.locate()? {
                return Ok(None);
            }
            let Some(open) = &mut self.open else {
                return Ok(None);
            };
            match open.read()? {
                Some(line) if line.seq < self.next_seq => {}
                Some(line) => {
                    self.next_seq = line.seq.saturating_add(1);
                    return Ok(Some(line));
                }
                None if open.is_active => {
                    if !open.was_moved(&self.directory) {
                        return Ok(None);
                    }
                    // It became an older part: nothing is written to it any more, but something may have been meanwhile.
                    open.is_active = false;
                }
                None => {
                    if let Some(torn) = open.torn_error() {
                        return Err(torn);
                    }
                    if !self.follow()? {
                        return Ok(None);
                    }
                }
            }
        }
    }

    /// Bytes of whole good lines of the file that is read, and of what follows them.
    #[must_use]
    pub fn bytes(&self) -> (u64, u64) {
        self.open.as_ref().map_or((0, 0), |open| {
            let torn = u64::try_from(open.partial.len()).unwrap_or(u64::MAX);
            (open.good_bytes, torn)
        })
    }

    /// Opens the file that holds `next_seq`, or will; false when there is none.
    fn locate(&mut self) -> Result<bool, JournalError> {
        let files = segments::list(&self.directory)?;
        let holds = |file: &&Segment| file.first_seq.is_some_and(|first| first <= self.next_seq);
        match files.iter().rev().find(holds) {
            Some(file) => self.enter(file).map(|()| true),
            None => self.follow(),
        }
    }

    /// Opens the file that begins with `next_seq`; false when there is none yet.
    fn follow(&mut self) -> Result<bool, JournalError> {
        let files = segments::list(&self.directory)?;
        let next = self.next_seq;
        if let Some(file) = files.iter().find(|file| file.first_seq == Some(next)) {
            // An older part is closed with records in it.
            if !file.is_active
                && self
                    .open
                    .as_ref()
                    .is_some_and(|open| open.path == file.path)
            {
                return Err(JournalError::Damaged {
                    path: file.path.clone(),
                    line: 1,
                    what: "it is empty",
                });
            }
            return self.enter(file).map(|()| true);
        }
        let later = files.iter().filter_map(|file| file.first_seq);
        if let Some(later) = later.filter(|first| *first > next).min() {
            return Err(JournalError::Missing {
                directory: self.directory.clone(),
                seq: next,
                next: later,
            });
        }
        // A new file, still without a record.
        match files
            .iter()
            .find(|file| file.is_active && file.first_seq.is_none())
        {
            Some(file) => self.enter(file).map(|()| true),
            None => Ok(false),
        }
    }

    fn enter(&mut self, file: &Segment) -> Result<(), JournalError> {
        let opened = File::open(&file.path).map_err(io_error(&file.path))?;
        self.open = Some(Open {
            reader: BufReader::new(opened),
            path: file.path.clone(),
            is_active: file.is_active,
            line_number: 0,
            good_bytes: 0,
            partial: Vec::new(),
            expected: file.first_seq.or(Some(self.next_seq)),
        });
        Ok(())
    }
}

impl Open {
    fn read(&mut self) -> Result<Option<Line>, JournalError> {
        self.reader
            .read_until(b'\n', &mut self.partial)
            .map_err(io_error(&self.path))?;
        let Some(text) = self.partial.strip_suffix(b"\n") else {
            return Ok(None);
        };
        let checked = line::check(text, self.expected);
        match checked {
            Ok(line) => {
                self.line_number += 1;
                let size = u64::try_from(self.partial.len()).unwrap_or(u64::MAX);
                self.good_bytes = self.good_bytes.saturating_add(size);
                self.expected = Some(line.seq.saturating_add(1));
                self.partial.clear();
                Ok(Some(line))
            }
            // A torn write of several pages may leave garbage with a newline, but only at the very end of the active file.
            Err(_what) if self.is_active && self.at_end()? => Ok(None),
            Err(what) => Err(JournalError::Damaged {
                path: self.path.clone(),
                line: self.line_number + 1,
                what,
            }),
        }
    }

    fn at_end(&mut self) -> Result<bool, JournalError> {
        let rest = self.reader.fill_buf().map_err(io_error(&self.path))?;
        Ok(rest.is_empty())
    }

    /// True when the file that is open is no longer the active one.
    fn was_moved(&self, directory: &Path) -> bool {
        use std::os::unix::fs::MetadataExt as _;
        let now = std::fs::metadata(directory.join(segments::ACTIVE));
        match (self.reader.get_ref().metadata(), now) {
            (Ok(open), Ok(now)) => open.ino() != now.ino() || open.dev() != now.dev(),
            (Ok(_) | Err(_), Ok(_) | Err(_)) => true,
        }
    }

    /// An older part must end with a whole line.
    fn torn_error(&self) -> Option<JournalError> {
        (!self.partial.is_empty()).then(|| JournalError::Damaged {
            path: self.path.clone(),
            line: self.line_number + 1,
            what: "it is not whole",
        })
    }
}
