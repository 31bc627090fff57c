//! `arbalest alert`: do the people outside hear us?

use std::path::PathBuf;

use crate::actors::alerts::{SinkTarget, send_once};
use crate::clock::{Clock, OsClock};
use crate::config::settings::{AlertSettings, KeySource};
use crate::engine::alerts::Note;
use crate::exchanges::secret::SecretSource;
use crate::risk::Severity;

use super::options::settings;
use super::{CliError, print_text};

/// Try the receivers of alerts.
#[derive(Debug, Clone, clap::Args)]
pub struct AlertArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Command {
    /// Send one test alert to every receiver of the configuration and say what each answered
    #[command(
        after_help = "Examples:\n  arbalest alert test --config config\n  arbalest alert test --config config --sink pager\n\n\
                      Exit codes: 0 all took it, 1 one did not (named), 2 wrong usage or configuration."
    )]
    Test(TestArgs),
}

#[derive(Debug, Clone, clap::Args)]
struct TestArgs {
    /// Configuration directory
    #[arg(long, value_name = "DIR")]
    config: PathBuf,
    /// Only this receiver
    #[arg(long, value_name = "NAME")]
    sink: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// Exit code 1 when a receiver did not take it, 2 when there is none or the configuration is wrong.
pub fn run(args: &AlertArgs) -> Result<(), CliError> {
    let Command::Test(args) = &args.command;
    let settings = settings(Some(&args.config), false)?;
    let wanted: Vec<AlertSettings> = settings
        .engine
        .alerts
        .into_iter()
        .filter(|sink| {
            args.sink
                .as_ref()
                .is_none_or(|name| *name == sink.terms.name)
        })
        .collect();
    if wanted.is_empty() {
        let which = args.sink.as_deref().unwrap_or("at all");
        return Err(CliError::usage(format!(
            "no alert receiver {which} in {}; write [[alert]] in engine.toml",
            args.config.display()
        )));
    }
    let targets = targets(&wanted)?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| CliError::failed(format!("no runtime: {error}")))?;
    let note = Note {
        at: OsClock::new().now_unix(),
        severity: Severity::Info,
        kind: "test".to_owned(),
        scope: "portfolio".to_owned(),
        raised: true,
        text: "this is a test; nothing happened".to_owned(),
    };
    let mut failed = Vec::new();
    for target in &targets {
        let name = &target.terms.name;
        match runtime.block_on(send_once(target, &note)) {
            Ok(()) => print_text(&format!("{name}: took it")),
            Err(error) => failed.push(format!("{name}: {error}")),
        }
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(CliError::failed(failed.join("\n")))
    }
}

/// Receivers with their addresses read.
pub(super) fn targets(sinks: &[AlertSettings]) -> Result<Vec<SinkTarget>, CliError> {
    let mut targets = Vec::with_capacity(sinks.len());
    for sink in sinks {
        let source = match &sink.url {
            KeySource::Env(name) => SecretSource::Env(name.clone()),
            KeySource::File(path) => SecretSource::File(path.clone()),
        };
        let url = source.read(false);
        let url = url.map_err(|error| {
            CliError::usage(format!("[[alert]] {}: address: {error}", sink.terms.name))
        })?;
        targets.push(SinkTarget {
            terms: sink.terms.clone(),
            url,
        });
    }
    Ok(targets)
}
