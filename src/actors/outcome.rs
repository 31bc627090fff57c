//! What a run did, for the summary at its end.

use std::collections::BTreeMap;

use crate::engine::money_split::{Held, MoneySplit};
use crate::engine::summary::{PositionSummary, StageSummary, Summary};
use crate::risk::KillLevel;
use crate::telemetry::Telemetry;
use crate::units::Price;

use super::board::{BoardData, PositionLine};
use super::picture::money;
use super::sampler::{Handles, Picture};

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
        money: split(handles, picture, &data.positions),
        decision_hash: picture.execution.digest.hex(),
        positions: positions(handles, picture, &data.positions),
        books: picture.signal.summaries.clone(),
        latency: latency(&handles.hub),
        remarks: remarks(picture, &data),
    }
}

/// Positions are valued at the mid of the last books.
fn split(handles: &Handles, picture: &Picture, lines: &[PositionLine]) -> MoneySplit {
    let held = lines.iter().map(|line| {
        let grid = handles.catalogue.get(line.instrument).map(|one| one.grid);
        let book = picture.signal.books.get(line.instrument.index());
        let mark = book.and_then(|book| {
            let sum = book.bid?.price.0.checked_add(book.ask?.price.0)?;
            Some(grid?.price_decimal(Price(sum.div_euclid(2))))
        });
        Held {
            instrument: line.instrument,
            quantity: line.quantity,
            mark,
            funding: line.funding,
        }
    });
    let held: Vec<Held> = held.collect();
    let names = &handles.facts.strategies;
    handles.board.money(&handles.catalogue, names, &held)
}

fn positions(handles: &Handles, picture: &Picture, lines: &[PositionLine]) -> Vec<PositionSummary> {
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

fn remarks(picture: &Picture, data: &BoardData) -> Vec<String> {
    let mut remarks: Vec<String> = Vec::new();
    for feed in &picture.feeds {
        let counters = &feed.counters;
        if counters.snapshots_failed + counters.snapshots_too_old + counters.overflows > 0 {
            remarks.push(format!(
                "{}: {} snapshots failed, {} were too old, {} buffers overflowed; {} rebuilds",
                feed.name,
                counters.snapshots_failed,
                counters.snapshots_too_old,
                counters.overflows,
                counters.syncs
            ));
        }
    }
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
