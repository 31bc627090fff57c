//! Databases to test against, and records to fill them with.

use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::Duration;

use arbalest::clock::OsClock;
use arbalest::journal::edges::{
    AttributionRecord, LegRow, LookRow, OpportunityRecord, OwnProbe, ReasonRow, RouteRow,
};
use arbalest::journal::record::{ChildRecord, CloseIntentRecord, FillRecord};
use arbalest::journal::rows::{
    AlertRecord, CancelRecord, ConfigRecord, ControlRecord, OrderRecord, PositionRow, RefusalRow,
    ReportRecord, RiskMetricsRecord,
};
use arbalest::journal::{Journal, Record};
use arbalest::store::postgres::Address;
use arbalest::store::tables::TABLES;
use arbalest::store::{Follower, Place};
use rust_decimal::Decimal;

/// One database, looked at from outside.
pub(crate) struct Database {
    pub(crate) name: &'static str,
    pub(crate) place: Place,
    outside: Outside,
    _directory: tempfile::TempDir,
    pub(crate) journal: PathBuf,
}

enum Outside {
    Sqlite(PathBuf),
    Postgres { url: String, schema: String },
}

/// `SQLite`, and `PostgreSQL` where there is one. `test` names the schema.
pub(crate) fn databases(test: &str) -> Vec<Database> {
    let mut all = vec![sqlite()];
    match std::env::var("ARBALEST_PG_URL") {
        Ok(url) => all.push(postgres(test, url)),
        Err(_) if std::env::var("ARBALEST_REQUIRE_PG").is_ok() => {
            panic!("ARBALEST_REQUIRE_PG is set, ARBALEST_PG_URL is not")
        }
        Err(_) => {
            eprintln!(
                "skipped: PostgreSQL (ARBALEST_PG_URL is not set; scripts/postgres.sh sets it)"
            );
        }
    }
    all
}

pub(crate) fn sqlite() -> Database {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("arbalest.db");
    Database {
        name: "sqlite",
        place: Place::Sqlite(path.clone()),
        outside: Outside::Sqlite(path),
        journal: directory.path().join("journal"),
        _directory: directory,
    }
}

fn postgres(test: &str, url: String) -> Database {
    let directory = tempfile::tempdir().unwrap();
    let schema = format!("test_{test}_{}", std::process::id());
    let address = Address::parse(&url, &schema).unwrap();
    let database = Database {
        name: "postgres",
        place: Place::Postgres(Box::new(address)),
        outside: Outside::Postgres {
            url,
            schema: schema.clone(),
        },
        journal: directory.path().join("journal"),
        _directory: directory,
    };
    database
        .run(&format!("DROP SCHEMA IF EXISTS {schema} CASCADE"))
        .unwrap();
    database
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Outside::Postgres { schema, .. } = &self.outside {
            let dropped = self.run(&format!("DROP SCHEMA IF EXISTS {schema} CASCADE"));
            assert!(dropped.is_ok() || std::thread::panicking(), "{dropped:?}");
        }
    }
}

impl Database {
    pub(crate) fn path(&self) -> &Path {
        match &self.outside {
            Outside::Sqlite(path) => path,
            Outside::Postgres { .. } => panic!("not a file"),
        }
    }

    pub(crate) fn is_postgres(&self) -> bool {
        matches!(self.outside, Outside::Postgres { .. })
    }

    /// Runs a query; every value as text, `-` for NULL.
    pub(crate) fn query(&self, text: &str) -> Result<Vec<Vec<String>>, String> {
        match &self.outside {
            Outside::Sqlite(path) => {
                let open = rusqlite::Connection::open(path).map_err(|error| error.to_string())?;
                if text.starts_with("SELECT") {
                    let mut statement = open.prepare(text).map_err(|error| error.to_string())?;
                    let width = statement.column_count();
                    let rows = statement.query_map([], |row| {
                        (0..width)
                            .map(|at| {
                                Ok(match row.get::<_, rusqlite::types::Value>(at)? {
                                    rusqlite::types::Value::Null => "-".to_owned(),
                                    rusqlite::types::Value::Integer(number) => number.to_string(),
                                    rusqlite::types::Value::Text(text) => text,
                                    other => panic!("{other:?}"),
                                })
                            })
                            .collect()
                    });
                    rows.and_then(Iterator::collect)
                        .map_err(|error: rusqlite::Error| error.to_string())
                } else {
                    open.execute_batch(text)
                        .map(|()| Vec::new())
                        .map_err(|error| error.to_string())
                }
            }
            Outside::Postgres { url, schema } => on_server(url, schema, text),
        }
    }

    pub(crate) fn run(&self, text: &str) -> Result<(), String> {
        self.query(text).map(drop)
    }

    /// One column of a query.
    pub(crate) fn column(&self, text: &str) -> Vec<String> {
        let rows = self.query(text).unwrap();
        rows.into_iter().map(|row| row[0].clone()).collect()
    }

    /// Every row of every table, as text.
    pub(crate) fn dump(&self) -> Vec<(&'static str, Vec<Vec<String>>)> {
        TABLES
            .iter()
            .map(|table| {
                let names = table.names().join(", ");
                let query = format!("SELECT {names} FROM {} ORDER BY seq", table.name);
                (table.name, self.query(&query).unwrap())
            })
            .collect()
    }

    pub(crate) fn follow(&self, journal: &Journal) -> Follower {
        Follower::start(self.place.clone(), journal.tail(), OsClock::new()).unwrap()
    }

    /// What the database holds of the journal: numbers of the records of one table, in its order.
    pub(crate) fn journal_seqs(&self, table: &str) -> Vec<u64> {
        self.column(&format!("SELECT journal_seq FROM {table} ORDER BY seq"))
            .iter()
            .map(|text| text.parse().unwrap())
            .collect()
    }

    /// Holds the position row, so that nothing can be written, until the answer is dropped.
    pub(crate) fn block(&self) -> Box<dyn FnOnce()> {
        match &self.outside {
            Outside::Sqlite(path) => {
                let open = rusqlite::Connection::open(path).unwrap();
                open.execute_batch("BEGIN IMMEDIATE").unwrap();
                Box::new(move || open.execute_batch("ROLLBACK").unwrap())
            }
            Outside::Postgres { url, schema } => {
                let (release, released) = mpsc::channel::<()>();
                let (locked, is_locked) = mpsc::channel();
                let (url, schema) = (url.clone(), schema.clone());
                let thread = std::thread::spawn(move || {
                    let runtime = runtime();
                    let client = connect(&runtime, &url);
                    let text = format!(
                        "BEGIN; LOCK TABLE {schema}.store_progress IN ACCESS EXCLUSIVE MODE"
                    );
                    runtime.block_on(client.batch_execute(&text)).unwrap();
                    locked.send(()).unwrap();
                    released.recv().unwrap();
                    runtime.block_on(client.batch_execute("ROLLBACK")).unwrap();
                });
                is_locked.recv().unwrap();
                Box::new(move || {
                    release.send(()).unwrap();
                    thread.join().unwrap();
                })
            }
        }
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap()
}

fn connect(runtime: &tokio::runtime::Runtime, url: &str) -> tokio_postgres::Client {
    let (client, connection) = runtime
        .block_on(tokio_postgres::connect(url, tokio_postgres::NoTls))
        .unwrap();
    runtime.spawn(connection);
    client
}

fn on_server(url: &str, schema: &str, text: &str) -> Result<Vec<Vec<String>>, String> {
    let runtime = runtime();
    let client = connect(&runtime, url);
    let whole = format!("SET search_path TO {schema}; {text}");
    let answers = runtime
        .block_on(client.simple_query(&whole))
        .map_err(|error| {
            error
                .as_db_error()
                .map_or(error.to_string(), ToString::to_string)
        })?;
    let rows = answers.iter().filter_map(|answer| match answer {
        tokio_postgres::SimpleQueryMessage::Row(row) => Some(
            (0..row.len())
                .map(|at| match row.get(at) {
                    None => "-".to_owned(),
                    Some("t") => "1".to_owned(),
                    Some("f") => "0".to_owned(),
                    Some(text) => text.to_owned(),
                })
                .collect(),
        ),
        _ => None,
    });
    Ok(rows.collect())
}

fn exact(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// How many kinds [`sample`] goes through.
pub(crate) const KINDS: u64 = 15;

/// A record of every kind in turn; `index` is in it.
pub(crate) fn sample(index: u64) -> Record {
    let id = format!("{index:032x}");
    let (venue, symbol) = ("spot_a".to_owned(), "BTC/USDT".to_owned());
    // What may be absent is there in every second round.
    let odd = (index / KINDS) % 2 == 1;
    let maybe = |text: &str| odd.then(|| exact(text));
    let intent = || CloseIntentRecord {
        set: index,
        venue: "spot_a".to_owned(),
        symbol: "BTC/USDT".to_owned(),
        cause: "position_limit",
        limit: Some(exact("0.10")),
        value: maybe("1.2"),
        position: exact("-1.500"),
        target: Decimal::ZERO,
        cost_expected: maybe("3.20"),
        slippage_bps_expected: maybe("0.7"),
        unfillable: maybe("0"),
    };
    match index % KINDS {
        0 => Record::Order(OrderRecord {
            client_order_id: id,
            venue,
            symbol,
            strategy: "btc".to_owned(),
            set: index,
            leg: 1,
            attempt: 2,
            purpose: "leg",
            side: "buy",
            quantity: exact("0.0150"),
            limit_price: exact("61837.63"),
            time_in_force: "ioc",
            reduce_only: false,
            post_only: true,
            approval: index,
        }),
        1 => Record::Report(ReportRecord {
            client_order_id: Some(id),
            venue,
            symbol,
            event: "filled",
            venue_time: 1_700_000_000_123_000_000,
            venue_order_id: Some(u64::MAX),
            reason: odd.then_some("filter"),
            code: Some(-2010),
            quantity: Some(exact("0.0150")),
            price: Some(exact("61837.63")),
            trade_id: Some(index),
        }),
        2 => Record::Fill(FillRecord {
            time: 1_700_000_000_123_000_000,
            venue,
            symbol,
            side: "sell",
            quantity: exact("0.0150"),
            price: exact("79228162514264337593543950335"),
            fee: exact("-0.00000000000000000000000001"),
            fee_asset: "USDT".to_owned(),
            trade_id: index,
            client_order_id: odd.then(|| id.clone()),
            liquidity: "taker",
            strategy: Some("btc".to_owned()),
        }),
        3 => Record::Cancel(CancelRecord {
            client_order_id: odd.then(|| id.clone()),
            venue,
            symbol,
        }),
        4 => Record::Alert(AlertRecord {
            alert: "close_started".to_owned(),
            severity: "warning",
            scope: "instrument:spot_a:BTC/USDT".to_owned(),
            value: Some(exact("1.50")),
            limit: maybe("1"),
            raised: true,
            text: "quote ' and \"double\"; -- \u{e4} \\ \n DROP TABLE audit".to_owned(),
        }),
        5 => Record::Refusals {
            rows: vec![
                RefusalRow {
                    strategy: "btc".to_owned(),
                    code: "ORDER_NOTIONAL_MAX".to_owned(),
                    count: index,
                },
                RefusalRow {
                    strategy: "eth".to_owned(),
                    code: "EDGE_TOO_SMALL".to_owned(),
                    count: 1,
                },
            ],
        },
        6 => Record::RiskMetrics(Box::new(RiskMetricsRecord {
            state: "active",
            total_exposure: Some(exact("100.00")),
            realized_pnl: exact("-0.50"),
            open_orders: index,
            unrealized_pnl: maybe("1.10"),
            pnl: maybe("2"),
            max_drawdown: maybe("3"),
            var: maybe("4"),
            margin_usage: maybe("0.25"),
            net_exposure: maybe("5"),
            expected_shortfall: maybe("6"),
            equity: maybe("100000.0"),
            unit_value: maybe("1.01"),
            ..RiskMetricsRecord::default()
        })),
        7 => Record::Positions {
            rows: vec![PositionRow {
                venue,
                symbol,
                quantity: exact("-0.100"),
                average_price: maybe("61000.5"),
                realized_pnl: Decimal::ZERO,
            }],
        },
        8 => Record::ControlAction(ControlRecord {
            by: "ann".to_owned(),
            role: "risk_officer".to_owned(),
            origin: "127.0.0.1:5".to_owned(),
            action: "raise".to_owned(),
            scope: "portfolio".to_owned(),
            reason: format!("reason {index}"),
            accepted: false,
            result: "too late".to_owned(),
        }),
        9 => Record::ConfigVersion(ConfigRecord {
            hash: "ab".to_owned(),
            cause: "start",
            by: String::new(),
            settings: vec!["engine.toml node = 1".to_owned()],
        }),
        10 => Record::CloseIntent(intent()),
        11 => Record::CloseRecord {
            intent: intent(),
            result: "done",
            decision_price: Some(exact("61837.60")),
            children: vec![
                ChildRecord {
                    approval: index,
                    quantity: exact("1"),
                    limit_price: exact("2.0"),
                    filled: exact("0.5"),
                },
                ChildRecord {
                    approval: index + 1,
                    quantity: exact("3"),
                    limit_price: exact("4"),
                    filled: Decimal::ZERO,
                },
            ],
            closed: exact("1.50"),
            average_price: maybe("61000.50"),
            slippage_cost: Some(exact("-0.3")),
            slippage_bps: maybe("-1.5"),
            position: Decimal::ZERO,
            duration_ns: index,
        },
        12 => Record::LevelChanged {
            scope: "portfolio".to_owned(),
            from: "armed",
            to: "halt",
            cause: "AT-02",
            by: "AT-02".to_owned(),
            reason: format!("loss {index}"),
        },
        13 => Record::Started {
            version: "0".to_owned(),
            config_hash: "ab".to_owned(),
            epoch_secs: 1,
        },
        _ => Record::Stopped {
            reason: format!("{index}"),
        },
    }
}

/// Records of edges: four kinds, each with and without what may be absent.
pub(crate) fn edge_sample(index: u64) -> Record {
    let odd = (index / 4) % 2 == 1;
    let maybe = |text: &str| odd.then(|| exact(text));
    match index % 4 {
        0 => Record::Opportunity(Box::new(opportunity(odd))),
        1 => Record::Routes {
            since: 1_700_000_000_000_000_000,
            rows: vec![RouteRow {
                strategy: "btc".to_owned(),
                route: "buy spot_a BTC/USDT, sell spot_b BTC/USDT".to_owned(),
                asked_bps: Some(exact("5")),
                best_bps: maybe("3.1"),
                looks: index,
                opened: 2,
                closed: 2,
                taken: 1,
                approved: 1,
                reasons: vec![ReasonRow {
                    reason: "inventory",
                    looks: 3,
                    episodes: 1,
                    value: Some(exact("0.1")),
                    limit: Some(exact("0.2")),
                    worst: Some(exact("0.05")),
                    is_floor: true,
                    unit: "base",
                }],
                lifetimes: vec![[1_007, 2]],
                probes: vec![[100_000, 2, 1]],
                own: vec![OwnProbe {
                    what: "p50",
                    delay_ns: 5,
                    looked: 2,
                    there: 1,
                }],
            }],
            sampled_out: 1,
            dropped: 0,
        },
        2 => Record::Looks {
            rows: vec![LookRow {
                strategy: "btc".to_owned(),
                outcome: "stale_book",
                count: index,
            }],
        },
        _ => Record::Attribution(AttributionRecord {
            set: index,
            strategy: "btc".to_owned(),
            asset: "USDT".to_owned(),
            signal: exact("1.00000001"),
            decay: exact("-0.1"),
            slippage: exact("0"),
            hedge: exact("-0.2"),
            fees: exact("-0.3"),
            net: exact("0.40000001"),
            residual: exact("0"),
            fills: 2,
            has_decay: odd,
        }),
    }
}

fn opportunity(odd: bool) -> OpportunityRecord {
    let maybe = |text: &str| odd.then(|| exact(text));
    let leg = LegRow {
        venue: "spot_a".to_owned(),
        symbol: "BTC/USDT".to_owned(),
        side: "buy",
        price: exact("61837.60"),
        quantity: exact("0.5"),
        age_ns: 1_000,
        trust: "trusted",
    };
    OpportunityRecord {
        strategy: "btc".to_owned(),
        route: "buy spot_a BTC/USDT, sell spot_b BTC/USDT".to_owned(),
        opened: 1_700_000_000_000_000_000,
        closed: odd.then_some(1_700_000_000_000_000_100),
        end: odd.then_some("below_threshold"),
        lifetime_ns: odd.then_some(100),
        net_bps: exact("5.1"),
        gross_bps: exact("25.1"),
        fees_bps: exact("20"),
        peak_net_bps: exact("6"),
        peak_gross_bps: exact("26"),
        last_net_bps: exact("5"),
        last_gross_bps: exact("25"),
        looks: 3,
        taken: 1,
        refused: 2,
        reason: odd.then_some("ORDER_NOTIONAL_MAX"),
        value: maybe("10000.02"),
        limit: maybe("10000"),
        unit: odd.then_some("quote"),
        approval: odd.then_some(7),
        after_10ms_bps: maybe("4"),
        after_50ms_bps: maybe("-1.5"),
        after_250ms_bps: maybe("-20"),
        legs: vec![leg.clone()],
        legs_later: vec![leg],
    }
}

/// Appends a record and waits until it is on disk.
pub(crate) fn append(journal: &Journal, record: Record) {
    let (sender, receiver) = mpsc::channel();
    journal
        .append_durable(record, move |durable| sender.send(durable).unwrap())
        .unwrap();
    assert!(receiver.recv().unwrap());
}

/// Appends samples in groups that fit the queue; answers when all are on disk.
pub(crate) fn fill(journal: &Journal, numbers: std::ops::Range<u64>) {
    let last = numbers.end - 1;
    for index in numbers {
        if index == last || index % 500 == 0 {
            append(journal, sample(index));
        } else {
            journal.append(sample(index)).unwrap();
        }
    }
}

/// Looks until something is true.
pub(crate) fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let (_keep, never) = mpsc::channel::<()>();
    for _ in 0..6_000 {
        if is_so() {
            return;
        }
        assert_eq!(
            never.recv_timeout(Duration::from_millis(10)),
            Err(mpsc::RecvTimeoutError::Timeout)
        );
    }
    panic!("never: {what}");
}
