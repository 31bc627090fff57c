//! How often a venue is asked what became of an order. Cancels are counted and never held back; questions wait for their
//! turn, and yield to cancels.

use crate::capacity::VENUES_MAX;
use crate::market::VenueId;
use crate::units::{MonoNanos, Nanos};

/// One pace a venue.
#[derive(Debug, Clone)]
pub struct Throttle {
    gap: Nanos,
    /// Before this instant no question is asked.
    free_at: [MonoNanos; VENUES_MAX],
    cancels: [u64; VENUES_MAX],
    held_back: u64,
}

impl Throttle {
    /// At most `per_second` questions a second and venue (at least 1), evenly spaced.
    #[must_use]
    pub const fn new(per_second: u32) -> Self {
        let per_second = if per_second == 0 {
            1
        } else {
            per_second as u64
        };
        Self {
            gap: Nanos(1_000_000_000_u64.div_euclid(per_second)),
            free_at: [MonoNanos(0); VENUES_MAX],
            cancels: [0; VENUES_MAX],
            held_back: 0,
        }
    }
    /// May a question be asked now? Taken at once when yes; otherwise the instant to try again.
    ///
    /// # Errors
    /// When to try again.
    pub fn try_query(&mut self, venue: VenueId, now: MonoNanos) -> Result<(), MonoNanos> {
        let Some(free_at) = self.free_at.get_mut(venue.index()) else {
            return Ok(());
        };
        if now < *free_at {
            self.held_back += 1;
            return Err(*free_at);
        }
        *free_at = now.after(self.gap);
        Ok(())
    }
    /// A cancel goes out: always allowed, and the next question waits for it.
    pub fn on_cancel(&mut self, venue: VenueId, now: MonoNanos) {
        if let Some(count) = self.cancels.get_mut(venue.index()) {
            *count += 1;
        }
        if let Some(free_at) = self.free_at.get_mut(venue.index()) {
            *free_at = (*free_at).max(now).after(self.gap);
        }
    }
    /// Questions that had to wait.
    #[must_use]
    pub const fn held_back(&self) -> u64 {
        self.held_back
    }
    /// Cancels sent to a venue.
    #[must_use]
    pub fn cancels(&self, venue: VenueId) -> u64 {
        self.cancels.get(venue.index()).copied().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn questions_are_spaced_and_cancels_are_not() {
        let mut throttle = Throttle::new(10);
        let venue = VenueId(0);
        assert_eq!(throttle.try_query(venue, MonoNanos(0)), Ok(()));
        assert_eq!(
            throttle.try_query(venue, MonoNanos(1)),
            Err(MonoNanos(100_000_000))
        );
        assert_eq!(
            throttle.try_query(VenueId(1), MonoNanos(1)),
            Ok(()),
            "venues do not wait for each other"
        );
        assert_eq!(throttle.try_query(venue, MonoNanos(100_000_000)), Ok(()));
        for _ in 0..5 {
            throttle.on_cancel(venue, MonoNanos(100_000_001));
        }
        assert_eq!(throttle.cancels(venue), 5);
        assert_eq!(
            throttle.try_query(venue, MonoNanos(600_000_000)),
            Err(MonoNanos(700_000_000))
        );
        assert_eq!(throttle.held_back(), 2);
    }
}
