//! Twenty times kill -9 under load, and every execution, order and position is there afterwards, once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Child, Command};

use arbalest::journal::{self, Entry};
use arbalest::prng::Prng;
use arbalest::sim::venue::TruthFill;
use rust_decimal::Decimal;
use serde_json::Value;

use super::market::{NAMES, QTY_DECIMALS, Venues, configuration, data_dir, engine, until};

const KILLS: usize = 20;
const SEED: u64 = 20_261_121;

pub(crate) fn alive(child: &mut Child, errors: &Path) {
    if let Some(status) = child.try_wait().unwrap() {
        let said = std::fs::read_to_string(errors).unwrap();
        panic!("the engine ended by itself ({status}): {said}");
    }
}

/// (venue, trade id, side) with quantity, price, fee and client order id.
type Fills = BTreeMap<(String, u64, String), (Decimal, Decimal, Decimal, String)>;

fn truth_fills(venues: &Venues) -> Fills {
    let mut fills = Fills::new();
    for (index, truth) in venues.truths().iter().enumerate() {
        for fill in &truth.fills {
            let key = (
                NAMES[index].to_owned(),
                fill.trade_id,
                fill.side.to_string(),
            );
            let value = (
                Decimal::new(fill.qty.0, QTY_DECIMALS[index]).normalize(),
                Decimal::new(fill.price.0, 2).normalize(),
                fee_of(fill).normalize(),
                fill.client_order_id.clone(),
            );
            assert!(fills.insert(key, value).is_none());
        }
    }
    fills
}

fn journal_fills(entries: &[Entry]) -> Fills {
    let mut fills = Fills::new();
    for entry in entries {
        let record = &entry.record;
        if record["kind"] != "fill" {
            continue;
        }
        let text = |name: &str| record[name].as_str().unwrap_or_default().to_owned();
        let number = |name: &str| text(name).parse::<Decimal>().unwrap().normalize();
        let key = (
            text("venue"),
            record["trade_id"].as_u64().unwrap(),
            text("side"),
        );
        let value = (
            number("quantity"),
            number("price"),
            number("fee"),
            text("client_order_id"),
        );
        assert!(
            fills.insert(key.clone(), value).is_none(),
            "{key:?} is in the journal twice"
        );
    }
    fills
}

pub(crate) fn records<'a>(entries: &'a [Entry], kind: &str) -> Vec<&'a Value> {
    entries
        .iter()
        .map(|entry| &entry.record)
        .filter(|record| record["kind"] == kind)
        .collect()
}

#[test]
fn twenty_kills_lose_nothing() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(kills());
}

async fn kills() {
    let venues = Venues::start();
    let directory = configuration(&venues, "");
    let configuration = directory.path();
    let mut prng = Prng::new(SEED);
    let mut killed_after = Vec::new();
    for session in 0..KILLS {
        let errors = configuration.join(format!("session-{session}.log"));
        let (fills, requests) = (venues.fills(), venues.requests());
        let mut child = engine(configuration, &errors);
        // Most die while trading, some while they recover.
        if session % 4 == 3 {
            let more = 1 + prng.next_u64() % 40;
            until("requests", &errors, || {
                alive(&mut child, &errors);
                venues.requests() >= requests + more
            })
            .await;
        } else {
            let more = 1 + (prng.next_u64() % 20) as usize;
            until("executions", &errors, || {
                alive(&mut child, &errors);
                venues.fills() >= fills + more
            })
            .await;
        }
        child.kill().unwrap();
        child.wait().unwrap();
        killed_after.push(venues.fills() - fills);
    }
    let errors = configuration.join("last.log");
    let before = venues.fills();
    let mut child = engine(configuration, &errors);
    until("executions", &errors, || {
        alive(&mut child, &errors);
        venues.fills() >= before + 10
    })
    .await;
    let id = child.id().to_string();
    assert!(
        Command::new("kill")
            .args(["-TERM", &id])
            .status()
            .unwrap()
            .success()
    );
    // The market goes on while the engine stops: what is open ends.
    until("the engine stops", &errors, || {
        child.try_wait().unwrap().is_some()
    })
    .await;
    venues.freeze();
    let output = child.wait_with_output().unwrap();
    let said = std::fs::read_to_string(&errors).unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["orders_open"], 0, "{summary}");
    assert_eq!(summary["orders_unknown"], 0, "{summary}");

    let contents = journal::read(&data_dir(configuration).join("journal.jsonl")).unwrap();
    let (truth, known) = (truth_fills(&venues), journal_fills(&contents.entries));
    for (key, fill) in &truth {
        assert_eq!(
            known.get(key),
            Some(fill),
            "{key:?}; killed after {killed_after:?}"
        );
    }
    assert_eq!(known.len(), truth.len());
    assert!(truth.len() >= KILLS, "{killed_after:?}");

    // Positions: the last session's ledger is the sum of everything.
    for (index, truth) in venues.truths().iter().enumerate() {
        assert!(truth.open_orders.is_empty());
        let mut held = Decimal::ZERO;
        for fill in &truth.fills {
            let qty = Decimal::new(fill.side.sign() * fill.qty.0, QTY_DECIMALS[index]);
            // Spot fees of a buy are taken from what was bought.
            let base_fee = if fill.fee_asset.as_str() == "BTC" {
                fee_of(fill)
            } else {
                Decimal::ZERO
            };
            held += qty - base_fee;
        }
        let position = summary["positions"]
            .as_array()
            .unwrap()
            .iter()
            .find(|position| position["venue"] == NAMES[index])
            .unwrap();
        let booked: Decimal = position["quantity"].as_str().unwrap().parse().unwrap();
        assert_eq!(booked.normalize(), held.normalize(), "{}", NAMES[index]);
        if index == 2 {
            let theirs = truth.positions.first().map_or(0, |position| position.qty.0);
            assert_eq!(
                Decimal::new(theirs, QTY_DECIMALS[2]).normalize(),
                booked.normalize()
            );
        }
    }

    // One client id, one order, over all sessions.
    let mut orders: BTreeMap<String, (usize, u64)> = BTreeMap::new();
    for (index, truth) in venues.truths().iter().enumerate() {
        for fill in &truth.fills {
            let order = (index, fill.order_id);
            let first = *orders.entry(fill.client_order_id.clone()).or_insert(order);
            assert_eq!(first, order, "{} was used twice", fill.client_order_id);
        }
    }
    let epochs: Vec<u64> = records(&contents.entries, "started")
        .iter()
        .map(|record| record["epoch_secs"].as_u64().unwrap())
        .collect();
    assert!(
        epochs.windows(2).all(|pair| pair[0] < pair[1]),
        "{epochs:?}"
    );
    let used: BTreeSet<u64> = orders
        .keys()
        .map(|id| u64::from_str_radix(&id[4..12], 16).unwrap())
        .collect();
    assert!(used.iter().all(|epoch| epochs.contains(epoch)), "{used:?}");

    let recovered = records(&contents.entries, "recovered");
    let sum = |name: &str| -> u64 {
        recovered
            .iter()
            .map(|one| one[name].as_u64().unwrap())
            .sum()
    };
    assert!(
        recovered.iter().all(|one| one["matched"] == true),
        "{recovered:#?}"
    );
    assert_eq!(sum("unexplained"), 0, "{recovered:#?}");
    assert_eq!(sum("orders_foreign"), 0);
    assert!(
        sum("fills_found") > 0,
        "no kill hit an execution on its way: {killed_after:?}"
    );
}

fn fee_of(fill: &TruthFill) -> Decimal {
    fill.fee.text(18).parse().unwrap()
}
