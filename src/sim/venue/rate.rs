//! Request weight and order counts in fixed windows, as the venue's headers show them.

use crate::exchanges::Dialect;
use crate::units::UnixNanos;

use super::setup::RateLimits;

#[derive(Debug, Clone, Copy, Default)]
struct Window {
    number: i64,
    count: u32,
}

impl Window {
    fn at(&mut self, now: UnixNanos, seconds: i64) -> &mut u32 {
        let number = now.0.div_euclid(seconds.saturating_mul(1_000_000_000));
        if number != self.number {
            *self = Self { number, count: 0 };
        }
        &mut self.count
    }
}

/// Counters of one venue.
#[derive(Debug, Clone)]
pub(crate) struct RateCounters {
    limits: RateLimits,
    long_seconds: i64,
    weight: Window,
    accounts: Vec<(Window, Window)>,
}

/// What a header or a `rateLimits` entry shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RateUse {
    pub(crate) weight: u32,
    pub(crate) orders_10s: u32,
    pub(crate) orders_long: u32,
}

impl RateCounters {
    pub(crate) fn new(dialect: Dialect, limits: RateLimits, accounts: usize) -> Self {
        let long_seconds = match dialect {
            Dialect::BinanceSpot => 86_400,
            Dialect::BinanceUsdm => 60,
        };
        Self {
            limits,
            long_seconds,
            weight: Window::default(),
            accounts: vec![Default::default(); accounts],
        }
    }
    pub(crate) const fn limits(&self) -> RateLimits {
        self.limits
    }

    /// Adds weight; false when the minute's limit is exceeded.
    pub(crate) fn add_weight(&mut self, now: UnixNanos, weight: u32) -> bool {
        let used = self.weight.at(now, 60);
        *used = used.saturating_add(weight);
        self.limits.weight_per_minute == 0 || *used <= self.limits.weight_per_minute
    }
    /// Gives weight back (a successful order weighs nothing on spot).
    pub(crate) fn return_weight(&mut self, now: UnixNanos, weight: u32) {
        let used = self.weight.at(now, 60);
        *used = used.saturating_sub(weight);
    }
    /// Counts one order; false when a limit is exceeded (then it is not counted).
    pub(crate) fn add_order(&mut self, now: UnixNanos, account: usize) -> bool {
        let (limits, long_seconds) = (self.limits, self.long_seconds);
        let Some((short, long)) = self.accounts.get_mut(account) else {
            return true;
        };
        let (short, long) = (short.at(now, 10), long.at(now, long_seconds));
        if (limits.orders_per_10s > 0 && *short >= limits.orders_per_10s)
            || (limits.orders_long > 0 && *long >= limits.orders_long)
        {
            return false;
        }
        *short += 1;
        *long += 1;
        true
    }
    /// A filled order no longer counts (spot).
    pub(crate) fn return_order(&mut self, now: UnixNanos, account: usize) {
        let long_seconds = self.long_seconds;
        if let Some((short, long)) = self.accounts.get_mut(account) {
            for count in [short.at(now, 10), long.at(now, long_seconds)] {
                *count = count.saturating_sub(1);
            }
        }
    }
    /// Counts as they stand.
    pub(crate) fn used(&mut self, now: UnixNanos, account: Option<usize>) -> RateUse {
        let long_seconds = self.long_seconds;
        let weight = *self.weight.at(now, 60);
        let (orders_10s, orders_long) = account
            .and_then(|account| self.accounts.get_mut(account))
            .map_or((0, 0), |(short, long)| {
                (*short.at(now, 10), *long.at(now, long_seconds))
            });
        RateUse {
            weight,
            orders_10s,
            orders_long,
        }
    }
    /// Seconds until the weight window ends, at least one.
    pub(crate) fn weight_reset_seconds(now: UnixNanos) -> i64 {
        60 - now.0.div_euclid(1_000_000_000).rem_euclid(60)
    }
}
