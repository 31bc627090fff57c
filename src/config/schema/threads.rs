//! `[threads]` of `engine.toml`.

use super::Absent::Means;
use super::{Section, count};

/// See the page above.
pub const THREADS: Section = Section {
    file: "engine.toml",
    table: "[threads]",
    meaning: "How far threads that do not trade step back when cores are short (steps of nice; Linux).",
    fields: &[
        count("web_nice", "0", "19", Means("15"), "page, metrics and control API"),
        count("journal_nice", "0", "19", Means("1"), "the journal; a forced close waits for it"),
        count("store_nice", "0", "19", Means("10"), "the database and the receivers of alerts"),
    ],
};
