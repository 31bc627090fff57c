//! What time it is: the only file that reads a clock.
//!
//! Rooms that decide never call this; their shells read once at the top of a duty cycle and pass `now` down.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

use crate::units::{MonoNanos, Nanos, UnixNanos};

/// Reads monotonic and wall time.
pub trait Clock {
    /// Our monotonic instant.
    fn now(&self) -> MonoNanos;
    /// The wall instant.
    fn now_unix(&self) -> UnixNanos;
}

/// The machine's clocks: the time stamp counter for monotonic time, the OS for wall time.
///
/// Clones share the origin, so instants of all clones compare.
#[derive(Debug, Clone)]
pub struct OsClock {
    clock: quanta::Clock,
    origin: u64,
}

impl Default for OsClock {
    fn default() -> Self {
        Self::new()
    }
}

impl OsClock {
    /// A clock whose monotonic origin is one hour before now, so that early instants subtract safely.
    #[must_use]
    pub fn new() -> Self {
        let clock = quanta::Clock::new();
        let origin = clock.raw();
        Self { clock, origin }
    }
}

const ORIGIN_LEAD: Nanos = Nanos::from_secs(3_600);

impl Clock for OsClock {
    #[inline]
    fn now(&self) -> MonoNanos {
        MonoNanos(self.clock.delta_as_nanos(self.origin, self.clock.raw())).after(ORIGIN_LEAD)
    }

    #[expect(
        clippy::disallowed_methods,
        reason = "this file is where wall time is read"
    )]
    fn now_unix(&self) -> UnixNanos {
        let since = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap_or_default();
        UnixNanos(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
    }
}

/// A clock that stands still until it is moved: simulation and tests. Clones share the time.
#[derive(Debug, Clone)]
pub struct ManualClock {
    shared: Arc<(AtomicU64, AtomicI64)>,
}

impl ManualClock {
    /// Starts at the given wall instant; monotonic time starts at one hour.
    #[must_use]
    pub fn new(start: UnixNanos) -> Self {
        Self {
            shared: Arc::new((AtomicU64::new(ORIGIN_LEAD.0), AtomicI64::new(start.0))),
        }
    }
    /// Moves both clocks ahead.
    pub fn advance(&self, span: Nanos) {
        self.shared.0.fetch_add(span.0, Ordering::Relaxed);
        self.shared
            .1
            .fetch_add(i64::try_from(span.0).unwrap_or(i64::MAX), Ordering::Relaxed);
    }
    /// Moves both clocks ahead to a wall instant; never back.
    pub fn advance_to(&self, instant: UnixNanos) {
        let gap = instant.signed_since(self.now_unix());
        if let Ok(gap) = u64::try_from(gap) {
            self.advance(Nanos(gap));
        }
    }
}

impl Clock for ManualClock {
    fn now(&self) -> MonoNanos {
        MonoNanos(self.shared.0.load(Ordering::Relaxed))
    }
    fn now_unix(&self) -> UnixNanos {
        UnixNanos(self.shared.1.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn manual_time_moves_only_ahead() {
        let clock = ManualClock::new(UnixNanos(1_000));
        let before = clock.now();
        clock.advance_to(UnixNanos(4_000));
        clock.advance_to(UnixNanos(2_000));
        assert_eq!(clock.now_unix(), UnixNanos(4_000));
        assert_eq!(clock.now().since(before), Nanos(3_000));
    }

    #[test]
    fn os_time_does_not_run_back() {
        let clock = OsClock::new();
        let twin = clock.clone();
        let (first, second) = (clock.now(), twin.now());
        assert!(second >= first && clock.now() >= second);
    }
}
