//! The `cross_exchange` strategies of the embedded configuration in twenty seeded markets with an edge planted and twenty
//! without: sets opened and hedged, the result split to the last digit and the same by `arbalest ledger` on the fills; and
//! nothing at all where nothing was planted.

use std::collections::BTreeMap;
use std::process::Command;

use arbalest::journal::{FillsCsv, Names};
use arbalest::sim::tape::ModelParams;
use arbalest::sim::world::WorldReport;
use rust_decimal::Decimal;

use super::{decimal, profit, run};

const SECONDS: u64 = 12;

/// (quantity, realized profit) by venue and symbol.
pub(super) type Positions = BTreeMap<(String, String), (Decimal, Decimal)>;

/// What the command makes of the fills.
pub(super) fn by_command(report: &WorldReport) -> Positions {
    let mut csv = FillsCsv::new(Vec::new()).unwrap();
    for fill in &report.fills {
        let names = Names {
            catalogue: &report.catalogue,
            strategies: &[],
        };
        csv.write(fill, names).unwrap();
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("fills.csv");
    std::fs::write(&path, csv.finish().unwrap()).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_arbalest"))
        .args(["ledger", "--json"])
        .arg(&path)
        .output()
        .unwrap();
    assert!(output.status.success(), "{output:?}");
    let answer: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let fills = u64::try_from(report.fills.len()).unwrap();
    assert_eq!(answer.get("fills").unwrap().as_u64(), Some(fills));
    let rows = answer.get("positions").unwrap().as_array().unwrap();
    rows.iter()
        .map(|row| {
            let text = |key: &str| row.get(key).unwrap().as_str().unwrap().to_owned();
            let amounts = (decimal(&text("quantity")), decimal(&text("realized_pnl")));
            ((text("venue"), text("symbol")), amounts)
        })
        .collect()
}

pub(super) fn by_engine(report: &WorldReport) -> Positions {
    let rows = report.summary.positions.iter();
    let traded = rows.filter(|row| {
        let of_row = |fill: &&arbalest::trade::Fill| {
            let at = report.catalogue.get(fill.instrument).unwrap();
            report.catalogue.venue_name(at.venue) == row.venue
                && at.symbol.to_string() == row.symbol
        };
        report.fills.iter().any(|fill| of_row(&fill))
    });
    traded
        .map(|row| {
            let amounts = (decimal(&row.quantity), decimal(&row.realized_pnl));
            ((row.venue.clone(), row.symbol.clone()), amounts)
        })
        .collect()
}

#[test]
fn planted_edges_are_taken_hedged_and_accounted_for() {
    let (mut opened, mut hedged, mut earned, mut signal) = (0, 0, Decimal::ZERO, Decimal::ZERO);
    for seed in 101..=120 {
        let report = run(seed, SECONDS, ModelParams::demo());
        let summary = &report.summary;
        assert!(
            report.violations.is_empty(),
            "seed {seed}: {:#?}",
            report.violations
        );
        let ended = summary.sets_hedged + summary.sets_empty;
        assert!(summary.sets_opened > 0, "seed {seed}: {}", summary.text());
        assert_eq!(
            (summary.sets_opened, summary.sets_held),
            (ended, 0),
            "seed {seed}"
        );
        // The ledger's result is the sum of its parts, and what the command finds in the fills.
        let total = summary.money.total.as_deref().map(decimal);
        assert_eq!(
            total,
            Some(profit(&report)),
            "seed {seed}: {:?}",
            summary.money
        );
        assert_eq!(by_command(&report), by_engine(&report), "seed {seed}");
        for line in &summary.money.strategies {
            signal += decimal(&line.signal);
        }
        opened += summary.sets_opened;
        hedged += summary.sets_hedged;
        earned += profit(&report);
    }
    assert!(
        hedged * 10 >= opened * 9,
        "{hedged} of {opened} sets hedged"
    );
    assert!(
        earned > Decimal::ZERO && signal > earned,
        "{earned} of {signal}"
    );
}

#[test]
fn nothing_is_sent_where_nothing_was_planted() {
    for seed in 101..=120 {
        let report = run(seed, SECONDS, ModelParams::without_edge());
        let summary = &report.summary;
        assert!(
            report.violations.is_empty(),
            "seed {seed}: {:#?}",
            report.violations
        );
        assert_eq!(
            (summary.sets_opened, report.fills.len()),
            (0, 0),
            "seed {seed}"
        );
        assert!(summary.frames_received > 1_000, "the market was there");
    }
}
