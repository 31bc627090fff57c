//! One configuration file as text, and the report that all reading adds to.

use std::ops::Range;

use serde::Serialize;
use toml::de::DeTable;

use super::mistake::{ConfigError, Mistake, Place};

/// Lines with these words in their key are not shown whole: somebody may have written there what should stand elsewhere.
const SECRETS: [&str; 6] = ["secret", "api_key", "token", "passw", "private", "url_"];

/// A file's name and text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// Path as shown to people.
    pub file: String,
    /// Its text.
    pub text: String,
}

impl Document {
    /// A file that was read.
    #[must_use]
    pub fn new(file: &str, text: impl Into<String>) -> Self {
        Self {
            file: file.into(),
            text: text.into(),
        }
    }
    /// Line and column of a byte offset, without a text to show; the end of the text when beyond it.
    #[must_use]
    pub fn place(&self, offset: usize) -> Place {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        Place {
            file: self.file.clone(),
            line: before.bytes().filter(|byte| *byte == b'\n').count() + 1,
            column: before
                .get(line_start..)
                .map_or(0, |head| head.chars().count())
                + 1,
            width: 0,
            text: String::new(),
        }
    }
    /// The same with the line and how much of it is meant (to the end of the line at most). A line that names a secret is shown
    /// to its `=` only.
    #[must_use]
    pub fn span(&self, span: &Range<usize>) -> Place {
        let place = self.place(span.start);
        let line = self.line(span.start);
        let secret = line.split_once('=').filter(|(key, _)| {
            let key = key.to_ascii_lowercase();
            SECRETS.iter().any(|word| key.contains(word))
        });
        let text = secret.map_or_else(
            || line.trim_end().to_owned(),
            |(key, _)| format!("{key}= ..."),
        );
        let meant = self.text.get(span.clone()).unwrap_or_default();
        let meant = meant.lines().next().map_or(0, |line| line.chars().count());
        let room = (text.chars().count() + 1).saturating_sub(place.column);
        Place {
            width: meant.clamp(1, room.max(1)),
            text,
            ..place
        }
    }
    /// A key, with its line up to it: what stands behind an unknown key may be anything.
    #[must_use]
    pub fn key_span(&self, span: &Range<usize>) -> Place {
        let place = self.span(span);
        let head: String = place
            .text
            .chars()
            .take((place.column + place.width).saturating_sub(1))
            .collect();
        Place {
            text: format!("{head} ..."),
            ..place
        }
    }
    fn line(&self, offset: usize) -> &str {
        let before = self.text.get(..offset).unwrap_or(&self.text);
        let start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let rest = self.text.get(start..).unwrap_or_default();
        rest.lines().next().unwrap_or_default()
    }
    /// Its top table; text that is not TOML is reported, and what could be read is returned.
    pub fn parse(&self, report: &mut Report) -> DeTable<'_> {
        let (table, errors) = DeTable::parse_recoverable(&self.text);
        for error in errors {
            report.add(Mistake {
                place: error
                    .span()
                    .map_or_else(|| self.place(0), |span| self.span(&span)),
                key: "(syntax)".to_owned(),
                value: String::new(),
                rule: format!("must be TOML: {}", error.message()),
                cure: "see https://toml.io for the syntax".to_owned(),
            });
        }
        table.into_inner()
    }
}

/// One setting as it was understood: what `arbalest check` prints.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Echo {
    /// File.
    pub file: String,
    /// Key with its tables.
    pub key: String,
    /// Normalised value.
    pub value: String,
    /// True when it was not written.
    pub is_default: bool,
}

/// What was found while reading.
#[derive(Debug, Clone, Default)]
pub struct Report {
    /// Everything that is wrong.
    pub mistakes: Vec<Mistake>,
    /// Everything as understood.
    pub echoes: Vec<Echo>,
}

impl Report {
    /// One more mistake.
    pub fn add(&mut self, mistake: Mistake) {
        self.mistakes.push(mistake);
    }
    /// The sorted mistakes, if there are any.
    ///
    /// # Errors
    /// All mistakes.
    pub fn finish(&mut self) -> Result<(), ConfigError> {
        if self.mistakes.is_empty() {
            return Ok(());
        }
        let mut mistakes = std::mem::take(&mut self.mistakes);
        mistakes.sort();
        mistakes.dedup();
        Err(ConfigError { mistakes })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_count_from_one() {
        let document = Document::new("a.toml", "x = 1\nä = \"b\"\n");
        let at = |offset| {
            let place = document.place(offset);
            (place.line, place.column)
        };
        assert_eq!(at(0), (1, 1));
        assert_eq!(at(4), (1, 5));
        assert_eq!(at(6), (2, 1));
        assert_eq!(at(11), (2, 5));
        assert_eq!(at(9_999), (3, 1));
        let span = document.span(&(11..14));
        assert_eq!((span.width, span.text.as_str()), (3, "ä = \"b\""));
        assert_eq!(document.key_span(&(6..8)).text, "ä ...");
        let secret = Document::new("v.toml", "api_secret = \"abc\"\n");
        assert_eq!(secret.span(&(13..18)).text, "api_secret = ...");
    }
}
