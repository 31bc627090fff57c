//! Watches `limits.toml`: what is tighter is in force within a moment of being saved. What is looser waits for two people
//! (`arbalest risk reload`), and mistakes leave everything as it was (RISK.md 2.5).

use std::sync::Arc;
use std::time::Duration;

use actix::prelude::Addr;
use notify::{RecursiveMode, Watcher};
use tokio::sync::watch;

use crate::clock::{Clock, OsClock};
use crate::config::reload::{LimitsSource, ReadAgain, ReloadError};
use crate::engine::alerts::Note;
use crate::market::Catalogue;
use crate::prng::secret_bytes;
use crate::risk::Severity;
use crate::risk::{
    Hex32, Limits, LimitsProposed, OperatorCommand, OperatorDone, OperatorRefusal, Person, Role,
};

use super::board::Board;
use super::risk::{Operator, RiskSeat};

/// Editors write a file in several steps: it is read when nothing happened for this long.
const DEBOUNCE: Duration = Duration::from_millis(200);

/// The name under which a saved file asks. It can tighten and never confirm.
const FILE: &str = "limits.toml";

/// Ends the watch when it is dropped.
#[derive(Debug)]
pub struct LimitsWatch {
    _watcher: notify::RecommendedWatcher,
}

/// What a watch needs.
pub(super) struct WatchParts {
    pub(super) source: LimitsSource,
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) risk: Addr<RiskSeat>,
    pub(super) board: Arc<Board>,
    pub(super) clock: OsClock,
}

/// Watches the directory, not the file: editors replace files.
pub(super) fn watch(parts: WatchParts) -> Result<LimitsWatch, notify::Error> {
    let (changed, mut changes) = watch::channel(());
    // The file may have been saved since it was read for the start.
    changes.mark_changed();
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        let about_limits = event.as_ref().map_or(true, |event| {
            !event.kind.is_access()
                && event
                    .paths
                    .iter()
                    .any(|path| path.file_name().is_some_and(|name| name == FILE))
        });
        if about_limits {
            changed.send_replace(());
        }
    })?;
    watcher.watch(parts.source.directory(), RecursiveMode::NonRecursive)?;
    actix::spawn(async move {
        while changes.changed().await.is_ok() {
            while let Ok(Ok(())) = tokio::time::timeout(DEBOUNCE, changes.changed()).await {}
            if !parts.propose().await {
                return;
            }
        }
    });
    Ok(LimitsWatch { _watcher: watcher })
}

impl WatchParts {
    /// Reads and proposes. False when the risk seat is gone.
    async fn propose(&self) -> bool {
        let (source, catalogue) = (self.source.clone(), Arc::clone(&self.catalogue));
        let read = tokio::task::spawn_blocking(move || source.read(&catalogue)).await;
        match read {
            Ok(Ok(ReadAgain {
                limits,
                need_restart,
            })) => {
                if !need_restart.is_empty() {
                    let names = need_restart.join(", ");
                    self.warn(format!("changed, but not read before a restart: {names}"));
                }
                self.ask(limits).await
            }
            Ok(Err(error)) => {
                self.refused(&error);
                true
            }
            Err(error) => {
                tracing::error!("limits.toml could not be read: {error}");
                true
            }
        }
    }

    async fn ask(&self, limits: Limits) -> bool {
        let Ok(token) = secret_bytes().map(Hex32) else {
            self.warn("no random numbers: the limits in force stay".to_owned());
            return true;
        };
        let command = OperatorCommand::ProposeLimits {
            limits: Arc::new(limits),
            by: Person::new(FILE, Role::Admin),
            reason: "the file was saved".to_owned(),
            token,
        };
        match self.risk.send(Operator(command)).await {
            Ok(Ok(OperatorDone::LimitsProposed(done))) => self.tell(&done),
            Ok(Ok(_) | Err(OperatorRefusal::SameLimits)) => {}
            Ok(Err(refusal)) => self.warn(format!("limits.toml: {refusal}")),
            Err(_gone) => return false,
        }
        true
    }

    fn tell(&self, done: &LimitsProposed) {
        if !done.waiting.is_empty() {
            self.warn(format!(
                "looser limits wait for two people (arbalest risk reload): {}",
                done.waiting.join(", ")
            ));
        }
    }

    fn refused(&self, error: &ReloadError) {
        self.warn(format!("limits.toml: {error}"));
    }

    fn warn(&self, text: String) {
        warn(&self.board, &self.clock, text);
    }
}

/// Tells people about the file.
pub(super) fn warn(board: &Board, clock: &OsClock, text: String) {
    tracing::warn!("{text}");
    board.add_alert(Note {
        at: clock.now_unix(),
        severity: Severity::Warning,
        kind: "limits_file".to_owned(),
        scope: "portfolio".to_owned(),
        raised: true,
        text,
    });
}
