//! Keys of `[[alert]]` in `engine.toml`.

use super::Absent::{self, Means, Refused};
use super::{Form, Section, count, field};

/// `[[alert]]`
pub const ALERT: Section = Section {
    file: "engine.toml",
    table: "[[alert]]",
    meaning: "Who outside is told of alerts (`arbalest alert test` tries it). Repeats are left out, failures tried again; trading never waits for it.",
    fields: &[
        field("name", Form::Text("a name"), Refused, "its name in logs, metrics and on the command line"),
        field("kind", Form::Choice(&["webhook", "slack", "telegram", "alertmanager"]), Refused, "webhook: a JSON object; slack: {\"text\": ..}; telegram: sendMessage of a bot; alertmanager: /api/v2/alerts of a Prometheus Alertmanager"),
        field("url_env", Form::Text("a variable"), Absent::None("not from a variable"), "environment variable that holds the whole address; give this or url_file, for addresses hold secrets"),
        field("url_file", Form::Text("a file"), Absent::None("not from a file"), "a file that holds the address and only its owner can read"),
        field("chat", Form::Text("a chat id"), Absent::None("no chat"), "with telegram: the chat that is written to"),
        field("min_severity", Form::Choice(&["info", "warning", "critical"]), Means("warning"), "quieter alerts are not sent"),
        count("rate_max", "1", "1000", Means("20"), "most messages a minute; the rest waits, at most 256"),
    ],
};
