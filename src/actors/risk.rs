//! The risk seat: the monitor. Hears positions, marks, news of closes and operators; tells the gate (back edge 1) and the
//! desk (back edge 2).

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::{Actor, Addr, AsyncContext, Context, Handler, Message};
use arc_swap::ArcSwapOption;

use crate::clock::{Clock, OsClock};
use crate::journal::{Instant, Journal, Names, Record};
use crate::market::{Catalogue, Mark};
use crate::risk::{Alert, AlertKind, Monitor, RiskOutput, RiskView, Scope};
use crate::trade::unwind::{OpenOrders, UnwindReport, VenuePosition};
use crate::trade::{Fact, JournalFacts, PositionSnapshot};
use crate::units::{MonoNanos, Nanos};

use super::account::{AccountSeat, AskNow};
use super::board::Board;
use super::execution::{CancelOrders, CancelStrategy, ClearOrders, ExecutionSeat, Unwind};
use super::mailbox::Mail;
use super::signal::{NewLimits, SignalSeat};

mod bind;
mod people;
mod quotes;
mod raises;

pub(super) use bind::BindPosition;
pub use bind::{BindAccount, BindExecution};
pub use people::{
    BindSignal, Operator, OrdersLive, RestoreLevels, RestoreLosses, StartupBegins,
    StartupReconciled,
};
use quotes::QuoteBook;
pub use raises::GateRaises;

/// Positions after fills.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct Positions(pub Vec<PositionSnapshot>);

/// Valuation samples of the signal seat.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct Marks(pub Vec<Mark>);

/// What seats observed, in their order.
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct Facts(pub Vec<Fact>);

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

/// Our own accounting contradicts itself (AT-35).
#[derive(Debug, Clone, Message)]
#[rtype(result = "()")]
pub struct AccountingBroken {
    /// Fixed short word.
    pub label: &'static str,
    /// In words.
    pub text: String,
}

/// The intent of a close is on disk, or never will be.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
struct Written(bool);

impl Handler<Written> for RiskSeat {
    type Result = ();
    fn handle(&mut self, message: Written, context: &mut Self::Context) {
        if !message.0 {
            tracing::error!("the intent of a forced close could not be written; the close goes on");
        }
        self.unwritten = self.unwritten.saturating_sub(1);
        if self.unwritten == 0 {
            self.release(context);
        }
    }
}

/// A question to the monitor, asked on its own thread.
pub type RiskQuestion = Box<dyn FnOnce(&Monitor, MonoNanos) + Send>;

/// Borrows the monitor for a question.
#[derive(Message)]
#[rtype(result = "()")]
pub struct InspectRisk(pub RiskQuestion);

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
    quotes: QuoteBook,
    signal: Option<Addr<SignalSeat>>,
    journal: Option<Arc<Journal>>,
    strategies: Vec<String>,
    board: Arc<Board>,
    clock: OsClock,
    out: Vec<RiskOutput>,
    /// Intents of closes that are not on disk yet.
    unwritten: usize,
    /// Since when something is held.
    held_since: MonoNanos,
    /// Orders and cancels that wait for them (2.7 rule 1).
    held: VecDeque<RiskOutput>,
}

impl std::fmt::Debug for RiskSeat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RiskSeat").finish_non_exhaustive()
    }
}

/// Longest wait for the intent of a forced close to be on disk.
const JOURNAL_WAIT: Nanos = Nanos::from_millis(250);

/// How often the journal is looked at (10 Hz).
const JOURNAL_LOOK: Duration = Duration::from_millis(100);

/// What a risk seat is built from.
pub(super) struct RiskParts {
    pub(super) monitor: Monitor,
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) view: Arc<ArcSwapOption<RiskView>>,
    pub(super) journal: Option<Arc<Journal>>,
    pub(super) strategies: Vec<String>,
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
            quotes: QuoteBook::default(),
            signal: None,
            journal: parts.journal,
            strategies: parts.strategies,
            board: parts.board,
            clock: parts.clock,
            out: Vec::with_capacity(64),
            unwritten: 0,
            held_since: MonoNanos(0),
            held: VecDeque::new(),
        }
    }

    fn drive<T>(
        &mut self,
        context: &Context<Self>,
        step: impl FnOnce(&mut Monitor, MonoNanos, &mut Vec<RiskOutput>) -> T,
    ) -> T {
        let mut out = std::mem::take(&mut self.out);
        let answer = step(&mut self.monitor, self.clock.now(), &mut out);
        for output in out.drain(..) {
            self.carry_out(output, context);
        }
        self.out = out;
        answer
    }

    fn carry_out(&mut self, output: RiskOutput, context: &Context<Self>) {
        let waits = matches!(
            output,
            RiskOutput::Unwind(_) | RiskOutput::CancelInstrument(_)
        );
        if waits && self.unwritten > 0 {
            self.held.push_back(output);
            return;
        }
        match output {
            RiskOutput::View(view) => self.view.store(Some(Arc::new(view))),
            RiskOutput::Unwind(approved) => self.tell(Unwind(approved)),
            RiskOutput::CancelInstrument(instrument) => self.tell(CancelOrders(Some(instrument))),
            RiskOutput::ClearInstrument(instrument) => self.tell(ClearOrders(instrument)),
            RiskOutput::CancelStrategy(strategy) => self.tell(CancelStrategy(strategy)),
            RiskOutput::CancelAll => self.tell(CancelOrders(None)),
            RiskOutput::AskPosition(_) => {
                if let Some(account) = &self.account {
                    account.latest(AskNow);
                }
            }
            RiskOutput::Alert(alert) => self.alert(&alert),
            RiskOutput::CloseIntent(intent) => {
                self.board.read().closes_started += 1;
                let record = Record::CloseIntent(self.names().close_intent(&intent));
                self.write_first(record, context);
            }
            RiskOutput::CloseRecord(record) => {
                self.write(self.names().close_record(&record));
                self.board.add_close(*record);
            }
            RiskOutput::LevelState(state) => {
                let now = Instant {
                    mono: self.clock.now(),
                    unix: self.clock.now_unix(),
                };
                self.write(self.names().level_state(&state, now));
            }
            RiskOutput::LossPoint(point) => self.write(self.names().losses(&point)),
            RiskOutput::LimitsChanged(change) => {
                tracing::warn!(hash = %change.hash, "other limits are in force");
                if let Some(signal) = &self.signal {
                    signal.must(NewLimits(Arc::clone(&change.limits)));
                }
                self.write(self.names().limits_changed(&change));
                self.write(self.names().limits_in_force(&change.limits));
            }
            RiskOutput::LevelChanged(change) => {
                self.write(self.names().level(&change));
                let scope = scope_text(&self.catalogue, change.scope);
                self.board.add_change(self.clock.now_unix(), &scope, change);
            }
        }
    }

    /// The journal as it stands. A session that was started without one (tests, tools) has nothing that could lag or fail,
    /// and no disk that could be full.
    fn journal_facts(&self) -> JournalFacts {
        let Some(journal) = &self.journal else {
            return JournalFacts {
                disk_free_bytes: Some(u64::MAX),
                ..JournalFacts::default()
            };
        };
        let gauge = journal.gauge(self.clock.now());
        JournalFacts {
            lag: gauge.lag,
            failed: gauge.failed,
            disk_free_bytes: gauge.disk_free_bytes,
        }
    }

    /// Carries out what waited for the journal.
    fn release(&mut self, context: &Context<Self>) {
        self.unwritten = 0;
        for output in std::mem::take(&mut self.held) {
            self.carry_out(output, context);
        }
    }

    /// A disk that hangs must not keep a position open: after a while the close goes on.
    fn release_late(&mut self, context: &Context<Self>) {
        if self.unwritten > 0 && self.clock.now().since(self.held_since) > JOURNAL_WAIT {
            tracing::error!(
                "the journal did not answer in time; the forced close goes on without it"
            );
            self.release(context);
        }
    }

    fn alert(&self, alert: &Alert) {
        let scope = scope_text(&self.catalogue, alert.scope);
        // Changes of levels are kept and told with who and why (`Board::add_change`); the alert would say less.
        if alert.kind == AlertKind::LevelRaised {
            tracing::info!(scope, raised = alert.raised, "kill level changed");
        } else {
            self.board
                .add_risk_alert(self.clock.now_unix(), &scope, alert);
            self.write(self.names().alert(alert));
        }
    }

    fn names(&self) -> Names<'_> {
        Names {
            catalogue: &self.catalogue,
            strategies: &self.strategies,
        }
    }

    fn write(&self, record: Record) {
        if let Some(journal) = &self.journal
            && let Err(error) = journal.append(record)
        {
            tracing::error!("not in the journal: {error}");
        }
    }

    /// Holds what follows until the record is on disk. Without a journal, or when it fails, the close goes on: a position
    /// over its limit is the greater danger, and the failure is loud.
    fn write_first(&mut self, record: Record, context: &Context<Self>) {
        let Some(journal) = &self.journal else { return };
        let seat = context.address();
        let then = move |written: bool| {
            seat.must(Written(written));
        };
        match journal.append_durable(record, then) {
            Ok(()) => {
                if self.unwritten == 0 {
                    self.held_since = self.clock.now();
                }
                self.unwritten += 1;
            }
            Err(error) => {
                tracing::error!("the intent of a forced close is not in the journal: {error}");
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
        context.run_interval(JOURNAL_LOOK, |seat, context| {
            for fact in [
                Fact::Journal(seat.journal_facts()),
                Fact::Time(seat.clock.now_unix()),
            ] {
                seat.drive(context, |monitor, now, out| {
                    monitor.on_fact(&fact, now, out);
                });
            }
        });
        quotes::tell_regularly(context);
        context.run_interval(Duration::from_millis(20), |seat, context| {
            seat.release_late(context);
            seat.drive(context, |monitor, now, out| monitor.on_timer(now, out));
        });
    }
}

impl Handler<Positions> for RiskSeat {
    type Result = ();
    fn handle(&mut self, message: Positions, context: &mut Self::Context) {
        for snapshot in &message.0 {
            self.drive(context, |monitor, now, out| {
                monitor.on_position(snapshot, now, out);
            });
        }
    }
}

impl Handler<Marks> for RiskSeat {
    type Result = ();
    fn handle(&mut self, message: Marks, context: &mut Self::Context) {
        for mark in &message.0 {
            self.quotes.on_mark(mark);
            self.drive(context, |monitor, now, out| monitor.on_mark(mark, now, out));
        }
    }
}

impl Handler<Facts> for RiskSeat {
    type Result = ();
    fn handle(&mut self, message: Facts, context: &mut Self::Context) {
        for fact in &message.0 {
            self.drive(context, |monitor, now, out| monitor.on_fact(fact, now, out));
        }
    }
}

impl Handler<UnwindNews> for RiskSeat {
    type Result = ();
    fn handle(&mut self, message: UnwindNews, context: &mut Self::Context) {
        self.drive(context, |monitor, now, out| {
            monitor.on_unwind(&message.0, now, out);
        });
    }
}

impl Handler<OpenNews> for RiskSeat {
    type Result = ();
    fn handle(&mut self, message: OpenNews, context: &mut Self::Context) {
        self.drive(context, |monitor, now, out| {
            monitor.on_open_orders(&message.0, now, out);
        });
    }
}

impl Handler<VenueWord> for RiskSeat {
    type Result = ();
    fn handle(&mut self, message: VenueWord, context: &mut Self::Context) {
        self.drive(context, |monitor, now, out| {
            monitor.on_confirm(&message.0, now, out);
        });
    }
}

impl Handler<AccountingBroken> for RiskSeat {
    type Result = ();
    fn handle(&mut self, message: AccountingBroken, context: &mut Self::Context) {
        tracing::error!("accounting is broken: {}", message.text);
        self.drive(context, |monitor, now, out| {
            monitor.on_accounting_error(message.label, now, out);
        });
    }
}

impl Handler<InspectRisk> for RiskSeat {
    type Result = ();
    fn handle(&mut self, message: InspectRisk, _: &mut Self::Context) {
        (message.0)(&self.monitor, self.clock.now());
    }
}
