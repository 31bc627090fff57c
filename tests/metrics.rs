//! `/metrics`, `/status` and the page over a real socket, and the quantiles against the truth.
#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]
#![expect(
    clippy::float_arithmetic,
    reason = "the truth of a statistic is a float"
)]

use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;

use arbalest::dashboard::{self, DashboardError};
use arbalest::telemetry::catalogue::{self, CATALOGUE, Kind};
use arbalest::telemetry::snapshot::AlertSinkStatus;
use arbalest::telemetry::snapshot::*;
use arbalest::telemetry::{Counts, EngineSnapshot, Lanes, LimitStatus, Stage, Telemetry};
use arbalest::units::{MonoNanos, Nanos};
use rust_decimal::Decimal;

#[path = "metrics/alerts.rs"]
mod alerts;
#[path = "metrics/boards.rs"]
mod boards;

const START: MonoNanos = MonoNanos(1_000_000_000);

fn local() -> SocketAddr {
    "127.0.0.1:0".parse().unwrap()
}

fn counts(label: &'static str) -> Counts {
    let mut counts = Counts::new();
    counts.add(label, 3);
    counts
}

fn venue() -> VenueStatus {
    VenueStatus {
        venue: "spot_a".into(),
        dialect: "binance_spot",
        channels: vec![ChannelStatus {
            channel: "market",
            connected: true,
            messages_received: 10,
            received_bytes: 1_000,
            decode_errors: 1,
            reconnects: counts("lost"),
        }],
        book_gaps: counts("sequence_gap"),
        book_resyncs: counts("sequence_gap"),
        book_crossed: 2,
        clock_offset_ns: Some(-1_500_000),
        orders: vec![OrderCount {
            side: "buy",
            r#type: "ioc_limit",
            result: "filled",
            count: 4,
        }],
        rejects: counts("filter"),
        fills: vec![FillCount {
            side: "buy",
            liquidity: "taker",
            count: 5,
        }],
        open_orders: 1,
        unknown_orders: 0,
        fees_paid: "1.25".parse().unwrap(),
        rebates_received: Decimal::ZERO,
    }
}

/// A snapshot in which every metric of the catalogue has a series.
#[expect(clippy::too_many_lines, reason = "a value: one line a field")]
fn snapshot() -> EngineSnapshot {
    EngineSnapshot {
        time_ns: 1_700_000_000_000_000_000,
        state: TradingState::Active,
        paper: true,
        reporting_currency: "USDT".into(),
        kill_levels: vec![KillScope {
            scope: "portfolio".into(),
            level: 0,
            name: "armed",
        }],
        total_exposure: Some(Decimal::from(1_234)),
        symbols: vec![SymbolStatus {
            symbol: "BTC/USDT".into(),
            position_quantity: "0.015".parse().unwrap(),
            unrealized_pnl: Some("-2.5".parse().unwrap()),
            exposure: Some(Decimal::from(1_234)),
        }],
        instruments: vec![InstrumentStatus {
            venue: "spot_a".into(),
            symbol: "BTC/USDT".into(),
            trust: "trusted",
            book_update_time_ns: Some(1_699_999_999_500_000_000),
            ..InstrumentStatus::default()
        }],
        venues: vec![venue()],
        strategies: vec![StrategyStatus {
            strategy: "btc_cross".into(),
            kind: "cross_exchange",
            opportunities: counts("taken"),
            rejections: counts("REF_PRICE_STALE"),
            sets: counts("hedged"),
            best_edge_bps: BTreeMap::from([("BTC/USDT".to_owned(), Decimal::ONE)]),
            ..StrategyStatus::default()
        }],
        risk: RiskStatus {
            limits: vec![LimitStatus {
                limit: "gross_notional",
                scope: "portfolio".into(),
                value: Decimal::from(2_000),
                used: Some(Decimal::from(500)),
                less_is_worse: false,
            }],
            checks_passed: 7,
            checks_rejected: 3,
            force_closes: vec![CloseCount {
                cause: "position_quantity",
                result: "done",
                count: 1,
            }],
            figures: RiskFigures {
                venue_equity: vec![("spot_a".into(), Some(Decimal::from(100_000)))],
                net_delta: vec![("BTC".into(), Some(Decimal::from(-12)))],
                ..RiskFigures::default()
            },
            ..RiskStatus::default()
        },
        queues: vec![QueueStatus {
            queue: "feed_spot_a".into(),
            depth: 1,
            capacity: 65_536,
            dropped: 0,
        }],
        heartbeats: BTreeMap::from([("signal", 1_700_000_000_000_000_000)]),
        journal: JournalStatus {
            disk_free_bytes: Some(1 << 40),
            ..JournalStatus::default()
        },
        store: Some(StoreStatus::default()),
        alert_sinks: vec![AlertSinkStatus {
            sink: "pager".into(),
            ..AlertSinkStatus::default()
        }],
        ..EngineSnapshot::default()
    }
}

fn hub() -> Arc<Telemetry> {
    let hub = Telemetry::new(Lanes {
        venues: vec!["spot_a".into()],
        queues: vec!["feed_spot_a".into()],
        strategies: vec!["btc_cross".into()],
    });
    let mut recorder = hub.recorder(&Stage::ALL);
    for stage in Stage::ALL {
        recorder.record(stage, 0, Nanos::from_micros(12));
    }
    assert!(recorder.publish());
    assert_eq!(hub.collect(START), 0);
    hub.control().expect(&["ok"]);
    hub.publish(snapshot());
    hub
}

/// Status line and head, then body, of one request on a connection of its own.
fn ask(address: SocketAddr, method: &str, path: &str, host: &str) -> (String, String) {
    let mut stream = TcpStream::connect(address).unwrap();
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    (head.to_owned(), body.to_owned())
}

/// `name`, label names, value of every sample line.
fn parse(page: &str) -> Vec<(String, Vec<String>, f64)> {
    page.lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (series, value) = line.rsplit_once(' ').unwrap();
            let (name, labels) = series.split_once('{').unwrap_or((series, ""));
            let labels = labels
                .trim_end_matches('}')
                .split("\",")
                .filter(|pair| !pair.is_empty());
            let names = labels
                .map(|pair| pair.split_once('=').unwrap().0.to_owned())
                .collect();
            (name.to_owned(), names, value.parse().unwrap())
        })
        .collect()
}

#[test]
fn the_page_of_metrics_is_the_catalogue() {
    let server = dashboard::serve(local(), hub(), None).unwrap();
    let (head, page) = ask(server.address, "GET", "/metrics", "127.0.0.1:9464");
    server.stop();
    assert!(head.starts_with("HTTP/1.1 200"), "{head}");
    assert!(
        head.contains("text/plain; version=0.0.4; charset=utf-8"),
        "{head}"
    );
    let mut seen = std::collections::BTreeSet::new();
    for (name, labels, _) in parse(&page) {
        let metric =
            catalogue::find(&name).unwrap_or_else(|| panic!("{name} is not in the catalogue"));
        let own: Vec<&str> = labels
            .iter()
            .map(String::as_str)
            .filter(|label| !matches!(*label, "le" | "quantile"))
            .collect();
        assert_eq!(own, metric.labels, "{name}");
        seen.insert(metric.name);
    }
    for metric in CATALOGUE {
        assert!(
            seen.contains(metric.name),
            "{} was not exported",
            metric.name
        );
        assert!(
            page.contains(&format!("# TYPE {} {}\n", metric.name, metric.kind.label())),
            "{}",
            metric.name
        );
        assert!(
            page.contains(&format!("# HELP {} ", metric.name)),
            "{}",
            metric.name
        );
    }
    for line in [
        "arbitrage_position_quantity{symbol=\"BTC/USDT\"} 0.015\n",
        "arbitrage_unrealized_pnl{symbol=\"BTC/USDT\"} -2.5\n",
        "arbitrage_total_exposure 1234\n",
        "arbitrage_risk_limit_utilization_ratio{limit=\"gross_notional\",scope=\"portfolio\"} 0.25\n",
        "arbitrage_clock_offset_seconds{venue=\"spot_a\"} -0.0015\n",
        "arbitrage_fees_paid_total{venue=\"spot_a\"} 1.25\n",
        "arbitrage_trading_state{state=\"active\"} 1\n",
        "arbitrage_tick_to_trade_seconds_bucket{venue=\"spot_a\",le=\"0.000025\"} 1\n",
    ] {
        assert!(page.contains(line), "{line} not in\n{page}");
    }
}

#[test]
fn status_page_and_health_answer_this_machine_only() {
    let server = dashboard::serve(local(), hub(), None).unwrap();
    let address = server.address;
    let status = |method: &str, path: &str, host: &str| {
        ask(address, method, path, host)
            .0
            .split(' ')
            .nth(1)
            .unwrap()
            .parse::<u16>()
            .unwrap()
    };
    for (path, code) in [
        ("/", 200),
        ("/healthz", 200),
        ("/readyz", 503),
        ("/assets/page.js", 200),
        ("/nothing", 404),
    ] {
        assert_eq!(status("GET", path, "localhost"), code, "{path}");
    }
    assert_eq!(status("GET", "/status", "evil.example"), 403);
    assert_eq!(status("GET", "/metrics", "127.0.0.1.evil.example"), 403);
    assert_eq!(status("POST", "/status", "localhost"), 405);
    let (head, body) = ask(address, "GET", "/status", "localhost:1");
    assert!(
        head.contains("content-security-policy: default-src 'none'"),
        "{head}"
    );
    let json: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!(json["symbols"][0]["position_quantity"], "0.015");
    assert_eq!(json["latency"]["tick_to_order"]["count"], 1);
    assert_eq!(json["strategies"][0]["opportunities"]["taken"], 3);
    let (_, reasons) = ask(address, "GET", "/readyz", "localhost");
    assert!(reasons.contains("no snapshot from the engine"), "{reasons}");
    server.stop();
    assert!(
        TcpStream::connect(address).is_err(),
        "a stopped server does not answer"
    );
}

#[test]
fn a_taken_port_and_a_public_address_are_named() {
    let server = dashboard::serve(local(), hub(), None).unwrap();
    let again = dashboard::serve(server.address, hub(), None).unwrap_err();
    assert!(matches!(again, DashboardError::Bind { .. }));
    assert!(
        again.to_string().contains(&server.address.to_string()),
        "{again}"
    );
    let public = dashboard::serve("0.0.0.0:0".parse().unwrap(), hub(), None).unwrap_err();
    assert!(matches!(public, DashboardError::NotLoopback(_)));
    server.stop();
}

/// The page asks nobody but its own server: no address with a scheme in what is sent to a browser.
#[test]
fn the_page_makes_no_external_request() {
    let server = dashboard::serve(local(), hub(), None).unwrap();
    for path in ["/", "/assets/page.css", "/assets/page.js"] {
        let (_, body) = ask(server.address, "GET", path, "localhost");
        for sign in [
            "http:",
            "https:",
            "src=\"//",
            "@import",
            "innerHTML",
            "eval(",
        ] {
            assert!(!body.contains(sign), "{path} has {sign}");
        }
    }
    server.stop();
}

/// 200,000 spans from 1 us to 10 ms, each 1.0000461 times the one before: the median is 100 us.
fn ascending() -> impl Iterator<Item = f64> {
    (0..200_000_u32).map(|index| 1e-6 * 10_f64.powf(4.0 * f64::from(index) / 200_000.0))
}

#[test]
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "spans are between 1,000 and 10,000,000 ns"
)]
fn quantiles_are_right_where_the_librarys_summaries_are_wrong() {
    let hub = Telemetry::new(Lanes {
        venues: vec!["v".into()],
        ..Lanes::default()
    });
    let mut recorder = hub.recorder(&[Stage::Decode]);
    for seconds in ascending() {
        recorder.record(Stage::Decode, 0, Nanos((seconds * 1e9).round() as u64));
    }
    assert!(recorder.publish());
    hub.collect(START);
    hub.collect(START.after(Nanos::from_secs(10)));
    let samples: BTreeMap<String, f64> = hub
        .render()
        .lines()
        .filter(|line| line.starts_with("arbitrage_decode"))
        .map(|line| line.rsplit_once(' ').unwrap())
        .map(|(series, value)| (series.to_owned(), value.parse().unwrap()))
        .collect();
    for (share, truth) in [
        ("0.5", 1e-4),
        ("0.9", 3.981e-3),
        ("0.99", 9.120e-3),
        ("0.999", 9.908e-3),
        ("1", 1e-2),
    ] {
        let read = samples
            [&format!("arbitrage_decode_window_seconds{{venue=\"v\",quantile=\"{share}\"}}")];
        assert!(
            (read / truth - 1.0).abs() < 2e-3,
            "p{share} was {read}, truth {truth}"
        );
    }
    for (bound, truth) in [
        ("0.00001", 50_001.0),
        ("0.0001", 100_001.0),
        ("0.001", 150_001.0),
        ("0.01", 200_000.0),
    ] {
        let read =
            samples[&format!("arbitrage_decode_seconds_bucket{{venue=\"v\",le=\"{bound}\"}}")];
        assert!(
            (read - truth).abs() <= 25.0,
            "le {bound} was {read}, truth {truth}"
        );
    }
    assert!((samples["arbitrage_decode_seconds_count{venue=\"v\"}"] - 200_000.0).abs() < 0.5);

    // The same samples through the exporter library: kept here so that a new version shows whether it was mended.
    let library = metrics_exporter_prometheus::PrometheusBuilder::new()
        .set_quantiles(&[0.5])
        .unwrap()
        .build_recorder();
    metrics::with_local_recorder(&library, || {
        ascending().for_each(|seconds| metrics::histogram!("x").record(seconds));
    });
    let text = library.handle().render();
    let median: f64 = text
        .lines()
        .find_map(|line| line.strip_prefix("x{quantile=\"0.5\"} "))
        .unwrap()
        .parse()
        .unwrap();
    assert!(
        median > 5e-3,
        "the library's median was {median}: mended? then docs and this test may change"
    );
}

#[test]
fn the_documentation_is_the_catalogue() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/METRICS.md");
    let page = catalogue::markdown();
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).unwrap();
    }
    assert_eq!(
        std::fs::read_to_string(&path).unwrap(),
        page,
        "run UPDATE_DOCS=1 cargo test --test metrics"
    );
    assert!(CATALOGUE.iter().any(|metric| metric.kind == Kind::Summary));
}

/// Every metric that a Prometheus rule or its test names exists.
#[test]
fn prometheus_rules_use_known_names() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("ops/prometheus");
    let mut names = std::collections::BTreeSet::new();
    for file in ["rules/arbalest.yml", "tests/arbalest.yml"] {
        let text = std::fs::read_to_string(folder.join(file)).unwrap();
        for (at, _) in text.match_indices("arbitrage_") {
            let name = text
                .get(at..)
                .unwrap()
                .split(|letter: char| !(letter.is_ascii_alphanumeric() || letter == '_'));
            names.insert(name.into_iter().next().unwrap().to_owned());
        }
    }
    assert!(names.len() > 10);
    for name in names {
        assert!(
            catalogue::find(&name).is_some(),
            "{name} is not in the catalogue"
        );
    }
}

/// A limit that is a least value is used up as the measured value falls to it; at nothing it is far over, not unknown.
#[test]
fn least_values_are_used_up_from_above() {
    let utilization = |less_is_worse, used: &str| {
        let limit = LimitStatus {
            limit: "liquidation_distance",
            scope: "perp:BTC/USDT:USDT".into(),
            value: "0.2".parse().unwrap(),
            used: None,
            less_is_worse,
        };
        limit.utilization(used.parse().unwrap()).unwrap()
    };
    let decimal = |text: &str| text.parse::<Decimal>().unwrap();
    assert_eq!(utilization(false, "0.1"), decimal("0.5"));
    assert_eq!(utilization(true, "0.4"), decimal("0.5"));
    assert_eq!(utilization(true, "0.2"), decimal("1"));
    assert_eq!(utilization(true, "0.1"), decimal("2"));
    assert_eq!(utilization(true, "0"), decimal("200000"));
    assert_eq!(utilization(true, "-1"), decimal("200000"));
}
