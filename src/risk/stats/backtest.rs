//! Is the value-at-risk model any good (AT-14): Kupiec's count test, Christoffersen's clustering test, Basel zones.
//!
//! The only file of this room with floats: these likelihoods alert people and scale a limit in the red zone; they are no money.
#![expect(
    clippy::float_arithmetic,
    reason = "likelihood ratios and binomial sums of a backtest"
)]

use std::collections::VecDeque;

/// Chi-squared with one degree of freedom at 5 %.
pub const CRITICAL_1: f64 = 3.841_458_820_694_124;
/// Chi-squared with two degrees of freedom at 5 %.
pub const CRITICAL_2: f64 = 5.991_464_547_107_979;

/// `count × ln(share)`, zero when nothing was counted: the limit of x ln x.
fn term(count: u32, share: f64) -> f64 {
    if count == 0 {
        0.0
    } else {
        f64::from(count) * share.ln()
    }
}

/// Kupiec's likelihood ratio of `exceptions` in `days` against an expected share `p`, at least zero (V48). One degree of
/// freedom: above [`CRITICAL_1`] the count does not fit the model. `None` unless `exceptions <= days`, `days > 0` and
/// `0 < p < 1`.
#[must_use]
pub fn kupiec(days: u32, exceptions: u32, p: f64) -> Option<f64> {
    if exceptions > days || days == 0 || !(p > 0.0 && p < 1.0) {
        return None;
    }
    let rest = days - exceptions;
    let share = f64::from(exceptions) / f64::from(days);
    let expected = term(rest, 1.0 - p) + term(exceptions, p);
    let found = term(rest, 1.0 - share) + term(exceptions, share);
    Some((-2.0 * (expected - found)).max(0.0))
}

/// Christoffersen's likelihood ratio of independence from the counts of (no, no), (no, yes), (yes, no), (yes, yes) on
/// consecutive days, at least zero (V49). One degree of freedom: above [`CRITICAL_1`] exceptions cluster. Zero without days.
#[must_use]
pub fn christoffersen(n00: u32, n01: u32, n10: u32, n11: u32) -> f64 {
    let share = |yes: u32, no: u32| {
        let all = f64::from(yes) + f64::from(no);
        if all > 0.0 { f64::from(yes) / all } else { 0.0 }
    };
    let (after_no, after_yes) = (share(n01, n00), share(n11, n10));
    let (yes, no) = (n01.saturating_add(n11), n00.saturating_add(n10));
    let any = share(yes, no);
    let one = term(no, 1.0 - any) + term(yes, any);
    let two = term(n00, 1.0 - after_no)
        + term(n01, after_no)
        + term(n10, 1.0 - after_yes)
        + term(n11, after_yes);
    (-2.0 * (one - two)).max(0.0)
}

/// Chance of at most `exceptions` in `days` when each day has chance `p` (V50).
#[must_use]
pub fn binomial_at_most(days: u32, exceptions: u32, p: f64) -> f64 {
    if !(p > 0.0 && p < 1.0) {
        return if p > 0.0 && exceptions < days {
            0.0
        } else {
            1.0
        };
    }
    let mut log_of = f64::from(days) * (1.0 - p).ln();
    let mut sum = 0.0;
    for count in 0..=exceptions.min(days) {
        sum += log_of.exp();
        log_of += (f64::from(days - count) / (f64::from(count) + 1.0)).ln() + (p / (1.0 - p)).ln();
    }
    sum.min(1.0)
}

/// Basel's zones: the chance of so many or fewer exceptions is below 95 %, below 99.99 %, or above.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum BaselZone {
    /// 0 to 4 of 250 at 1 %.
    Green,
    /// 5 to 9.
    Yellow,
    /// 10 or more: the limit is scaled by 4/3.
    Red,
}

impl BaselZone {
    /// Of a count.
    #[must_use]
    pub fn of(days: u32, exceptions: u32, p: f64) -> Self {
        let chance = binomial_at_most(days, exceptions, p);
        if chance < 0.95 {
            Self::Green
        } else if chance < 0.9999 {
            Self::Yellow
        } else {
            Self::Red
        }
    }
    /// Fixed short word.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Green => "green",
            Self::Yellow => "yellow",
            Self::Red => "red",
        }
    }
}

/// What the last days say about the model.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ModelHealth {
    /// Days judged.
    pub days: u32,
    /// Days on which the loss was above the value at risk.
    pub exceptions: u32,
    /// Kupiec's likelihood ratio.
    pub kupiec: f64,
    /// Christoffersen's likelihood ratio of independence.
    pub independence: f64,
    /// Basel's zone.
    pub zone: BaselZone,
    /// More exceptions than the model promises, or clustered ones (p below 5 %). Too few is no loss and no alarm (V48).
    pub alarms: bool,
}

/// The last days' answers to "was the loss above the value at risk?", oldest first.
#[derive(Debug, Clone)]
pub struct VarBacktest {
    days: VecDeque<bool>,
    capacity: usize,
    p: f64,
}

impl VarBacktest {
    /// Judges the last `capacity` days (250 in RISK.md) of a model that promises exceptions on `p` of them (0.01 at 99 %).
    #[must_use]
    pub fn new(capacity: usize, p: f64) -> Self {
        Self {
            days: VecDeque::with_capacity(capacity.max(1)),
            capacity: capacity.max(1),
            p,
        }
    }

    /// One more day.
    pub fn push(&mut self, exceeded: bool) {
        if self.days.len() >= self.capacity {
            self.days.pop_front();
        }
        self.days.push_back(exceeded);
    }

    /// The judgement; `None` before the first day.
    #[must_use]
    pub fn health(&self) -> Option<ModelHealth> {
        let count = |wanted: (bool, bool)| {
            let pairs = self.days.iter().zip(self.days.iter().skip(1));
            let found = pairs.filter(|(first, second)| (**first, **second) == wanted);
            u32::try_from(found.count()).unwrap_or(u32::MAX)
        };
        let days = u32::try_from(self.days.len()).ok()?;
        let exceptions = u32::try_from(self.days.iter().filter(|day| **day).count()).ok()?;
        let kupiec = kupiec(days, exceptions, self.p)?;
        let independence = christoffersen(
            count((false, false)),
            count((false, true)),
            count((true, false)),
            count((true, true)),
        );
        let clustered = independence > CRITICAL_1;
        let above = f64::from(exceptions) > self.p * f64::from(days);
        let too_many = above && kupiec > CRITICAL_1;
        let jointly = above && kupiec + independence > CRITICAL_2;
        Some(ModelHealth {
            days,
            exceptions,
            kupiec,
            independence,
            zone: BaselZone::of(days, exceptions, self.p),
            alarms: too_many || clustered || jointly,
        })
    }
}
