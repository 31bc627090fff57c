//! What follows from what: approvals to the desk, commands to gateways, reports back, fills to the ledger, positions to the
//! monitor, its view to the gate (back edge 1) and its closes to the desk (back edge 2). The live seats carry the same
//! messages through mailboxes; here one queue keeps their order.

use crate::engine::HotPath;
use crate::exchanges::gateway::AccountEvent;
use crate::execution::{
    BrokenSet, CommandAction, Desk, DeskOutput, HoldReason, OrderCommand, SetSummary,
};
use crate::ledger::Funding;
use crate::market::{InstrumentId, MarketEvent};
use crate::risk::{Approved, ApprovedSet, Monitor, RiskOutput, RiskView};
use crate::telemetry::NoopTimer;
use crate::trade::{ApprovalSeq, Fact, Fill, OrderReport, SetId, StrategyId, Ticket};
use crate::units::{MonoNanos, Qty};

use super::{Seen, World};

/// One message between rooms.
#[derive(Debug)]
pub(super) enum Work {
    /// Signal to desk.
    Set(ApprovedSet),
    /// Signal to desk: a repair. Monitor to desk: an order of a forced close.
    Approved(Approved),
    /// Signal to desk: no repair this time.
    Held(SetId, HoldReason),
    /// Signal to desk: an approval that was not sent.
    Released(ApprovalSeq),
    /// Gateway to desk.
    Report(OrderReport),
    /// A venue's word on the account.
    Account(usize, AccountEvent),
    /// Desk to gateway.
    Command(OrderCommand),
    /// Desk to signal.
    Broken(BrokenSet),
    /// Desk to signal.
    SetDone(SetSummary),
    /// Monitor to gate.
    View(RiskView),
    /// Monitor to desk.
    Cancel(Option<InstrumentId>),
    CancelStrategy(StrategyId),
    Clear(InstrumentId),
    /// Monitor to gateway: what does the venue say we hold?
    Ask(InstrumentId),
}

impl World {
    /// The hot path takes what a feed said, event by event.
    pub(super) fn take_events(&mut self, feed_index: usize, events: &[MarketEvent]) {
        let now = self.mono();
        for event in events {
            self.checker.on_market_event(event);
            self.hot
                .on_event(feed_index, event, now, &mut NoopTimer, &mut self.hot_out);
            if event.ends_batch() {
                self.checker.on_book(self.hot.books(), event.instrument);
            }
        }
        self.after_hot();
    }

    /// Files what the hot path decided.
    pub(super) fn after_hot(&mut self) {
        for set in self.hot_out.sets.drain(..) {
            self.checker
                .on_approved_set(&set, self.hot.books(), self.monitor_level);
            self.work.push_back(Work::Set(set));
        }
        self.work
            .extend(self.hot_out.repairs.drain(..).map(Work::Approved));
        self.work.extend(
            self.hot_out
                .held
                .drain(..)
                .map(|(set, reason)| Work::Held(set, reason)),
        );
        for raise in std::mem::take(&mut self.hot_out.raises) {
            self.drive_monitor(|monitor, now, out| monitor.on_gate_raise(&raise, now, out));
        }
        if !self.hot_out.marks.is_empty() {
            let marks = std::mem::take(&mut self.hot_out.marks);
            for mark in &marks {
                if let (Some(bid), Some(ask)) = (mark.bid, mark.ask) {
                    self.ledger.on_quote(mark.instrument, bid, ask, self.now.0);
                }
            }
            self.drive_monitor(|monitor, now, out| {
                for mark in &marks {
                    monitor.on_mark(mark, now, out);
                }
            });
            self.hot_out.marks = marks;
            self.hot_out.marks.clear();
        }
    }

    /// Carries all messages to their end.
    pub(super) fn carry_out(&mut self) {
        while let Some(work) = self.work.pop_front() {
            match work {
                Work::Set(set) => self.on_set(&set),
                Work::Approved(approved) => {
                    self.drive_desk(|desk, now, out| desk.on_approved(&approved, now, out));
                }
                Work::Held(set, reason) => {
                    self.drive_desk(|desk, now, out| desk.on_hold(set, reason, now, out));
                }
                Work::Released(seq) => self.drive_desk(|desk, _, out| desk.on_released(seq, out)),
                Work::Report(report) => {
                    self.tally.on_report(&report);
                    self.drive_desk(|desk, now, out| desk.on_report(&report, now, out));
                }
                Work::Account(venue, event) => self.on_account(venue, event),
                Work::Command(command) => self.on_command(&command),
                Work::Broken(broken) => {
                    let now = self.mono();
                    self.hot.on_broken(&broken, now, &mut self.hot_out);
                    self.after_hot();
                }
                Work::SetDone(summary) => {
                    self.checker.on_set_done(&summary);
                    self.tally.on_set_done(&summary);
                    self.attribute(&summary);
                    self.hot.on_set_done(&summary);
                    self.tell_set(&summary);
                }
                Work::View(view) => self.on_view(view),
                Work::Cancel(instrument) => self.drive_desk(|desk, now, out| match instrument {
                    Some(instrument) => desk.cancel_instrument(instrument, now, out),
                    None => desk.cancel_all(now, out),
                }),
                Work::Clear(instrument) => {
                    self.drive_desk(|desk, now, out| desk.clear_instrument(instrument, now, out));
                }
                Work::CancelStrategy(strategy) => {
                    self.drive_desk(|desk, now, out| desk.cancel_strategy(strategy, now, out));
                }
                Work::Ask(instrument) => {
                    if let Some(venue) = self
                        .catalogue
                        .get(instrument)
                        .map(|instrument| instrument.venue.index())
                    {
                        self.ask_account(venue);
                    }
                }
            }
        }
    }

    fn on_set(&mut self, set: &ApprovedSet) {
        if self.stopping {
            self.hot.on_unsent(set);
            self.work
                .extend(set.legs().map(|leg| Work::Released(leg.seq())));
            return;
        }
        for leg in set.legs() {
            self.digest.add(
                3,
                &[
                    i128::from(leg.seq().0),
                    i128::from(leg.instrument().0),
                    i128::from(leg.side().sign()),
                    i128::from(leg.qty().0),
                    i128::from(leg.limit_price().0),
                    i128::from(leg.decision_price().0),
                ],
            );
        }
        self.drive_desk(|desk, now, out| desk.on_set(set, now, out));
    }

    fn on_view(&mut self, view: RiskView) {
        self.monitor_level = view.portfolio.level;
        if self.armed {
            self.hot.on_view(&view);
        } else {
            self.waiting_view = Some(view);
        }
    }

    /// Approvals may be sent once every gateway is ready.
    fn arm(&mut self) {
        if !self.armed && self.venues.iter().all(|seat| seat.gateway.is_ready()) {
            self.armed = true;
            if let Some(view) = self.waiting_view.take() {
                self.hot.on_view(&view);
            }
        }
    }

    fn on_command(&mut self, command: &OrderCommand) {
        let venue = command.venue().index();
        match *command.action() {
            CommandAction::Place(ticket) => {
                self.digest.add_ticket(&ticket);
                self.checker.on_ticket(&ticket);
                let position = self.position(ticket.instrument);
                self.note(Seen::Sent { ticket, position });
                self.place(venue, &ticket);
            }
            CommandAction::Cancel {
                instrument,
                client_order_id,
            } => {
                self.drive_gateway(venue, |gateway, now, time, out| {
                    gateway.cancel(instrument, client_order_id, now, time, out);
                });
            }
            CommandAction::Query {
                instrument,
                client_order_id,
            } => {
                self.drive_gateway(venue, |gateway, now, time, out| {
                    gateway.query(instrument, client_order_id, now, time, out);
                });
            }
            CommandAction::CancelAll { instrument } => {
                self.drive_gateway(venue, |gateway, now, time, out| {
                    gateway.cancel_all(instrument, now, time, out);
                });
            }
        }
    }

    /// Sends an order, and says that it was handed over before anything the venue answers.
    fn place(&mut self, venue: usize, ticket: &Ticket) {
        let place = self.work.len();
        let sent = self.drive_gateway(venue, |gateway, now, time, out| {
            gateway.place(ticket, now, time, out);
        });
        if sent && let Some(seat) = self.venues.get(venue) {
            let written = seat.gateway.written(ticket, self.mono());
            self.work.insert(place, Work::Report(written));
        }
    }

    fn on_account(&mut self, venue: usize, event: AccountEvent) {
        if event == AccountEvent::Ready {
            self.arm();
        }
        let now = self.mono();
        let mut words = std::mem::take(&mut self.words);
        let mut facts = Vec::new();
        if let Some(seat) = self.venues.get_mut(venue) {
            let is_open = |id| seat.account.is_open(id);
            seat.watch
                .on_event(&event, &self.catalogue, is_open, &mut facts);
            seat.account
                .on_event(event, now, &self.catalogue, &mut words);
        }
        self.drive_monitor(|monitor, now, out| {
            for word in &words {
                monitor.on_confirm(word, now, out);
            }
        });
        words.clear();
        self.words = words;
        for fact in &facts {
            self.book_funding(fact);
            self.tell(fact);
        }
        self.tell_venue(venue, now);
    }

    /// Runs the desk and files what follows.
    pub(super) fn drive_desk(
        &mut self,
        step: impl FnOnce(&mut Desk, MonoNanos, &mut Vec<DeskOutput>),
    ) {
        let now = self.mono();
        let mut out = std::mem::take(&mut self.desk_out);
        step(&mut self.desk, now, &mut out);
        for output in out.drain(..) {
            match output {
                DeskOutput::Command(command) => self.work.push_back(Work::Command(command)),
                DeskOutput::Fill(fill) => self.book(&fill),
                DeskOutput::Settled(seq) => {
                    self.ledger.settle(seq);
                    self.tell_position(self.first_instrument());
                }
                DeskOutput::Broken(broken) => self.work.push_back(Work::Broken(broken)),
                DeskOutput::SetDone(summary) => self.work.push_back(Work::SetDone(summary)),
                DeskOutput::Unwind(report) => {
                    self.drive_monitor(|monitor, now, out| monitor.on_unwind(&report, now, out));
                }
                DeskOutput::OpenOrders(open) => {
                    self.drive_monitor(|monitor, now, out| monitor.on_open_orders(&open, now, out));
                }
                DeskOutput::Stage { stage, span, .. } => self.tally.on_span(stage, span),
                DeskOutput::Alert(alert) => self
                    .tally
                    .remark(format!("desk alert {}", alert.kind.label())),
            }
        }
        self.desk_out = out;
        self.tell_orders();
    }

    const fn first_instrument(&self) -> InstrumentId {
        InstrumentId(0)
    }

    /// A fill reaches the ledger, then the monitor hears of the position.
    fn book(&mut self, fill: &Fill) {
        self.digest.add_fill(fill);
        let mut is_new = false;
        match self.ledger.on_fill(fill) {
            Ok(effect) => {
                self.checker.on_fill(fill, &effect, &self.ledger);
                if !effect.duplicate {
                    self.fills.push(*fill);
                    self.attribute_fill(fill);
                    is_new = true;
                    let (fill, position) = (*fill, effect.snapshot.qty);
                    self.note(Seen::Filled { fill, position });
                }
            }
            Err(error) => self
                .checker
                .broken("I01", format!("the ledger refused a fill: {error}")),
        }
        self.watch_positions();
        self.tell_position(fill.instrument);
        if is_new {
            let decided = fill
                .client_order_id
                .and_then(|id| self.desk.decision_price(id));
            self.tell_fill(fill, decided);
        }
    }

    /// The position by our books, in steps of its grid.
    fn position(&self, instrument: InstrumentId) -> Qty {
        let snapshot = self.ledger.snapshot(instrument);
        snapshot.map_or(Qty::ZERO, |snapshot| snapshot.qty)
    }

    fn tell_position(&mut self, instrument: InstrumentId) {
        if let Some(snapshot) = self.ledger.snapshot(instrument) {
            self.drive_monitor(|monitor, now, out| monitor.on_position(&snapshot, now, out));
        }
    }

    /// Funding goes to the ledger as well as to the monitor.
    fn book_funding(&mut self, fact: &Fact) {
        let Some(funding) = Funding::of(fact) else {
            return;
        };
        match self.ledger.on_funding(&funding) {
            Ok(true) => self.tally.fundings.push(funding),
            Ok(false) => {}
            Err(error) => self.checker.broken("I01", format!("funding: {error}")),
        }
    }

    /// Runs the monitor and files what follows.
    pub(super) fn drive_monitor(
        &mut self,
        step: impl FnOnce(&mut Monitor, MonoNanos, &mut Vec<RiskOutput>),
    ) {
        let now = self.mono();
        let mut out = std::mem::take(&mut self.risk_out);
        step(&mut self.monitor, now, &mut out);
        for output in out.drain(..) {
            match output {
                RiskOutput::View(view) => self.work.push_back(Work::View(view)),
                RiskOutput::Unwind(approved) => self.work.push_back(Work::Approved(approved)),
                RiskOutput::CancelInstrument(instrument) => {
                    self.work.push_back(Work::Cancel(Some(instrument)));
                }
                RiskOutput::ClearInstrument(instrument) => {
                    self.work.push_back(Work::Clear(instrument));
                }
                RiskOutput::CancelStrategy(strategy) => {
                    self.work.push_back(Work::CancelStrategy(strategy));
                }
                RiskOutput::CancelAll => self.work.push_back(Work::Cancel(None)),
                RiskOutput::AskPosition(instrument) => self.work.push_back(Work::Ask(instrument)),
                RiskOutput::Alert(alert) => {
                    self.tally.on_alert(&alert);
                    self.note_alert(&alert);
                }
                RiskOutput::CloseIntent(intent) => {
                    self.tally.forced_closes += 1;
                    self.close_begins(intent);
                }
                RiskOutput::CloseRecord(record) => self.close_ends(*record),
                RiskOutput::LevelState(_) | RiskOutput::LossPoint(_) => {}
                RiskOutput::LimitsChanged(change) => self.hot.on_limits(&change.limits),
                RiskOutput::LevelChanged(change) => {
                    self.tally.remark(format!(
                        "kill level {} -> {}: {}",
                        change.from.label(),
                        change.to.label(),
                        change.cause
                    ));
                    self.note(Seen::Level(change));
                }
            }
        }
        self.risk_out = out;
    }

    /// The hot path, for what it counted.
    pub(super) const fn hot(&self) -> &HotPath {
        &self.hot
    }
}
