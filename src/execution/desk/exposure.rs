//! How much of each set is unhedged, for how long: its leg-risk budget in quote-seconds.
//!
//! What is unhedged is valued at the prices that the set was decided with. A set over its budget goes to the resolver at once
//! (what has not left is skipped, its deadline is now), people are told, and the risk seat is told what to stop.

use rust_decimal::Decimal;

use crate::trade::{Fact, LegRiskFacts, SetId, StrategyId};
use crate::units::{Money, MonoNanos, Nanos, Price};

use super::super::amounts::BaseQty;
use super::super::cycle::AssetQty;
use super::super::legs::{LegSet, Phase, SetEnd};
use super::super::output::{DeskAlertKind, DeskOutput};
use super::Desk;

/// How much of a strategy's sets may be unhedged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LegBudget {
    /// Unhedged value in the quote (or start) asset.
    pub unhedged_max: Decimal,
    /// For how long. A set's budget is the product of the two: half as much may be unhedged for twice as long.
    pub unhedged_span: Nanos,
    /// Remainders carried on may be worth this much; beyond it people are told.
    pub dust_max: Decimal,
}

impl LegBudget {
    /// One set's budget in quote-seconds; `None` when it does not fit.
    #[must_use]
    pub fn quote_seconds(&self) -> Option<Decimal> {
        let span = Decimal::try_from_i128_with_scale(i128::from(self.unhedged_span.0), 9).ok()?;
        self.unhedged_max.checked_mul(span)
    }
}

/// What one set had unhedged so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Exposure {
    /// Now, in the quote asset; not known: as it was.
    value: Decimal,
    /// Since when it is that much.
    since: Option<MonoNanos>,
    /// Value times nanoseconds.
    total: Decimal,
    /// How long there was any.
    pub span: Nanos,
    /// Whole budgets that it has used up, as told.
    told: u32,
    /// What of `total` was counted at an earlier end, in quote-seconds.
    counted: Decimal,
}

impl Exposure {
    fn advance(&mut self, value: Option<Decimal>, now: MonoNanos) {
        let span = self.since.map_or(Nanos(0), |since| now.since(since));
        if !self.value.is_zero() {
            self.span = Nanos(self.span.0.saturating_add(span.0));
            let more = self.value.saturating_mul(Decimal::from(span.0));
            self.total = self.total.saturating_add(more);
        }
        self.since = Some(now);
        self.value = value.unwrap_or(self.value);
    }
    /// The set is over: nothing adds up until a late fill opens it again. What it had since it was last over, in quote-seconds.
    fn end(&mut self) -> Decimal {
        let total = self.quote_seconds();
        let more = total.saturating_sub(self.counted);
        (self.value, self.since, self.counted) = (Decimal::ZERO, None, total);
        more
    }
    /// Value times time, in quote-seconds.
    #[must_use]
    pub fn quote_seconds(&self) -> Decimal {
        let second = Decimal::from(1_000_000_000_u32);
        self.total.checked_div(second).unwrap_or(Decimal::MAX)
    }
}

impl Desk {
    /// Budgets by strategy id; a strategy without one is not bounded.
    #[must_use]
    pub fn with_budgets(mut self, budgets: Vec<LegBudget>) -> Self {
        self.budgets = budgets;
        self
    }

    fn budget(&self, strategy: StrategyId) -> Option<LegBudget> {
        self.budgets.get(usize::from(strategy.0)).copied()
    }

    /// Counts what a set had unhedged until now; over its budget it must act at once.
    pub(super) fn note_exposure(&mut self, id: SetId, now: MonoNanos, out: &mut Vec<DeskOutput>) {
        let Some(set) = self.sets.get(&id) else {
            return;
        };
        if matches!(set.phase, Phase::Done(_)) {
            return;
        }
        let value = self.unhedged(set);
        let budget = self.budget(set.strategy);
        let most = budget.and_then(|budget| budget.quote_seconds());
        let Some(set) = self.sets.get_mut(&id) else {
            return;
        };
        set.exposure.advance(value, now);
        let total = set.exposure.quote_seconds();
        let used = most.map_or(0, |most| budgets_used(total, most));
        if used <= set.exposure.told {
            return;
        }
        let first = set.exposure.told == 0;
        set.exposure.told = used;
        set.deadline = set.deadline.min(now);
        let strategy = set.strategy;
        self.facts_due.push(Fact::LegRisk(LegRiskFacts {
            set: id,
            strategy,
            quote_seconds: total,
            quote_seconds_max: most,
            ended: false,
        }));
        if first {
            self.alert(DeskAlertKind::LegRisk, None, Some(id), None, now, out);
        }
    }

    /// A set ended: what it had unhedged counts for its strategy's hour. What it carries may be too much for dust.
    pub(super) fn end_exposure(
        &mut self,
        id: SetId,
        end: SetEnd,
        now: MonoNanos,
        out: &mut Vec<DeskOutput>,
    ) {
        let Some(set) = self.sets.get_mut(&id) else {
            return;
        };
        let (strategy, total) = (set.strategy, set.exposure.end());
        let Some(set) = self.sets.get(&id) else {
            return;
        };
        let budget = self.budget(strategy);
        if !total.is_zero() {
            self.facts_due.push(Fact::LegRisk(LegRiskFacts {
                set: id,
                strategy,
                quote_seconds: total,
                quote_seconds_max: budget.and_then(|budget| budget.quote_seconds()),
                ended: true,
            }));
        }
        let too_much = |value: Decimal| budget.is_some_and(|budget| value > budget.dust_max);
        if end != SetEnd::Held && self.carried_value(set).is_some_and(too_much) {
            self.alert(DeskAlertKind::DustLarge, None, Some(id), None, now, out);
        }
    }

    /// What is unhedged of a set, in the quote asset of its first leg (a chain: in its start).
    fn unhedged(&self, set: &LegSet) -> Option<Decimal> {
        match &set.cycle {
            None => self.hedge_value(set, set.delta(&self.tracker)),
            Some(cycle) => (1..cycle.len())
                .map(|place| around_value(set, place, cycle.open(place)))
                .try_fold(Decimal::ZERO, |sum, one| sum.checked_add(one?)),
        }
    }

    /// Value of what this set's strategy carries in its assets.
    fn carried_value(&self, set: &LegSet) -> Option<Decimal> {
        let Some(cycle) = &set.cycle else {
            let carried = self.residual_of(set.id)?;
            return self.hedge_value(set, carried);
        };
        (1..cycle.len())
            .map(|place| {
                let key = (set.strategy, cycle.asset(place)?);
                let carried = self.dust.get(&key).copied().unwrap_or_default();
                around_value(set, place, carried)
            })
            .try_fold(Decimal::ZERO, |sum, one| sum.checked_add(one?))
    }

    fn hedge_value(&self, set: &LegSet, delta: BaseQty) -> Option<Decimal> {
        if delta == BaseQty(0) || set.legs.len() == 1 {
            return Some(Decimal::ZERO);
        }
        let leg = set.legs.first()?;
        let instrument = self.catalogue.get(leg.leg.instrument)?;
        let qty = delta.contracts_floor(leg.units);
        let value = leg.leg.decision_price.times(qty);
        let value = instrument.grid.notional_money(value)?;
        Some(value.mul(Money(instrument.multiplier)).ok()?.0)
    }
}

/// Whole budgets that are used up: 0 up to the budget itself.
fn budgets_used(total: Decimal, most: Decimal) -> u32 {
    use rust_decimal::prelude::ToPrimitive;
    if total <= most {
        return 0;
    }
    let times = total
        .checked_div(most)
        .and_then(|times| times.floor().to_u32());
    times.unwrap_or(u32::MAX)
}

/// Value of an amount of a chain's asset in its start, going on around the legs at the decided prices.
fn around_value(set: &LegSet, place: usize, amount: AssetQty) -> Option<Decimal> {
    let cycle = set.cycle.as_ref()?;
    let (mut at, mut amount) = (place, amount.0.saturating_abs());
    while at != 0 {
        let (hop, leg) = cycle.hop(at).zip(set.legs.get(at))?;
        let Price(price) = leg.leg.decision_price;
        amount = if cycle.asset(at) == Some(hop.base) {
            hop.quote_of(amount, 1, i128::from(price))?
        } else {
            hop.base_of(amount, 1, i128::from(price))?
        };
        at = cycle.after(at);
    }
    AssetQty(amount).decimal()
}
