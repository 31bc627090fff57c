//! One configuration file as text, and the report that all reading adds to.

use serde::Serialize;
use toml::de::DeTable;

use super::mistake::{ConfigError, Mistake, Place};

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
    /// Line and column of a byte offset; the end of the text when beyond it.
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
        }
    }
    /// Its top table; text that is not TOML is reported, and what could be read is returned.
    pub fn parse(&self, report: &mut Report) -> DeTable<'_> {
        let (table, errors) = DeTable::parse_recoverable(&self.text);
        for error in errors {
            report.add(Mistake {
                place: self.place(error.span().map_or(0, |span| span.start)),
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
    }
}
