//! `arbalest simulate`: the whole engine and its venues in virtual time, as fast as the CPU allows.

use std::path::PathBuf;

use crate::clock::{Clock, OsClock};
use crate::sim::tape::ModelParams;
use crate::sim::world::{SimulateError, SimulateOptions, simulate};
use crate::units::Nanos;

use super::live::{report, write_fills};
use super::options::{parse_span, settings, start_log};
use super::{CliError, print_note};

/// Run the engine and the simulated venues in virtual time: same input and seed, same decisions to the last bit.
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Examples:\n  arbalest simulate --for 10m\n  arbalest simulate --seed 7 --for 1h --json --fills fills.csv\n  \
                  arbalest simulate --recording ../shared/data/recordings --json\n\n\
                  Latencies in the summary are of the simulated network; the engine's own work takes no virtual time.\n\n\
                  Exit codes: 0 done, 1 an invariant did not hold, 2 wrong configuration or recording."
)]
pub struct SimulateArgs {
    /// Seed of the market model and of every jitter
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Market time to run (30s, 10m, 2h); a recording ends earlier when it is shorter
    #[arg(long = "for", value_name = "SPAN", value_parser = parse_span, default_value = "10m")]
    pub span: Nanos,
    /// Play the recordings of this directory instead of the market model
    #[arg(long, value_name = "DIR")]
    pub recording: Option<PathBuf>,
    /// Configuration directory; without it the built-in one
    #[arg(long, value_name = "DIR")]
    pub config: Option<PathBuf>,
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
/// Exit code 2 when the configuration or recording is wrong, 1 when an invariant did not hold.
pub fn run(args: &SimulateArgs) -> Result<(), CliError> {
    start_log();
    let settings = settings(args.config.as_deref(), args.recording.is_some())?;
    let clock = OsClock::new();
    let began_at = clock.now();
    let options = SimulateOptions {
        seed: args.seed,
        span: args.span,
        recording: args.recording.as_deref(),
        model: ModelParams::demo(),
    };
    let mut done = simulate(&settings, &options).map_err(|error| match error {
        SimulateError::Recording(_)
        | SimulateError::Directory { .. }
        | SimulateError::NothingToPlay { .. }
        | SimulateError::Assemble(_)
        | SimulateError::Unknown { .. }
        | SimulateError::Rules { .. } => CliError::usage(error.to_string()),
        SimulateError::Secret(_) | SimulateError::World(_) => CliError::failed(error.to_string()),
    })?;
    let spent = clock.now().since(began_at);
    done.summary.wall_ms = spent.floor_millis();
    if let Some(path) = &args.fills {
        write_fills(path, &done.catalogue, &done.fills)?;
    }
    let speed = done
        .summary
        .seconds
        .saturating_mul(1_000)
        .div_euclid(done.summary.wall_ms.max(1));
    print_note(&format!(
        "{} s of market in {} ms: {speed} times real time, {} market events",
        done.summary.seconds, done.summary.wall_ms, done.market_events
    ));
    report(&done.summary, args.json)?;
    if done.violations.is_empty() {
        return Ok(());
    }
    let rows: Vec<String> = done
        .violations
        .iter()
        .map(|violation| format!("\n  {}: {}", violation.invariant, violation.text))
        .collect();
    Err(CliError::failed(format!(
        "{} invariants did not hold:{}",
        done.violations.len(),
        rows.concat()
    )))
}
