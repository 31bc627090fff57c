//! Reads `[[alert]]` of `engine.toml`.

use std::path::PathBuf;

use crate::engine::alerts::{SinkKind, SinkTerms};
use crate::risk::Severity;

use super::document::Report;
use super::schema;
use super::settings::{AlertSettings, KeySource};
use super::table::Table;

/// All receivers; names are unique.
pub(super) fn read(top: &Table<'_>, report: &mut Report) -> Option<Vec<AlertSettings>> {
    if !top.has("alert") {
        return Some(Vec::new());
    }
    let mut sinks: Vec<AlertSettings> = Vec::new();
    for table in top.tables("alert", &schema::ALERT, report) {
        let sink = one(&table, report)?;
        if sinks
            .iter()
            .any(|other| other.terms.name == sink.terms.name)
        {
            table.wrong(
                "name",
                "is used twice",
                "give every [[alert]] its own",
                report,
            );
        }
        sinks.push(sink);
    }
    Some(sinks)
}

fn one(table: &Table<'_>, report: &mut Report) -> Option<AlertSettings> {
    let name = table.text("name", report);
    let kind = table.choice("kind", report).map(SinkKind::parse);
    let min_severity = table.choice("min_severity", report);
    let rate_max = table.count("rate_max", report);
    let chat = table.has("chat").then(|| table.text("chat", report));
    let needs_chat = kind == Some(SinkKind::Telegram);
    if needs_chat != chat.is_some() {
        let (rule, cure) = if needs_chat {
            ("is missing", "write the chat id of the bot's chat")
        } else {
            ("is only for kind = \"telegram\"", "remove it")
        };
        table.wrong("chat", rule, cure, report);
    }
    let url = match (table.has("url_env"), table.has("url_file")) {
        (true, false) => table.text("url_env", report).map(KeySource::Env),
        (false, true) => table
            .text("url_file", report)
            .map(|path| KeySource::File(PathBuf::from(path))),
        (both, _) => {
            let rule = if both {
                "has two sources"
            } else {
                "has no source"
            };
            table.wrong("url_env", rule, "write url_env or url_file", report);
            None
        }
    };
    Some(AlertSettings {
        terms: SinkTerms {
            name: name?,
            kind: kind?,
            chat: chat.flatten(),
            min_severity: match min_severity? {
                "info" => Severity::Info,
                "critical" => Severity::Critical,
                _ => Severity::Warning,
            },
            rate_max: rate_max?,
        },
        url: url?,
    })
}
