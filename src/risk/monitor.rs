//! The monitor: what do positions and prices do to the limits, and what must be undone? Pure: inputs in, outputs pushed.
//!
//! Controls are evaluated on every position and every mark, not by a timer: AT-01 (position quantity) raises K1 on the
//! symbol and closes to 80 % of the limit; AT-02 (unrealized loss of a position, at mid) raises K3 on the symbol and closes
//! to flat, latched until a person lowers it. K3 on any scope closes every position in it. The way out needs nothing of the
//! signal seat: it prices by the last mark. Snapshots of the ledger must arrive in the ledger's order.

use std::sync::Arc;

use rust_decimal::Decimal;

use crate::capacity::STRATEGIES_MAX;
use crate::market::{Catalogue, InstrumentId, Mark};
use crate::trade::{
    ApprovalSeq, OpenOrders, PositionSnapshot, StrategyId, UnwindReport, VenuePosition,
};
use crate::units::{Asset, MonoNanos, Qty, UnixNanos};

use super::levels::{Cause, Levels, Raise, contains};
use super::operator::Hex32;
use super::rearm::{Waiting, sha256};
use super::unwind::{Close, Numbers};
use super::{
    Actor, Alert, AlertKind, Amount, CloseState, InstrumentLimits, KillLevel, Limits, RiskOutput,
    Scope, Severity,
};

mod breaks;
mod closes;
mod controls;
mod escalate;
mod exposure;
mod feeds;
mod gate_raise;
mod heard;
mod judge;
mod kept;
mod leg_risk;
mod legs;
mod loss;
mod margin;
mod metrics;
mod needs;
mod operator;
mod orders;
mod pairs;
mod picture;
mod process;
mod quality;
mod rounds;
mod rows;
mod snapshot;
mod stress;
mod var;
mod watch;
mod worth;

use escalate::Escalation;
use heard::Heard;
pub use metrics::RiskMetrics;
use needs::FeedHealth;
pub use rows::{Control, ControlRow};
pub use snapshot::{InstrumentSnapshot, LimitUse, RiskSnapshot};
use watch::Watch;

/// Watches positions and prices; one owner: the risk seat.
#[derive(Debug)]
pub struct Monitor {
    limits: Arc<Limits>,
    limits_hash: Hex32,
    catalogue: Arc<Catalogue>,
    reporting: Asset,
    watches: Vec<Watch>,
    levels: Levels,
    strategy_count: usize,
    /// By strategy id; empty without [`Monitor::with_strategies`].
    strategy_instruments: Vec<Vec<InstrumentId>>,
    numbers: Numbers,
    heard: Heard,
    /// What the controls keep (one line a file of theirs).
    judged: judge::Judged,
    own_books: worth::OwnBooks,
    rates: worth::Rates,
    /// By venue id, and in all.
    equity: (Vec<Option<Decimal>>, Option<Decimal>),
    losses: loss::Losses,
    model: var::RiskModel,
    legs: legs::OpenLegs,
    feed_record: feeds::FeedRecord,
    order_record: orders::OrderRecord,
    quality: quality::QualityRecord,
    twins: breaks::Twins,
    error_record: process::ErrorRecord,
    beats: process::Beats,
    people: process::People,
    began_at: Option<MonoNanos>,
    /// Wall time of an instant of our clock.
    wall: (UnixNanos, MonoNanos),
    view_version: u64,
    as_of: ApprovalSeq,
    view_changed: bool,
    /// Scopes raised during this input: their orders are cancelled once the intents of the closes are written.
    cancels: Vec<Scope>,
    escalation: Escalation,
    leg_risks: leg_risk::LegRisks,
    feed_health: Vec<FeedHealth>,
    /// What people asked for and others must approve.
    waiting: Waiting,
}

impl Monitor {
    /// Flat, armed, without prices. `reporting` is the currency of the limits.
    #[must_use]
    pub fn new(limits: Arc<Limits>, catalogue: Arc<Catalogue>, reporting: Asset) -> Self {
        Self {
            judged: judge::Judged::default(),
            leg_risks: leg_risk::LegRisks::default(),
            own_books: worth::OwnBooks::default(),
            rates: worth::Rates::default(),
            equity: (vec![None; catalogue.venue_names().len()], None),
            losses: loss::Losses::default(),
            model: var::RiskModel::new(
                catalogue.all().iter().map(|one| one.symbol.base).collect(),
                &limits.controls,
            ),
            legs: legs::OpenLegs::default(),
            feed_record: feeds::FeedRecord::default(),
            order_record: orders::OrderRecord::default(),
            quality: quality::QualityRecord::default(),
            twins: breaks::Twins::default(),
            error_record: process::ErrorRecord::default(),
            beats: process::Beats::default(),
            people: process::People::default(),
            began_at: None,
            wall: (UnixNanos(0), MonoNanos(0)),
            heard: Heard::new(catalogue.venue_names().len(), catalogue.all().len()),
            levels: Levels::new(limits.kill.clone()),
            limits_hash: sha256(&limits.canonical(&catalogue)),
            watches: catalogue.all().iter().map(|_| Watch::default()).collect(),
            limits,
            catalogue,
            reporting,
            escalation: Escalation::default(),
            feed_health: Vec::new(),
            strategy_count: STRATEGIES_MAX,
            strategy_instruments: Vec::new(),
            numbers: Numbers::default(),
            view_version: 0,
            as_of: ApprovalSeq(0),
            view_changed: true,
            cancels: Vec::new(),
            waiting: Waiting::default(),
        }
    }

    /// Nothing was ever traded: the baseline of every instrument is flat. For simulations and tests; a start tells the ledger's
    /// snapshots instead.
    #[must_use]
    pub fn never_traded(mut self) -> Self {
        for (instrument, watch) in self.catalogue.all().iter().zip(&mut self.watches) {
            watch.position = Some(PositionSnapshot {
                instrument: instrument.id,
                qty: Qty::ZERO,
                cost: Decimal::ZERO,
                realized_pnl: Decimal::ZERO,
                trade_cash: Decimal::ZERO,
                settled: ApprovalSeq(0),
                unwind_filled: Qty::ZERO,
            });
        }
        self
    }

    /// A position changed, or the settled watermark rose. The first snapshot of an instrument is a baseline: send one of each,
    /// flat ones too, before any fill, or the first fill is neither profit nor loss.
    pub fn on_position(
        &mut self,
        position: &PositionSnapshot,
        now: MonoNanos,
        out: &mut Vec<RiskOutput>,
    ) {
        let Some(watch) = self.watches.get_mut(position.instrument.index()) else {
            return;
        };
        let before = watch.position.replace(*position);
        self.note_position(before.as_ref(), position, now);
        self.as_of = self.as_of.max(position.settled);
        self.view_changed = true;
        if let Some(before) = before {
            self.check_close_fill(&before, position, now, out);
        }
        self.evaluate(position.instrument, now, out);
        self.after_value(position.instrument, true, now, out);
        self.finish(now, out);
    }

    /// A price changed.
    pub fn on_mark(&mut self, mark: &Mark, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        let Some(watch) = self.watches.get_mut(mark.instrument.index()) else {
            return;
        };
        watch.on_mark(mark);
        self.note_mark(mark.instrument);
        self.evaluate(mark.instrument, now, out);
        self.after_value(mark.instrument, false, now, out);
        self.finish(now, out);
    }

    /// News of an order of a forced close.
    pub fn on_unwind(&mut self, report: &UnwindReport, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        let watch = self.watches.get_mut(report.instrument.index());
        if let Some(close) = watch.and_then(|watch| watch.close.as_mut()) {
            close.on_report(report, now);
        }
        self.step(report.instrument, now, out);
        self.finish(now, out);
    }

    /// What is open of our other orders. The desk sends this after every cancel of an instrument, zero included.
    pub fn on_open_orders(&mut self, open: &OpenOrders, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        let Some(watch) = self.watches.get_mut(open.instrument.index()) else {
            return;
        };
        watch.open = Some((*open, now));
        self.step(open.instrument, now, out);
        self.finish(now, out);
    }

    /// The venue's own word on a position (its stream, or the answer to [`RiskOutput::AskPosition`]).
    pub fn on_confirm(&mut self, word: &VenuePosition, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        self.take_word(word, now, out);
        self.with_close(word.instrument, now, |close, situation| {
            close.on_confirm(word, situation);
        });
        self.step(word.instrument, now, out);
        self.finish(now, out);
    }

    /// Our own accounting contradicts itself (AT-35): K4 on everything, positions stay as they are.
    pub fn on_accounting_error(
        &mut self,
        label: &'static str,
        now: MonoNanos,
        out: &mut Vec<RiskOutput>,
    ) {
        let kind = AlertKind::AccountingBroken;
        self.people.note(kind, Scope::Portfolio, true, now);
        out.push(alert(
            kind,
            Severity::Critical,
            Scope::Portfolio,
            None,
            true,
            now,
        ));
        self.halt("AT-35", label, now, out);
        self.finish(now, out);
    }

    /// Time passes: call a few times a second. Emits a view even when nothing changed, so that the gate's does not age.
    pub fn on_timer(&mut self, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        self.levels.end_probations(now);
        self.evaluate_all(now, out);
        self.clear_orders(now, out);
        self.settle_bans(now, out);
        self.after_time(now, out);
        self.view_changed = true;
        self.finish(now, out);
    }

    /// Level of one strategy's scope.
    #[must_use]
    pub fn strategy_level(&self, strategy: StrategyId) -> KillLevel {
        self.levels.of_strategy(strategy)
    }
    /// Highest level over the scopes of one instrument.
    #[must_use]
    pub fn level(&self, id: InstrumentId) -> KillLevel {
        self.catalogue
            .get(id)
            .map_or(KillLevel::Halt, |instrument| {
                self.levels.of_instrument(instrument)
            })
    }
    /// State of the live close of one instrument.
    #[must_use]
    pub fn close_state(&self, id: InstrumentId) -> Option<CloseState> {
        self.watches
            .get(id.index())?
            .close
            .as_ref()
            .map(Close::state)
    }

    fn own_limits(&self, id: InstrumentId) -> Option<InstrumentLimits> {
        self.limits.instruments.get(id.index()).copied().flatten()
    }

    fn evaluate_all(&mut self, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        for index in 0..self.watches.len() {
            if let Ok(id) = u16::try_from(index) {
                self.evaluate(InstrumentId(id), now, out);
            }
        }
    }

    /// AT-01, AT-02 and K3 of one instrument, then its close.
    fn evaluate(&mut self, id: InstrumentId, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        let catalogue = Arc::clone(&self.catalogue);
        let Some(instrument) = catalogue.get(id) else {
            return;
        };
        if let Some(own) = self.own_limits(id) {
            self.check_position(instrument, &own, now, out);
            self.check_loss(instrument, now, out);
        }
        self.flatten(instrument, now, out);
        self.step(id, now, out);
    }

    fn halt(
        &mut self,
        label: &'static str,
        reason: &str,
        now: MonoNanos,
        out: &mut Vec<RiskOutput>,
    ) {
        let raise = Raise {
            scope: Scope::Portfolio,
            level: KillLevel::Halt,
            cause: Cause {
                label,
                source: None,
            },
            latched: true,
            by: Actor::Control(label),
            reason: reason.to_owned(),
        };
        self.raise(raise, now, out);
    }

    /// Raises a level. The view goes out before anything else follows from it; the cancels follow at the end of the input.
    fn raise(&mut self, mut raise: Raise, now: MonoNanos, out: &mut Vec<RiskOutput>) -> bool {
        let scope = raise.scope;
        raise.latched |= self.levels.is_on_probation(scope, &self.catalogue);
        if !self.levels.raise(raise, now, out) {
            return false;
        }
        self.view_changed = true;
        self.publish(now, out);
        self.cancels.push(scope);
        self.begin_clearing(scope, now);
        true
    }

    /// Ends an input: cancels, then the picture.
    fn finish(&mut self, now: MonoNanos, out: &mut Vec<RiskOutput>) {
        self.escalate(now, out);
        for scope in std::mem::take(&mut self.cancels) {
            let covered = self
                .catalogue
                .all()
                .iter()
                .filter(|instrument| contains(scope, instrument))
                .map(|instrument| instrument.id);
            match scope {
                Scope::Portfolio => out.push(RiskOutput::CancelAll),
                Scope::Strategy(id) => out.push(RiskOutput::CancelStrategy(id)),
                Scope::Venue(_) | Scope::Asset(_) | Scope::Symbol(_) | Scope::Instrument(_) => {
                    out.extend(covered.clone().map(RiskOutput::CancelInstrument));
                }
            }
            // A strategy's level says nothing of what others placed.
            let clears = self.levels.of_scope(scope) >= KillLevel::CancelAll
                && !matches!(scope, Scope::Strategy(_));
            out.extend(covered.filter(|_| clears).map(RiskOutput::ClearInstrument));
        }
        self.publish(now, out);
        self.tell_losses(now, out);
        if let Some(state) = self.levels.take_state() {
            out.push(RiskOutput::LevelState(Box::new(state)));
        }
    }
}

fn alert(
    kind: AlertKind,
    severity: Severity,
    scope: Scope,
    numbers: Option<(Amount, Amount)>,
    raised: bool,
    at: MonoNanos,
) -> RiskOutput {
    let (value, limit) = numbers.unzip();
    RiskOutput::Alert(Alert {
        kind,
        severity,
        scope,
        value,
        limit,
        raised,
        at,
    })
}
