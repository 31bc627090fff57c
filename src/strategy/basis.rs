//! Holds spot against a perpetual while the basis and its funding pay for it: the `spot_perp_basis` strategy.

use crate::market::{Books, Catalogue, InstrumentId};
use crate::trade::StrategyId;
use crate::units::MonoNanos;

use super::Strategy;
use super::cross_venue::Inventory;
use super::params::BasisParams;
use super::routes::StrategyError;
use super::signal::{EdgeSink, Evaluation, Outcome, Route, RouteId, StrategyCounters};

/// One strategy.
#[derive(Debug, Clone)]
pub struct SpotPerpBasis {
    params: BasisParams,
    instruments: Vec<InstrumentId>,
    halted: bool,
    counters: StrategyCounters,
}

impl SpotPerpBasis {
    /// A strategy with the given parameters.
    ///
    /// # Errors
    /// [`StrategyError`] when its instruments cannot be traded together.
    pub fn new(params: BasisParams, _catalogue: &Catalogue) -> Result<Self, StrategyError> {
        Ok(Self {
            instruments: vec![params.spot, params.perp],
            params,
            halted: false,
            counters: StrategyCounters::default(),
        })
    }
}

impl Strategy for SpotPerpBasis {
    fn id(&self) -> StrategyId {
        self.params.common.id
    }
    fn name(&self) -> &str {
        &self.params.common.name
    }
    fn kind(&self) -> &'static str {
        "spot_perp_basis"
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
