//! One WebSocket connection as its machine sees it: down, opening or open, when to rotate, how long to wait.

use crate::exchanges::backoff::Backoff;
use crate::prng::Prng;
use crate::units::{MonoNanos, Nanos};

/// First wait after a loss.
const WAIT_FIRST: Nanos = Nanos::from_millis(250);
/// Longest wait. The venue allows 300 attempts in five minutes an address; this is 10.
const WAIT_MAX: Nanos = Nanos::from_secs(30);
/// An open connection of that age proves that the trouble is over.
const STABLE_AFTER: Nanos = Nanos::from_secs(60);

/// An attempt takes no longer, its wait not counted.
const OPEN_WITHIN: Nanos = Nanos::from_secs(20);

/// State of the connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum LineState {
    /// Not asked for.
    Down,
    /// Asked for; given up when not open by then.
    Opening(MonoNanos),
    /// Open since.
    Open(MonoNanos),
}

/// One connection.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) state: LineState,
    backoff: Backoff,
    prng: Prng,
}

impl Line {
    pub(super) const fn new(prng: Prng) -> Self {
        Self {
            state: LineState::Down,
            backoff: Backoff::new(WAIT_FIRST, WAIT_MAX),
            prng,
        }
    }
    pub(super) const fn is_open(&self) -> bool {
        matches!(self.state, LineState::Open(_))
    }
    /// When it was opened; `None` while it is not.
    pub(super) const fn opened_at(&self) -> Option<MonoNanos> {
        match self.state {
            LineState::Open(since) => Some(since),
            LineState::Down | LineState::Opening(_) => None,
        }
    }
    /// How long it is open.
    pub(super) const fn age(&self, now: MonoNanos) -> Option<Nanos> {
        match self.state {
            LineState::Open(since) => Some(now.since(since)),
            LineState::Down | LineState::Opening(_) => None,
        }
    }
    /// It was lost or could not be made: how long to wait before the next attempt (doubling, capped, jittered by half).
    pub(super) fn lost(&mut self, now: MonoNanos) -> Nanos {
        if self.age(now).is_some_and(|age| age >= STABLE_AFTER) {
            self.backoff.reset();
        }
        let wait = self.wait();
        self.state = opening(now, wait);
        wait
    }
    /// True when the attempt takes too long: its shell never answered.
    pub(super) fn is_overdue(&self, now: MonoNanos) -> bool {
        matches!(self.state, LineState::Opening(by) if now >= by)
    }
    /// The next wait.
    pub(super) fn wait(&mut self) -> Nanos {
        self.backoff.next(&mut self.prng)
    }
}

/// An attempt that begins after a wait.
pub(super) const fn opening(now: MonoNanos, wait: Nanos) -> LineState {
    LineState::Opening(now.after(wait).after(OPEN_WITHIN))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_are_capped_and_forgiven() {
        let mut line = Line::new(Prng::new(1));
        let first = line.lost(MonoNanos(0));
        assert!(first >= Nanos::from_millis(125) && first <= WAIT_FIRST);
        let mut last = first;
        for _ in 0..40 {
            last = line.lost(MonoNanos(0));
            assert!(last <= WAIT_MAX);
        }
        assert!(last >= Nanos::from_secs(15));
        line.state = LineState::Open(MonoNanos(0));
        assert!(line.lost(MonoNanos(0).after(STABLE_AFTER)) <= WAIT_FIRST);
    }
}
