//! Requests of the control API by result: counted by the web server, exported with the snapshot.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::counters::Counts;

/// Shared by the web server and the exporter; taken at the rate of requests, never by a hot thread.
#[derive(Debug, Default)]
pub struct ControlTally {
    counts: Mutex<Counts>,
    delayed: AtomicU64,
    crowded: AtomicU64,
}

impl ControlTally {
    fn locked(&self) -> MutexGuard<'_, Counts> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }
    /// Every result at zero.
    pub fn expect(&self, results: &[&'static str]) {
        results
            .iter()
            .for_each(|result| self.locked().add(result, 0));
    }
    /// One more.
    pub fn count(&self, result: &'static str) {
        self.locked().increment(result);
    }
    /// One more refusal that waited before its answer.
    pub fn count_delayed(&self) {
        self.delayed.fetch_add(1, Ordering::Relaxed);
    }
    /// One more refusal whose connection was closed without the answer, because too many waited.
    pub fn count_crowded(&self) {
        self.crowded.fetch_add(1, Ordering::Relaxed);
    }
    /// Refusals that waited.
    #[must_use]
    pub fn delayed(&self) -> u64 {
        self.delayed.load(Ordering::Relaxed)
    }
    /// Refusals that found too many waiting.
    #[must_use]
    pub fn crowded(&self) -> u64 {
        self.crowded.load(Ordering::Relaxed)
    }
    /// As counted so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.locked().clone()
    }
}
