//! The program itself: signals under load, sums that agree, and bad starts that say what is wrong.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use arbalest::clock::{Clock, OsClock};
use arbalest::exchanges::Dialect;
use arbalest::sim::server::{Pace, VenueServer};
use arbalest::sim::venue::{VenueCore, VenueSetup};
use serde_json::Value;

use super::world::{KEY, SECRET};

fn arbalest(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_arbalest"));
    command.args(arguments).env_remove("ARBALEST_LOG");
    command
}

fn run(arguments: &[&str]) -> Output {
    let output = arbalest(arguments).output().unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!errors.contains("panicked"), "{arguments:?}: {errors}");
    output
}

/// Runs what must fail; what it says on standard error.
fn fails(arguments: &[&str], code: i32) -> String {
    let output = run(arguments);
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
    assert!(output.stdout.is_empty(), "{arguments:?}");
    assert!(errors.contains("error: "), "{arguments:?}: {errors}");
    errors
}

fn json(bytes: &[u8]) -> Value {
    let text = String::from_utf8_lossy(bytes);
    assert_eq!(text.lines().count(), 1, "one JSON object: {text}");
    serde_json::from_str(&text).unwrap()
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn assert_frames(summary: &Value) {
    let count = |name: &str| summary[name].as_u64().unwrap();
    assert_eq!(
        count("frames_received"),
        count("frames_decoded") + count("frames_ignored") + count("frames_malformed")
    );
    assert!(count("frames_received") > 0);
    assert_eq!(count("frames_malformed"), 0);
}

#[test]
fn sigterm_under_load_leaves_nothing_open() {
    let mut child = arbalest(&["demo", "--for", "60s", "--json", "--listen", "127.0.0.1:0"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    // The status line names the sets opened so far.
    let opened = |line: &str| {
        let (_, rest) = line.split_once("  sets ")?;
        rest.split(' ').next()?.parse::<u64>().ok()
    };
    loop {
        let mut line = String::new();
        let length = errors.read_line(&mut line).unwrap();
        said.push_str(&line);
        assert!(length > 0, "it ended before a set was opened: {said}");
        if opened(&line).is_some_and(|count| count >= 1) {
            break;
        }
    }
    let id = child.id().to_string();
    let killed = Command::new("kill").args(["-TERM", &id]).status().unwrap();
    assert!(killed.success());
    errors.read_to_string(&mut said).unwrap();
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{said}");
    assert!(!said.contains("panicked"), "{said}");
    let summary = json(&output.stdout);
    assert_eq!(summary["ended_by"], "SIGTERM");
    assert_eq!(summary["orders_open"], 0, "{summary}");
    assert_eq!(summary["orders_unknown"], 0, "{summary}");
    assert!(summary["sets_opened"].as_u64().unwrap() >= 1);
    assert_frames(&summary);
}

#[test]
fn the_demo_agrees_with_the_ledger_of_its_own_fills() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("fills.csv");
    let arguments = [
        "demo",
        "--for",
        "10s",
        "--seed",
        "3",
        "--json",
        "--listen",
        "127.0.0.1:0",
        "--fills",
        text(&file),
    ];
    let output = run(&arguments);
    assert_eq!(output.status.code(), Some(0));
    let demo = json(&output.stdout);
    assert_frames(&demo);
    assert_eq!(
        (&demo["orders_open"], &demo["orders_unknown"]),
        (&0.into(), &0.into())
    );
    let lines = fs::read_to_string(&file).unwrap().lines().count();
    assert_eq!(demo["fills"].as_u64().unwrap() + 1, lines as u64);
    let ledger = run(&["ledger", text(&file), "--json"]);
    assert_eq!(ledger.status.code(), Some(0));
    let ledger = json(&ledger.stdout);
    // A position that never was is in the demo's list alone.
    let traded = |position: &&Value| position["quantity"] != "0" || position["realized_pnl"] != "0";
    let pick = |of: &Value, name: &str| {
        let mut lines: Vec<String> = of["positions"]
            .as_array()
            .unwrap()
            .iter()
            .filter(traded)
            .map(|position| {
                format!(
                    "{} {} {}",
                    position["venue"], position["symbol"], position[name]
                )
            })
            .collect();
        lines.sort();
        lines
    };
    for name in ["quantity", "average_price", "realized_pnl"] {
        assert_eq!(pick(&demo, name), pick(&ledger, name), "{name}");
    }
}

#[test]
fn a_port_in_use_is_named() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let errors = fails(&["demo", "--for", "5s", "--listen", &address], 1);
    assert!(errors.contains(&address), "{errors}");
    assert!(errors.contains("use"), "{errors}");
}

/// A configuration for real addresses: the venues of `servers`, by HTTP and WebSocket address.
fn real_venues(directory: &Path, servers: &[(String, String)]) {
    let venue = |index: usize, (http, ws): &(String, String)| {
        format!(
            "[[venue]]\nid = \"venue_{index}\"\ndialect = \"binance_spot\"\nsymbols = [\"BTC/USDT\"]\n\
             rest_url = \"{http}\"\nws_url = \"{ws}\"\nws_api_url = \"{ws}\"\n\
             [venue.fees]\ntaker_fee_bps = 1\nmaker_fee_bps = 0\n\
             [venue.keys]\napi_key_env = \"LIVE_TEST_KEY\"\nsecret_env = \"LIVE_TEST_SECRET_{index}\"\n"
        )
    };
    let limits = "order_notional_usd_max = \"5000\"\nunrealized_loss_usd_max = \"500\"\n\
        [notional_usd_max]\nsymbol = \"9000\"\nvenue = \"9000\"\nasset_net = \"9000\"\ngross = \"9000\"\nnet = \"9000\"\n";
    let instrument = |index: usize| {
        format!(
            "[[instrument]]\nvenue = \"venue_{index}\"\nsymbol = \"BTC/USDT\"\n\
             order_qty_base_max = \"0.05\"\nposition_qty_base_max = \"0.25\"\n"
        )
    };
    let strategy = "id = \"cross\"\nkind = \"cross_exchange\"\nmode = \"live\"\nsymbol = \"BTC/USDT\"\n\
        venues = [\"venue_0\", \"venue_1\"]\nmax_inventory_quote = \"1000\"\n";
    let data = directory.join("var");
    let engine = format!(
        "mode = \"live\"\ndata_dir = \"{}\"\n[metrics]\naddress = \"127.0.0.1:0\"\n",
        data.display()
    );
    let venues: String = servers
        .iter()
        .enumerate()
        .map(|(index, urls)| venue(index, urls))
        .collect();
    fs::create_dir(directory.join("strategies")).unwrap();
    for (name, text) in [
        ("engine.toml", engine.as_str()),
        ("venues.toml", &venues),
        (
            "limits.toml",
            &[limits, &instrument(0), &instrument(1)].concat(),
        ),
        ("strategies/cross.toml", strategy),
    ] {
        fs::write(directory.join(name), text).unwrap();
    }
}

fn venue_server() -> VenueServer {
    let any = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let setup = VenueSetup::demo(Dialect::BinanceSpot, KEY, SECRET);
    let core = VenueCore::new(setup, OsClock::new().now_unix());
    VenueServer::start(core, None, Pace::RealTime, any, any).unwrap()
}

/// Runs live against two addresses; the second venue has another secret.
fn run_live(servers: &[(String, String)]) -> String {
    let directory = tempfile::tempdir().unwrap();
    real_venues(directory.path(), servers);
    let output = arbalest(&["run", "--live", "--config", text(directory.path())])
        .env("LIVE_TEST_KEY", KEY)
        .env("LIVE_TEST_SECRET_0", SECRET)
        .env("LIVE_TEST_SECRET_1", "another secret")
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(!errors.contains("panicked"), "{errors}");
    errors
}

#[test]
fn a_venue_that_refuses_or_is_not_there_is_named() {
    let urls = |server: &VenueServer| (server.http_url(), server.ws_url());
    let servers = [venue_server(), venue_server()];
    let [first, second] = [urls(&servers[0]), urls(&servers[1])];
    let errors = run_live(&[first.clone(), second]);
    assert!(errors.contains("venue venue_1 refused our key"), "{errors}");
    // A port where nobody listens any more.
    let gone = {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    };
    let errors = run_live(&[first, (format!("http://{gone}"), format!("ws://{gone}"))]);
    assert!(
        errors.contains("venue venue_1: no list of instruments"),
        "{errors}"
    );
}

#[test]
fn a_configuration_that_is_not_there_is_named() {
    for command in ["demo", "run", "check"] {
        let errors = fails(&[command, "--config", "/nonexistent/arbalest"], 2);
        assert!(errors.contains("/nonexistent/arbalest"), "{errors}");
    }
}

#[test]
fn every_mistake_of_a_configuration_is_listed_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("config");
    fs::create_dir(directory.path().join("strategies")).unwrap();
    for name in [
        "engine.toml",
        "venues.toml",
        "limits.toml",
        "strategies/btc_cross.toml",
        "strategies/eth_cross.toml",
    ] {
        fs::copy(source.join(name), directory.path().join(name)).unwrap();
    }
    let spoil = |name: &str, from: &str, to: &str| {
        let path = directory.path().join(name);
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.contains(from), "{name} has no {from}");
        fs::write(path, text.replacen(from, to, 1)).unwrap();
    };
    spoil("venues.toml", "taker_fee_bps = 1", "taker_fee_pct = 1");
    spoil(
        "limits.toml",
        "order_notional_usd_max = \"5000\"",
        "order_notional_usd_max = \"-1\"",
    );
    spoil(
        "strategies/btc_cross.toml",
        "cooldown_ms = 50",
        "cooldown_s = 50",
    );
    spoil("engine.toml", "mode = \"paper\"", "mode = \"papier\"");
    for command in ["demo", "run", "check"] {
        let errors = fails(&[command, "--config", text(directory.path())], 2);
        for expected in [
            "venues.toml",
            "taker_fee_pct",
            "limits.toml",
            "order_notional_usd_max",
            "btc_cross.toml",
            "cooldown_s",
            "engine.toml",
            "papier",
        ] {
            assert!(
                errors.contains(expected),
                "{command}: no {expected}: {errors}"
            );
        }
    }
}

#[test]
fn recordings_that_are_none_are_named() {
    let directory = tempfile::tempdir().unwrap();
    let missing = directory.path().join("missing");
    let errors = fails(&["demo", "--recording", text(&missing)], 2);
    assert!(errors.contains("missing"), "{errors}");

    let empty = directory.path().join("empty");
    fs::create_dir(&empty).unwrap();
    fails(&["demo", "--recording", text(&empty)], 2);

    let prose = directory.path().join("prose");
    fs::create_dir(&prose).unwrap();
    fs::write(prose.join("notes.jsonl.gz"), "this is no gzip").unwrap();
    let errors = fails(&["demo", "--recording", text(&prose), "--speed", "max"], 2);
    assert!(errors.contains("notes.jsonl.gz"), "{errors}");

    let cut = directory.path().join("cut");
    fs::create_dir(&cut).unwrap();
    // A gzip header and the beginning of a block, and then nothing.
    let head = [0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 3, 0xab, 0x56, 0x2a];
    fs::write(cut.join("cut.jsonl.gz"), head).unwrap();
    let errors = fails(&["demo", "--recording", text(&cut), "--speed", "max"], 2);
    assert!(errors.contains("cut.jsonl.gz"), "{errors}");
}
