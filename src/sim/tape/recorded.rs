//! Recordings as a tape: the files of one or several venues merged by their recorded times, each frame verbatim.
//!
//! Files are read as they are played, one line in memory a file. Times keep their exact gaps; they may be moved to another
//! start and divided by a speed. A file that breaks off ends the tape there, and [`RecordedTape::failure`] says why.

use std::path::PathBuf;
use std::sync::Arc;

use crate::sim::recording::{Recording, RecordingError};
use crate::units::UnixNanos;

use super::{MarketChange, Tape, TapeEvent};

/// One file to play.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordedSource {
    /// The file.
    pub path: PathBuf,
    /// The venue it is played on: [`TapeEvent::venue`].
    pub venue: usize,
    /// The venue's symbols in this file: the venue's own name in any case (`BTCUSDT`) and the symbol's index.
    pub symbols: Vec<(String, usize)>,
}

/// How recorded time becomes played time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// When the first frame of all files is played; `None`: when it was recorded.
    pub start: Option<UnixNanos>,
    /// Gaps are divided by this; below 1 counts as 1.
    pub speed: u32,
}

impl Pace {
    /// As recorded.
    pub const RECORDED: Self = Self {
        start: None,
        speed: 1,
    };
}

/// What a tape met besides what it played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RecordedCounts {
    /// Frames played.
    pub frames: u64,
    /// Snapshots played.
    pub snapshots: u64,
    /// Lines with neither (acknowledgements, streams of unasked symbols).
    pub skipped: u64,
}

/// One file being played.
struct Playing {
    lines: Recording,
    source: RecordedSource,
    /// Stream names seen, with the symbol they belong to.
    streams: Vec<(Arc<str>, Option<usize>)>,
    next: Option<(UnixNanos, TapeEvent)>,
}

/// The files as one tape.
pub struct RecordedTape {
    files: Vec<Playing>,
    pace: Pace,
    origin: UnixNanos,
    last: UnixNanos,
    counts: RecordedCounts,
    failure: Option<RecordingError>,
}

impl std::fmt::Debug for RecordedTape {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RecordedTape")
            .field("files", &self.files.len())
            .field("counts", &self.counts)
            .finish_non_exhaustive()
    }
}

impl RecordedTape {
    /// Opens all files and reads up to each one's first event.
    ///
    /// # Errors
    /// [`RecordingError`] with file and line when one cannot be opened or its first lines are no recording.
    pub fn open(sources: Vec<RecordedSource>, pace: Pace) -> Result<Self, RecordingError> {
        let mut files = Vec::with_capacity(sources.len());
        let mut counts = RecordedCounts::default();
        for source in sources {
            let lines = Recording::open(&[&source.path])?;
            let mut playing = Playing {
                lines,
                source,
                streams: Vec::new(),
                next: None,
            };
            playing.advance(&mut counts)?;
            files.push(playing);
        }
        let first = files
            .iter()
            .filter_map(|file| file.next.as_ref().map(|(time, _)| *time))
            .min();
        let origin = first.unwrap_or_default();
        Ok(Self {
            files,
            pace,
            origin,
            last: UnixNanos(i64::MIN),
            counts,
            failure: None,
        })
    }

    /// When the first frame was recorded.
    #[must_use]
    pub const fn origin(&self) -> UnixNanos {
        self.origin
    }
    /// What was played so far.
    #[must_use]
    pub const fn counts(&self) -> RecordedCounts {
        self.counts
    }
    /// Why a file ended before its time.
    #[must_use]
    pub const fn failure(&self) -> Option<&RecordingError> {
        self.failure.as_ref()
    }

    /// Takes the reason out, to hand it on.
    pub const fn take_failure(&mut self) -> Option<RecordingError> {
        self.failure.take()
    }

    /// Recorded time to played time; never back.
    fn played(&self, time: UnixNanos) -> UnixNanos {
        let gap = time.signed_since(self.origin);
        let gap = gap.div_euclid(i64::from(self.pace.speed.max(1)));
        let start = self.pace.start.unwrap_or(self.origin);
        UnixNanos(start.0.saturating_add(gap)).max(self.last)
    }

    /// The file whose next event comes first; the first named on equal times.
    fn first(&self) -> Option<(usize, UnixNanos)> {
        let times = self.files.iter().enumerate();
        times
            .filter_map(|(index, file)| Some((index, file.next.as_ref()?.0)))
            .min_by_key(|(index, time)| (*time, *index))
    }
}

impl Tape for RecordedTape {
    fn peek(&self) -> Option<UnixNanos> {
        self.first().map(|(_, time)| self.played(time))
    }

    fn next(&mut self) -> Option<TapeEvent> {
        let (index, time) = self.first()?;
        let at = self.played(time);
        self.last = at;
        let file = self.files.get_mut(index)?;
        let (_, mut event) = file.next.take()?;
        event.at = at;
        if let Err(error) = file.advance(&mut self.counts) {
            self.failure.get_or_insert(error);
        }
        match event.change {
            MarketChange::Snapshot { .. } => self.counts.snapshots += 1,
            MarketChange::Frame { .. }
            | MarketChange::Place { .. }
            | MarketChange::Cancel { .. }
            | MarketChange::Mark { .. } => self.counts.frames += 1,
        }
        Some(event)
    }
}

impl Playing {
    /// Reads on to the next line that can be played.
    fn advance(&mut self, counts: &mut RecordedCounts) -> Result<(), RecordingError> {
        self.next = None;
        while let Some(line) = self.lines.next_line()? {
            let time = line.time;
            // A cut or foreign line cannot be played verbatim.
            let Some(text) = line.text().filter(|_| !line.is_cut).map(str::trim_ascii) else {
                counts.skipped += 1;
                continue;
            };
            let found = match split_envelope(text) {
                Some((stream, data)) => symbol_of(&mut self.streams, &self.source.symbols, stream)
                    .map(|(stream, symbol)| {
                        (
                            symbol,
                            MarketChange::Frame {
                                stream,
                                data: Arc::from(data),
                            },
                        )
                    }),
                None if is_snapshot(text) => {
                    snapshot_symbol(&self.source.symbols, text).map(|symbol| {
                        (
                            symbol,
                            MarketChange::Snapshot {
                                data: Arc::from(text),
                            },
                        )
                    })
                }
                None => None,
            };
            if let Some((symbol, change)) = found {
                let venue = self.source.venue;
                self.next = Some((
                    time,
                    TapeEvent {
                        at: time,
                        venue,
                        symbol,
                        change,
                    },
                ));
                return Ok(());
            }
            counts.skipped += 1;
        }
        Ok(())
    }
}

/// The interned stream name and the symbol it belongs to; `None` for a symbol that was not asked for.
fn symbol_of(
    streams: &mut Vec<(Arc<str>, Option<usize>)>,
    symbols: &[(String, usize)],
    stream: &str,
) -> Option<(Arc<str>, usize)> {
    if let Some((name, symbol)) = streams.iter().find(|(name, _)| **name == *stream) {
        return symbol.map(|symbol| (Arc::clone(name), symbol));
    }
    let native = native_of(stream);
    let symbol = symbols
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(native))
        .map(|(_, index)| *index);
    let name: Arc<str> = Arc::from(stream);
    streams.push((Arc::clone(&name), symbol));
    symbol.map(|symbol| (name, symbol))
}

/// A snapshot names its symbol (COIN-M) or belongs to the file's only one.
fn snapshot_symbol(symbols: &[(String, usize)], text: &str) -> Option<usize> {
    if let [(_, only)] = symbols {
        return Some(*only);
    }
    let (_, rest) = text.split_once("\"symbol\":\"")?;
    let (native, _) = rest.split_once('"')?;
    symbols
        .iter()
        .find(|(name, _)| name.eq_ignore_ascii_case(native))
        .map(|(_, index)| *index)
}

/// `btcusdt` of `btcusdt@depth@100ms`.
pub(super) fn native_of(stream: &str) -> &str {
    stream.split('@').next().unwrap_or(stream)
}

/// Stream name and data of a combined-stream frame, both verbatim.
pub(super) fn split_envelope(text: &str) -> Option<(&str, &str)> {
    let rest = text.trim_ascii().strip_prefix("{\"stream\":\"")?;
    let (stream, rest) = rest.split_once('"')?;
    let data = rest.strip_prefix(",\"data\":")?.strip_suffix('}')?;
    data.starts_with('{').then_some((stream, data))
}

/// A REST depth answer.
pub(super) fn is_snapshot(text: &str) -> bool {
    text.trim_ascii_start().starts_with("{\"lastUpdateId\":")
}
