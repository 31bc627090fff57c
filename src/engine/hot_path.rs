//! From market events to approved sets: the signal seat's whole decision, as plain calls.
//!
//! Owns all books, strategies and the gate. Never awaits, never reads a clock (a [`StageTimer`] is passed in), never
//! allocates after start: outputs go into buffers that keep their capacity.

use std::sync::Arc;

use crate::capacity::{DRAIN_EVENTS_MAX, LEGS_MAX};
use crate::execution::{
    BrokenSet, HoldReason, RepairMarket, RepairPlan, RepairRules, SetSummary, plan_repair,
};
use crate::market::{
    Books, Catalogue, Depth, EventKind, InstrumentId, Mark, MarketEvent, Top, Trust, TrustCause,
};
use crate::risk::{
    Approved, ApprovedSet, Gate, GateRaise, Limits, Permits, Repair, RiskView, SetVerdict, Verdict,
};
use crate::strategy::{Evaluation, Strategy};
use crate::telemetry::{Stage, StageTimer};
use crate::trade::{SetId, StrategyId};
use crate::units::{Asset, MonoNanos, Nanos, Ppm, Price, Qty, UnixNanos};

use super::gate_words::{permits, raise};
use super::holdings::Holdings;
use super::opportunity::{Looking, OpportunityRules, Reason, Tracker};
pub use super::refusal_counts::RefusalCounts;
use super::sent::SentTouches;

/// Shortest time between two looks into the depth of one book, for the forced close.
const DEPTH_INTERVAL: Nanos = Nanos::from_millis(100);

/// What a hot path is built from.
#[derive(Debug)]
pub struct HotSetup {
    /// All instruments.
    pub catalogue: Arc<Catalogue>,
    /// The gate's limits.
    pub limits: Arc<Limits>,
    /// Currency of limits and reports.
    pub reporting: Asset,
    /// Strategies of the configuration, by strategy id.
    pub strategies: Vec<Box<dyn Strategy>>,
    /// By strategy: false for one that only observes; its sets are counted and never asked of the gate.
    pub may_send: Vec<bool>,
    /// Taker fee by instrument id, for pricing repairs.
    pub taker_fees: Vec<Ppm>,
    /// Instruments of each feed ring, by feed index: whom a gap concerns.
    pub feeds: Vec<Vec<InstrumentId>>,
    /// Base units on hand at start, by instrument id: what a spot venue can sell. Zero for derivatives.
    pub available_at_start: Vec<Qty>,
    /// Shortest time between two marks of one instrument.
    pub mark_interval: Nanos,
    /// How far the repair of a broken set may go, by strategy; one without any is not repaired.
    pub repair_rules: Vec<RepairRules>,
}

/// Raises of one duty cycle; more of the same are dropped, the next refusal raises again.
pub(super) const RAISES_MAX: usize = 64;

/// What one duty cycle decided. The owner drains the buffers; they keep their capacity.
#[derive(Debug, Default)]
pub struct HotOutput {
    /// Sets to send.
    pub sets: Vec<ApprovedSet>,
    /// Repairs of broken sets to send.
    pub repairs: Vec<Approved>,
    /// Broken sets that got no repair this time, with the reason.
    pub held: Vec<(SetId, HoldReason)>,
    /// Valuation samples for the risk seat.
    pub marks: Vec<Mark>,
    /// Kill levels that refusals raise, for the risk seat.
    pub raises: Vec<GateRaise>,
}

impl HotOutput {
    /// Buffers large enough never to grow in one drain.
    #[must_use]
    pub fn with_capacity() -> Self {
        Self {
            sets: Vec::with_capacity(DRAIN_EVENTS_MAX),
            repairs: Vec::with_capacity(64),
            held: Vec::with_capacity(64),
            marks: Vec::with_capacity(1_024),
            raises: Vec::with_capacity(RAISES_MAX),
        }
    }
}

/// The decision state of the signal seat.
#[derive(Debug)]
pub struct HotPath {
    catalogue: Arc<Catalogue>,
    books: Books,
    gate: Gate,
    strategies: Vec<Box<dyn Strategy>>,
    /// Strategies that look at an instrument, by instrument id.
    watching: Vec<Vec<usize>>,
    may_send: Vec<bool>,
    taker_fees: Vec<Ppm>,
    feeds: Vec<Vec<InstrumentId>>,
    holdings: Holdings,
    /// Best prices as of the end of each book's last batch.
    tops: Vec<Option<Top>>,
    marked_at: Vec<MonoNanos>,
    depth_at: Vec<MonoNanos>,
    mark_interval: Nanos,
    repair_rules: Vec<RepairRules>,
    /// Venue index of each instrument: the lane of its stages.
    venues: Vec<usize>,
    refusals: RefusalCounts,
    permits: Permits,
    opportunities: Tracker,
    sent: SentTouches,
}

/// The most patient strategy's oldest book.
fn book_age_max(rules: &[RepairRules]) -> Nanos {
    let ages = rules.iter().map(|rules| rules.book_age_max);
    ages.max().unwrap_or(RepairRules::default().book_age_max)
}

impl HotPath {
    /// Empty books, armed with nothing: until a `RiskView` arrives the gate refuses.
    #[must_use]
    pub fn new(setup: HotSetup) -> Self {
        let count = setup.catalogue.all().len();
        let permits = permits(&setup);
        let strategies = setup.strategies;
        let mut watching = vec![Vec::new(); count];
        for (which, strategy) in strategies.iter().enumerate() {
            for instrument in strategy.watched() {
                if let Some(watchers) = watching.get_mut(instrument.index()) {
                    watchers.push(which);
                }
            }
        }
        let refusals = RefusalCounts::new(strategies.len());
        let opportunities = Tracker::new(
            &strategies,
            Arc::clone(&setup.catalogue),
            setup.taker_fees.clone(),
            book_age_max(&setup.repair_rules),
            OpportunityRules::default(),
        );
        Self {
            gate: Gate::new(
                setup.limits,
                Arc::clone(&setup.catalogue),
                setup.reporting,
                &permits,
            ),
            holdings: Holdings::new(&setup.catalogue, strategies.len(), setup.available_at_start),
            strategies,
            watching,
            books: Books::new(&setup.catalogue),
            may_send: setup.may_send,
            taker_fees: setup.taker_fees,
            feeds: setup.feeds,
            tops: vec![None; count],
            marked_at: vec![MonoNanos(0); count],
            depth_at: vec![MonoNanos(0); count],
            mark_interval: setup.mark_interval,
            repair_rules: setup.repair_rules,
            venues: setup
                .catalogue
                .all()
                .iter()
                .map(|instrument| instrument.venue.index())
                .collect(),
            refusals,
            catalogue: setup.catalogue,
            permits,
            opportunities,
            sent: SentTouches::new(),
        }
    }

    /// Which episodes of edges are kept in full.
    pub const fn set_opportunity_rules(&mut self, rules: OpportunityRules) {
        self.opportunities.set_rules(rules);
    }

    /// Other limits are in force. Allocates: call between two batches.
    pub fn on_limits(&mut self, limits: &Limits) {
        self.gate.on_limits(limits, &self.catalogue, &self.permits);
        for rules in &mut self.repair_rules {
            rules.notional_margin = limits.notional_margin;
        }
    }

    /// Back edge 1: the latest risk view. Call at the top of a duty cycle when its version changed.
    pub fn on_view(&mut self, view: &RiskView) {
        self.gate.on_view(view);
        self.holdings.on_view(view, &self.catalogue, &self.gate);
    }

    /// The wall instant at zero of our clock: strategies with times of day need it.
    pub fn on_clock(&mut self, zero: UnixNanos) {
        for strategy in &mut self.strategies {
            strategy.on_clock(zero);
        }
    }

    /// One event from ring `feed_index`. `now` is the duty cycle's clock reading.
    #[inline]
    pub fn on_event<T: StageTimer>(
        &mut self,
        feed_index: usize,
        event: &MarketEvent,
        now: MonoNanos,
        timer: &mut T,
        out: &mut HotOutput,
    ) {
        if let EventKind::Gap { .. } = event.kind {
            self.on_gap(feed_index, event);
            return;
        }
        let Some(book) = self.books.get_mut(event.instrument) else {
            return;
        };
        if !event.ends_batch() {
            book.apply(event);
            return;
        }
        let popped_at = timer.stamp();
        self.opportunities.before_batch(event.received_at);
        book.apply(event);
        book.finish_batch(event.received_at, !matches!(event.kind, EventKind::Alive));
        let top = book.top();
        // Compared with the end of the last batch: any event of this one may have moved the touch.
        let changed = match self.tops.get_mut(event.instrument.index()) {
            Some(last) => std::mem::replace(last, top) != top,
            None => true,
        } || book.trust() != Trust::Trusted;
        let pushed_at = event
            .received_at
            .after(Nanos(u64::from(event.decode_nanos)));
        timer.record(Stage::QueueWait, feed_index, popped_at.since(pushed_at));
        let venue = self
            .venues
            .get(event.instrument.index())
            .copied()
            .unwrap_or(0);
        let applied_at = timer.lap(Stage::BookApply, venue, popped_at);
        if changed {
            self.gate.on_book(event.instrument, book);
            let (tops, books) = (&self.tops, &self.books);
            self.opportunities
                .on_touch(event.instrument, tops, books, now);
            self.sent.on_touch(event.instrument, top, event.received_at);
            self.evaluate(event, now, applied_at, timer, out);
        }
        self.opportunities
            .on_batch(&self.books, event.received_at, now);
        self.mark(event.instrument, now, out);
    }

    fn on_gap(&mut self, feed_index: usize, event: &MarketEvent) {
        for instrument in self.feeds.get(feed_index).into_iter().flatten() {
            if let Some(book) = self.books.get_mut(*instrument) {
                book.apply(&MarketEvent {
                    instrument: *instrument,
                    ..*event
                });
            }
        }
    }

    #[inline]
    fn evaluate<T: StageTimer>(
        &mut self,
        event: &MarketEvent,
        now: MonoNanos,
        applied_at: MonoNanos,
        timer: &mut T,
        out: &mut HotOutput,
    ) {
        let Some(watching) = self.watching.get(event.instrument.index()) else {
            return;
        };
        let mut started_at = applied_at;
        for &which in watching {
            let Some(strategy) = self.strategies.get_mut(which) else {
                continue;
            };
            let inventory = self.holdings.inventory(which);
            let mut looking = Looking {
                tracker: &mut self.opportunities,
                books: &self.books,
                strategy: which,
                received_at: event.received_at,
                now,
            };
            let evaluation =
                strategy.on_batch(event.instrument, &self.books, &inventory, now, &mut looking);
            started_at = timer.lap(Stage::StrategyEval, which, started_at);
            let Evaluation::Taken(mut intent) = evaluation else {
                continue;
            };
            if !self.may_send.get(which).copied().unwrap_or(false) {
                strategy.on_set_refused();
                self.opportunities.on_refused(Reason::ObserveOnly);
                continue;
            }
            intent.tick_received_at = event.received_at;
            let verdict = self.gate.check_set(&intent, &self.books, now);
            started_at = timer.lap(Stage::RiskCheck, 0, started_at);
            match verdict {
                SetVerdict::Approved(set) => {
                    if let Some(first) = set.legs().next() {
                        self.opportunities.on_approved(first.seq());
                    }
                    self.sent.on_approved(&set);
                    for leg in intent.legs() {
                        self.holdings.note_held(leg.instrument, &self.gate);
                    }
                    out.sets.push(set);
                }
                SetVerdict::Refused { leg_index, refusal } => {
                    strategy.on_set_refused();
                    self.refusals.count(which, &refusal);
                    self.opportunities.on_refused(Reason::Gate(refusal));
                    let leg = intent.legs().nth(usize::from(leg_index));
                    let at = leg.map(|leg| leg.instrument);
                    raise(&refusal, intent.strategy, at, &self.catalogue, out);
                }
            }
        }
    }

    #[inline]
    fn mark(&mut self, instrument: InstrumentId, now: MonoNanos, out: &mut HotOutput) {
        let Some(marked_at) = self.marked_at.get_mut(instrument.index()) else {
            return;
        };
        if now.since(*marked_at) >= self.mark_interval
            && let Some(book) = self.books.get(instrument)
        {
            *marked_at = now;
            let mut mark = book.mark(instrument);
            if mark.trust == Trust::Trusted
                && let Some(depth_at) = self.depth_at.get_mut(instrument.index())
                && now.since(*depth_at) >= DEPTH_INTERVAL
            {
                *depth_at = now;
                mark.depth = Some(Depth::of(book));
            }
            out.marks.push(mark);
        }
    }

    /// The approval could not be handed on (its ring was full): its holds are taken back.
    pub fn on_unsent(&mut self, set: &ApprovedSet) {
        for approved in set.legs() {
            self.gate.release(approved.seq());
            self.holdings.note_held(approved.instrument(), &self.gate);
        }
        if let Some(first) = set.legs().next() {
            self.opportunities.on_unsent(first.seq());
        }
        self.sent.forget(set.strategy(), set.decided_at());
        if let Some(strategy) = self.strategy_mut(set.strategy()) {
            strategy.on_set_refused();
        }
    }

    /// A repair could not be handed on: its hold is taken back, the desk asks again.
    pub fn on_unsent_repair(&mut self, repair: &Approved) {
        self.gate.release(repair.seq());
        self.holdings.note_held(repair.instrument(), &self.gate);
    }

    fn strategy_mut(&mut self, id: StrategyId) -> Option<&mut Box<dyn Strategy>> {
        self.strategies
            .iter_mut()
            .find(|strategy| strategy.id() == id)
    }

    /// A set ended: hedged, empty, or held in an open alert.
    pub fn on_set_done(&mut self, summary: &SetSummary) {
        // A late fill opened it again: its first end was counted already.
        if summary.reopened {
            return;
        }
        if let Some(strategy) = self.strategy_mut(summary.strategy) {
            strategy.on_set_done();
        }
    }

    /// What an ended set's legs could have traded at when they were handed to the gateways, for its attribution; asked
    /// once. `None` for a leg that is not known.
    pub fn take_sent_touches(&mut self, summary: &SetSummary) -> [Option<Price>; LEGS_MAX] {
        self.sent
            .take(summary.strategy, summary.decided_at, summary.sent_at)
    }

    /// A set's legs filled unequally: a repair priced on live books and approved by the gate, or the reason to hold. The desk
    /// asks again until the set's deadline.
    pub fn on_broken(&mut self, broken: &BrokenSet, now: MonoNanos, out: &mut HotOutput) {
        if broken.attempt <= 1
            && let Some(strategy) = self.strategy_mut(broken.strategy)
        {
            strategy.on_set_broken(now);
        }
        let market = RepairMarket {
            catalogue: &self.catalogue,
            books: &self.books,
            fees: &self.taker_fees,
        };
        let rules = self.repair_rules.get(usize::from(broken.strategy.0));
        let plan = rules.map(|rules| plan_repair(broken, &market, rules, now));
        let reason = match plan.unwrap_or(RepairPlan::Hold {
            reason: HoldReason::ByRule,
        }) {
            RepairPlan::Complete { leg_index, leg, .. }
            | RepairPlan::Reverse { leg_index, leg, .. } => {
                let repair = Repair {
                    set: broken.id,
                    leg_index,
                    strategy: broken.strategy,
                    leg: &leg,
                    parent: broken.parent(leg_index, &leg),
                };
                match self.gate.check_repair(&repair, &self.books, now) {
                    Verdict::Approved(approved) => {
                        self.holdings.note_held(leg.instrument, &self.gate);
                        out.repairs.push(approved);
                        return;
                    }
                    Verdict::Refused(refusal) => {
                        self.refusals
                            .count(usize::from(broken.strategy.0), &refusal);
                        let at = Some(leg.instrument);
                        raise(&refusal, broken.strategy, at, &self.catalogue, out);
                        HoldReason::GateRefused
                    }
                }
            }
            RepairPlan::Hold { reason } => reason,
        };
        out.held.push((broken.id, reason));
    }

    /// A connection was lost outside the ring's order: the books of a feed are distrusted at once.
    pub fn distrust_feed(&mut self, feed_index: usize, cause: TrustCause, now: MonoNanos) {
        for instrument in self.feeds.get(feed_index).into_iter().flatten() {
            if let Some(book) = self.books.get_mut(*instrument) {
                book.apply(&MarketEvent {
                    received_at: now,
                    kind: EventKind::Distrust { cause },
                    decode_nanos: 0,
                    instrument: *instrument,
                    flags: 0,
                });
            }
        }
    }

    /// All books.
    #[must_use]
    pub const fn books(&self) -> &Books {
        &self.books
    }
    /// The gate, for its counters.
    #[must_use]
    pub const fn gate(&self) -> &Gate {
        &self.gate
    }
    /// Refusals of the gate by code.
    #[must_use]
    pub const fn refusals(&self) -> &RefusalCounts {
        &self.refusals
    }
    /// The opportunity ledger.
    #[must_use]
    pub const fn opportunities(&self) -> &Tracker {
        &self.opportunities
    }
    /// The opportunity ledger, to take its window.
    pub const fn opportunities_mut(&mut self) -> &mut Tracker {
        &mut self.opportunities
    }
    /// The strategies, for their counters.
    #[must_use]
    pub fn strategies(&self) -> &[Box<dyn Strategy>] {
        &self.strategies
    }
    /// The instruments.
    #[must_use]
    pub const fn catalogue(&self) -> &Arc<Catalogue> {
        &self.catalogue
    }
}
