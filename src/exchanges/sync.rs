//! Building a depth book from a snapshot and a stream of diffs, by the venue's own rule, checked on every update.
//!
//! ```text
//! diffs --(buffered)--> snapshot arrives --(first diff that bridges it)--> live --(gap)--> buffered again
//! ```
//! Two rules exist. [`SyncRule::NextId`]: ids count changes, so a diff must begin right after the last one's end.
//! [`SyncRule::PreviousId`]: ids jump, and each diff names the one before it.
//!
//! One machine serves a live feed and recordings, where the snapshot may stand before or after the diffs it bridges.

use crate::capacity::{MESSAGE_LEVELS_MAX, SYNC_BUFFER_MESSAGES_MAX};

use super::frame::{DepthIds, DepthLevels, LevelChange};
use crate::units::Side;

/// How a venue's depth ids chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncRule {
    /// Each id is one change: `first == last of the message before + 1`.
    NextId,
    /// Ids jump: `previous == last of the message before`.
    PreviousId,
}

/// How a diff follows what a book stands at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// It is the next one.
    Next,
    /// It lies wholly before: nothing to do.
    Old,
    /// Something is missing between.
    Gap,
}

/// How a diff stands to a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bridge {
    /// The snapshot contains it.
    Contained,
    /// It is the first to apply on top.
    First,
    /// The snapshot is too old: changes between are missing.
    TooOld,
}

impl SyncRule {
    /// How `ids` follows a book that stands at `last`.
    #[must_use]
    pub fn link(self, last: u64, ids: DepthIds) -> Link {
        match self {
            Self::NextId if ids.last < last => Link::Old,
            Self::NextId if ids.first > last.saturating_add(1) => Link::Gap,
            Self::NextId => Link::Next,
            Self::PreviousId if ids.previous == Some(last) => Link::Next,
            Self::PreviousId => Link::Gap,
        }
    }

    /// How `ids` stands to a snapshot at `snapshot_id`, when no earlier diff was applied on it.
    #[must_use]
    pub fn bridge(self, snapshot_id: u64, ids: DepthIds) -> Bridge {
        let (is_contained, reaches) = match self {
            Self::NextId => (
                ids.last <= snapshot_id,
                ids.first <= snapshot_id.saturating_add(1),
            ),
            Self::PreviousId => (ids.last < snapshot_id, ids.first <= snapshot_id),
        };
        if is_contained {
            Bridge::Contained
        } else if reaches {
            Bridge::First
        } else {
            Bridge::TooOld
        }
    }
}

/// What became of a diff or a snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SyncStep {
    /// A diff of a live book: apply it.
    Apply,
    /// It lies before what the book stands at: nothing to do.
    Old,
    /// Waiting: for a snapshot, or for the diff that bridges it.
    Waiting,
    /// The book is complete: take it with [`BookSync::take_built`].
    Built,
    /// The chain of a live book broke: it must not be trusted, a new snapshot is needed.
    Gap,
    /// The snapshot is too old for the diffs at hand: a newer one is needed.
    TooOld,
    /// More diffs came without a snapshot than are kept: started again, a snapshot is needed.
    Overflow,
}

/// How much is kept a book while it waits for its snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SyncBounds {
    /// Diffs.
    pub diffs_max: usize,
    /// Their levels, both sides together.
    pub levels_max: usize,
}

impl SyncBounds {
    /// For a live feed, where a snapshot is an HTTP request away.
    pub const LIVE: Self = Self {
        diffs_max: SYNC_BUFFER_MESSAGES_MAX,
        levels_max: 64 * MESSAGE_LEVELS_MAX,
    };
    /// For recordings, whose snapshot may stand at the end.
    pub const RECORDED: Self = Self {
        diffs_max: 64 * SYNC_BUFFER_MESSAGES_MAX,
        levels_max: 512 * MESSAGE_LEVELS_MAX,
    };
}

/// One step of a built book: the snapshot first, then each diff on top of it.
#[derive(Debug, Clone, Copy)]
pub struct BuiltPart<'a> {
    /// True for the snapshot.
    pub is_snapshot: bool,
    /// What the book stands at afterwards.
    pub update_id: u64,
    /// Bid levels.
    pub bids: &'a [LevelChange],
    /// Ask levels.
    pub asks: &'a [LevelChange],
}

impl BuiltPart<'_> {
    /// All levels, bids first.
    pub fn iter(&self) -> impl Iterator<Item = (Side, LevelChange)> + '_ {
        let bids = self.bids.iter().map(|level| (Side::Buy, *level));
        bids.chain(self.asks.iter().map(|level| (Side::Sell, *level)))
    }
}

/// A diff that waits; its levels end at these places of the common buffer.
#[derive(Debug, Clone, Copy)]
struct KeptDiff {
    ids: DepthIds,
    bids_end: usize,
    asks_end: usize,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waiting,
    Live,
}

/// The synchronisation of one book.
#[derive(Debug, Clone)]
pub struct BookSync {
    rule: SyncRule,
    bounds: SyncBounds,
    state: State,
    /// Last id of the diff seen last, in either state.
    tail: Option<u64>,
    snapshot: Option<u64>,
    snapshot_levels: DepthLevels,
    kept: Vec<KeptDiff>,
    kept_levels: DepthLevels,
    /// First kept diff to apply, once built.
    built_from: usize,
    gaps: u64,
}

impl BookSync {
    /// Nothing known yet.
    #[must_use]
    pub fn new(rule: SyncRule, bounds: SyncBounds) -> Self {
        Self {
            rule,
            bounds,
            state: State::Waiting,
            tail: None,
            snapshot: None,
            snapshot_levels: DepthLevels::default(),
            kept: Vec::new(),
            kept_levels: DepthLevels::default(),
            built_from: 0,
            gaps: 0,
        }
    }

    /// True while diffs apply directly.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.state == State::Live
    }

    /// True when a snapshot would help: diffs wait and none is at hand.
    #[must_use]
    pub fn wants_snapshot(&self) -> bool {
        self.state == State::Waiting && self.tail.is_some() && self.snapshot.is_none()
    }

    /// How often the chain of diffs broke, live or waiting.
    #[must_use]
    pub const fn gaps(&self) -> u64 {
        self.gaps
    }

    /// Forgets everything: another connection, or events lost on our side.
    pub fn restart(&mut self) {
        self.state = State::Waiting;
        self.tail = None;
        self.snapshot = None;
        self.forget_kept();
    }

    fn forget_kept(&mut self) {
        self.kept.clear();
        self.kept_levels.clear();
        self.built_from = 0;
    }

    /// Takes one diff.
    #[inline]
    pub fn on_diff(&mut self, ids: DepthIds, levels: &DepthLevels) -> SyncStep {
        let link = self
            .tail
            .map_or(Link::Next, |last| self.rule.link(last, ids));
        match (self.state, link) {
            (_, Link::Old) => SyncStep::Old,
            (State::Live, Link::Next) => {
                self.tail = Some(ids.last);
                SyncStep::Apply
            }
            (State::Live, Link::Gap) => {
                self.gaps += 1;
                self.restart();
                self.keep(ids, levels);
                SyncStep::Gap
            }
            (State::Waiting, Link::Next) => self.wait(ids, levels),
            (State::Waiting, Link::Gap) => {
                self.gaps += 1;
                self.forget_kept();
                self.wait(ids, levels)
            }
        }
    }

    fn wait(&mut self, ids: DepthIds, levels: &DepthLevels) -> SyncStep {
        let levels_kept = self.kept_levels.len() + levels.len();
        if self.kept.len() >= self.bounds.diffs_max || levels_kept > self.bounds.levels_max {
            self.restart();
            self.keep(ids, levels);
            return SyncStep::Overflow;
        }
        self.keep(ids, levels);
        self.build()
    }

    fn keep(&mut self, ids: DepthIds, levels: &DepthLevels) {
        self.tail = Some(ids.last);
        self.kept_levels.bids.extend_from_slice(&levels.bids);
        self.kept_levels.asks.extend_from_slice(&levels.asks);
        let (bids_end, asks_end) = (self.kept_levels.bids.len(), self.kept_levels.asks.len());
        self.kept.push(KeptDiff {
            ids,
            bids_end,
            asks_end,
        });
    }

    /// Takes a snapshot; its levels are taken out of `levels`.
    pub fn on_snapshot(&mut self, update_id: u64, levels: &mut DepthLevels) -> SyncStep {
        if self.is_live() || self.snapshot.is_some_and(|at_hand| at_hand >= update_id) {
            return SyncStep::Old;
        }
        self.snapshot = Some(update_id);
        std::mem::swap(&mut self.snapshot_levels, levels);
        self.build()
    }

    fn build(&mut self) -> SyncStep {
        let Some(snapshot) = self.snapshot else {
            return SyncStep::Waiting;
        };
        let first = self
            .kept
            .iter()
            .enumerate()
            .map(|(index, diff)| (index, self.rule.bridge(snapshot, diff.ids)))
            .find(|(_, bridge)| *bridge != Bridge::Contained);
        match first {
            None => {
                self.forget_kept();
                SyncStep::Waiting
            }
            Some((index, Bridge::First)) => {
                self.built_from = index;
                self.state = State::Live;
                SyncStep::Built
            }
            Some((_, Bridge::TooOld | Bridge::Contained)) => {
                self.snapshot = None;
                SyncStep::TooOld
            }
        }
    }

    /// Gives out a book that was just [`SyncStep::Built`]: the snapshot, then each diff. Returns the id it stands at.
    pub fn take_built(&mut self, mut part: impl FnMut(BuiltPart<'_>)) -> u64 {
        let snapshot = self.snapshot.take().unwrap_or_default();
        part(BuiltPart {
            is_snapshot: true,
            update_id: snapshot,
            bids: &self.snapshot_levels.bids,
            asks: &self.snapshot_levels.asks,
        });
        let (mut bids_start, mut asks_start) = (0, 0);
        for (index, diff) in self.kept.iter().enumerate() {
            if index >= self.built_from {
                part(BuiltPart {
                    is_snapshot: false,
                    update_id: diff.ids.last,
                    bids: self
                        .kept_levels
                        .bids
                        .get(bids_start..diff.bids_end)
                        .unwrap_or_default(),
                    asks: self
                        .kept_levels
                        .asks
                        .get(asks_start..diff.asks_end)
                        .unwrap_or_default(),
                });
            }
            (bids_start, asks_start) = (diff.bids_end, diff.asks_end);
        }
        self.snapshot_levels.clear();
        self.forget_kept();
        self.tail.unwrap_or(snapshot)
    }
}

#[cfg(test)]
mod tests;
