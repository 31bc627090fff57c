//! What the server remembers between requests: used nonces, wrong signatures, and how often each name asks. Pure and bounded.
//!
//! Names are those of the tokens file, and one place stands for all unknown names: nothing grows with what an attacker sends.

use std::collections::{BTreeSet, VecDeque};

/// A request is good this long before and after its time, ms.
pub(super) const WINDOW_MS: i64 = 30_000;
/// Requests a second and name in the long run.
pub(super) const RATE_PER_S: i64 = 20;
/// Requests of a name at once.
pub(super) const BURST: i64 = 40;
/// Wrong signatures in a row until a name is locked.
pub(super) const FAILURES_MAX: u32 = 5;
/// First lock, ms; each further wrong signature doubles it.
const LOCK_MS: i64 = 1_000;
/// Longest lock, ms.
const LOCK_MS_MAX: i64 = 60_000;
/// Nonces a name can use up while they are remembered: the rate lets no more through.
const NONCES_MAX: usize = 2_048;

const _: () = assert!(
    (BURST + RATE_PER_S * 60) * 1_000 < 2_048_000 && WINDOW_MS == 30_000,
    "Invariant: the rate limit is met before the nonce store is full"
);

/// One name.
#[derive(Debug, Clone, Default)]
struct Memory {
    failures: u32,
    locked_until_ms: i64,
    /// Thousandths of a request that may still be made now.
    tokens: i64,
    filled_at_ms: i64,
    nonces: BTreeSet<[u8; 16]>,
    /// When each may be forgotten, in order of arrival.
    order: VecDeque<(i64, [u8; 16])>,
}

/// Why a signed request is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Distrust {
    /// Too often.
    Rate,
    /// Used.
    Replay,
}

/// Memory of every name.
#[derive(Debug, Clone)]
pub(super) struct Guard {
    names: Vec<Memory>,
    unknown: Memory,
    started_ms: i64,
}

impl Guard {
    /// Nothing happened yet. `now_ms` since 1970: what was signed before is refused, because its nonce may be forgotten.
    #[must_use]
    pub(super) fn new(names: usize, now_ms: i64) -> Self {
        let fresh = Memory {
            tokens: BURST * 1_000,
            filled_at_ms: now_ms,
            ..Memory::default()
        };
        Self {
            names: vec![fresh.clone(); names],
            unknown: fresh,
            started_ms: now_ms,
        }
    }

    fn memory(&mut self, name: Option<usize>) -> &mut Memory {
        match name {
            Some(index) => self.names.get_mut(index).unwrap_or(&mut self.unknown),
            None => &mut self.unknown,
        }
    }

    /// Seconds that a name is still locked, rounded up.
    pub(super) fn locked_seconds(&mut self, name: Option<usize>, now_ms: i64) -> Option<u64> {
        let left = self.memory(name).locked_until_ms.saturating_sub(now_ms);
        (left > 0).then(|| u64::try_from(left).unwrap_or(0).div_ceil(1_000))
    }

    /// A wrong signature: from the fifth in a row the name is locked, doubling up to a minute.
    pub(super) fn failed(&mut self, name: Option<usize>, now_ms: i64) {
        let memory = self.memory(name);
        memory.failures = memory.failures.saturating_add(1);
        if let Some(doublings) = memory.failures.checked_sub(FAILURES_MAX) {
            let span = LOCK_MS
                .saturating_mul(1_i64 << doublings.min(16))
                .min(LOCK_MS_MAX);
            memory.locked_until_ms = now_ms.saturating_add(span);
        }
    }

    /// Whether a time is near enough to now, and not of an earlier process.
    #[must_use]
    pub(super) const fn is_timely(&self, time_ms: i64, now_ms: i64) -> bool {
        now_ms.saturating_sub(time_ms).unsigned_abs() <= WINDOW_MS.unsigned_abs()
            && time_ms >= self.started_ms
    }

    /// A right signature in time: takes its nonce.
    ///
    /// # Errors
    /// [`Distrust`]
    pub(super) fn accept(
        &mut self,
        name: usize,
        nonce: [u8; 16],
        now_ms: i64,
    ) -> Result<(), Distrust> {
        let memory = self.memory(Some(name));
        memory.failures = 0;
        memory.locked_until_ms = 0;
        let elapsed = now_ms.saturating_sub(memory.filled_at_ms).max(0);
        memory.filled_at_ms = now_ms;
        memory.tokens = memory
            .tokens
            .saturating_add(elapsed.saturating_mul(RATE_PER_S))
            .min(BURST * 1_000);
        if memory.tokens < 1_000 {
            return Err(Distrust::Rate);
        }
        memory.tokens -= 1_000;
        while let Some((until_ms, old)) = memory.order.front().copied()
            && until_ms < now_ms
        {
            memory.order.pop_front();
            memory.nonces.remove(&old);
        }
        if memory.nonces.len() >= NONCES_MAX {
            return Err(Distrust::Rate);
        }
        if !memory.nonces.insert(nonce) {
            return Err(Distrust::Replay);
        }
        // The latest moment at which any request taken now could still be timely.
        memory
            .order
            .push_back((now_ms.saturating_add(2 * WINDOW_MS), nonce));
        Ok(())
    }

    /// Whether an open request may be answered: the rate of all unknown people together.
    ///
    /// # Errors
    /// [`Distrust::Rate`]
    pub(super) fn accept_unknown(&mut self, now_ms: i64) -> Result<(), Distrust> {
        let memory = &mut self.unknown;
        let elapsed = now_ms.saturating_sub(memory.filled_at_ms).max(0);
        memory.filled_at_ms = now_ms;
        memory.tokens = memory
            .tokens
            .saturating_add(elapsed.saturating_mul(RATE_PER_S))
            .min(BURST * 1_000);
        if memory.tokens < 1_000 {
            return Err(Distrust::Rate);
        }
        memory.tokens -= 1_000;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn nonce(number: u64) -> [u8; 16] {
        let mut nonce = [0; 16];
        nonce[..8].copy_from_slice(&number.to_le_bytes());
        nonce
    }

    #[test]
    fn a_nonce_is_good_once_for_as_long_as_its_request_is_timely() {
        let start = 1_000_000;
        let mut guard = Guard::new(2, start);
        assert_eq!(guard.accept(0, nonce(1), start), Ok(()));
        for now in [start, start + 1_000, start + 59_000] {
            assert!(guard.is_timely(start + 29_000, now));
            assert_eq!(
                guard.accept(0, nonce(1), now),
                Err(Distrust::Replay),
                "{now}"
            );
        }
        // Another name's nonces are its own.
        assert_eq!(guard.accept(1, nonce(1), start), Ok(()));
        assert!(!guard.is_timely(start + 29_000, start + 59_001));
        assert!(
            !guard.is_timely(start - 1, start),
            "signed before this process began"
        );
        assert!(
            guard.is_timely(start + WINDOW_MS, start)
                && !guard.is_timely(start + WINDOW_MS + 1, start)
        );
    }

    #[test]
    fn rate_and_memory_are_bounded() {
        let mut guard = Guard::new(1, 0);
        let (mut taken, mut number) = (0_i64, 0_u64);
        for now_ms in 0..120_000 {
            number += 1;
            if guard.accept(0, nonce(number), now_ms).is_ok() {
                taken += 1;
            }
            assert!(guard.names[0].nonces.len() < NONCES_MAX);
            assert_eq!(guard.names[0].nonces.len(), guard.names[0].order.len());
        }
        assert!(
            (BURST + 119 * RATE_PER_S..=BURST + 120 * RATE_PER_S).contains(&taken),
            "{taken}"
        );
    }

    #[test]
    fn locks_double_up_to_a_minute_and_end() {
        let mut guard = Guard::new(1, 0);
        for _ in 1..FAILURES_MAX {
            guard.failed(Some(0), 0);
            assert_eq!(guard.locked_seconds(Some(0), 0), None);
        }
        let mut seconds = Vec::new();
        for _ in 0..9 {
            guard.failed(Some(0), 0);
            seconds.push(guard.locked_seconds(Some(0), 0).unwrap());
        }
        assert_eq!(seconds, [1, 2, 4, 8, 16, 32, 60, 60, 60]);
        assert_eq!(guard.locked_seconds(Some(0), 60_000), None);
        assert_eq!(
            guard.locked_seconds(None, 0),
            None,
            "unknown names have a place of their own"
        );
        assert_eq!(guard.accept(0, nonce(1), 60_000), Ok(()));
        guard.failed(Some(0), 60_000);
        assert_eq!(
            guard.locked_seconds(Some(0), 60_000),
            None,
            "a right signature forgives"
        );
    }
}
