//! The watchdog leaves a living engine alone, and cancels and flattens after a dead or frozen one.

use std::path::Path;
use std::process::{Child, Command};

use arbalest::journal;
use arbalest::sim::venue::Truth;

use super::kill::{alive, records};
use super::market::{Venues, configuration, data_dir, engine, program, until};

const PERP: usize = 2;

fn signal(child: &Child, name: &str) {
    let id = child.id().to_string();
    let sent = Command::new("kill").args([name, &id]).status().unwrap();
    assert!(sent.success());
}

fn perp_position(truths: &[Truth]) -> i64 {
    let position = truths[PERP].positions.first();
    position.map_or(0, |position| position.qty.0)
}

/// Executions of the watchdog's orders: their leg is 255.
fn by_watchdog(truths: &[Truth]) -> usize {
    let fills = truths.iter().flat_map(|truth| &truth.fills);
    fills
        .filter(|fill| fill.client_order_id.get(22..24) == Some("ff"))
        .count()
}

/// The last status line names a state of every venue.
fn says(errors: &Path, text: &str) -> bool {
    std::fs::read_to_string(errors).unwrap().contains(text)
}

async fn once(configuration: &Path) -> Option<i32> {
    let errors = configuration.join("once.log");
    let config = configuration.to_str().unwrap();
    let mut child = program(&["watchdog", "--once", "--config", config], &errors);
    until("one look", &errors, || child.try_wait().unwrap().is_some()).await;
    child.wait().unwrap().code()
}

/// No order open, no derivative position, and the watchdog knows.
async fn flattened(venues: &Venues, errors: &Path, from: usize) {
    until("flat", errors, || {
        let truths = venues.truths();
        let open = truths.iter().any(|truth| !truth.open_orders.is_empty());
        !open && perp_position(&truths) == 0 && by_watchdog(&truths) > from
    })
    .await;
    until("the watchdog knows", errors, || {
        let said = std::fs::read_to_string(errors).unwrap();
        said.lines().last().is_some_and(|line| {
            line.starts_with("ENGINE GONE") && line.matches(" flat:").count() == 3
        })
    })
    .await;
}

#[test]
fn a_dead_or_frozen_engine_is_flattened_and_a_living_one_left_alone() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(watched());
}

async fn watched() {
    let venues = Venues::start();
    let directory = configuration(&venues, "[watchdog]\ngrace_ms = 2000\n");
    let configuration = directory.path();
    let config = configuration.to_str().unwrap();
    let (errors, dog_errors) = (
        configuration.join("engine.log"),
        configuration.join("dog.log"),
    );
    let mut trading = engine(configuration, &errors);
    until("executions", &errors, || {
        alive(&mut trading, &errors);
        venues.fills() >= 4
    })
    .await;
    let mut dog = program(&["watchdog", "--config", config], &dog_errors);
    until("the watchdog hears all", &dog_errors, || {
        says(&dog_errors, "engine alive") && {
            let said = std::fs::read_to_string(&dog_errors).unwrap();
            said.lines().last().is_some_and(|line| {
                line.starts_with("engine alive") && !line.contains("not heard yet")
            })
        }
    })
    .await;
    assert_eq!(once(configuration).await, Some(0), "the engine is alive");
    let before = venues.fills();
    until("more executions and a position", &errors, || {
        alive(&mut trading, &errors);
        venues.fills() >= before + 20 && perp_position(&venues.truths()) != 0
    })
    .await;
    assert_eq!(
        by_watchdog(&venues.truths()),
        0,
        "a living engine is left alone"
    );

    // Dead.
    trading.kill().unwrap();
    trading.wait().unwrap();
    flattened(&venues, &dog_errors, 0).await;
    assert_eq!(once(configuration).await, Some(1), "the engine is gone");

    // Back: what the watchdog did is booked, and it stands back.
    let (fills, done) = (venues.fills(), by_watchdog(&venues.truths()));
    let mut trading = engine(configuration, &errors);
    until("it trades again", &errors, || {
        alive(&mut trading, &errors);
        venues.fills() >= fills + 10 && perp_position(&venues.truths()) != 0
    })
    .await;
    assert!(says(&dog_errors, "the engine beats again: standing back"));
    assert_eq!(by_watchdog(&venues.truths()), done);
    let contents = journal::read(&data_dir(configuration).join("journal.jsonl")).unwrap();
    let recovered = records(&contents.entries, "recovered");
    assert_eq!(recovered.len(), 2);
    assert_eq!(recovered[1]["matched"], true);
    assert_eq!(recovered[1]["unexplained"], 0);
    assert!(recovered[1]["fills_found"].as_u64().unwrap() >= done as u64);

    // Frozen.
    signal(&trading, "-STOP");
    flattened(&venues, &dog_errors, done).await;
    trading.kill().unwrap();
    trading.wait().unwrap();
    signal(&dog, "-TERM");
    until("the watchdog ends", &dog_errors, || {
        dog.try_wait().unwrap().is_some()
    })
    .await;
    assert_eq!(dog.wait().unwrap().code(), Some(0));
}
