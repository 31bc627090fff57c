//! `arbalest run`: the engine against the venues of a configuration.

use std::path::PathBuf;

use crate::actors::system::{self, RunOptions};
use crate::config::EngineMode;
use crate::dashboard::Keyring;
use crate::units::Nanos;

use super::live::{self, LiveOptions};
use super::options::{parse_span, settings, start_log};
use super::venues::{self, Fleet};
use super::{CliError, print_note};

/// Run the engine against the venues of a configuration. Simulated ones are started, others are connected to.
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Examples:\n  arbalest run --config config\n  arbalest run --config config --for 1h --json\n\n\
                  Live trading needs mode = \"live\" in engine.toml, keys, and --live here.\n\n\
                  Exit codes: 0 done, 1 failed while running, 2 wrong configuration."
)]
pub struct RunArgs {
    /// Configuration directory
    #[arg(long, value_name = "DIR")]
    pub config: PathBuf,
    /// End by itself after this long (30s, 10m); otherwise on Ctrl-C or SIGTERM
    #[arg(long = "for", value_name = "SPAN", value_parser = parse_span)]
    pub span: Option<Nanos>,
    /// Seed of simulated venues and of every jitter
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Arm live trading: real orders
    #[arg(long)]
    pub live: bool,
    /// Write all executions as CSV to this file at the end
    #[arg(long, value_name = "FILE")]
    pub fills: Option<PathBuf>,
    /// Print one JSON object on standard output at the end
    #[arg(long)]
    pub json: bool,
}

/// Runs the command.
///
/// # Errors
/// Exit code 2 when the configuration is wrong or live trading is not armed, 1 when something fails while running.
pub fn run(args: &RunArgs) -> Result<(), CliError> {
    start_log();
    let mut settings = settings(Some(&args.config), false)?;
    let real: Vec<&str> = settings
        .venues()
        .iter()
        .filter(|venue| !venue.simulated)
        .map(|venue| venue.id.as_str())
        .collect();
    match (settings.engine.mode, args.live) {
        (EngineMode::Live, false) => {
            return Err(CliError::usage(
                "engine.toml says mode = \"live\": real orders need the flag --live as well",
            ));
        }
        (EngineMode::Observe | EngineMode::Paper, true) => {
            return Err(CliError::usage(
                "--live needs mode = \"live\" in engine.toml",
            ));
        }
        (EngineMode::Observe | EngineMode::Paper, false) if !real.is_empty() => {
            return Err(CliError::usage(format!(
                "mode is {}, but {} would take real orders: set simulated = true there, or mode = \"live\" with --live",
                settings.engine.mode.label(),
                real.join(", ")
            )));
        }
        (EngineMode::Live, true) | (EngineMode::Observe | EngineMode::Paper, false) => {}
    }
    let keyring = settings
        .engine
        .tokens_file
        .as_deref()
        .map(Keyring::load)
        .transpose()
        .map_err(|error| CliError::usage(error.to_string()))?;
    let credentials = venues::credentials(&settings)?;
    let fleet = Fleet::modelled(&settings, args.seed)?;
    fleet.address(&mut settings);
    let options = LiveOptions {
        mode: "run",
        span: args.span,
        fills: args.fills.clone(),
        address: Some(settings.engine.metrics_address),
        quiet: false,
        keyring,
        config_dir: Some(args.config.clone()),
        url_file: None,
    };
    print_note(&format!(
        "run: mode {}, configuration {}",
        settings.engine.mode.label(),
        settings.hash
    ));
    let summary = actix::System::new().block_on(async {
        let run = RunOptions {
            alerts: super::alert::targets(&settings.engine.alerts)?,
            store: super::store::place(&settings.engine, &settings.engine.data_dir)?,
            ..venues::run_options(args.seed, &settings, Vec::new())
        };
        let engine = system::start(&settings, &credentials, &run)
            .await
            .map_err(|error| CliError::failed(error.to_string()))?;
        print_note(&engine.recovery_text());
        live::run(engine, &options, || None).await
    })?;
    fleet.stop();
    live::report(&summary.0, args.json)
}
