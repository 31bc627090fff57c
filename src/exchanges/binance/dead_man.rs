//! The venue's dead-man switch, one an instrument: armed when orders can be placed, refreshed, off at a stop in order.
//!
//! A refresh arms it again as well: one that fired (the engine stood still, or maintenance ended) is armed by the next. What
//! was confirmed counts from the moment the request was sent: the venue cannot have started its countdown earlier.

use crate::exchanges::gateway::{DeadManTerms, GatewayOut};
use crate::market::InstrumentId;
use crate::trade::fact::DeadMan;
use crate::units::{MonoNanos, Nanos, UnixNanos};

use super::machine::{Asked, At, Machine, RequestKind};

/// A refresh that failed is tried again after this.
const RETRY: Nanos = Nanos::from_secs(1);

#[derive(Debug, Clone, Copy)]
struct Switch {
    instrument: InstrumentId,
    due_at: MonoNanos,
    /// When the refresh that was confirmed last was sent.
    confirmed_at: Option<MonoNanos>,
}

/// The switches of one venue.
#[derive(Debug)]
pub(super) struct Switches {
    terms: Option<DeadManTerms>,
    each: Vec<Switch>,
}

impl Switches {
    pub(super) fn new(
        terms: Option<DeadManTerms>,
        instruments: impl Iterator<Item = InstrumentId>,
    ) -> Self {
        let each = instruments.map(|instrument| Switch {
            instrument,
            due_at: MonoNanos(0),
            confirmed_at: None,
        });
        Self {
            terms,
            each: each.collect(),
        }
    }
    fn of(&mut self, instrument: InstrumentId) -> Option<&mut Switch> {
        self.each
            .iter_mut()
            .find(|switch| switch.instrument == instrument)
    }
    pub(super) fn on_answer(
        &mut self,
        instrument: InstrumentId,
        window: Nanos,
        sent_at: MonoNanos,
    ) {
        if let Some(switch) = self.of(instrument) {
            switch.confirmed_at = (window > Nanos::ZERO).then_some(sent_at);
        }
    }
    pub(super) fn on_failure(&mut self, instrument: InstrumentId, now: MonoNanos) {
        if let Some(switch) = self.of(instrument) {
            switch.due_at = now.after(RETRY);
        }
    }
    fn state(&self) -> DeadMan {
        let Some(terms) = self.terms else {
            return DeadMan::Off;
        };
        let oldest: Option<Vec<MonoNanos>> =
            self.each.iter().map(|switch| switch.confirmed_at).collect();
        match oldest.and_then(|times| times.into_iter().min()) {
            Some(refreshed_at) => DeadMan::Armed {
                refreshed_at,
                window: terms.window,
            },
            None => DeadMan::Off,
        }
    }
}

impl Machine {
    pub(crate) fn dead_man(&self) -> DeadMan {
        if self.endpoint(RequestKind::Countdown).is_none() {
            return DeadMan::Unsupported;
        }
        self.switches.state()
    }

    /// Arms and refreshes what is due, while orders can be placed.
    pub(super) fn refresh_switches(&mut self, at: At, out: &mut GatewayOut) {
        let Some(terms) = self.switches.terms else {
            return;
        };
        if !self.is_ready() || self.endpoint(RequestKind::Countdown).is_none() {
            return;
        }
        let mut due = Vec::new();
        for switch in &mut self.switches.each {
            if at.now >= switch.due_at {
                switch.due_at = at.now.after(terms.refresh);
                due.push(switch.instrument);
            }
        }
        for instrument in due {
            self.ask_countdown(instrument, terms.window, at, out);
        }
    }

    pub(crate) fn disarm(&mut self, now: MonoNanos, time: UnixNanos, out: &mut GatewayOut) {
        let at = At { now, time };
        if self.switches.terms.take().is_none() || self.endpoint(RequestKind::Countdown).is_none() {
            return;
        }
        let armed: Vec<InstrumentId> = self
            .switches
            .each
            .iter()
            .filter(|switch| switch.confirmed_at.is_some())
            .map(|switch| switch.instrument)
            .collect();
        for instrument in armed {
            self.ask_countdown(instrument, Nanos::ZERO, at, out);
        }
    }

    fn ask_countdown(
        &mut self,
        instrument: InstrumentId,
        window: Nanos,
        at: At,
        out: &mut GatewayOut,
    ) {
        let asked = Asked {
            instrument,
            window,
            ..Asked::new(RequestKind::Countdown)
        };
        self.ask(asked, at, out);
    }
}
