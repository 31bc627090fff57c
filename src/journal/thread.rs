//! The thread that writes: groups of lines with one `fsync` each, and a new file when one is full.

use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::sync::mpsc::Receiver;

use crate::units::MonoNanos;

use super::line;
use super::record::Record;
use super::segments;
use super::tail::Shared;

/// Most records in one group.
const GROUP_RECORDS_MAX: u64 = 1_024;

pub(super) type Then = Box<dyn FnOnce(bool) + Send>;

pub(super) enum Message {
    Append {
        record: Box<Record>,
        at: MonoNanos,
        time_ns: i64,
        then: Option<Then>,
    },
    Stop,
}

/// Opens the active file, made if it is not there, for its owner alone.
pub(super) fn open_active(directory: &Path) -> std::io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(directory.join(segments::ACTIVE))?;
    sync_names(directory)?;
    Ok(file)
}

/// The name of a new file must survive a crash as well.
fn sync_names(directory: &Path) -> std::io::Result<()> {
    File::open(directory)?.sync_all()
}

pub(super) struct Writer {
    pub(super) file: File,
    pub(super) directory: PathBuf,
    pub(super) shared: Arc<Shared>,
    pub(super) next_seq: u64,
    /// Number of the active file's first record.
    pub(super) first_seq: u64,
    /// Size of the active file.
    pub(super) bytes: u64,
    /// A file of this size is closed and a new one begun.
    pub(super) bytes_max: u64,
    pub(super) buffer: Vec<u8>,
    /// Records given up that the journal itself already tells of.
    pub(super) refused_told: u64,
}

impl Writer {
    pub(super) fn run(mut self, messages: &Receiver<Message>) {
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
                        self.tell_refused(time_ns);
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
                let durable = self.next_seq.saturating_sub(1);
                self.shared.durable_seq.store(durable, Ordering::Release);
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

    /// Records that were given up leave a mark, so that nobody takes the journal for complete.
    fn tell_refused(&mut self, time_ns: i64) {
        let refused = self.shared.refused.load(Ordering::Acquire);
        let count = refused.saturating_sub(self.refused_told);
        if count > 0 {
            self.refused_told = refused;
            self.encode(&Record::NotRecorded { count }, time_ns);
        }
    }

    /// Appends one line to the buffer.
    fn encode(&mut self, record: &Record, time_ns: i64) {
        if line::encode(self.next_seq, time_ns, record, &mut self.buffer) {
            self.next_seq = self.next_seq.saturating_add(1);
        } else {
            self.shared.failed.store(true, Ordering::Release);
        }
    }

    /// Writes and syncs the buffer. After a failure nothing is written again: the tail of the file is not known.
    fn commit(&mut self) -> bool {
        if self.shared.failed.load(Ordering::Acquire) {
            return false;
        }
        let size = u64::try_from(self.buffer.len()).unwrap_or(u64::MAX);
        let written = self
            .file
            .write_all(&self.buffer)
            .and_then(|()| self.file.sync_data())
            .and_then(|()| {
                self.bytes = self.bytes.saturating_add(size);
                self.rotate_if_full()
            });
        self.buffer.clear();
        if let Err(error) = &written {
            tracing::error!(%error, "journal write failed: nothing is recorded any more");
        }
        written.is_ok()
    }

    /// Gives a full file its number as a name and begins a new one.
    fn rotate_if_full(&mut self) -> std::io::Result<()> {
        if self.bytes < self.bytes_max {
            return Ok(());
        }
        let active = self.directory.join(segments::ACTIVE);
        std::fs::rename(active, segments::archived(&self.directory, self.first_seq))?;
        self.file = open_active(&self.directory)?;
        self.bytes = 0;
        self.first_seq = self.next_seq;
        Ok(())
    }
}
