//! Counts by a fixed word: plain cells owned by one seat, published as a copy.

use serde::ser::{Serialize, SerializeMap, Serializer};

/// Counts by label. The labels are fixed words of an enum, never text from outside, so there are few of them:
/// adding is a short linear search, and it allocates only when a label is seen for the first time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts {
    cells: Vec<(&'static str, u64)>,
}

impl Counts {
    /// Nothing counted.
    #[must_use]
    pub const fn new() -> Self {
        Self { cells: Vec::new() }
    }
    /// Every given label at zero, so that it is exported before it first happens and adding never allocates.
    #[must_use]
    pub fn of(labels: &[&'static str]) -> Self {
        Self {
            cells: labels.iter().map(|label| (*label, 0)).collect(),
        }
    }
    /// One more.
    pub fn increment(&mut self, label: &'static str) {
        self.add(label, 1);
    }
    /// `count` more.
    pub fn add(&mut self, label: &'static str, count: u64) {
        match self.cells.iter_mut().find(|(known, _)| *known == label) {
            Some((_, cell)) => *cell = cell.saturating_add(count),
            None => self.cells.push((label, count)),
        }
    }
    /// Replaces the count of one label.
    pub fn set(&mut self, label: &'static str, count: u64) {
        match self.cells.iter_mut().find(|(known, _)| *known == label) {
            Some((_, cell)) => *cell = count,
            None => self.cells.push((label, count)),
        }
    }
    /// The count of one label; zero when never seen.
    #[must_use]
    pub fn get(&self, label: &str) -> u64 {
        self.cells
            .iter()
            .find(|(known, _)| *known == label)
            .map_or(0, |(_, count)| *count)
    }
    /// Over all labels.
    #[must_use]
    pub fn sum(&self) -> u64 {
        self.cells.iter().map(|(_, count)| *count).sum()
    }
    /// In the order first seen.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, u64)> {
        self.cells.iter().copied()
    }
}

impl Serialize for Counts {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.cells.len()))?;
        for (label, count) in &self.cells {
            map.serialize_entry(label, count)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_by_word() {
        let mut counts = Counts::of(&["taken"]);
        counts.increment("taken");
        counts.add("stale_book", 3);
        counts.set("stale_book", 5);
        assert_eq!(
            (counts.get("taken"), counts.get("never"), counts.sum()),
            (1, 0, 6)
        );
        assert_eq!(
            serde_json::to_string(&counts).unwrap(),
            r#"{"taken":1,"stale_book":5}"#
        );
    }
}
