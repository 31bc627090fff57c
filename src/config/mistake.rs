//! What is wrong with a configuration, where exactly, and what to write instead.

use serde::Serialize;

/// A position in a file. Lines and columns count from 1.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Place {
    /// Path as shown to people, relative to the configuration directory.
    pub file: String,
    /// Line.
    pub line: usize,
    /// Column, in characters.
    pub column: usize,
    /// How many characters it spans on its line; zero when it is no text (something is missing).
    pub width: usize,
    /// The line as it may be shown; empty when there is nothing to show.
    #[serde(skip)]
    pub text: String,
}

/// One mistake.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Mistake {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// Which key, with its tables: `venue[2].fees.taker_fee_bps`.
    pub key: String,
    /// What was written there; empty when something is missing.
    pub value: String,
    /// The rule that it breaks.
    pub rule: String,
    /// What to do.
    pub cure: String,
}

impl Mistake {
    fn head(&self) -> String {
        let Place {
            file, line, column, ..
        } = &self.place;
        let value = if self.value.is_empty() {
            String::new()
        } else {
            format!(" = {}", self.value)
        };
        format!("{file}:{line}:{column}: {}{value}", self.key)
    }

    /// The line with a caret under the place, indented; empty when there is nothing to show.
    fn excerpt(&self) -> String {
        let Place {
            line,
            column,
            width,
            text,
            ..
        } = &self.place;
        if text.is_empty() {
            return String::new();
        }
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        // A tab is as wide here as it is shown above.
        let before = text.chars().take(column.saturating_sub(1));
        let before: String = before.map(|c| if c == '\t' { c } else { ' ' }).collect();
        let carets = "^".repeat((*width).max(1));
        format!("    {number} | {text}\n    {margin} | {before}{carets}\n")
    }
}

/// One line, for a log.
impl std::fmt::Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}; {}", self.head(), self.rule, self.cure)
    }
}

/// Everything that is wrong, in order of file and line. Never empty.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConfigError {
    /// The mistakes.
    pub mistakes: Vec<Mistake>,
}

impl std::fmt::Display for ConfigError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let count = self.mistakes.len();
        writeln!(
            f,
            "configuration has {count} mistake{}:",
            if count == 1 { "" } else { "s" }
        )?;
        for mistake in &self.mistakes {
            writeln!(f, "\n  {}", mistake.head())?;
            f.write_str(&mistake.excerpt())?;
            writeln!(f, "  {}", mistake.rule)?;
            if !mistake.cure.is_empty() {
                writeln!(f, "  fix: {}", mistake.cure)?;
            }
        }
        write!(f, "\nnothing was started")
    }
}

impl std::error::Error for ConfigError {}
