//! Exposure reserved at approval and counted at once, until the risk seat's picture contains it.
//!
//! Numbers rise, so the oldest hold is in front. The queue never grows beyond its capacity: when full, orders are refused.

use std::collections::VecDeque;

use crate::capacity::OPEN_ORDERS_MAX;
use crate::units::{MonoNanos, Price, Qty, Side};

/// One reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Hold {
    pub(super) seq: u64,
    pub(super) instrument: usize,
    pub(super) side: Side,
    /// Zero once it was released.
    pub(super) qty: Qty,
    pub(super) limit_price: Price,
    pub(super) repair: bool,
    /// It rests at the venue until it is cancelled.
    pub(super) rests: bool,
    pub(super) approved_at: MonoNanos,
    /// Its value at the limit price, in worth.
    pub(super) worth: i128,
    /// The pool that pays for it, and how much of it.
    pub(super) pool: usize,
    pub(super) needed: i128,
}

#[derive(Debug, Clone)]
pub(super) struct Holds {
    queue: VecDeque<Hold>,
}

impl Holds {
    pub(super) fn new() -> Self {
        Self {
            queue: VecDeque::with_capacity(OPEN_ORDERS_MAX),
        }
    }
    pub(super) fn is_full(&self) -> bool {
        self.queue.len() >= OPEN_ORDERS_MAX
    }
    pub(super) fn len(&self) -> usize {
        self.queue.len()
    }
    /// Adds the newest hold. Call only when not full.
    pub(super) fn push(&mut self, hold: Hold) {
        debug_assert!(!self.is_full(), "Invariant: the queue never grows");
        self.queue.push_back(hold);
    }
    /// Takes the newest back.
    pub(super) fn pop_newest(&mut self) -> Option<Hold> {
        self.queue.pop_back()
    }
    /// Takes the oldest when its number is at most `seq`.
    pub(super) fn pop_settled(&mut self, seq: u64) -> Option<Hold> {
        if self.queue.front()?.seq <= seq {
            self.queue.pop_front()
        } else {
            None
        }
    }
    /// Empties a hold and returns what it was.
    pub(super) fn release(&mut self, seq: u64) -> Option<Hold> {
        let index = self
            .queue
            .binary_search_by_key(&seq, |hold| hold.seq)
            .ok()?;
        let hold = self.queue.get_mut(index)?;
        let before = *hold;
        hold.qty = Qty::ZERO;
        Some(before)
    }
    pub(super) fn iter(&self) -> impl Iterator<Item = &Hold> {
        self.queue.iter()
    }
    /// How many orders of one instrument were approved at or after an instant: a picture made then cannot contain them.
    pub(super) fn count_since(&self, instrument: usize, since: MonoNanos) -> u64 {
        let recent = self.queue.iter().rev();
        let own = recent
            .take_while(|hold| hold.approved_at >= since)
            .filter(|hold| hold.instrument == instrument && hold.qty.0 > 0);
        u64::try_from(own.count()).unwrap_or(u64::MAX)
    }
    /// Best price at which an own resting order of the other side would match an order of `side` at `limit_price`.
    pub(super) fn crossing(&self, instrument: usize, side: Side, limit: Price) -> Option<Price> {
        let other = self.queue.iter().filter(|hold| {
            hold.rests && hold.qty.0 > 0 && hold.instrument == instrument && hold.side != side
        });
        match side {
            Side::Buy => other
                .map(|hold| hold.limit_price)
                .min()
                .filter(|own| *own <= limit),
            Side::Sell => other
                .map(|hold| hold.limit_price)
                .max()
                .filter(|own| *own >= limit),
        }
    }
}
