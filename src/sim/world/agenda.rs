//! What happens when: a queue ordered by instant, then by order of entry.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

use crate::units::UnixNanos;

/// Things that will happen.
#[derive(Debug)]
pub(super) struct Agenda<T> {
    heap: BinaryHeap<Reverse<Entry<T>>>,
    sequence: u64,
}

#[derive(Debug)]
struct Entry<T> {
    at: UnixNanos,
    sequence: u64,
    thing: T,
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl<T> Eq for Entry<T> {}
impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.at, self.sequence).cmp(&(other.at, other.sequence))
    }
}

impl<T> Agenda<T> {
    pub(super) const fn new() -> Self {
        Self {
            heap: BinaryHeap::new(),
            sequence: 0,
        }
    }
    /// Plans a thing. Of things at one instant the first planned comes first.
    pub(super) fn plan(&mut self, at: UnixNanos, thing: T) {
        self.sequence += 1;
        self.heap.push(Reverse(Entry {
            at,
            sequence: self.sequence,
            thing,
        }));
    }
    /// When the next thing happens.
    pub(super) fn peek(&self) -> Option<UnixNanos> {
        self.heap.peek().map(|Reverse(entry)| entry.at)
    }
    /// Takes the next thing that happens by `now`.
    pub(super) fn take(&mut self, now: UnixNanos) -> Option<T> {
        if self.peek()? > now {
            return None;
        }
        self.heap.pop().map(|Reverse(entry)| entry.thing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn orders_by_instant_then_entry() {
        let mut agenda = Agenda::new();
        for (at, name) in [(5, "c"), (3, "a"), (5, "d"), (3, "b"), (9, "e")] {
            agenda.plan(UnixNanos(at), name);
        }
        assert_eq!(agenda.peek(), Some(UnixNanos(3)));
        let taken: Vec<&str> = std::iter::from_fn(|| agenda.take(UnixNanos(5))).collect();
        assert_eq!(taken, ["a", "b", "c", "d"]);
        assert_eq!(agenda.take(UnixNanos(8)), None);
        assert_eq!(agenda.take(UnixNanos(9)), Some("e"));
    }
}
