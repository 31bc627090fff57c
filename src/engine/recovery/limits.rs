//! The limits that a start begins with: the file's, but never looser than those that were last in force (RISK.md 2.5). Else a
//! restart would do what a reload needs two people for.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::market::Catalogue;
use crate::risk::{Direction, LimitChange, Limits};

/// What a start begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartLimits {
    /// In force: each limit the tighter of both.
    pub limits: Arc<Limits>,
    /// What the file loosened: not in force until two people confirm it.
    pub waiting: Vec<LimitChange>,
}

impl StartLimits {
    /// `file` is what the file says now, `kept` what was in force when the journal ended; `None` at the first start, which has
    /// nothing to compare with.
    ///
    /// # Errors
    /// Every kept value that cannot be understood.
    pub fn new(
        file: &Arc<Limits>,
        kept: Option<&BTreeMap<String, String>>,
        catalogue: &Catalogue,
    ) -> Result<Self, Vec<String>> {
        let Some(kept) = kept else {
            return Ok(Self {
                limits: Arc::clone(file),
                waiting: Vec::new(),
            });
        };
        let (limits, changes) = file.as_kept(kept, catalogue)?.tightened(file, catalogue);
        let looser = |change: &LimitChange| change.direction != Direction::Tighter;
        Ok(Self {
            limits: Arc::new(limits),
            waiting: changes.into_iter().filter(looser).collect(),
        })
    }

    /// For people; `None` when nothing waits.
    #[must_use]
    pub fn told(&self) -> Option<String> {
        let one = |change: &LimitChange| {
            format!(
                "{} stays {} (the file says {})",
                change.key, change.old, change.new
            )
        };
        let all: Vec<String> = self.waiting.iter().map(one).collect();
        (!all.is_empty()).then(|| {
            format!(
                "limits.toml is looser than what was in force when the engine last ran; two people \
                 confirm it (arbalest risk reload): {}",
                all.join(", ")
            )
        })
    }
}
