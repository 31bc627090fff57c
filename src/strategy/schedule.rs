//! Times of day without new sets.

use crate::units::{MonoNanos, Nanos, UnixNanos};

use super::params::DaySpan;
use super::signal::Pass;

const DAY: i64 = 24 * 3_600 * 1_000_000_000;

/// The spans of one strategy, and what time of day it is.
#[derive(Debug, Clone, Default)]
pub struct Blackout {
    spans: Vec<DaySpan>,
    /// Wall instant at zero of our clock; `None` until told.
    zero: Option<UnixNanos>,
}

impl Blackout {
    /// Of the given spans.
    #[must_use]
    pub const fn new(spans: Vec<DaySpan>) -> Self {
        Self { spans, zero: None }
    }
    /// Tells the wall instant at zero of our clock.
    pub const fn on_clock(&mut self, zero: UnixNanos) {
        self.zero = Some(zero);
    }
    /// Refuses within a span, and always when there are spans but nobody told the time.
    ///
    /// # Errors
    /// [`Pass::Blackout`] with the time until the span ends.
    pub fn check(&self, now: MonoNanos) -> Result<(), Pass> {
        if self.spans.is_empty() {
            return Ok(());
        }
        let Some(zero) = self.zero else {
            let remaining = Nanos(u64::MAX);
            return Err(Pass::Blackout { remaining });
        };
        let time = zero.after(Nanos(now.0)).0.rem_euclid(DAY);
        for span in &self.spans {
            let (from, to) = (within_day(span.from), within_day(span.to));
            let length = (to - from).rem_euclid(DAY);
            let passed = (time - from).rem_euclid(DAY);
            if passed < length {
                let remaining = Nanos(u64::try_from(length - passed).unwrap_or(0));
                return Err(Pass::Blackout { remaining });
            }
        }
        Ok(())
    }
}

fn within_day(span: Nanos) -> i64 {
    i64::try_from(span.0).unwrap_or(0).rem_euclid(DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: u64 = 3_600_000_000_000;

    #[test]
    fn spans_hold_their_begin_and_go_over_midnight() {
        let hours = |from: u64, to: u64| DaySpan {
            from: Nanos(from * HOUR),
            to: Nanos(to * HOUR),
        };
        let mut blackout = Blackout::new(vec![hours(8, 9), hours(23, 1)]);
        assert_eq!(
            blackout.check(MonoNanos(0)),
            Err(Pass::Blackout {
                remaining: Nanos(u64::MAX)
            }),
            "nobody told the time"
        );
        // Our clock began at 05:00 of some day.
        blackout.on_clock(UnixNanos(20_000 * DAY + 5 * 3_600_000_000_000));
        let at = |hours: u64| blackout.check(MonoNanos(hours * HOUR));
        assert_eq!(at(2), Ok(()));
        let remaining = Nanos(HOUR);
        assert_eq!(at(3), Err(Pass::Blackout { remaining }), "08:00");
        assert_eq!(at(4), Ok(()), "09:00 is out");
        assert_eq!(at(19), Err(Pass::Blackout { remaining }), "midnight");
        assert_eq!(at(20), Ok(()), "01:00");
        let remaining = Nanos(2 * HOUR);
        assert_eq!(
            at(18 + 24),
            Err(Pass::Blackout { remaining }),
            "23:00 next day"
        );
        assert_eq!(Blackout::default().check(MonoNanos(0)), Ok(()));
    }
}
