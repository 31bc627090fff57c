//! Holds spot against a perpetual while the basis and its funding pay for it: the `spot_perp_basis` strategy.
//!
//! What is held is read from the positions alone (the two instruments belong to no other strategy), so a restart goes on where
//! it was. Only the age of a pair is memory: after a restart it counts anew, from the first look.
//!
//! On each changed book, in this order, at most one set is taken:
//! 1. *Evening*: legs further apart than the delta band, or too small to be a pair, lose what is too much: one leg, reducing.
//! 2. *Leaving*: liquidation too near, held too long, basis down to the exit, or funding turned and leaving is cheaper. Both legs
//!    in one set, both reducing, so that the gate lets them pass at reduce-only and without an edge.
//! 3. *Entering*: one slice, both legs in one set, when basis, funding, net carry, margin and room allow it.
//!
//! While a set is open, or an approval's end is not yet in the positions, nothing is decided on them.

use crate::market::{Book, Books, Catalogue, InstrumentId};
use crate::trade::{EarnedBy, Intent, Leg, StrategyId};
use crate::units::{MonoNanos, Nanos, Ppm, UnixNanos};

use super::Strategy;
use super::inventory::Inventory;
use super::params::BasisParams;
use super::routes::StrategyError;
use super::schedule::Blackout;
use super::sets::Sets;
use super::signal::{
    EdgeEnd, EdgeSeen, EdgeSink, Evaluation, Outcome, Pass, Route, RouteId, StrategyCounters,
};

pub mod carry;
mod direction;
mod entering;
mod leaving;
pub mod margin;
pub mod size;
pub mod stance;
pub mod terms;

pub use direction::Direction;

use carry::CarryTerms;
use size::Market;
use stance::Stance;
use terms::PairTerms;

/// Funding that was told longer ago is not believed; venues tell it every one to three seconds.
const FUNDING_AGE_MAX: Nanos = Nanos::from_secs(60);
const ROUTES: usize = 4;

/// Standing of one route.
#[derive(Debug, Clone, Copy, Default)]
struct RouteState {
    /// Consecutive evaluations that reached the threshold; zero while it does not.
    agreeing: u32,
    /// The route rests before this.
    rests_until: MonoNanos,
    /// How its last evaluation ended.
    outcome: Outcome,
}

/// One strategy.
#[derive(Debug, Clone)]
pub struct SpotPerpBasis {
    params: BasisParams,
    terms: PairTerms,
    carry: CarryTerms,
    instruments: [InstrumentId; 2],
    states: [RouteState; ROUTES],
    /// Lone orders rest before this.
    lone_rests_until: MonoNanos,
    /// When the pair was first seen to be held.
    held_since: Option<MonoNanos>,
    sets: Sets,
    blackout: Blackout,
    counters: StrategyCounters,
}

/// What one evaluation looks at.
#[derive(Debug, Clone, Copy)]
struct Scene<'a> {
    market: Market<'a>,
    inventory: &'a Inventory<'a>,
    now: MonoNanos,
    /// When the frame that caused the evaluation was received.
    tick_at: MonoNanos,
}

/// An edge of one route: what it is worth at the touch.
#[derive(Debug, Clone, Copy)]
struct Edge {
    route: RouteId,
    net: Ppm,
    gross: Ppm,
}

impl Edge {
    const fn passed(self, reason: Option<Pass>) -> EdgeSeen {
        EdgeSeen {
            route: self.route,
            end: EdgeEnd::Passed {
                net_edge: self.net,
                gross_edge: self.gross,
                reason,
            },
        }
    }
    const fn taken(self) -> EdgeSeen {
        EdgeSeen {
            route: self.route,
            end: EdgeEnd::Taken {
                net_edge: self.net,
                gross_edge: self.gross,
            },
        }
    }
}

impl SpotPerpBasis {
    /// A strategy with the given parameters.
    ///
    /// # Errors
    /// [`StrategyError`] when its instruments cannot be traded together.
    pub fn new(params: BasisParams, catalogue: &Catalogue) -> Result<Self, StrategyError> {
        for (value, field) in [
            (params.carry_horizon, "carry_horizon_h"),
            (params.funding_interval, "funding_interval_h"),
        ] {
            if value == Nanos::ZERO {
                return Err(StrategyError::Parameter(field));
            }
        }
        if params.leverage == 0 {
            return Err(StrategyError::Parameter("leverage"));
        }
        Ok(Self {
            terms: PairTerms::new(&params, catalogue)?,
            carry: CarryTerms {
                spot_fee: params.spot_fee,
                perp_fee: params.perp_fee,
                exit_basis: params.exit_basis,
                horizon: params.carry_horizon,
            },
            instruments: [params.spot, params.perp],
            states: [RouteState::default(); ROUTES],
            lone_rests_until: MonoNanos(0),
            held_since: None,
            sets: Sets::new(&params.common).one_at_a_time(),
            blackout: Blackout::new(params.common.blackout.clone()),
            counters: StrategyCounters::default(),
            params,
        })
    }

    /// Its parameters.
    #[must_use]
    pub const fn params(&self) -> &BasisParams {
        &self.params
    }
    /// When the pair was first seen to be held; `None` while it is not.
    #[must_use]
    pub const fn held_since(&self) -> Option<MonoNanos> {
        self.held_since
    }

    fn look(
        &mut self,
        changed: InstrumentId,
        books: &Books,
        inventory: &Inventory<'_>,
        now: MonoNanos,
        edges: &mut dyn EdgeSink,
    ) -> Evaluation {
        if !self.instruments.contains(&changed) {
            return Evaluation::Nothing;
        }
        self.counters.evaluations += 1;
        let Some(market) = self.market(books, now) else {
            for direction in Direction::ALL {
                self.close(direction.route(true), Outcome::StaleBook, edges);
                self.close(direction.route(false), Outcome::StaleBook, edges);
            }
            return Evaluation::Nothing;
        };
        let scene = Scene {
            market,
            inventory,
            now,
            tick_at: books.get(changed).map_or(now, Book::received_at),
        };
        let stance = Stance::of(&self.terms, inventory);
        let mut leaving = false;
        let mut refused = Evaluation::Nothing;
        if let Ok(stance) = &stance {
            self.track_age(stance, now);
            if let Some(intent) = self.even(stance, &scene) {
                return Evaluation::Taken(intent);
            }
            match self.leave(stance, &scene, edges) {
                leaving::Leave::Taken(intent) => return Evaluation::Taken(intent),
                leaving::Leave::Wanted(said) => {
                    leaving = true;
                    refused = said;
                }
                leaving::Leave::Not => {}
            }
        } else {
            for direction in Direction::ALL {
                self.close(direction.route(false), Outcome::PositionUnknown, edges);
            }
        }
        let said = self.enter(stance, leaving, &scene, edges);
        if matches!(said, Evaluation::Nothing) {
            refused
        } else {
            said
        }
    }

    fn market<'a>(&self, books: &'a Books, now: MonoNanos) -> Option<Market<'a>> {
        let age_max = self.params.common.max_book_age;
        Some(Market {
            spot_top: books.trusted_top(self.params.spot, now, age_max)?,
            perp_top: books.trusted_top(self.params.perp, now, age_max)?,
            spot: books.get(self.params.spot)?,
            perp: books.get(self.params.perp)?,
        })
    }

    /// A pair's age begins when it is first seen and ends when nothing is left.
    fn track_age(&mut self, stance: &Stance, now: MonoNanos) {
        if stance.is_flat() {
            self.held_since = None;
        } else {
            self.held_since.get_or_insert(now);
        }
    }

    /// What must hold before a set that is not urgent: the strategy runs, not too many sets were started, both books are of one
    /// moment, and [`Self::settled`].
    fn ready(&mut self, scene: &Scene<'_>) -> Result<(), Pass> {
        self.sets.check_running(scene.now)?;
        self.settled(scene)?;
        self.paced(scene)
    }

    /// What must hold before any set: none is open, and the positions contain every approval. Enough for what ends a risk: a
    /// strategy that was stopped still trims and shrinks what it holds.
    fn settled(&self, scene: &Scene<'_>) -> Result<(), Pass> {
        // Sizes follow from positions, so there is never more than one set in flight.
        self.sets.check_open()?;
        for instrument in self.instruments {
            let unsettled = scene.inventory.unsettled.get(instrument.index()).copied();
            if unsettled.unwrap_or(true) {
                return Err(Pass::Unsettled { instrument });
            }
        }
        Ok(())
    }

    fn paced(&mut self, scene: &Scene<'_>) -> Result<(), Pass> {
        self.sets.check_rate(scene.now)?;
        let (one, two) = (
            scene.market.spot.received_at(),
            scene.market.perp.received_at(),
        );
        let (skew, skew_max) = (
            Nanos(one.0.abs_diff(two.0)),
            self.params.common.max_leg_skew,
        );
        if skew > skew_max {
            return Err(Pass::LegSkew { skew, skew_max });
        }
        Ok(())
    }

    fn check_rest(&self, route: RouteId, pause: Nanos, now: MonoNanos) -> Result<(), Pass> {
        let state = self.states.get(route.index()).copied().unwrap_or_default();
        if now < state.rests_until {
            return Err(Pass::Cooldown {
                remaining: state.rests_until.since(now),
                cooldown: pause,
            });
        }
        Ok(())
    }

    fn check_agreeing(&self, route: RouteId) -> Result<(), Pass> {
        let required = self.params.common.confirm_updates.max(1);
        let seen = self
            .states
            .get(route.index())
            .map_or(0, |state| state.agreeing);
        if seen < required {
            return Err(Pass::Confirming { seen, required });
        }
        Ok(())
    }

    /// Makes the set; it counts as open at once.
    fn intent(&mut self, legs: &[Leg], net: Ppm, gross: Ppm, scene: &Scene<'_>) -> Intent {
        let mut intent = Intent::new(self.params.common.id, legs, scene.tick_at);
        intent.net_edge = net;
        intent.gross_edge = gross;
        intent.earned_by = EarnedBy::Holding;
        intent.decided_at = scene.now;
        intent.leg_timeout = self.params.common.leg_timeout;
        self.sets.on_taken(scene.now);
        intent
    }

    /// The route reached its threshold once more.
    fn reached(&mut self, route: RouteId) {
        if let Some(state) = self.states.get_mut(route.index()) {
            if state.agreeing == 0 {
                self.counters.opportunities += 1;
            }
            state.agreeing = state.agreeing.saturating_add(1);
        }
    }

    fn rest(&mut self, route: RouteId, until: MonoNanos) {
        if let Some(state) = self.states.get_mut(route.index()) {
            state.rests_until = until;
        }
    }

    fn note(&mut self, route: RouteId, outcome: Outcome) {
        self.counters.count(outcome);
        if let Some(state) = self.states.get_mut(route.index()) {
            state.outcome = outcome;
        }
    }

    /// The route is below its threshold, or cannot be priced.
    fn close(&mut self, route: RouteId, outcome: Outcome, edges: &mut dyn EdgeSink) {
        self.note(route, outcome);
        if let Some(state) = self.states.get_mut(route.index())
            && state.agreeing > 0
        {
            state.agreeing = 0;
            edges.edge(EdgeSeen {
                route,
                end: EdgeEnd::Gone(outcome),
            });
        }
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
    fn on_clock(&mut self, zero: UnixNanos) {
        self.blackout.on_clock(zero);
    }
    /// Net carry over the horizon, as its edges are told.
    fn min_net_edge(&self) -> Option<Ppm> {
        let day = i128::from(self.params.min_net_carry_per_day.0);
        let over = day.checked_mul(i128::from(self.params.carry_horizon.0))?;
        let edge = over.div_euclid(i128::from(carry::DAY.0));
        i64::try_from(edge).ok().map(Ppm)
    }
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
    /// The route still rests, so that the same refusal is not asked for again at once.
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
        ROUTES
    }
    fn route(&self, id: RouteId) -> Option<(Route, Outcome)> {
        let state = self.states.get(id.index())?;
        let (direction, entering) = Direction::ALL
            .into_iter()
            .flat_map(|direction| [(direction, true), (direction, false)])
            .find(|(direction, entering)| direction.route(*entering) == id)?;
        if entering && !direction.is_allowed(self.params.direction) {
            return None;
        }
        let side = direction.spot_side(entering);
        let legs = [
            (self.params.spot, side),
            (self.params.perp, side.opposite()),
        ];
        Some((Route::new(id, &legs), state.outcome))
    }
}
