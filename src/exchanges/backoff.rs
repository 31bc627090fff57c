//! How long to wait before trying again: doubling, capped, jittered.

use crate::prng::Prng;
use crate::units::Nanos;

/// Waits `first`, twice that, and so on up to `cap`, each shortened by up to half by chance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Backoff {
    first: Nanos,
    cap: Nanos,
    attempts: u32,
}

impl Backoff {
    /// Nothing tried yet.
    #[must_use]
    pub const fn new(first: Nanos, cap: Nanos) -> Self {
        Self {
            first,
            cap,
            attempts: 0,
        }
    }

    /// The wait before the next attempt; counts one.
    pub fn next(&mut self, prng: &mut Prng) -> Nanos {
        let factor = 1_u64.checked_shl(self.attempts.min(62)).unwrap_or(u64::MAX);
        let full = self.first.0.saturating_mul(factor).min(self.cap.0);
        self.attempts = self.attempts.saturating_add(1);
        Nanos(full - prng.below(full.div_euclid(2).saturating_add(1)))
    }

    /// It worked: the next wait is the first again.
    pub const fn reset(&mut self) {
        self.attempts = 0;
    }

    /// How often it was tried in a row.
    #[must_use]
    pub const fn attempts(&self) -> u32 {
        self.attempts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_to_the_cap_with_jitter() {
        let mut prng = Prng::new(3);
        let (first, cap) = (Nanos::from_millis(100), Nanos::from_secs(5));
        let mut backoff = Backoff::new(first, cap);
        for attempt in 0..200_u32 {
            let full = first.0.saturating_mul(1 << attempt.min(20)).min(cap.0);
            let wait = backoff.next(&mut prng).0;
            assert!(
                wait <= full && wait * 2 >= full,
                "attempt {attempt}: {wait} of {full}"
            );
        }
        assert_eq!(backoff.attempts(), 200);
        backoff.reset();
        assert!(backoff.next(&mut prng) <= first);
        let waits: std::collections::BTreeSet<u64> = (0..50)
            .map(|_| Backoff::new(first, cap).next(&mut prng).0)
            .collect();
        assert!(waits.len() > 40, "jitter spreads");
    }

    #[test]
    fn zero_waits_are_allowed() {
        let mut backoff = Backoff::new(Nanos::ZERO, Nanos::ZERO);
        assert_eq!(backoff.next(&mut Prng::new(1)), Nanos::ZERO);
    }
}
