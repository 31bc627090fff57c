//! What the published picture leaves in the journal: risk figures each second, positions when they changed, and how often the
//! gate refused. The database is filled from there.

use std::sync::{Arc, Mutex, PoisonError};

use rust_decimal::Decimal;

use crate::config::Settings;
use crate::config::document::Echo;
use crate::journal::rows::{ConfigRecord, PositionRow, RefusalRow, RiskMetricsRecord};
use crate::journal::{Journal, Record};
use crate::risk::RiskMetrics;
use crate::telemetry::EngineSnapshot;

/// What was written last.
#[derive(Debug, Default)]
struct Last {
    positions: Vec<PositionRow>,
    /// Refusals so far, by strategy and code.
    refusals: Vec<RefusalRow>,
}

/// Writes records from pictures.
#[derive(Debug)]
pub(super) struct PictureRecords {
    journal: Option<Arc<Journal>>,
    last: Mutex<Last>,
}

impl PictureRecords {
    pub(super) fn new(journal: Option<Arc<Journal>>) -> Self {
        Self {
            journal,
            last: Mutex::new(Last::default()),
        }
    }

    /// Writes what one picture says. What does not fit the journal's queue is told by the journal itself, and comes with the
    /// next picture.
    pub(super) fn write(&self, snapshot: &EngineSnapshot, risk: &RiskMetrics) {
        let Some(journal) = &self.journal else { return };
        let append = |record| match journal.append(record) {
            Ok(()) => true,
            Err(error) => {
                tracing::error!("figures are not in the journal: {error}");
                false
            }
        };
        append(Record::RiskMetrics(Box::new(metrics(snapshot, risk))));
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        let positions = positions(snapshot);
        if positions != last.positions {
            let rows = positions.clone();
            if append(Record::Positions { rows }) {
                last.positions = positions;
            }
        }
        let refusals = refusals(snapshot);
        let rows = since(&last.refusals, &refusals);
        if !rows.is_empty() && append(Record::Refusals { rows }) {
            last.refusals = refusals;
        }
    }
}

/// The configuration that a session begins with.
pub(super) fn config(settings: &Settings) -> Record {
    let line = |echo: &Echo| format!("{} {} = {}", echo.file, echo.key, echo.value);
    Record::ConfigVersion(ConfigRecord {
        hash: settings.hash.clone(),
        cause: "start",
        by: String::new(),
        settings: settings.echoes.iter().map(line).collect(),
    })
}

fn metrics(snapshot: &EngineSnapshot, risk: &RiskMetrics) -> RiskMetricsRecord {
    let portfolio = snapshot
        .kill_levels
        .iter()
        .find(|scope| scope.scope == "portfolio");
    let totals = &snapshot.totals;
    let over_venues = |count: fn(&crate::telemetry::snapshot::VenueStatus) -> u64| {
        snapshot.venues.iter().map(count).sum()
    };
    RiskMetricsRecord {
        state: snapshot.state.label(),
        kill_level: portfolio.map_or(0, |scope| scope.level),
        total_exposure: short(risk.total_exposure),
        pnl: short(risk.pnl),
        realized_pnl: totals.realized_pnl,
        unrealized_pnl: totals.unrealized_pnl,
        net_exposure: short(risk.net_exposure),
        max_drawdown: short(risk.max_drawdown),
        var: short(risk.var99),
        expected_shortfall: short(risk.es975),
        margin_usage: short(risk.margin_usage),
        equity: short(risk.equity),
        unit_value: short(risk.nav),
        open_orders: over_venues(|venue| venue.open_orders),
        unknown_orders: over_venues(|venue| venue.unknown_orders),
        unpriced_positions: snapshot.risk.unpriced_positions,
    }
}

/// Without zeros at the end.
fn short(value: Option<Decimal>) -> Option<Decimal> {
    value.map(|value| value.normalize())
}

fn positions(snapshot: &EngineSnapshot) -> Vec<PositionRow> {
    let row = |one: &crate::telemetry::snapshot::InstrumentStatus| PositionRow {
        venue: one.venue.clone(),
        symbol: one.symbol.clone(),
        quantity: one.quantity.normalize(),
        average_price: one.average_price.map(|price| price.normalize()),
        realized_pnl: one.realized_pnl.normalize(),
    };
    snapshot.instruments.iter().map(row).collect()
}

fn refusals(snapshot: &EngineSnapshot) -> Vec<RefusalRow> {
    let mut rows = Vec::new();
    for strategy in &snapshot.strategies {
        for (code, count) in strategy.rejections.iter() {
            rows.push(RefusalRow {
                strategy: strategy.strategy.clone(),
                code: code.to_owned(),
                count,
            });
        }
    }
    rows
}

/// How much was added.
fn since(before: &[RefusalRow], now: &[RefusalRow]) -> Vec<RefusalRow> {
    let earlier = |row: &RefusalRow| {
        let same = |old: &&RefusalRow| old.strategy == row.strategy && old.code == row.code;
        before.iter().find(same).map_or(0, |old| old.count)
    };
    now.iter()
        .map(|row| RefusalRow {
            count: row.count.saturating_sub(earlier(row)),
            ..row.clone()
        })
        .filter(|row| row.count > 0)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal::read;
    use crate::telemetry::snapshot::{InstrumentStatus, StrategyStatus};

    #[test]
    fn figures_each_time_positions_on_change_refusals_by_difference() {
        let directory = tempfile::tempdir().unwrap();
        let journal = Journal::open(directory.path(), crate::clock::OsClock::new()).unwrap();
        let path = journal.path().to_owned();
        let records = PictureRecords::new(Some(Arc::new(journal)));
        let mut snapshot = EngineSnapshot {
            instruments: vec![InstrumentStatus::default()],
            strategies: vec![StrategyStatus {
                strategy: "s".to_owned(),
                ..StrategyStatus::default()
            }],
            ..EngineSnapshot::default()
        };
        for (quantity, stale, limit) in [(0, 0, 0), (0, 3, 0), (5, 3, 0), (5, 7, 1)] {
            snapshot.instruments[0].quantity = rust_decimal::Decimal::from(quantity);
            let counts = &mut snapshot.strategies[0].rejections;
            counts.set("STALE", stale);
            counts.set("LIMIT", limit);
            records.write(&snapshot, &RiskMetrics::default());
        }
        drop(records);
        let told: Vec<String> = read(&path)
            .unwrap()
            .entries
            .iter()
            .map(|entry| {
                let rows = entry.record["rows"].as_array();
                let rows = rows.into_iter().flatten().map(|row| {
                    row.get("code").map_or_else(
                        || row["quantity"].to_string(),
                        |code| format!("{code}:{}", row["count"]),
                    )
                });
                format!(
                    "{} {}",
                    entry.record["kind"],
                    rows.collect::<Vec<_>>().join(" ")
                )
                .replace('"', "")
            })
            .collect();
        let expected = [
            "risk_metrics ",
            "positions 0",
            "risk_metrics ",
            "refusals STALE:3",
            "risk_metrics ",
            "positions 5",
            "risk_metrics ",
            "refusals STALE:4 LIMIT:1",
        ];
        assert_eq!(told, expected);
    }
}
