//! Lines from a file that is gzip, zstd or plain text, by its first bytes, with bounded memory.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::{LINE_BYTES_MAX, RecordingError};

const CHUNK_BYTES: usize = 64 * 1024;
const GZIP_MAGIC: [u8; 2] = [0x1F, 0x8B];
const ZSTD_MAGIC: [u8; 4] = [0x28, 0xB5, 0x2F, 0xFD];

/// Why the next line cannot be had.
#[derive(Debug)]
pub(super) enum SourceFault {
    CutOff,
    NotText,
    Damaged(io::Error),
}

/// How a line ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct LineState {
    /// Longer than the bound; the rest was skipped.
    pub(super) is_cut: bool,
    /// The file ended without a newline.
    pub(super) is_unended: bool,
}

/// A file as lines.
pub(super) struct LineSource {
    reader: BufReader<Box<dyn Read + Send>>,
    line: Vec<u8>,
    is_plain: bool,
    has_begun: bool,
}

impl std::fmt::Debug for LineSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LineSource")
            .field("is_plain", &self.is_plain)
            .finish_non_exhaustive()
    }
}

impl LineSource {
    pub(super) fn open(path: &Path) -> Result<Self, RecordingError> {
        let named = || path.display().to_string();
        let open_error = |error| RecordingError::Open {
            file: named(),
            error,
        };
        let mut file = BufReader::with_capacity(CHUNK_BYTES, File::open(path).map_err(open_error)?);
        let start = file.fill_buf().map_err(open_error)?;
        if start.is_empty() {
            return Err(RecordingError::Empty { file: named() });
        }
        let (reader, is_plain): (Box<dyn Read + Send>, bool) = if start.starts_with(&GZIP_MAGIC) {
            (Box::new(flate2::bufread::MultiGzDecoder::new(file)), false)
        } else if start.starts_with(&ZSTD_MAGIC) {
            (
                Box::new(ZstdFrames {
                    file,
                    decoder: FrameDecoder::new(),
                    is_inside: false,
                }),
                false,
            )
        } else if start.iter().take(64).any(|byte| *byte < b'\t') {
            return Err(RecordingError::NotText { file: named() });
        } else {
            (Box::new(file), true)
        };
        Ok(Self {
            reader: BufReader::with_capacity(CHUNK_BYTES, reader),
            line: Vec::with_capacity(4_096),
            is_plain,
            has_begun: false,
        })
    }

    /// The current line, without its newline.
    pub(super) fn line(&self) -> &[u8] {
        &self.line
    }

    /// Reads the next line; `None` at the end of the file.
    pub(super) fn next_line(&mut self) -> Result<Option<LineState>, SourceFault> {
        self.line.clear();
        let mut state = LineState {
            is_cut: false,
            is_unended: false,
        };
        let mut is_empty = true;
        loop {
            let chunk = match self.reader.fill_buf() {
                Ok(chunk) => chunk,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(fault_of(error)),
            };
            if !self.has_begun && chunk.iter().take(64).any(|byte| *byte < b'\t') {
                return Err(SourceFault::NotText);
            }
            self.has_begun = true;
            if chunk.is_empty() {
                state.is_unended = true;
                return Ok((!is_empty).then_some(state));
            }
            is_empty = false;
            let newline = memchr::memchr(b'\n', chunk);
            let part = chunk
                .get(..newline.unwrap_or(chunk.len()))
                .unwrap_or_default();
            let room = LINE_BYTES_MAX.saturating_sub(self.line.len());
            if part.len() > room {
                state.is_cut = true;
            }
            self.line
                .extend_from_slice(part.get(..room.min(part.len())).unwrap_or_default());
            let used = newline.map_or(chunk.len(), |at| at + 1);
            self.reader.consume(used);
            if newline.is_some() {
                if self.line.last() == Some(&b'\r') {
                    self.line.pop();
                }
                return Ok(Some(state));
            }
        }
    }
}

fn fault_of(error: io::Error) -> SourceFault {
    if error.kind() == io::ErrorKind::UnexpectedEof {
        SourceFault::CutOff
    } else {
        SourceFault::Damaged(error)
    }
}

/// All zstd frames of a file, one after the other.
struct ZstdFrames {
    file: BufReader<File>,
    decoder: FrameDecoder,
    is_inside: bool,
}

impl Read for ZstdFrames {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            if self.decoder.can_collect() > 0 {
                return self.decoder.read(buffer);
            }
            if self.is_inside && !self.decoder.is_finished() {
                let step = BlockDecodingStrategy::UptoBlocks(1);
                if let Err(error) = self.decoder.decode_blocks(&mut self.file, step) {
                    return Err(self.explain(io::Error::other(error)));
                }
                continue;
            }
            if self.file.fill_buf()?.is_empty() {
                return Ok(0);
            }
            if let Err(error) = self.decoder.reset(&mut self.file) {
                return Err(self.explain(io::Error::other(error)));
            }
            self.is_inside = true;
        }
    }
}

impl ZstdFrames {
    /// The decoder does not tell a cut file from a damaged one; whether input is left does.
    fn explain(&mut self, error: io::Error) -> io::Error {
        match self.file.fill_buf() {
            Ok([]) => io::Error::new(io::ErrorKind::UnexpectedEof, error),
            Ok(_) | Err(_) => error,
        }
    }
}
