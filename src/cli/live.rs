//! The loop around a running engine: samples, status line, signals, the end. Shared by `demo` and `run`.

use std::io::IsTerminal;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::actors::reload::LimitsWatch;
use crate::actors::system::Engine;
use crate::config::reload::LimitsSource;
use crate::dashboard::{self, Bounds, Door, Keyring};
use crate::engine::Summary;
use crate::journal::Names;
use crate::journal::fills_csv::FillsCsv;
use crate::market::Catalogue;
use crate::telemetry::EngineSnapshot;
use crate::trade::Fill;
use crate::units::Nanos;

use super::risk::token::write_private;
use super::{CliError, print_json, print_note, print_text};

/// How the loop ends and what it shows.
#[derive(Debug, Clone, Default)]
pub(super) struct LiveOptions {
    pub(super) mode: &'static str,
    pub(super) span: Option<Nanos>,
    pub(super) fills: Option<std::path::PathBuf>,
    pub(super) address: Option<SocketAddr>,
    pub(super) quiet: bool,
    /// Who may steer; none reads only.
    pub(super) keyring: Option<Keyring>,
    /// Where limits are read again, and watched.
    pub(super) config_dir: Option<PathBuf>,
    /// Where the demo leaves its address for the command line.
    pub(super) url_file: Option<PathBuf>,
}

/// Watches the limits of the configuration's directory, if there is one, until the answer is dropped.
fn watch_limits(engine: &Engine, options: &LiveOptions) -> Result<Option<LimitsWatch>, CliError> {
    let Some(directory) = &options.config_dir else {
        return Ok(None);
    };
    let source =
        LimitsSource::new(directory).map_err(|error| CliError::usage(error.to_string()))?;
    let watch = engine.watch_limits(source).map_err(|error| {
        CliError::failed(format!(
            "{} cannot be watched: {error}",
            directory.display()
        ))
    })?;
    Ok(Some(watch))
}

/// Runs until the span is over, a signal comes, or `ended` says so. Then stops the engine and returns its summary.
pub(super) async fn run(
    engine: Engine,
    options: &LiveOptions,
    mut ended: impl FnMut() -> Option<&'static str>,
) -> Result<(Summary, Vec<Fill>), CliError> {
    let page = match options.address {
        Some(address) => Some(serve_page(address, &engine, options)?),
        None => None,
    };
    let _limits = watch_limits(&engine, options)?;
    let mut terminate =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())
            .map_err(|error| CliError::failed(format!("signals cannot be heard: {error}")))?;
    let mut interrupt =
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())
            .map_err(|error| CliError::failed(format!("signals cannot be heard: {error}")))?;
    let mut second = tokio::time::interval(Duration::from_secs(1));
    second.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    let mut look = tokio::time::interval(Duration::from_millis(50));
    let deadline = options
        .span
        .map(|span| Box::pin(tokio::time::sleep(span.as_duration())));
    let mut deadline = std::pin::pin!(async move {
        match deadline {
            Some(sleep) => sleep.await,
            None => std::future::pending().await,
        }
    });
    let why = loop {
        tokio::select! {
            biased;
            _ = terminate.recv() => break "SIGTERM",
            _ = interrupt.recv() => break "Ctrl-C",
            () = &mut deadline => break "time",
            _ = look.tick() => {
                if let Some(why) = ended() {
                    break why;
                }
            }
            _ = second.tick() => {
                if !engine.sample().await {
                    break "failure";
                }
                if !options.quiet {
                    status_line(&engine.hub().snapshot());
                }
            }
        }
    };
    if !options.quiet && std::io::stderr().is_terminal() {
        print_note("");
    }
    if !options.quiet {
        print_note(&format!(
            "stopping ({why}): no new sets, cancelling open orders"
        ));
    }
    let catalogue = std::sync::Arc::clone(engine.catalogue());
    let board = engine.board();
    let summary = engine.stop(options.mode, why).await;
    if let Some(page) = page {
        page.stop();
    }
    let summary =
        summary.ok_or_else(|| CliError::failed("a seat had already stopped: no summary"))?;
    let fills = std::mem::take(&mut board.read().fills);
    if let Some(path) = &options.fills {
        write_fills(path, &catalogue, &fills)?;
    }
    Ok((summary, fills))
}

/// The page and `/metrics`; says where unless asked to be quiet.
fn serve_page(
    address: SocketAddr,
    engine: &Engine,
    options: &LiveOptions,
) -> Result<dashboard::Handle, CliError> {
    let door = Door {
        control: engine.control(options.config_dir.clone()),
        keyring: options.keyring.clone(),
        bounds: Bounds::default(),
    };
    let page = dashboard::serve(address, engine.hub(), Some(door))
        .map_err(|error| CliError::failed(error.to_string()))?;
    if let Some(file) = &options.url_file {
        write_private(file, &format!("http://{}\n", page.address))?;
    }
    if !options.quiet {
        print_note(&format!(
            "page http://{0}/   metrics http://{0}/metrics",
            page.address
        ));
        print_note(&steering(options, &page));
    }
    Ok(page)
}

/// How a person steers this engine from a second terminal.
fn steering(options: &LiveOptions, page: &dashboard::Handle) -> String {
    let program = std::env::args().next().unwrap_or_default();
    match (&options.keyring, &options.url_file) {
        (None, _) => {
            "steering is off: [control] tokens_file in engine.toml turns it on (docs/CONTROL.md)"
                .to_owned()
        }
        (Some(_), Some(_)) => {
            format!(
                "steer it from a second terminal: {program} risk halt --reason test   ({program} risk --help)"
            )
        }
        (Some(keyring), None) => format!(
            "steering is on for {} people: {program} risk --url http://{} --token-file FILE status",
            keyring.lines().len(),
            page.address
        ),
    }
}

/// One line a second; on a terminal it replaces the last one.
fn status_line(snapshot: &EngineSnapshot) {
    let totals = &snapshot.totals;
    let trusted = snapshot
        .instruments
        .iter()
        .filter(|one| one.trust == "trusted")
        .count();
    let ticks = snapshot
        .latency
        .get("tick_to_order")
        .copied()
        .unwrap_or_default();
    let line = format!(
        "{:>5} s  {:<11} books {trusted}/{}  frames {}  sets {} ({} hedged, {} broken)  fills {}  pnl {} + {}  tick-to-order p50 {} p99 {}",
        snapshot.uptime_ms.div_euclid(1_000),
        snapshot.state.label(),
        snapshot.instruments.len(),
        totals.frames_received,
        totals.sets_opened,
        totals.sets_hedged,
        totals.sets_broken,
        totals.fills,
        totals.realized_pnl.round_dp(2),
        totals
            .unrealized_pnl
            .map_or_else(|| "?".to_owned(), |pnl| pnl.round_dp(2).to_string()),
        crate::engine::summary::span_text(ticks.p50_ns),
        crate::engine::summary::span_text(ticks.p99_ns),
    );
    super::print_status(&line);
}

/// Prints the summary as asked for.
pub(super) fn report(summary: &Summary, json: bool) -> Result<(), CliError> {
    if json {
        print_json(summary)
    } else {
        print_text(&summary.text());
        Ok(())
    }
}

/// Writes fills as CSV that `arbalest ledger` reads.
pub(super) fn write_fills(
    path: &Path,
    catalogue: &Catalogue,
    fills: &[Fill],
) -> Result<(), CliError> {
    let names = Names {
        catalogue,
        strategies: &[],
    };
    let written = std::fs::File::create(path).and_then(|file| {
        let mut csv = FillsCsv::new(std::io::BufWriter::new(file))?;
        for fill in fills {
            csv.write(fill, names)?;
        }
        csv.finish()
    });
    written.map(drop).map_err(|error| {
        CliError::failed(format!(
            "fills could not be written to {}: {error}",
            path.display()
        ))
    })
}
