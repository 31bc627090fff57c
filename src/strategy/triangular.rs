//! Goes around a cycle of pairs on one venue: the `triangular` strategy.
//!
//! Cycles are found or given at start ([`discover`]). A changed book changes the logs of its two rates, and the cycles that
//! contain it, and no others, add up the logs of their legs ([`table`]): that can only err to the side of looking closer. Those
//! that may reach the minimum are looked at exactly ([`wide`]), then plausibility, confirmation, pace and skew, and of the
//! best few the size ([`size`], [`search`]). At most one set is taken an evaluation, the one with the best expected edge.
//!
//! So an update costs two logs and, for each cycle that contains the instrument, five additions: it depends on the cycles an
//! instrument is part of, not on how many there are.
//!
//! After a set its instruments rest, with every cycle over them: our own orders change their books.

pub mod chain;
pub mod discover;
pub mod ladder;
pub mod logs;
mod look;
pub mod search;
pub mod size;
pub mod table;
pub mod wide;

pub use discover::{Cycle, CycleError};
pub use ladder::LEVELS_MAX;

use crate::capacity::LEGS_MAX;
use crate::market::{Books, Catalogue, InstrumentId};
use crate::trade::StrategyId;
use crate::units::{Asset, MonoNanos, Ppm, Side, UnixNanos};

use super::Strategy;
use super::inventory::Inventory;
use super::params::{CycleChoice, TriangularParams};
use super::routes::StrategyError;
use super::schedule::Blackout;
use super::sets::Sets;
use super::signal::{EdgeSink, Evaluation, Outcome, Route, RouteId, StrategyCounters};
use discover::Pairs;
use table::Table;
use wide::threshold_floor;

/// Cycles sized in one evaluation, best edge first; the others were outbid.
pub const SIZED_MAX: usize = 8;

/// Standing of one cycle.
#[derive(Debug, Clone, Copy, Default)]
struct RouteState {
    /// Consecutive evaluations that reached the minimum; zero while it does not.
    agreeing: u32,
    /// How its last evaluation ended.
    outcome: Outcome,
}

/// One strategy.
#[derive(Debug, Clone)]
pub struct Triangular {
    params: TriangularParams,
    table: Table,
    /// Start asset by cycle, as its place in the parameters.
    starts: Vec<u8>,
    states: Vec<RouteState>,
    /// An instrument rests before this, by its place.
    rests_until: Vec<MonoNanos>,
    threshold: i64,
    blackout: Blackout,
    sets: Sets,
    counters: StrategyCounters,
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
        self.table.instruments()
    }
    fn on_clock(&mut self, zero: UnixNanos) {
        self.blackout.on_clock(zero);
    }
    fn min_net_edge(&self) -> Option<Ppm> {
        Some(self.params.common.min_net_edge)
    }
    #[inline]
    fn on_batch(
        &mut self,
        changed: InstrumentId,
        books: &Books,
        inventory: &Inventory<'_>,
        now: MonoNanos,
        edges: &mut dyn EdgeSink,
    ) -> Evaluation {
        self.look(changed, books, inventory, now, edges)
    }
    /// Its instruments still rest, so that the same refusal is not asked for again at once.
    fn on_set_refused(&mut self) {
        self.sets.on_refused();
    }
    fn on_set_done(&mut self) {
        self.sets.on_done();
    }
    fn on_set_broken(&mut self, now: MonoNanos) {
        self.sets.on_broken(now);
    }
    fn rearm(&mut self) {
        self.sets.rearm();
    }
    fn is_halted(&self) -> bool {
        self.sets.is_halted()
    }
    fn counters(&self) -> &StrategyCounters {
        &self.counters
    }
    fn route_count(&self) -> usize {
        self.table.cycle_count()
    }
    fn route(&self, id: RouteId) -> Option<(Route, Outcome)> {
        let state = self.states.get(id.index())?;
        let mut legs = [(InstrumentId(0), Side::Buy); LEGS_MAX];
        let mut count = 0;
        for (slot, (terms, side)) in legs.iter_mut().zip(self.table.legs(id.0)) {
            *slot = (terms.instrument, side);
            count += 1;
        }
        Some((Route::new(id, legs.get(..count)?), state.outcome))
    }
}

impl Triangular {
    /// A strategy over the cycles that `params` ask for.
    ///
    /// # Errors
    /// [`StrategyError`] when there are none or too many, a given one has no pair, or an instrument has no fee.
    pub fn new(params: TriangularParams, catalogue: &Catalogue) -> Result<Self, StrategyError> {
        let cycles = Self::cycles_of(&params, catalogue)?;
        let table = Table::new(&cycles, &params, catalogue)?;
        let place = |cycle: &Cycle| {
            let mut starts = params.start_assets.iter();
            starts.position(|asset| *asset == cycle.start)
        };
        let starts = cycles.iter().map(place);
        let starts = starts.map(|place| place.and_then(|place| u8::try_from(place).ok()));
        Ok(Self {
            starts: starts.collect::<Option<_>>().ok_or(CycleError::TooMany)?,
            states: vec![RouteState::default(); cycles.len()],
            rests_until: vec![MonoNanos(0); table.instruments().len()],
            threshold: threshold_floor(params.common.min_net_edge),
            blackout: Blackout::new(params.common.blackout.clone()),
            sets: Sets::new(&params.common),
            counters: StrategyCounters::default(),
            table,
            params,
        })
    }

    /// The cycles that `params` ask for, in the order of their route ids.
    ///
    /// # Errors
    /// [`CycleError`] as [`Self::new`].
    pub fn cycles_of(
        params: &TriangularParams,
        catalogue: &Catalogue,
    ) -> Result<Vec<Cycle>, CycleError> {
        let (venue, legs_max) = (params.venue, params.max_cycle_legs);
        match &params.cycles {
            CycleChoice::Discover {
                assets_allow,
                assets_deny,
            } => {
                let may = |asset: Asset| {
                    let allowed = assets_allow.is_empty()
                        || assets_allow.contains(&asset)
                        || params.start_assets.contains(&asset);
                    allowed && !assets_deny.contains(&asset)
                };
                Pairs::new(catalogue, venue, may).discover(&params.start_assets, legs_max)
            }
            CycleChoice::Given(paths) => {
                let pairs = Pairs::new(catalogue, venue, |_| true);
                let cycles = paths
                    .iter()
                    .map(|path| pairs.path(path, &params.start_assets, legs_max));
                let cycles = cycles.collect::<Result<Vec<_>, _>>()?;
                match cycles.len() {
                    0 => Err(CycleError::None),
                    count if count > crate::capacity::CYCLES_MAX => Err(CycleError::TooMany),
                    _ => Ok(cycles),
                }
            }
        }
    }

    /// Its parameters.
    #[must_use]
    pub const fn params(&self) -> &TriangularParams {
        &self.params
    }
    /// Sets open now.
    #[must_use]
    pub const fn sets_open(&self) -> u32 {
        self.sets.open()
    }
    /// Bytes of its tables; the broken and started windows have some kilobytes more.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.table.memory_bytes()
            + self.starts.capacity()
            + self.states.capacity() * size_of::<RouteState>()
            + self.rests_until.capacity() * size_of::<MonoNanos>()
    }
    /// Cycles that a change of an instrument looks at.
    #[must_use]
    pub fn cycles_containing(&self, instrument: InstrumentId) -> usize {
        let place = self.table.place(instrument);
        place.map_or(0, |place| self.table.containing(place).len())
    }
}
