//! How much a venue still lets us ask: request weight, order counts and the penalty box.
//!
//! Windows are the venue's fixed wall-clock windows. The venue's own count replaces ours whenever it states one; between
//! its statements we add what we send. A share of the weight is kept back for cancels and forced closes.

use crate::units::{MonoNanos, Nanos, Ppm, UnixNanos};

/// Order-count windows remembered.
const ORDER_WINDOWS_MAX: usize = 4;

/// One fixed window of a limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    length: Nanos,
    limit: u32,
    used: u32,
    number: i64,
}

impl Window {
    /// A window of that length and limit, empty.
    #[must_use]
    pub const fn new(length: Nanos, limit: u32) -> Self {
        Self {
            length,
            limit,
            used: 0,
            number: 0,
        }
    }
    fn roll(&mut self, time: UnixNanos) {
        let length = i64::try_from(self.length.0.max(1)).unwrap_or(i64::MAX);
        let number = time.0.div_euclid(length);
        if number != self.number {
            self.number = number;
            self.used = 0;
        }
    }
    fn add(&mut self, amount: u32, time: UnixNanos) {
        self.roll(time);
        self.used = self.used.saturating_add(amount);
    }
    fn state(&mut self, used: u32, limit: Option<u32>, time: UnixNanos) {
        self.roll(time);
        self.used = used;
        self.limit = limit.unwrap_or(self.limit);
    }
    fn free(&self, time: UnixNanos) -> u32 {
        let mut rolled = *self;
        rolled.roll(time);
        rolled.limit.saturating_sub(rolled.used)
    }
}

/// What a request is for: how far into the budget it may reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Urgency {
    /// A new order of a strategy: leaves the reserve alone, stops in the penalty box.
    Placement,
    /// A forced close: may use the reserve, stops in the penalty box.
    ForcedClose,
    /// A question: leaves the reserve alone, passes in the penalty box.
    Query,
    /// A cancel: may use everything, passes in the penalty box.
    Cancel,
}

/// Request weight and order counts of one account at one venue.
#[derive(Debug, Clone)]
pub struct Budget {
    weight: Window,
    orders: Vec<Window>,
    reserve: Ppm,
    boxed_until: MonoNanos,
    banned_until: MonoNanos,
}

impl Budget {
    /// A budget of `limit` weight a minute with a share kept back.
    #[must_use]
    pub const fn new(limit: u32, reserve: Ppm) -> Self {
        Self {
            weight: Window::new(Nanos::from_secs(60), limit),
            orders: Vec::new(),
            reserve,
            boxed_until: MonoNanos(0),
            banned_until: MonoNanos(0),
        }
    }

    /// True when a request of that urgency and weight may go out now.
    #[must_use]
    pub fn allows(&self, urgency: Urgency, weight: u32, now: MonoNanos, time: UnixNanos) -> bool {
        if now < self.banned_until {
            return false;
        }
        let orders_free = self.orders.iter().all(|window| window.free(time) > 0);
        let free = self.weight.free(time);
        match urgency {
            Urgency::Placement => {
                now >= self.boxed_until
                    && orders_free
                    && free >= weight.saturating_add(self.reserved())
            }
            Urgency::ForcedClose => now >= self.boxed_until && orders_free && free >= weight,
            Urgency::Query => free >= weight.saturating_add(self.reserved()),
            Urgency::Cancel => true,
        }
    }

    fn reserved(&self) -> u32 {
        let share = u64::try_from(self.reserve.0).unwrap_or(0);
        u32::try_from((u64::from(self.weight.limit) * share).div_euclid(1_000_000)).unwrap_or(0)
    }

    /// A request went out.
    pub fn spend(&mut self, weight: u32, places_order: bool, time: UnixNanos) {
        self.weight.add(weight, time);
        if places_order {
            for window in &mut self.orders {
                window.add(1, time);
            }
        }
    }
    /// The venue stated the weight used in its running window.
    pub fn weight_is(&mut self, used: u32, limit: Option<u32>, time: UnixNanos) {
        self.weight.state(used, limit, time);
    }
    /// The venue stated its limit.
    pub const fn weight_limit(&mut self, limit: u32) {
        self.weight.limit = limit;
    }
    /// The venue stated how many orders a window takes; the count goes on.
    pub fn orders_limit(&mut self, length: Nanos, limit: u32) {
        if let Some(window) = self
            .orders
            .iter_mut()
            .find(|window| window.length == length)
        {
            window.limit = limit;
        } else if self.orders.len() < ORDER_WINDOWS_MAX {
            self.orders.push(Window::new(length, limit));
        }
    }
    /// The venue stated an order count. A window without a known limit is not kept.
    pub fn orders_are(&mut self, length: Nanos, used: u32, limit: Option<u32>, time: UnixNanos) {
        if let Some(window) = self
            .orders
            .iter_mut()
            .find(|window| window.length == length)
        {
            window.state(used, limit, time);
        } else if let (Some(limit), true) = (limit, self.orders.len() < ORDER_WINDOWS_MAX) {
            let mut window = Window::new(length, limit);
            window.state(used, None, time);
            self.orders.push(window);
        }
    }
    /// Stop placing until then; an earlier end does not shorten it.
    pub fn box_until(&mut self, until: MonoNanos) {
        self.boxed_until = self.boxed_until.max(until);
    }
    /// Stop everything until then.
    pub fn ban_until(&mut self, until: MonoNanos) {
        self.banned_until = self.banned_until.max(until);
    }
    /// End of the penalty box or the ban, whichever is later; `None` when neither is in force (PT-36).
    #[must_use]
    pub fn penalty_until(&self, now: MonoNanos) -> Option<MonoNanos> {
        let until = self.boxed_until.max(self.banned_until);
        (now < until).then_some(until)
    }
    /// True while nothing at all may be sent.
    #[must_use]
    pub fn is_banned(&self, now: MonoNanos) -> bool {
        now < self.banned_until
    }
    /// Share of the weight still free.
    #[must_use]
    pub fn remaining(&self, time: UnixNanos) -> Ppm {
        let limit = i64::from(self.weight.limit.max(1));
        Ppm((i64::from(self.weight.free(time)) * 1_000_000).div_euclid(limit))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MINUTE: i64 = 60_000_000_000;

    #[test]
    fn the_reserve_is_for_cancels() {
        let mut budget = Budget::new(100, Ppm(200_000));
        let (now, time) = (MonoNanos(1), UnixNanos(MINUTE * 9));
        budget.weight_is(80, None, time);
        assert!(!budget.allows(Urgency::Placement, 1, now, time));
        assert!(!budget.allows(Urgency::Query, 1, now, time));
        assert!(budget.allows(Urgency::ForcedClose, 1, now, time));
        assert!(budget.allows(Urgency::Cancel, 1, now, time));
        assert_eq!(budget.remaining(time), Ppm(200_000));
        // The next minute is a new window.
        let later = UnixNanos(MINUTE * 10);
        assert!(budget.allows(Urgency::Placement, 1, now, later));
        assert_eq!(budget.remaining(later), Ppm(1_000_000));
    }

    #[test]
    fn penalty_box_and_ban() {
        let mut budget = Budget::new(100, Ppm(0));
        let time = UnixNanos(MINUTE);
        budget.box_until(MonoNanos(100));
        budget.box_until(MonoNanos(50));
        assert!(!budget.allows(Urgency::Placement, 1, MonoNanos(99), time));
        assert!(budget.allows(Urgency::Query, 1, MonoNanos(99), time));
        assert!(budget.allows(Urgency::Placement, 1, MonoNanos(100), time));
        budget.ban_until(MonoNanos(200));
        assert!(!budget.allows(Urgency::Cancel, 1, MonoNanos(199), time));
        assert!(budget.allows(Urgency::Cancel, 1, MonoNanos(200), time));
    }

    #[test]
    fn order_counts() {
        let mut budget = Budget::new(100, Ppm(0));
        let time = UnixNanos(MINUTE);
        budget.orders_are(Nanos::from_secs(10), 49, Some(50), time);
        assert!(budget.allows(Urgency::Placement, 1, MonoNanos(0), time));
        budget.spend(1, true, time);
        assert!(!budget.allows(Urgency::Placement, 1, MonoNanos(0), time));
        assert!(budget.allows(Urgency::Cancel, 1, MonoNanos(0), time));
        let later = time.after(Nanos::from_secs(10));
        assert!(budget.allows(Urgency::Placement, 1, MonoNanos(0), later));
    }
}
