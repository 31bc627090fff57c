//! Requests that wait for their answer: a bounded table by request number, with deadlines.
//!
//! An overdue request is told once and kept a while longer, so that a late answer is still understood.

use std::collections::BTreeMap;

use crate::capacity::OPEN_ORDERS_MAX;
use crate::units::{MonoNanos, Nanos};

/// Requests in flight or overdue at once. Beyond it nothing more is asked.
pub(crate) const PENDING_MAX: usize = 2 * OPEN_ORDERS_MAX;

/// How long an overdue request is remembered.
const OVERDUE_KEPT: Nanos = Nanos::from_secs(60);

/// One request.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pending<T> {
    /// What was asked.
    pub(crate) what: T,
    /// When.
    pub(crate) sent_at: MonoNanos,
    /// Overdue from then on.
    pub(crate) deadline: MonoNanos,
    /// Its time-out was told already.
    pub(crate) overdue: bool,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct PendingTable<T> {
    entries: BTreeMap<u32, Pending<T>>,
    next: u32,
}

impl<T: Copy> PendingTable<T> {
    pub(crate) const fn new() -> Self {
        Self {
            entries: BTreeMap::new(),
            next: 1,
        }
    }
    /// True when nothing more fits.
    pub(crate) fn is_full(&self) -> bool {
        self.entries.len() >= PENDING_MAX
    }
    /// Remembers a request and names it; `None` when the table is full.
    pub(crate) fn add(&mut self, what: T, now: MonoNanos, timeout: Nanos) -> Option<u32> {
        if self.is_full() {
            return None;
        }
        let number = self.next;
        // Numbers begin again after four thousand million requests: those of then are long gone.
        self.next = self.next.checked_add(1).unwrap_or(1);
        self.entries.insert(
            number,
            Pending {
                what,
                sent_at: now,
                deadline: now.after(timeout),
                overdue: false,
            },
        );
        Some(number)
    }
    /// Takes the request that was answered.
    pub(crate) fn take(&mut self, number: u32) -> Option<Pending<T>> {
        self.entries.remove(&number)
    }
    /// Takes every request for which `wanted` holds, oldest first.
    pub(crate) fn take_where(&mut self, wanted: impl Fn(&Pending<T>) -> bool) -> Vec<Pending<T>> {
        let numbers: Vec<u32> = self
            .entries
            .iter()
            .filter(|(_, entry)| wanted(entry))
            .map(|(number, _)| *number)
            .collect();
        numbers
            .into_iter()
            .filter_map(|number| self.entries.remove(&number))
            .collect()
    }
    /// True when a request in time for which `wanted` holds is in flight.
    pub(crate) fn any(&self, wanted: impl Fn(&T) -> bool) -> bool {
        self.entries
            .values()
            .any(|entry| !entry.overdue && wanted(&entry.what))
    }
    /// Appends each request that became overdue now, once; forgets those overdue for long.
    pub(crate) fn expire(&mut self, now: MonoNanos, expired: &mut Vec<Pending<T>>) {
        self.entries.retain(|_, entry| {
            if !entry.overdue && now >= entry.deadline {
                entry.overdue = true;
                expired.push(*entry);
            }
            now < entry.deadline.after(OVERDUE_KEPT)
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overdue_is_told_once_and_answers_may_be_late() {
        let mut table = PendingTable::new();
        let number = table.add('a', MonoNanos(0), Nanos(10)).unwrap();
        let mut expired = Vec::new();
        table.expire(MonoNanos(9), &mut expired);
        assert!(expired.is_empty() && table.any(|_| true));
        table.expire(MonoNanos(10), &mut expired);
        table.expire(MonoNanos(11), &mut expired);
        assert_eq!(expired.len(), 1);
        assert!(!table.any(|_| true));
        assert!(table.take(number).unwrap().overdue);
        assert!(table.take(number).is_none());
    }

    #[test]
    fn it_is_bounded_and_forgets() {
        let mut table = PendingTable::new();
        for _ in 0..PENDING_MAX {
            assert!(table.add((), MonoNanos(0), Nanos(1)).is_some());
        }
        assert!(table.add((), MonoNanos(0), Nanos(1)).is_none());
        table.expire(MonoNanos(1).after(OVERDUE_KEPT), &mut Vec::new());
        assert!(table.add((), MonoNanos(0), Nanos(1)).is_some());
    }
}
