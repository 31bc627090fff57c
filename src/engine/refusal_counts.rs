//! How often the gate refused, by strategy and code.

use crate::risk::Refusal;

/// Refusals of the gate by strategy and code. Flat lists made at start: counting never allocates.
#[derive(Debug, Clone)]
pub struct RefusalCounts {
    by_strategy: Vec<Vec<(&'static str, u64)>>,
}

impl RefusalCounts {
    pub(super) fn new(strategies: usize) -> Self {
        let rows: Vec<(&'static str, u64)> =
            Refusal::ROWS.iter().map(|row| (row.code, 0)).collect();
        Self {
            by_strategy: vec![rows; strategies],
        }
    }
    pub(super) fn count(&mut self, strategy: usize, refusal: &Refusal) {
        let code = refusal.row().code;
        let row = self
            .by_strategy
            .get_mut(strategy)
            .and_then(|rows| rows.iter_mut().find(|(known, _)| *known == code));
        if let Some((_, count)) = row {
            *count += 1;
        }
    }
    /// Codes that refused one strategy at least once.
    pub fn of(&self, strategy: usize) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        let rows = self.by_strategy.get(strategy).into_iter().flatten();
        rows.copied().filter(|(_, count)| *count > 0)
    }
    /// Codes that refused at least once, over all strategies.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> + '_ {
        Refusal::ROWS.iter().filter_map(|row| {
            let rows = self.by_strategy.iter().flatten();
            let count = rows
                .filter(|(code, _)| *code == row.code)
                .map(|(_, count)| count)
                .sum();
            (count > 0).then_some((row.code, count))
        })
    }
}
