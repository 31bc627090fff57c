//! The execution seat: the desk. Hears approvals (ring), reports (gateways) and the risk seat's closes; tells gateways, the
//! ledger, the risk seat and the signal seat what follows.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context as TaskContext, Poll};
use std::time::Duration;

use actix::fut::ActorFuture;
use actix::prelude::{Actor, Addr, AsyncContext, Context, Handler, Message};

use crate::clock::{Clock, OsClock};
use crate::engine::DecisionDigest;
use crate::execution::{
    CommandAction, Desk, DeskCounters, DeskOutput, HoldReason, OpenSummary, OrderCommand,
    OrderState,
};
use crate::journal::rows::AlertRecord;
use crate::journal::{Journal, Names, Record};
use crate::market::{Catalogue, InstrumentId, VenueId};
use crate::ring::{Consumer, Idle, WaitStrategy, Wake};
use crate::risk::{Approved, Scope};
use crate::telemetry::{LiveTimer, StageTimer};
use crate::trade::{ApprovalSeq, Fact, OrderReport, Seat, SetId, StrategyId};
use crate::units::{MonoNanos, Side};

use super::board::Board;
use super::edges::SetMarked;
use super::gateway::{Command, GatewaySeat};
use super::heart::Signs;
use super::mailbox::Mail;
use super::position::{Booked, PositionSeat};
use super::risk::{Facts, OpenNews, RiskSeat, UnwindNews};
use super::signal::{Approval, Broken, SetEnded, SignalSeat};

/// Reports of one gateway, in the order of their arrival.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct Reports(pub Vec<OrderReport>);

/// Approvals that never left the signal seat.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct Released(pub Vec<ApprovalSeq>);

/// A broken set that got no repair this time.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct RepairHeld {
    /// Which.
    pub set: SetId,
    /// Why.
    pub reason: HoldReason,
}

/// Back edge 2: an order of a forced close.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Unwind(pub Approved);

/// Cancel our open orders of one strategy's sets.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct CancelStrategy(pub StrategyId);

/// Cancel whatever rests in one instrument, whoever placed it.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct ClearOrders(pub InstrumentId);

/// Cancel our open orders, in one instrument or everywhere.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct CancelOrders(pub Option<InstrumentId>);

/// The signal seat exists now.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct BindSignal(pub Addr<SignalSeat>);

/// Asks what is open.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "ExecutionStatus")]
pub struct AskExecution;

/// What the desk says of itself.
#[derive(Debug, Clone, actix::MessageResponse)]
pub struct ExecutionStatus {
    /// What is open or unknown.
    pub open: OpenSummary,
    /// What it has done.
    pub counters: DeskCounters,
    /// Unknown orders by venue.
    pub unknown: Vec<(VenueId, u64)>,
    /// Hash over every command and fill in order.
    pub digest: DecisionDigest,
}

impl ExecutionStatus {
    /// Unknown orders of one venue.
    #[must_use]
    pub fn unknown_at(&self, venue: VenueId) -> u64 {
        self.unknown
            .iter()
            .find(|(at, _)| *at == venue)
            .map_or(0, |(_, count)| *count)
    }
}

/// What an execution seat is built from.
pub(super) struct ExecutionParts {
    pub(super) desk: Desk,
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) approvals: Consumer<Approval>,
    pub(super) clock: OsClock,
    pub(super) timer: LiveTimer,
    pub(super) wait: WaitStrategy,
    pub(super) gateways: Vec<Addr<GatewaySeat>>,
    pub(super) position: Addr<PositionSeat>,
    pub(super) risk: Addr<RiskSeat>,
    pub(super) board: Arc<Board>,
    pub(super) journal: Option<Arc<Journal>>,
    pub(super) strategies: Vec<String>,
    pub(super) signs: Arc<Signs>,
}

/// The desk's owner.
pub struct ExecutionSeat {
    parts: ExecutionParts,
    signal: Option<Addr<SignalSeat>>,
    wake: Arc<Wake>,
    out: Vec<DeskOutput>,
    batch: Vec<Approval>,
    facts: Vec<Fact>,
    digest: DecisionDigest,
    worked_at: MonoNanos,
}

impl std::fmt::Debug for ExecutionSeat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ExecutionSeat").finish_non_exhaustive()
    }
}

impl ExecutionSeat {
    pub(super) fn new(parts: ExecutionParts) -> Self {
        Self {
            wake: parts.approvals.wake(),
            parts,
            signal: None,
            out: Vec::with_capacity(256),
            batch: Vec::with_capacity(crate::capacity::APPROVAL_RING_SETS),
            facts: Vec::new(),
            digest: DecisionDigest::default(),
            worked_at: MonoNanos(0),
        }
    }

    /// Runs the desk and carries out what follows.
    fn drive(&mut self, step: impl FnOnce(&mut Desk, MonoNanos, &mut Vec<DeskOutput>)) {
        let now = self.parts.clock.now();
        let mut out = std::mem::take(&mut self.out);
        step(&mut self.parts.desk, now, &mut out);
        let mut booked = Booked {
            fills: Vec::new(),
            settled: None,
        };
        for output in out.drain(..) {
            self.carry_out(output, &mut booked);
        }
        if !booked.fills.is_empty() || booked.settled.is_some() {
            self.parts.position.must(booked);
        }
        self.out = out;
        self.parts.desk.drain_facts(&mut self.facts);
        if !self.facts.is_empty() {
            self.parts.risk.must(Facts(std::mem::take(&mut self.facts)));
        }
    }

    fn carry_out(&mut self, output: DeskOutput, booked: &mut Booked) {
        match output {
            DeskOutput::Command(command) => self.command(command),
            DeskOutput::Fill(fill) => {
                self.digest.add_fill(&fill);
                self.parts
                    .board
                    .attribute_fill(&self.parts.catalogue, &fill);
                let decided = fill
                    .client_order_id
                    .and_then(|id| self.parts.desk.decision_price(id));
                booked.fills.push((fill, decided));
            }
            DeskOutput::Settled(seq) => booked.settled = Some(seq),
            DeskOutput::Broken(broken) => {
                if let Some(signal) = &self.signal {
                    signal.must(Broken(broken));
                }
            }
            DeskOutput::SetDone(summary) => {
                if !summary.reopened {
                    let fact = summary.facts(&self.parts.catalogue);
                    self.facts.push(Fact::SetEnded(fact));
                }
                self.parts.board.add_set(&self.parts.catalogue, &summary);
                if let Some(signal) = &self.signal {
                    signal.must(SetEnded(summary));
                }
            }
            DeskOutput::Unwind(report) => {
                // Fills of a close reach the ledger before the risk seat hears of them.
                if !booked.fills.is_empty() || booked.settled.is_some() {
                    let sent = std::mem::replace(
                        booked,
                        Booked {
                            fills: Vec::new(),
                            settled: None,
                        },
                    );
                    self.parts.position.must(sent);
                }
                self.parts.risk.must(UnwindNews(report));
            }
            DeskOutput::OpenOrders(open) => {
                self.parts.risk.must(OpenNews(open));
            }
            DeskOutput::Stage { stage, venue, span } => {
                self.parts.timer.record(stage, venue.index(), span);
            }
            DeskOutput::Alert(alert) => {
                let time = self.parts.clock.now_unix();
                self.parts
                    .board
                    .add_desk_alert(&self.parts.catalogue, time, &alert);
                self.write(|names| {
                    let scope = |id| names.scope(&Scope::Instrument(id));
                    let order = alert.order.map(|order| format!("order {order}"));
                    let set = alert.set.map(|set| format!("set {}", set.0));
                    Record::Alert(AlertRecord {
                        alert: alert.kind.label().to_owned(),
                        severity: "warning",
                        scope: alert.instrument.map(scope).unwrap_or_default(),
                        value: None,
                        limit: None,
                        raised: true,
                        text: set.into_iter().chain(order).collect::<Vec<_>>().join(" "),
                    })
                });
            }
        }
    }

    /// Appends a record; the order path does not wait for it.
    fn write(&self, record: impl FnOnce(Names<'_>) -> Record) {
        self.write_checked(|names| Some(record(names)));
    }

    /// Appends a record if there is one.
    fn write_checked(&self, record: impl FnOnce(Names<'_>) -> Option<Record>) {
        let Some(journal) = &self.parts.journal else {
            return;
        };
        let names = Names {
            catalogue: &self.parts.catalogue,
            strategies: &self.parts.strategies,
        };
        if let Some(record) = record(names)
            && let Err(error) = journal.append(record)
        {
            tracing::error!("not in the journal: {error}");
        }
    }

    fn command(&mut self, command: OrderCommand) {
        // The intent is queued before the order leaves (I07).
        match command.action() {
            CommandAction::Place(ticket) => {
                self.write(|names| Record::Order(names.order(ticket)));
                self.digest.add_ticket(ticket);
                self.parts.board.add_placement(command.venue(), ticket);
                let signs = &self.parts.signs;
                signs.placed(ticket.instrument, ticket.side, ticket.qty);
            }
            CommandAction::Cancel {
                instrument,
                client_order_id,
            } => self
                .write(|names| Record::Cancel(names.cancel(*instrument, Some(*client_order_id)))),
            CommandAction::CancelAll { instrument } => {
                self.write(|names| Record::Cancel(names.cancel(*instrument, None)));
            }
            CommandAction::Query { .. } => {}
        }
        if let Some(gateway) = self.parts.gateways.get(command.venue().index()) {
            gateway.must(Command(command));
        }
    }

    fn unknown_by_venue(&self) -> Vec<(VenueId, u64)> {
        let mut counts: Vec<(VenueId, u64)> = Vec::new();
        for order in self
            .parts
            .desk
            .tracker()
            .active()
            .filter(|order| order.state() == OrderState::Unknown)
        {
            match counts.iter_mut().find(|(venue, _)| *venue == order.venue) {
                Some((_, count)) => *count += 1,
                None => counts.push((order.venue, 1)),
            }
        }
        counts
    }

    /// Takes what waits in the approvals ring; how many.
    fn take_approvals(&mut self) -> usize {
        let mut batch = std::mem::take(&mut self.batch);
        let taken = self
            .parts
            .approvals
            .drain(crate::capacity::APPROVAL_RING_SETS, |approval| {
                batch.push(*approval);
            });
        for approval in &batch {
            match approval {
                Approval::Set(set) => self.drive(|desk, now, out| {
                    desk.on_set(set, now, out);
                }),
                Approval::Repair(repair) => {
                    self.drive(|desk, now, out| desk.on_approved(repair, now, out));
                }
                Approval::Gap => {}
            }
        }
        batch.clear();
        self.batch = batch;
        taken
    }
}

impl Actor for ExecutionSeat {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.set_mailbox_capacity(crate::capacity::MAILBOX_MESSAGES);
        context.spawn(Approvals);
        self.drive(|desk, _, out| desk.tell_all(out));
        context.run_interval(Duration::from_millis(10), |seat, _| {
            seat.drive(|desk, now, out| desk.on_timer(now, out));
            // Later than the fills that it no longer counts were booked.
            let active = seat.parts.desk.tracker().active();
            let buys = active.filter(|order| order.ticket.side == Side::Buy);
            let left = buys.map(|order| (order.ticket.instrument, order.remaining()));
            seat.parts.signs.set_buying(&left);
        });
        context.run_interval(Duration::from_millis(100), |seat, _| {
            seat.parts
                .risk
                .latest(Facts(vec![Fact::Beat(Seat::Execution)]));
        });
        context.run_interval(Duration::from_secs(1), |seat, _| {
            seat.parts.timer.recorder().publish();
        });
    }
}

/// Waits for approvals.
struct Approvals;

impl ActorFuture<ExecutionSeat> for Approvals {
    type Output = ();

    fn poll(
        self: Pin<&mut Self>,
        seat: &mut ExecutionSeat,
        _: &mut Context<ExecutionSeat>,
        task: &mut TaskContext<'_>,
    ) -> Poll<()> {
        let now = seat.parts.clock.now();
        if seat.take_approvals() > 0 {
            seat.worked_at = now;
            task.waker().wake_by_ref();
            return Poll::Pending;
        }
        match seat.parts.wait.idle(seat.worked_at, now) {
            Idle::Spin => task.waker().wake_by_ref(),
            Idle::Park => {
                let approvals = &seat.parts.approvals;
                if seat
                    .wake
                    .poll_sleep(task, || !approvals.is_empty())
                    .is_ready()
                {
                    task.waker().wake_by_ref();
                }
            }
        }
        Poll::Pending
    }
}

impl Handler<Reports> for ExecutionSeat {
    type Result = ();
    fn handle(&mut self, message: Reports, _: &mut Self::Context) {
        for report in &message.0 {
            let side = report
                .client_order_id
                .and_then(|id| self.parts.desk.tracker().get(id))
                .map(|order| order.ticket.side);
            self.parts.board.add_report(report, side);
            self.write(|names| Record::Report(names.report(report)));
            self.drive(|desk, now, out| desk.on_report(report, now, out));
        }
    }
}

impl Handler<Released> for ExecutionSeat {
    type Result = ();
    fn handle(&mut self, message: Released, _: &mut Self::Context) {
        for seq in message.0 {
            self.drive(|desk, _, out| desk.on_released(seq, out));
        }
    }
}

impl Handler<RepairHeld> for ExecutionSeat {
    type Result = ();
    fn handle(&mut self, message: RepairHeld, _: &mut Self::Context) {
        self.drive(|desk, now, out| desk.on_hold(message.set, message.reason, now, out));
    }
}

impl Handler<Unwind> for ExecutionSeat {
    type Result = ();
    fn handle(&mut self, message: Unwind, _: &mut Self::Context) {
        self.drive(|desk, now, out| desk.on_approved(&message.0, now, out));
    }
}

impl Handler<CancelOrders> for ExecutionSeat {
    type Result = ();
    fn handle(&mut self, message: CancelOrders, _: &mut Self::Context) {
        self.drive(|desk, now, out| match message.0 {
            Some(instrument) => desk.cancel_instrument(instrument, now, out),
            None => desk.cancel_all(now, out),
        });
    }
}

impl Handler<ClearOrders> for ExecutionSeat {
    type Result = ();
    fn handle(&mut self, message: ClearOrders, _: &mut Self::Context) {
        self.drive(|desk, now, out| desk.clear_instrument(message.0, now, out));
    }
}

impl Handler<CancelStrategy> for ExecutionSeat {
    type Result = ();
    fn handle(&mut self, message: CancelStrategy, _: &mut Self::Context) {
        self.drive(|desk, now, out| desk.cancel_strategy(message.0, now, out));
    }
}

impl Handler<BindSignal> for ExecutionSeat {
    type Result = ();
    fn handle(&mut self, message: BindSignal, _: &mut Self::Context) {
        self.signal = Some(message.0);
    }
}

impl Handler<AskExecution> for ExecutionSeat {
    type Result = ExecutionStatus;
    fn handle(&mut self, _: AskExecution, _: &mut Self::Context) -> ExecutionStatus {
        ExecutionStatus {
            open: self.parts.desk.open_summary(),
            counters: *self.parts.desk.counters(),
            unknown: self.unknown_by_venue(),
            digest: self.digest,
        }
    }
}

impl Handler<SetMarked> for ExecutionSeat {
    type Result = ();
    fn handle(&mut self, message: SetMarked, _: &mut Self::Context) {
        let catalogue = &self.parts.catalogue;
        let (board, touches) = (&self.parts.board, &message.touches);
        if let Some(split) = board.attribute_set(catalogue, &message.summary, touches) {
            self.write_checked(|names| {
                crate::engine::money_split::attribution_record(names, &split).ok()
            });
        }
    }
}
