//! Once a second: asks every seat what it knows and draws one picture for the metrics, the page and the status line.

use std::collections::BTreeMap;
use std::sync::Arc;

use actix::prelude::Addr;
use rust_decimal::Decimal;
use tokio::sync::oneshot;

use crate::clock::{Clock, OsClock};
use crate::engine::HotPath;
use crate::engine::book_digest::book_summary;
use crate::engine::summary::{BookSummary, PositionSummary, StageSummary, Summary};
use crate::market::{Catalogue, InstrumentId, Level, VenueId};
use crate::ring::RingStats;
use crate::risk::{KillLevel, Monitor};
use crate::telemetry::snapshot::{
    BuildInfo, ChannelStatus, CloseCount, EngineSnapshot, FillCount, InstrumentStatus, KillScope,
    LimitStatus, OrderCount, QueueStatus, RiskStatus, StrategyStatus, SymbolStatus, Totals,
    TradingState, VenueStatus,
};
use crate::telemetry::{Counts, Telemetry};
use crate::units::MonoNanos;

use super::account::{AccountSeat, Accounts, AskAccounts};
use super::board::Board;
use super::execution::{AskExecution, ExecutionSeat, ExecutionStatus};
use super::feed::{AskFeed, FeedSeat, FeedStatus};
use super::gateway::{AskGateway, GatewaySeat, GatewayStatus};
use super::risk::{InspectRisk, RiskSeat, scope_text};
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

/// What does not change while the engine runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Facts {
    pub(super) paper: bool,
    pub(super) reporting: String,
    pub(super) seed: Option<u64>,
    pub(super) config_hash: String,
    pub(super) dialects: Vec<&'static str>,
    pub(super) strategies: Vec<String>,
    pub(super) started_at: MonoNanos,
}

/// One book as it stands.
#[derive(Debug, Clone, Copy)]
struct BookLine {
    instrument: InstrumentId,
    bid: Option<Level>,
    ask: Option<Level>,
    trust: &'static str,
    cause: Option<&'static str>,
    received_at: MonoNanos,
    crossed: u64,
}

/// One strategy as it stands.
#[derive(Debug, Clone)]
struct StrategyLine {
    kind: &'static str,
    outcomes: Vec<(&'static str, u64)>,
    halted: bool,
}

/// What the signal seat answers.
#[derive(Debug, Clone)]
struct SignalLine {
    books: Vec<BookLine>,
    strategies: Vec<StrategyLine>,
    approved: u64,
    refused: u64,
    refusals: Vec<(&'static str, u64)>,
    summaries: Vec<BookSummary>,
}

/// What the risk seat answers.
#[derive(Debug, Clone)]
struct RiskLine {
    levels: Vec<(String, KillLevel)>,
    portfolio: KillLevel,
    instrument_levels: Vec<KillLevel>,
    exposure: Option<Decimal>,
    unrealized: Vec<Option<Decimal>>,
    limits: Vec<LimitStatus>,
    closes_open: u64,
}

/// Everything asked, at one moment.
#[derive(Debug, Clone)]
pub(super) struct Picture {
    at: MonoNanos,
    feeds: Vec<FeedStatus>,
    gateways: Vec<GatewayStatus>,
    pub(super) execution: ExecutionStatus,
    accounts: Accounts,
    signal: SignalLine,
    risk: RiskLine,
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
    let books = hot.books().iter().map(|(instrument, book)| BookLine {
        instrument,
        bid: book.top().map(|top| top.bid),
        ask: book.top().map(|top| top.ask),
        trust: book.trust().label(),
        cause: book.cause().map(crate::market::TrustCause::label),
        received_at: book.received_at(),
        crossed: book.counters().crossed,
    });
    let strategies = hot.strategies().iter().map(|strategy| StrategyLine {
        kind: strategy.kind(),
        outcomes: strategy
            .counters()
            .iter()
            .map(|(outcome, count)| (outcome.label(), count))
            .collect(),
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

/// Seats together, as venues and symbols: the picture that is published.
pub(super) fn snapshot(handles: &Handles, picture: &Picture) -> EngineSnapshot {
    let time = handles.clock.now_unix();
    let money = money(handles, picture);
    EngineSnapshot {
        time_ns: time.0,
        uptime_ms: picture.at.since(handles.facts.started_at).floor_millis(),
        build: BuildInfo {
            version: env!("CARGO_PKG_VERSION"),
            revision: option_env!("ARBALEST_REVISION").unwrap_or("unknown"),
            rustc: option_env!("ARBALEST_RUSTC").unwrap_or("unknown"),
            config_hash: handles.facts.config_hash.clone(),
        },
        paper: handles.facts.paper,
        reporting_currency: handles.facts.reporting.clone(),
        seed: handles.facts.seed,
        state: state(handles, picture),
        kill_levels: picture
            .risk
            .levels
            .iter()
            .map(|(scope, level)| KillScope {
                scope: scope.clone(),
                level: *level as u8,
                name: level.label(),
            })
            .collect(),
        total_exposure: picture.risk.exposure,
        symbols: symbols(handles, picture),
        instruments: instruments(handles, picture),
        venues: venues(handles, picture),
        strategies: strategies(handles, picture),
        risk: RiskStatus {
            limits: picture.risk.limits.clone(),
            checks_passed: picture.signal.approved,
            checks_rejected: picture.signal.refused,
            force_closes: closes(handles),
            unpriced_positions: picture
                .risk
                .unrealized
                .iter()
                .filter(|value| value.is_none())
                .count() as u64,
            alerts: handles
                .board
                .read()
                .alerts
                .iter()
                .rev()
                .take(20)
                .cloned()
                .collect(),
        },
        queues: queues(handles),
        heartbeats: BTreeMap::from([("sampler", time.0)]),
        journal: crate::telemetry::snapshot::JournalStatus::default(),
        totals: money.totals,
        latency: BTreeMap::new(),
    }
}

fn closes(handles: &Handles) -> Vec<CloseCount> {
    let mut counts: BTreeMap<(&'static str, &'static str), u64> = BTreeMap::new();
    for record in &handles.board.read().closes {
        *counts
            .entry((record.intent.cause.label(), record.result.label()))
            .or_default() += 1;
    }
    counts
        .into_iter()
        .map(|((cause, result), count)| CloseCount {
            cause,
            result,
            count,
        })
        .collect()
}

impl Picture {
    /// Positions, exposures and the venues' answers have caught up with the last fill.
    pub(super) fn is_settled(&self) -> bool {
        self.execution.open.approvals_open == 0 && self.risk.closes_open == 0
    }
}

fn state(handles: &Handles, picture: &Picture) -> TradingState {
    let ready = picture.gateways.iter().all(|gateway| gateway.ready);
    match picture.risk.portfolio {
        KillLevel::Armed if ready => TradingState::Active,
        KillLevel::Armed => TradingState::ReduceOnly,
        KillLevel::ReduceOnly if !ready && handles.board.read().fill_count == 0 => {
            TradingState::Starting
        }
        KillLevel::ReduceOnly | KillLevel::CancelAll | KillLevel::Flatten => {
            TradingState::ReduceOnly
        }
        KillLevel::Halt => TradingState::Halted,
    }
}

fn symbols(handles: &Handles, picture: &Picture) -> Vec<SymbolStatus> {
    let data = handles.board.read();
    let mut by_symbol: BTreeMap<String, SymbolStatus> = BTreeMap::new();
    for instrument in handles.catalogue.all() {
        let name = instrument.symbol.to_string();
        let status = by_symbol
            .entry(name.clone())
            .or_insert_with(|| SymbolStatus {
                symbol: name,
                position_quantity: Decimal::ZERO,
                unrealized_pnl: Some(Decimal::ZERO),
                exposure: Some(Decimal::ZERO),
            });
        let index = instrument.id.index();
        let quantity = data
            .positions
            .get(index)
            .map_or(Decimal::ZERO, |line| line.quantity);
        status.position_quantity = status.position_quantity.saturating_add(quantity);
        let unrealized = picture.risk.unrealized.get(index).copied().flatten();
        status.unrealized_pnl = add(status.unrealized_pnl, unrealized);
        let cost = data
            .positions
            .get(index)
            .map_or(Decimal::ZERO, |line| line.cost);
        status.exposure = add(
            status.exposure,
            unrealized.map(|pnl| cost.saturating_add(pnl).abs()),
        );
    }
    by_symbol.into_values().collect()
}

fn add(sum: Option<Decimal>, next: Option<Decimal>) -> Option<Decimal> {
    sum?.checked_add(next?)
}

fn instruments(handles: &Handles, picture: &Picture) -> Vec<InstrumentStatus> {
    let data = handles.board.read();
    let time = handles.clock.now_unix();
    handles
        .catalogue
        .all()
        .iter()
        .zip(&picture.signal.books)
        .map(|(instrument, book)| {
            let index = instrument.id.index();
            let position = data.positions.get(index);
            let age = picture.at.since(book.received_at);
            let seen = book.received_at != MonoNanos(0);
            InstrumentStatus {
                venue: handles.catalogue.venue_name(instrument.venue).to_owned(),
                symbol: instrument.symbol.to_string(),
                quantity: position.map_or(Decimal::ZERO, |line| line.quantity),
                average_price: position.and_then(|line| line.average_price),
                realized_pnl: position.map_or(Decimal::ZERO, |line| line.realized_pnl),
                unrealized_pnl: picture.risk.unrealized.get(index).copied().flatten(),
                position_limit: limit_of(picture, &handles.catalogue.label(instrument.id)),
                bid: book
                    .bid
                    .map(|level| instrument.grid.price_decimal(level.price)),
                ask: book
                    .ask
                    .map(|level| instrument.grid.price_decimal(level.price)),
                trust: book.trust,
                trust_cause: book.cause,
                book_age_ms: seen.then(|| age.floor_millis()),
                book_update_time_ns: seen.then(|| time.0.saturating_sub_unsigned(age.0)),
                kill_level: picture
                    .risk
                    .instrument_levels
                    .get(index)
                    .map_or(0, |level| *level as u8),
                traded_notional: data.traded.get(&instrument.id).copied().unwrap_or_default(),
            }
        })
        .collect()
}

fn limit_of(picture: &Picture, scope: &str) -> Option<Decimal> {
    picture
        .risk
        .limits
        .iter()
        .find(|limit| limit.limit == "position_quantity" && limit.scope == scope)
        .map(|limit| limit.value)
}

fn venues(handles: &Handles, picture: &Picture) -> Vec<VenueStatus> {
    let data = handles.board.read();
    (0_u8..)
        .map(VenueId)
        .zip(handles.catalogue.venue_names())
        .map(|(venue, name)| {
            let feeds = picture.feeds.iter().filter(|feed| feed.venue == venue);
            let gateway = picture.gateways.get(venue.index());
            let account = picture.accounts.0.get(venue.index());
            let mut status = VenueStatus {
                venue: name.clone(),
                dialect: handles
                    .facts
                    .dialects
                    .get(venue.index())
                    .copied()
                    .unwrap_or("unknown"),
                clock_offset_ns: account.and_then(|account| account.clock_offset_ns),
                open_orders: account.map_or(0, |account| account.open_orders),
                unknown_orders: picture.execution.unknown_at(venue),
                ..VenueStatus::default()
            };
            // One series a connection: USD-M has two for market data.
            for (feed, channel) in feeds.zip(["market", "market_2", "market_3", "market_4"]) {
                status.book_gaps.add("sequence_gap", feed.counters.gaps);
                status.book_resyncs.add("rebuild", feed.counters.syncs);
                status.channels.push(ChannelStatus {
                    channel,
                    connected: feed.connected,
                    messages_received: feed.counters.frames_received,
                    received_bytes: feed.counters.bytes_received,
                    decode_errors: feed.counters.malformed,
                    reconnects: feed.reconnects.clone(),
                });
            }
            if let Some(gateway) = gateway {
                let mut reconnects = Counts::new();
                reconnects.set("lost", gateway.counters.reconnects);
                status.channels.push(ChannelStatus {
                    channel: "orders",
                    connected: gateway.ready,
                    messages_received: gateway.counters.frames_received,
                    received_bytes: 0,
                    decode_errors: gateway.counters.frames_malformed,
                    reconnects,
                });
            }
            let crossed = handles
                .catalogue
                .at_venue(venue)
                .filter_map(|one| picture.signal.books.get(one.id.index()));
            status.book_crossed = crossed.map(|book| book.crossed).sum();
            for ((at, reason), count) in &data.rejects {
                if *at == venue {
                    status.rejects.set(reason, *count);
                }
            }
            for ((at, side, liquidity), count) in &data.filled {
                if *at == venue {
                    status.fills.push(FillCount {
                        side,
                        liquidity,
                        count: *count,
                    });
                }
            }
            for ((at, result), count) in &data.ended {
                if *at == venue {
                    status.orders.push(OrderCount {
                        side: "both",
                        r#type: "limit",
                        result,
                        count: *count,
                    });
                }
            }
            if let Some((paid, received)) = data.fees.get(&venue) {
                status.fees_paid = *paid;
                status.rebates_received = *received;
            }
            status
        })
        .collect()
}

fn strategies(handles: &Handles, picture: &Picture) -> Vec<StrategyStatus> {
    let data = handles.board.read();
    handles
        .facts
        .strategies
        .iter()
        .zip(&picture.signal.strategies)
        .enumerate()
        .map(|(index, (name, line))| {
            let mut status = StrategyStatus {
                strategy: name.clone(),
                kind: line.kind,
                kill_level: u8::from(line.halted),
                ..StrategyStatus::default()
            };
            for (outcome, count) in &line.outcomes {
                status.opportunities.set(outcome, *count);
            }
            for ((strategy, end), count) in &data.sets {
                if usize::from(strategy.0) == index {
                    status.sets.set(end, *count);
                }
            }
            for (code, count) in &picture.signal.refusals {
                status.rejections.set(code, *count);
            }
            status
        })
        .collect()
}

fn queues(handles: &Handles) -> Vec<QueueStatus> {
    let names = handles.feed_names.iter().map(|name| format!("feed_{name}"));
    let rings = names.zip(&handles.rings).chain(std::iter::once((
        "approvals".to_owned(),
        &handles.approvals,
    )));
    let mut queues: Vec<QueueStatus> = rings
        .map(|(queue, stats)| QueueStatus {
            queue,
            depth: stats.depth(),
            capacity: stats.capacity(),
            dropped: stats.lost(),
        })
        .collect();
    queues.push(QueueStatus {
        queue: "mailbox".to_owned(),
        depth: 0,
        capacity: crate::capacity::MAILBOX_MESSAGES as u64,
        dropped: super::mailbox::dropped_count(),
    });
    queues
}

struct MoneyLine {
    totals: Totals,
}

fn money(handles: &Handles, picture: &Picture) -> MoneyLine {
    let data = handles.board.read();
    let sum = |pick: fn(&FeedStatus) -> u64| picture.feeds.iter().map(pick).sum();
    let counters = &picture.execution.counters;
    let unrealized = picture
        .risk
        .unrealized
        .iter()
        .copied()
        .try_fold(Decimal::ZERO, |sum, pnl| add(Some(sum), pnl));
    MoneyLine {
        totals: Totals {
            frames_received: sum(|feed| feed.counters.frames_received),
            frames_decoded: sum(|feed| feed.counters.decoded),
            frames_ignored: sum(|feed| feed.counters.ignored),
            frames_malformed: sum(|feed| feed.counters.malformed),
            book_gaps: sum(|feed| feed.counters.gaps),
            opportunities: opportunities(picture),
            sets_opened: counters.sets_opened,
            sets_hedged: counters.sets_hedged + counters.sets_repaired + counters.sets_residual,
            sets_broken: data.sets_broken,
            orders_sent: counters.orders_sent,
            orders_rejected: counters.orders_rejected,
            fills: data.fill_count,
            realized_pnl: data.positions.iter().map(|line| line.realized_pnl).sum(),
            unrealized_pnl: unrealized,
            fees: data
                .fees
                .values()
                .map(|(paid, received)| paid.saturating_sub(*received))
                .sum(),
        },
    }
}

/// Edges at or above the threshold: everything but the evaluations that ended below it.
fn opportunities(picture: &Picture) -> u64 {
    let below = ["below_threshold", "stale_book"];
    let lines = picture
        .signal
        .strategies
        .iter()
        .flat_map(|line| &line.outcomes);
    lines
        .filter(|(outcome, _)| !below.contains(outcome))
        .map(|(_, count)| count)
        .sum()
}

/// The machine-readable summary of a run.
pub(super) fn summary(
    handles: &Handles,
    picture: &Picture,
    mode: &'static str,
    ended_by: &str,
) -> Summary {
    let totals = money(handles, picture).totals;
    let counters = &picture.execution.counters;
    let data = handles.board.read();
    let span = picture.at.since(handles.facts.started_at);
    let mut outcomes: BTreeMap<String, u64> = BTreeMap::new();
    for (outcome, count) in picture
        .signal
        .strategies
        .iter()
        .flat_map(|line| &line.outcomes)
    {
        *outcomes.entry((*outcome).to_owned()).or_default() += count;
    }
    Summary {
        mode,
        ended_by: ended_by.to_owned(),
        seed: handles.facts.seed.unwrap_or_default(),
        seconds: span.floor_millis().div_euclid(1_000),
        wall_ms: span.floor_millis(),
        frames_received: totals.frames_received,
        frames_decoded: totals.frames_decoded,
        frames_ignored: totals.frames_ignored,
        frames_malformed: totals.frames_malformed,
        events_lost: handles.rings.iter().map(|ring| ring.lost()).sum(),
        book_gaps: totals.book_gaps,
        opportunities: totals.opportunities,
        sets_opened: totals.sets_opened,
        sets_hedged: totals.sets_hedged,
        sets_broken: totals.sets_broken,
        sets_empty: counters.sets_empty,
        sets_held: counters.sets_held,
        orders_sent: totals.orders_sent,
        orders_rejected: totals.orders_rejected,
        orders_unknown: picture.execution.open.orders_unknown as u64,
        orders_open: picture.execution.open.orders_open as u64,
        gate_refusals: picture
            .signal
            .refusals
            .iter()
            .map(|(code, count)| ((*code).to_owned(), *count))
            .collect(),
        outcomes,
        fills: totals.fills,
        realized_pnl: totals.realized_pnl.normalize().to_string(),
        unrealized_pnl: totals
            .unrealized_pnl
            .map_or_else(|| "unknown".to_owned(), |pnl| pnl.normalize().to_string()),
        fees: data
            .fees_by_asset
            .iter()
            .map(|(asset, fee)| (asset.clone(), fee.to_string()))
            .collect(),
        forced_closes: data.closes_started,
        decision_hash: picture.execution.digest.hex(),
        positions: positions(handles, picture, &data.positions),
        books: picture.signal.summaries.clone(),
        latency: latency(&handles.hub),
        remarks: remarks(picture, &data),
    }
}

fn positions(
    handles: &Handles,
    picture: &Picture,
    lines: &[super::board::PositionLine],
) -> Vec<PositionSummary> {
    lines
        .iter()
        .filter_map(|line| {
            let instrument = handles.catalogue.get(line.instrument)?;
            let unrealized = picture
                .risk
                .unrealized
                .get(line.instrument.index())
                .copied()
                .flatten();
            Some(PositionSummary {
                venue: handles.catalogue.venue_name(instrument.venue).to_owned(),
                symbol: instrument.symbol.to_string(),
                quantity: line.quantity.normalize().to_string(),
                average_price: line
                    .average_price
                    .map(|price| price.normalize().to_string()),
                realized_pnl: line.realized_pnl.normalize().to_string(),
                unrealized_pnl: unrealized.map(|pnl| pnl.normalize().to_string()),
            })
        })
        .collect()
}

/// Stage latencies by name.
pub(super) fn latency(hub: &Telemetry) -> BTreeMap<String, StageSummary> {
    hub.latency()
        .into_iter()
        .filter(|(_, stage)| stage.count > 0)
        .map(|(name, stage)| {
            let summary = StageSummary {
                count: stage.count,
                p50_ns: stage.p50_ns,
                p90_ns: stage.p90_ns,
                p99_ns: stage.p99_ns,
                p999_ns: stage.p999_ns,
                max_ns: stage.max_ns,
            };
            (name.to_owned(), summary)
        })
        .collect()
}

fn remarks(picture: &Picture, data: &super::board::BoardData) -> Vec<String> {
    let mut remarks: Vec<String> = Vec::new();
    for feed in &picture.feeds {
        for (kind, count) in feed
            .counters
            .malformed_kinds()
            .filter(|(_, count)| *count > 0)
        {
            remarks.push(format!("{}: {count} malformed frames ({kind})", feed.name));
        }
    }
    let open = &picture.execution.open;
    if open.orders_open + open.orders_unknown + open.sets_open > 0 {
        remarks.push(format!(
            "{} orders open, {} unknown, {} sets not ended",
            open.orders_open, open.orders_unknown, open.sets_open
        ));
    }
    if picture.risk.closes_open > 0 {
        remarks.push(format!(
            "{} forced closes still running",
            picture.risk.closes_open
        ));
    }
    for (scope, level) in &picture.risk.levels {
        if *level != KillLevel::Armed {
            remarks.push(format!("{scope} stands at {}", level.label()));
        }
    }
    remarks.extend(
        data.alerts
            .iter()
            .rev()
            .take(5)
            .map(|alert| format!("alert: {}", alert.text)),
    );
    remarks
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
        limit: limit_name(limit.row),
        scope: scope_text(catalogue, limit.scope),
        value: limit.limit.decimal().unwrap_or_default(),
        used: limit.value.and_then(|value| value.decimal()),
    });
    RiskLine {
        levels: snapshot
            .levels
            .iter()
            .map(|(scope, level)| (scope_text(catalogue, *scope), *level))
            .collect(),
        portfolio: snapshot.portfolio_level,
        instrument_levels: snapshot.instruments.iter().map(|one| one.level).collect(),
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

/// The metric's word for a row of the risk catalogue.
fn limit_name(row: &str) -> &'static str {
    match row {
        "AT-01" => "position_quantity",
        "AT-02" => "unrealized_loss",
        "PT-21d" => "gross_notional",
        _ => "other",
    }
}
