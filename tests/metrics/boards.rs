//! The Grafana boards: well made, and asking only for what is exported. With `ARBALEST_PROMETHEUS_URL` set to a Prometheus
//! that scrapes a running engine (`scripts/prometheus.sh` does), every panel must also return data.

#![expect(clippy::indexing_slicing, reason = "an absent key of JSON is null")]

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use arbalest::telemetry::catalogue;
use serde_json::Value;

/// Series that Prometheus makes by itself, with their labels.
const OF_PROMETHEUS: &[(&str, &[&str])] = &[
    ("up", &[]),
    ("arbitrage:tick_to_trade_seconds:p99_5m", &[]),
    ("arbitrage:order_ack_seconds:p99_5m", &[]),
    ("arbitrage:reject_ratio:5m", &["venue"]),
    ("scrape_duration_seconds", &[]),
    ("ALERTS", &["alertname", "alertstate", "severity"]),
];
/// Words of the query language that are followed by a parenthesis or stand between expressions.
const WORDS: &[&str] = &[
    "sum",
    "max",
    "min",
    "abs",
    "rate",
    "increase",
    "time",
    "topk",
    "by",
    "histogram_quantile",
    "count",
    "count_over_time",
    "absent",
    "and",
    "or",
];

fn boards() -> Vec<(String, Value)> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/ops/grafana/dashboards");
    let mut boards: Vec<(String, Value)> = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            let text = std::fs::read_to_string(&path).unwrap();
            (name, serde_json::from_str(&text).unwrap())
        })
        .collect();
    boards.sort_by(|left, right| left.0.cmp(&right.0));
    assert_eq!(boards.len(), 5, "five boards");
    boards
}

fn panels(board: &Value) -> Vec<&Value> {
    let panels = board["panels"].as_array().unwrap();
    panels
        .iter()
        .filter(|panel| panel["type"] != "row")
        .collect()
}

fn expressions(panel: &Value) -> Vec<&str> {
    let targets = panel["targets"].as_array().unwrap();
    targets
        .iter()
        .map(|target| target["expr"].as_str().unwrap())
        .collect()
}

/// What every panel that shows data needs.
fn faults_of_panel(panel: &Value, title: &str, wrong: &mut impl FnMut(&str, &str)) {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let defaults = &panel["fieldConfig"]["defaults"];
    if text(&panel["description"]).is_empty() {
        wrong(title, "has no description");
    }
    if text(&defaults["unit"]).is_empty() {
        wrong(title, "has no unit");
    }
    let steps = defaults["thresholds"]["steps"].as_array();
    if steps.is_none_or(Vec::is_empty) {
        wrong(title, "has no thresholds");
    }
    if panel["datasource"]["uid"] != "${datasource}" {
        wrong(title, "does not use the variable datasource");
    }
    for expression in expressions(panel) {
        for selector in expression.split('{').skip(1) {
            let inside = selector.split('}').next().unwrap();
            if !inside.contains("job=~\"$job\"") || !inside.contains("instance=~\"$instance\"") {
                wrong(title, "a selector lacks job or instance");
            }
        }
        for part in expression.split("rate(").skip(1) {
            if !part
                .split(')')
                .next()
                .unwrap()
                .ends_with("[$__rate_interval]")
            {
                wrong(title, "a rate is not over $__rate_interval");
            }
        }
    }
}

/// What the dashboard linter of Grafana asks for, and what a reader needs.
fn faults_of(board: &Value) -> Vec<String> {
    let mut faults = Vec::new();
    let mut wrong = |place: &str, rule: &str| faults.push(format!("{place}: {rule}"));
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    for key in ["uid", "title", "description"] {
        if text(&board[key]).is_empty() {
            wrong("board", &format!("has no {key}"));
        }
    }
    if !board["id"].is_null() || board["editable"] != false || board["schemaVersion"] != 42 {
        wrong("board", "id is null, editable false, schemaVersion 42");
    }
    let variables: BTreeMap<String, &Value> = board["templating"]["list"]
        .as_array()
        .unwrap()
        .iter()
        .map(|variable| (text(&variable["name"]), variable))
        .collect();
    let kind = |name: &str| variables.get(name).map(|variable| text(&variable["type"]));
    if kind("datasource").as_deref() != Some("datasource")
        || kind("job").as_deref() != Some("query")
        || kind("instance").as_deref() != Some("query")
    {
        wrong("board", "needs the variables datasource, job and instance");
    }
    let mut ids = BTreeSet::new();
    let mut cells = BTreeMap::new();
    for panel in board["panels"].as_array().unwrap() {
        let title = text(&panel["title"]);
        if title.is_empty() {
            wrong("panel", "has no title");
        }
        if !ids.insert(panel["id"].as_u64()) {
            wrong(&title, "its id is used twice");
        }
        let at = |key: &str| panel["gridPos"][key].as_u64().unwrap();
        if at("x") + at("w") > 24 {
            wrong(&title, "leaves the grid");
        }
        for x in at("x")..at("x") + at("w") {
            for y in at("y")..at("y") + at("h") {
                if let Some(other) = cells.insert((x, y), title.clone()) {
                    wrong(&title, &format!("lies over {other}"));
                }
            }
        }
        if panel["type"] == "row" {
            continue;
        }
        faults_of_panel(panel, &title, &mut wrong);
    }
    faults
}

#[test]
fn boards_are_well_made() {
    let mut uids = BTreeSet::new();
    for (name, board) in boards() {
        assert_eq!(faults_of(&board), [""; 0], "{name}");
        assert!(uids.insert(board["uid"].to_string()), "{name}: uid twice");
    }
    // The rules can fail.
    let (_, mut board) = boards().remove(0);
    board["panels"][1]["targets"][0]["expr"] = "rate(arbitrage_fills_total[5m])".into();
    board["panels"][1]["description"] = "".into();
    board["panels"][2]["gridPos"]["x"] = 0.into();
    board["panels"][2]["id"] = board["panels"][1]["id"].clone();
    assert!(faults_of(&board).len() >= 4, "{:?}", faults_of(&board));
}

/// Names of series with the labels asked for, of one expression.
pub(super) fn series(expression: &str) -> Vec<(String, BTreeSet<String>)> {
    let mut found: Vec<(String, BTreeSet<String>)> = Vec::new();
    let mut grouped: BTreeSet<String> = BTreeSet::new();
    let mut rest = expression;
    while let Some(start) = rest.find(|letter: char| letter.is_ascii_alphabetic()) {
        let word_end = rest[start..]
            .find(|letter: char| {
                !(letter.is_ascii_alphanumeric() || letter == '_' || letter == ':')
            })
            .map_or(rest.len(), |length| start + length);
        let word = &rest[start..word_end];
        rest = &rest[word_end..];
        if word == "by" {
            let inside = rest.trim_start().strip_prefix('(').unwrap();
            let (labels, after) = inside.split_once(')').unwrap();
            grouped.extend(labels.split(',').map(|label| label.trim().to_owned()));
            rest = after;
        } else if !WORDS.contains(&word) {
            let mut labels = BTreeSet::new();
            if let Some(inside) = rest.strip_prefix('{') {
                let (matchers, after) = inside.split_once('}').unwrap();
                for matcher in matchers.split(", ") {
                    let end = matcher.find(['=', '!']).unwrap();
                    labels.insert(matcher[..end].trim().to_owned());
                }
                rest = after;
            }
            if rest.starts_with('[') {
                rest = rest.split_once(']').unwrap().1;
            }
            found.push((word.to_owned(), labels));
        }
    }
    for (_, labels) in &mut found {
        labels.extend(grouped.iter().cloned());
    }
    found
}

/// Labels that are wanted of a series and not there; all of them when the series is not known.
pub(super) fn unknown(name: &str, labels: &BTreeSet<String>) -> Vec<String> {
    let own = |known: &[&str]| -> Vec<String> {
        let everywhere = ["job", "instance"];
        labels
            .iter()
            .filter(|label| {
                !known.contains(&label.as_str()) && !everywhere.contains(&label.as_str())
            })
            .cloned()
            .collect()
    };
    if let Some((_, known)) = OF_PROMETHEUS.iter().find(|(known, _)| *known == name) {
        return own(known);
    }
    match catalogue::find(name) {
        None => vec![format!("series {name}")],
        Some(metric) => {
            let mut known = metric.labels.to_vec();
            if name.ends_with("_bucket") {
                known.push("le");
            }
            if metric.kind == catalogue::Kind::Summary {
                known.push("quantile");
            }
            own(&known)
        }
    }
}

#[test]
fn boards_ask_only_for_what_is_exported() {
    let mut asked = BTreeSet::new();
    for (name, board) in boards() {
        for panel in panels(&board) {
            for expression in expressions(panel) {
                let found = series(expression);
                assert!(!found.is_empty(), "{expression}");
                for (metric, labels) in found {
                    let missing = unknown(&metric, &labels);
                    assert_eq!(missing, [""; 0], "{name}, {}: {expression}", panel["title"]);
                    asked.insert(metric);
                }
            }
        }
    }
    assert!(asked.len() > 40, "{asked:?}");
    assert_eq!(
        series("sum by (venue) (rate(arbitrage_nonsense_total{job=~\"$job\"}[$__rate_interval]))"),
        [(
            "arbitrage_nonsense_total".to_owned(),
            BTreeSet::from(["job".to_owned(), "venue".to_owned()])
        )]
    );
    assert_eq!(
        unknown("arbitrage_nonsense_total", &BTreeSet::new()),
        ["series arbitrage_nonsense_total"]
    );
    let symbol = BTreeSet::from(["symbol".to_owned()]);
    assert_eq!(unknown("arbitrage_total_exposure", &symbol), ["symbol"]);
}

/// One instant query; the number of series.
fn query(address: &str, expression: &str) -> usize {
    let mut body = String::from("query=");
    for byte in expression.bytes() {
        if byte.is_ascii_alphanumeric() {
            body.push(char::from(byte));
        } else {
            body.push_str(&format!("%{byte:02X}"));
        }
    }
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "POST /api/v1/query HTTP/1.0\r\nHost: {address}\r\nContent-Type: application/x-www-form-urlencoded\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (_, json) = answer.split_once("\r\n\r\n").unwrap();
    let json: Value = serde_json::from_str(json).unwrap();
    assert_eq!(json["status"], "success", "{expression}: {json}");
    json["data"]["result"].as_array().unwrap().len()
}

#[test]
fn every_panel_returns_data_from_a_real_prometheus() {
    let Ok(url) = std::env::var("ARBALEST_PROMETHEUS_URL") else {
        eprintln!(
            "skipped: ARBALEST_PROMETHEUS_URL names no Prometheus that scrapes an engine (scripts/prometheus.sh does)"
        );
        return;
    };
    let address = url.strip_prefix("http://").unwrap().trim_end_matches('/');
    // Panels that are empty until something goes wrong and now must not be: their titles, with commas between.
    let injected = std::env::var("ARBALEST_FAULTS_INJECTED").unwrap_or_default();
    let injected: Vec<&str> = injected.split(',').collect();
    let (mut answered, mut empty, mut waiting) = (0, Vec::new(), Vec::new());
    for (name, board) in boards() {
        for panel in panels(&board) {
            for expression in expressions(panel) {
                let expression = expression
                    .replace("$job", ".+")
                    .replace("$instance", ".+")
                    .replace("$__rate_interval", "30s")
                    .replace("$__range", "5m");
                let place = format!("{name}, {}: {expression}", panel["title"]);
                let title = panel["title"].as_str().unwrap_or_default();
                let excused = panel.get("fault").is_some() && !injected.contains(&title);
                match (query(address, &expression), excused) {
                    (0, true) => waiting.push(place),
                    (0, false) => empty.push(place),
                    _ => answered += 1,
                }
            }
        }
    }
    eprintln!(
        "{answered} queries of the boards returned data; these are empty until something goes wrong: {waiting:#?}"
    );
    assert_eq!(empty, [""; 0], "no data");
}
