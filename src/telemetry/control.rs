//! Requests of the control API by result: counted by the web server, exported with the snapshot.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::counters::Counts;

/// Shared by the web server and the exporter; taken at the rate of requests, never by a hot thread.
#[derive(Debug, Default)]
pub struct ControlTally {
    counts: Mutex<Counts>,
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
    /// As counted so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.locked().clone()
    }
}
