//! Buys where a thing is cheap and sells it where it is dear, at the same moment: the `cross_exchange` strategy.
//!
//! On each changed book one small table says whether any route of that venue can have an edge at all (`nearest`); mostly it
//! says no, at the same cost however many venues there are. Otherwise the venue is compared with every other one, both ways:
//! exact integer comparisons ([`super::edge`]), also across quote assets (`convert`), no allocation. Only a pair that reaches
//! the minimum net edge is looked at further: plausibility, confirmation, skew, pace, inventory, and then the size
//! ([`super::sizing`]). At most one set is taken per evaluation, the one with the best expected edge.
//!
//! A taken set is counted as open at once. The caller says what became of it: [`CrossVenue::on_set_refused`] when the gate
//! said no, [`CrossVenue::on_set_done`] when it ended; a forgotten call makes the strategy stop, never run away.
//!
//! Counters: each evaluation counts every route of the changed venue once. Routes that the table turns down count as
//! `below_threshold`, also when the other venue's book is stale; when the changed book is not trusted all count as `stale_book`.

mod compare;
mod consider;
mod convert;
mod lean;
mod nearest;

use crate::capacity::ROUTE_VENUES_MAX;
use crate::market::{Book, Books, Catalogue, InstrumentId, VenueId};
use crate::trade::{Intent, Leg, StrategyId};
use crate::units::{Asset, Grid, MonoNanos, Notional, Ppm, Side, UnixNanos};

pub use super::inventory::Inventory;

use compare::Candidate;
use consider::Considered;
use convert::Conversions;
use nearest::Nearest;

use super::Strategy;
use super::params::{CrossVenueParams, LegOrder};
use super::routes::{RouteTable, StrategyError};
use super::schedule::Blackout;
use super::sets::Sets;
use super::signal::{
    EdgeEnd, EdgeSeen, EdgeSink, Evaluation, Outcome, Route, RouteId, StrategyCounters,
};

/// Standing of one route.
#[derive(Debug, Clone, Copy, Default)]
struct RouteState {
    /// Consecutive evaluations that reached the minimum; zero while it does not.
    agreeing: u32,
    /// The route rests before this.
    rests_until: MonoNanos,
    /// How its last evaluation ended.
    outcome: Outcome,
}

/// Where a fee asset is held and how it is counted.
#[derive(Debug, Clone, Copy)]
struct FeePlace {
    venue: VenueId,
    asset: Asset,
    grid: Grid,
}

const _: () = assert!(
    ROUTE_VENUES_MAX * ROUTE_VENUES_MAX <= 64,
    "Invariant: every route has a bit"
);

/// One strategy.
#[derive(Debug, Clone)]
pub struct CrossVenue {
    params: CrossVenueParams,
    /// The instruments traded and the conversion books.
    watched: Vec<InstrumentId>,
    routes: RouteTable,
    conversions: Conversions,
    nearest: Nearest,
    /// Where the fee assets are, by slot.
    fee_places: Vec<Option<FeePlace>>,
    blackout: Blackout,
    states: Vec<RouteState>,
    /// Bit by route index: an edge was there at its last look. Only these can end.
    open: u64,
    /// Bit by slot: its book was not trusted at its last look.
    stale: u8,
    /// Sets taken after which inventory allows fewer than `min_runway_sets`.
    short_runways: u64,
    sets: Sets,
    counters: StrategyCounters,
}

impl Strategy for CrossVenue {
    fn id(&self) -> StrategyId {
        self.params.common.id
    }
    fn name(&self) -> &str {
        &self.params.common.name
    }
    fn kind(&self) -> &'static str {
        "cross_exchange"
    }
    fn instruments(&self) -> &[InstrumentId] {
        &self.params.instruments
    }
    fn min_net_edge(&self) -> Option<Ppm> {
        Some(self.params.common.min_net_edge)
    }
    fn has_touch_edge(&self) -> bool {
        self.routes.quote_count() == 1 && self.params.fee_assets.is_empty()
    }
    fn watched(&self) -> &[InstrumentId] {
        &self.watched
    }
    fn on_clock(&mut self, zero: UnixNanos) {
        self.blackout.on_clock(zero);
    }
    fn order_notional_max(&self) -> Option<Notional> {
        Some(self.params.max_order_notional)
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
        self.states.len()
    }
    fn route(&self, id: RouteId) -> Option<(Route, Outcome)> {
        let (buy, sell) = (
            id.index().div_euclid(ROUTE_VENUES_MAX),
            id.index().rem_euclid(ROUTE_VENUES_MAX),
        );
        let state = self.states.get(id.index())?;
        if self.routes.is_denied(buy, sell) {
            return None;
        }
        let legs = [
            (self.routes.instrument(buy)?, Side::Buy),
            (self.routes.instrument(sell)?, Side::Sell),
        ];
        let is_stale = [buy, sell].iter().any(|slot| self.stale & (1 << slot) != 0);
        let outcome = if is_stale {
            Outcome::StaleBook
        } else {
            state.outcome
        };
        Some((Route::new(id, &legs), outcome))
    }
}

impl CrossVenue {
    /// A strategy over the instruments of `params`.
    ///
    /// # Errors
    /// [`StrategyError`] when they cannot be compared.
    pub fn new(params: CrossVenueParams, catalogue: &Catalogue) -> Result<Self, StrategyError> {
        if params.leg_order == LegOrder::MakerThenTaker {
            return Err(StrategyError::LegOrder);
        }
        let routes = RouteTable::new(&params, catalogue)?;
        let conversions = Conversions::new(&params.conversions, routes.quotes(), catalogue)?;
        let place = |slot: usize| {
            let asset = params.fee_assets.get(slot).copied().flatten()?;
            let at = catalogue.get(asset.instrument)?;
            Some(FeePlace {
                venue: at.venue,
                asset: at.symbol.base,
                grid: at.grid,
            })
        };
        let watched = params.instruments.iter().copied();
        Ok(Self {
            states: vec![RouteState::default(); ROUTE_VENUES_MAX * ROUTE_VENUES_MAX],
            fee_places: (0..routes.count()).map(place).collect(),
            watched: watched.chain(conversions.instruments()).collect(),
            blackout: Blackout::new(params.common.blackout.clone()),
            nearest: Nearest::new(),
            open: 0,
            stale: 0,
            short_runways: 0,
            sets: Sets::new(&params.common),
            counters: StrategyCounters::default(),
            conversions,
            params,
            routes,
        })
    }

    /// Looks at every route of the changed instrument.
    #[inline]
    fn look(
        &mut self,
        changed: InstrumentId,
        books: &Books,
        inventory: &Inventory<'_>,
        now: MonoNanos,
        edges: &mut dyn EdgeSink,
    ) -> Evaluation {
        let Some(slot) = self.routes.slot(changed) else {
            return self.look_converted(changed, books, inventory, now, edges);
        };
        self.counters.evaluations += 1;
        let age_max = self.params.common.max_book_age;
        let Some(book) = books.get(changed) else {
            return Evaluation::Nothing;
        };
        self.nearest.note(slot, book.top(), &self.routes);
        let others = u64::try_from(self.routes.count()).unwrap_or(1) - 1;
        if books.trusted_top(changed, now, age_max).is_none() {
            self.stale |= 1 << slot;
            self.turn_down(slot, 2 * others, Outcome::StaleBook, edges);
            return Evaluation::Nothing;
        }
        self.stale &= !(1 << slot);
        if !self.nearest.all_known() {
            self.note_unknown(books);
        }
        if self.routes.quote_count() > 1 {
            self.conversions.refresh(books, now, age_max);
        }
        let rates = self.conversions.rates();
        if !self.nearest.may_reach(slot, &self.routes, rates) {
            self.turn_down(slot, 2 * others, Outcome::BelowThreshold, edges);
            return Evaluation::Nothing;
        }
        let count = self.routes.count();
        let pairs = (0..count)
            .filter(move |other| *other != slot)
            .flat_map(move |other| [(slot, other), (other, slot)]);
        self.compare(pairs, changed, books, inventory, now, edges)
    }

    /// A conversion book changed: looks at every route between two quotes.
    fn look_converted(
        &mut self,
        changed: InstrumentId,
        books: &Books,
        inventory: &Inventory<'_>,
        now: MonoNanos,
        edges: &mut dyn EdgeSink,
    ) -> Evaluation {
        if !self.conversions.has(changed) {
            return Evaluation::Nothing;
        }
        self.counters.evaluations += 1;
        self.note_unknown(books);
        self.conversions
            .refresh(books, now, self.params.common.max_book_age);
        let rates = self.conversions.rates();
        if self.open == 0 && !self.nearest.may_cross(&self.routes, rates) {
            return Evaluation::Nothing;
        }
        let quotes: [usize; ROUTE_VENUES_MAX] = std::array::from_fn(|slot| self.routes.quote(slot));
        let count = self.routes.count();
        let quote = move |slot: usize| quotes.get(slot).copied();
        let pairs = (0..count)
            .flat_map(move |buy| (0..count).map(move |sell| (buy, sell)))
            .filter(move |(buy, sell)| quote(*buy) != quote(*sell));
        self.compare(pairs, changed, books, inventory, now, edges)
    }

    /// Slots whose books did not change since the start are read once.
    fn note_unknown(&mut self, books: &Books) {
        for slot in 0..self.routes.count() {
            if !self.nearest.knows(slot) {
                let book = self.routes.instrument(slot).and_then(|id| books.get(id));
                self.nearest
                    .note(slot, book.and_then(Book::top), &self.routes);
            }
        }
    }

    /// No route of the slot can be taken: those with an edge at their last look end.
    #[inline]
    fn turn_down(&mut self, slot: usize, routes: u64, outcome: Outcome, edges: &mut dyn EdgeSink) {
        let mut counted = routes;
        if self.open != 0 {
            for other in 0..self.routes.count() {
                for (buy, sell) in [(slot, other), (other, slot)] {
                    if self.open & route_bit(buy, sell) != 0 {
                        self.close(buy, sell, outcome, edges);
                        counted -= 1;
                    }
                }
            }
        }
        self.counters.count_many(outcome, counted);
    }

    fn take(
        &mut self,
        candidate: &Candidate,
        considered: &Considered,
        books: &Books,
        changed: InstrumentId,
        now: MonoNanos,
    ) -> Option<Intent> {
        let (buy, sell) = (
            self.routes.instrument(candidate.buy)?,
            self.routes.instrument(candidate.sell)?,
        );
        let sized = &considered.sized;
        let leg = |instrument, side, limit_price, decision_price| Leg {
            instrument,
            side,
            qty: sized.qty,
            limit_price,
            decision_price,
        };
        let mut legs = [
            leg(buy, Side::Buy, sized.buy_limit, candidate.ask),
            leg(sell, Side::Sell, sized.sell_limit, candidate.bid),
        ];
        if considered.sell_first {
            legs.reverse();
        }
        let received_at = books.get(changed).map_or(now, Book::received_at);
        let mut intent = Intent::new(self.params.common.id, &legs, received_at);
        intent.net_edge = sized.net_edge;
        intent.gross_edge = sized.gross_edge;
        intent.decided_at = now;
        intent.send = considered.send;
        intent.leg_timeout = self.params.common.leg_timeout;
        let left = considered.room.0.saturating_sub(sized.qty.0);
        let sets_left = left.div_euclid(sized.qty.0.max(1));
        if sets_left < i64::from(self.params.min_runway_sets) {
            self.short_runways += 1;
        }
        self.note(candidate.buy, candidate.sell, Outcome::Taken);
        self.sets.on_taken(now);
        // Both directions rest: our own order changes both books.
        for index in [
            route_index(candidate.buy, candidate.sell),
            route_index(candidate.sell, candidate.buy),
        ] {
            if let Some(state) = self.states.get_mut(index) {
                state.rests_until = now.after(self.params.common.cooldown);
            }
        }
        Some(intent)
    }

    /// Its parameters.
    #[must_use]
    pub const fn params(&self) -> &CrossVenueParams {
        &self.params
    }
    /// Sets taken after which inventory allowed fewer than `min_runway_sets` more of the same size: a warning, counted.
    #[must_use]
    pub const fn short_runways(&self) -> u64 {
        self.short_runways
    }
    /// Sets open now.
    #[must_use]
    pub const fn sets_open(&self) -> u32 {
        self.sets.open()
    }

    fn note(&mut self, buy: usize, sell: usize, outcome: Outcome) {
        self.counters.count(outcome);
        if let Some(state) = self.states.get_mut(route_index(buy, sell)) {
            state.outcome = outcome;
        }
    }

    #[inline]
    fn close(&mut self, buy: usize, sell: usize, outcome: Outcome, edges: &mut dyn EdgeSink) {
        self.counters.count(outcome);
        if let Some(state) = self.states.get_mut(route_index(buy, sell)) {
            state.outcome = outcome;
            if state.agreeing > 0 {
                state.agreeing = 0;
                self.open &= !route_bit(buy, sell);
                edges.edge(EdgeSeen {
                    route: route_id(buy, sell),
                    end: EdgeEnd::Gone(outcome),
                });
            }
        }
    }
}

/// Fits: both are below [`ROUTE_VENUES_MAX`].
#[expect(
    clippy::cast_possible_truncation,
    reason = "below ROUTE_VENUES_MAX squared"
)]
const fn route_id(buy: usize, sell: usize) -> RouteId {
    RouteId(route_index(buy, sell) as u16)
}

const fn route_index(buy: usize, sell: usize) -> usize {
    buy * ROUTE_VENUES_MAX + sell
}

/// One bit of 64.
const fn route_bit(buy: usize, sell: usize) -> u64 {
    1 << route_index(buy, sell)
}
