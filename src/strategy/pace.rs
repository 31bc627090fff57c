//! How often something happened within a sliding span: the runaway guard and the broken-set breaker.

use std::collections::VecDeque;

use crate::capacity::RATE_WINDOW_MAX;
use crate::units::{MonoNanos, Nanos};

/// The instants of the last events, never more than [`RATE_WINDOW_MAX`]; allocates once, when it is made.
#[derive(Debug, Clone)]
pub struct Pace {
    at: VecDeque<MonoNanos>,
    span: Nanos,
}

impl Pace {
    /// An empty window of `span`.
    #[must_use]
    pub fn new(span: Nanos) -> Self {
        Self {
            at: VecDeque::with_capacity(RATE_WINDOW_MAX),
            span,
        }
    }
    /// Events within the span before `now`. An event exactly one span old no longer counts.
    pub fn count(&mut self, now: MonoNanos) -> u32 {
        while self
            .at
            .front()
            .is_some_and(|at| now.since(*at) >= self.span)
        {
            self.at.pop_front();
        }
        u32::try_from(self.at.len()).unwrap_or(u32::MAX)
    }
    /// Counts one event. When the window is full the oldest is dropped, so the count stays at its maximum.
    pub fn push(&mut self, now: MonoNanos) {
        if self.at.len() >= RATE_WINDOW_MAX {
            self.at.pop_front();
        }
        self.at.push_back(now);
    }
    /// Takes the newest event back.
    pub fn undo(&mut self) {
        self.at.pop_back();
    }
    /// Forgets everything.
    pub fn clear(&mut self) {
        self.at.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_within_the_span() {
        let mut pace = Pace::new(Nanos(100));
        for at in [0, 10, 99] {
            pace.push(MonoNanos(at));
        }
        assert_eq!(pace.count(MonoNanos(99)), 3);
        assert_eq!(pace.count(MonoNanos(100)), 2);
        assert_eq!(
            pace.count(MonoNanos(50)),
            2,
            "time running back forgets nothing more"
        );
        for _ in 0..RATE_WINDOW_MAX * 2 {
            pace.push(MonoNanos(120));
        }
        assert_eq!(
            pace.count(MonoNanos(120)),
            u32::try_from(RATE_WINDOW_MAX).unwrap()
        );
    }
}
