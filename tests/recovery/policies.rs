//! What a start does with a position that its journal knows nothing of, by policy.

use std::path::Path;
use std::process::Child;

use arbalest::engine::heartbeat::{HEARTBEAT_FILE, HeartState, Heartbeat};
use arbalest::journal::{self, Entry};

use super::kill::{alive, records};
use super::market::{SYMBOLS, Venues, configuration, data_dir, engine, until};

const PERP: usize = 2;

fn entries(configuration: &Path) -> Vec<Entry> {
    journal::read(&data_dir(configuration).join("journal.jsonl"))
        .unwrap()
        .entries
}

fn perp(venues: &Venues) -> i64 {
    let truths = venues.truths();
    let position = truths[PERP].positions.first();
    position.map_or(0, |position| position.qty.0)
}

/// Starts with these lines in `[recovery]`.
fn start(configuration: &Path, lines: &str, errors: &Path) -> Child {
    let path = configuration.join("engine.toml");
    let text = std::fs::read_to_string(&path).unwrap();
    let (head, _) = text.split_once("[recovery]").unwrap_or((&text, ""));
    std::fs::write(&path, format!("{head}[recovery]\n{lines}\n")).unwrap();
    engine(configuration, errors)
}

/// Waits until a start has written what it found, this often.
async fn recovered(configuration: &Path, child: &mut Child, errors: &Path, count: usize) {
    until("a recovery", errors, || {
        alive(child, errors);
        data_dir(configuration).join("journal.jsonl").exists()
            && records(&entries(configuration), "recovered").len() == count
    })
    .await;
}

#[test]
fn a_position_that_nobody_booked_is_refused_held_adjusted_or_flattened() {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(policies());
}

async fn policies() {
    let venues = Venues::start();
    let directory = configuration(&venues, "");
    let configuration = directory.path();
    let errors = configuration.join("engine.log");
    let mut child = start(configuration, "", &errors);
    until("a position", &errors, || {
        alive(&mut child, &errors);
        venues.fills() >= 4 && perp(&venues) != 0
    })
    .await;
    child.kill().unwrap();
    child.wait().unwrap();
    // Somebody lost the journal.
    std::fs::remove_dir_all(data_dir(configuration)).unwrap();
    let left = perp(&venues);
    assert_ne!(left, 0);

    let mut child = start(configuration, "policy = \"refuse\"", &errors);
    until("the refusal", &errors, || {
        child.try_wait().unwrap().is_some()
    })
    .await;
    assert_eq!(child.wait().unwrap().code(), Some(1));
    let said = std::fs::read_to_string(&errors).unwrap();
    assert!(
        said.contains("venue perp has 0 open orders and 1 open derivative positions"),
        "{said}"
    );
    // A start that was refused touched nothing: the watchdog leaves alone what is there.
    let beat = std::fs::read(data_dir(configuration).join(HEARTBEAT_FILE)).unwrap();
    let beat: Heartbeat = serde_json::from_slice(&beat).unwrap();
    assert_eq!(beat.state, HeartState::Stopped);

    // Held: K1 there, by name, and everything else trades.
    let mut child = start(configuration, "", &errors);
    recovered(configuration, &mut child, &errors, 1).await;
    let fills = venues.fills();
    until("the others trade", &errors, || {
        alive(&mut child, &errors);
        venues.fills() >= fills + 4
    })
    .await;
    assert_eq!(perp(&venues), left, "nothing increases a held position");
    // A second engine on the same directory is refused, whatever the first is doing (S37, A21).
    let second_errors = configuration.join("second.log");
    let mut second = engine(configuration, &second_errors);
    until("the second engine ends", &second_errors, || {
        second.try_wait().unwrap().is_some()
    })
    .await;
    assert_eq!(second.wait().unwrap().code(), Some(1));
    let said = std::fs::read_to_string(&second_errors).unwrap();
    assert!(
        said.contains("two engines must not share a data_dir"),
        "{said}"
    );
    alive(&mut child, &errors);
    child.kill().unwrap();
    child.wait().unwrap();
    let written = entries(configuration);
    let found = records(&written, "recovered")[0];
    assert_eq!(
        (&found["matched"], &found["unexplained"]),
        (&true.into(), &1.into())
    );
    let scope = format!("instrument:perp:{}", SYMBOLS[PERP]);
    let held = |record: &serde_json::Value| {
        record["scope"] == scope.as_str() && record["to"] == "reduce_only"
    };
    assert!(
        records(&written, "level_changed").into_iter().any(held),
        "{written:#?}"
    );
    std::fs::remove_dir_all(data_dir(configuration)).unwrap();

    // Adjusted: booked once, and known to every later session.
    let mut child = start(configuration, "unexplained = \"adjust\"", &errors);
    recovered(configuration, &mut child, &errors, 1).await;
    child.kill().unwrap();
    child.wait().unwrap();
    let written = entries(configuration);
    assert_eq!(records(&written, "adjusted").len(), 1);
    let mut child = start(configuration, "", &errors);
    recovered(configuration, &mut child, &errors, 2).await;
    let written = entries(configuration);
    let found = records(&written, "recovered")[1];
    assert_eq!(
        (&found["matched"], &found["unexplained"]),
        (&true.into(), &0.into()),
        "{found}"
    );
    assert_eq!(records(&written, "adjusted").len(), 1);
    until("a position", &errors, || {
        alive(&mut child, &errors);
        perp(&venues) != 0
    })
    .await;
    child.kill().unwrap();
    child.wait().unwrap();

    // Flattened, and stays so.
    let mut child = start(configuration, "policy = \"flatten\"", &errors);
    until("flat", &errors, || {
        alive(&mut child, &errors);
        perp(&venues) == 0
    })
    .await;
    child.kill().unwrap();
    child.wait().unwrap();
}
