//! A loss over its limit, kill -9, and a start on the same journal: the loss counts on, from the same units and the same
//! high-water mark, and the limit is over again by itself.

use std::path::Path;

use arbalest::journal::{self, Entry};
use arbalest::sim::venue::Fault;
use arbalest::units::{Price, Qty, Side};
use rust_decimal::Decimal;
use serde_json::Value;

use super::kill::{alive, records};
use super::market::{Venues, configuration, data_dir, engine, until};

const PERP: usize = 2;

/// Records of one session, counted from 0; none before it began.
fn session(configuration: &Path, number: usize) -> Vec<Entry> {
    let path = data_dir(configuration).join("journal.jsonl");
    let Ok(mut contents) = journal::read(&path) else {
        return Vec::new();
    };
    let mut starts = contents
        .entries
        .iter()
        .enumerate()
        .filter(|(_, entry)| entry.record["kind"] == "started")
        .map(|(at, _)| at);
    let begun = starts.nth(number).unwrap_or(contents.entries.len());
    let mut rest = contents.entries.split_off(begun);
    let next = rest
        .iter()
        .skip(1)
        .position(|entry| entry.record["kind"] == "started");
    rest.truncate(next.map_or(rest.len(), |at| at + 1));
    rest
}

/// The whole's loss was said to be over its limit.
fn is_told(entries: &[Entry]) -> bool {
    records(entries, "alert").iter().any(|alert| {
        alert["alert"] == "loss" && alert["scope"] == "portfolio" && alert["raised"] == true
    })
}

/// Units, high-water mark and equity of one record.
fn whole(record: &Value) -> [Decimal; 3] {
    ["units", "high", "equity"].map(|name| {
        let text = record["whole"][name].as_str().unwrap();
        text.parse::<Decimal>().unwrap()
    })
}

#[test]
fn a_loss_counts_on_after_kill_nine() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(losses());
}

async fn losses() {
    let venues = Venues::start();
    let directory = configuration(&venues, "");
    let configuration = directory.path();
    let path = configuration.join("limits.toml");
    let limits = std::fs::read_to_string(&path).unwrap();
    // Of some millions: the loss below is over it, and no trading of a few seconds is.
    let controls = "[controls]\nportfolio_loss_ratio_max = 0.0005\n";
    std::fs::write(&path, format!("{limits}\n{controls}")).unwrap();
    let errors = configuration.join("first.log");
    let mut child = engine(configuration, &errors);
    until("trades and a record of losses", &errors, || {
        alive(&mut child, &errors);
        venues.fills() >= 4 && !records(&session(configuration, 0), "loss_state").is_empty()
    })
    .await;
    assert!(!is_told(&session(configuration, 0)));
    // A trade of somebody else's: 0.5 BTC far over the market.
    venues.servers[PERP].inject(Fault::PositionPush {
        account: 0,
        symbol: 0,
        side: Side::Buy,
        qty: Qty(500),
        price: Some(Price(9_000_000)),
    });
    until("the loss is over its limit", &errors, || {
        alive(&mut child, &errors);
        is_told(&session(configuration, 0))
    })
    .await;
    child.kill().unwrap();
    child.wait().unwrap();
    let first = session(configuration, 0);
    let before = whole(records(&first, "loss_state").last().unwrap());

    let errors = configuration.join("second.log");
    let mut child = engine(configuration, &errors);
    until("the loss is over its limit again", &errors, || {
        alive(&mut child, &errors);
        let second = session(configuration, 1);
        is_told(&second) && !records(&second, "loss_state").is_empty()
    })
    .await;
    child.kill().unwrap();
    child.wait().unwrap();
    let second = session(configuration, 1);
    let after = whole(records(&second, "loss_state")[0]);
    assert_eq!(after[0], before[0], "units: no flow was seen");
    assert!(after[1] >= before[1], "high-water mark");
    let value = after[2] / after[0];
    assert!(
        value < after[1] * Decimal::new(9_995, 4),
        "the loss is in the value of a unit: {value} of {}",
        after[1]
    );
}
