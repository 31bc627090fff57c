//! `arbalest audit`: is the record of what happened whole, and what does it say?

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::clock::{Clock, OsClock};
use crate::exchanges::secret::SecretSource;
use crate::store::verify::{self, ChainFound, JournalFound};
use crate::store::{AuditRow, Place};
use crate::units::Nanos;

use super::options::{parse_span, settings};
use super::{CliError, print_json, print_text};

/// Rows asked at once.
const PAGE_ROWS: i64 = 2_000;

/// Verify and show the record of what happened.
#[derive(Debug, Clone, clap::Args)]
pub struct AuditArgs {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Command {
    /// Check every journal record and every row of the audit chain; name the first that is not what was written
    #[command(
        after_help = "Examples:\n  arbalest audit verify --config config\n  arbalest audit verify --db backup/arbalest.db\n  \
                      arbalest audit verify --db var/arbalest.db --journal var --head 6f1c..\n  \
                      arbalest audit verify --url-env ARBALEST_DB_URL --schema arbalest\n  arbalest audit verify --journal var\n\n\
                      Keep the head that it prints somewhere else: whoever can rewrite everything can also make a new chain.\n\n\
                      Exit codes: 0 whole, 1 something is wrong (named), 2 wrong usage or configuration."
    )]
    Verify(VerifyArgs),
    /// Print audit rows: control actions, kill levels, alerts, forced closes, configurations, starts and stops
    #[command(
        after_help = "Examples:\n  arbalest audit show --config config --since 1h\n  \
                      arbalest audit show --db var/arbalest.db --kind level_changed,control_action\n\n\
                      Exit codes: 0 done, 1 the database cannot be read, 2 wrong usage or configuration."
    )]
    Show(ShowArgs),
}

/// Which database and journal.
#[derive(Debug, Clone, Default, clap::Args)]
struct Source {
    /// Configuration directory whose database and journal are meant; without any option the built-in one (`var`)
    #[arg(long, value_name = "DIR")]
    config: Option<PathBuf>,
    /// A `SQLite` file
    #[arg(long, value_name = "FILE", conflicts_with_all = ["url_env", "config"])]
    db: Option<PathBuf>,
    /// Environment variable with the address of a `PostgreSQL` server
    #[arg(long, value_name = "VARIABLE", conflicts_with = "config")]
    url_env: Option<String>,
    /// Schema on that server
    #[arg(long, value_name = "NAME", default_value = "arbalest")]
    schema: String,
}

#[derive(Debug, Clone, clap::Args)]
struct VerifyArgs {
    #[command(flatten)]
    source: Source,
    /// Directory of a journal: checked, and compared with the database
    #[arg(long, value_name = "DIR")]
    journal: Option<PathBuf>,
    /// A head that was printed before: some row must have this hash
    #[arg(long, value_name = "HASH")]
    head: Option<String>,
    /// Print one JSON object on standard output
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, clap::Args)]
struct ShowArgs {
    #[command(flatten)]
    source: Source,
    /// Only the last span (15m, 1h, 24h)
    #[arg(long, value_name = "SPAN", value_parser = parse_span)]
    since: Option<Nanos>,
    /// Only these kinds, separated by commas
    #[arg(long, value_name = "KINDS", value_delimiter = ',')]
    kind: Vec<String>,
    /// Print the records as JSON lines
    #[arg(long)]
    json: bool,
}

/// What `--json` prints.
#[derive(Debug, Default, Serialize)]
struct Answer {
    ok: bool,
    journal: Option<JournalFound>,
    database: Option<ChainFound>,
    broken: Option<String>,
}

/// Runs the command.
///
/// # Errors
/// Exit code 1 when something is wrong with what was recorded, 2 for wrong usage.
pub fn run(args: &AuditArgs) -> Result<(), CliError> {
    match &args.command {
        Command::Verify(args) => run_verify(args),
        Command::Show(args) => run_show(args),
    }
}

/// The database, and the journal that belongs to it where that is known.
fn resolve(source: &Source) -> Result<(Option<Place>, Option<PathBuf>), CliError> {
    if let Some(path) = &source.db {
        return Ok((Some(Place::Sqlite(path.clone())), None));
    }
    if let Some(name) = &source.url_env {
        let url = SecretSource::Env(name.clone());
        return Ok((Some(super::store::server(&url, &source.schema)?), None));
    }
    let settings = settings(source.config.as_deref(), false)?;
    let directory = settings.engine.data_dir.clone();
    let place = super::store::place(&settings.engine, &directory)?;
    Ok((place, Some(directory)))
}

fn run_verify(args: &VerifyArgs) -> Result<(), CliError> {
    let source = &args.source;
    let only_journal = args.journal.is_some()
        && source.db.is_none()
        && source.url_env.is_none()
        && source.config.is_none();
    let (place, own_journal) = if only_journal {
        (None, None)
    } else {
        resolve(source)?
    };
    let journal = args.journal.clone().or(own_journal);
    let mut answer = Answer::default();
    let checked = check(args, place.as_ref(), journal.as_deref(), &mut answer);
    answer.ok = checked.is_ok();
    answer.broken = checked.as_ref().err().cloned();
    if args.json {
        print_json(&answer)?;
    } else {
        print_found(&answer, place.as_ref(), journal.as_deref());
    }
    checked.map_err(|broken| CliError::failed(format!("BROKEN: {broken}")))
}

fn check(
    args: &VerifyArgs,
    place: Option<&Place>,
    journal: Option<&Path>,
    answer: &mut Answer,
) -> Result<(), String> {
    if let Some(directory) = journal {
        if !directory.is_dir() {
            return Err(format!("there is no directory {}", directory.display()));
        }
        let found = verify::journal(directory).map_err(|error| error.to_string())?;
        answer.journal = Some(found);
    }
    if let Some(place) = place {
        let mut backend = place.open_to_read().map_err(|error| error.to_string())?;
        let found = verify::database(backend.as_mut(), journal, args.head.as_deref())
            .map_err(|broken| format!("{}: {broken}", place.name()))?;
        answer.database = Some(found);
    }
    Ok(())
}

fn print_found(answer: &Answer, place: Option<&Place>, journal: Option<&Path>) {
    if let (Some(found), Some(directory)) = (&answer.journal, journal) {
        print_text(&format!(
            "journal {}: {} records good, numbers {} to {}, {} to {}{}",
            directory.display(),
            found.records,
            found.first_seq,
            found.last_seq,
            time_text(found.first_time_ns),
            time_text(found.last_time_ns),
            match found.torn_bytes {
                0 => String::new(),
                bytes => format!("; {bytes} bytes at the end were cut off by a crash"),
            }
        ));
    }
    if let (Some(found), Some(place)) = (&answer.database, place) {
        let rows: i64 = found.tables.iter().map(|(_, count)| count).sum();
        print_text(&format!(
            "{}: {} audit rows good, {} to {}; {rows} rows without gaps in {} tables, up to journal record {}{}\nhead {}",
            place.name(),
            found.rows,
            time_text(found.first_time_ns),
            time_text(found.last_time_ns),
            found.tables.len(),
            found.journal_seq,
            if found.compared_with_journal {
                "; every journal line is the one that it was filled from"
            } else {
                ""
            },
            found.head
        ));
    }
}

fn run_show(args: &ShowArgs) -> Result<(), CliError> {
    let (place, _) = resolve(&args.source)?;
    let place = place.ok_or_else(|| {
        CliError::usage("the configuration has no database ([store] kind = \"none\")")
    })?;
    let failed = |error: crate::store::StoreError| CliError::failed(error.to_string());
    let mut backend = place.open_to_read().map_err(failed)?;
    let span = args
        .since
        .map(|span| i64::try_from(span.0).unwrap_or(i64::MAX));
    let from = span.map_or(i64::MIN, |span| {
        OsClock::new().now_unix().0.saturating_sub(span)
    });
    let mut last = 0;
    loop {
        let page = backend.audit_after(last, PAGE_ROWS).map_err(failed)?;
        let Some(end) = page.last() else {
            return Ok(());
        };
        last = end.seq;
        let wanted = page.iter().filter(|row| {
            row.time_ns >= from && (args.kind.is_empty() || args.kind.contains(&row.kind))
        });
        for row in wanted {
            if args.json {
                print_text(&row.content);
            } else {
                print_text(&line(row));
            }
        }
    }
}

/// One row for people: time, kind, fields.
fn line(row: &AuditRow) -> String {
    let record: serde_json::Value = serde_json::from_str(&row.content).unwrap_or_default();
    let mut text = format!("{} {}", time_text(row.time_ns), row.kind);
    for (key, value) in record.as_object().into_iter().flatten() {
        if ["seq", "time_ns", "kind"].contains(&key.as_str()) {
            continue;
        }
        let word = value
            .as_str()
            .filter(|words| !words.contains(' ') && !words.is_empty());
        let shown = word.map_or_else(|| value.to_string(), ToOwned::to_owned);
        text.push_str(&format!(" {key}={shown}"));
    }
    text
}

/// RFC 3339 in UTC with milliseconds.
fn time_text(time_ns: i64) -> String {
    let millis = time_ns.div_euclid(1_000_000);
    let (seconds, milli) = (millis.div_euclid(1_000), millis.rem_euclid(1_000));
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    // Days to a date by the 400-year cycle, years beginning in March.
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era.div_euclid(1_460) + day_of_era.div_euclid(36_524)
        - day_of_era.div_euclid(146_096))
    .div_euclid(365);
    let day_of_year =
        day_of_era - (365 * year_of_era + year_of_era.div_euclid(4) - year_of_era.div_euclid(100));
    let month_from_march = (5 * day_of_year + 2).div_euclid(153);
    let day = day_of_year - (153 * month_from_march + 2).div_euclid(5) + 1;
    let month = (month_from_march + 2).rem_euclid(12) + 1;
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{milli:03}Z",
        second.div_euclid(3_600),
        second.div_euclid(60).rem_euclid(60),
        second.rem_euclid(60)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_rfc_3339() {
        for (time_ns, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_400_000_000_000, "2000-02-29T00:00:00.000Z"),
            (1_709_251_199_999_999_999, "2024-02-29T23:59:59.999Z"),
            (1_795_227_198_995_546_115, "2026-11-21T02:13:18.995Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ] {
            assert_eq!(time_text(time_ns), text);
        }
    }
}
