//! Returns of base assets at a fixed interval, bounded, and what they say about a portfolio.

use std::collections::VecDeque;

use rust_decimal::Decimal;

use crate::units::ratio::div_half_even;
use crate::units::{Asset, Money, Nanos, Ppm, UnixNanos};

use super::confidence::{ES_975, Z_99};
use super::{Confidence, Covariance, historical};

/// One day in nanoseconds.
const DAY: u64 = 86_400_000_000_000;
/// Decimals of a return: parts per billion.
const RETURN_DECIMALS: u32 = 9;
/// Returns beyond this are cut: +200 % within one interval is a bad tick or a redenomination.
const RETURN_PPB_MAX: i64 = 2_000_000_000;
/// Weight of the newest row.
const WEIGHT_ONE: i128 = 100_000_000_000_000_000;
/// Decimals at which figures are rounded up.
const VALUE_DECIMALS: u32 = 8;

/// Value at risk and expected shortfall of one portfolio over one day, in the reporting currency, never below zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VarEstimate {
    /// Value at risk at 99 %: the larger of parametric and historical (AT-12).
    pub var99: Decimal,
    /// Expected shortfall at 97.5 %: the larger of parametric and historical (AT-13).
    pub es975: Decimal,
    /// Deviation behind the parametric figures.
    pub deviation: Decimal,
    /// Returns behind them: a small sample says little (V42).
    pub observations: usize,
}

/// A bounded ring of aligned returns, oldest first.
#[derive(Debug, Clone)]
pub struct ReturnsHistory {
    assets: Vec<Asset>,
    interval: Nanos,
    capacity: usize,
    rows: VecDeque<Vec<Option<i64>>>,
    opened: Vec<Option<Decimal>>,
    newest: Vec<Option<Decimal>>,
    current: Option<i64>,
}

impl ReturnsHistory {
    /// Empty; `interval` (a day, or less) lies on whole multiples since 1970 in UTC; at most `capacity` rows are kept.
    #[must_use]
    pub fn new(assets: Vec<Asset>, interval: Nanos, capacity: usize) -> Self {
        Self {
            rows: VecDeque::with_capacity(capacity.max(1)),
            opened: vec![None; assets.len()],
            newest: vec![None; assets.len()],
            assets,
            interval: Nanos(interval.0.clamp(1, DAY)),
            capacity: capacity.max(1),
            current: None,
        }
    }

    /// A price above zero in the reporting currency. Ends the interval first when `now` lies beyond it.
    pub fn on_price(&mut self, asset: Asset, price: Decimal, now: UnixNanos) {
        self.on_time(now);
        let at = self.assets.iter().position(|own| *own == asset);
        if let Some(slot) = at.and_then(|at| self.newest.get_mut(at))
            && price > Decimal::ZERO
        {
            *slot = Some(price);
        }
    }

    /// Ends the interval when `now` lies beyond it; true when a row was added. An asset without a new price keeps its last one,
    /// so a silent day is a return of zero and its whole move falls on the next. A gap of several intervals is one row. Time
    /// that goes back changes nothing.
    pub fn on_time(&mut self, now: UnixNanos) -> bool {
        let Ok(interval) = i64::try_from(self.interval.0) else {
            return false;
        };
        let index = now.0.div_euclid(interval);
        let is_new = self.current.is_none_or(|current| index > current);
        if !is_new {
            return false;
        }
        let is_first = self.current.is_none();
        self.current = Some(index);
        if is_first {
            return false;
        }
        let row: Vec<Option<i64>> = self
            .opened
            .iter()
            .zip(&self.newest)
            .map(|(opened, newest)| return_ppb((*opened)?, (*newest)?))
            .collect();
        self.opened.clone_from(&self.newest);
        if row.iter().all(Option::is_none) {
            return false;
        }
        self.push(row);
        true
    }

    /// Adds one older-than-now row of known returns (from a store), in the order of [`ReturnsHistory::assets`]. A row of
    /// another length is not taken: `false`.
    pub fn seed(&mut self, row: &[Option<i64>]) -> bool {
        let fits = row.len() == self.assets.len();
        if fits {
            let cut = |value: i64| value.clamp(-RETURN_PPB_MAX, RETURN_PPB_MAX);
            self.push(row.iter().map(|entry| entry.map(cut)).collect());
        }
        fits
    }

    fn push(&mut self, row: Vec<Option<i64>>) {
        if self.rows.len() >= self.capacity {
            self.rows.pop_front();
        }
        self.rows.push_back(row);
    }

    /// In the order of a row.
    #[must_use]
    pub fn assets(&self) -> &[Asset] {
        &self.assets
    }

    /// Rows in which the asset has a return.
    #[must_use]
    pub fn observations(&self, asset: Asset) -> usize {
        self.assets
            .iter()
            .position(|own| *own == asset)
            .map_or(0, |at| {
                self.rows
                    .iter()
                    .filter(|row| row.get(at).copied().flatten().is_some())
                    .count()
            })
    }

    /// Rows kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// True before the first row.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Covariance of one-day returns of every asset with at least `observations_min` of them (at least 1), with normalised
    /// weights and zero mean; each entry from the rows that have both. Shorter intervals are scaled to a day by time.
    ///
    /// `None` when no asset has enough, or a sum does not fit.
    #[must_use]
    pub fn covariance(&self, lambda: Ppm, observations_min: usize) -> Option<Covariance> {
        let least = observations_min.max(1);
        let used: Vec<(usize, Asset)> = self
            .assets
            .iter()
            .copied()
            .enumerate()
            .filter(|(_, asset)| self.observations(*asset) >= least)
            .collect();
        if used.is_empty() {
            return None;
        }
        let mut ppb2 = Vec::with_capacity(used.len() * used.len());
        let mut observations = usize::MAX;
        for (left, _) in &used {
            for (right, _) in &used {
                let (entry, count) = self.entry(*left, *right, lambda)?;
                observations = observations.min(count);
                ppb2.push(entry);
            }
        }
        Some(Covariance {
            factors: used.into_iter().map(|(_, asset)| asset).collect(),
            ppb2,
            observations,
        })
    }

    fn entry(&self, left: usize, right: usize, lambda: Ppm) -> Option<(i128, usize)> {
        let (mut weight, mut weights, mut sum) = (WEIGHT_ONE, 0_i128, 0_i128);
        let mut count = 0_usize;
        for row in self.rows.iter().rev() {
            let both = row
                .get(left)
                .copied()
                .flatten()
                .zip(row.get(right).copied().flatten());
            if let Some((one, other)) = both {
                let product = i128::from(one).checked_mul(i128::from(other))?;
                sum = sum.checked_add(product.checked_mul(weight)?)?;
                weights = weights.checked_add(weight)?;
                count += 1;
            }
            weight = div_half_even(
                weight.checked_mul(i128::from(lambda.0.clamp(0, Ppm::ONE.0)))?,
                i128::from(Ppm::ONE.0),
            )?;
        }
        let mean = div_half_even(sum, weights)?;
        let day = mean.checked_mul(i128::from(DAY))?;
        Some((div_half_even(day, i128::from(self.interval.0))?, count))
    }

    /// Losses of `exposures` (asset, signed value) on every kept row that has all of them, oldest first, exact.
    ///
    /// `None` when an exposed asset is not kept, or an amount does not fit.
    #[must_use]
    pub fn losses(&self, exposures: &[(Asset, Decimal)]) -> Option<Vec<Decimal>> {
        let mut columns = Vec::with_capacity(exposures.len());
        for (asset, value) in exposures {
            columns.push((
                self.assets.iter().position(|own| own == asset)?,
                Money(*value),
            ));
        }
        let mut losses = Vec::with_capacity(self.rows.len());
        for row in &self.rows {
            let mut loss = Some(Money::ZERO);
            for (at, value) in &columns {
                let Some(ppb) = row.get(*at).copied().flatten() else {
                    loss = None;
                    break;
                };
                let change = value.mul(Money(Decimal::new(ppb, RETURN_DECIMALS))).ok()?;
                loss = Some(loss?.sub(change).ok()?);
            }
            losses.extend(loss.map(|loss| loss.0));
        }
        Some(losses)
    }

    /// Both figures of a portfolio with EWMA and history, the larger of each (AT-12, AT-13). A shorter interval's losses are
    /// scaled by the root of time, as its covariance is by time.
    ///
    /// `None` when an exposed asset has fewer than `observations_min` returns or a sum does not fit: the caller fails closed.
    #[must_use]
    pub fn estimate(
        &self,
        exposures: &[(Asset, Decimal)],
        lambda: Ppm,
        observations_min: usize,
    ) -> Option<VarEstimate> {
        if exposures.iter().all(|(_, value)| value.is_zero()) {
            return Some(VarEstimate {
                var99: Decimal::ZERO,
                es975: Decimal::ZERO,
                deviation: Decimal::ZERO,
                observations: self.rows.len(),
            });
        }
        let deviation = self
            .covariance(lambda, observations_min)?
            .deviation(exposures)?;
        let mut losses = self.losses(exposures)?;
        let past_var = historical(&mut losses, Confidence::P99)?;
        let past_es = historical(&mut losses, Confidence::P975)?;
        let root = self.root_of_time();
        let larger = |factor: Decimal, past: Decimal| {
            let one = Money(Decimal::ONE);
            let parametric = Money(deviation).mul_div_ceil(Money(factor), one, VALUE_DECIMALS);
            let past = Money(past).mul_div_ceil(Money(root), one, VALUE_DECIMALS);
            let larger = parametric.ok()?.0.max(past.ok()?.0).max(Decimal::ZERO);
            Some(larger.normalize())
        };
        Some(VarEstimate {
            var99: larger(Z_99, past_var.var)?,
            es975: larger(ES_975, past_es.es)?,
            deviation,
            observations: past_var.observations,
        })
    }

    /// Root of the intervals a day, rounded down at six decimals.
    fn root_of_time(&self) -> Decimal {
        let squared = (u128::from(DAY) * 1_000_000_000_000).div_euclid(u128::from(self.interval.0));
        i64::try_from(squared.isqrt()).map_or(Decimal::ONE, |root| Decimal::new(root, 6))
    }
}

/// `newest / opened - 1` in parts per billion, half to even, cut at ±200 %; `None` when it does not fit.
fn return_ppb(opened: Decimal, newest: Decimal) -> Option<i64> {
    let change = Money(newest).sub(Money(opened)).ok()?;
    let ratio = change.div_half_even(Money(opened), RETURN_DECIMALS).ok()?;
    let mantissa = i64::try_from(ratio.0.mantissa()).ok()?;
    Some(mantissa.clamp(-RETURN_PPB_MAX, RETURN_PPB_MAX))
}
