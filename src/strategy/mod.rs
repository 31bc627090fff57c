//! Strategies: pure functions from books to intents. They know no venue, no clock and no risk limit.
//!
//! Adding one: a file beside [`cross_venue`], a variant and a line in each match of [`Strategy`], and its parameters in
//! [`params`]. The set is closed, so the compiler names every place that must know it.

pub mod cross_venue;
pub mod edge;
pub mod fees;
pub mod pace;
pub mod params;
pub mod routes;
pub mod signal;
pub mod sizing;

pub use cross_venue::{CrossVenue, Inventory};
pub use params::CrossVenueParams;
pub use routes::StrategyError;
pub use signal::{Evaluation, Outcome, Pass, Route, StrategyCounters};

use crate::market::{Books, InstrumentId};
use crate::trade::StrategyId;
use crate::units::MonoNanos;

/// Every strategy there is.
#[derive(Debug, Clone)]
pub enum Strategy {
    /// Buy at one venue, sell at another.
    CrossVenue(CrossVenue),
}

impl Strategy {
    /// Its id.
    #[must_use]
    pub const fn id(&self) -> StrategyId {
        match self {
            Self::CrossVenue(strategy) => strategy.id(),
        }
    }
    /// Its configured name.
    #[must_use]
    pub fn name(&self) -> &str {
        match self {
            Self::CrossVenue(strategy) => &strategy.params().name,
        }
    }
    /// Kind as in a configuration file.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::CrossVenue(_) => "cross_exchange",
        }
    }
    /// One book ended a batch.
    #[inline]
    pub fn on_batch(
        &mut self,
        changed: InstrumentId,
        books: &Books,
        inventory: &Inventory<'_>,
        now: MonoNanos,
    ) -> Evaluation {
        match self {
            Self::CrossVenue(strategy) => strategy.on_batch(changed, books, inventory, now),
        }
    }
    /// The set just taken was not sent.
    pub fn on_set_refused(&mut self) {
        match self {
            Self::CrossVenue(strategy) => strategy.on_set_refused(),
        }
    }
    /// A set of it ended.
    pub fn on_set_done(&mut self) {
        match self {
            Self::CrossVenue(strategy) => strategy.on_set_done(),
        }
    }
    /// A set of it broke.
    pub fn on_set_broken(&mut self, now: MonoNanos) {
        match self {
            Self::CrossVenue(strategy) => strategy.on_set_broken(now),
        }
    }
    /// A person says it may trade again.
    pub fn rearm(&mut self) {
        match self {
            Self::CrossVenue(strategy) => strategy.rearm(),
        }
    }
    /// True when its own breaker stopped it.
    #[must_use]
    pub const fn is_halted(&self) -> bool {
        match self {
            Self::CrossVenue(strategy) => strategy.is_halted(),
        }
    }
    /// What it has seen.
    #[must_use]
    pub const fn counters(&self) -> &StrategyCounters {
        match self {
            Self::CrossVenue(strategy) => strategy.counters(),
        }
    }
    /// Every route that may trade, with how its last evaluation ended.
    pub fn routes(&self) -> impl Iterator<Item = (Route, Outcome)> + '_ {
        match self {
            Self::CrossVenue(strategy) => strategy.routes(),
        }
    }
}
