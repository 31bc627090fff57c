//! The journal's door: a bounded queue with lanes that leads to the thread that writes.

use std::fs::{File, OpenOptions};
use std::io::{Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;

use crate::clock::{Clock, OsClock};
use crate::priority::{Class, step_back};
use crate::units::MonoNanos;

use super::cursor::Cursor;
use super::error::{JournalError, NotRecorded};
use super::record::{Lane, Record};
use super::segments;
use super::tail::{JournalGauge, Shared, Tail};
use super::thread::{Message, Then, Writer, open_active};

/// Records waiting for the writer. When full, `append` gives the record up and says so.
pub const QUEUE_RECORDS: usize = 8_192;
/// Records that may wait when one of [`Lane::Trade`] is added: a reserve stays for the vital ones.
pub const TRADE_RECORDS: u64 = 7_680;
/// Records that may wait when one of [`Lane::Bulk`] is added.
pub const BULK_RECORDS: u64 = 2_048;
/// Size at which a file is closed and the next one begun.
pub const FILE_BYTES: u64 = 64 << 20;

/// Appends records. Cheap to share behind an `Arc`.
#[derive(Debug)]
pub struct Journal {
    queue: SyncSender<Message>,
    shared: Arc<Shared>,
    clock: OsClock,
    thread: Option<JoinHandle<()>>,
    path: PathBuf,
    directory: PathBuf,
    torn_bytes: u64,
    /// Locked while we write.
    lock: File,
}

impl Journal {
    /// Opens or creates `DIRECTORY/journal.jsonl`, checks what is in it, cuts off a torn write, and starts the writer. Files
    /// of [`FILE_BYTES`] are closed, named by their first record and kept: `journal-FIRST.jsonl`.
    ///
    /// # Errors
    /// [`JournalError`] when the file is damaged, in use, or cannot be opened.
    pub fn open(directory: &Path, clock: OsClock) -> Result<Self, JournalError> {
        Self::with_file_bytes(directory, clock, FILE_BYTES)
    }

    /// [`Journal::open`] with another size of a full file, in bytes.
    ///
    /// # Errors
    /// As [`Journal::open`].
    pub fn with_file_bytes(
        directory: &Path,
        clock: OsClock,
        bytes_max: u64,
    ) -> Result<Self, JournalError> {
        let path = directory.join(segments::ACTIVE);
        let io = segments::io_error;
        std::fs::create_dir_all(directory).map_err(io(directory))?;
        let lock = lock(directory)?;
        let mut file = open_active(directory).map_err(io(&path))?;
        let end = End::of(directory)?;
        file.set_len(end.good_bytes).map_err(io(&path))?;
        file.seek(SeekFrom::Start(end.good_bytes))
            .map_err(io(&path))?;
        let shared = Arc::new(Shared::default());
        let durable = end.next_seq.saturating_sub(1);
        shared.durable_seq.store(durable, Ordering::Release);
        // Nobody may look again: then this one does not grow old.
        shared.set_disk(directory, MonoNanos(0));
        let (queue, messages) = sync_channel(QUEUE_RECORDS);
        let writer = Writer {
            file,
            directory: directory.to_owned(),
            shared: Arc::clone(&shared),
            next_seq: end.next_seq,
            first_seq: end.first_seq,
            bytes: end.good_bytes,
            bytes_max,
            buffer: Vec::new(),
            refused_told: 0,
        };
        let thread = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || {
                step_back(Class::Journal);
                writer.run(&messages);
            })
            .map_err(io(&path))?;
        Ok(Self {
            queue,
            shared,
            clock,
            thread: Some(thread),
            path,
            directory: directory.to_owned(),
            torn_bytes: end.torn_bytes,
            lock,
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

    /// For a reader that follows: what is on disk, and where.
    #[must_use]
    pub fn tail(&self) -> Tail {
        Tail {
            shared: Arc::clone(&self.shared),
            directory: self.directory.clone(),
        }
    }

    /// Queues a record; it will be on disk within a group commit.
    ///
    /// # Errors
    /// [`NotRecorded`] when its lane is full or a write has failed; counted, and told by a record of its own.
    pub fn append(&self, record: Record) -> Result<(), NotRecorded> {
        self.send(record, None)
    }

    /// Queues a record and calls `then` on the writer's thread once it is on disk (`true`), or never will be (`false`).
    /// `then` must only pass the news on.
    ///
    /// # Errors
    /// [`NotRecorded`] when its lane is full or a write has failed; `then` is not called.
    pub fn append_durable(
        &self,
        record: Record,
        then: impl FnOnce(bool) + Send + 'static,
    ) -> Result<(), NotRecorded> {
        self.send(record, Some(Box::new(then)))
    }

    fn send(&self, record: Record, then: Option<Then>) -> Result<(), NotRecorded> {
        let refused = |why| {
            self.shared.refused.fetch_add(1, Ordering::AcqRel);
            Err(why)
        };
        if self.shared.failed.load(Ordering::Acquire) {
            return refused(NotRecorded::Failed);
        }
        let is_full = match record.lane() {
            Lane::Vital => false,
            Lane::Trade => self.shared.pending() >= TRADE_RECORDS,
            Lane::Bulk => self.shared.pending() >= BULK_RECORDS,
        };
        if is_full {
            return refused(NotRecorded::Full);
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
        JournalGauge::of(&self.shared, now)
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
            // Not left to closing the file: a child process that is just being made holds a copy of it for a moment.
            if let Err(error) = self.lock.unlock() {
                tracing::error!(%error, "the journal's lock could not be given back");
            }
        }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        self.end();
    }
}

/// Where a journal that exists goes on.
struct End {
    next_seq: u64,
    first_seq: u64,
    good_bytes: u64,
    torn_bytes: u64,
}

impl End {
    /// Reads and checks the active file and the part before it; still older parts are `arbalest audit verify`'s.
    fn of(directory: &Path) -> Result<Self, JournalError> {
        let files = segments::list(directory)?;
        let older = files.iter().rev().find(|file| !file.is_active);
        let active = files.iter().find(|file| file.is_active);
        let active_first = active.and_then(|file| file.first_seq);
        let from = older.and_then(|file| file.first_seq).or(active_first);
        let mut cursor = Cursor::new(directory, from.unwrap_or(1));
        while cursor.next()?.is_some() {}
        let (good_bytes, torn_bytes) = cursor.bytes();
        Ok(Self {
            next_seq: cursor.next_seq(),
            first_seq: active_first.unwrap_or(cursor.next_seq()),
            good_bytes,
            torn_bytes,
        })
    }
}

fn lock(directory: &Path) -> Result<File, JournalError> {
    let path = directory.join(segments::LOCK);
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .map_err(segments::io_error(&path))?;
    file.try_lock().map_err(|error| match error {
        std::fs::TryLockError::WouldBlock => JournalError::InUse(directory.join(segments::ACTIVE)),
        std::fs::TryLockError::Error(source) => JournalError::Io {
            path: path.clone(),
            source,
        },
    })?;
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;
    use crate::journal::{Cursor, read};

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
    fn full_files_are_kept_and_read_as_one_journal() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal.jsonl");
        let mut tail_cursor = Cursor::new(directory.path(), 1);
        for session in 0..3_u64 {
            let journal = Journal::with_file_bytes(directory.path(), OsClock::new(), 700).unwrap();
            let tail = journal.tail();
            assert_eq!(tail.durable_seq(), session * 40);
            for index in 0..40 {
                let (sender, receiver) = mpsc::channel();
                let text = format!("{session}/{index}");
                journal
                    .append_durable(stopped(&text), move |_| sender.send(()).unwrap())
                    .unwrap();
                receiver.recv().unwrap();
                // A reader that follows sees each record once, over the files' borders.
                let line = tail_cursor.next().unwrap().unwrap();
                assert_eq!(line.seq, session * 40 + index + 1);
                assert_eq!(line.record()["reason"], text);
            }
            assert_eq!(tail_cursor.next().unwrap(), None);
            assert!(journal.close());
        }
        let seqs: Vec<u64> = read(&path).unwrap().entries.iter().map(|e| e.seq).collect();
        assert_eq!(seqs, (1..=120).collect::<Vec<_>>());
        for from in 1..=121 {
            let mut cursor = Cursor::new(directory.path(), from);
            let first = cursor.next().unwrap().map(|line| line.seq);
            assert_eq!(first, (from <= 120).then_some(from));
        }
        // A part that is lost is named, by reader and writer.
        let parts = segments::list(directory.path()).unwrap();
        assert!(parts.len() > 10);
        let gone = &parts[parts.len() - 3];
        std::fs::rename(&gone.path, directory.path().join("elsewhere")).unwrap();
        let error = read(&path).unwrap_err();
        assert!(
            matches!(error, JournalError::Missing { seq, .. } if Some(seq) == gone.first_seq),
            "{error}"
        );
    }

    #[test]
    fn an_older_part_that_is_cut_is_damage() {
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::with_file_bytes(directory.path(), OsClock::new(), 1).unwrap();
        for index in 0..4 {
            let (sender, receiver) = mpsc::channel();
            journal
                .append_durable(stopped(&index.to_string()), move |_| {
                    sender.send(()).unwrap();
                })
                .unwrap();
            receiver.recv().unwrap();
        }
        assert!(journal.close());
        let part = segments::archived(directory.path(), 4);
        let whole = std::fs::read(&part).unwrap();
        for cut in 0..whole.len() {
            std::fs::write(&part, &whole[..cut]).unwrap();
            let opened = Journal::open(directory.path(), OsClock::new());
            let error = opened.unwrap_err();
            assert!(
                matches!(error, JournalError::Damaged { .. }),
                "{cut}: {error}"
            );
        }
    }

    #[test]
    fn figures_never_crowd_out_a_close_and_what_was_given_up_is_told() {
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::open(directory.path(), OsClock::new()).unwrap();
        // The writer is held inside a callback, so nothing leaves the queue.
        let (hold, held) = mpsc::channel::<()>();
        let (entered, is_in) = mpsc::channel();
        journal
            .append_durable(stopped("held"), move |_| {
                entered.send(()).unwrap();
                held.recv().unwrap();
            })
            .unwrap();
        is_in.recv().unwrap();
        let bulk = || Record::Refusals { rows: Vec::new() };
        let trade = || {
            Record::Cancel(crate::journal::rows::CancelRecord {
                client_order_id: None,
                venue: "v".to_owned(),
                symbol: "s".to_owned(),
            })
        };
        let until_refused = |make: &dyn Fn() -> Record| {
            (0_u64..)
                .find(|_| journal.append(make()).is_err())
                .unwrap_or(0)
        };
        assert_eq!(until_refused(&bulk), BULK_RECORDS);
        assert_eq!(until_refused(&trade), TRADE_RECORDS - BULK_RECORDS);
        let reserve = QUEUE_RECORDS as u64 - TRADE_RECORDS;
        assert_eq!(until_refused(&|| stopped("vital")), reserve);
        hold.send(()).unwrap();
        let path = journal.path().to_owned();
        assert!(journal.close());
        let entries = read(&path).unwrap().entries;
        let told: Vec<_> = entries
            .iter()
            .filter(|entry| entry.record["kind"] == "not_recorded")
            .map(|entry| entry.record["count"].as_u64().unwrap())
            .collect();
        assert_eq!(told, [3]);
        assert_eq!(entries.len() as u64, 1 + QUEUE_RECORDS as u64 + 1);
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
