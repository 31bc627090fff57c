//! Twenty times kill -9 under load, and every execution, order and position is there afterwards, once.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::process::{Child, Command};
use std::sync::Arc;

use arbalest::config::Settings;
use arbalest::config::assemble::Assembly;
use arbalest::engine::recovery::{History, Holding, Reading, Row, VenueAnswer, compare};
use arbalest::exchanges::rules::RuleBook;
use arbalest::journal::{self, Cursor, Entry, Line};
use arbalest::ledger::Ledger;
use arbalest::market::{Catalogue, Instrument};
use arbalest::prng::Prng;
use arbalest::sim::venue::{Amount, Truth, TruthFill};
use arbalest::trade::{ApprovalSeq, ClientOrderId, Fill, Liquidity};
use arbalest::units::{MonoNanos, UnixNanos};
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

    assert_eq!(contents.entries.last().unwrap().record["kind"], "stopped");
    crash_points(&venues, configuration);

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

/// The journal cut after every execution in it, as if the machine had died there: what it has and what the venues answer
/// give the same positions each time.
fn crash_points(venues: &Venues, configuration: &Path) {
    let settings = Settings::load(configuration).unwrap();
    let books: Vec<RuleBook> = settings
        .venues()
        .iter()
        .zip(&*venues.servers)
        .map(|(venue, server)| {
            let url = format!(
                "{}{}",
                server.http_url(),
                RuleBook::target(venue.dialect, &["BTCUSDT"])
            );
            let body = get(&url);
            RuleBook::parse(venue.dialect, &body).unwrap()
        })
        .collect();
    let catalogue = Assembly::new(&settings, &books).unwrap().catalogue;
    let truths = venues.truths();
    let mut cursor = Cursor::new(&data_dir(configuration), 1);
    let mut lines = Vec::new();
    while let Some(line) = cursor.next().unwrap() {
        lines.push(line);
    }
    let baseline = lines
        .iter()
        .rposition(|line| line.text.contains("\"kind\":\"baseline\""))
        .unwrap();
    let is_fill = |line: &Line| line.text.contains("\"kind\":\"fill\"");
    let cuts: Vec<usize> = (baseline + 1..lines.len())
        .filter(|cut| is_fill(&lines[*cut]))
        .collect();
    assert!(cuts.len() >= KILLS);
    let names = vec!["cross".to_owned()];
    let mut found = 0;
    for cut in cuts {
        let mut reading = Reading::new(&catalogue, &names, vec![false; 3]);
        for line in &lines[..cut] {
            reading.take(line).unwrap();
        }
        let history = reading.finish();
        let mut ledger = Ledger::new(Arc::clone(&catalogue));
        history.book(&mut ledger).unwrap();
        assert_eq!(ledger.fill_count(), history.fills.len() as u64);
        let known = ledger.fill_count();
        for (instrument, truth) in catalogue.all().iter().zip(&truths) {
            // Asked as long after the cut as the last record was written.
            let now = UnixNanos(lines.last().unwrap().time_ns);
            let question = history.question(instrument, now);
            let decimals = QTY_DECIMALS[instrument.id.index()];
            let told = truth.fills.iter().filter(|fill| match question.from_id {
                0 => fill.time >= question.since,
                from => fill.trade_id >= from,
            });
            for fill in told {
                ledger
                    .on_fill(&Fill {
                        venue: instrument.venue,
                        instrument: instrument.id,
                        client_order_id: ClientOrderId::parse(fill.client_order_id.as_bytes()),
                        approval: ApprovalSeq(0),
                        strategy: None,
                        purpose: None,
                        side: fill.side,
                        qty: instrument
                            .grid
                            .qty_exact(Decimal::new(fill.qty.0, decimals))
                            .unwrap(),
                        price: instrument
                            .grid
                            .price_exact(Decimal::new(fill.price.0, 2))
                            .unwrap(),
                        fee: fee_of(fill),
                        fee_asset: Some(fill.fee_asset),
                        trade_id: fill.trade_id,
                        venue_time: fill.time,
                        received_at: MonoNanos(0),
                        liquidity: Liquidity::Taker,
                    })
                    .unwrap();
            }
        }
        found += ledger.fill_count() - known;
        let rows = rows(&catalogue, &ledger, &truths, &history);
        let unexplained: Vec<&Row> = rows
            .iter()
            .filter(|row| !row.difference().is_zero())
            .collect();
        assert!(
            unexplained.is_empty(),
            "cut before record {}: {unexplained:#?}",
            cut + 1
        );
    }
    assert!(found > 0);
}

fn rows(catalogue: &Catalogue, ledger: &Ledger, truths: &[Truth], history: &History) -> Vec<Row> {
    let holding = |instrument: &Instrument| {
        let position = ledger.position(instrument.id).unwrap();
        Holding {
            qty: ledger.snapshot(instrument.id).unwrap().qty,
            quantity: position.qty(),
            cash: position.cash(),
            fees: position
                .fees()
                .iter()
                .map(|(asset, fee)| (*asset, fee.0))
                .collect(),
        }
    };
    let holdings: Vec<Holding> = catalogue.all().iter().map(holding).collect();
    let answer = |(instrument, truth): (&Instrument, &Truth)| VenueAnswer {
        totals: truth
            .balances
            .iter()
            .map(|balance| {
                let text = |amount: Amount| amount.text(18).parse::<Decimal>().unwrap();
                (balance.asset, text(balance.free) + text(balance.locked))
            })
            .collect(),
        positions: truth
            .positions
            .iter()
            .map(|position| {
                let decimals = QTY_DECIMALS[instrument.id.index()];
                let qty = Decimal::new(position.qty.0, decimals);
                (
                    instrument.id,
                    (instrument.grid.qty_exact(qty).unwrap(), Decimal::ONE),
                )
            })
            .collect(),
        open: Vec::new(),
    };
    let answers: Vec<VenueAnswer> = catalogue.all().iter().zip(truths).map(answer).collect();
    compare(
        catalogue,
        &holdings,
        &answers,
        &mut history.baselines.clone(),
    )
}

fn get(url: &str) -> Vec<u8> {
    use std::io::{Read, Write};
    let (host, path) = url
        .strip_prefix("http://")
        .unwrap()
        .split_once('/')
        .unwrap();
    let mut stream = std::net::TcpStream::connect(host).unwrap();
    write!(
        stream,
        "GET /{path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).unwrap();
    let body = answer
        .windows(4)
        .position(|part| part == b"\r\n\r\n")
        .unwrap()
        + 4;
    answer.split_off(body)
}
