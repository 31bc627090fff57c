//! Seats together, as venues, symbols and strategies: the picture that is published once a second.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

use crate::clock::Clock;
use crate::market::VenueId;
use crate::risk::KillLevel;
use crate::telemetry::Counts;
use crate::telemetry::snapshot::{
    BuildInfo, ChannelStatus, CloseCount, EngineSnapshot, FillCount, InstrumentStatus,
    JournalStatus, KillScope, OrderCount, QueueStatus, RiskFigures, RiskStatus, StrategyStatus,
    SymbolStatus, Totals, TradingState, VenueStatus,
};
use crate::units::MonoNanos;

use super::board::BoardData;
use super::feed::FeedStatus;
use super::sampler::{Handles, Picture};

/// Whom a picture asked.
const SEATS: [&str; 7] = [
    "sampler",
    "signal",
    "execution",
    "risk",
    "account",
    "feeds",
    "gateways",
];

/// Seats together, as venues and symbols: the picture that is published.
pub(super) fn snapshot(
    handles: &Handles,
    picture: &Picture,
    journal: JournalStatus,
) -> EngineSnapshot {
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
            limits_hash: picture.risk.limits_hash.clone(),
        },
        recovery: handles.facts.recovery.clone(),
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
            figures: figures(handles, picture),
        },
        queues: queues(handles),
        // Every one of these answered a question just now.
        heartbeats: SEATS.iter().map(|seat| (*seat, time.0)).collect(),
        journal,
        totals: money.totals,
        // The hub fills the latencies and the web server's counts, the supervisor the store.
        ..EngineSnapshot::default()
    }
}

fn figures(handles: &Handles, picture: &Picture) -> RiskFigures {
    let metrics = &picture.risk.metrics;
    let venues = handles.catalogue.venue_names().iter();
    RiskFigures {
        pnl: metrics.pnl,
        venue_equity: venues
            .zip(&metrics.venue_equity)
            .map(|(venue, equity)| (venue.clone(), *equity))
            .collect(),
        nav: metrics.nav,
        high_water_mark: metrics.high_water_mark,
        drawdown: metrics.drawdown,
        max_drawdown: metrics.max_drawdown,
        var99: metrics.var99,
        es975: metrics.es975,
        margin_usage: metrics.margin_usage,
        maint_margin: metrics.maint_margin,
        unhedged_delta: metrics.unhedged_delta,
        net_delta: metrics
            .net_delta
            .iter()
            .map(|(asset, delta)| (asset.to_string(), *delta))
            .collect(),
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
            connections(&mut status, venue, picture);
            let crossed = handles
                .catalogue
                .at_venue(venue)
                .filter_map(|one| picture.signal.books.get(one.id.index()));
            status.book_crossed = crossed.map(|book| book.crossed).sum();
            trading(&mut status, venue, &data);
            status
        })
        .collect()
}

/// What its market connections and its order connection count.
fn connections(status: &mut VenueStatus, venue: VenueId, picture: &Picture) {
    let feeds = picture.feeds.iter().filter(|feed| feed.venue == venue);
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
    if let Some(gateway) = picture.gateways.get(venue.index()) {
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
}

/// Orders, fills and fees there.
fn trading(status: &mut VenueStatus, venue: VenueId, data: &BoardData) {
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
    for ((at, side, result), count) in &data.ended {
        if *at == venue {
            status.orders.push(OrderCount {
                side,
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
            status.realized_pnl = data.strategy_pnl.get(index).copied().unwrap_or_default();
            for (code, count) in &line.refusals {
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

/// Totals of the run.
pub(super) struct MoneyLine {
    pub(super) totals: Totals,
}

pub(super) fn money(handles: &Handles, picture: &Picture) -> MoneyLine {
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

/// Times an edge opened at or above the threshold of a strategy.
fn opportunities(picture: &Picture) -> u64 {
    picture
        .signal
        .strategies
        .iter()
        .map(|line| line.opportunities)
        .sum()
}
