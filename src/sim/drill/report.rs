//! What a rehearsal showed, for people and machines.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;

use crate::market::InstrumentId;
use crate::risk::{AlertKind, CloseIntent, CloseResult};
use crate::sim::world::WorldReport;
use crate::units::{Money, Nanos, Qty};

use super::{DrillOptions, RAISED_AT};

/// One instrument's part of a rehearsal. Quantities in base units, money in the quote asset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DrillLeg {
    /// Venue instance.
    pub venue: String,
    /// Unified symbol.
    pub symbol: String,
    /// Why it was closed.
    pub cause: &'static str,
    /// Position when it was sized.
    pub position: Decimal,
    /// Quantity that our orders closed.
    pub closed: Decimal,
    /// Position at the end, by our books.
    pub left: Decimal,
    /// `done`, `dust`, `handover`, or the state in which it still was.
    pub result: &'static str,
    /// Orders sent.
    pub children: usize,
    /// From its trigger to its end.
    pub millis: Option<u64>,
    /// Expected cost against the mid, by the book at the trigger.
    pub cost_expected: Option<Decimal>,
    /// What it cost.
    pub cost: Option<Decimal>,
    /// The same in basis points.
    pub slippage_bps: Option<Decimal>,
}

/// What a rehearsal showed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DrillReport {
    /// Seed.
    pub seed: u64,
    /// Everything in scope is flat, by our books and the venues' own; dust counts as flat.
    pub is_flat: bool,
    /// From K3 to the last fill that made it so.
    pub flat_after_millis: Option<u64>,
    /// Farthest that the net of each base asset was from zero during the close, in base units.
    pub worst_net: Vec<(String, Decimal)>,
    /// Each close.
    pub legs: Vec<DrillLeg>,
    /// Critical alerts, by kind, in order.
    pub alerts: Vec<&'static str>,
    /// How often each fault had an effect.
    pub faults_fired: BTreeMap<&'static str, u64>,
    /// Invariants that did not hold.
    pub violations: Vec<String>,
}

pub(super) fn summarize(options: &DrillOptions, report: &WorldReport) -> DrillReport {
    let closing = &report.closing;
    let mut intents: Vec<&CloseIntent> = Vec::new();
    for intent in &closing.intents {
        if !intents.iter().any(|known| known.set == intent.set) {
            intents.push(intent);
        }
    }
    let legs: Vec<DrillLeg> = intents.iter().map(|intent| leg(intent, report)).collect();
    // What is left and cannot be sold counts as flat.
    let ended = |intent: &&CloseIntent| {
        closing
            .records
            .iter()
            .any(|record| record.intent.set == intent.set && record.result != CloseResult::Handover)
    };
    let fired = options.faults.iter().map(|fault| {
        let count = closing.faults_fired.get(fault.label);
        (fault.name, count.copied().unwrap_or(0))
    });
    let faults_fired = fired.collect();
    let millis = |at: Nanos| at.floor_millis().saturating_sub(RAISED_AT.floor_millis());
    DrillReport {
        seed: options.seed,
        is_flat: !intents.is_empty() && intents.iter().all(ended) && report.violations.is_empty(),
        flat_after_millis: closing.flat_at.map(millis),
        worst_net: closing
            .nets
            .iter()
            .map(|net| (net.asset.to_string(), net.worst))
            .collect(),
        legs,
        alerts: closing
            .alerts
            .iter()
            .filter(|alert| alert.raised && alert.severity == crate::risk::Severity::Critical)
            .filter(|alert| alert.kind != AlertKind::LevelRaised)
            .map(|alert| alert.kind.label())
            .collect(),
        faults_fired,
        violations: report
            .violations
            .iter()
            .map(|broken| format!("{}: {}", broken.invariant, broken.text))
            .collect(),
    }
}

fn leg(intent: &CloseIntent, report: &WorldReport) -> DrillLeg {
    let catalogue = &report.catalogue;
    let one = catalogue.get(intent.instrument);
    let amount = |qty: Qty| one.map_or(Decimal::ZERO, |one| one.grid.qty_decimal(qty));
    let record = report
        .closing
        .records
        .iter()
        .find(|record| record.intent.set == intent.set);
    let open = |id: InstrumentId| {
        let open = &report.closing.open;
        let state = open.iter().find(|(other, _)| *other == id);
        state.map_or("unknown", |(_, state)| state.label())
    };
    DrillLeg {
        venue: one.map_or_else(String::new, |one| {
            catalogue.venue_name(one.venue).to_owned()
        }),
        symbol: one.map_or_else(String::new, |one| one.symbol.to_string()),
        cause: intent.cause.label(),
        position: amount(intent.position),
        closed: record.map_or(Decimal::ZERO, |record| amount(record.closed)),
        left: record.map_or(amount(intent.position), |record| amount(record.position)),
        result: record.map_or_else(|| open(intent.instrument), |record| record.result.label()),
        children: record.map_or(0, |record| record.children.len()),
        millis: record.map(|record| record.duration.floor_millis()),
        cost_expected: intent.estimate.map(|estimate| estimate.cost),
        cost: record.and_then(|record| record.slippage_cost),
        slippage_bps: record.and_then(|record| record.slippage_bps),
    }
}

impl DrillReport {
    /// Cost expected and cost, over all closes; `None` when one of them is not known.
    #[must_use]
    pub fn costs(&self) -> (Option<Decimal>, Option<Decimal>) {
        let sum = |of: fn(&DrillLeg) -> Option<Decimal>| {
            self.legs.iter().try_fold(Decimal::ZERO, |sum, leg| {
                Money(sum).add(Money(of(leg)?)).ok().map(|sum| sum.0)
            })
        };
        (sum(|leg| leg.cost_expected), sum(|leg| leg.cost))
    }
}
