//! The gateway seat: one venue's order entry and account stream.
//!
//! Takes nothing but [`OrderCommand`]s for orders; tells the execution seat every report and the supervisor every account
//! event. Connections, signing and bookkeeping are the machine's (`exchanges/gateway.rs`).

use std::time::Duration;

use actix::prelude::{Actor, Addr, AsyncContext, Context, Handler, Message};

use crate::clock::{Clock, OsClock};
use crate::exchanges::gateway::{
    AccountEvent, AccountQuery, Gateway, GatewayCounters, GatewayOut, HttpAnswer,
};
use crate::exchanges::socket::{FrameText, SocketError};
use crate::exchanges::{Channel, RequestId};
use crate::execution::{CommandAction, OrderCommand};
use crate::market::VenueId;
use crate::telemetry::{LiveTimer, Stage, StageTimer};
use crate::trade::Ticket;
use crate::units::{MonoNanos, Ppm};

use super::account::{AccountSeat, LineFacts};
use super::execution::{ExecutionSeat, Reports};
use super::link::{self, Answer, Link, LinkOwner, Transport};
use super::mailbox::Mail;

/// Its facts are told to the account seat each so many ticks of 50 ms, which is its heartbeat too.
const FACTS_TICKS: u32 = 2;

/// An order to send, cancel or ask about.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Command(pub OrderCommand);

/// Asks the venue for part of the account.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct AskAccount(pub AccountQuery);

/// What the venue says of the account.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct AccountNews {
    /// Which venue.
    pub venue: VenueId,
    /// What it says.
    pub event: AccountEvent,
    /// When it arrived.
    pub received_at: MonoNanos,
}

/// The engine stops in order: the venue's dead-man switch goes off.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct Disarm;

/// Who executes: told once, when that seat exists.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct BindExecution(pub Addr<ExecutionSeat>);

/// Asks for the gateway's counters.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "GatewayStatus")]
pub struct AskGateway;

/// What a gateway says of itself.
#[derive(Debug, Clone, PartialEq, Eq, actix::MessageResponse)]
pub struct GatewayStatus {
    /// Counters of the machine.
    pub counters: GatewayCounters,
    /// Orders can be placed.
    pub ready: bool,
    /// Share of request weight left.
    pub weight_remaining: Ppm,
    /// Connections open and wanted.
    pub links_open: Vec<(Channel, bool)>,
}

/// One venue's gateway.
pub struct GatewaySeat {
    venue: VenueId,
    machine: Gateway,
    links: Vec<Link>,
    transport: Transport,
    clock: OsClock,
    timer: LiveTimer,
    execution: Option<Addr<ExecutionSeat>>,
    account: Addr<AccountSeat>,
    ticks: u32,
    out: GatewayOut,
}

impl std::fmt::Debug for GatewaySeat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("GatewaySeat")
            .field("venue", &self.venue)
            .finish_non_exhaustive()
    }
}

/// What a gateway seat is built from.
pub(super) struct GatewayParts {
    pub(super) venue: VenueId,
    pub(super) machine: Gateway,
    pub(super) links: Vec<Link>,
    pub(super) transport: Transport,
    pub(super) clock: OsClock,
    pub(super) timer: LiveTimer,
    pub(super) account: Addr<AccountSeat>,
}

impl GatewaySeat {
    pub(super) fn new(parts: GatewayParts) -> Self {
        Self {
            venue: parts.venue,
            machine: parts.machine,
            links: parts.links,
            transport: parts.transport,
            clock: parts.clock,
            timer: parts.timer,
            execution: None,
            account: parts.account,
            ticks: 0,
            out: GatewayOut::default(),
        }
    }

    /// Runs the machine and carries out what it wants.
    fn drive(
        &mut self,
        context: &mut Context<Self>,
        step: impl FnOnce(&mut Gateway, MonoNanos, crate::units::UnixNanos, &mut GatewayOut),
    ) {
        let now = self.clock.now();
        let mut out = std::mem::take(&mut self.out);
        step(&mut self.machine, now, self.clock.now_unix(), &mut out);
        self.deliver(&mut out, now);
        link::perform(self, &mut out.actions, context);
        // A send may have failed and driven the machine again: its outputs are already delivered.
        out.clear();
        self.out = out;
    }

    fn deliver(&self, out: &mut GatewayOut, now: MonoNanos) {
        if !out.reports.is_empty()
            && let Some(execution) = &self.execution
        {
            execution.must(Reports(std::mem::take(&mut out.reports)));
        }
        for event in out.account.drain(..) {
            self.account.must(AccountNews {
                venue: self.venue,
                event,
                received_at: now,
            });
        }
    }

    fn place(&mut self, ticket: &Ticket, context: &mut Context<Self>) {
        let started_at = self.clock.now();
        let mut out = std::mem::take(&mut self.out);
        self.machine
            .place(ticket, started_at, self.clock.now_unix(), &mut out);
        let lane = self.venue.index();
        let encoded_at = self.timer.lap(Stage::Encode, lane, started_at);
        let sends = !out.actions.is_empty();
        link::perform(self, &mut out.actions, context);
        let written_at = self.timer.stamp();
        if sends {
            self.timer
                .record(Stage::Write, lane, written_at.since(encoded_at));
            out.reports
                .insert(0, self.machine.written(ticket, written_at));
        }
        self.deliver(&mut out, written_at);
        out.clear();
        self.out = out;
    }
}

impl Actor for GatewaySeat {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.set_mailbox_capacity(crate::capacity::MAILBOX_MESSAGES);
        self.drive(context, Gateway::start);
        context.run_interval(Duration::from_millis(50), |seat, context| {
            seat.drive(context, Gateway::on_timer);
            seat.ticks = seat.ticks.wrapping_add(1);
            if seat.ticks.is_multiple_of(FACTS_TICKS) {
                seat.account
                    .latest(LineFacts(seat.machine.facts(seat.clock.now())));
            }
        });
        context.run_interval(Duration::from_secs(1), |seat, _| {
            seat.timer.recorder().publish();
        });
    }
}

impl LinkOwner for GatewaySeat {
    fn link(&mut self, channel: Channel) -> Option<&mut Link> {
        self.links.iter_mut().find(|link| link.channel() == channel)
    }
    fn transport(&self) -> &Transport {
        &self.transport
    }
    fn on_link_open(&mut self, channel: Channel, context: &mut Self::Context) {
        self.drive(context, |machine, now, time, out| {
            machine.on_open(channel, now, time, out);
        });
    }
    fn on_link_text(&mut self, channel: Channel, text: &FrameText, context: &mut Self::Context) {
        self.drive(context, |machine, now, time, out| {
            machine.on_frame(channel, text.as_bytes(), now, time, out);
        });
    }
    fn on_link_lost(&mut self, channel: Channel, error: &SocketError, context: &mut Self::Context) {
        tracing::info!(
            venue = self.venue.0,
            ?channel,
            error = error.label(),
            "gateway connection lost: {error}"
        );
        self.drive(context, |machine, now, time, out| {
            machine.on_closed(channel, now, time, out);
        });
    }
    fn on_http_answer(&mut self, request: RequestId, answer: Answer, context: &mut Self::Context) {
        self.drive(context, |machine, now, time, out| {
            let answer = HttpAnswer {
                request,
                status: answer.status,
                headers: &answer.headers,
                body: &answer.body,
            };
            machine.on_http(&answer, now, time, out);
        });
    }
}

impl Handler<BindExecution> for GatewaySeat {
    type Result = ();
    fn handle(&mut self, message: BindExecution, _: &mut Self::Context) {
        self.execution = Some(message.0);
    }
}

impl Handler<Command> for GatewaySeat {
    type Result = ();
    fn handle(&mut self, message: Command, context: &mut Self::Context) {
        match *message.0.action() {
            CommandAction::Place(ticket) => self.place(&ticket, context),
            CommandAction::Cancel {
                instrument,
                client_order_id,
            } => {
                self.drive(context, |machine, now, time, out| {
                    machine.cancel(instrument, client_order_id, now, time, out);
                });
            }
            CommandAction::Query {
                instrument,
                client_order_id,
            } => {
                self.drive(context, |machine, now, time, out| {
                    machine.query(instrument, client_order_id, now, time, out);
                });
            }
            CommandAction::CancelAll { instrument } => {
                self.drive(context, |machine, now, time, out| {
                    machine.cancel_all(instrument, now, time, out);
                });
            }
        }
    }
}

impl Handler<AskAccount> for GatewaySeat {
    type Result = ();
    fn handle(&mut self, message: AskAccount, context: &mut Self::Context) {
        self.drive(context, |machine, now, time, out| {
            machine.request_account(message.0, now, time, out);
        });
    }
}

impl Handler<Disarm> for GatewaySeat {
    type Result = ();
    fn handle(&mut self, _: Disarm, context: &mut Self::Context) {
        self.drive(context, Gateway::disarm);
    }
}

impl Handler<AskGateway> for GatewaySeat {
    type Result = GatewayStatus;
    fn handle(&mut self, _: AskGateway, _: &mut Self::Context) -> GatewayStatus {
        GatewayStatus {
            counters: *self.machine.counters(),
            ready: self.machine.is_ready(),
            weight_remaining: self.machine.weight_remaining(),
            links_open: self
                .links
                .iter()
                .map(|link| (link.channel(), link.is_open()))
                .collect(),
        }
    }
}
