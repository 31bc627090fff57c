//! `arbalest why`: why the engine has or has not traded, in plain words, from its journal.

pub mod gather;
mod text;
mod words;

use std::path::{Path, PathBuf};

use crate::journal::{Cursor, JournalError, first_seq};
use crate::units::Nanos;

use super::options::{parse_span, settings};
use super::{CliError, print_json, print_text};
use gather::{Found, Gathering, Selection};

/// Why the engine has or has not traded.
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Examples:\n  arbalest why                              the last session of ./var\n  \
                  arbalest why --since 1h --strategy btc    its last hour, one strategy\n  \
                  arbalest why --route spot_a --json        routes that name spot_a, for machines\n  \
                  arbalest why --data-dir backup/var        a copy of a data directory\n\n\
                  Reads the journal only: works while the engine runs and after it stopped. docs/WHY.md explains each figure.\n\n\
                  Exit codes: 0 done, 1 the journal cannot be read, 2 wrong usage or configuration."
)]
pub struct WhyArgs {
    /// Configuration directory whose data directory is meant; without any option the built-in one (`var`)
    #[arg(long, value_name = "DIR", conflicts_with = "data_dir")]
    config: Option<PathBuf>,
    /// Data directory with the journal
    #[arg(long, value_name = "DIR")]
    data_dir: Option<PathBuf>,
    /// Only this strategy
    #[arg(long, value_name = "ID")]
    strategy: Option<String>,
    /// Only routes whose text contains this
    #[arg(long, value_name = "TEXT")]
    route: Option<String>,
    /// Only the last span of the journal (15m, 1h, 24h); without it everything since the last start
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    since: Option<Nanos>,
    /// Print one JSON object on standard output
    #[arg(long)]
    json: bool,
}

/// Runs the command.
///
/// # Errors
/// Exit code 1 when the journal cannot be read, 2 for wrong usage or a strategy or route that the journal does not name.
pub fn run(args: &WhyArgs) -> Result<(), CliError> {
    let directory = match &args.data_dir {
        Some(directory) => directory.clone(),
        None => settings(args.config.as_deref(), false)?.engine.data_dir,
    };
    let selection = Selection {
        strategy: args.strategy.clone(),
        route: args.route.clone(),
        since: args.since,
    };
    let found = read(&directory, &selection)?;
    if args.json {
        print_json(&found)
    } else {
        print_text(&found.text());
        Ok(())
    }
}

fn read(directory: &Path, selection: &Selection) -> Result<Found, CliError> {
    let wrong = |error: JournalError| CliError::failed(format!("the journal: {error}"));
    if !directory.is_dir() {
        return Err(CliError::usage(format!(
            "{}: no such directory; --data-dir names the one that holds the journal",
            directory.display()
        )));
    }
    let mut cursor = Cursor::new(directory, first_seq(directory).map_err(wrong)?);
    let mut gathering = Gathering::default();
    while let Some(line) = cursor.next().map_err(wrong)? {
        gathering.add(line.time_ns, &line.text);
    }
    if gathering.is_empty() {
        return Err(CliError::usage(format!(
            "{}: there is no journal, or no session in it",
            directory.display()
        )));
    }
    gathering
        .found(selection)
        .map_err(|message| CliError::usage(format!("{}: {message}", directory.display())))
}
