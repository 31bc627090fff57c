//! From a directory, or from the defaults in this binary, to [`Settings`].

use std::fmt::Write as _;
use std::path::Path;

use aws_lc_rs::digest;

use crate::trade::StrategyId;

use super::check;
use super::document::{Document, Report};
use super::mistake::{ConfigError, Mistake};
use super::read_strategy::StrategyDraft;
use super::settings::Settings;
use super::{read_engine, read_limits, read_strategy, read_venues};

/// The files of a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Files {
    /// `engine.toml`, empty when absent.
    pub engine: Document,
    /// `venues.toml`
    pub venues: Document,
    /// `limits.toml`
    pub limits: Document,
    /// `strategies/*.toml`, by name.
    pub strategies: Vec<Document>,
}

/// Largest configuration file that is read.
const FILE_BYTES_MAX: u64 = 1 << 20;

impl Files {
    /// The default that is compiled in: the same as the directory `config/` of the source.
    #[must_use]
    pub fn embedded() -> Self {
        Self {
            engine: Document::new("engine.toml", include_str!("../../config/engine.toml")),
            venues: Document::new("venues.toml", include_str!("../../config/venues.toml")),
            limits: Document::new("limits.toml", include_str!("../../config/limits.toml")),
            strategies: vec![
                Document::new(
                    "strategies/btc_cross.toml",
                    include_str!("../../config/strategies/btc_cross.toml"),
                ),
                Document::new(
                    "strategies/eth_cross.toml",
                    include_str!("../../config/strategies/eth_cross.toml"),
                ),
            ],
        }
    }

    /// The default for playing recordings: the same as the directory `config/recorded/` of the source.
    #[must_use]
    pub fn recorded() -> Self {
        Self {
            engine: Document::new("engine.toml", include_str!("../../config/engine.toml")),
            venues: Document::new(
                "recorded/venues.toml",
                include_str!("../../config/recorded/venues.toml"),
            ),
            limits: Document::new(
                "recorded/limits.toml",
                include_str!("../../config/recorded/limits.toml"),
            ),
            strategies: vec![
                Document::new(
                    "recorded/strategies/btc_cross.toml",
                    include_str!("../../config/recorded/strategies/btc_cross.toml"),
                ),
                Document::new(
                    "recorded/strategies/eth_cross.toml",
                    include_str!("../../config/recorded/strategies/eth_cross.toml"),
                ),
            ],
        }
    }

    /// Reads a directory.
    ///
    /// # Errors
    /// All files that are missing or cannot be read.
    pub fn read(directory: &Path) -> Result<Self, ConfigError> {
        let mut report = Report::default();
        let engine = if directory.join("engine.toml").exists() {
            read_file(directory, "engine.toml", &mut report)
        } else {
            Document::new("engine.toml", "")
        };
        let venues = read_file(directory, "venues.toml", &mut report);
        let limits = read_file(directory, "limits.toml", &mut report);
        let strategies: Vec<Document> = strategy_names(directory)
            .iter()
            .map(|name| read_file(directory, &format!("strategies/{name}"), &mut report))
            .collect();
        if strategies.is_empty() {
            absent(
                "strategies",
                "has no strategy",
                "add one file a strategy, strategies/NAME.toml",
                &mut report,
            );
        }
        report.finish()?;
        Ok(Self {
            engine,
            venues,
            limits,
            strategies,
        })
    }

    /// SHA-256 over names and texts, hex.
    #[must_use]
    pub fn hash(&self) -> String {
        let mut context = digest::Context::new(&digest::SHA256);
        let files = [&self.engine, &self.venues, &self.limits];
        for document in files.into_iter().chain(&self.strategies) {
            for part in [document.file.as_ref(), document.text.as_str()] {
                context.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
                context.update(part.as_bytes());
            }
        }
        context
            .finish()
            .as_ref()
            .iter()
            .fold(String::new(), |mut hex, byte| {
                let written = write!(hex, "{byte:02x}");
                debug_assert!(written.is_ok(), "Invariant: writing to a string succeeds");
                hex
            })
    }
}

fn strategy_names(directory: &Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(directory.join("strategies"))
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| {
            Path::new(name)
                .extension()
                .is_some_and(|extension| extension == "toml")
        })
        .collect();
    names.sort();
    names
}

fn absent(file: &str, rule: impl Into<String>, cure: impl Into<String>, report: &mut Report) {
    report.add(Mistake {
        place: Document::new(file, "").place(0),
        key: "(file)".to_owned(),
        value: String::new(),
        rule: rule.into(),
        cure: cure.into(),
    });
}

fn read_file(directory: &Path, name: &str, report: &mut Report) -> Document {
    let path = directory.join(name);
    let size = std::fs::metadata(&path).map_or(0, |metadata| metadata.len());
    if size > FILE_BYTES_MAX {
        absent(
            name,
            format!("has {size} bytes, more than {FILE_BYTES_MAX}"),
            "shorten it",
            report,
        );
        return Document::new(name, "");
    }
    match std::fs::read_to_string(&path) {
        Ok(text) => Document::new(name, text),
        Err(error) => {
            let cure = format!(
                "looked for {}; config/ of the source is a complete example",
                path.display()
            );
            absent(name, format!("could not be read: {error}"), cure, report);
            Document::new(name, "")
        }
    }
}

impl Settings {
    /// Reads and checks a directory.
    ///
    /// # Errors
    /// Every mistake in every file.
    pub fn load(directory: &Path) -> Result<Self, ConfigError> {
        Self::from_files(&Files::read(directory)?)
    }

    /// The default that is compiled in.
    ///
    /// # Errors
    /// Never, as a test holds; the type keeps one path for both sources.
    pub fn embedded() -> Result<Self, ConfigError> {
        Self::from_files(&Files::embedded())
    }

    /// Checks the files.
    ///
    /// # Errors
    /// Every mistake in every file.
    pub fn from_files(files: &Files) -> Result<Self, ConfigError> {
        let mut report = Report::default();
        let engine = read_engine::read(&files.engine, &mut report);
        let venues = read_venues::read(&files.venues, &mut report);
        let limits = read_limits::read(&files.limits, &venues, &mut report);
        let strategies: Vec<StrategyDraft> = files
            .strategies
            .iter()
            .enumerate()
            .map(|(index, document)| {
                let id = StrategyId(u8::try_from(index).unwrap_or(u8::MAX));
                read_strategy::read(document, id, &venues, &mut report)
            })
            .collect();
        check::check(
            engine.as_ref(),
            &venues,
            limits.as_ref(),
            &strategies,
            &mut report,
        );
        report.finish()?;
        let venues: Option<Vec<_>> = venues.into_iter().map(|venue| venue.settings).collect();
        let strategies: Option<Vec<_>> = strategies
            .into_iter()
            .map(|strategy| strategy.settings)
            .collect();
        let (Some(engine), Some(venues), Some(limits), Some(strategies)) =
            (engine, venues, limits, strategies)
        else {
            absent(
                "(all)",
                "could not be understood",
                "this is a bug: please report it with the files",
                &mut report,
            );
            return Err(ConfigError {
                mistakes: report.mistakes,
            });
        };
        Ok(Self {
            engine,
            venues,
            limits,
            strategies,
            hash: files.hash(),
            echoes: report.echoes,
        })
    }
}
