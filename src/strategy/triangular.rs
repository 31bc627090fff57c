//! Goes around a cycle of pairs on one venue: the `triangular` strategy.

use crate::market::{Books, Catalogue, InstrumentId};
use crate::trade::StrategyId;
use crate::units::MonoNanos;

use super::Strategy;
use super::cross_venue::Inventory;
use super::params::TriangularParams;
use super::routes::StrategyError;
use super::signal::{EdgeSink, Evaluation, Outcome, Route, RouteId, StrategyCounters};

/// One strategy.
#[derive(Debug, Clone)]
pub struct Triangular {
    params: TriangularParams,
    instruments: Vec<InstrumentId>,
    halted: bool,
    counters: StrategyCounters,
}

impl Triangular {
    /// A strategy with the given parameters.
    ///
    /// # Errors
    /// [`StrategyError`] when its instruments cannot be traded together.
    pub fn new(params: TriangularParams, _catalogue: &Catalogue) -> Result<Self, StrategyError> {
        Ok(Self {
            instruments: Vec::new(),
            params,
            halted: false,
            counters: StrategyCounters::default(),
        })
    }
}

impl Strategy for Triangular {
    fn id(&self) -> StrategyId {
        self.params.common.id
    }
    fn name(&self) -> &str {
        &self.params.common.name
    }
    fn kind(&self) -> &'static str {
        "triangular"
    }
    fn instruments(&self) -> &[InstrumentId] {
        &self.instruments
    }
    fn on_batch(
        &mut self,
        _changed: InstrumentId,
        _books: &Books,
        _inventory: &Inventory<'_>,
        _now: MonoNanos,
        _edges: &mut dyn EdgeSink,
    ) -> Evaluation {
        Evaluation::Nothing
    }
    fn on_set_refused(&mut self) {}
    fn on_set_done(&mut self) {}
    fn on_set_broken(&mut self, _now: MonoNanos) {}
    fn rearm(&mut self) {
        self.halted = false;
    }
    fn is_halted(&self) -> bool {
        self.halted
    }
    fn counters(&self) -> &StrategyCounters {
        &self.counters
    }
    fn route_count(&self) -> usize {
        0
    }
    fn route(&self, _id: RouteId) -> Option<(Route, Outcome)> {
        None
    }
}
