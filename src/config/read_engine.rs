//! Reads `engine.toml`.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::priority::Priorities;
use crate::units::{Asset, Nanos};

use super::document::{Document, Report};
use super::read_recovery;
use super::schema;
use super::settings::{EngineMode, EngineSettings, Layout, Wait};
use super::table::Table;

/// The process settings; `None` when something is wrong (then reported). An empty document means all defaults.
pub fn read(document: &Document, report: &mut Report) -> Option<EngineSettings> {
    let entries = document.parse(report);
    let table = Table::top(&schema::ENGINE, document, &entries, report);
    let mode = table.choice("mode", report);
    let reporting_currency = read_asset(&table, "reporting_currency", report);
    let node = table
        .count("node", report)
        .and_then(|node| u16::try_from(node).ok());
    let data_dir = table.text("data_dir", report).map(PathBuf::from);
    let signal = table.table("signal", &schema::SIGNAL, report);
    let metrics = table.table("metrics", &schema::METRICS, report);
    let recovery = read_recovery::recovery(&table, report);
    let dead_man = read_recovery::dead_man(&table, report);
    let watchdog = read_recovery::watchdog(&table, report);
    let threads = read_threads(&table, report);
    let store = table.table("store", &schema::STORE, report);
    let control = table.table("control", &schema::CONTROL, report);
    let (wait, layout, pin_core) = signal.map(|signal| read_signal(&signal, report))?;
    let metrics_address = metrics.and_then(|metrics| read_address(&metrics, report));
    let store = store.and_then(|store| super::read_store::read(&store, report));
    let alerts = super::read_alert::read(&table, report);
    Some(EngineSettings {
        mode: EngineMode::parse(mode?),
        reporting_currency: reporting_currency?,
        node: node?,
        data_dir: data_dir?,
        wait: wait?,
        layout: layout?,
        pin_core,
        metrics_address: metrics_address?,
        tokens_file: control
            .and_then(|control| control.text("tokens_file", report).map(PathBuf::from)),
        recovery: recovery?,
        dead_man: dead_man?,
        watchdog: watchdog?,
        threads: threads?,
        store: store?,
        alerts: alerts?,
    })
}

fn read_signal(
    signal: &Table<'_>,
    report: &mut Report,
) -> (Option<Wait>, Option<Layout>, Option<usize>) {
    let spin = signal
        .nanos("spin_us", report)
        .unwrap_or(Nanos::from_micros(50));
    let wait = signal.choice("wait", report).map(|word| match word {
        "spin" => Wait::Spin,
        "park" => Wait::Park,
        _ => Wait::SpinThenPark(spin),
    });
    let layout = signal.choice("layout", report).map(|word| {
        if word == "fused" {
            Layout::Fused
        } else {
            Layout::Seats
        }
    });
    let pin_core = signal
        .count("pin_core", report)
        .and_then(|core| usize::try_from(core).ok());
    (wait, layout, pin_core)
}

fn read_threads(top: &Table<'_>, report: &mut Report) -> Option<Priorities> {
    let table = top.table("threads", &schema::THREADS, report)?;
    let mut steps = |key| {
        let count = table.count(key, report)?;
        u8::try_from(count).ok()
    };
    let (web, journal, store) = (
        steps("web_nice"),
        steps("journal_nice"),
        steps("store_nice"),
    );
    Some(Priorities {
        web: web?,
        journal: journal?,
        store: store?,
    })
}

fn read_address(metrics: &Table<'_>, report: &mut Report) -> Option<SocketAddr> {
    let text = metrics.text("address", report)?;
    let address: Option<SocketAddr> = text.parse().ok();
    match address {
        Some(address) if address.ip().is_loopback() => Some(address),
        Some(_) => {
            let rule = "must be a loopback address: the page has no login";
            metrics.wrong(
                "address",
                rule,
                "write \"127.0.0.1:9464\" and put a proxy in front",
                report,
            );
            None
        }
        None => {
            metrics.wrong(
                "address",
                "must be an address and a port",
                "write \"127.0.0.1:9464\"",
                report,
            );
            None
        }
    }
}

/// An asset code.
pub(super) fn read_asset(table: &Table<'_>, key: &str, report: &mut Report) -> Option<Asset> {
    let text = table.text(key, report)?;
    let asset = Asset::new(&text);
    if asset.is_none() {
        table.wrong(
            key,
            "must be an asset code of at most 15 letters or digits",
            "write \"USDT\"",
            report,
        );
    }
    asset
}
