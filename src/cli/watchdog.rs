//! `arbalest watchdog`: cancels and flattens when the engine is gone.

use std::path::PathBuf;

use crate::actors::watchdog::{HeartbeatAt, WatchdogOptions, watch};
use crate::engine::heartbeat::{HEARTBEAT_FILE, Verdict};

use super::options::{settings, start_log};
use super::venues::watchdog_credentials;
use super::{CliError, print_note};

/// Watch the engine's heartbeat from a process of its own; when it stops, cancel every order and close every position.
#[derive(Debug, Clone, clap::Args)]
#[command(after_help = "\
It uses its own keys ([venue.watchdog_keys] in venues.toml) and reads orders, positions and balances itself. It acts when no\n\
new heartbeat came for [watchdog] grace_ms, unless the engine stopped in order, and stands back when the engine beats again.\n\
Derivatives are closed reduce-only; of a spot account only what is above the engine's baseline is sold.\n\n\
Examples:\n  arbalest watchdog --config config\n  arbalest watchdog --config config --once\n  \
arbalest watchdog --config config --dry-run\n  \
arbalest watchdog --config config --heartbeat http://127.0.0.1:9464/healthz\n\n\
Exit codes: 0 ended by a signal, or --once and the engine is alive or stopped in order; 1 failed, or --once and the engine is\n\
gone or was never seen; 2 wrong configuration.")]
pub struct WatchdogArgs {
    /// Configuration directory: the engine's
    #[arg(long, value_name = "DIR")]
    pub config: PathBuf,
    /// The engine's heartbeat: a file, or an http:// address that answers 200 while it lives [default: heartbeat.json in data_dir]
    #[arg(long, value_name = "FILE|URL")]
    pub heartbeat: Option<String>,
    /// Look once at the heartbeat and at every venue, say what is there, and end
    #[arg(long)]
    pub once: bool,
    /// Say what would be done, and do nothing
    #[arg(long)]
    pub dry_run: bool,
}

/// Runs the command.
///
/// # Errors
/// Exit code 2 when the configuration is wrong, 1 when a venue cannot be reached or `--once` found no living engine.
pub fn run(args: &WatchdogArgs) -> Result<(), CliError> {
    start_log();
    let settings = settings(Some(&args.config), false)?;
    let credentials = watchdog_credentials(&settings)?;
    let heartbeat = match args.heartbeat.as_deref() {
        Some(url) if url.starts_with("http://") || url.starts_with("https://") => {
            HeartbeatAt::Url(url.to_owned())
        }
        Some(file) => HeartbeatAt::File(PathBuf::from(file)),
        None => HeartbeatAt::File(settings.engine.data_dir.join(HEARTBEAT_FILE)),
    };
    let options = WatchdogOptions {
        heartbeat,
        dry_run: args.dry_run,
        once: args.once,
    };
    print_note(&format!(
        "watchdog: {}, grace {} ms{}",
        match &options.heartbeat {
            HeartbeatAt::File(path) => path.display().to_string(),
            HeartbeatAt::Url(url) => url.clone(),
        },
        settings.engine.watchdog.grace.floor_millis(),
        if args.dry_run { ", dry run" } else { "" }
    ));
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::failed(format!("no runtime: {error}")))?;
    let verdict = runtime.block_on(async {
        let ended = async {
            let terminate =
                tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate());
            match terminate {
                Ok(mut terminate) => {
                    tokio::select! {
                        _ = terminate.recv() => {}
                        _ = tokio::signal::ctrl_c() => {}
                    }
                }
                Err(_no_handler) => {
                    if tokio::signal::ctrl_c().await.is_err() {
                        std::future::pending::<()>().await;
                    }
                }
            }
        };
        watch(&settings, &credentials, &options, print_note, ended)
            .await
            .map_err(|error| CliError::failed(error.to_string()))
    })?;
    match (args.once, verdict) {
        (true, Verdict::Gone(_)) => Err(CliError::failed("the engine is gone or stands still")),
        (true, Verdict::NeverSeen) => Err(CliError::failed("no heartbeat was found")),
        _ => Ok(()),
    }
}
