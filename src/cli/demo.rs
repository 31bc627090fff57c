//! `arbalest demo`: simulated venues on loopback sockets, the engine against them, a page and metrics. Needs no file.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use crate::actors::feed::FullRing;
use crate::actors::system::{self, RunOptions};
use crate::config::Settings;
use crate::dashboard::Keyring;
use crate::exchanges::secret::Credentials;
use crate::units::Nanos;

use super::live::{self, LiveOptions};
use super::options::{Speed, parse_span, parse_speed, settings, start_log};
use super::risk::token;
use super::venues::{self, Fleet};
use super::{CliError, print_note};

/// Start simulated venues and the engine against them, in paper mode.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(
    after_help = "Examples:\n  arbalest demo --for 30s\n  arbalest demo --seed 7 --for 1m --json --fills fills.csv\n  \
                  arbalest demo --recording ../shared/data/recordings --speed max --json\n\n\
                  Exit codes: 0 done, 1 failed while running, 2 wrong configuration or recording."
)]
pub struct DemoArgs {
    /// End by itself after this long (30s, 10m); otherwise on Ctrl-C, or when a recording ends
    #[arg(long = "for", value_name = "SPAN", value_parser = parse_span)]
    pub span: Option<Nanos>,
    /// Seed of the market model and of every jitter
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Play the recordings of this directory instead of the market model
    #[arg(long, value_name = "DIR")]
    pub recording: Option<PathBuf>,
    /// Speed of a recording: 1, a whole number, or max (as fast as it can be consumed)
    #[arg(long, default_value = "1", value_parser = parse_speed)]
    pub speed: Speed,
    /// Configuration directory; without it the built-in one
    #[arg(long, value_name = "DIR")]
    pub config: Option<PathBuf>,
    /// Where the page and the metrics listen (port 0: any free one); default from the configuration
    #[arg(long, value_name = "ADDRESS")]
    pub listen: Option<SocketAddr>,
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
/// Exit code 2 when the configuration or recording is wrong, 1 when something fails while running.
pub fn run(args: &DemoArgs) -> Result<(), CliError> {
    start_log();
    let mut settings = settings(args.config.as_deref(), args.recording.is_some())?;
    if let Some(venue) = settings.venues().iter().find(|venue| !venue.simulated) {
        return Err(CliError::usage(format!(
            "venue {} is not simulated: the demo starts its venues itself; use 'arbalest run', or set simulated = true",
            venue.id
        )));
    }
    let fleet = match &args.recording {
        Some(directory) => Fleet::recorded(&settings, directory, args.speed, args.seed)?,
        None => Fleet::modelled(&settings, args.seed)?,
    };
    fleet.address(&mut settings);
    let credentials = venues::credentials(&settings)?;
    let full_ring = if args.speed == Speed::Max {
        FullRing::Backpressure
    } else {
        FullRing::Gap
    };
    let folder = DemoFolder(token::demo_folder()?);
    let tokens = match &settings.engine.tokens_file {
        Some(path) => path.clone(),
        None => token::demo_tokens(&folder.0)?,
    };
    let keyring = Keyring::load(&tokens).map_err(|error| CliError::usage(error.to_string()))?;
    let options = LiveOptions {
        mode: "demo",
        span: args.span,
        fills: args.fills.clone(),
        address: Some(args.listen.unwrap_or(settings.engine.metrics_address)),
        quiet: false,
        keyring: Some(keyring),
        config_dir: args.config.clone(),
        url_file: settings
            .engine
            .tokens_file
            .is_none()
            .then(|| folder.0.join("url")),
    };
    print_note(&format!(
        "demo: {} simulated venues ({}), seed {}, paper mode",
        settings.venues().len(),
        settings
            .venues()
            .iter()
            .map(|venue| venue.id.as_str())
            .collect::<Vec<_>>()
            .join(", "),
        args.seed
    ));
    let summary = actix::System::new().block_on(engine(
        &settings,
        &credentials,
        args,
        full_ring,
        &fleet,
        &options,
        &folder.0,
    ))?;
    fleet.stop();
    live::report(&summary, args.json)
}

/// The demo's own folder: tokens, address, and the journal without a configuration. Gone when the demo ends.
struct DemoFolder(PathBuf);

impl Drop for DemoFolder {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_dir_all(&self.0) {
            tracing::warn!("{} could not be removed: {error}", self.0.display());
        }
    }
}

async fn engine(
    settings: &Settings,
    credentials: &[Option<Credentials>],
    args: &DemoArgs,
    full_ring: FullRing,
    fleet: &Fleet,
    options: &LiveOptions,
    folder: &Path,
) -> Result<crate::engine::Summary, CliError> {
    // Without a configuration of the user's own nothing is left behind.
    let journal_dir = match &args.config {
        Some(_) => settings.engine.data_dir.clone(),
        None => folder.join("journal"),
    };
    let run = RunOptions {
        full_ring,
        alerts: super::alert::targets(&settings.engine.alerts)?,
        store: super::store::place(&settings.engine, &journal_dir)?,
        journal_dir: Some(journal_dir),
        ..venues::run_options(args.seed, settings, fleet.depth_speeds.clone())
    };
    let engine = system::start(settings, credentials, &run)
        .await
        .map_err(|error| CliError::failed(error.to_string()))?;
    let (summary, _) = live::run(engine, options, || {
        fleet.is_done().then_some("recording_end")
    })
    .await?;
    Ok(summary)
}
