//! Which trades were counted already. Bounded: the oldest id is forgotten beyond the capacity, since no venue redelivers
//! trades that old.

use std::collections::{BTreeSet, VecDeque};

/// Ids of one instrument's trades at one venue.
#[derive(Debug, Clone)]
pub struct TradeIds<Id> {
    known: BTreeSet<Id>,
    order: VecDeque<Id>,
    capacity: usize,
    forgotten: u64,
}

impl<Id: Ord + Clone> TradeIds<Id> {
    /// Remembers at most `capacity` ids, at least one.
    #[must_use]
    pub const fn new(capacity: usize) -> Self {
        Self {
            known: BTreeSet::new(),
            order: VecDeque::new(),
            capacity,
            forgotten: 0,
        }
    }
    /// True when this id was added before and is still remembered.
    #[must_use]
    pub fn contains(&self, id: &Id) -> bool {
        self.known.contains(id)
    }
    /// Adds an id that is not known.
    pub fn insert(&mut self, id: Id) {
        if !self.known.insert(id.clone()) {
            return;
        }
        self.order.push_back(id);
        if self.order.len() > self.capacity.max(1)
            && let Some(oldest) = self.order.pop_front()
        {
            self.known.remove(&oldest);
            self.forgotten += 1;
        }
    }
    /// How many are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.order.len()
    }
    /// True when none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.order.is_empty()
    }
    /// How many were forgotten for want of room.
    #[must_use]
    pub const fn forgotten(&self) -> u64 {
        self.forgotten
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forgets_the_oldest_first() {
        let mut ids = TradeIds::new(2);
        for id in [1, 2, 2, 3] {
            ids.insert(id);
        }
        assert!(!ids.contains(&1) && ids.contains(&2) && ids.contains(&3));
        assert_eq!((ids.len(), ids.forgotten()), (2, 1));
    }
}
