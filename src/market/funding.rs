//! Funding of a perpetual as its venue tells it: rate, next instant, and the interval between two instants.

use crate::units::{MonoNanos, Nanos};

/// Two marks further apart may have missed a funding between them: nothing is learned from them.
const STEP_HEARD_WITHIN: Nanos = Nanos::from_secs(60);
/// A next instant that moved by less is the same one: our clock and the venue's drift apart.
const STEP_MIN: Nanos = Nanos::from_secs(60);
const MINUTE: u64 = Nanos::from_secs(60).0;

/// The venue's word on the running funding interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Funding {
    /// Rate that will be paid at `next_at` for one interval, parts per billion of the position; positive: long pays short.
    pub rate_ppb: i64,
    /// When it is paid, on our clock; `None` when the venue named no instant.
    pub next_at: Option<MonoNanos>,
    /// When the venue said so.
    pub told_at: MonoNanos,
    /// Time between two fundings, in whole minutes; `None` until the next instant was seen to move on.
    pub interval: Option<Nanos>,
}

impl Funding {
    /// What one mark message says.
    #[must_use]
    pub const fn new(rate_ppb: i64, next_at: Option<MonoNanos>, told_at: MonoNanos) -> Self {
        Self {
            rate_ppb,
            next_at,
            told_at,
            interval: None,
        }
    }

    /// The same with what the message before it teaches about the interval.
    #[must_use]
    pub fn after(mut self, before: Option<Self>) -> Self {
        let Some(before) = before else {
            return self;
        };
        self.interval = before.interval;
        if let (Some(last), Some(next)) = (before.next_at, self.next_at)
            && self.told_at.since(before.told_at) <= STEP_HEARD_WITHIN
            && next.since(last) >= STEP_MIN
        {
            let minutes = next
                .since(last)
                .0
                .saturating_add(MINUTE.div_euclid(2))
                .div_euclid(MINUTE);
            self.interval = Some(Nanos(minutes.saturating_mul(MINUTE)));
        }
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000_000_000;

    fn told(at: u64, next: u64) -> Funding {
        Funding::new(100_000, Some(MonoNanos(next)), MonoNanos(at))
    }

    #[test]
    fn the_interval_is_what_the_next_instant_moved_by() {
        let one = told(HOUR - 5, HOUR);
        assert_eq!(one.after(None).interval, None);
        // Four hours on, and some milliseconds of drift between the clocks.
        let two = told(HOUR + 1, 5 * HOUR + 7_000_000).after(Some(one));
        assert_eq!(two.interval, Some(Nanos(4 * HOUR)));
        let three = told(HOUR + 2, 5 * HOUR + 9_000_000).after(Some(two));
        assert_eq!(three.interval, Some(Nanos(4 * HOUR)), "kept");
    }

    #[test]
    fn silence_over_a_funding_teaches_nothing() {
        let one = told(HOUR, 2 * HOUR);
        let two = told(HOUR + 61_000_000_000, 6 * HOUR).after(Some(one));
        assert_eq!(two.interval, None);
    }
}
