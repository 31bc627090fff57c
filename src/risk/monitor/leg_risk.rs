//! AT-15-risk: how much of its sets a strategy leaves unhedged for how long, in quote-seconds. The desk measures each set; here
//! one open set stands against its own budget, and all of an hour against the strategy's.

use std::collections::{BTreeMap, VecDeque};

use rust_decimal::Decimal;

use crate::risk::{KillLevel, Scope};
use crate::trade::{LegRiskFacts, SetId, StrategyId};
use crate::units::{MonoNanos, Nanos};

use super::Monitor;
use super::exposure::over;
use super::judge::{Reading, Tier};
use super::rows::Control;

/// The window of a strategy's budget.
const HOUR: Nanos = Nanos::from_secs(3_600);
/// Ended sets remembered a strategy; beyond it two are counted as one that ended later.
const SETS_MAX: usize = 4_096;

#[derive(Debug, Default)]
struct Record {
    /// Open sets over their budget: what they have and may have.
    open: BTreeMap<SetId, (Decimal, Decimal)>,
    /// Ended sets of the last hour.
    ended: VecDeque<(MonoNanos, Decimal)>,
}

/// All strategies' quote-seconds.
#[derive(Debug, Default)]
pub(super) struct LegRisks(BTreeMap<StrategyId, Record>);

impl LegRisks {
    pub(super) fn on_fact(&mut self, facts: &LegRiskFacts, now: MonoNanos) {
        let record = self.0.entry(facts.strategy).or_default();
        if !facts.ended {
            if let Some(max) = facts.quote_seconds_max {
                record.open.insert(facts.set, (facts.quote_seconds, max));
            }
            return;
        }
        record.open.remove(&facts.set);
        record.ended.push_back((now, facts.quote_seconds));
        if record.ended.len() > SETS_MAX
            && let Some((_, oldest)) = record.ended.pop_front()
            && let Some((_, next)) = record.ended.front_mut()
        {
            *next = next.saturating_add(oldest);
        }
    }

    /// The larger share of a budget; `None` when nothing was told.
    fn share(
        &mut self,
        strategy: StrategyId,
        hour_max: Decimal,
        now: MonoNanos,
    ) -> Option<Decimal> {
        let record = self.0.get_mut(&strategy)?;
        while record
            .ended
            .front()
            .is_some_and(|(at, _)| now.since(*at) >= HOUR)
        {
            record.ended.pop_front();
        }
        let open = record.open.values();
        let sum = record
            .ended
            .iter()
            .map(|(_, value)| *value)
            .chain(open.clone().map(|(value, _)| *value))
            .try_fold(Decimal::ZERO, Decimal::checked_add)?;
        open.filter_map(|(value, max)| over(*value, *max))
            .chain(over(sum, hour_max))
            .max()
    }
}

impl Monitor {
    pub(super) fn read_leg_risk(
        &mut self,
        facts: &LegRiskFacts,
        now: MonoNanos,
        out: &mut Vec<Reading>,
    ) {
        self.leg_risks.on_fact(facts, now);
        let strategy = facts.strategy;
        let hour_max = self.limits.controls.leg_risk_quote_s_max;
        let share = self.leg_risks.share(strategy, hour_max, now);
        let reading = Reading::new(
            Control::LegRisk,
            Scope::Strategy(strategy),
            share,
            Tier::latched(Decimal::ONE, KillLevel::ReduceOnly),
        );
        out.push(reading.then(Tier::latched(Decimal::TWO, KillLevel::Flatten)));
    }
}
