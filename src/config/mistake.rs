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

impl std::fmt::Display for Mistake {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Place { file, line, column } = &self.place;
        write!(f, "{file}:{line}:{column}: {}", self.key)?;
        if !self.value.is_empty() {
            write!(f, " = {}", self.value)?;
        }
        write!(f, ": {}; {}", self.rule, self.cure)
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
            writeln!(f, "  {mistake}")?;
        }
        write!(f, "nothing was started")
    }
}

impl std::error::Error for ConfigError {}
