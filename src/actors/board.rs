//! The board: what the seats wrote down for people. Written at the rate of orders, read once a second and at the end.
//!
//! Nothing on the flow reads it. Its lock is never taken by the signal seat.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rust_decimal::Decimal;

use crate::capacity::LEGS_MAX;
use crate::engine::alerts::Note;
use crate::engine::money_split::{Held, MoneySplit, money_split};
use crate::execution::{Attribution, Attributor, DeskAlert, SetEnd, SetSummary};
use crate::ledger::{FillEffect, Ledger};
use crate::market::{Catalogue, InstrumentId, VenueId};
use crate::risk::{Actor, Alert, CloseRecord, KillLevel, LevelChange, Severity};
use crate::telemetry::snapshot::{AlertLine, AlertSinkStatus};
use crate::trade::{Fill, OrderReport, ReportKind, StrategyId, Ticket};
use crate::units::{Money, Price, Side, UnixNanos};

use super::alerts::AlertPost;

/// Fills kept for the CSV and the summary; older ones stay counted.
const FILLS_MAX: usize = 1_000_000;
/// Alerts kept.
const ALERTS_MAX: usize = 200;
/// Close records kept.
const CLOSES_MAX: usize = 200;

/// One position for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PositionLine {
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// Signed quantity.
    pub quantity: Decimal,
    /// Average price of the open quantity.
    pub average_price: Option<Decimal>,
    /// Realized, net of quote fees.
    pub realized_pnl: Decimal,
    /// Signed cost of the open quantity.
    pub cost: Decimal,
    /// Funding received less paid.
    pub funding: Decimal,
}

/// Everything written down.
#[derive(Debug, Default)]
pub struct BoardData {
    /// Executions, oldest first.
    pub fills: Vec<Fill>,
    /// Executions counted.
    pub fill_count: u64,
    /// Placements by venue and side.
    pub placed: BTreeMap<(VenueId, &'static str), u64>,
    /// Ends of orders by venue, side and result.
    pub ended: BTreeMap<(VenueId, &'static str, &'static str), u64>,
    /// Refusals of venues by venue and reason.
    pub rejects: BTreeMap<(VenueId, &'static str), u64>,
    /// Executions by venue, side and liquidity.
    pub filled: BTreeMap<(VenueId, &'static str, &'static str), u64>,
    /// Traded value by instrument, in the quote asset.
    pub traded: BTreeMap<InstrumentId, Decimal>,
    /// Fees paid and rebates received by venue, in the fee's asset taken as the quote asset.
    pub fees: BTreeMap<VenueId, (Decimal, Decimal)>,
    /// Fees by asset.
    pub fees_by_asset: BTreeMap<String, Money>,
    /// Ended sets by strategy and how they ended.
    pub sets: BTreeMap<(StrategyId, &'static str), u64>,
    /// Realized by ended sets after fees, in the quote asset, by strategy id.
    pub strategy_pnl: Vec<Decimal>,
    /// Ended sets that had been broken.
    pub sets_broken: u64,
    /// Positions.
    pub positions: Vec<PositionLine>,
    /// Alerts, newest last.
    pub alerts: VecDeque<AlertLine>,
    /// Forced closes that ended, newest last.
    pub closes: VecDeque<CloseRecord>,
    /// Forced closes that began.
    pub closes_started: u64,
    /// Changes of kill levels, newest last.
    pub changes: VecDeque<LevelChange>,
}

/// Shared by seats and reporters.
#[derive(Debug)]
pub struct Board {
    data: Mutex<BoardData>,
    post: AlertPost,
    attributor: Mutex<Attributor>,
}

impl Board {
    pub(super) fn new(post: AlertPost) -> Self {
        Self {
            data: Mutex::default(),
            attributor: Mutex::default(),
            post,
        }
    }

    /// Counters of the receivers of alerts.
    pub(super) fn alert_sinks(&self) -> Vec<AlertSinkStatus> {
        self.post.status()
    }

    /// Waits a little until every alert is sent.
    pub(super) async fn flush_alerts(&self) {
        self.post.flush().await;
    }

    /// The data, locked.
    pub fn read(&self) -> MutexGuard<'_, BoardData> {
        self.data.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn add_placement(&self, venue: VenueId, ticket: &Ticket) {
        *self
            .read()
            .placed
            .entry((venue, ticket.side.label()))
            .or_default() += 1;
    }

    /// A report of an order of ours; of others there is no side to count.
    pub(super) fn add_report(&self, report: &OrderReport, side: Option<Side>) {
        let Some(side) = side.map(Side::label) else {
            return;
        };
        let mut data = self.read();
        match report.kind {
            ReportKind::Rejected { reason, .. } => {
                *data
                    .rejects
                    .entry((report.venue, reason.label()))
                    .or_default() += 1;
                *data
                    .ended
                    .entry((report.venue, side, "rejected"))
                    .or_default() += 1;
            }
            ReportKind::Done { complete, filled } => {
                let result = match (complete, filled.is_zero()) {
                    (true, _) => "filled",
                    (false, true) => "expired",
                    (false, false) => "partially_filled",
                };
                *data.ended.entry((report.venue, side, result)).or_default() += 1;
            }
            ReportKind::Unknown => {
                *data
                    .ended
                    .entry((report.venue, side, "unknown"))
                    .or_default() += 1;
            }
            ReportKind::Written
            | ReportKind::Acked { .. }
            | ReportKind::Filled { .. }
            | ReportKind::Open { .. }
            | ReportKind::NotFound
            | ReportKind::CancelRejected => {}
        }
    }

    pub(super) fn add_fill(&self, catalogue: &Catalogue, fill: &Fill, effect: &FillEffect) {
        if effect.duplicate {
            return;
        }
        let mut data = self.read();
        data.fill_count += 1;
        if data.fills.len() < FILLS_MAX {
            data.fills.push(*fill);
        }
        let liquidity = fill.liquidity.label();
        *data
            .filled
            .entry((fill.venue, fill.side.label(), liquidity))
            .or_default() += 1;
        if let Some(instrument) = catalogue.get(fill.instrument) {
            let value = instrument
                .grid
                .notional_money(fill.price.times(fill.qty))
                .unwrap_or_default();
            let traded = data.traded.entry(fill.instrument).or_default();
            *traded = traded.saturating_add(value.0.saturating_mul(instrument.multiplier));
        }
        let (paid, received) = data.fees.entry(fill.venue).or_default();
        if fill.fee.is_sign_negative() {
            *received = received.saturating_sub(fill.fee);
        } else {
            *paid = paid.saturating_add(fill.fee);
        }
        if let Some(asset) = fill.fee_asset {
            let sum = data.fees_by_asset.entry(asset.to_string()).or_default();
            if let Ok(next) = sum.add(Money(fill.fee)) {
                *sum = next;
            }
        }
    }

    pub(super) fn add_set(&self, catalogue: &Catalogue, summary: &SetSummary) {
        let realized = summary.realized.and_then(|realized| {
            let leg = summary.legs.iter().flatten().next()?;
            let grid = catalogue.get(leg.leg.instrument)?.grid;
            grid.notional_money(realized)
        });
        let mut data = self.read();
        let index = usize::from(summary.strategy.0);
        if data.strategy_pnl.len() <= index {
            data.strategy_pnl.resize(index + 1, Decimal::ZERO);
        }
        // A set that a late fill opened again was counted at its first end.
        if let (Some(realized), Some(sum), false) =
            (realized, data.strategy_pnl.get_mut(index), summary.reopened)
        {
            *sum = sum.saturating_add(realized.0);
        }
        *data
            .sets
            .entry((summary.strategy, summary.end.label()))
            .or_default() += 1;
        data.sets_broken += u64::from(summary.broken_count > 0);
    }

    fn attributor(&self) -> MutexGuard<'_, Attributor> {
        self.attributor
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    /// An execution, in the order of the desk.
    pub(super) fn attribute_fill(&self, catalogue: &Catalogue, fill: &Fill) {
        if let Err(error) = self.attributor().on_fill(fill, catalogue) {
            tracing::warn!("an execution is not attributed: {error}");
        }
    }

    /// An ended set's parts; `None` when it traded nothing or cannot be split.
    pub(super) fn attribute_set(
        &self,
        catalogue: &Catalogue,
        summary: &SetSummary,
        touches: &[Option<Price>; LEGS_MAX],
    ) -> Option<Attribution> {
        let split = self.attributor().on_set_done(summary, touches, catalogue);
        split.unwrap_or_else(|error| {
            tracing::warn!("set {} is not attributed: {error}", summary.id.0);
            None
        })
    }

    /// Where the money came from.
    pub(super) fn money(
        &self,
        catalogue: &Catalogue,
        names: &[String],
        held: &[Held],
    ) -> MoneySplit {
        money_split(&self.attributor(), names, held, catalogue)
    }

    pub(super) fn set_ledger(&self, ledger: &Ledger, catalogue: &Catalogue) {
        let positions = catalogue
            .all()
            .iter()
            .filter_map(|instrument| {
                let position = ledger.position(instrument.id)?;
                Some(PositionLine {
                    instrument: instrument.id,
                    quantity: position.qty(),
                    average_price: ledger.average_price(instrument.id),
                    realized_pnl: position.realized_pnl(),
                    cost: position.cost(),
                    funding: position.funding(),
                })
            })
            .collect();
        self.read().positions = positions;
    }

    /// For the page and the log, and for whoever outside is told.
    pub(super) fn add_alert(&self, note: Note) {
        let note = note.cleaned();
        let severity = note.severity.label();
        tracing::warn!(severity, "{}", note.text);
        self.post.add(&note);
        let mut data = self.read();
        if data.alerts.len() >= ALERTS_MAX {
            data.alerts.pop_front();
        }
        data.alerts.push_back(AlertLine {
            time_ns: note.at.0,
            severity,
            text: note.text,
        });
    }

    pub(super) fn add_desk_alert(&self, catalogue: &Catalogue, time: UnixNanos, alert: &DeskAlert) {
        let place = alert
            .instrument
            .map(|instrument| catalogue.label(instrument))
            .unwrap_or_default();
        let set = alert
            .set
            .map(|set| format!(" set {}", set.0))
            .unwrap_or_default();
        let order = alert
            .order
            .map(|order| format!(" order {order}"))
            .unwrap_or_default();
        self.add_alert(Note {
            at: time,
            severity: Severity::Warning,
            kind: alert.kind.label().to_owned(),
            text: format!("{} {place}{set}{order}", alert.kind.label()),
            scope: place,
            raised: true,
        });
    }

    pub(super) fn add_risk_alert(&self, time: UnixNanos, scope: &str, alert: &Alert) {
        let number = |amount: Option<crate::risk::Amount>, name: &str| {
            amount
                .map(|amount| format!(" {name}={amount}"))
                .unwrap_or_default()
        };
        let word = if alert.raised { "" } else { " ended" };
        let text = format!(
            "{}{word} {scope}{}{}",
            alert.kind.label(),
            number(alert.value, "value"),
            number(alert.limit, "limit")
        );
        self.add_alert(Note {
            at: time,
            severity: alert.severity,
            kind: alert.kind.label().to_owned(),
            scope: scope.to_owned(),
            raised: alert.raised,
            text,
        });
    }

    pub(super) fn add_close(&self, record: CloseRecord) {
        let mut data = self.read();
        if data.closes.len() >= CLOSES_MAX {
            data.closes.pop_front();
        }
        data.closes.push_back(record);
    }

    /// For the history of levels, and at once for whoever outside is told.
    pub(super) fn add_change(&self, time: UnixNanos, scope: &str, change: LevelChange) {
        for note in level_notes(time, scope, &change) {
            tracing::warn!(severity = note.severity.label(), "{}", note.text);
            self.post.add(&note.cleaned());
        }
        let mut data = self.read();
        if data.changes.len() >= ALERTS_MAX {
            data.changes.pop_front();
        }
        data.changes.push_back(change);
    }

    /// Ended sets of all strategies that ended like this.
    #[must_use]
    pub fn set_count(&self, end: SetEnd) -> u64 {
        self.read()
            .sets
            .iter()
            .filter(|((_, label), _)| *label == end.label())
            .map(|(_, count)| count)
            .sum()
    }
}

/// What people outside are told of a change of a kill level. Each level is an alert of its own, so that a harder one is never
/// taken for a repeat; lowering ends those above the new level.
fn level_notes(time: UnixNanos, scope: &str, change: &LevelChange) -> Vec<Note> {
    let who = match &change.by {
        Actor::Control(row) => format!("control {row}"),
        Actor::Operator(name) => format!("operator {name}"),
    };
    let (from, to, cause) = (change.from.label(), change.to.label(), change.cause);
    let text = format!(
        "kill level of {scope}: {from} to {to}, cause {cause}, by {who}: {}",
        change.reason
    );
    let note = |level: KillLevel, severity, raised| Note {
        at: time,
        severity,
        kind: format!("kill_level_{}", level.label()),
        scope: scope.to_owned(),
        raised,
        text: text.clone(),
    };
    if change.to > change.from {
        let severity = if change.to >= KillLevel::CancelAll {
            Severity::Critical
        } else {
            Severity::Warning
        };
        return vec![note(change.to, severity, true)];
    }
    let levels = [
        KillLevel::ReduceOnly,
        KillLevel::CancelAll,
        KillLevel::Flatten,
        KillLevel::Halt,
    ];
    levels
        .into_iter()
        .filter(|level| *level > change.to && *level <= change.from)
        .map(|level| note(level, Severity::Info, false))
        .collect()
}
