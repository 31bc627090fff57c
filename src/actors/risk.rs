//! The risk seat: the monitor. Hears positions, marks, news of closes and operators; tells the gate (back edge 1) and the
//! desk (back edge 2).

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::{Actor, Addr, AsyncContext, Context, Handler, Message};
use arc_swap::ArcSwapOption;

use crate::clock::{Clock, OsClock};
use crate::market::{Catalogue, Mark};
use crate::risk::{Monitor, OperatorCommand, RiskOutput, RiskView, Scope};
use crate::trade::PositionSnapshot;
use crate::trade::unwind::{OpenOrders, UnwindReport, VenuePosition};
use crate::units::MonoNanos;

use super::account::{AccountSeat, AskNow};
use super::board::Board;
use super::execution::{CancelOrders, ExecutionSeat, Unwind};
use super::mailbox::Mail;

/// Positions after fills.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct Positions(pub Vec<PositionSnapshot>);

/// Valuation samples of the signal seat.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct Marks(pub Vec<Mark>);

/// News of a forced close's order.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct UnwindNews(pub UnwindReport);

/// What is open in one instrument.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct OpenNews(pub OpenOrders);

/// A position by the venue's own word.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub struct VenueWord(pub VenuePosition);

/// What a person asks.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct Operator(pub OperatorCommand);

/// Our own accounting contradicts itself (AT-35).
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct AccountingBroken {
    /// Fixed short word.
    pub label: &'static str,
    /// In words.
    pub text: String,
}

/// The execution seat exists now.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct BindExecution(pub Addr<ExecutionSeat>);

/// The account seat exists now.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct BindAccount(pub Addr<AccountSeat>);

/// Borrows the monitor for a question.
#[derive(Message)]
#[rtype(result = "()")]
pub struct InspectRisk(pub Box<dyn FnOnce(&Monitor, MonoNanos) + Send>);

impl std::fmt::Debug for InspectRisk {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("InspectRisk")
    }
}

/// The monitor's owner.
pub struct RiskSeat {
    monitor: Monitor,
    catalogue: Arc<Catalogue>,
    view: Arc<ArcSwapOption<RiskView>>,
    execution: Option<Addr<ExecutionSeat>>,
    account: Option<Addr<AccountSeat>>,
    board: Arc<Board>,
    clock: OsClock,
    out: Vec<RiskOutput>,
}

impl std::fmt::Debug for RiskSeat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RiskSeat").finish_non_exhaustive()
    }
}

/// What a risk seat is built from.
pub(super) struct RiskParts {
    pub(super) monitor: Monitor,
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) view: Arc<ArcSwapOption<RiskView>>,
    pub(super) board: Arc<Board>,
    pub(super) clock: OsClock,
}

impl RiskSeat {
    pub(super) fn new(parts: RiskParts) -> Self {
        Self {
            monitor: parts.monitor,
            catalogue: parts.catalogue,
            view: parts.view,
            execution: None,
            account: None,
            board: parts.board,
            clock: parts.clock,
            out: Vec::with_capacity(64),
        }
    }

    fn drive(&mut self, step: impl FnOnce(&mut Monitor, MonoNanos, &mut Vec<RiskOutput>)) {
        let mut out = std::mem::take(&mut self.out);
        step(&mut self.monitor, self.clock.now(), &mut out);
        for output in out.drain(..) {
            self.carry_out(output);
        }
        self.out = out;
    }

    fn carry_out(&mut self, output: RiskOutput) {
        match output {
            RiskOutput::View(view) => self.view.store(Some(Arc::new(view))),
            RiskOutput::Unwind(approved) => self.tell(Unwind(approved)),
            RiskOutput::CancelInstrument(instrument) => self.tell(CancelOrders(Some(instrument))),
            RiskOutput::CancelAll => self.tell(CancelOrders(None)),
            RiskOutput::AskPosition(_) => {
                if let Some(account) = &self.account {
                    account.latest(AskNow);
                }
            }
            RiskOutput::Alert(alert) => {
                let scope = scope_text(&self.catalogue, alert.scope);
                self.board
                    .add_risk_alert(self.clock.now_unix(), &scope, &alert);
            }
            RiskOutput::CloseIntent(intent) => {
                self.board.read().closes_started += 1;
                self.write_durable("close_intent", &format!("{intent:?}"));
            }
            RiskOutput::CloseRecord(record) => {
                self.write_durable("close_record", &format!("{record:?}"));
                self.board.add_close(*record);
            }
            RiskOutput::LevelChanged(change) => {
                self.write_durable("level_changed", &format!("{change:?}"));
                self.board.add_change(change);
            }
        }
    }

    fn tell<M>(&self, message: M)
    where
        M: Message + Send + 'static,
        M::Result: Send,
        ExecutionSeat: Handler<M>,
        Context<ExecutionSeat>: actix::dev::ToEnvelope<ExecutionSeat, M>,
    {
        if let Some(execution) = &self.execution {
            execution.must(message);
        }
    }

    /// Written and synced before the next output is carried out (2.7 rule 1).
    fn write_durable(&self, kind: &'static str, text: &str) {
        tracing::info!(kind, "{text}");
    }
}

/// A scope in words.
pub(super) fn scope_text(catalogue: &Catalogue, scope: Scope) -> String {
    match scope {
        Scope::Portfolio => "portfolio".to_owned(),
        Scope::Venue(venue) => format!("venue {}", catalogue.venue_name(venue)),
        Scope::Asset(asset) => format!("asset {asset}"),
        Scope::Symbol(symbol) => format!("symbol {symbol}"),
        Scope::Instrument(instrument) => catalogue.label(instrument),
        Scope::Strategy(strategy) => format!("strategy {}", strategy.0),
    }
}

impl Actor for RiskSeat {
    type Context = Context<Self>;
    fn started(&mut self, context: &mut Self::Context) {
        context.set_mailbox_capacity(crate::capacity::MAILBOX_MESSAGES);
        context.run_interval(Duration::from_millis(20), |seat, _| {
            seat.drive(|monitor, now, out| monitor.on_timer(now, out));
        });
    }
}

impl Handler<Positions> for RiskSeat {
    type Result = ();
    fn handle(&mut self, message: Positions, _: &mut Self::Context) {
        for snapshot in &message.0 {
            self.drive(|monitor, now, out| monitor.on_position(snapshot, now, out));
        }
    }
}

impl Handler<Marks> for RiskSeat {
    type Result = ();
    fn handle(&mut self, message: Marks, _: &mut Self::Context) {
        for mark in &message.0 {
            self.drive(|monitor, now, out| monitor.on_mark(mark, now, out));
        }
    }
}

impl Handler<UnwindNews> for RiskSeat {
    type Result = ();
    fn handle(&mut self, message: UnwindNews, _: &mut Self::Context) {
        self.drive(|monitor, now, out| monitor.on_unwind(&message.0, now, out));
    }
}

impl Handler<OpenNews> for RiskSeat {
    type Result = ();
    fn handle(&mut self, message: OpenNews, _: &mut Self::Context) {
        self.drive(|monitor, now, out| monitor.on_open_orders(&message.0, now, out));
    }
}

impl Handler<VenueWord> for RiskSeat {
    type Result = ();
    fn handle(&mut self, message: VenueWord, _: &mut Self::Context) {
        self.drive(|monitor, now, out| monitor.on_confirm(&message.0, now, out));
    }
}

impl Handler<Operator> for RiskSeat {
    type Result = ();
    fn handle(&mut self, message: Operator, _: &mut Self::Context) {
        self.drive(|monitor, now, out| monitor.on_operator(message.0, now, out));
    }
}

impl Handler<AccountingBroken> for RiskSeat {
    type Result = ();
    fn handle(&mut self, message: AccountingBroken, _: &mut Self::Context) {
        tracing::error!("accounting is broken: {}", message.text);
        self.drive(|monitor, now, out| monitor.on_accounting_error(message.label, now, out));
    }
}

impl Handler<BindExecution> for RiskSeat {
    type Result = ();
    fn handle(&mut self, message: BindExecution, _: &mut Self::Context) {
        self.execution = Some(message.0);
    }
}

impl Handler<BindAccount> for RiskSeat {
    type Result = ();
    fn handle(&mut self, message: BindAccount, _: &mut Self::Context) {
        self.account = Some(message.0);
    }
}

impl Handler<InspectRisk> for RiskSeat {
    type Result = ();
    fn handle(&mut self, message: InspectRisk, _: &mut Self::Context) {
        (message.0)(&self.monitor, self.clock.now());
    }
}
