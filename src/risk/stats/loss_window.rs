//! Loss since midnight UTC and over the last 24 hours (AT-04, AT-05; V35): a calendar day alone can be straddled.
//!
//! The series is cumulative profit (AT-04), or the value of a unit of net asset value (AT-05), so that deposits never count.

use std::collections::VecDeque;

use rust_decimal::Decimal;

use crate::units::{Money, Nanos, UnixNanos};

/// One day in nanoseconds.
const DAY: i64 = 86_400_000_000_000;
/// Decimals of a ratio, rounded up.
const RATIO_DECIMALS: u32 = 12;

/// A loss against an earlier value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Loss {
    /// The value at the beginning.
    pub from: Decimal,
    /// The beginning less now: above zero is a loss.
    pub amount: Decimal,
}

impl Loss {
    /// Share of the beginning that was lost, rounded up at 12 decimals; `None` when the beginning is not above zero.
    #[must_use]
    pub fn ratio(&self) -> Option<Decimal> {
        if self.from <= Decimal::ZERO {
            return None;
        }
        Money(self.amount)
            .mul_div_ceil(Money(Decimal::ONE), Money(self.from), RATIO_DECIMALS)
            .ok()
            .map(|ratio| ratio.0.normalize())
    }
}

/// One series with its memory: the last value of each step of the last 24 hours.
#[derive(Debug, Clone)]
pub struct LossWindow {
    step: i64,
    steps: VecDeque<(i64, Decimal)>,
    first: Option<Decimal>,
    day: Option<(i64, Decimal)>,
    newest: Option<(i64, Decimal)>,
}

impl LossWindow {
    /// Remembers one value a `step` (a millisecond to an hour), so it looks back 24 hours and at most one step more.
    #[must_use]
    pub fn new(step: Nanos) -> Self {
        Self {
            step: i64::try_from(step.0)
                .unwrap_or(DAY)
                .clamp(1_000_000, DAY.div_euclid(24)),
            steps: VecDeque::new(),
            first: None,
            day: None,
            newest: None,
        }
    }

    /// A new value. Time that goes back is taken as the newest time known (I38).
    pub fn on_value(&mut self, value: Decimal, now: UnixNanos) {
        let now = self.newest.map_or(now.0, |(newest, _)| newest.max(now.0));
        let step = now.div_euclid(self.step);
        let day = now.div_euclid(DAY);
        // What held at midnight is the value before it.
        let before = self.newest.map_or(value, |(_, newest)| newest);
        if self.day.is_none_or(|(known, _)| day > known) {
            self.day = Some((day, before));
        }
        match self.steps.back_mut() {
            Some((known, last)) if *known == step => *last = value,
            Some(_) | None => self.steps.push_back((step, value)),
        }
        self.first = self.first.or(Some(value));
        self.newest = Some((now, value));
        let oldest = self.oldest_step(now);
        while self.steps.get(1).is_some_and(|(step, _)| *step < oldest) {
            self.steps.pop_front();
        }
    }

    /// The step that holds the instant 24 hours before.
    const fn oldest_step(&self, now: i64) -> i64 {
        now.saturating_sub(DAY).div_euclid(self.step)
    }

    /// The first value of all.
    #[must_use]
    pub const fn first(&self) -> Option<Decimal> {
        self.first
    }

    /// The newest value; `None` before the first.
    #[must_use]
    pub fn newest(&self) -> Option<Decimal> {
        self.newest.map(|(_, value)| value)
    }

    /// Loss since midnight UTC; `None` before the first value.
    #[must_use]
    pub fn day(&self) -> Option<Loss> {
        self.since(self.day?.1)
    }

    /// Loss since the beginning of the step 24 hours ago, or since the first value when it is younger; `None` before the first value.
    #[must_use]
    pub fn rolling(&self) -> Option<Loss> {
        let oldest = self.oldest_step(self.newest?.0);
        let held = self.steps.front().filter(|(step, _)| *step < oldest);
        self.since(held.map_or(self.first?, |(_, last)| *last))
    }

    /// The larger of both amounts (AT-05 limits both); `None` before the first value.
    #[must_use]
    pub fn worst(&self) -> Option<Loss> {
        let (day, rolling) = (self.day()?, self.rolling()?);
        Some(if day.amount > rolling.amount {
            day
        } else {
            rolling
        })
    }

    fn since(&self, from: Decimal) -> Option<Loss> {
        let amount = Money(from).sub(Money(self.newest?.1)).ok()?.0;
        Some(Loss { from, amount })
    }
}
