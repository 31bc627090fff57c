//! Asks every seat what it knows, once a second and at the end.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use actix::prelude::Addr;
use rust_decimal::Decimal;
use tokio::sync::oneshot;

use crate::clock::{Clock, OsClock};
use crate::engine::HotPath;
use crate::engine::book_digest::book_summary;
use crate::engine::summary::BookSummary;
use crate::market::{Catalogue, Level};
use crate::ring::RingStats;
use crate::risk::{KillLevel, Monitor, RiskMetrics};
use crate::telemetry::LimitStatus;
use crate::telemetry::Telemetry;
use crate::telemetry::snapshot::RecoveryStatus;
use crate::trade::{Fact, LatencyFacts};
use crate::units::{MonoNanos, Ppm};

use super::account::{AccountSeat, Accounts, AskAccounts};
use super::board::Board;
use super::execution::{AskExecution, ExecutionSeat, ExecutionStatus};
use super::feed::{AskFeed, FeedSeat, FeedStatus};
use super::gateway::{AskGateway, GatewaySeat, GatewayStatus};
use super::mailbox::Mail;
use super::risk::{Facts as ToldFacts, InspectRisk, RiskSeat, scope_text};
use super::signal::{Inspect, SignalSeat};

/// The seats of a running engine, for reporters.
#[derive(Debug, Clone)]
pub(super) struct Handles {
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) feeds: Vec<Addr<FeedSeat>>,
    pub(super) feed_names: Vec<String>,
    pub(super) rings: Vec<Arc<RingStats>>,
    pub(super) approvals: Arc<RingStats>,
    pub(super) gateways: Vec<Addr<GatewaySeat>>,
    pub(super) signal: Addr<SignalSeat>,
    pub(super) execution: Addr<ExecutionSeat>,
    pub(super) account: Addr<AccountSeat>,
    pub(super) risk: Addr<RiskSeat>,
    pub(super) board: Arc<Board>,
    pub(super) hub: Arc<Telemetry>,
    pub(super) clock: OsClock,
    pub(super) facts: Arc<Facts>,
}

/// What is said of the engine as a whole.
#[derive(Debug)]
pub(super) struct Facts {
    pub(super) paper: bool,
    pub(super) reporting: String,
    pub(super) seed: Option<u64>,
    pub(super) config_hash: String,
    pub(super) dialects: Vec<&'static str>,
    pub(super) strategies: Vec<String>,
    pub(super) started_at: MonoNanos,
    /// Scrapes of `/metrics` that the risk seat knows of.
    pub(super) scrapes_seen: AtomicU64,
    pub(super) recovery: RecoveryStatus,
}

/// One book as it stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct BookLine {
    pub(super) bid: Option<Level>,
    pub(super) ask: Option<Level>,
    pub(super) trust: &'static str,
    pub(super) cause: Option<&'static str>,
    pub(super) received_at: MonoNanos,
    pub(super) crossed: u64,
}

/// One strategy as it stands.
#[derive(Debug, Clone)]
pub(super) struct StrategyLine {
    pub(super) kind: &'static str,
    pub(super) outcomes: Vec<(&'static str, u64)>,
    /// Times an edge opened at or above the threshold.
    pub(super) opportunities: u64,
    pub(super) refusals: Vec<(&'static str, u64)>,
    pub(super) halted: bool,
}

/// What the signal seat answers.
#[derive(Debug, Clone)]
pub(super) struct SignalLine {
    pub(super) books: Vec<BookLine>,
    pub(super) strategies: Vec<StrategyLine>,
    pub(super) approved: u64,
    pub(super) refused: u64,
    pub(super) refusals: Vec<(&'static str, u64)>,
    pub(super) summaries: Vec<BookSummary>,
}

/// What the risk seat answers.
#[derive(Debug, Clone)]
pub(super) struct RiskLine {
    pub(super) levels: Vec<(String, KillLevel)>,
    pub(super) portfolio: KillLevel,
    pub(super) instrument_levels: Vec<KillLevel>,
    pub(super) exposure: Option<Decimal>,
    /// SHA-256 of the limits in force, hex.
    pub(super) limits_hash: String,
    pub(super) unrealized: Vec<Option<Decimal>>,
    pub(super) limits: Vec<LimitStatus>,
    pub(super) closes_open: u64,
    /// The whole in a few figures.
    pub(super) metrics: RiskMetrics,
}

/// Everything asked, at one moment.
#[derive(Debug, Clone)]
pub(super) struct Picture {
    pub(super) at: MonoNanos,
    pub(super) feeds: Vec<FeedStatus>,
    pub(super) gateways: Vec<GatewayStatus>,
    pub(super) execution: ExecutionStatus,
    pub(super) accounts: Accounts,
    pub(super) signal: SignalLine,
    pub(super) risk: RiskLine,
}

/// Asks every seat. `None` while one of them is gone.
pub(super) async fn gather(handles: &Handles, with_books: bool) -> Option<Picture> {
    let mut feeds = Vec::with_capacity(handles.feeds.len());
    for feed in &handles.feeds {
        feeds.push(feed.send(AskFeed).await.ok()?);
    }
    let mut gateways = Vec::with_capacity(handles.gateways.len());
    for gateway in &handles.gateways {
        gateways.push(gateway.send(AskGateway).await.ok()?);
    }
    Some(Picture {
        at: handles.clock.now(),
        feeds,
        gateways,
        execution: handles.execution.send(AskExecution).await.ok()?,
        accounts: handles.account.send(AskAccounts).await.ok()?,
        signal: ask_signal(handles, with_books).await?,
        risk: ask_risk(handles).await?,
    })
}

/// Tells the risk seat how fast the hot path was and how full its rings are (AT-28).
pub(super) fn tell_latency(handles: &Handles) {
    let fullest = handles.rings.iter().map(|ring| {
        let capacity = ring.capacity().max(1);
        i64::try_from((ring.depth().saturating_mul(1_000_000)).div_euclid(capacity))
    });
    let facts = LatencyFacts {
        tick_to_decision_p99: handles.hub.decision_p99(),
        ring_used: Ppm(fullest.flatten().max().unwrap_or(0)),
    };
    let mut told = vec![Fact::Latency(facts)];
    let scrapes = handles.hub.scrapes();
    if handles.facts.scrapes_seen.swap(scrapes, Ordering::Relaxed) != scrapes {
        told.push(Fact::Scraped);
    }
    handles.risk.latest(ToldFacts(told));
}

async fn ask_signal(handles: &Handles, with_books: bool) -> Option<SignalLine> {
    let (sender, receiver) = oneshot::channel();
    let question = Box::new(move |hot: &HotPath| {
        if sender.send(signal_line(hot, with_books)).is_err() {
            tracing::debug!("nobody waits for the signal seat's answer");
        }
    });
    handles.signal.send(Inspect(question)).await.ok()?;
    receiver.await.ok()
}

fn signal_line(hot: &HotPath, with_books: bool) -> SignalLine {
    let books = hot.books().iter().map(|(_, book)| BookLine {
        bid: book.top().map(|top| top.bid),
        ask: book.top().map(|top| top.ask),
        trust: book.trust().label(),
        cause: book.cause().map(crate::market::TrustCause::label),
        received_at: book.received_at(),
        crossed: book.counters().crossed,
    });
    let strategies = hot
        .strategies()
        .iter()
        .enumerate()
        .map(|(which, strategy)| StrategyLine {
            refusals: hot.refusals().of(which).collect(),
            kind: strategy.kind(),
            outcomes: strategy
                .counters()
                .iter()
                .map(|(outcome, count)| (outcome.label(), count))
                .collect(),
            opportunities: strategy.counters().opportunities,
            halted: strategy.is_halted(),
        });
    let catalogue = hot.catalogue();
    let summaries = if with_books {
        catalogue
            .all()
            .iter()
            .filter_map(|instrument| {
                Some(book_summary(
                    catalogue,
                    instrument,
                    hot.books().get(instrument.id)?,
                ))
            })
            .collect()
    } else {
        Vec::new()
    };
    SignalLine {
        books: books.collect(),
        strategies: strategies.collect(),
        approved: hot.gate().counters().approved,
        refused: hot.gate().counters().refused,
        refusals: hot.refusals().iter().collect(),
        summaries,
    }
}

async fn ask_risk(handles: &Handles) -> Option<RiskLine> {
    let (sender, receiver) = oneshot::channel();
    let catalogue = Arc::clone(&handles.catalogue);
    let question = Box::new(move |monitor: &Monitor, now: MonoNanos| {
        if sender.send(risk_line(&catalogue, monitor, now)).is_err() {
            tracing::debug!("nobody waits for the risk seat's answer");
        }
    });
    handles.risk.send(InspectRisk(question)).await.ok()?;
    receiver.await.ok()
}

fn risk_line(catalogue: &Catalogue, monitor: &Monitor, now: MonoNanos) -> RiskLine {
    let snapshot = monitor.snapshot(now);
    let limits = snapshot.limits.iter().map(|limit| LimitStatus {
        limit: limit.word,
        scope: scope_text(catalogue, limit.scope),
        value: limit.limit.decimal().unwrap_or_default(),
        used: limit.value.and_then(|value| value.decimal()),
        less_is_worse: limit.less_is_worse,
    });
    RiskLine {
        levels: snapshot
            .levels
            .iter()
            .map(|(scope, level)| (scope_text(catalogue, *scope), *level))
            .collect(),
        portfolio: snapshot.portfolio_level,
        metrics: snapshot.metrics.clone(),
        instrument_levels: snapshot.instruments.iter().map(|one| one.level).collect(),
        limits_hash: monitor.limits_hash().to_string(),
        exposure: (snapshot.unpriced_count == 0).then_some(snapshot.gross_exposure),
        unrealized: snapshot
            .instruments
            .iter()
            .map(|one| one.unrealized_pnl)
            .collect(),
        limits: limits.collect(),
        closes_open: snapshot
            .instruments
            .iter()
            .filter(|one| one.close.is_some())
            .count() as u64,
    }
}
