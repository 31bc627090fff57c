//! What the journal's writer shares: counters for the metrics, and how far the files are safe to read.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use crate::units::{MonoNanos, Nanos};

/// Counters that the writer and its callers share.
#[derive(Debug, Default)]
pub(super) struct Shared {
    pub(super) appended: AtomicU64,
    pub(super) committed: AtomicU64,
    pub(super) refused: AtomicU64,
    /// When the oldest record of the group being written was appended; zero when idle.
    pub(super) oldest_at: AtomicU64,
    pub(super) failed: AtomicBool,
    /// Number of the last record that is on disk.
    pub(super) durable_seq: AtomicU64,
    /// Free bytes of the disk when it was last looked at; [`UNTOLD`] is not known.
    disk_free: AtomicU64,
    /// When that was; zero when it was never looked at again.
    disk_looked_at: AtomicU64,
}

/// The system did not say.
const UNTOLD: u64 = u64::MAX;
/// A disk that did not answer for this long: what was free is not known any more.
const DISK_AGE_MAX: Nanos = Nanos::from_secs(10);

impl Shared {
    /// Looks at the free space; may take as long as the disk does.
    pub(super) fn set_disk(&self, directory: &Path, now: MonoNanos) {
        let free = disk_free_bytes(directory).unwrap_or(UNTOLD);
        self.disk_free.store(free, Ordering::Relaxed);
        self.disk_looked_at.store(now.0, Ordering::Release);
    }
    fn disk_free(&self, now: MonoNanos) -> Option<u64> {
        let looked_at = self.disk_looked_at.load(Ordering::Acquire);
        let free = self.disk_free.load(Ordering::Relaxed);
        let is_old = looked_at != 0 && now.since(MonoNanos(looked_at)) > DISK_AGE_MAX;
        (free != UNTOLD && !is_old).then_some(free)
    }
    /// Records that are queued or being written.
    pub(super) fn pending(&self) -> u64 {
        let committed = self.committed.load(Ordering::Acquire);
        self.appended
            .load(Ordering::Acquire)
            .saturating_sub(committed)
    }
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
    pub lag: Nanos,
    /// True when a write failed: nothing is recorded any more.
    pub failed: bool,
    /// Free bytes on its disk for us; `None` when the system does not say.
    pub disk_free_bytes: Option<u64>,
}

impl JournalGauge {
    pub(super) fn of(shared: &Shared, now: MonoNanos) -> Self {
        let oldest = shared.oldest_at.load(Ordering::Acquire);
        Self {
            pending: shared.pending(),
            committed: shared.committed.load(Ordering::Acquire),
            refused: shared.refused.load(Ordering::Relaxed),
            lag: match oldest {
                0 => Nanos::ZERO,
                oldest => now.since(MonoNanos(oldest)),
            },
            failed: shared.failed.load(Ordering::Acquire),
            disk_free_bytes: shared.disk_free(now),
        }
    }
}

/// Free bytes for an unprivileged process on the disk of a directory; `None` when the system does not say.
#[must_use]
pub fn disk_free_bytes(directory: &Path) -> Option<u64> {
    let disk = rustix::fs::statvfs(directory).ok()?;
    disk.f_bavail.checked_mul(disk.f_frsize)
}

/// Tells a reader in the same process how far the files are on disk. What is not yet synced may vanish in a power cut and
/// its number be given to another record, so nobody may remember it.
#[derive(Debug, Clone)]
pub struct Tail {
    pub(super) shared: Arc<Shared>,
    pub(super) directory: PathBuf,
}

impl Tail {
    /// Where the files are.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }
    /// Asks the system how much is free, for the gauge. May take as long as the disk does.
    pub fn look_at_disk(&self, now: MonoNanos) {
        self.shared.set_disk(&self.directory, now);
    }
    /// Number of the last record that is on disk; 0 when there is none.
    #[must_use]
    pub fn durable_seq(&self) -> u64 {
        self.shared.durable_seq.load(Ordering::Acquire)
    }
}
