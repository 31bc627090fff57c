//! Arguments that several subcommands share: durations, speeds, configurations, logs.

use std::path::Path;

use crate::config::Settings;
use crate::config::load::Files;
use crate::units::Nanos;

use super::CliError;

/// Reads `30s`, `10m`, `2h`, `500ms`.
pub(super) fn parse_span(text: &str) -> Result<Nanos, String> {
    let cure = "write a whole number with a unit: 500ms, 30s, 10m or 2h";
    let split = text.find(|c: char| !c.is_ascii_digit()).ok_or(cure)?;
    let (number, unit) = text.split_at(split);
    let number: u64 = number.parse().map_err(|_error| cure)?;
    let unit = match unit {
        "ms" => Nanos::from_millis(1),
        "s" => Nanos::from_secs(1),
        "m" => Nanos::from_secs(60),
        "h" => Nanos::from_secs(3_600),
        _ => return Err(cure.to_owned()),
    };
    number
        .checked_mul(unit.0)
        .filter(|nanos| *nanos > 0)
        .map(Nanos)
        .ok_or_else(|| cure.to_owned())
}

/// How fast a recording is played.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Speed {
    /// With its own timing, this many times faster.
    Times(u32),
    /// As fast as it can be consumed.
    Max,
    /// With its own timing.
    #[default]
    Real,
}

/// Reads `1`, `50` or `max`.
pub(super) fn parse_speed(text: &str) -> Result<Speed, String> {
    match text {
        "max" => Ok(Speed::Max),
        "1" => Ok(Speed::Real),
        other => match other.parse::<u32>() {
            Ok(times) if (1..=10_000).contains(&times) => Ok(Speed::Times(times)),
            Ok(_) | Err(_) => Err("write 1, a whole number up to 10000, or max".to_owned()),
        },
    }
}

/// The configuration of a directory, or the built-in one.
pub(super) fn settings(directory: Option<&Path>, recorded: bool) -> Result<Settings, CliError> {
    let settings = match directory {
        Some(directory) => Settings::load(directory),
        None if recorded => Settings::from_files(&Files::recorded()),
        None => Settings::embedded(),
    };
    settings.map_err(|error| CliError::usage(error.to_string()))
}

/// Sends the library's diagnostics to standard error: warnings, and more with `ARBALEST_LOG=info|debug|trace`.
pub(super) fn start_log() {
    use tracing_subscriber::filter::LevelFilter;
    let level = match std::env::var("ARBALEST_LOG").as_deref() {
        Ok("trace") => LevelFilter::TRACE,
        Ok("debug") => LevelFilter::DEBUG,
        Ok("info") => LevelFilter::INFO,
        Ok("error") => LevelFilter::ERROR,
        Ok("off") => LevelFilter::OFF,
        _ => LevelFilter::WARN,
    };
    let built = tracing_subscriber::fmt()
        .with_writer(std::io::stderr)
        .with_max_level(level)
        .try_init();
    if built.is_err() {
        super::print_note("the log was already started");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_speeds() {
        assert_eq!(parse_span("30s"), Ok(Nanos::from_secs(30)));
        assert_eq!(parse_span("500ms"), Ok(Nanos::from_millis(500)));
        for text in ["", "30", "s", "0s", "-1s", "1.5s", "99999999999999999h"] {
            assert!(parse_span(text).is_err(), "{text}");
        }
        assert_eq!(parse_speed("1"), Ok(Speed::Real));
        assert_eq!(parse_speed("50"), Ok(Speed::Times(50)));
        assert_eq!(parse_speed("max"), Ok(Speed::Max));
        assert!(parse_speed("0").is_err() && parse_speed("fast").is_err());
    }
}
