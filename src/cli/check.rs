//! `arbalest check`: reads a configuration, lists every mistake, or prints every value as it was understood.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde::Serialize;

use crate::config::document::Echo;
use crate::config::{ConfigError, Mistake, Settings};

use super::{CliError, print_json, print_text};

/// Checks a configuration and prints it with units and defaults, or every mistake with file, line, rule and cure.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(
    after_help = "Examples:\n  arbalest check --config config\n  arbalest check --config config --json\n\n\
    Exit codes: 0 good, 2 mistakes (all of them are listed)."
)]
pub struct CheckArgs {
    /// Directory with venues.toml, limits.toml, strategies/*.toml and optionally engine.toml; without it the built-in default.
    #[arg(long, value_name = "DIR")]
    pub config: Option<PathBuf>,
    /// Print one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

/// What `--json` prints.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    ok: bool,
    config_hash: Option<&'a str>,
    mistakes: &'a [Mistake],
    settings: &'a [Echo],
}

/// Runs the command.
///
/// # Errors
/// Exit code 2 with all mistakes.
pub fn run(args: &CheckArgs) -> Result<(), CliError> {
    let settings = match load(args.config.as_deref()) {
        Ok(settings) => settings,
        Err(error) => {
            if args.json {
                print_json(&Answer {
                    ok: false,
                    config_hash: None,
                    mistakes: &error.mistakes,
                    settings: &[],
                })?;
            }
            return Err(CliError::usage(error.to_string()));
        }
    };
    if args.json {
        return print_json(&Answer {
            ok: true,
            config_hash: Some(&settings.hash),
            mistakes: &[],
            settings: &settings.echoes,
        });
    }
    print_text(&describe(&settings));
    Ok(())
}

/// The settings of a directory, or the default in this binary.
///
/// # Errors
/// Every mistake in every file.
pub fn load(directory: Option<&std::path::Path>) -> Result<Settings, ConfigError> {
    directory.map_or_else(Settings::embedded, Settings::load)
}

fn describe(settings: &Settings) -> String {
    let mut text = String::new();
    let mut file = "";
    for echo in &settings.echoes {
        if echo.file != file {
            file = &echo.file;
            line(&mut text, format_args!("# {file}"));
        }
        let note = if echo.is_default { "   (default)" } else { "" };
        line(
            &mut text,
            format_args!("{} = {}{note}", echo.key, echo.value),
        );
    }
    let instruments: usize = settings
        .venues
        .iter()
        .map(|venue| venue.symbols.len())
        .sum();
    line(
        &mut text,
        format_args!(
            "\nconfiguration is good: mode {}, {} venues, {instruments} instruments, {} strategies; hash {}",
            settings.engine.mode.label(),
            settings.venues.len(),
            settings.strategies.len(),
            settings.hash
        ),
    );
    text.truncate(text.trim_end().len());
    text
}

fn line(text: &mut String, line: std::fmt::Arguments<'_>) {
    let written = writeln!(text, "{line}");
    debug_assert!(written.is_ok(), "Invariant: writing to a string succeeds");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn describes_every_value_with_its_unit() {
        let text = describe(&load(None).unwrap());
        for part in [
            "min_net_edge_bps = 1.5 bps",
            "leg_timeout_ms = 500 ms   (default)",
            "configuration is good",
        ] {
            assert!(text.contains(part), "{part} not in\n{text}");
        }
    }

    #[test]
    fn mistakes_are_exit_code_two() {
        let args = CheckArgs {
            config: Some("/nonexistent".into()),
            json: false,
        };
        assert_eq!(run(&args).unwrap_err().code, 2);
    }
}
