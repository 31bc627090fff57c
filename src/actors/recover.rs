//! The start's questions to journal, ledger and venues until two answers in a row agree, and what follows. Decides nothing:
//! `engine/recovery.rs` does.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use actix::prelude::Addr;
use rust_decimal::Decimal;

use crate::clock::{Clock, OsClock};
use crate::config::Settings;
use crate::engine::recovery::{
    ADJUSTMENT_FIRST, Adjustment, History, Plan, Row, VenueAnswer, compare, report,
};
use crate::exchanges::gateway::AccountQuery;
use crate::execution::recovery::cancel_leftover;
use crate::journal::{Journal, Record};
use crate::market::{Catalogue, Instrument, InstrumentId, VenueId};
use crate::risk::{KillLevel, OperatorCommand, Person, Role, Scope};
use crate::telemetry::snapshot::RecoveryStatus;
use crate::trade::{ApprovalSeq, Fill, Liquidity, OrderIdSource};
use crate::units::{Asset, Price, Qty, Side, UnixNanos};

use super::account::{AccountSeat, Accounts, AskAccounts, AskNow, Baselines, VenueAccount};
use super::board::Board;
use super::execution::{AskExecution, ExecutionSeat};
use super::gateway::{AskAccount, Command, GatewaySeat};
use super::mailbox::Mail;
use super::position::{AskHoldings, Booked, Holdings, PositionSeat};
use super::risk::{Operator, RiskSeat};
use super::system::StartError;

/// What belonged to each account before this engine traded there, by venue id.
pub(super) type BaselinesByVenue = Vec<Option<BTreeMap<Asset, Decimal>>>;

/// How often an answer is looked for.
const LOOK_EVERY: Duration = Duration::from_millis(10);
/// Pause before a question that failed is asked again.
const RETRY_AFTER: Duration = Duration::from_millis(250);
/// Longest wait for a record to be on disk.
const DURABLE_WAIT: Duration = Duration::from_secs(5);

/// The seats and facts of a recovery.
pub(super) struct Recovery<'a> {
    pub(super) settings: &'a Settings,
    pub(super) catalogue: &'a Arc<Catalogue>,
    pub(super) clock: &'a OsClock,
    pub(super) ids: OrderIdSource,
    pub(super) history: &'a History,
    pub(super) account: &'a Addr<AccountSeat>,
    pub(super) gateways: &'a [Addr<GatewaySeat>],
    pub(super) execution: &'a Addr<ExecutionSeat>,
    pub(super) position: &'a Addr<PositionSeat>,
    pub(super) risk: &'a Addr<RiskSeat>,
    pub(super) board: &'a Board,
    pub(super) journal: Option<&'a Journal>,
}

/// One comparison.
struct Round {
    rows: Vec<Row>,
    answers: Vec<VenueAnswer>,
    holdings: Holdings,
    baselines: BaselinesByVenue,
    /// The venues' clocks before the balances were asked for.
    since: Vec<UnixNanos>,
}

impl Recovery<'_> {
    /// Compares until two rounds in a row are equal and nothing of ours is open, then acts on the differences.
    ///
    /// # Errors
    /// [`StartError::Leftovers`] by policy; [`StartError::Transport`] when a seat is gone.
    pub(super) async fn run(
        &self,
        mut status: RecoveryStatus,
    ) -> Result<(RecoveryStatus, BaselinesByVenue), StartError> {
        let gone = || StartError::Transport("a seat ended during recovery".to_owned());
        let terms = self.settings.engine.recovery;
        let until = self.clock.now().after(terms.timeout);
        let mut cancelled = Vec::new();
        let mut last: Option<Round> = None;
        let round = loop {
            let left = until.since(self.clock.now()).as_duration();
            let round = match tokio::time::timeout(left, self.round()).await {
                Ok(round) => round.ok_or_else(gone)?,
                Err(_elapsed) => break last,
            };
            status.rounds += 1;
            let plan = self.plan(&round);
            if let Some((venue, open_orders, open_positions)) = plan.refused {
                return Err(StartError::Leftovers {
                    venue: self.catalogue.venue_name(venue).to_owned(),
                    open_orders,
                    open_positions,
                });
            }
            for (venue, instrument, id) in &plan.cancels {
                if let Some(gateway) = self.gateways.get(venue.index()) {
                    gateway.must(Command(cancel_leftover(*venue, *instrument, *id)));
                }
                if !cancelled.contains(id) {
                    cancelled.push(*id);
                }
            }
            let same = last.as_ref().is_some_and(|last| {
                last.rows == round.rows && last.holdings.fill_count == round.holdings.fill_count
            });
            status.matched = same && plan.is_quiet();
            let over = status.matched || self.clock.now() >= until;
            last = Some(round);
            if over {
                break last;
            }
        };
        status.orders_cancelled = u64::try_from(cancelled.len()).unwrap_or(u64::MAX);
        status.fills_known = u64::try_from(self.history.fills.len()).unwrap_or(u64::MAX);
        let Some(round) = round else {
            self.alert(
                &mut status,
                "no comparison with the venues was finished".to_owned(),
            );
            return Ok((status, self.history.baselines.clone()));
        };
        let baselines = self.settle(round, &mut status).await;
        self.account.must(Baselines(baselines.clone()));
        self.append(Record::Recovered(report::record(&status)))
            .await;
        Ok((status, baselines))
    }

    fn plan(&self, round: &Round) -> Plan {
        let terms = self.settings.engine.recovery;
        Plan::new(
            (terms.policy, terms.unexplained),
            self.catalogue,
            self.ids,
            (&round.rows, &round.holdings.each),
            &round.answers,
        )
    }

    /// Executions first, then balances, positions and orders: a later answer contains what an earlier one told.
    async fn round(&self) -> Option<Round> {
        self.ask_histories().await?;
        let asked_at = self.clock.now_unix();
        let accounts = self.fresh_accounts().await?;
        let offset = |one: &VenueAccount| one.clock_offset_ns.unwrap_or(0);
        let since = accounts.0.iter().map(offset);
        let since = since.map(|offset| UnixNanos(asked_at.0.saturating_add(offset)));
        // What the gateways told before is in the desk's mailbox, and what the desk made of it in the ledger's.
        self.execution.send(AskExecution).await.ok()?;
        let holdings = self.position.send(AskHoldings).await.ok()?;
        let answers: Vec<VenueAnswer> = accounts.0.iter().map(answer).collect();
        let mut baselines = self.history.baselines.clone();
        let rows = compare(self.catalogue, &holdings.each, &answers, &mut baselines);
        for (baseline, answer) in baselines.iter_mut().zip(&answers) {
            baseline.get_or_insert_with(|| answer.totals.clone());
        }
        Some(Round {
            since: since.collect(),
            rows,
            answers,
            holdings,
            baselines,
        })
    }

    async fn ask_histories(&self) -> Option<()> {
        let now = self.clock.now_unix();
        for instrument in self.catalogue.all() {
            let gateway = self.gateways.get(instrument.venue.index())?;
            let question = self.history.question(instrument, now);
            let count = |accounts: &Accounts| {
                let account = accounts.0.get(instrument.venue.index())?;
                Some(
                    account
                        .histories
                        .get(&instrument.id)
                        .copied()
                        .unwrap_or_default(),
                )
            };
            let (mut done, mut failed) = count(&self.accounts().await?)?;
            let goal = done + 1;
            gateway.must(AskAccount(AccountQuery::History {
                instrument: instrument.id,
                from_id: question.from_id,
                since: question.since,
            }));
            while done < goal {
                tokio::time::sleep(LOOK_EVERY).await;
                let (now_done, now_failed) = count(&self.accounts().await?)?;
                if now_failed > failed && now_done < goal {
                    tokio::time::sleep(RETRY_AFTER).await;
                    gateway.must(AskAccount(AccountQuery::History {
                        instrument: instrument.id,
                        from_id: question.from_id,
                        since: question.since,
                    }));
                }
                (done, failed) = (now_done, now_failed);
            }
        }
        Some(())
    }

    /// Answers to questions that were asked after this was called.
    async fn fresh_accounts(&self) -> Option<Accounts> {
        let before = loop {
            let accounts = self.accounts().await?;
            if accounts.0.iter().all(|one| one.ready && one.is_idle()) {
                break accounts;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        };
        self.account.must(AskNow);
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let accounts = self.accounts().await?;
            let is_new = |(one, old): (&VenueAccount, &VenueAccount)| {
                one.answers
                    .iter()
                    .zip(&old.answers)
                    .all(|(one, old)| one > old)
            };
            if accounts.0.iter().zip(&before.0).all(is_new) {
                return Some(accounts);
            }
        }
    }

    async fn accounts(&self) -> Option<Accounts> {
        self.account.send(AskAccounts).await.ok()
    }

    /// Adjusts, holds, reports; the baselines that count from now on.
    async fn settle(&self, round: Round, status: &mut RecoveryStatus) -> BaselinesByVenue {
        let plan = self.plan(&round);
        let mut baselines = round.baselines;
        status.rows = report::rows(self.catalogue, &round.rows, &plan);
        status.fills_found = round.holdings.fill_count.saturating_sub(status.fills_known);
        status.orders_foreign = u64::try_from(plan.foreign.len()).unwrap_or(u64::MAX);
        if status.fills_found > 0 {
            status.remarks.push(format!(
                "{} executions were not in the journal: booked from the venues",
                status.fills_found
            ));
        }
        if !status.matched {
            self.alert(
                status,
                "the venues' answers did not agree twice in time: reduce-only until a restart"
                    .to_owned(),
            );
            return baselines;
        }
        self.write_baselines(&baselines, &round.since).await;
        for (index, adjustment) in (0_u64..).zip(&plan.adjustments) {
            self.adjust(adjustment, index, &mut baselines, status).await;
        }
        // What was booked is on its way to the disk before the record that says so.
        if self.position.send(AskHoldings).await.is_err() {
            self.alert(status, "the position seat ended during recovery".to_owned());
        }
        self.hold(&plan, status);
        baselines
    }

    /// The baselines that are new, on disk.
    async fn write_baselines(&self, baselines: &BaselinesByVenue, since: &[UnixNanos]) {
        for (venue, baseline) in (0_u8..).map(VenueId).zip(baselines) {
            let is_new = self
                .history
                .baselines
                .get(venue.index())
                .is_none_or(Option::is_none);
            if let (true, Some(balances)) = (is_new, baseline) {
                self.append(Record::Baseline {
                    venue: self.catalogue.venue_name(venue).to_owned(),
                    balances: balances
                        .iter()
                        .map(|(asset, amount)| (asset.to_string(), *amount))
                        .collect(),
                    since: since.get(venue.index()).map_or(0, |since| since.0),
                })
                .await;
            }
        }
    }

    /// What people must look at, and what may not be traded until they did.
    fn hold(&self, plan: &Plan, status: &mut RecoveryStatus) {
        for (instrument, order) in &plan.foreign {
            let place = self.catalogue.label(*instrument);
            self.alert(
                status,
                format!("AT-26 {place}: open order {order} is not ours: left alone"),
            );
            self.raise(
                *instrument,
                KillLevel::ReduceOnly,
                "foreign open order (AT-26)",
            );
        }
        for (instrument, difference) in &plan.holds {
            let place = self.catalogue.label(*instrument);
            self.alert(
                status,
                format!(
                    "AT-24 {place}: {difference} is not explained by any execution: held at K1"
                ),
            );
            self.raise(
                *instrument,
                KillLevel::ReduceOnly,
                "unexplained difference at start (AT-24)",
            );
        }
        for (venue, asset, difference) in &plan.cash {
            let venue = self.catalogue.venue_name(*venue);
            self.alert(
                status,
                format!("AT-25 {venue}: {difference} {asset} is not explained by any execution"),
            );
        }
        for instrument in &plan.flatten {
            self.raise(
                *instrument,
                KillLevel::Flatten,
                "[recovery] policy = \"flatten\"",
            );
        }
    }

    async fn adjust(
        &self,
        adjustment: &Adjustment,
        index: u64,
        baselines: &mut BaselinesByVenue,
        status: &mut RecoveryStatus,
    ) {
        match *adjustment {
            Adjustment::Balance {
                venue,
                asset,
                amount,
            } => {
                if let Some(Some(baseline)) = baselines.get_mut(venue.index()) {
                    let sum = baseline.entry(asset).or_default();
                    *sum = sum.saturating_add(amount);
                }
                let venue = self.catalogue.venue_name(venue).to_owned();
                self.alert(
                    status,
                    format!("AT-25 {venue}: {amount} {asset} accepted as money from outside"),
                );
                self.append(Record::Adjusted {
                    venue,
                    what: asset.to_string(),
                    quantity: amount,
                    price: None,
                })
                .await;
            }
            Adjustment::Position {
                instrument,
                qty,
                entry,
            } => {
                let Some(one) = self.catalogue.get(instrument) else {
                    return;
                };
                let fill = self.adjusting_fill(one, qty, entry, index);
                let quantity = one.grid.qty_decimal(qty).normalize();
                self.alert(
                    status,
                    format!(
                        "AT-24 {}: {quantity} adopted at the venue's entry price {entry}",
                        self.catalogue.label(instrument)
                    ),
                );
                self.append(Record::Adjusted {
                    venue: self.catalogue.venue_name(one.venue).to_owned(),
                    what: one.symbol.to_string(),
                    quantity,
                    price: Some(entry),
                })
                .await;
                self.position.must(Booked {
                    fills: vec![(fill, None)],
                    settled: None,
                });
            }
        }
    }

    /// An accepted difference, booked like an execution.
    fn adjusting_fill(&self, one: &Instrument, qty: Qty, entry: Decimal, index: u64) -> Fill {
        let time = self.clock.now_unix();
        let number = u64::try_from(time.0).unwrap_or(0).saturating_add(index);
        Fill {
            venue: one.venue,
            instrument: one.id,
            client_order_id: None,
            approval: ApprovalSeq(0),
            strategy: None,
            purpose: None,
            side: if qty.0 > 0 { Side::Buy } else { Side::Sell },
            qty: Qty(qty.0.saturating_abs()),
            // Entry prices are finer than the grid: cut down to a step, at least one.
            price: one
                .grid
                .price_floor(entry)
                .unwrap_or_default()
                .max(Price(1)),
            fee: Decimal::ZERO,
            fee_asset: Some(one.symbol.quote),
            trade_id: ADJUSTMENT_FIRST | number,
            venue_time: time,
            received_at: self.clock.now(),
            liquidity: Liquidity::Taker,
        }
    }

    fn raise(&self, instrument: InstrumentId, level: KillLevel, reason: &str) {
        self.risk.must(Operator(OperatorCommand::Raise {
            scope: Scope::Instrument(instrument),
            level,
            by: Person {
                name: "recovery".to_owned(),
                role: Role::Admin,
            },
            reason: reason.to_owned(),
        }));
    }

    fn alert(&self, status: &mut RecoveryStatus, text: String) {
        self.board.add_alert(crate::engine::alerts::Note {
            at: self.clock.now_unix(),
            severity: crate::risk::Severity::Critical,
            kind: "recovery".to_owned(),
            scope: "portfolio".to_owned(),
            raised: true,
            text: text.clone(),
        });
        status.remarks.push(text);
    }

    /// Writes a record and waits until it is on disk.
    async fn append(&self, record: Record) {
        if let Some(journal) = self.journal {
            durable(journal, record).await;
        }
    }
}

/// Writes a record and waits until it is on disk. A journal that cannot is alarmed elsewhere; here it is logged.
pub(super) async fn durable(journal: &Journal, record: Record) {
    let (sender, receiver) = tokio::sync::oneshot::channel();
    let then = move |written: bool| {
        if sender.send(written).is_err() {
            tracing::warn!("a record of the start was written after its wait was given up");
        }
    };
    let queued = journal.append_durable(record, then);
    let written = match queued {
        Ok(()) => tokio::time::timeout(DURABLE_WAIT, receiver).await,
        Err(error) => {
            tracing::error!("a record of the start is not in the journal: {error}");
            return;
        }
    };
    if !matches!(written, Ok(Ok(true))) {
        tracing::error!("a record of the start may not be in the journal");
    }
}

fn answer(account: &VenueAccount) -> VenueAnswer {
    let positions = account.positions.iter().filter(|(_, qty)| !qty.is_zero());
    VenueAnswer {
        totals: account
            .balances
            .iter()
            .map(|(asset, (free, locked))| (*asset, free.saturating_add(*locked)))
            .collect(),
        positions: positions
            .map(|(id, qty)| {
                let entry = account.entries.get(id).copied();
                (*id, (*qty, entry.unwrap_or_default()))
            })
            .collect(),
        open: account.open.clone(),
    }
}
