//! Forced closes as the monitor runs them: one live close an instrument, fed with what the monitor knows.

use std::sync::Arc;

use crate::market::{Instrument, InstrumentId};
use crate::risk::unwind::{
    Allowance, Close, CloseEstimate, CloseQuote, MARK_AGE_MAX, Situation, qty_amount,
};
use crate::risk::{
    AlertKind, Amount, CloseCause, CloseIntent, CloseState, KillLevel, RiskOutput, Scope, Severity,
};
use crate::trade::{PositionSnapshot, StrategyId};
use crate::units::{MonoNanos, Price, Qty, Side};

use super::{Monitor, alert, pairs};

impl Monitor {
    /// Postconditions of a fill of a forced close (2.7 rule 14): it may not flip and may not enlarge. Other fills of the same
    /// moment (venue-originated, or of orders sent before) are taken out first, so that they explain themselves.
    pub(super) fn check_close_fill(
        &mut self,
        before: &PositionSnapshot,
        after: &PositionSnapshot,
        now: MonoNanos,
        out: &mut Vec<RiskOutput>,
    ) {
        let closed = after.unwind_filled.0 - before.unwind_filled.0;
        if closed <= 0 {
            if after.qty != before.qty {
                // Rule 11: a venue-originated or manual close, or a late fill of an earlier order.
                self.with_close(before.instrument, now, |close, situation| {
                    close.on_foreign(situation);
                });
            }
            return;
        }
        let Some(close) = self
            .watches
            .get(before.instrument.index())
            .and_then(|watch| watch.close.as_ref())
        else {
            return;
        };
        let sign = close.closing_sign(before.qty);
        // The position as the close's fill found it.
        let found = i128::from(after.qty.0) + i128::from(sign) * i128::from(closed);
        let flipped = found * i128::from(sign) < i128::from(closed);
        if !flipped {
            return;
        }
        let scope = Scope::Instrument(before.instrument);
        let explained = found != i128::from(before.qty.0) || close.foreign_seen();
        self.people
            .note(AlertKind::ClosePostcondition, scope, true, now);
        out.push(alert(
            AlertKind::ClosePostcondition,
            Severity::Critical,
            scope,
            None,
            true,
            now,
        ));
        if explained {
            // Stop, ask the venue, size again.
            self.with_close(before.instrument, now, |close, situation| {
                close.on_foreign(situation);
            });
        } else {
            self.halt(
                "2.7-14",
                "a forced close flipped or enlarged the position",
                now,
                out,
            );
        }
    }

    /// Why a position is closed: the value that crossed a limit.
    pub(super) fn begin_close(
        &mut self,
        instrument: &Instrument,
        trigger: Trigger,
        now: MonoNanos,
        out: &mut Vec<RiskOutput>,
    ) {
        let target = trigger.target;
        let estimate = self.estimate(instrument, target, now);
        let Some(watch) = self.watches.get_mut(instrument.id.index()) else {
            return;
        };
        let position = watch.qty();
        if let Some(close) = watch.close.as_mut() {
            if target >= close.intent().target {
                return;
            }
            close.merge(target, estimate, out);
            return self.close_counterparts(instrument, &trigger, now, out);
        }
        let halted = self.levels.of_instrument(instrument) == KillLevel::Halt;
        if position.abs() <= target || watch.resting == Some(position) || halted {
            return;
        }
        watch.resting = None;
        let set = self.numbers.next_set();
        let intent = CloseIntent {
            set,
            instrument: instrument.id,
            cause: trigger.cause,
            limit: trigger.limit,
            value: trigger.value,
            position,
            target,
            at: now,
            estimate,
        };
        let Some(situation) = self.situation(instrument, now) else {
            return;
        };
        let said = out.len();
        let close = Close::start(intent, &situation, out);
        self.people
            .on_close_said(out.get(said..).unwrap_or_default(), now);
        if let Some(watch) = self.watches.get_mut(instrument.id.index()) {
            watch.close = Some(close);
        }
        self.close_counterparts(instrument, &trigger, now, out);
    }

    /// K3 on any scope that covers the position, strategies included.
    pub(super) fn flatten(
        &mut self,
        instrument: &Instrument,
        now: MonoNanos,
        out: &mut Vec<RiskOutput>,
    ) {
        let watch = self.watches.get(instrument.id.index());
        let position = watch.map_or(Qty::ZERO, super::Watch::qty);
        let gone = watch.is_none_or(|watch| watch.close.is_none());
        let cooldown = self.limits.cooldown;
        self.view_changed |=
            self.levels
                .settle(pairs::cause(instrument.id), gone, cooldown, now, out);
        if self.close_level(instrument) != KillLevel::Flatten {
            return;
        }
        let trigger = Trigger {
            cause: CloseCause::KillFlatten,
            target: Qty::ZERO,
            value: qty_amount(position, instrument),
            limit: qty_amount(Qty::ZERO, instrument),
        };
        self.begin_close(instrument, trigger, now, out);
    }

    /// With the instruments of each strategy, by strategy id: K3 on a strategy closes the positions in them.
    #[must_use]
    pub fn with_strategies(mut self, instruments: Vec<Vec<InstrumentId>>) -> Self {
        self.strategy_instruments = instruments;
        self
    }

    /// Highest level that covers a position. The ledger keeps one position an instrument, not one a strategy: a strategy's
    /// K3 covers the positions of every instrument it trades, those that another strategy built there included.
    pub(super) fn close_level(&self, instrument: &Instrument) -> KillLevel {
        let level = self.levels.of_instrument(instrument);
        let flattened = (0_u8..).zip(&self.strategy_instruments).any(|(id, own)| {
            own.contains(&instrument.id)
                && self.levels.of_strategy(StrategyId(id)) == KillLevel::Flatten
        });
        if flattened {
            level.max(KillLevel::Flatten)
        } else {
            level
        }
    }

    /// What closing to a target would cost by the book now.
    pub(super) fn estimate(
        &self,
        instrument: &Instrument,
        target: Qty,
        now: MonoNanos,
    ) -> Option<CloseEstimate> {
        let watch = self.watches.get(instrument.id.index())?;
        let position = watch.qty();
        let taker = Side::reducing(position)?;
        let qty = Qty((position.abs().0 - target.0).max(0));
        let depth = watch.depth(&self.limits, now)?;
        CloseEstimate::of(depth, taker, qty, instrument)
    }

    pub(super) fn situation<'a>(
        &'a self,
        instrument: &'a Instrument,
        now: MonoNanos,
    ) -> Option<Situation<'a>> {
        let watch = self.watches.get(instrument.id.index())?;
        let own = CloseQuote::of(
            watch.mark.as_ref(),
            watch.last_mid(),
            None,
            &self.limits,
            now,
        );
        Some(Situation {
            instrument,
            limits: &self.limits,
            slice: self
                .own_limits(instrument.id)
                .map_or(instrument.qty_max, |own| {
                    own.order_qty_max.min(instrument.qty_max)
                }),
            position: watch.qty(),
            unwind_filled: watch
                .position
                .map_or(Qty::ZERO, |position| position.unwind_filled),
            open: watch.open,
            quote: own.or_else(|| {
                let elsewhere = self.mid_elsewhere(instrument, now);
                CloseQuote::of(None, None, elsewhere, &self.limits, now)
            }),
            depth: watch.depth(&self.limits, now),
            venue: self.heard.venue(instrument.venue),
            level: self.close_level(instrument),
            pair: Allowance::Free,
            now,
        })
    }

    /// Rule 9b: the median of the mids of the same symbol at other venues, none older than a minute. Of an even number the
    /// middle two, averaged and floored.
    fn mid_elsewhere(&self, instrument: &Instrument, now: MonoNanos) -> Option<Price> {
        let mut mids: Vec<i64> = self
            .catalogue
            .all()
            .iter()
            .zip(&self.watches)
            .filter(|(other, _)| {
                other.symbol == instrument.symbol
                    && other.id != instrument.id
                    && other.grid == instrument.grid
            })
            .filter_map(|(_, watch)| watch.last_mid())
            .filter(|(_, at)| now.since(*at) <= MARK_AGE_MAX)
            .map(|(price, _)| price.0)
            .collect();
        mids.sort_unstable();
        let upper = mids.get(mids.len().div_euclid(2))?;
        let lower = mids.get(mids.len().saturating_sub(1).div_euclid(2))?;
        Some(Price(lower.checked_add(*upper)?.div_euclid(2)))
    }

    pub(super) fn with_close(
        &mut self,
        id: InstrumentId,
        now: MonoNanos,
        act: impl FnOnce(&mut Close, &Situation<'_>),
    ) {
        let catalogue = Arc::clone(&self.catalogue);
        let Some(instrument) = catalogue.get(id) else {
            return;
        };
        let Some(mut close) = self
            .watches
            .get_mut(id.index())
            .and_then(|watch| watch.close.take())
        else {
            return;
        };
        if let Some(mut situation) = self.situation(instrument, now) {
            situation.pair = self.pair_allowance(instrument, &close, &situation);
            act(&mut close, &situation);
        }
        if let Some(watch) = self.watches.get_mut(id.index()) {
            watch.close = Some(close);
        }
    }

    /// Takes one close a step on, then the legs that may have waited for it.
    pub(super) fn step(&mut self, id: InstrumentId, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        let live = |monitor: &Self, id: InstrumentId| {
            let watch = monitor.watches.get(id.index());
            watch.is_some_and(|watch| watch.close.is_some())
        };
        if !live(self, id) {
            return;
        }
        self.step_alone(id, now, out);
        let catalogue = Arc::clone(&self.catalogue);
        let Some(instrument) = catalogue.get(id) else {
            return;
        };
        for other in catalogue.all() {
            if other.symbol.base == instrument.symbol.base && other.id != id && live(self, other.id)
            {
                self.step_alone(other.id, now, out);
            }
        }
    }

    fn step_alone(&mut self, id: InstrumentId, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        let (mut numbers, said) = (self.numbers, out.len());
        self.with_close(id, now, |close, situation| {
            close.step(situation, &mut numbers, out);
        });
        self.people
            .on_close_said(out.get(said..).unwrap_or_default(), now);
        self.numbers = numbers;
        let Some(watch) = self.watches.get_mut(id.index()) else {
            return;
        };
        let ended = watch
            .close
            .as_ref()
            .is_some_and(|close| matches!(close.state(), CloseState::Ended(_)));
        if ended {
            watch.close = None;
            watch.resting = Some(watch.qty());
        }
    }
}

/// What starts a close.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trigger {
    pub(super) cause: CloseCause,
    pub(super) target: Qty,
    /// What was measured ...
    pub(super) value: Amount,
    /// ... and what it crossed.
    pub(super) limit: Amount,
}
