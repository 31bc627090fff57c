//! What the signal seat saw of edges, once a second: kept episodes and counts into the journal, the best edges into the picture.

use std::sync::{Arc, Mutex, PoisonError};

use actix::prelude::Message;
use rust_decimal::Decimal;

use crate::capacity::LEGS_MAX;
use crate::clock::Clock as _;
use crate::engine::opportunity::{PROBE_COUNT, Window};
use crate::execution::SetSummary;
use crate::journal::edges::LookRow;
use crate::journal::{Instant, Journal, Names, Record};
use crate::telemetry::EngineSnapshot;
use crate::units::{MonoNanos, Nanos, Ppm, Price, UnixNanos};

use super::sampler::{Handles, StrategyLine};
use super::signal::{TakeEdges, TakenEdges};

/// What an ended set's legs could have traded at when they were sent: its result can be split.
#[derive(Debug, Clone, Copy, Message)]
#[rtype(result = "()")]
pub(super) struct SetMarked {
    /// The set.
    pub(super) summary: SetSummary,
    /// By leg; `None` is not known.
    pub(super) touches: [Option<Price>; LEGS_MAX],
}

/// Counts by route are written this often.
const ROUTES_EVERY: Nanos = Nanos::from_secs(10);

#[derive(Debug)]
struct Kept {
    /// The window to swap next.
    spare: Option<Window>,
    /// Counts since the last record.
    sum: Window,
    since: MonoNanos,
    /// Our own way from tick to acknowledgement as it is probed: changed only with a record, so that a record has one.
    own: (Nanos, Nanos),
    /// Looks so far, by strategy and outcome.
    looks: Vec<LookRow>,
    /// The best edge known, by strategy and symbol.
    best: Vec<(usize, String, Ppm)>,
}

/// Writes what the signal seat saw.
#[derive(Debug)]
pub(super) struct EdgeRecords {
    journal: Option<Arc<Journal>>,
    asked: Vec<Option<Ppm>>,
    kept: Mutex<Kept>,
}

impl EdgeRecords {
    /// `windows` are two empty windows of the seat's tracker.
    pub(super) fn new(
        journal: Option<Arc<Journal>>,
        [spare, sum]: [Window; 2],
        asked: Vec<Option<Ppm>>,
        now: MonoNanos,
    ) -> Self {
        Self {
            journal,
            asked,
            kept: Mutex::new(Kept {
                spare: Some(spare),
                sum,
                since: now,
                own: (Nanos::ZERO, Nanos::ZERO),
                looks: Vec::new(),
                best: Vec::new(),
            }),
        }
    }

    /// Takes the seat's window, writes what is due, and fills the picture. The last call of a session says so: open episodes end.
    pub(super) async fn collect(
        &self,
        handles: &Handles,
        strategies: &[StrategyLine],
        snapshot: &mut EngineSnapshot,
        last: bool,
    ) {
        let (spare, own) = {
            let mut kept = self.locked();
            (kept.spare.take(), kept.own)
        };
        let Some(window) = spare else { return };
        let Ok(TakenEdges { window, delays }) =
            handles.signal.send(TakeEdges { window, own, last }).await
        else {
            return;
        };
        let instant = Instant {
            mono: handles.clock.now(),
            unix: UnixNanos(snapshot.time_ns),
        };
        let names = Names {
            catalogue: &handles.catalogue,
            strategies: &handles.facts.strategies,
        };
        let mut kept = self.locked();
        for opportunity in &window.opportunities {
            self.append(Record::Opportunity(Box::new(
                opportunity.record(names, instant),
            )));
        }
        kept.see_best(&window, names);
        kept.sum.absorb_counts(&window);
        let mut window = window;
        window.reset();
        kept.spare = Some(window);
        kept.fill(snapshot);
        if last || instant.mono.since(kept.since) >= ROUTES_EVERY {
            self.write_counts(&mut kept, names, instant, &delays);
            self.write_looks(&mut kept, strategies, names);
            kept.own = handles.hub.tick_to_ack();
        }
    }

    fn write_counts(
        &self,
        kept: &mut Kept,
        names: Names<'_>,
        instant: Instant,
        delays: &[Nanos; PROBE_COUNT],
    ) {
        let rows = kept.sum.rows(names, &self.asked, delays);
        if !rows.is_empty() {
            self.append(Record::Routes {
                since: instant.wall(kept.since),
                rows,
                sampled_out: kept.sum.sampled_out,
                dropped: kept.sum.dropped,
            });
        }
        kept.sum.reset();
        kept.since = instant.mono;
    }

    fn write_looks(&self, kept: &mut Kept, strategies: &[StrategyLine], names: Names<'_>) {
        let mut now = Vec::new();
        for (name, line) in names.strategies.iter().zip(strategies) {
            for (outcome, count) in &line.outcomes {
                now.push(LookRow {
                    strategy: name.clone(),
                    outcome,
                    count: *count,
                });
            }
        }
        let rows: Vec<LookRow> = now
            .iter()
            .enumerate()
            .map(|(place, row)| {
                let before = kept.looks.get(place).map_or(0, |old| old.count);
                LookRow {
                    count: row.count.saturating_sub(before),
                    ..row.clone()
                }
            })
            .filter(|row| row.count > 0)
            .collect();
        if !rows.is_empty() {
            self.append(Record::Looks { rows });
        }
        kept.looks = now;
    }

    fn append(&self, record: Record) {
        if let Some(journal) = &self.journal
            && let Err(error) = journal.append(record)
        {
            tracing::error!("edges are not in the journal: {error}");
        }
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    /// A route that told nothing keeps what it told last: its touch has not changed.
    fn see_best(&mut self, window: &Window, names: Names<'_>) {
        let mut fresh: Vec<(usize, String, Ppm)> = Vec::new();
        for tally in &window.routes {
            let first = tally.route.and_then(|route| route.legs().next());
            let (Some((instrument, _)), Some(edge)) = (first, tally.best_edge) else {
                continue;
            };
            let (_, symbol) = names.venue_and_symbol(instrument);
            let known = fresh
                .iter_mut()
                .find(|(strategy, of, _)| *strategy == tally.strategy && *of == symbol);
            match known {
                Some((_, _, best)) => *best = (*best).max(edge),
                None => fresh.push((tally.strategy, symbol, edge)),
            }
        }
        for (strategy, symbol, edge) in fresh {
            let known = self
                .best
                .iter_mut()
                .find(|(which, of, _)| *which == strategy && *of == symbol);
            match known {
                Some((_, _, best)) => *best = edge,
                None => self.best.push((strategy, symbol, edge)),
            }
        }
    }

    fn fill(&self, snapshot: &mut EngineSnapshot) {
        for (strategy, symbol, edge) in &self.best {
            if let Some(status) = snapshot.strategies.get_mut(*strategy) {
                let bps = Decimal::new(edge.0, 2).normalize();
                status.best_edge_bps.insert(symbol.clone(), bps);
            }
        }
    }
}
