//! AT-19, AT-20 and AT-23: orders without an answer, refused orders, orders that never trade.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::market::{Instrument, InstrumentId, VenueId};
use crate::risk::{KillLevel, OrderFlow, OrderWindow, Scope};
use crate::trade::OrderFacts;
use crate::units::{MonoNanos, Nanos};

use super::Monitor;
use super::exposure::{over, ratio};
use super::feeds::Counted;
use super::judge::{Reading, Tier};
use super::rows::Control;

/// Window of AT-20.
const REJECT_WINDOW: Nanos = Nanos::from_secs(60);
/// Window of AT-23.
const TRADE_WINDOW: Nanos = Nanos::from_secs(600);

/// Orders of one instrument over time.
#[derive(Debug, Default)]
struct Flow {
    submitted: Counted,
    rejected: Counted,
    submitted_long: Counted,
    executed_long: Counted,
    /// For the gate (PT-41).
    window: OrderWindow,
}

/// Orders of all instruments over time.
#[derive(Debug, Default)]
pub(super) struct OrderRecord(BTreeMap<InstrumentId, Flow>);

impl Monitor {
    /// Keeps the counts of one instrument.
    pub(super) fn note_orders(&mut self, facts: &OrderFacts, now: MonoNanos) {
        let flow = self
            .order_record
            .0
            .entry(facts.instrument)
            .or_insert_with(|| {
                // A session begins at zero: its first orders count.
                let mut flow = Flow::default();
                for counted in [
                    &mut flow.submitted,
                    &mut flow.rejected,
                    &mut flow.submitted_long,
                    &mut flow.executed_long,
                ] {
                    counted.on_count(0, now);
                }
                flow
            });
        flow.submitted.on_count(facts.submitted, now);
        flow.rejected.on_count(facts.rejected, now);
        flow.submitted_long.on_count(facts.submitted, now);
        flow.executed_long.on_count(facts.executed, now);
        flow.window.on_orders(facts, now);
    }

    /// What became of the orders of each instrument over the last ten minutes (PT-41), by instrument id; `None` before its
    /// first order.
    pub(super) fn order_flows(&mut self, now: MonoNanos) -> Vec<Option<OrderFlow>> {
        let instruments = self.catalogue.all().iter();
        instruments
            .map(|instrument| {
                let flow = self.order_record.0.get_mut(&instrument.id)?;
                Some(flow.window.flow(now))
            })
            .collect()
    }

    /// AT-19 and AT-20 of one instrument.
    pub(super) fn read_orders(
        &mut self,
        instrument: &Instrument,
        now: MonoNanos,
        out: &mut Vec<Reading>,
    ) {
        let own = &self.limits.controls;
        let Some(orders) = self.heard.orders(instrument.id).copied() else {
            return;
        };
        let late = |since: Option<MonoNanos>, limit: Nanos| {
            since
                .and_then(|since| {
                    over(
                        Decimal::from(now.since(since).0),
                        Decimal::from(limit.0.max(1)),
                    )
                })
                .unwrap_or_default()
        };
        let stuck = late(orders.inflight_since, own.unacked_max)
            .max(late(orders.cancel_since, own.cancel_pending_max))
            .max(late(orders.immediate_since, own.ioc_open_max));
        let mut reading = Reading::new(
            Control::StuckOrder,
            Scope::Symbol(instrument.symbol),
            Some(stuck),
            Tier::auto(Decimal::ONE, KillLevel::ReduceOnly),
        );
        reading.source = Some(instrument.id);
        out.push(reading);

        let Some(flow) = self.order_record.0.get_mut(&instrument.id) else {
            return;
        };
        let submitted = flow.submitted.within(REJECT_WINDOW, now);
        let rejected = flow.rejected.within(REJECT_WINDOW, now);
        let mut share = Decimal::ZERO;
        if submitted >= u64::from(own.reject_orders_min) {
            share = over(Decimal::from(rejected), Decimal::from(submitted)).unwrap_or_default();
        }
        // A run beyond its limit counts as everything refused.
        if orders.rejected_run > own.reject_run_max {
            share = Decimal::ONE.max(share);
        }
        let mut reading = Reading::new(
            Control::Rejects,
            Scope::Instrument(instrument.id),
            Some(share),
            Tier::auto(ratio(own.reject_max), KillLevel::ReduceOnly),
        )
        .warns_at(ratio(own.reject_warn));
        reading.source = Some(instrument.id);
        out.push(reading);
    }

    /// AT-23 of one venue: orders without an execution.
    pub(super) fn read_ratio(&mut self, venue: VenueId, now: MonoNanos, out: &mut Vec<Reading>) {
        let own = &self.limits.controls;
        let (mut submitted, mut executed) = (0_u64, 0_u64);
        for instrument in self.catalogue.at_venue(venue) {
            if let Some(flow) = self.order_record.0.get_mut(&instrument.id) {
                submitted += flow.submitted_long.within(TRADE_WINDOW, now);
                executed += flow.executed_long.within(TRADE_WINDOW, now);
            }
        }
        let empty = submitted.saturating_sub(executed);
        let enough = submitted > u64::from(own.order_to_trade_orders_min);
        let share = over(Decimal::from(empty), Decimal::from(submitted.max(1)));
        out.push(Reading::new(
            Control::OrderToTrade,
            Scope::Venue(venue),
            Some(share.filter(|_| enough).unwrap_or_default()),
            Tier::auto(ratio(own.order_to_trade_max), KillLevel::Armed),
        ));
    }
}
