//! What the desk tells the risk monitor beside positions: orders by instrument, sets at their end, prices decided with.

use std::collections::{BTreeMap, BTreeSet};

use crate::market::{Catalogue, InstrumentId};
use crate::trade::{ClientOrderId, EarnedBy, Fact, OrderFacts, Purpose, SetFacts, TimeInForce};
use crate::units::{Money, Price};

use super::super::order::OrderState;
use super::super::output::SetSummary;
use super::super::{Order, SetEnd};
use super::Desk;

/// Orders of one instrument counted since the session began.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Tally {
    pub(super) submitted: u64,
    pub(super) rejected: u64,
    pub(super) executed: u64,
    pub(super) rejected_run: u32,
}

/// Counts by instrument, and what changed since they were last told.
#[derive(Debug, Clone, Default)]
pub(super) struct Flow {
    by_instrument: BTreeMap<InstrumentId, Tally>,
    pub(super) changed: BTreeSet<InstrumentId>,
}

impl Flow {
    pub(super) fn of(&mut self, instrument: InstrumentId) -> &mut Tally {
        self.changed.insert(instrument);
        self.by_instrument.entry(instrument).or_default()
    }
}

impl Desk {
    /// Pushes what sets had unhedged, and the orders of every instrument where something changed since the last call.
    pub fn drain_facts(&mut self, out: &mut Vec<Fact>) {
        out.append(&mut self.facts_due);
        while let Some(instrument) = self.flow.changed.pop_first() {
            out.push(Fact::Orders(self.order_facts(instrument)));
        }
    }

    /// Our orders in one instrument, forced closes included.
    #[must_use]
    pub fn order_facts(&self, instrument: InstrumentId) -> OrderFacts {
        let tally = self
            .flow
            .by_instrument
            .get(&instrument)
            .copied()
            .unwrap_or_default();
        let mut facts = OrderFacts {
            instrument,
            open: 0,
            unknown: 0,
            inflight: 0,
            inflight_since: None,
            cancel_since: None,
            immediate_since: None,
            submitted: tally.submitted,
            rejected: tally.rejected,
            rejected_run: tally.rejected_run,
            executed: tally.executed,
        };
        let open =
            |order: &&Order| order.ticket.instrument == instrument && !order.state().is_terminal();
        for order in self.tracker.active().filter(open) {
            facts.open += 1;
            facts.unknown += u32::from(order.state() == OrderState::Unknown);
            if order.state() == OrderState::PendingNew {
                facts.inflight += 1;
                facts.inflight_since = earlier(facts.inflight_since, order.placed_at);
            }
            if order.ticket.time_in_force != TimeInForce::GoodTillCancel {
                facts.immediate_since = earlier(facts.immediate_since, order.placed_at);
            }
            if let Some(sent) = order.cancel_sent_at {
                facts.cancel_since = earlier(facts.cancel_since, sent);
            }
        }
        facts
    }

    /// The price that the strategy decided with; `None` for repairs, forced closes and orders that are not ours.
    #[must_use]
    pub fn decision_price(&self, id: ClientOrderId) -> Option<Price> {
        let order = self.tracker.get(id)?;
        if order.ticket.purpose != Purpose::Leg {
            return None;
        }
        let set = self.sets.get(&id.set())?;
        Some(set.legs.get(usize::from(id.leg()))?.leg.decision_price)
    }
}

fn earlier(
    first: Option<crate::units::MonoNanos>,
    second: crate::units::MonoNanos,
) -> Option<crate::units::MonoNanos> {
    Some(first.map_or(second, |first| first.min(second)))
}

impl SetSummary {
    /// What the risk monitor wants to know of it. The expected profit is the decided edge of what was bought; none when that
    /// is earned by holding.
    #[must_use]
    pub fn facts(&self, catalogue: &Catalogue) -> SetFacts {
        let leg = self.legs.iter().flatten().next();
        let grid = leg
            .and_then(|leg| catalogue.get(leg.leg.instrument))
            .map(|instrument| instrument.grid);
        let bought = self.legs.iter().flatten().find_map(|leg| {
            let instrument = catalogue.get(leg.leg.instrument)?;
            let bought = instrument.grid.notional_money(leg.traded.bought_notional)?;
            let bought = bought.mul(Money(instrument.multiplier)).ok()?;
            (!bought.is_zero()).then_some(bought)
        });
        let edge = Money(rust_decimal::Decimal::new(self.net_edge.0, 6));
        let realized = self.realized.zip(grid);
        SetFacts {
            set: self.id,
            strategy: self.strategy,
            realized: realized
                .and_then(|(realized, grid)| grid.notional_money(realized))
                .map(|money| money.0),
            expected: bought
                .filter(|_| self.earned_by == EarnedBy::Set)
                .and_then(|bought| bought.mul(edge).ok())
                .map(|money| money.0),
            broken: self.broken_count > 0,
            held: self.end == SetEnd::Held,
        }
    }
}
