//! The limits in force in the journal: written whole at each start and change, read back at the next start (RISK.md 2.5).

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::risk::Limits;

use super::line::Line;
use super::record::{Names, Record};

impl Names<'_> {
    /// All limits as they are in force now.
    #[must_use]
    pub fn limits_in_force(&self, limits: &Limits) -> Record {
        Record::LimitsInForce {
            limits: limits.values(self.catalogue).into_iter().collect(),
        }
    }
}

/// What a `limits_in_force` line says.
///
/// # Errors
/// It is no such line.
pub fn kept_limits(line: &Line) -> Result<BTreeMap<String, String>, serde_json::Error> {
    #[derive(Deserialize)]
    struct Kept {
        limits: BTreeMap<String, String>,
    }
    serde_json::from_str::<Kept>(&line.text).map(|kept| kept.limits)
}
