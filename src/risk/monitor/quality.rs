//! AT-21 and AT-22: prices worse than decided, sets that earn less than expected, by strategy.

use std::collections::{BTreeMap, VecDeque};

use rust_decimal::Decimal;

use crate::market::Instrument;
use crate::risk::{ControlLimits, KillLevel, Scope};
use crate::trade::{FillFacts, SetFacts, StrategyId};
use crate::units::{Money, Ppm, Side};

use super::Monitor;
use super::exposure::{over, ratio};
use super::judge::{Reading, Tier};
use super::rows::Control;

/// One strategy's last fills and sets.
#[derive(Debug, Default)]
struct Record {
    /// Slippage of a fill as a ratio; positive is worse.
    slips: VecDeque<Decimal>,
    /// Realized and expected profit of a set.
    sets: VecDeque<(Decimal, Decimal)>,
}

/// All strategies' last fills and sets.
#[derive(Debug, Default)]
pub(super) struct QualityRecord(BTreeMap<StrategyId, Record>);

fn push<T>(queue: &mut VecDeque<T>, item: T, most: u32) {
    queue.push_back(item);
    while queue.len() > usize::try_from(most).unwrap_or(usize::MAX) {
        queue.pop_front();
    }
}

impl QualityRecord {
    /// Keeps the slippage of a fill that has a decision behind it.
    pub(super) fn on_fill(
        &mut self,
        facts: &FillFacts,
        instrument: &Instrument,
        limits: &ControlLimits,
    ) {
        let (Some(strategy), Some(decided)) = (facts.fill.strategy, facts.decision_price) else {
            return;
        };
        let grid = instrument.grid;
        let decided = grid.price_decimal(decided);
        let paid = grid.price_decimal(facts.fill.price).saturating_sub(decided);
        let Some(change) = over(paid, decided) else {
            return;
        };
        let slip = if facts.fill.side == Side::Buy {
            change
        } else {
            -change
        };
        let record = self.0.entry(strategy).or_default();
        push(&mut record.slips, slip, limits.slippage_fills);
    }
    /// Keeps the profit of a set that has an expectation.
    pub(super) fn on_set(&mut self, facts: &SetFacts, limits: &ControlLimits) {
        if let (Some(realized), Some(expected)) = (facts.realized, facts.expected) {
            let record = self.0.entry(facts.strategy).or_default();
            push(&mut record.sets, (realized, expected), limits.quality_sets);
        }
    }
}

/// A ratio in basis points.
fn in_bps(ppm: Ppm) -> Decimal {
    Decimal::new(ppm.0, 2)
}

impl Monitor {
    /// AT-21 and AT-22 of one strategy, once there are enough fills and sets.
    pub(super) fn read_quality(&self, strategy: StrategyId, out: &mut Vec<Reading>) {
        let own = &self.limits.controls;
        let Some(record) = self.quality.0.get(&strategy) else {
            return;
        };
        let scope = Scope::Strategy(strategy);
        let full = |length: usize, wanted: u32| u32::try_from(length).is_ok_and(|it| it >= wanted);
        if full(record.slips.len(), own.slippage_fills) {
            let sum: Decimal = record.slips.iter().sum();
            let mean = over(sum, Decimal::from(record.slips.len()));
            let bps = mean.and_then(|mean| mean.checked_mul(Decimal::from(10_000_u32)));
            let reading = Reading::new(
                Control::Slippage,
                scope,
                bps,
                Tier::latched(in_bps(own.slippage_max), KillLevel::ReduceOnly),
            );
            out.push(reading.warns_at(in_bps(own.slippage_warn)));
        }
        if full(record.sets.len(), own.quality_sets) {
            let sum = |pick: fn(&(Decimal, Decimal)) -> Decimal| {
                record
                    .sets
                    .iter()
                    .map(pick)
                    .try_fold(Money::ZERO, |sum, one| sum.add(Money(one)).ok())
            };
            let share = sum(|set| set.0)
                .zip(sum(|set| set.1))
                .and_then(|(realized, expected)| over(realized.0, expected.0));
            let reading = Reading::new(
                Control::FillQuality,
                scope,
                share,
                Tier::latched(ratio(own.quality_min), KillLevel::ReduceOnly),
            );
            out.push(reading.warns_at(ratio(own.quality_warn)));
        }
    }
}
