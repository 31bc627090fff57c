//! AT-03 to AT-06: losses of sets, symbols, strategies, venues and the whole, and the fall from the high-water mark.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::market::{Symbol, VenueId};
use crate::risk::stats::{Drawdown, LossWindow};
use crate::risk::{KillLevel, LossPoint, RiskOutput, Scope, Spent};
use crate::trade::{SetFacts, StrategyId};
use crate::units::{MonoNanos, Nanos, Ppm, UnixNanos};

use super::Monitor;
use super::exposure::ratio;
use super::judge::{Reading, Tier};
use super::kept::Kept;
use super::rows::Control;

/// Memory of a loss window: one value a minute.
pub(super) const STEP: Nanos = Nanos::from_secs(60);

/// Value of a unit and its losses.
#[derive(Debug)]
pub(super) struct Unit {
    pub(super) value: Drawdown,
    pub(super) window: LossWindow,
}

/// What losses are measured with.
#[derive(Debug, Default)]
pub(super) struct Losses {
    pub(super) portfolio: Option<Unit>,
    pub(super) venues: BTreeMap<VenueId, Unit>,
    /// Profit of ended sets since the session began, and its window over the equity at the first of them.
    pub(super) strategies: BTreeMap<StrategyId, (Decimal, LossWindow)>,
    pub(super) symbols: BTreeMap<Symbol, LossWindow>,
    /// Largest fall from the high-water mark so far.
    pub(super) worst_drawdown: Option<Decimal>,
    /// What survives a restart.
    pub(super) kept: Kept,
}

impl Losses {
    /// A baseline of one of its instruments came: what stood before is not a loss of this session.
    pub(super) fn forget_symbol(&mut self, symbol: Symbol) {
        self.symbols.remove(&symbol);
    }

    /// Profits of symbols and strategies at one instant of an earlier session.
    pub(super) fn restore_sums(&mut self, point: &LossPoint) {
        for (symbol, profit) in &point.symbols {
            let window = self.symbols.entry(*symbol);
            let window = window.or_insert_with(|| LossWindow::new(STEP));
            window.on_value(*profit, point.at);
        }
        for (strategy, begun, sum) in &point.strategies {
            let entry = self.strategies.entry(*strategy);
            let (newest, window) = entry.or_insert_with(|| {
                let mut window = LossWindow::new(STEP);
                window.on_value(*begun, point.at);
                (*sum, window)
            });
            *newest = *sum;
            window.on_value(*sum, point.at);
        }
    }

    /// Unit value, high-water mark and drawdown of the whole.
    pub(super) fn nav(&self) -> Option<(Decimal, Decimal, Decimal)> {
        let unit = self.portfolio.as_ref()?;
        let nav = unit.value.nav().ok()?.0;
        Some((
            nav,
            unit.value.high_water_mark(),
            unit.value.drawdown().ok()?,
        ))
    }
}

/// A new equity for one unit; a new unit at the first one above zero.
fn note(slot: &mut Option<Unit>, equity: Decimal, time: UnixNanos) {
    match slot {
        None => {
            if let Ok(value) = Drawdown::new(equity) {
                *slot = Some(Unit {
                    value,
                    window: LossWindow::new(STEP),
                });
            }
        }
        Some(unit) => {
            if unit.value.on_equity(equity).is_err() {
                return;
            }
        }
    }
    if let Some(unit) = slot
        && let Ok(nav) = unit.value.nav()
    {
        unit.window.on_value(nav.0, time);
    }
}

impl Monitor {
    /// A new valuation of everything.
    pub(super) fn note_equity(
        &mut self,
        equities: &[Option<Decimal>],
        whole: Option<Decimal>,
        now: MonoNanos,
    ) {
        if !self.resume_units(equities, whole, now) {
            return;
        }
        let time = self.unix(now);
        if let Some(whole) = whole {
            note(&mut self.losses.portfolio, whole, time);
            if let Some((_, _, fall)) = self.losses.nav() {
                let worst = self.losses.worst_drawdown.unwrap_or_default().max(fall);
                self.losses.worst_drawdown = Some(worst);
            }
        }
        for (venue, equity) in (0_u8..).map(VenueId).zip(equities) {
            if let Some(equity) = equity {
                let mut slot = self.losses.venues.remove(&venue);
                note(&mut slot, *equity, time);
                if let Some(unit) = slot {
                    self.losses.venues.insert(venue, unit);
                }
            }
        }
    }

    /// Money came in or went out: units are bought or sold at their value, so that it is neither profit nor loss (V34).
    pub(super) fn note_flow(&mut self, venue: VenueId, value: Decimal) {
        // All of it taken out, or nothing there before: the next equity above zero begins anew.
        if let Some(unit) = self.losses.venues.get_mut(&venue)
            && unit.value.on_flow(value).is_err()
        {
            self.losses.venues.remove(&venue);
        }
        if let Some(unit) = self.losses.portfolio.as_mut()
            && unit.value.on_flow(value).is_err()
        {
            self.losses.portfolio = None;
        }
    }

    /// Profit of one symbol so far.
    pub(super) fn note_symbol(&mut self, symbol: Symbol, now: MonoNanos) {
        let mut sum = Some(Decimal::ZERO);
        for (instrument, watch) in self.catalogue.all().iter().zip(&self.watches) {
            if instrument.symbol == symbol {
                let open = watch.unrealized();
                let realized = watch
                    .position
                    .map_or(Decimal::ZERO, |position| position.realized_pnl);
                sum = sum
                    .and_then(|sum| sum.checked_add(realized))
                    .and_then(|sum| sum.checked_add(open?.0));
            }
        }
        let time = self.unix(now);
        if let Some(sum) = sum {
            self.losses
                .symbols
                .entry(symbol)
                .or_insert_with(|| LossWindow::new(STEP))
                .on_value(sum, time);
        }
    }

    /// AT-03 and the strategy's part of AT-05: a set ended.
    pub(super) fn note_set(&mut self, set: &SetFacts, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        let Some(realized) = set.realized else { return };
        let scope = Scope::Strategy(set.strategy);
        let limit = self.limits.controls.plan_loss_usd_max;
        let loss = (-realized).max(Decimal::ZERO);
        let tier = Tier::auto(limit, KillLevel::Armed);
        self.judge(
            &Reading::new(Control::PlanLoss, scope, Some(loss), tier),
            now,
            out,
        );
        let time = self.unix(now);
        let equity = self.equity.1;
        if let Some(equity) = equity.filter(|equity| *equity > Decimal::ZERO) {
            let (sum, window) = self
                .losses
                .strategies
                .entry(set.strategy)
                .or_insert_with(|| {
                    let mut window = LossWindow::new(STEP);
                    window.on_value(equity, time);
                    (equity, window)
                });
            *sum = sum.saturating_add(realized);
            window.on_value(*sum, time);
        }
        self.losses.kept.moved = true;
        let mut readings = Vec::new();
        self.read_strategy_loss(set.strategy, &mut readings);
        self.judge_all(&readings, now, out);
    }

    fn loss_tiers(&self, limit: Ppm) -> [Option<Tier>; 2] {
        let limit = ratio(limit);
        let hard = limit.saturating_mul(ratio(self.limits.controls.loss_flatten));
        [
            Tier::latched(limit, KillLevel::ReduceOnly),
            Tier::latched(hard, KillLevel::Flatten),
        ]
    }

    fn scope_loss(&self, scope: Scope, window: &LossWindow, limit: Ppm) -> Option<Reading> {
        let loss = window.worst()?.ratio()?.max(Decimal::ZERO);
        let mut reading = Reading::new(Control::ScopeLoss, scope, Some(loss), None);
        reading.tiers = self.loss_tiers(limit);
        Some(reading)
    }

    fn read_strategy_loss(&self, strategy: StrategyId, out: &mut Vec<Reading>) {
        let Some((_, window)) = self.losses.strategies.get(&strategy) else {
            return;
        };
        let limit = self.limits.controls.strategy_loss_max;
        out.extend(self.scope_loss(Scope::Strategy(strategy), window, limit));
    }

    /// AT-05 of venues and the whole.
    pub(super) fn read_scope_losses(&self, out: &mut Vec<Reading>) {
        let own = &self.limits.controls;
        for (venue, unit) in &self.losses.venues {
            out.extend(self.scope_loss(Scope::Venue(*venue), &unit.window, own.venue_loss_max));
        }
        if let Some(unit) = &self.losses.portfolio {
            out.extend(self.scope_loss(Scope::Portfolio, &unit.window, own.portfolio_loss_max));
        }
    }

    /// AT-06.
    pub(super) fn read_drawdown(&self, out: &mut Vec<Reading>) {
        let Some((_, _, fall)) = self.losses.nav() else {
            return;
        };
        let own = &self.limits.controls;
        let reading = Reading::new(
            Control::Drawdown,
            Scope::Portfolio,
            Some(fall),
            Tier::latched(ratio(own.drawdown_max), KillLevel::ReduceOnly),
        )
        .then(Tier::latched(
            ratio(own.drawdown_flatten),
            KillLevel::Flatten,
        ))
        .warns_at(ratio(own.drawdown_warn));
        out.push(reading);
    }

    /// AT-04 of one symbol.
    pub(super) fn read_symbol_loss(&self, symbol: Symbol, out: &mut Vec<Reading>) {
        let Some(loss) = self
            .losses
            .symbols
            .get(&symbol)
            .and_then(LossWindow::rolling)
        else {
            return;
        };
        let limit = self.limits.controls.symbol_loss_usd_max;
        out.push(Reading::new(
            Control::SymbolLoss,
            Scope::Symbol(symbol),
            Some(loss.amount.max(Decimal::ZERO)),
            Tier::latched(limit, KillLevel::ReduceOnly),
        ));
    }

    /// The loss budget of one of these scopes that is used up (PT-50).
    pub(super) fn spent(&self, scopes: &[(Control, Scope)]) -> Option<Spent> {
        scopes.iter().find_map(|(control, scope)| {
            let (value, limit) = self.judged.over(*control, *scope)?;
            Some(Spent {
                value: crate::risk::Amount::of_decimal(value),
                limit: crate::risk::Amount::of_decimal(limit),
            })
        })
    }
}
