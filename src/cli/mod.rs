//! The command line: one file a subcommand, and the exit codes they share.
//!
//! Exit codes: 0 done; 1 failed while running; 2 wrong usage, configuration or input (nothing was started); 3 a running engine
//! refused.
#![expect(
    clippy::print_stderr,
    reason = "this room is where people read results"
)]

pub mod alert;
pub mod audit;
pub mod check;
pub mod config;
pub mod demo;
pub mod drill;
pub mod inventory;
pub mod ledger;
mod live;
mod options;
pub mod risk;
pub mod run;
mod sheet;
pub mod simulate;
mod store;
mod venues;

pub mod inspect;
pub mod venue;
pub mod watchdog;
pub mod why;

/// A failure for the caller of the program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CliError {
    /// Process exit code: 1, 2 or 3.
    pub code: u8,
    /// What went wrong and what to do about it.
    pub message: String,
}

impl CliError {
    /// Something failed while running.
    #[must_use]
    pub fn failed(message: impl Into<String>) -> Self {
        Self {
            code: 1,
            message: message.into(),
        }
    }
    /// A running engine refused.
    #[must_use]
    pub fn refused(message: impl Into<String>) -> Self {
        Self {
            code: 3,
            message: message.into(),
        }
    }
    /// Wrong usage, configuration or input.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self {
            code: 2,
            message: message.into(),
        }
    }
}

impl std::fmt::Display for CliError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CliError {}

/// Prints the one JSON object of `--json` on standard output.
pub(crate) fn print_json(value: &impl serde::Serialize) -> Result<(), CliError> {
    let text = serde_json::to_string(value)
        .map_err(|error| CliError::failed(format!("result was not JSON: {error}")))?;
    print_text(&text);
    Ok(())
}

/// Prints text for people on standard output.
pub(crate) fn print_text(text: &str) {
    use std::io::Write as _;
    // A reader that went away (`| head`) is no failure of ours.
    let mut out = std::io::stdout().lock();
    if writeln!(out, "{text}").and_then(|()| out.flush()).is_err() {
        print_note("standard output was closed");
    }
}

/// Prints a line of progress or diagnosis on standard error.
pub(crate) fn print_note(text: &str) {
    eprintln!("{text}");
}

/// Prints why the program failed.
pub fn print_failure(error: &CliError) {
    eprintln!("error: {error}");
}

/// Prints a status line on standard error: on a terminal it replaces the last one.
pub(crate) fn print_status(line: &str) {
    if std::io::IsTerminal::is_terminal(&std::io::stderr()) {
        eprint!("\r\x1b[2K{line}");
    } else {
        eprintln!("{line}");
    }
}
