//! Which cycles there are: found from the instruments of one venue, or given as paths of assets. Decided once, at start.

use std::collections::BTreeSet;

use crate::capacity::{CYCLES_MAX, LEGS_MAX};
use crate::market::{
    Catalogue, Instrument, InstrumentId, InstrumentKind, InstrumentStatus, VenueId,
};
use crate::units::{Asset, Side};

/// One way around.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cycle {
    /// Where it begins and ends.
    pub start: Asset,
    /// Its legs in order: each spends what the one before yields.
    pub legs: Vec<(InstrumentId, Side)>,
}

/// Why cycles cannot be watched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CycleError {
    /// Two assets that follow each other in a path have no pair.
    #[error("venue had no spot pair of {from} and {to}")]
    NoPair {
        /// What would be spent.
        from: Asset,
        /// What would be bought.
        to: Asset,
    },
    /// A path of fewer than 3 or more than the allowed legs.
    #[error("path had {legs} legs, not 3 to {legs_max}")]
    Length {
        /// Its legs.
        legs: usize,
        /// Most.
        legs_max: usize,
    },
    /// A path that does not begin at a start asset.
    #[error("path began at {0}, which was no start asset")]
    Start(Asset),
    /// A path that comes to an asset twice.
    #[error("path came to {0} twice")]
    Repeats(Asset),
    /// More cycles than there is room for: fewer legs or fewer assets are needed.
    #[error("cycles were more than {CYCLES_MAX}")]
    TooMany,
    /// Nothing to watch.
    #[error("venue had no cycle through a start asset")]
    None,
}

impl CycleError {
    /// Fixed short word.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::NoPair { .. } => "no_pair",
            Self::Length { .. } => "path_length",
            Self::Start(_) => "path_start",
            Self::Repeats(_) => "path_repeats",
            Self::TooMany => "too_many_cycles",
            Self::None => "no_cycle",
        }
    }
}

/// The spot pairs of a venue as a graph: assets are nodes, and each pair is an edge both ways.
#[derive(Debug)]
pub struct Pairs {
    assets: Vec<Asset>,
    /// By asset: where a leg leads, with the leg; in order of asset, then of instrument.
    ways: Vec<Vec<(usize, InstrumentId, Side)>>,
}

impl Pairs {
    /// The pairs of `venue` that trade and that `may` go over.
    pub fn new(catalogue: &Catalogue, venue: VenueId, may: impl Fn(Asset) -> bool) -> Self {
        let usable = |instrument: &&Instrument| {
            instrument.kind() == InstrumentKind::Spot
                && instrument.status == InstrumentStatus::Trading
                && instrument.symbol.base != instrument.symbol.quote
                && may(instrument.symbol.base)
                && may(instrument.symbol.quote)
        };
        let pairs = || catalogue.at_venue(venue).filter(usable);
        let assets: BTreeSet<Asset> = pairs()
            .flat_map(|pair| [pair.symbol.base, pair.symbol.quote])
            .collect();
        let mut graph = Self {
            ways: vec![Vec::new(); assets.len()],
            assets: assets.into_iter().collect(),
        };
        for pair in pairs() {
            let (base, quote) = (
                graph.index(pair.symbol.base),
                graph.index(pair.symbol.quote),
            );
            if let (Some(base), Some(quote)) = (base, quote) {
                graph.add(base, quote, pair.id, Side::Sell);
                graph.add(quote, base, pair.id, Side::Buy);
            }
        }
        for ways in &mut graph.ways {
            ways.sort_unstable();
        }
        graph
    }

    fn add(&mut self, from: usize, to: usize, instrument: InstrumentId, side: Side) {
        if let Some(ways) = self.ways.get_mut(from) {
            ways.push((to, instrument, side));
        }
    }

    fn index(&self, asset: Asset) -> Option<usize> {
        self.assets.binary_search(&asset).ok()
    }

    fn ways(&self, from: usize) -> &[(usize, InstrumentId, Side)] {
        self.ways.get(from).map_or(&[], Vec::as_slice)
    }

    /// Every simple cycle of 3 to `legs_max` legs through each start asset, both directions, by start asset in the order
    /// given, then by the assets passed in alphabetical order.
    ///
    /// # Errors
    /// [`CycleError`] when there are too many or none.
    pub fn discover(&self, starts: &[Asset], legs_max: usize) -> Result<Vec<Cycle>, CycleError> {
        let mut found = Vec::new();
        for asset in starts {
            let Some(start) = self.index(*asset) else {
                continue;
            };
            let mut walk = Walk {
                pairs: self,
                start,
                distance: self.distances(start),
                legs_max: legs_max.min(LEGS_MAX),
                passed: vec![start],
                legs: Vec::with_capacity(LEGS_MAX),
                found: &mut found,
            };
            walk.step_from(start)?;
        }
        if found.is_empty() {
            return Err(CycleError::None);
        }
        Ok(found)
    }

    /// Fewest legs from each asset back to the start: nothing further away than the legs left is looked at.
    fn distances(&self, start: usize) -> Vec<usize> {
        let mut distance = vec![usize::MAX; self.assets.len()];
        let mut reached = vec![start];
        let mut legs = 0;
        while !reached.is_empty() {
            let mut next = Vec::new();
            for place in reached {
                if let Some(slot) = distance.get_mut(place).filter(|slot| **slot == usize::MAX) {
                    *slot = legs;
                    next.extend(self.ways(place).iter().map(|(to, _, _)| *to));
                }
            }
            reached = next;
            legs += 1;
        }
        distance
    }

    /// The cycle of a given path of assets; it returns to its first by itself.
    ///
    /// # Errors
    /// [`CycleError`] that says what is wrong with it.
    pub fn path(
        &self,
        path: &[Asset],
        starts: &[Asset],
        legs_max: usize,
    ) -> Result<Cycle, CycleError> {
        let legs_max = legs_max.min(LEGS_MAX);
        let start = match path.first() {
            Some(start) if (3..=legs_max).contains(&path.len()) => *start,
            Some(_) | None => {
                return Err(CycleError::Length {
                    legs: path.len(),
                    legs_max,
                });
            }
        };
        if !starts.contains(&start) {
            return Err(CycleError::Start(start));
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = path.iter().find(|asset| !seen.insert(**asset)) {
            return Err(CycleError::Repeats(*twice));
        }
        let after = path.iter().skip(1).chain(path.first());
        let mut legs = Vec::with_capacity(path.len());
        for (from, to) in path.iter().zip(after) {
            let missing = CycleError::NoPair {
                from: *from,
                to: *to,
            };
            let (from, to) = (
                self.index(*from).ok_or(missing)?,
                self.index(*to).ok_or(missing)?,
            );
            let mut ways = self.ways(from).iter();
            let (_, instrument, side) = ways.find(|(other, _, _)| *other == to).ok_or(missing)?;
            legs.push((*instrument, *side));
        }
        Ok(Cycle { start, legs })
    }
}

/// A depth-first walk from one start asset.
#[derive(Debug)]
struct Walk<'a> {
    pairs: &'a Pairs,
    start: usize,
    distance: Vec<usize>,
    legs_max: usize,
    passed: Vec<usize>,
    legs: Vec<(InstrumentId, Side)>,
    found: &'a mut Vec<Cycle>,
}

impl Walk<'_> {
    fn step_from(&mut self, place: usize) -> Result<(), CycleError> {
        for (to, instrument, side) in self.pairs.ways(place) {
            let legs = self.legs.len() + 1;
            if *to == self.start {
                if legs >= 3 {
                    self.legs.push((*instrument, *side));
                    self.keep()?;
                    self.legs.pop();
                }
                continue;
            }
            let back = self.distance.get(*to).copied().unwrap_or(usize::MAX);
            if legs.saturating_add(back) > self.legs_max || self.passed.contains(to) {
                continue;
            }
            self.legs.push((*instrument, *side));
            self.passed.push(*to);
            self.step_from(*to)?;
            self.passed.pop();
            self.legs.pop();
        }
        Ok(())
    }

    fn keep(&mut self) -> Result<(), CycleError> {
        if self.found.len() >= CYCLES_MAX {
            return Err(CycleError::TooMany);
        }
        if let Some(start) = self.pairs.assets.get(self.start) {
            self.found.push(Cycle {
                start: *start,
                legs: self.legs.clone(),
            });
        }
        Ok(())
    }
}
