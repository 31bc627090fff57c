//! What a start found, for people and for the record.

use std::fmt::Write as _;

use crate::journal::RecoveredRecord;
use crate::market::Catalogue;
use crate::telemetry::snapshot::{RecoveryRow, RecoveryStatus};

use super::compare::{Row, What};
use super::plan::{Adjustment, Plan};

/// The rows with names and verdicts.
#[must_use]
pub fn rows(catalogue: &Catalogue, rows: &[Row], plan: &Plan) -> Vec<RecoveryRow> {
    let verdict = |row: &Row| {
        let adjusted = plan.adjustments.iter().any(|one| match (*one, row.what) {
            (Adjustment::Position { instrument, .. }, What::Position(id)) => instrument == id,
            (Adjustment::Balance { venue, asset, .. }, What::Balance(at, of)) => {
                (venue, asset) == (at, of)
            }
            (Adjustment::Position { .. }, What::Balance(..))
            | (Adjustment::Balance { .. }, What::Position(_)) => false,
        });
        match row.is_unexplained() {
            true if adjusted => "adjusted",
            true if row.decides.is_empty() => "differs",
            true => "held",
            false if row.difference().is_zero() => "equal",
            false => "rounding",
        }
    };
    rows.iter()
        .map(|row| RecoveryRow {
            what: name(catalogue, row.what),
            ours: row.ours,
            venue: row.venue,
            verdict: verdict(row),
        })
        .collect()
}

fn name(catalogue: &Catalogue, what: What) -> String {
    match what {
        What::Position(id) => catalogue.label(id),
        What::Balance(venue, asset) => format!("{} {asset}", catalogue.venue_name(venue)),
    }
}

/// The same for the journal.
#[must_use]
pub fn record(status: &RecoveryStatus) -> RecoveredRecord {
    let unexplained = status
        .rows
        .iter()
        .filter(|row| !matches!(row.verdict, "equal" | "rounding"))
        .count();
    RecoveredRecord {
        stopped_in_order: status.stopped_in_order,
        fills_known: status.fills_known,
        fills_found: status.fills_found,
        orders_cancelled: status.orders_cancelled,
        orders_foreign: status.orders_foreign,
        unexplained: u64::try_from(unexplained).unwrap_or(u64::MAX),
        rounds: status.rounds,
        matched: status.matched,
    }
}

/// A table for the terminal. Rows that agree on nothing are left out.
#[must_use]
pub fn text(status: &RecoveryStatus) -> String {
    let before = match (status.sessions, status.stopped_in_order) {
        (0, _) => "first start".to_owned(),
        (count, true) => format!("{count} sessions before, the last stopped in order"),
        (count, false) => format!("{count} sessions before, the last did NOT stop in order"),
    };
    let matched = if status.matched {
        format!("matched after {} comparisons", status.rounds)
    } else {
        format!(
            "NOT matched after {} comparisons: stays reduce-only",
            status.rounds
        )
    };
    let mut text = format!(
        "recovery ({}): {before}; {} executions in the journal, {} more from the venues; {} of our orders were open, {} foreign; {matched}",
        status.policy,
        status.fills_known,
        status.fills_found,
        status.orders_cancelled,
        status.orders_foreign,
    );
    let shown: Vec<&RecoveryRow> = status
        .rows
        .iter()
        .filter(|row| !row.ours.is_zero() || !row.venue.is_zero())
        .collect();
    let width = shown.iter().map(|row| row.what.len()).max().unwrap_or(0);
    for row in shown {
        let difference = row.venue.saturating_sub(row.ours);
        let written = write!(
            text,
            "\n  {:<width$}  ours {:>20}  venue {:>20}  difference {:>16}  {}",
            row.what,
            row.ours.to_string(),
            row.venue.to_string(),
            difference.normalize().to_string(),
            row.verdict
        );
        debug_assert!(written.is_ok(), "Invariant: writing to a string succeeds");
    }
    for remark in &status.remarks {
        text.push_str("\n  ");
        text.push_str(remark);
    }
    text
}
