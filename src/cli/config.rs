//! `arbalest config`: new, check, schema, explain, diff.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use crate::config::difference::{Difference, Way, differences};
use crate::config::document::Document;
use crate::config::{Settings, json_schema, lookup, template};

use super::check::ground::{Base, GroundArgs};
use super::check::{self, CheckArgs, load};
use super::sheet::table;
use super::{CliError, print_json, print_note, print_text};

/// Write, check and understand a configuration.
#[derive(Debug, Clone, clap::Args)]
#[command(
    after_help = "Examples:\n  arbalest config new triangular --out my_config\n  arbalest config check --config my_config\n  \
    arbalest config explain min_net_edge_bps\n  arbalest config diff config my_config\n  \
    arbalest config schema --out schemas\n\n\
    Exit codes: 0 done, 2 wrong usage or configuration."
)]
pub struct ConfigArgs {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Clone, clap::Subcommand)]
enum Action {
    /// Write a new configuration that only observes, every key explained
    New {
        /// cross_exchange, triangular or spot_perp_basis
        kind: String,
        /// A directory that does not exist yet, or is empty; without it the strategy file is printed
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// The same as 'arbalest check'
    Check(CheckArgs),
    /// Print the JSON Schema of a file, for editors
    Schema {
        /// venues, limits, engine, cross_exchange, triangular or spot_perp_basis; without it all of them in one object
        which: Option<String>,
        /// Write every schema into this directory, NAME.schema.json
        #[arg(long, value_name = "DIR")]
        out: Option<PathBuf>,
    },
    /// What a key means, or every value of a file (or of all files) as it was understood
    Explain {
        /// A key such as min_net_edge_bps or force_close.deadline_ms, or a file such as limits.toml
        what: Option<String>,
        /// Configuration directory; without it the built-in default
        #[arg(long, value_name = "DIR")]
        config: Option<PathBuf>,
    },
    /// What differs between two configurations in meaning, which way, and whether a running engine can take it
    Diff {
        /// Configuration directory
        before: PathBuf,
        /// Another one
        after: PathBuf,
        /// Print one JSON object on standard output
        #[arg(long)]
        json: bool,
    },
}

/// Runs the command.
///
/// # Errors
/// Exit code 2 for wrong usage or a wrong configuration.
pub fn run(args: &ConfigArgs) -> Result<(), CliError> {
    match &args.action {
        Action::New { kind, out } => new(kind, out.as_deref()),
        Action::Check(args) => check::run(args),
        Action::Schema { which, out } => schema(which.as_deref(), out.as_deref()),
        Action::Explain { what, config } => explain(what.as_deref(), config.as_deref()),
        Action::Diff {
            before,
            after,
            json,
        } => diff(before, after, *json),
    }
}

fn write(path: &Path, text: &str) -> Result<(), CliError> {
    let failed = |error: std::io::Error| CliError::failed(format!("{}: {error}", path.display()));
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent).map_err(failed)?;
    }
    std::fs::write(path, text).map_err(failed)
}

fn new(kind: &str, out: Option<&Path>) -> Result<(), CliError> {
    let files = template::files(kind).ok_or_else(|| {
        let known = template::KINDS.join(", ");
        CliError::usage(format!("{kind} is not a kind of strategy: one of {known}"))
    })?;
    let Some(directory) = out else {
        for document in &files.strategies {
            print_text(document.text.trim_end());
        }
        return Ok(());
    };
    let is_taken = std::fs::read_dir(directory).is_ok_and(|mut entries| entries.next().is_some());
    if is_taken || directory.is_file() {
        return Err(CliError::usage(format!(
            "{} is not empty: nothing was written; name a new directory",
            directory.display()
        )));
    }
    let all: Vec<&Document> = [&files.engine, &files.venues, &files.limits]
        .into_iter()
        .chain(&files.strategies)
        .collect();
    for document in all {
        write(&directory.join(&document.file), &document.text)?;
        print_note(&format!(
            "wrote {}",
            directory.join(&document.file).display()
        ));
    }
    print_note(&format!(
        "it observes and sends nothing; next: arbalest check --config {}",
        directory.display()
    ));
    Ok(())
}

fn schema(which: Option<&str>, out: Option<&Path>) -> Result<(), CliError> {
    let words: Vec<&str> = json_schema::files()
        .into_iter()
        .map(|(word, _)| word)
        .collect();
    if let Some(directory) = out {
        for word in words {
            let text = pretty(&json_schema::schema(word).unwrap_or_default())?;
            write(&directory.join(format!("{word}.schema.json")), &text)?;
        }
        print_note(&format!(
            "wrote {} schemas; an editor takes one by a first line such as '#:schema {}/limits.schema.json'",
            json_schema::files().len(),
            directory.display()
        ));
        return Ok(());
    }
    let value = match which {
        Some(word) => json_schema::schema(word).ok_or_else(|| {
            CliError::usage(format!("{word} is not a file: one of {}", words.join(", ")))
        })?,
        None => words
            .into_iter()
            .filter_map(|word| Some((word.to_owned(), json_schema::schema(word)?)))
            .collect::<serde_json::Map<_, _>>()
            .into(),
    };
    print_text(&pretty(&value)?);
    Ok(())
}

fn pretty(value: &serde_json::Value) -> Result<String, CliError> {
    serde_json::to_string_pretty(value)
        .map_err(|error| CliError::failed(format!("schema was not JSON: {error}")))
}

fn settings(directory: Option<&Path>) -> Result<Settings, CliError> {
    load(directory).map_err(|error| CliError::usage(error.to_string()))
}

fn explain(what: Option<&str>, config: Option<&Path>) -> Result<(), CliError> {
    match what {
        Some(what) if Path::new(what).extension().is_none_or(|end| end != "toml") => {
            explain_key(what, config)
        }
        _ => {
            print_text(&values(&settings(config)?, what)?);
            Ok(())
        }
    }
}

fn explain_key(key: &str, config: Option<&Path>) -> Result<(), CliError> {
    let found = lookup::find(key);
    if found.is_empty() {
        let last = key.rsplit('.').next().unwrap_or(key);
        let near = lookup::near(last);
        let near = near.map_or_else(String::new, |near| format!(": did you mean {near}?"));
        return Err(CliError::usage(format!("{key} is not a known key{near}")));
    }
    let mut text: Vec<String> = found.iter().map(|one| lookup::words(*one)).collect();
    if config.is_some() {
        let settings = settings(config)?;
        let last = key.rsplit('.').next().unwrap_or(key);
        let own = settings.echoes.iter().filter(|echo| {
            echo.key == key || echo.key.ends_with(&format!(".{last}")) || echo.key == last
        });
        text.extend(own.map(|echo| format!("{}: {}", echo.file, echo_line(echo))));
    }
    print_text(&text.join("\n\n"));
    Ok(())
}

fn echo_line(echo: &crate::config::document::Echo) -> String {
    let note = if echo.is_default { "   (default)" } else { "" };
    format!("{} = {}{note}", echo.key, echo.value)
}

/// Every value as it was understood, with its unit.
fn values(settings: &Settings, only: Option<&str>) -> Result<String, CliError> {
    let mut text = String::new();
    let mut file = "";
    for echo in &settings.echoes {
        if only.is_some_and(|only| !echo.file.ends_with(only)) {
            continue;
        }
        let head = if echo.file == file {
            String::new()
        } else {
            format!("# {}\n", echo.file)
        };
        file = &echo.file;
        let written = writeln!(text, "{head}{}", echo_line(echo));
        debug_assert!(written.is_ok(), "Invariant: writing to a string succeeds");
    }
    if text.is_empty() {
        let mut files: Vec<&str> = settings
            .echoes
            .iter()
            .map(|echo| echo.file.as_str())
            .collect();
        files.dedup();
        return Err(CliError::usage(format!(
            "{} is not a file of this configuration: it has {}",
            only.unwrap_or_default(),
            files.join(", ")
        )));
    }
    text.truncate(text.trim_end().len());
    Ok(text)
}

fn diff(before: &Path, after: &Path, json: bool) -> Result<(), CliError> {
    let (old, new) = (settings(Some(before))?, settings(Some(after))?);
    let args = GroundArgs::default();
    let (old_base, new_base) = (Base::new(&old, &args)?, Base::new(&new, &args)?);
    let (old_ground, new_ground) = (old_base.ground(&old), new_base.ground(&new));
    let labels = |ground: &crate::config::proof::Ground<'_>| -> Vec<String> {
        let all = ground.catalogue.all().iter();
        all.map(|one| ground.catalogue.label(one.id)).collect()
    };
    let same = labels(&old_ground) == labels(&new_ground);
    let limits = same.then_some((old_ground.limits, new_ground.limits, new_ground.catalogue));
    let found = differences(&old, &new, limits);
    if json {
        return print_json(&serde_json::json!({ "differences": found }));
    }
    print_text(&diff_text(&found));
    Ok(())
}

fn diff_text(found: &[Difference]) -> String {
    if found.is_empty() {
        return "both mean the same".to_owned();
    }
    let absent = || "-".to_owned();
    let rows: Vec<Vec<String>> = found
        .iter()
        .map(|one| {
            let way = match one.way {
                Way::Loosened => "loosened",
                Way::Tightened => "tightened",
                Way::Other => "other",
            };
            vec![
                one.file.clone(),
                one.key.clone(),
                one.old.clone().unwrap_or_else(absent),
                one.new.clone().unwrap_or_else(absent),
                way.to_owned(),
                one.applied.to_owned(),
            ]
        })
        .collect();
    let count = |way: Way| found.iter().filter(|one| one.way == way).count();
    let live = found.iter().filter(|one| one.is_live).count();
    format!(
        "{}\n\n{} differences: {} tightened, {} loosened, {} other; {live} can be applied while the engine runs",
        table(
            &["file", "key", "before", "after", "which way", "in force"],
            &rows
        ),
        found.len(),
        count(Way::Tightened),
        count(Way::Loosened),
        count(Way::Other)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn explains_a_file_and_knows_the_nearest_key() {
        let settings = settings(None).unwrap();
        let text = values(&settings, Some("strategies/btc_cross.toml")).unwrap();
        assert!(text.contains("min_net_edge_bps = 1.5 bps"), "{text}");
        assert!(
            text.contains("leg_timeout_ms = 500 ms   (default)"),
            "{text}"
        );
        assert!(!text.contains("gross"), "{text}");
        let all = values(&settings, None).unwrap();
        assert!(all.contains("notional_usd_max.gross = 150000"), "{all}");
        let error = explain_key("min_net_edge_bp", None).unwrap_err();
        assert_eq!(
            (error.code, error.message.contains("min_net_edge_bps")),
            (2, true)
        );
        assert!(values(&settings, Some("x.toml")).is_err());
    }
}
