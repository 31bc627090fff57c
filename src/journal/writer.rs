//! The thread that writes: a bounded queue in, groups of lines with one `fsync` out.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use crate::clock::{Clock, OsClock};
use crate::units::MonoNanos;

use super::error::{JournalError, NotRecorded};
use super::reader::{self, CHECK_KEY, checksum};
use super::record::Record;

/// Records waiting for the writer. When full, `append` gives the record up and says so.
pub const QUEUE_RECORDS: usize = 4_096;
/// Most records in one group.
const GROUP_RECORDS_MAX: u64 = 1_024;

type Then = Box<dyn FnOnce(bool) + Send>;

enum Message {
    Append {
        record: Box<Record>,
        at: MonoNanos,
        time_ns: i64,
        then: Option<Then>,
    },
    Stop,
}

/// Counters that the writer and its callers share.
#[derive(Debug, Default)]
struct Shared {
    appended: AtomicU64,
    committed: AtomicU64,
    refused: AtomicU64,
    /// When the oldest record of the group being written was appended; zero when idle.
    oldest_at: AtomicU64,
    failed: AtomicBool,
}

/// Figures for the metrics.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JournalGauge {
    /// Records not yet on disk.
    pub pending: u64,
    /// Records on disk in this session.
    pub committed: u64,
    /// Records that were not taken.
    pub refused: u64,
    /// Age of the oldest record that is not on disk.
    pub lag: crate::units::Nanos,
    /// True when a write failed: nothing is recorded any more.
    pub failed: bool,
}

/// Appends records. Cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct Journal {
    queue: SyncSender<Message>,
    shared: Arc<Shared>,
    clock: OsClock,
    thread: Option<JoinHandle<()>>,
    path: PathBuf,
    torn_bytes: u64,
}

impl Journal {
    /// Opens or creates `DIRECTORY/journal.jsonl`, checks what is in it, cuts off a torn write, and starts the writer.
    ///
    /// # Errors
    /// [`JournalError`] when the file is damaged, in use, or cannot be opened.
    pub fn open(directory: &Path, clock: OsClock) -> Result<Self, JournalError> {
        let path = directory.join("journal.jsonl");
        let io = |source| JournalError::Io {
            path: path.clone(),
            source,
        };
        std::fs::create_dir_all(directory).map_err(io)?;
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(io)?;
        file.try_lock().map_err(|error| match error {
            std::fs::TryLockError::WouldBlock => JournalError::InUse(path.clone()),
            std::fs::TryLockError::Error(source) => JournalError::Io {
                path: path.clone(),
                source,
            },
        })?;
        let contents = reader::read(&path)?;
        file.set_len(contents.good_bytes).map_err(io)?;
        file.seek(SeekFrom::Start(contents.good_bytes))
            .map_err(io)?;
        // The name of a new file must survive a crash as well.
        File::open(directory)
            .and_then(|folder| folder.sync_all())
            .map_err(io)?;
        let next_seq = contents
            .entries
            .last()
            .map_or(1, |entry| entry.seq.saturating_add(1));
        let (queue, messages) = sync_channel(QUEUE_RECORDS);
        let shared = Arc::new(Shared::default());
        let writer = Writer {
            file,
            shared: Arc::clone(&shared),
            next_seq,
            buffer: Vec::new(),
        };
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || writer.run(&messages))
            .map_err(io)?;
        Ok(Self {
            queue,
            shared,
            clock,
            thread: Some(thread),
            path,
            torn_bytes: contents.torn_bytes,
        })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Bytes of a torn write that were cut off when it was opened.
    #[must_use]
    pub const fn torn_bytes(&self) -> u64 {
        self.torn_bytes
    }

    /// Queues a record; it will be on disk within a group commit.
    ///
    /// # Errors
    /// [`NotRecorded`] when the queue is full or a write has failed; counted.
    pub fn append(&self, record: Record) -> Result<(), NotRecorded> {
        self.send(record, None)
    }

    /// Queues a record and calls `then` on the writer's thread once it is on disk (`true`), or never will be (`false`).
    /// `then` must only pass the news on.
    ///
    /// # Errors
    /// [`NotRecorded`] when the queue is full or a write has failed; `then` is not called.
    pub fn append_durable(
        &self,
        record: Record,
        then: impl FnOnce(bool) + Send + 'static,
    ) -> Result<(), NotRecorded> {
        self.send(record, Some(Box::new(then)))
    }

    fn send(&self, record: Record, then: Option<Then>) -> Result<(), NotRecorded> {
        let refused = |why| {
            self.shared.refused.fetch_add(1, Ordering::Relaxed);
            Err(why)
        };
        if self.shared.failed.load(Ordering::Acquire) {
            return refused(NotRecorded::Failed);
        }
        // Counted before it is sent, so that the writer's count can never overtake it.
        self.shared.appended.fetch_add(1, Ordering::AcqRel);
        let message = Message::Append {
            record: Box::new(record),
            at: self.clock.now(),
            time_ns: self.clock.now_unix().0,
            then,
        };
        self.queue.try_send(message).or_else(|error| {
            self.shared.appended.fetch_sub(1, Ordering::AcqRel);
            refused(match error {
                TrySendError::Full(_) => NotRecorded::Full,
                TrySendError::Disconnected(_) => NotRecorded::Failed,
            })
        })
    }

    /// Figures for the metrics.
    #[must_use]
    pub fn gauge(&self, now: MonoNanos) -> JournalGauge {
        let committed = self.shared.committed.load(Ordering::Acquire);
        let appended = self.shared.appended.load(Ordering::Acquire);
        let oldest = self.shared.oldest_at.load(Ordering::Acquire);
        JournalGauge {
            pending: appended.saturating_sub(committed),
            committed,
            refused: self.shared.refused.load(Ordering::Relaxed),
            lag: if oldest == 0 {
                crate::units::Nanos::ZERO
            } else {
                now.since(MonoNanos(oldest))
            },
            failed: self.shared.failed.load(Ordering::Acquire),
        }
    }

    /// Writes everything that was appended and ends the writer. False when something could not be written.
    #[must_use]
    pub fn close(mut self) -> bool {
        self.end();
        !self.shared.failed.load(Ordering::Acquire)
    }

    fn end(&mut self) {
        if let Some(thread) = self.thread.take() {
            // A blocking send: the writer drains the queue, or is gone and the send fails at once.
            if self.queue.send(Message::Stop).is_err() || thread.join().is_err() {
                self.shared.failed.store(true, Ordering::Release);
            }
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.end();
    }
}

struct Writer {
    file: File,
    shared: Arc<Shared>,
    next_seq: u64,
    buffer: Vec<u8>,
}

impl Writer {
    fn run(mut self, messages: &Receiver<Message>) {
        let mut open = true;
        while open {
            let Ok(first) = messages.recv() else { return };
            let mut callbacks: Vec<Then> = Vec::new();
            let mut count = 0_u64;
            let mut next = Some(first);
            while let Some(message) = next.take() {
                match message {
                    Message::Append {
                        record,
                        at,
                        time_ns,
                        then,
                    } => {
                        if count == 0 {
                            self.shared.oldest_at.store(at.0.max(1), Ordering::Release);
                        }
                        self.encode(&record, time_ns);
                        callbacks.extend(then);
                        count += 1;
                    }
                    Message::Stop => open = false,
                }
                if open && count < GROUP_RECORDS_MAX {
                    next = messages.try_recv().ok();
                }
            }
            let written = self.commit();
            if written {
                self.shared.committed.fetch_add(count, Ordering::AcqRel);
                self.shared.oldest_at.store(0, Ordering::Release);
            } else {
                self.shared.failed.store(true, Ordering::Release);
            }
            for then in callbacks {
                then(written);
            }
        }
    }

    /// Appends one line to the buffer.
    fn encode(&mut self, record: &Record, time_ns: i64) {
        #[derive(serde::Serialize)]
        struct Line<'a> {
            seq: u64,
            time_ns: i64,
            #[serde(flatten)]
            record: &'a Record,
        }
        let line = Line {
            seq: self.next_seq,
            time_ns,
            record,
        };
        let Ok(text) = serde_json::to_string(&line) else {
            self.shared.failed.store(true, Ordering::Release);
            return;
        };
        let body = text.strip_suffix('}').unwrap_or(&text);
        let sum = checksum(body);
        let end = format!("{body}{CHECK_KEY}{sum:08x}\"}}\n");
        self.buffer.extend_from_slice(end.as_bytes());
        self.next_seq = self.next_seq.saturating_add(1);
    }

    /// Writes and syncs the buffer. After a failure nothing is written again: the tail of the file is not known.
    fn commit(&mut self) -> bool {
        if self.shared.failed.load(Ordering::Acquire) {
            return false;
        }
        let written = self
            .file
            .write_all(&self.buffer)
            .and_then(|()| self.file.sync_data());
        self.buffer.clear();
        if let Err(error) = &written {
            tracing::error!(%error, "journal write failed: nothing is recorded any more");
        }
        written.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::journal::read;

    fn stopped(reason: &str) -> Record {
        Record::Stopped {
            reason: reason.to_owned(),
        }
    }

    #[test]
    fn what_was_appended_is_read_back_and_goes_on() {
        let directory = tempfile::tempdir().unwrap();
        for session in 0..2 {
            let journal = Journal::open(directory.path(), OsClock::new()).unwrap();
            let path = journal.path().to_owned();
            for index in 0..100 {
                journal
                    .append(stopped(&format!("{session}/{index} \"\\\n\u{e4}")))
                    .unwrap();
            }
            let (sender, receiver) = mpsc::channel();
            journal
                .append_durable(stopped("last"), move |durable| {
                    sender.send(durable).unwrap();
                })
                .unwrap();
            assert!(receiver.recv().unwrap());
            let gauge = journal.gauge(MonoNanos(u64::MAX));
            assert_eq!(
                (gauge.pending, gauge.committed, gauge.failed),
                (0, 101, false)
            );
            assert!(journal.close());
            let contents = read(&path).unwrap();
            assert_eq!(contents.entries.len(), 101 * (session + 1));
            assert_eq!(contents.torn_bytes, 0);
            assert_eq!(contents.entries.last().unwrap().record["reason"], "last");
        }
    }

    #[test]
    fn a_torn_tail_is_cut_and_a_damaged_middle_is_refused() {
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::open(directory.path(), OsClock::new()).unwrap();
        let path = journal.path().to_owned();
        for index in 0..3 {
            journal.append(stopped(&index.to_string())).unwrap();
        }
        assert!(journal.close());
        let whole = std::fs::read(&path).unwrap();
        for cut in 1..whole.len() {
            std::fs::write(&path, &whole[..cut]).unwrap();
            let contents = read(&path).unwrap();
            let lines = whole[..cut].iter().filter(|byte| **byte == b'\n').count();
            assert_eq!(contents.entries.len(), lines, "cut at {cut}");
            assert_eq!(contents.good_bytes + contents.torn_bytes, cut as u64);
        }
        let journal = Journal::open(directory.path(), OsClock::new()).unwrap();
        assert!(journal.torn_bytes() > 0);
        journal.append(stopped("after")).unwrap();
        assert!(journal.close());
        let seqs: Vec<u64> = read(&path)
            .unwrap()
            .entries
            .iter()
            .map(|entry| entry.seq)
            .collect();
        assert_eq!(seqs, [1, 2, 3]);
        let mut flipped = std::fs::read(&path).unwrap();
        flipped[10] ^= 1;
        std::fs::write(&path, flipped).unwrap();
        let error = Journal::open(directory.path(), OsClock::new()).unwrap_err();
        assert!(
            matches!(error, JournalError::Damaged { line: 1, .. }),
            "{error}"
        );
    }

    #[test]
    fn two_writers_cannot_share_a_file() {
        let directory = tempfile::tempdir().unwrap();
        let first = Journal::open(directory.path(), OsClock::new()).unwrap();
        let second = Journal::open(directory.path(), OsClock::new()).unwrap_err();
        assert!(matches!(second, JournalError::InUse(_)), "{second}");
        assert!(first.close());
    }
}
