//! The desk: from approvals to orders, and from reports to everything that follows. One owner: the execution seat.
//!
//! - An [`crate::risk::ApprovedSet`] becomes one order a leg, sent in its order (`desk/send.rs`). Client ids are deterministic:
//!   session, set, leg, attempt.
//! - A report becomes at most one fill, one state change, and a look at the set it belongs to (`desk/sets.rs`).
//! - Time alone turns an order into an unknown one, asks the venue (`desk/timers.rs`), and moves a set past its deadline.
//! - A forced close's order ([`crate::trade::Purpose::Unwind`]) is sent as it is and reported as it goes; sets do not know it.
//!
//! Outputs are pushed in the order in which they must be carried out; [`DeskOutput::Settled`] comes after the fills it
//! speaks of. Everything is bounded: orders and sets by `capacity`, memory of finished ones by [`SETS_KEPT`].

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::market::{Catalogue, InstrumentId, VenueId};
use crate::risk::{Approved, check_order_id};
use crate::trade::{
    ApprovalSeq, ClientOrderId, Fact, OpenOrders, OrderIdSource, Purpose, SetId, StrategyId,
    Ticket, UnwindKind, UnwindReport,
};
use crate::units::{Asset, MonoNanos, Nanos};

use super::amounts::{BaseQty, contract_units};
use super::command::OrderCommand;
use super::cycle::AssetQty;
use super::legs::LegSet;
use super::order::{NotFoundRule, Order, OrderState};
use super::output::{DeskAlert, DeskAlertKind, DeskCounters, DeskOutput, OpenSummary};
use super::settle::Settlement;
use super::throttle::Throttle;
use super::tracker::Tracker;

mod clear;
mod exposure;
mod facts;
mod reports;
mod residuals;
mod send;
mod sets;
mod timers;

pub use exposure::{Exposure, LegBudget};

/// Finished sets remembered, so that a late fill opens its set again. Beyond it a late fill is only counted and booked.
pub const SETS_KEPT: usize = 1_024;

/// How patient the desk is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeskParams {
    /// A forced close's order without an end after this long is unknown (a leg's or repair's after its set's own time-out).
    pub ack_wait: Nanos,
    /// Pause before the second question about an order; doubles with each.
    pub query_backoff: Nanos,
    /// Longest pause between questions.
    pub query_backoff_max: Nanos,
    /// Questions a second and venue.
    pub queries_per_second: u32,
    /// When "not found" proves that an order was never placed.
    pub not_found: NotFoundRule,
    /// How long executions may lag behind the venue's word that an order is over.
    pub fill_wait: Nanos,
    /// How long a cancel may take before its order is asked for.
    pub cancel_wait: Nanos,
    /// How long the signal seat may take to answer a broken set; doubles with each attempt.
    pub repair_wait: Nanos,
    /// Times a set is reported as broken before it is held in an open alert.
    pub repairs_max: u32,
    /// An undecided set older than this is an alert.
    pub undecided_max: Nanos,
    /// Questions without an answer that settles the matter before an alert.
    pub queries_alert: u32,
}

impl Default for DeskParams {
    fn default() -> Self {
        Self {
            ack_wait: Nanos::from_millis(1_000),
            query_backoff: Nanos::from_millis(250),
            query_backoff_max: Nanos::from_millis(5_000),
            queries_per_second: 10,
            not_found: NotFoundRule {
                count_min: 3,
                span_min: Nanos::from_secs(10),
                validity: Nanos::from_secs(5),
            },
            fill_wait: Nanos::from_millis(500),
            cancel_wait: Nanos::from_millis(1_000),
            repair_wait: Nanos::from_millis(250),
            repairs_max: 5,
            undecided_max: Nanos::from_secs(5),
            queries_alert: 8,
        }
    }
}

/// See the page above.
#[derive(Debug)]
pub struct Desk {
    catalogue: Arc<Catalogue>,
    ids: OrderIdSource,
    params: DeskParams,
    /// Base units a contract × 10^8, by instrument id; `None` cannot be counted and is not sent.
    units: Vec<Option<i64>>,
    tracker: Tracker,
    sets: BTreeMap<SetId, LegSet>,
    open_sets: BTreeSet<SetId>,
    ended_sets: VecDeque<SetId>,
    last_set: u64,
    last_unwind: u64,
    settlement: Settlement,
    throttle: Throttle,
    /// Remainders too small to trade, by strategy, base and quote.
    residuals: BTreeMap<(StrategyId, Asset, Asset), BaseQty>,
    /// The same of chains, by asset.
    dust: BTreeMap<(StrategyId, Asset), AssetQty>,
    /// Legs that have not left yet.
    waiting_count: usize,
    traded: BTreeSet<InstrumentId>,
    touched: BTreeSet<InstrumentId>,
    told: BTreeMap<InstrumentId, OpenOrders>,
    /// Open orders to be told even when nothing changed: the answer to a cancel.
    must_tell: BTreeSet<InstrumentId>,
    settled_moved: bool,
    due: Vec<ClientOrderId>,
    flow: facts::Flow,
    /// By strategy.
    budgets: Vec<exposure::LegBudget>,
    /// Told at the next [`Desk::drain_facts`].
    facts_due: Vec<Fact>,
    counters: DeskCounters,
}

impl Desk {
    /// A desk with nothing open.
    #[must_use]
    pub fn new(catalogue: Arc<Catalogue>, ids: OrderIdSource, params: DeskParams) -> Self {
        let units = catalogue
            .all()
            .iter()
            .map(|instrument| contract_units(instrument.multiplier))
            .collect();
        Self {
            catalogue,
            ids,
            units,
            tracker: Tracker::default(),
            sets: BTreeMap::new(),
            open_sets: BTreeSet::new(),
            ended_sets: VecDeque::new(),
            last_set: 0,
            last_unwind: 0,
            settlement: Settlement::default(),
            throttle: Throttle::new(params.queries_per_second),
            residuals: BTreeMap::new(),
            dust: BTreeMap::new(),
            waiting_count: 0,
            traded: BTreeSet::new(),
            touched: BTreeSet::new(),
            told: BTreeMap::new(),
            must_tell: BTreeSet::new(),
            settled_moved: false,
            due: Vec::new(),
            flow: facts::Flow::default(),
            budgets: Vec::new(),
            facts_due: Vec::new(),
            counters: DeskCounters::default(),
            params,
        }
    }

    /// Sends a repair or an order of a forced close.
    pub fn on_approved(&mut self, approved: &Approved, now: MonoNanos, out: &mut Vec<DeskOutput>) {
        if approved.is_unwind() {
            self.send_unwind(approved, now, out);
        } else {
            self.send_repair(approved, now, out);
        }
        self.flush(out);
    }

    /// An approval never reached the desk (a full ring): it is over.
    pub fn on_released(&mut self, seq: ApprovalSeq, out: &mut Vec<DeskOutput>) {
        if !self.settlement.is_open(seq) {
            self.settled_moved |= self.settlement.close(seq);
        }
        self.flush(out);
    }

    /// Cancels every open order in one instrument, those that may enlarge the position first. What is open there is told in
    /// any case, nothing included.
    pub fn cancel_instrument(
        &mut self,
        instrument: InstrumentId,
        now: MonoNanos,
        out: &mut Vec<DeskOutput>,
    ) {
        self.cancel_where(|own, _| own == instrument, now, out);
        self.must_tell.insert(instrument);
        self.flush(out);
    }

    /// Cancels every open order of one strategy's sets, repairs included; a forced close has no strategy and goes on.
    pub fn cancel_strategy(
        &mut self,
        strategy: StrategyId,
        now: MonoNanos,
        out: &mut Vec<DeskOutput>,
    ) {
        self.cancel_where(|_, own| own == strategy, now, out);
        self.flush(out);
    }

    /// Cancels everything: each open order, and then whatever the venues still have in every instrument traded here. What
    /// is open is told for every instrument.
    pub fn cancel_all(&mut self, now: MonoNanos, out: &mut Vec<DeskOutput>) {
        self.cancel_where(|_, _| true, now, out);
        let traded: Vec<InstrumentId> = self.traded.iter().copied().collect();
        for instrument in traded {
            self.clear_instrument(instrument, now, out);
        }
        self.must_tell
            .extend(self.catalogue.all().iter().map(|instrument| instrument.id));
        self.flush(out);
    }

    /// Tells what is open in every instrument, zero included: what was never told is not known to be nothing.
    pub fn tell_all(&mut self, out: &mut Vec<DeskOutput>) {
        self.must_tell
            .extend(self.catalogue.all().iter().map(|instrument| instrument.id));
        self.flush(out);
    }

    fn cancel_where(
        &mut self,
        wanted: impl Fn(InstrumentId, StrategyId) -> bool,
        now: MonoNanos,
        out: &mut Vec<DeskOutput>,
    ) {
        self.skip_where(&wanted);
        let open = |order: &&Order| {
            let ticket = &order.ticket;
            !order.state().is_terminal() && wanted(ticket.instrument, ticket.strategy)
        };
        let mut ids: Vec<(bool, ClientOrderId)> = self
            .tracker
            .active()
            .filter(open)
            .map(|order| {
                (
                    order.ticket.purpose == Purpose::Unwind,
                    order.ticket.client_order_id,
                )
            })
            .collect();
        ids.sort_unstable();
        for (_, id) in ids {
            self.cancel_order(id, now, out);
        }
    }

    fn cancel_order(&mut self, id: ClientOrderId, now: MonoNanos, out: &mut Vec<DeskOutput>) {
        let wait = self.params.cancel_wait;
        let Some(order) = self.tracker.get_mut(id) else {
            return;
        };
        if order.cancel_sent_at.is_some_and(|at| now.since(at) < wait) {
            return;
        }
        order.cancel_sent_at = Some(now);
        order.check_at = order.check_at.min(now.after(wait));
        let (venue, instrument) = (order.venue, order.ticket.instrument);
        self.throttle.on_cancel(venue, now);
        self.counters.cancels_sent += 1;
        out.push(DeskOutput::Command(OrderCommand::cancel(
            venue, instrument, id,
        )));
    }

    /// Hands one order to its gateway; false when it cannot be (unknown instrument, repeated id).
    fn place(
        &mut self,
        approved: &Approved,
        client_order_id: ClientOrderId,
        check_at: MonoNanos,
        now: MonoNanos,
        out: &mut Vec<DeskOutput>,
    ) -> bool {
        let Some(venue) = self.venue_of(approved.instrument()) else {
            return false;
        };
        let is_known = self.tracker.get(client_order_id).is_some();
        if let Err(refusal) = check_order_id(client_order_id, &client_order_id.hex(), is_known) {
            let (kind, instrument) = (
                DeskAlertKind::OrderIdRefused(refusal.label()),
                approved.instrument(),
            );
            let order = Some(client_order_id);
            self.alert(kind, order, approved.set(), Some(instrument), now, out);
            return false;
        }
        let ticket = Ticket {
            client_order_id,
            approval: approved.seq(),
            strategy: approved.strategy(),
            instrument: approved.instrument(),
            side: approved.side(),
            qty: approved.qty(),
            limit_price: approved.limit_price(),
            time_in_force: approved.time_in_force(),
            reduce_only: approved.reduce_only(),
            post_only: false,
            purpose: approved.purpose(),
        };
        let backoff = self.params.query_backoff;
        let order = Order::new(
            ticket,
            venue,
            now,
            approved.tick_received_at(),
            check_at,
            backoff,
        );
        if !self.tracker.insert(order) {
            return false;
        }
        self.traded.insert(ticket.instrument);
        self.touched.insert(ticket.instrument);
        self.counters.orders_sent += 1;
        self.flow.of(ticket.instrument).submitted += 1;
        out.push(DeskOutput::Command(OrderCommand::place(venue, ticket)));
        true
    }

    /// One immediate, reduce-only order of a forced close. Its set and leg number come from the risk seat.
    fn send_unwind(&mut self, approved: &Approved, now: MonoNanos, out: &mut Vec<DeskOutput>) {
        let instrument = approved.instrument();
        let seq = approved.seq();
        let Some(set) = approved.set().filter(|_| seq.0 > self.last_unwind) else {
            self.alert(
                DeskAlertKind::ApprovalRepeated,
                None,
                approved.set(),
                Some(instrument),
                now,
                out,
            );
            return;
        };
        self.last_unwind = seq.0;
        let deadline = now.after(self.params.ack_wait);
        // The number of a child is 8 bits: beyond that the attempt keeps ids unique.
        let fresh = (0..=u16::MAX)
            .map(|attempt| self.ids.id(set, approved.leg_index(), attempt))
            .find(|id| self.tracker.get(*id).is_none());
        let sent = fresh.is_some_and(|id| self.place(approved, id, deadline, now, out));
        let kind = if sent {
            UnwindKind::Sent
        } else {
            self.alert(
                DeskAlertKind::NotSendable,
                None,
                Some(set),
                Some(instrument),
                now,
                out,
            );
            UnwindKind::Rejected {
                reason: crate::trade::RejectReason::NotSent,
            }
        };
        out.push(DeskOutput::Unwind(UnwindReport {
            instrument,
            approval: seq,
            kind,
            at: now,
        }));
    }

    /// Tells what changed: open orders by instrument, then the watermark.
    fn flush(&mut self, out: &mut Vec<DeskOutput>) {
        let asked = std::mem::take(&mut self.must_tell);
        self.touched.extend(&asked);
        while let Some(instrument) = self.touched.pop_first() {
            self.flow.changed.insert(instrument);
            let open = self.tracker.open_orders(instrument);
            let before = self.told.insert(instrument, open);
            let changed = before != Some(open) && (before.is_some() || open.order_count > 0);
            if changed || asked.contains(&instrument) {
                out.push(DeskOutput::OpenOrders(open));
            }
        }
        if std::mem::take(&mut self.settled_moved) {
            out.push(DeskOutput::Settled(self.settlement.watermark()));
        }
    }

    fn alert(
        &self,
        kind: DeskAlertKind,
        order: Option<ClientOrderId>,
        set: Option<SetId>,
        instrument: Option<InstrumentId>,
        at: MonoNanos,
        out: &mut Vec<DeskOutput>,
    ) {
        out.push(DeskOutput::Alert(DeskAlert {
            kind,
            order,
            set,
            instrument,
            at,
        }));
    }

    fn venue_of(&self, instrument: InstrumentId) -> Option<VenueId> {
        self.catalogue
            .get(instrument)
            .map(|instrument| instrument.venue)
    }

    fn units_of(&self, instrument: InstrumentId) -> Option<i64> {
        self.units.get(instrument.index()).copied().flatten()
    }

    /// What is still open. A shutdown wants [`OpenSummary::is_quiet`].
    #[must_use]
    pub fn open_summary(&self) -> OpenSummary {
        let unknown = self.tracker.count(OrderState::Unknown);
        let missing = self
            .tracker
            .active()
            .filter(|order| order.state().is_terminal())
            .count();
        OpenSummary {
            orders_open: self
                .tracker
                .active_count()
                .saturating_sub(unknown + missing),
            orders_unknown: unknown,
            fills_missing: missing,
            sets_open: self.open_sets.len(),
            sets_held: self.counters.sets_held,
            approvals_open: self.settlement.open_count(),
        }
    }
    /// What it has done.
    #[must_use]
    pub const fn counters(&self) -> &DeskCounters {
        &self.counters
    }
    /// A set still remembered, to look at.
    #[must_use]
    pub fn set(&self, id: SetId) -> Option<&LegSet> {
        self.sets.get(&id)
    }
    /// Every order still remembered, to look at.
    #[must_use]
    pub const fn tracker(&self) -> &Tracker {
        &self.tracker
    }
    /// Highest approval up to which everything is over.
    #[must_use]
    pub const fn settled(&self) -> ApprovalSeq {
        self.settlement.watermark()
    }
}
