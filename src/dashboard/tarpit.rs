//! What refusals may cost: each of an unproven request waits a while before it is answered, and only so many wait at once.
//!
//! Above that a refusal is not answered at all but let go, one every so often. A caller holds its connection while it waits,
//! so that refusals a second are bounded however fast they come. Nothing here is asked for a right signature.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::units::{MonoNanos, Nanos};

use super::Bounds;

/// Who waits now and when the next of the others may go.
#[derive(Debug, Default)]
struct Queue {
    held: usize,
    next_close: Option<MonoNanos>,
    next_open: Option<MonoNanos>,
}

/// Open pages at once before the next ones wait: a browser loads a page and its parts together.
const OPEN_BURST: u64 = 20;

/// The places of one server.
#[derive(Debug)]
pub(super) struct Tarpit {
    places: usize,
    close_every: Nanos,
    open_every: Nanos,
    delay: Duration,
    queue: Mutex<Queue>,
}

/// What becomes of a refusal.
#[derive(Debug)]
pub(super) enum Turn<'a> {
    /// It is answered after this long; dropping the place frees it.
    Held(Place<'a>, Duration),
    /// All places are taken: its connection is closed after this long, without the answer.
    Crowded(Duration),
}

/// A taken place.
#[derive(Debug)]
pub(super) struct Place<'a>(&'a Tarpit);

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut queue = self.0.locked();
        queue.held = queue.held.saturating_sub(1);
    }
}

impl Tarpit {
    pub(super) fn new(bounds: Bounds) -> Self {
        Self {
            places: bounds.delayed_max,
            close_every: nanos(bounds.close_every),
            open_every: nanos(bounds.open_every),
            delay: bounds.delay,
            queue: Mutex::default(),
        }
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How long an open page waits for its turn.
    pub(super) fn open(&self, now: MonoNanos) -> Duration {
        let saved = Nanos(self.open_every.0.saturating_mul(OPEN_BURST));
        let mut queue = self.locked();
        let earliest = MonoNanos(now.0.saturating_sub(saved.0));
        let turn = queue.next_open.map_or(earliest, |next| next.max(earliest));
        queue.next_open = Some(turn.after(self.open_every));
        Duration::from_nanos(turn.since(now).0)
    }

    /// A place for one refusal, or its turn to be let go.
    pub(super) fn take(&self, now: MonoNanos) -> Turn<'_> {
        let mut queue = self.locked();
        if queue.held < self.places {
            queue.held += 1;
            return Turn::Held(Place(self), self.delay);
        }
        let turn = queue.next_close.map_or(now, |next| next.max(now));
        queue.next_close = Some(turn.after(self.close_every));
        Turn::Crowded(Duration::from_nanos(turn.since(now).0))
    }
}

fn nanos(span: Duration) -> Nanos {
    Nanos(u64::try_from(span.as_nanos()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flood_of_open_pages_waits_and_a_browser_does_not() {
        let tarpit = Tarpit::new(Bounds {
            open_every: Duration::from_millis(10),
            ..Bounds::default()
        });
        let now = MonoNanos(1_000_000_000_000);
        let waits: Vec<u128> = (0..40).map(|_| tarpit.open(now).as_millis()).collect();
        assert_eq!(waits[..21], [0; 21]);
        let late: Vec<u128> = (1..20).map(|number| number * 10).collect();
        assert_eq!(waits[21..], late);
        // What was not used is saved up to the same few.
        let later = now.after(Nanos::from_secs(60));
        assert_eq!(
            (0..21).map(|_| tarpit.open(later)).max(),
            Some(Duration::ZERO)
        );
        assert!(tarpit.open(later) > Duration::ZERO);
    }

    #[test]
    fn places_are_bounded_and_the_others_go_one_by_one() {
        let tarpit = Tarpit::new(Bounds {
            delay: Duration::from_millis(250),
            delayed_max: 3,
            close_every: Duration::from_millis(2),
            ..Bounds::default()
        });
        let now = MonoNanos(1_000_000_000);
        let mut held = Vec::new();
        for _ in 0..3 {
            match tarpit.take(now) {
                Turn::Held(place, delay) => {
                    assert_eq!(delay, Duration::from_millis(250));
                    held.push(place);
                }
                Turn::Crowded(wait) => panic!("crowded after {} ({wait:?})", held.len()),
            }
        }
        let crowded = |now| match tarpit.take(now) {
            Turn::Crowded(wait) => wait,
            Turn::Held(..) => panic!("more than three places"),
        };
        // However fast they come, they go every 2 ms; what was not used is not saved up.
        for number in 0..100 {
            assert_eq!(crowded(now), Duration::from_millis(2 * number));
        }
        let later = now.after(Nanos::from_secs(5));
        for number in 0..3 {
            assert_eq!(crowded(later), Duration::from_millis(2 * number));
        }
        held.pop();
        let Turn::Held(place, _) = tarpit.take(later) else {
            panic!("a place was freed");
        };
        assert!(matches!(tarpit.take(later), Turn::Crowded(_)));
        drop(place);
        drop(held);
        assert_eq!(tarpit.locked().held, 0);
    }
}
