//! How many orders are open, in flight or unknown, and what they are worth (PT-22). Every hold counts until the risk
//! seat's picture contains it; orders without an approval of this session are counted by the picture.

use super::holds::Hold;
use super::terms::Terms;

#[derive(Debug, Clone)]
pub(super) struct Open {
    by_instrument: Vec<u64>,
    by_venue: Vec<u64>,
    worth: i128,
    resting: u64,
    adopted: Vec<u64>,
    adopted_by_venue: Vec<u64>,
}

impl Open {
    pub(super) fn new(instruments: usize, venues: usize) -> Self {
        Self {
            by_instrument: vec![0; instruments],
            by_venue: vec![0; venues],
            worth: 0,
            resting: 0,
            adopted: vec![0; instruments],
            adopted_by_venue: vec![0; venues],
        }
    }
    pub(super) fn add(&mut self, hold: &Hold, terms: &Terms) {
        bump(&mut self.by_instrument, hold.instrument, true);
        bump(&mut self.by_venue, terms.venue, true);
        self.worth = self.worth.saturating_add(hold.worth);
        self.resting += u64::from(hold.rests);
    }
    pub(super) fn remove(&mut self, hold: &Hold, terms: &Terms) {
        bump(&mut self.by_instrument, hold.instrument, false);
        bump(&mut self.by_venue, terms.venue, false);
        self.worth = self.worth.saturating_sub(hold.worth);
        self.resting = self.resting.saturating_sub(u64::from(hold.rests));
    }
    /// Replaces what the picture counts in one instrument.
    pub(super) fn adopt(&mut self, instrument: usize, venue: usize, orders: u32) {
        let (Some(own), Some(sum)) = (
            self.adopted.get_mut(instrument),
            self.adopted_by_venue.get_mut(venue),
        ) else {
            return;
        };
        *sum = (*sum + u64::from(orders)).saturating_sub(*own);
        *own = u64::from(orders);
    }
    pub(super) fn of_instrument(&self, instrument: usize) -> u64 {
        at(&self.by_instrument, instrument) + at(&self.adopted, instrument)
    }
    pub(super) fn of_venue(&self, venue: usize) -> u64 {
        at(&self.by_venue, venue) + at(&self.adopted_by_venue, venue)
    }
    pub(super) fn venue_count(&self) -> usize {
        self.by_venue.len()
    }
    pub(super) const fn worth(&self) -> i128 {
        self.worth
    }
    /// Holds that rest at a venue.
    pub(super) const fn has_resting(&self) -> bool {
        self.resting > 0
    }
}

fn at(counts: &[u64], index: usize) -> u64 {
    counts.get(index).copied().unwrap_or(0)
}

fn bump(counts: &mut [u64], index: usize, up: bool) {
    if let Some(count) = counts.get_mut(index) {
        *count = if up {
            *count + 1
        } else {
            count.saturating_sub(1)
        };
    }
}
