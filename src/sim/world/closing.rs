//! What a run saw of its forced closes: when they began and ended, how far the net leaned meanwhile, and who was told.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use crate::ledger::Ledger;
use crate::market::{Catalogue, InstrumentId};
use crate::risk::{Alert, CloseIntent, CloseRecord, CloseState};
use crate::units::{Asset, Money, Nanos, UnixNanos};

use super::World;

/// Forced closes of one run.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Closing {
    /// First intent, after the engine's start.
    pub begun_at: Option<Nanos>,
    /// When every position that was to be flat was, by our books; `None` while one is not.
    pub flat_at: Option<Nanos>,
    /// Every intent, repeated ones with a stricter target included.
    pub intents: Vec<CloseIntent>,
    /// Every close that ended, in order.
    pub records: Vec<CloseRecord>,
    /// Closes that had not ended when the run did.
    pub open: Vec<(InstrumentId, CloseState)>,
    /// Every alert, raised and cleared, in order.
    pub alerts: Vec<Alert>,
    /// Net of each base asset over all venues.
    pub nets: Vec<Net>,
    /// How often each kind of fault had an effect, over all venues, by its label.
    pub faults_fired: BTreeMap<&'static str, u64>,
}

/// Net of one base asset over all venues, in base units.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Net {
    /// Which.
    pub asset: Asset,
    /// At the first intent.
    pub before: Decimal,
    /// Farthest from zero since.
    pub worst: Decimal,
    /// At the end.
    pub after: Decimal,
}

/// Watches them.
#[derive(Debug, Default)]
pub(super) struct CloseWatch {
    pub(super) seen: Closing,
    flatten: BTreeSet<InstrumentId>,
    /// When the last close ended.
    quiet_at: Option<UnixNanos>,
}

impl CloseWatch {
    fn on_intent(
        &mut self,
        intent: CloseIntent,
        at: Nanos,
        catalogue: &Catalogue,
        ledger: &Ledger,
    ) {
        if self.seen.begun_at.is_none() {
            self.seen.begun_at = Some(at);
            self.seen.nets = nets(catalogue, ledger)
                .into_iter()
                .map(|(asset, before)| Net {
                    asset,
                    before,
                    worst: before,
                    after: before,
                })
                .collect();
        }
        if intent.target.is_zero() {
            self.flatten.insert(intent.instrument);
            self.seen.flat_at = None;
        }
        self.seen.intents.push(intent);
    }

    fn on_position(&mut self, at: Nanos, catalogue: &Catalogue, ledger: &Ledger) {
        if self.seen.begun_at.is_none() {
            return;
        }
        for (net, (_, now)) in self.seen.nets.iter_mut().zip(nets(catalogue, ledger)) {
            net.after = now;
            if now.abs() > net.worst.abs() {
                net.worst = now;
            }
        }
        let flat = !self.flatten.is_empty()
            && self.flatten.iter().all(|id| {
                ledger
                    .position(*id)
                    .is_none_or(|position| position.qty().is_zero())
            });
        let first = self.seen.flat_at.unwrap_or(at);
        self.seen.flat_at = flat.then_some(first);
    }
}

/// In order of the asset.
fn nets(catalogue: &Catalogue, ledger: &Ledger) -> BTreeMap<Asset, Decimal> {
    let mut nets: BTreeMap<Asset, Decimal> = BTreeMap::new();
    for instrument in catalogue.all() {
        let qty = ledger
            .position(instrument.id)
            .and_then(|position| Money(position.qty()).mul(Money(instrument.multiplier)).ok())
            .unwrap_or(Money::ZERO);
        let net = nets.entry(instrument.symbol.base).or_default();
        *net = Money(*net).add(qty).map_or(*net, |sum| sum.0.normalize());
    }
    nets
}

impl World {
    pub(super) fn since_start(&self) -> Nanos {
        Nanos(u64::try_from(self.now.signed_since(self.start)).unwrap_or(0))
    }

    pub(super) fn close_begins(&mut self, intent: CloseIntent) {
        let at = self.since_start();
        self.checker.on_close_intent(&intent);
        self.closing
            .on_intent(intent, at, &self.catalogue, &self.ledger);
    }

    pub(super) fn close_ends(&mut self, record: CloseRecord) {
        self.checker.on_close(&record);
        self.closing.seen.records.push(record);
        self.closing.quiet_at = Some(self.now);
    }

    /// Forced closes began, all of them ended, and the time to see what follows is over.
    pub(super) fn is_over(&self) -> bool {
        let quiet = self.end_after.zip(self.closing.quiet_at);
        quiet.is_some_and(|(after, at)| self.now > at.after(after)) && self.closes_open() == 0
    }

    pub(super) fn watch_positions(&mut self) {
        let at = self.since_start();
        self.closing.on_position(at, &self.catalogue, &self.ledger);
    }

    /// Takes what was seen, with what is still open.
    pub(super) fn take_closing(&mut self) -> Closing {
        let mut seen = std::mem::take(&mut self.closing.seen);
        for instrument in self.catalogue.all() {
            if let Some(state) = self.monitor.close_state(instrument.id) {
                seen.open.push((instrument.id, state));
            }
        }
        for seat in &self.venues {
            for (label, count) in seat.core.faults_fired() {
                *seen.faults_fired.entry(label).or_default() += count;
            }
        }
        seen
    }

    pub(super) fn note_alert(&mut self, alert: &Alert) {
        self.closing.seen.alerts.push(*alert);
    }
}
