//! `docs/RISK.md` lists what the code checks; `UPDATE_DOCS=1 cargo test --test risk` writes it.

use std::fmt::Write as _;
use std::path::PathBuf;

use arbalest::config::schema::{Absent, Field, Form, SECTIONS};
use arbalest::risk::{Control, Refusal};

const BEGIN: &str = "<!-- begin: generated from src/risk/refusal.rs -->";
const END: &str = "<!-- end: generated -->";

/// The key of `limits.toml` that a word of the table names: `order_notional_usd_max`, or `section.key`.
fn field(name: &str) -> Option<&'static Field> {
    let (table, key) = name.rsplit_once('.').unwrap_or(("", name));
    let sections = SECTIONS
        .iter()
        .filter(|section| section.file == "limits.toml");
    sections
        .filter(|section| section.table.trim_matches(['[', ']']) == table)
        .find_map(|section| section.field(key))
}

/// Keys with unit and default; other words as they are.
fn source(words: &str) -> String {
    let parts = words.split(", ").map(|word| {
        field(word).map_or_else(
            || word.to_owned(),
            |field| {
                let unit = match field.form {
                    Form::Number(unit, ..) => unit.label(),
                    Form::Flag => "true or false",
                    Form::Choice(_) | Form::Text(_) | Form::Texts(_) | Form::Table => "text",
                };
                let default = match field.absent {
                    Absent::Means(value) => value,
                    Absent::Refused => "required",
                    Absent::None(_) => "none",
                };
                format!("`{word}` ({unit}, {default})")
            },
        )
    });
    parts.collect::<Vec<_>>().join(", ")
}

fn table() -> String {
    let mut text = format!(
        "{BEGIN}\n\n| Row | Code | Refuses when | Limit from (unit, default) | Skipped by reducing orders | Raises |\n|---|---|---|---|---|---|\n"
    );
    for row in Refusal::ROWS {
        let skipped = if row.increasing_only { "yes" } else { "no" };
        let raises = match row.row {
            "PT-32" => "K2 strategy",
            "PT-36" => "K1 venue",
            "PT-37" => "K1 strategy",
            "PT-47" if row.code == "JOURNAL_UNAVAILABLE" => "K2 portfolio",
            _ => "",
        };
        writeln!(
            text,
            "| {} | `{}` | {} | {} | {skipped} | {raises} |",
            row.row,
            row.code,
            row.when,
            source(row.limit)
        )
        .unwrap();
    }
    text + "\n" + END
}

/// Every `pre_trade` key stands in some row: no key is without a check.
#[test]
fn every_key_of_the_gate_has_a_row() {
    let section = SECTIONS
        .iter()
        .find(|section| section.table == "[pre_trade]")
        .unwrap();
    for field in section.fields {
        let name = format!("pre_trade.{}", field.key);
        assert!(
            Refusal::ROWS
                .iter()
                .any(|row| row.limit.split(", ").any(|word| word == name)),
            "{name}"
        );
    }
}

const ROWS_BEGIN: &str = "<!-- begin: generated from src/risk/monitor/rows.rs -->";
const ROWS_END: &str = "<!-- end: generated rows -->";

fn controls() -> String {
    let mut text = format!(
        "{ROWS_BEGIN}\n\n| Row | Word | Measures | Limit from | Unit | Raises | Ends | Code |\n|---|---|---|---|---|---|---|---|\n"
    );
    for row in Control::ROWS {
        writeln!(
            text,
            "| {} | `{}` | {} | {} | {} | {} | {} | `{}` |",
            row.row, row.word, row.measures, row.limit, row.unit, row.level, row.clears, row.code
        )
        .unwrap();
    }
    text + "\n" + ROWS_END
}

#[test]
fn the_page_lists_every_control() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/RISK.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(ROWS_BEGIN).unwrap();
    let (_, after) = rest.split_once(ROWS_END).unwrap();
    let wanted = format!("{before}{}{after}", controls());
    if std::env::var("UPDATE_DOCS").is_ok() {
        std::fs::write(&path, &wanted).unwrap();
        return;
    }
    assert!(
        page == wanted,
        "docs/RISK.md is not what the code says: run UPDATE_DOCS=1 cargo test --test risk"
    );
}

/// A row names a file that exists and a function in it, and keys that the configuration knows.
#[test]
fn rows_point_at_code_that_exists() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("src/risk/monitor");
    for row in Control::ROWS {
        let (file, function) = row.code.split_once(' ').unwrap();
        let path = if file == "monitor.rs" {
            folder.with_extension("rs")
        } else {
            folder.join(file)
        };
        let text = std::fs::read_to_string(&path).unwrap();
        assert!(text.contains(&format!("fn {function}(")), "{}", row.code);
    }
}

#[test]
fn the_page_lists_what_the_code_checks() {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("docs/RISK.md");
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).unwrap();
    let (_, after) = rest.split_once(END).unwrap();
    let wanted = format!("{before}{}{after}", table());
    if std::env::var("UPDATE_DOCS").is_ok() {
        std::fs::write(&path, &wanted).unwrap();
        return;
    }
    assert!(
        page == wanted,
        "docs/RISK.md is not what the code says: run UPDATE_DOCS=1 cargo test --test risk"
    );
}
