//! What the risk seat shows: exposure, profit, levels and limit use, for metrics and pages. A closed position shows zero,
//! an unpriceable one shows nothing, never zero.

use rust_decimal::Decimal;

use crate::market::InstrumentId;
use crate::risk::{Amount, CloseEstimate, CloseState, KillLevel, Scope};
use crate::units::{Money, MonoNanos, Qty};

use super::{Control, Monitor, RiskMetrics};

/// One instrument's numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InstrumentSnapshot {
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// Signed position in steps.
    pub qty: Qty,
    /// Signed position in base units or contracts.
    pub quantity: Decimal,
    /// Signed value at mid in the reporting currency; `None` when it cannot be told.
    pub value: Option<Decimal>,
    /// Unrealized profit and loss at mid; `None` when it cannot be told.
    pub unrealized_pnl: Option<Decimal>,
    /// Realized profit and loss, net of quote fees.
    pub realized_pnl: Decimal,
    /// Highest level over its scopes.
    pub level: KillLevel,
    /// The live forced close, if any.
    pub close: Option<CloseState>,
    /// What closing the position to flat would cost by the book now; `None` without a position or a fresh book.
    pub close_estimate: Option<CloseEstimate>,
}

/// One limit and how much of it is used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LimitUse {
    /// Row of the catalogue.
    pub row: &'static str,
    /// Fixed short word of the control.
    pub word: &'static str,
    /// Where.
    pub scope: Scope,
    /// Measured; `None` when it cannot be told.
    pub value: Option<Amount>,
    /// Limit.
    pub limit: Amount,
    /// The limit is a least value, not a largest.
    pub less_is_worse: bool,
}

/// All numbers of one instant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RiskSnapshot {
    /// When.
    pub at: MonoNanos,
    /// By instrument id.
    pub instruments: Vec<InstrumentSnapshot>,
    /// Gross absolute exposure of what can be valued, in the reporting currency.
    pub gross_exposure: Decimal,
    /// Positions that cannot be valued: the totals lack them.
    pub unpriced_count: usize,
    /// Level of the portfolio scope.
    pub portfolio_level: KillLevel,
    /// Every scope above Armed.
    pub levels: Vec<(Scope, KillLevel)>,
    /// AT-01 and AT-02 by instrument, PT-21d for the portfolio, then every other control by scope.
    pub limits: Vec<LimitUse>,
    /// Every stress scenario, by name.
    pub stress: Vec<(String, LimitUse)>,
    /// The figures of the whole.
    pub metrics: RiskMetrics,
}

impl Monitor {
    /// The numbers as they stand.
    #[must_use]
    pub fn snapshot(&self, now: MonoNanos) -> RiskSnapshot {
        let mut instruments = Vec::with_capacity(self.watches.len());
        let mut limits = Vec::new();
        let (mut gross, mut unpriced_count) = (Money::ZERO, 0);
        for (instrument, watch) in self.catalogue.all().iter().zip(&self.watches) {
            let value = watch.value();
            let unrealized = watch.unrealized();
            let flat = watch.qty().is_zero();
            match value.and_then(|value| gross.add(value.abs()).ok()) {
                Some(sum) => gross = sum,
                None => unpriced_count += 1,
            }
            let scope = Scope::Instrument(instrument.id);
            let decimals = instrument.grid.qty_decimals();
            if let Some(own) = self.own_limits(instrument.id) {
                limits.push(LimitUse {
                    row: Control::PositionQuantity.row(),
                    word: Control::PositionQuantity.word(),
                    scope,
                    value: Some(Amount::new(i128::from(watch.qty().0).abs(), decimals)),
                    limit: Amount::new(i128::from(own.position_qty_max.0), decimals),
                    less_is_worse: false,
                });
                let loss = if flat {
                    Some(Decimal::ZERO)
                } else {
                    unrealized.map(|pnl| (-pnl.0).max(Decimal::ZERO))
                };
                limits.push(LimitUse {
                    row: Control::UnrealizedLoss.row(),
                    word: Control::UnrealizedLoss.word(),
                    scope,
                    value: loss.map(Amount::of_decimal),
                    limit: Amount::of_decimal(self.limits.unrealized_loss_usd_max),
                    less_is_worse: false,
                });
            }
            instruments.push(InstrumentSnapshot {
                instrument: instrument.id,
                qty: watch.qty(),
                quantity: instrument.grid.qty_decimal(watch.qty()),
                value: value.map(|value| value.0),
                unrealized_pnl: if flat {
                    Some(Decimal::ZERO)
                } else {
                    unrealized.map(|pnl| pnl.0)
                },
                realized_pnl: watch
                    .position
                    .map_or(Decimal::ZERO, |position| position.realized_pnl),
                level: self.levels.of_instrument(instrument),
                close: watch.close.as_ref().map(crate::risk::unwind::Close::state),
                close_estimate: self.estimate(instrument, Qty::ZERO, now),
            });
        }
        limits.push(self.gross_use(gross, unpriced_count == 0));
        limits.extend(self.judged.uses());
        RiskSnapshot {
            metrics: self.metrics(now),
            stress: self.stress_uses(),
            at: now,
            instruments,
            gross_exposure: gross.0,
            unpriced_count,
            portfolio_level: self.levels.of_scope(Scope::Portfolio),
            levels: self.levels.raised(),
            limits,
        }
    }

    /// PT-21d: gross value of the portfolio.
    fn gross_use(&self, gross: Money, complete: bool) -> LimitUse {
        LimitUse {
            row: "PT-21d",
            word: "gross_notional",
            scope: Scope::Portfolio,
            value: complete.then(|| Amount::of_decimal(gross.0)),
            limit: Amount::of_decimal(self.limits.notional_usd_max_gross),
            less_is_worse: false,
        }
    }
}
