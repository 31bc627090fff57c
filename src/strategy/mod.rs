//! Strategies: pure functions from books to intents. They know no venue, no clock and no risk limit.
//!
//! Adding one: a file beside [`cross_venue`] with a type that is a [`Strategy`], its parameters in [`params`], and one line
//! in [`build`].

pub mod basis;
pub mod cross_venue;
pub mod edge;
pub mod fees;
pub mod inventory;
pub mod pace;
pub mod params;
pub mod pass;
pub mod routes;
pub mod schedule;
pub mod sets;
pub mod signal;
pub mod sizing;
pub mod triangular;

pub use basis::SpotPerpBasis;
pub use cross_venue::CrossVenue;
pub use inventory::{Inventory, MarginRoom};
pub use params::{
    BasisDirection, BasisParams, CommonParams, Conversion, CrossVenueParams, CycleChoice, DaySpan,
    ExitStyle, FeeAsset, FeeTaken, InventoryTargets, LegOrder, SizeSearch, StrategyParams,
    TriangularParams,
};
pub use routes::StrategyError;
pub use signal::{
    EdgeEnd, EdgeSeen, EdgeSink, Evaluation, Outcome, Pass, Route, RouteId, StrategyCounters,
};
pub use triangular::Triangular;

use crate::market::{Books, Catalogue, InstrumentId};
use crate::trade::StrategyId;
use crate::units::{MonoNanos, Notional, Ppm, UnixNanos};

/// A way to trade. The signal seat calls it; it answers at once, and never waits, allocates, logs or reads a clock.
///
/// The engine promises: [`Self::on_batch`] is called at the end of every batch that changed the best price of one of
/// [`Self::watched`]; a set that it takes is followed by exactly one [`Self::on_set_refused`] (the gate said no, or it
/// could not be handed over) or [`Self::on_set_done`], and before the latter by at most one [`Self::on_set_broken`].
pub trait Strategy: std::fmt::Debug + Send {
    /// Its id: its index in the configuration.
    fn id(&self) -> StrategyId;
    /// Its configured name.
    fn name(&self) -> &str;
    /// Kind as in a configuration file.
    fn kind(&self) -> &'static str;
    /// The instruments it may trade.
    fn instruments(&self) -> &[InstrumentId];
    /// The instruments whose books it looks at: those that it trades, and what it needs to price them.
    fn watched(&self) -> &[InstrumentId] {
        self.instruments()
    }
    /// The wall instant at zero of our clock, told before the first batch and whenever the two drift apart.
    fn on_clock(&mut self, _zero: UnixNanos) {}
    /// Largest value of one leg at its limit price on the instrument's grid; `None` leaves it to the limits.
    fn order_notional_max(&self) -> Option<Notional> {
        None
    }
    /// Least net edge it asks for, for people; `None` when it has no such number.
    fn min_net_edge(&self) -> Option<Ppm> {
        None
    }
    /// True when its net edge on a route of two legs is that of both touches less the taker fees, so that the best one below
    /// the minimum can be told too.
    fn has_touch_edge(&self) -> bool {
        false
    }
    /// One book ended a batch.
    fn on_batch(
        &mut self,
        changed: InstrumentId,
        books: &Books,
        inventory: &Inventory<'_>,
        now: MonoNanos,
        edges: &mut dyn EdgeSink,
    ) -> Evaluation;
    /// The set just taken was not sent.
    fn on_set_refused(&mut self);
    /// A set of it ended.
    fn on_set_done(&mut self);
    /// A set of it broke.
    fn on_set_broken(&mut self, now: MonoNanos);
    /// A person says it may trade again.
    fn rearm(&mut self);
    /// True when its own breaker stopped it.
    fn is_halted(&self) -> bool;
    /// What it has seen.
    fn counters(&self) -> &StrategyCounters;
    /// How many routes there are; ids are below it, some may be denied.
    fn route_count(&self) -> usize;
    /// A route that may trade, with how its last evaluation ended; `None` when it may not, or there is none of that number.
    fn route(&self, id: RouteId) -> Option<(Route, Outcome)>;
}

impl<'s> dyn Strategy + 's {
    /// Every route that may trade, with how its last evaluation ended.
    pub fn routes(&self) -> impl Iterator<Item = (Route, Outcome)> + '_ {
        let ids = (0..self.route_count()).filter_map(|index| u16::try_from(index).ok());
        ids.filter_map(|index| self.route(RouteId(index)))
    }
}

/// The registry: a strategy of the configuration, ready to look at books.
///
/// # Errors
/// [`StrategyError`] when its instruments cannot be traded together.
pub fn build(
    params: StrategyParams,
    catalogue: &Catalogue,
) -> Result<Box<dyn Strategy>, StrategyError> {
    Ok(match params {
        StrategyParams::CrossVenue(params) => Box::new(CrossVenue::new(params, catalogue)?),
        StrategyParams::Triangular(params) => Box::new(Triangular::new(params, catalogue)?),
        StrategyParams::SpotPerpBasis(params) => Box::new(SpotPerpBasis::new(params, catalogue)?),
    })
}
