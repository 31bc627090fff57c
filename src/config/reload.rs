//! `limits.toml` read again while the engine runs. Every other file is as it was at the start: it needs a restart.

use std::path::{Path, PathBuf};

use crate::market::Catalogue;
use crate::risk::Limits;

use super::document::Document;
use super::load::Files;
use super::settings::{Settings, SettingsError};
use super::{ConfigError, Mistake};

/// A directory and what was in it at the start.
#[derive(Debug, Clone)]
pub struct LimitsSource {
    directory: PathBuf,
    started: Files,
}

/// New limits, and the files that changed but are not read before a restart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadAgain {
    /// Checked against the venues and instruments that run.
    pub limits: Limits,
    /// Names of the other files that differ.
    pub need_restart: Vec<String>,
}

/// The limits in force stay.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReloadError {
    /// Every mistake of the files.
    #[error("the limits in force stay: {}", mistakes(.0))]
    Config(ConfigError),
    /// A limit does not fit its instrument.
    #[error("the limits in force stay: {0}")]
    Settings(#[from] SettingsError),
}

fn mistakes(error: &ConfigError) -> String {
    let all: Vec<String> = error.mistakes.iter().map(Mistake::to_string).collect();
    all.join("\n")
}

impl LimitsSource {
    /// Remembers a directory as it is now.
    ///
    /// # Errors
    /// All files that cannot be read.
    pub fn new(directory: &Path) -> Result<Self, ConfigError> {
        Ok(Self {
            directory: directory.to_owned(),
            started: Files::read(directory)?,
        })
    }
    /// Where it is.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }
    /// Reads the limits as they stand now, against everything else as it was at the start.
    ///
    /// # Errors
    /// [`ReloadError`] with every mistake; contradictory and impossible limits are mistakes.
    pub fn read(&self, catalogue: &Catalogue) -> Result<ReadAgain, ReloadError> {
        let now = Files::read(&self.directory).map_err(ReloadError::Config)?;
        let need_restart = changed(&self.started, &now);
        let files = Files {
            limits: now.limits,
            ..self.started.clone()
        };
        let limits = Settings::from_files(&files)
            .map_err(ReloadError::Config)?
            .limits(catalogue)?;
        Ok(ReadAgain {
            limits,
            need_restart,
        })
    }
}

/// Names of the files other than the limits that differ.
fn changed(started: &Files, now: &Files) -> Vec<String> {
    let all = |files: &Files| -> Vec<Document> {
        let first = [files.engine.clone(), files.venues.clone()];
        first.into_iter().chain(files.strategies.clone()).collect()
    };
    let (before, after) = (all(started), all(now));
    let mut names: Vec<String> = before
        .iter()
        .filter(|document| !after.contains(document))
        .chain(after.iter().filter(|document| !before.contains(document)))
        .map(|document| document.file.clone())
        .collect();
    names.sort();
    names.dedup();
    names
}
