//! Forced closes as the monitor runs them: one live close an instrument, fed with what the monitor knows.

use std::sync::Arc;

use crate::market::{Instrument, InstrumentId};
use crate::risk::unwind::{Close, CloseQuote, Situation};
use crate::risk::{
    AlertKind, Amount, CloseCause, CloseIntent, CloseState, KillLevel, RiskOutput, Scope, Severity,
};
use crate::trade::PositionSnapshot;
use crate::units::{MonoNanos, Qty};

use super::{Monitor, alert};

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
        let explained = found != i128::from(before.qty.0);
        out.push(alert(
            AlertKind::ClosePostcondition,
            Severity::Critical,
            scope,
            None,
            true,
            now,
        ));
        if !explained {
            self.halt(
                "2.7-14",
                "a forced close flipped or enlarged the position",
                now,
                out,
            );
        }
    }

    #[expect(clippy::too_many_arguments, reason = "a trigger and its evidence")]
    pub(super) fn begin_close(
        &mut self,
        instrument: &Instrument,
        cause: CloseCause,
        target: Qty,
        value: Amount,
        limit: Amount,
        now: MonoNanos,
        out: &mut Vec<RiskOutput>,
    ) {
        let index = instrument.id.index();
        let Some(watch) = self.watches.get_mut(index) else {
            return;
        };
        let position = watch.qty();
        if let Some(close) = watch.close.as_mut() {
            return close.merge(target, out);
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
            cause,
            limit,
            value,
            position,
            target,
            at: now,
        };
        let Some(situation) = self.situation(instrument, now) else {
            return;
        };
        let close = Close::start(intent, &situation, out);
        if let Some(watch) = self.watches.get_mut(index) {
            watch.close = Some(close);
        }
    }

    pub(super) fn situation<'a>(
        &'a self,
        instrument: &'a Instrument,
        now: MonoNanos,
    ) -> Option<Situation<'a>> {
        let watch = self.watches.get(instrument.id.index())?;
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
            quote: CloseQuote::of(watch.mark.as_ref(), watch.last_mid(), &self.limits, now),
            halted: self.levels.of_instrument(instrument) == KillLevel::Halt,
            now,
        })
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
        if let Some(situation) = self.situation(instrument, now) {
            act(&mut close, &situation);
        }
        if let Some(watch) = self.watches.get_mut(id.index()) {
            watch.close = Some(close);
        }
    }

    pub(super) fn step(&mut self, id: InstrumentId, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        let mut numbers = self.numbers;
        self.with_close(id, now, |close, situation| {
            close.step(situation, &mut numbers, out);
        });
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
