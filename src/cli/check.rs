//! `arbalest check`: is a configuration right, and can it earn? Every mistake, or the numbers and what they mean.

pub(super) mod ground;
mod rehearse;

use std::fmt::Write as _;
use std::path::PathBuf;

use serde::Serialize;

use crate::config::document::Echo;
use crate::config::proof::{Proof, Row, Sheet, Verdict};
use crate::config::{ConfigError, Mistake, Settings};
use crate::units::Nanos;

use super::options::parse_span;
use super::sheet::table;
use super::{CliError, print_json, print_text};
use ground::{Base, GroundArgs};
use rehearse::Rehearsal;

/// Checks a configuration: every mistake with file, line, rule and cure; then whether it can earn, with the numbers.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(
    after_help = "Examples:\n  arbalest check --config config\n  arbalest check --config config --json\n  \
    arbalest check --config live --price BTC=60000 --balance binance:BTC=1.5 --rules binance=exchangeInfo.json\n  \
    arbalest check --config config/recorded --recording ../shared/data/recordings\n\n\
    Prices are those at which the simulated market begins, unless given. 'arbalest config explain' prints every value.\n\n\
    Exit codes: 0 good, 2 mistakes (all of them are listed), or a configuration that cannot earn."
)]
pub struct CheckArgs {
    /// Directory with venues.toml, limits.toml, strategies/*.toml and optionally engine.toml; without it the built-in default.
    #[arg(long, value_name = "DIR")]
    pub config: Option<PathBuf>,
    /// What is known better than the simulated market knows it.
    #[command(flatten)]
    pub ground: GroundArgs,
    /// Run the strategies over the recordings of this directory, on paper, and say what they would have brought.
    #[arg(long, value_name = "DIR")]
    pub recording: Option<PathBuf>,
    /// Market time of the recording to run at most (30s, 10m, 2h).
    #[arg(long = "for", value_name = "SPAN", value_parser = parse_span, default_value = "1h")]
    pub span: Option<Nanos>,
    /// Print one JSON object on standard output.
    #[arg(long)]
    pub json: bool,
}

/// What `--json` prints.
#[derive(Debug, Default, Serialize)]
struct Answer<'a> {
    ok: bool,
    config_hash: Option<&'a str>,
    mistakes: &'a [Mistake],
    settings: &'a [Echo],
    proof: Option<&'a Proof>,
    recording: Option<&'a Rehearsal>,
}

/// Runs the command.
///
/// # Errors
/// Exit code 2 with all mistakes, or with what keeps the configuration from earning.
pub fn run(args: &CheckArgs) -> Result<(), CliError> {
    let settings = match load(args.config.as_deref()) {
        Ok(settings) => settings,
        Err(error) => {
            if args.json {
                print_json(&Answer {
                    mistakes: &error.mistakes,
                    ..Answer::default()
                })?;
            }
            return Err(CliError::usage(error.to_string()));
        }
    };
    let base = Base::new(&settings, &args.ground)?;
    let proof = Proof::of(&base.ground(&settings));
    let rehearsal = args
        .recording
        .as_deref()
        .map(|directory| {
            let span = args.span.unwrap_or(Nanos::from_secs(3_600));
            rehearse::rehearse(&settings, directory, span)
        })
        .transpose()?;
    let refused = proof.refused();
    if args.json {
        print_json(&Answer {
            ok: refused == 0,
            config_hash: Some(&settings.hash),
            settings: &settings.echoes,
            proof: Some(&proof),
            recording: rehearsal.as_ref(),
            ..Answer::default()
        })?;
    } else {
        print_text(&describe(&settings, &base, &proof, rehearsal.as_ref()));
    }
    if refused == 0 {
        return Ok(());
    }
    Err(CliError::usage(format!(
        "configuration cannot earn: {refused} finding{} above",
        if refused == 1 { "" } else { "s" }
    )))
}

/// The settings of a directory, or the default in this binary.
///
/// # Errors
/// Every mistake in every file.
pub fn load(directory: Option<&std::path::Path>) -> Result<Settings, ConfigError> {
    directory.map_or_else(Settings::embedded, Settings::load)
}

fn describe(
    settings: &Settings,
    base: &Base,
    proof: &Proof,
    rehearsal: Option<&Rehearsal>,
) -> String {
    let mut text = String::new();
    let mut line = |line: &str| {
        let written = writeln!(text, "{line}");
        debug_assert!(written.is_ok(), "Invariant: writing to a string succeeds");
    };
    for sheet in &proof.sheets {
        line(&format!(
            "{}\n{}\n",
            sheet.title,
            indented(&wrapped(sheet.note))
        ));
        line(&indented(&shown(sheet)));
        line("");
    }
    let currency = settings.engine.reporting_currency;
    let values = base.ground(settings).values;
    let prices: Vec<String> = values
        .iter()
        .map(|(asset, price)| format!("{asset} {}", price.normalize()))
        .collect();
    if !prices.is_empty() {
        line(&format!("Prices taken ({currency}): {}", prices.join(", ")));
    }
    for venue in base.ground(settings).assumed {
        let name = settings.venues().get(venue.index()).map(|venue| &venue.id);
        let name = name.map_or("?", String::as_str);
        line(&format!(
            "Ticks and minimums of {name} are the usual ones, not its own: give them with --rules {name}=FILE; a start asks the venue"
        ));
    }
    if let Some(rehearsal) = rehearsal {
        line(&format!("\n{}", rehearsal.text(currency.as_str())));
    }
    let findings = proof.findings();
    if !findings.is_empty() {
        line("\nFindings");
    }
    for (sheet, rows) in grouped(&findings) {
        line(&finding(sheet, &rows));
    }
    let instruments = settings.venues.iter().map(|venue| venue.symbols.len());
    let instruments: usize = instruments.sum();
    let verdict = if proof.refused() == 0 {
        "is good"
    } else {
        "is well written, and cannot earn"
    };
    line(&format!(
        "\nconfiguration {verdict}: mode {}, {} venues, {instruments} instruments, {} strategies; hash {}",
        settings.engine.mode.label(),
        settings.venues.len(),
        settings.strategies.len(),
        settings.hash
    ));
    text.truncate(text.trim_end().len());
    text
}

fn mark(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Good => "",
        Verdict::Note => "note",
        Verdict::Refused => "REFUSED",
    }
}

fn shown(sheet: &Sheet) -> String {
    let mut columns = vec![""];
    columns.extend(&sheet.columns);
    let rows: Vec<Vec<String>> = sheet
        .rows
        .iter()
        .map(|row| {
            let mut cells = vec![mark(row.verdict).to_owned()];
            cells.extend(row.cells.iter().cloned());
            cells
        })
        .collect();
    table(&columns, &rows)
}

/// At most 100 characters a line.
fn wrapped(text: &str) -> String {
    let (mut lines, mut line) = (Vec::new(), String::new());
    for word in text.split_whitespace() {
        if line.len() + word.len() >= 100 {
            lines.push(std::mem::take(&mut line));
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    lines.push(line);
    lines.join("\n")
}

fn indented(text: &str) -> String {
    let lines: Vec<String> = text.lines().map(|line| format!("  {line}")).collect();
    lines.join("\n")
}

/// Rows of one table and one first cell that say the same.
fn grouped<'a>(findings: &[(&'a Sheet, &'a Row)]) -> Vec<(&'a Sheet, Vec<&'a Row>)> {
    let mut groups: Vec<(&Sheet, Vec<&Row>)> = Vec::new();
    for (sheet, row) in findings {
        let same = |(other, rows): &&mut (&Sheet, Vec<&Row>)| {
            let first = rows.first();
            other.title == sheet.title
                && first.is_some_and(|first| {
                    first.reason == row.reason
                        && first.verdict == row.verdict
                        && first.cells.first() == row.cells.first()
                })
        };
        match groups.iter_mut().find(same) {
            Some((_, rows)) => rows.push(row),
            None => groups.push((sheet, vec![row])),
        }
    }
    groups
}

fn finding(sheet: &Sheet, rows: &[&Row]) -> String {
    let Some(row) = rows.first() else {
        return String::new();
    };
    let mut subject = row.cells.iter().take(2).cloned().collect::<Vec<_>>();
    if rows.len() > 1 {
        subject.push(format!("and {} more", rows.len() - 1));
    }
    let cure = if row.cure.is_empty() {
        String::new()
    } else {
        format!("\n    fix: {}", row.cure)
    };
    format!(
        "  {}: {} ({})\n    {}{cure}",
        mark(row.verdict),
        subject.join(", "),
        sheet.title.to_lowercase(),
        row.reason
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_can_earn_and_says_why() {
        let settings = load(None).unwrap();
        let base = Base::new(&settings, &GroundArgs::default()).unwrap();
        let proof = Proof::of(&base.ground(&settings));
        let text = describe(&settings, &base, &proof, None);
        assert_eq!(proof.refused(), 0, "{text}");
        for part in [
            "Break-even by route",
            "buy spot_a:BTC/USDT, sell spot_b:BTC/USDT",
            "notional_usd_max.gross",
            "Prices taken (USDT): BTC 61800",
            "configuration is good",
        ] {
            assert!(text.contains(part), "{part} not in\n{text}");
        }
    }

    #[test]
    fn mistakes_are_exit_code_two() {
        let args = CheckArgs {
            config: Some("/nonexistent".into()),
            ..CheckArgs::default()
        };
        assert_eq!(run(&args).unwrap_err().code, 2);
    }
}
