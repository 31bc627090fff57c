//! The thread that follows the journal and fills the database.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::clock::{Clock, OsClock};
use crate::journal::{Cursor, Line, Tail};
use crate::priority::{Class, step_back};
use crate::units::{MonoNanos, Nanos};

use super::backend::{Backend, Batch};
use super::error::StoreError;
use super::postgres::{Address, Postgres};
use super::rows::Position;
use super::sqlite::Sqlite;

/// Most records in one transaction.
const BATCH_RECORDS: usize = 1_000;
/// How often the journal is looked at while there is nothing new.
const LOOK: Duration = Duration::from_millis(50);
/// First wait after a failure; doubled up to the longest.
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_LONGEST: Duration = Duration::from_secs(5);
/// Longest wait for the first attempt at start.
const FIRST_WAIT: Duration = Duration::from_secs(5);
/// Longest time to catch up when the engine stops; the rest follows at the next start.
const STOP_WAIT: Nanos = Nanos::from_secs(10);

/// Which database.
#[derive(Debug, Clone)]
pub enum Place {
    /// A file.
    Sqlite(PathBuf),
    /// A server.
    Postgres(Box<Address>),
}

impl Place {
    /// Opens it for writing.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open(&self) -> Result<Box<dyn Backend + Send>, StoreError> {
        Ok(match self {
            Self::Sqlite(path) => Box::new(Sqlite::open(path)?),
            Self::Postgres(address) => Box::new(Postgres::open(address)?),
        })
    }
    /// Opens it for reading.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn open_to_read(&self) -> Result<Box<dyn Backend + Send>, StoreError> {
        Ok(match self {
            Self::Sqlite(path) => Box::new(Sqlite::open_to_read(path)?),
            Self::Postgres(address) => Box::new(Postgres::open_to_read(address)?),
        })
    }
    /// Where, for people, without secrets.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::Sqlite(path) => format!("database {}", path.display()),
            Self::Postgres(address) => address.place().to_owned(),
        }
    }
}

/// Figures for the metrics.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct StoreGauge {
    /// Journal records that are on disk and not in the database; all of them while it was never reached.
    pub lag_records: u64,
    /// Age of the oldest of them.
    pub lag: Nanos,
    /// Rows written in this session.
    pub rows: u64,
    /// Failures in this session.
    pub errors: u64,
    /// The last attempt succeeded.
    pub is_up: bool,
    /// The last failure; empty when there was none.
    pub last_error: String,
}

#[derive(Debug, Default)]
struct Shared {
    stored_seq: AtomicU64,
    /// Time of the oldest record that is not stored; 0 when there is none.
    oldest_ns: AtomicI64,
    rows: AtomicU64,
    errors: AtomicU64,
    is_up: AtomicBool,
    last_error: Mutex<String>,
}

/// The running thread.
#[derive(Debug)]
pub struct Follower {
    shared: Arc<Shared>,
    tail: Tail,
    clock: OsClock,
    stop: Sender<()>,
    thread: Option<JoinHandle<()>>,
}

impl Follower {
    /// Starts to follow. The database is tried once before, so that one that can never work refuses the start.
    ///
    /// # Errors
    /// A final [`StoreError`]; one that is only not reachable now is tried again later.
    pub fn start(place: Place, tail: Tail, clock: OsClock) -> Result<Self, StoreError> {
        let shared = Arc::new(Shared::default());
        let mut work = Work {
            place,
            tail: tail.clone(),
            clock: clock.clone(),
            shared: Arc::clone(&shared),
            open: None,
        };
        let name = work.place.name();
        // A file is ours alone: if it cannot be opened now, waiting will not help. A server may come back.
        let is_server = matches!(work.place, Place::Postgres(_));
        let (stop, stopped) = channel();
        let (first, tried) = channel();
        let thread = std::thread::Builder::new()
            .name("store".to_owned())
            .spawn(move || {
                step_back(Class::Store);
                let opened = work.open();
                let goes_on = match &opened {
                    Ok(()) => true,
                    Err(error) => is_server && !error.is_final(),
                };
                if let (Err(error), true) = (&opened, goes_on) {
                    work.failed(error);
                }
                let told = first.send(if goes_on { Ok(()) } else { opened });
                if told.is_ok() && goes_on {
                    work.run(&stopped);
                }
            })
            .map_err(|error| StoreError::Unavailable {
                place: name,
                reason: error.to_string(),
            })?;
        match tried.recv_timeout(FIRST_WAIT) {
            Ok(opened) => opened?,
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {
                tracing::error!("store: the database does not answer yet; trading goes on");
            }
        }
        Ok(Self {
            shared,
            tail,
            clock,
            stop,
            thread: Some(thread),
        })
    }

    /// Figures for the metrics.
    #[must_use]
    pub fn gauge(&self) -> StoreGauge {
        let stored = self.shared.stored_seq.load(Ordering::Acquire);
        let lag_records = self.tail.durable_seq().saturating_sub(stored);
        let oldest = self.shared.oldest_ns.load(Ordering::Acquire);
        let age = self.clock.now_unix().0.saturating_sub(oldest);
        let is_behind = lag_records > 0 && oldest > 0;
        let last_error = &self.shared.last_error;
        StoreGauge {
            lag_records,
            lag: Nanos(if is_behind {
                u64::try_from(age).unwrap_or(0)
            } else {
                0
            }),
            rows: self.shared.rows.load(Ordering::Acquire),
            errors: self.shared.errors.load(Ordering::Acquire),
            is_up: self.shared.is_up.load(Ordering::Acquire),
            last_error: last_error
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .clone(),
        }
    }

    /// Catches up with what is on disk, and ends. Gives up at the first failure, or after 10 s: what is left follows at the
    /// next start. Answers how many records are left.
    pub fn stop(mut self) -> u64 {
        self.end();
        self.gauge().lag_records
    }

    fn end(&mut self) {
        if let Some(thread) = self.thread.take()
            && (self.stop.send(()).is_err() || thread.join().is_err())
        {
            tracing::error!("the store's thread ended by panic");
        }
    }
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.end();
    }
}

/// An open database and the place in the journal that belongs to it.
struct Open {
    backend: Box<dyn Backend + Send>,
    cursor: Cursor,
    position: Position,
}

struct Work {
    place: Place,
    tail: Tail,
    clock: OsClock,
    shared: Arc<Shared>,
    open: Option<Open>,
}

impl Work {
    fn run(mut self, stopped: &Receiver<()>) {
        let mut retry = RETRY_FIRST;
        let mut stopping: Option<MonoNanos> = None;
        loop {
            let step = self.step();
            let wait = match &step {
                Ok(true) => Duration::ZERO,
                Ok(false) => LOOK,
                Err(_) => retry,
            };
            match step {
                Ok(more) => {
                    retry = RETRY_FIRST;
                    if stopping.is_some() && !more {
                        return;
                    }
                }
                Err(error) => {
                    self.failed(&error);
                    retry = retry.saturating_mul(2).min(RETRY_LONGEST);
                    if stopping.is_some() {
                        return;
                    }
                }
            }
            if let Some(since) = stopping {
                if self.clock.now().since(since) > STOP_WAIT {
                    return;
                }
                continue;
            }
            match stopped.recv_timeout(wait) {
                Ok(()) | Err(RecvTimeoutError::Disconnected) => stopping = Some(self.clock.now()),
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }

    fn failed(&mut self, error: &StoreError) {
        self.open = None;
        self.shared.errors.fetch_add(1, Ordering::AcqRel);
        let was_up = self.shared.is_up.swap(false, Ordering::AcqRel);
        let text = error.to_string();
        let mut last = self
            .shared
            .last_error
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if was_up || *last != text {
            tracing::error!("store: {text}; trading goes on, the journal keeps everything");
        }
        *last = text;
    }

    /// Opens the database and finds its place in the journal.
    fn open(&mut self) -> Result<(), StoreError> {
        let mut backend = self.place.open()?;
        let position = backend.position()?;
        let cursor = cursor_at(&self.place, self.tail.directory(), &position)?;
        self.shared
            .stored_seq
            .store(position.journal_seq, Ordering::Release);
        self.open = Some(Open {
            backend,
            cursor,
            position,
        });
        Ok(())
    }

    /// Stores one batch. True when there may be more at once.
    fn step(&mut self) -> Result<bool, StoreError> {
        let durable = self.tail.durable_seq();
        if self.open.is_none() {
            if durable > self.shared.stored_seq.load(Ordering::Acquire)
                && self.shared.oldest_ns.load(Ordering::Acquire) == 0
            {
                let now = self.clock.now_unix().0;
                self.shared.oldest_ns.store(now, Ordering::Release);
            }
            self.open()?;
        }
        let Some(open) = &mut self.open else {
            return Ok(false);
        };
        let from_seq = open.position.journal_seq;
        let mut to = open.position.clone();
        let mut rows = Vec::new();
        let mut count = 0;
        while count < BATCH_RECORDS && to.journal_seq < durable {
            let Some(line) = open.cursor.next()? else {
                break;
            };
            if count == 0 {
                self.shared.oldest_ns.store(line.time_ns, Ordering::Release);
            }
            note(&mut to, &line, &mut rows);
            count += 1;
        }
        if count > 0 {
            let written = u64::try_from(rows.len()).unwrap_or(u64::MAX);
            open.backend.write(&Batch {
                from_seq,
                to: to.clone(),
                rows,
            })?;
            open.position = to;
            self.shared
                .stored_seq
                .store(open.position.journal_seq, Ordering::Release);
            self.shared.rows.fetch_add(written, Ordering::AcqRel);
        }
        if open.position.journal_seq >= durable {
            self.shared.oldest_ns.store(0, Ordering::Release);
        }
        if !self.shared.is_up.swap(true, Ordering::AcqRel) {
            tracing::info!("store: {} is written", self.place.name());
        }
        Ok(count == BATCH_RECORDS)
    }
}

fn note(to: &mut Position, line: &Line, rows: &mut Vec<super::rows::Row>) {
    if let Err(problem) = to.add(line, rows) {
        tracing::error!("store: {problem}; it is in the audit table as it is");
    }
}

/// The place behind a position, after the record there was compared with what the database was filled from.
fn cursor_at(place: &Place, directory: &Path, position: &Position) -> Result<Cursor, StoreError> {
    let seq = position.journal_seq;
    if seq == 0 {
        return Ok(Cursor::new(directory, 1));
    }
    let mut cursor = Cursor::new(directory, seq);
    match cursor.next()? {
        Some(line) if line.seq == seq && line.crc == position.journal_crc => Ok(cursor),
        _ => Err(StoreError::OtherJournal {
            place: place.name(),
            seq,
            directory: directory.to_owned(),
        }),
    }
}
