//! Buys where a thing is cheap and sells it where it is dear, at the same moment: the `cross_exchange` strategy.
//!
//! On each changed book the instrument is compared with every other one of the group, both ways: a fixed, small number of
//! exact integer comparisons ([`super::edge`]), no division and no allocation. Only a pair that reaches the minimum net edge
//! is looked at further: plausibility, confirmation, skew, pace, and then the size ([`super::sizing`]). At most one set is
//! taken per evaluation, the one with the best expected edge.
//!
//! A taken set is counted as open at once. The caller says what became of it: [`CrossVenue::on_set_refused`] when the gate
//! said no, [`CrossVenue::on_set_done`] when it ended; a forgotten call makes the strategy stop, never run away.

use crate::capacity::{RATE_WINDOW_MAX, ROUTE_VENUES_MAX};
use crate::market::{Book, Books, Catalogue, InstrumentId, InstrumentKind, Top};
use crate::trade::{Intent, Leg, StrategyId};
use crate::units::{MonoNanos, Nanos, Notional, Ppm, Price, Qty, Side};

pub use super::inventory::Inventory;

use super::Strategy;
use super::edge::{kept_ppm, net_edge_floor, reaches, spent_ppm};
use super::pace::Pace;
use super::params::CrossVenueParams;
use super::routes::{RouteTable, StrategyError};
use super::signal::{
    EdgeEnd, EdgeSeen, EdgeSink, Evaluation, Outcome, Pass, Route, RouteId, StrategyCounters,
};
use super::sizing::{Sized, qty_within, size_route};

const MINUTE: Nanos = Nanos::from_secs(60);
const HOUR: Nanos = Nanos::from_secs(3_600);

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

/// One strategy.
#[derive(Debug, Clone)]
pub struct CrossVenue {
    params: CrossVenueParams,
    routes: RouteTable,
    states: Vec<RouteState>,
    sets_open: u32,
    started: Pace,
    broken: Pace,
    halted: bool,
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
        true
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
    /// The gate refused the set just taken, or it could not be handed over: it is not open and did not start.
    /// The route still rests, so that the same refusal is not asked for again at once.
    fn on_set_refused(&mut self) {
        self.sets_open = self.sets_open.saturating_sub(1);
        self.started.undo();
    }
    fn on_set_done(&mut self) {
        self.sets_open = self.sets_open.saturating_sub(1);
    }
    /// The last one allowed within an hour stops the strategy until [`Strategy::rearm`].
    fn on_set_broken(&mut self, now: MonoNanos) {
        self.broken.push(now);
        if self.broken.count(now) >= self.params.common.max_broken_sets.max(1) {
            self.halted = true;
        }
    }
    fn rearm(&mut self) {
        self.halted = false;
        self.broken.clear();
    }
    fn is_halted(&self) -> bool {
        self.halted
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
        Some((Route::new(id, &legs), state.outcome))
    }
}

/// A pair that reached the minimum.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    buy: usize,
    sell: usize,
    ask: Price,
    bid: Price,
    net_edge: Ppm,
    gross_edge: Ppm,
}

impl Candidate {
    fn seen(&self, end: EdgeEnd) -> EdgeSeen {
        EdgeSeen {
            route: route_id(self.buy, self.sell),
            end,
        }
    }
    fn passed(&self, reason: Option<Pass>) -> EdgeSeen {
        self.seen(EdgeEnd::Passed {
            net_edge: self.net_edge,
            gross_edge: self.gross_edge,
            reason,
        })
    }
}

impl CrossVenue {
    /// A strategy over the instruments of `params`.
    ///
    /// # Errors
    /// [`StrategyError`] when they cannot be compared.
    pub fn new(params: CrossVenueParams, catalogue: &Catalogue) -> Result<Self, StrategyError> {
        let routes = RouteTable::new(&params, catalogue)?;
        Ok(Self {
            states: vec![RouteState::default(); ROUTE_VENUES_MAX * ROUTE_VENUES_MAX],
            sets_open: 0,
            started: Pace::new(MINUTE),
            broken: Pace::new(HOUR),
            halted: false,
            counters: StrategyCounters::default(),
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
            return Evaluation::Nothing;
        };
        self.counters.evaluations += 1;
        let age_max = self.params.common.max_book_age;
        let own = books.trusted_top(changed, now, age_max);
        let mut best: Option<(Candidate, Sized)> = None;
        let mut refused = Evaluation::Nothing;
        for other in 0..self.routes.count() {
            if other == slot {
                continue;
            }
            let other_top = self
                .routes
                .instrument(other)
                .and_then(|id| books.trusted_top(id, now, age_max));
            let (Some(own), Some(other_top)) = (own, other_top) else {
                self.close(slot, other, Outcome::StaleBook, edges);
                self.close(other, slot, Outcome::StaleBook, edges);
                continue;
            };
            for (buy, sell, buy_top, sell_top) in [
                (slot, other, &own, &other_top),
                (other, slot, &other_top, &own),
            ] {
                let Some(candidate) = self.candidate(buy, sell, buy_top, sell_top, edges) else {
                    continue;
                };
                match self.consider(&candidate, books, inventory, now) {
                    Ok(sized) => {
                        let loser = match best {
                            Some((first, kept)) if kept.net_edge >= sized.net_edge => {
                                best = Some((first, kept));
                                Some(candidate)
                            }
                            previous => {
                                best = Some((candidate, sized));
                                previous.map(|(first, _)| first)
                            }
                        };
                        if let Some(loser) = loser {
                            self.note(loser.buy, loser.sell, Outcome::Outbid);
                            edges.edge(loser.passed(None));
                        }
                    }
                    Err(reason) => {
                        self.note(buy, sell, reason.outcome());
                        edges.edge(candidate.passed(Some(reason)));
                        refused = Self::better_refusal(refused, &candidate, reason);
                    }
                }
            }
        }
        let Some((candidate, sized)) = best else {
            return refused;
        };
        let taken = self.take(&candidate, &sized, books, changed, now);
        if taken.is_some() {
            edges.edge(candidate.seen(EdgeEnd::Taken {
                net_edge: candidate.net_edge,
                gross_edge: candidate.gross_edge,
            }));
        }
        taken.map_or(refused, Evaluation::Taken)
    }

    /// The cheap test; a route below the minimum starts to agree anew.
    #[inline]
    fn candidate(
        &mut self,
        buy: usize,
        sell: usize,
        buy_top: &Top,
        sell_top: &Top,
        edges: &mut dyn EdgeSink,
    ) -> Option<Candidate> {
        let (ask, bid) = (buy_top.ask.price, sell_top.bid.price);
        let (buy_fee, sell_fee) = (self.routes.fee(buy), self.routes.fee(sell));
        let spent = spent_ppm(buy_fee, self.params.common.min_net_edge);
        if !reaches(bid, kept_ppm(sell_fee), ask, spent) || self.routes.is_denied(buy, sell) {
            self.close(buy, sell, Outcome::BelowThreshold, edges);
            return None;
        }
        let unit = Qty(1);
        let (paid, received) = (ask.times(unit), bid.times(unit));
        let net_edge = net_edge_floor(paid, buy_fee, received, sell_fee)?;
        let gross_edge = net_edge_floor(paid, Ppm(0), received, Ppm(0))?;
        let state = self.states.get_mut(route_index(buy, sell))?;
        if state.agreeing == 0 {
            self.counters.opportunities += 1;
        }
        state.agreeing = state.agreeing.saturating_add(1);
        Some(Candidate {
            buy,
            sell,
            ask,
            bid,
            net_edge,
            gross_edge,
        })
    }

    /// Everything between an edge and an order, cheapest first.
    fn consider(
        &mut self,
        candidate: &Candidate,
        books: &Books,
        inventory: &Inventory<'_>,
        now: MonoNanos,
    ) -> Result<Sized, Pass> {
        let state = self
            .states
            .get(route_index(candidate.buy, candidate.sell))
            .copied()
            .unwrap_or_default();
        let (net_edge, net_edge_max) = (candidate.net_edge, self.params.common.max_net_edge);
        if net_edge > net_edge_max {
            return Err(Pass::Implausible {
                net_edge,
                net_edge_max,
            });
        }
        let required = self.params.common.confirm_updates.max(1);
        if state.agreeing < required {
            return Err(Pass::Confirming {
                seen: state.agreeing,
                required,
            });
        }
        if now < state.rests_until {
            let remaining = state.rests_until.since(now);
            return Err(Pass::Cooldown {
                remaining,
                cooldown: self.params.common.cooldown,
            });
        }
        self.check_pace(now)?;
        let book = |slot: usize| self.routes.instrument(slot).and_then(|id| books.get(id));
        let (Some(buy_book), Some(sell_book)) = (book(candidate.buy), book(candidate.sell)) else {
            return Err(Pass::Thin {
                qty: Qty::ZERO,
                qty_min: Qty::ZERO,
            });
        };
        let skew = age_difference(buy_book, sell_book);
        if skew > self.params.common.max_leg_skew {
            return Err(Pass::LegSkew {
                skew,
                skew_max: self.params.common.max_leg_skew,
            });
        }
        let room = self.room(candidate, inventory)?;
        let factor = self.size_factor(candidate, inventory)?;
        let rules = self
            .routes
            .rules(candidate.buy, candidate.sell, &self.params)
            .scaled_floor(factor);
        size_route(buy_book, sell_book, &rules, room).map_err(Pass::from)
    }

    fn check_pace(&mut self, now: MonoNanos) -> Result<(), Pass> {
        let broken = self.broken.count(now);
        if self.halted {
            return Err(Pass::Halted {
                broken,
                broken_max: self.params.common.max_broken_sets,
            });
        }
        if self.sets_open >= self.params.common.max_open_sets {
            return Err(Pass::OpenSets {
                open: self.sets_open,
                open_max: self.params.common.max_open_sets,
            });
        }
        let started_max = self
            .params
            .common
            .max_sets_per_min
            .min(u32::try_from(RATE_WINDOW_MAX).unwrap_or(u32::MAX));
        let started = self.started.count(now);
        if started >= started_max {
            return Err(Pass::SetRate {
                started,
                started_max,
            });
        }
        Ok(())
    }

    /// What both positions allow. Beyond the bound only the direction that comes back has room.
    fn room(&self, candidate: &Candidate, inventory: &Inventory<'_>) -> Result<Qty, Pass> {
        let position = |slot: usize| {
            let instrument = self
                .routes
                .instrument(slot)
                .unwrap_or(InstrumentId(u16::MAX));
            let known = inventory.positions.get(instrument.index()).copied();
            known
                .map(|qty| (instrument, qty))
                .ok_or(Pass::PositionUnknown { instrument })
        };
        let (_, bought) = position(candidate.buy)?;
        let (sell_at, sold) = position(candidate.sell)?;
        let bound = |price: Price| qty_within(self.params.max_inventory_notional, price).0;
        let buy_room = bound(candidate.ask).saturating_sub(bought.0);
        let mut sell_room = bound(candidate.bid).saturating_add(sold.0);
        if self.routes.kind(candidate.sell) == InstrumentKind::Spot {
            let free = inventory.available.get(sell_at.index()).copied();
            sell_room = sell_room.min(
                free.ok_or(Pass::PositionUnknown {
                    instrument: sell_at,
                })?
                .0,
            );
        }
        Ok(Qty(buy_room.min(sell_room)))
    }

    /// The smallest size factor of both instruments and the strategy.
    fn size_factor(&self, candidate: &Candidate, inventory: &Inventory<'_>) -> Result<Ppm, Pass> {
        let mut factor = inventory.size_factor;
        for slot in [candidate.buy, candidate.sell] {
            let instrument = self
                .routes
                .instrument(slot)
                .unwrap_or(InstrumentId(u16::MAX));
            let own = inventory.size_factors.get(instrument.index()).copied();
            factor = factor.min(own.ok_or(Pass::PositionUnknown { instrument })?);
        }
        Ok(factor)
    }

    fn take(
        &mut self,
        candidate: &Candidate,
        sized: &Sized,
        books: &Books,
        changed: InstrumentId,
        now: MonoNanos,
    ) -> Option<Intent> {
        let (buy, sell) = (
            self.routes.instrument(candidate.buy)?,
            self.routes.instrument(candidate.sell)?,
        );
        let leg = |instrument, side, limit_price, decision_price| Leg {
            instrument,
            side,
            qty: sized.qty,
            limit_price,
            decision_price,
        };
        let legs = [
            leg(buy, Side::Buy, sized.buy_limit, candidate.ask),
            leg(sell, Side::Sell, sized.sell_limit, candidate.bid),
        ];
        let received_at = books.get(changed).map_or(now, Book::received_at);
        let mut intent = Intent::new(self.params.common.id, &legs, received_at);
        intent.net_edge = sized.net_edge;
        intent.gross_edge = sized.gross_edge;
        intent.decided_at = now;
        intent.leg_timeout = self.params.common.leg_timeout;
        self.note(candidate.buy, candidate.sell, Outcome::Taken);
        self.sets_open += 1;
        self.started.push(now);
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
    /// Sets open now.
    #[must_use]
    pub const fn sets_open(&self) -> u32 {
        self.sets_open
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
                edges.edge(EdgeSeen {
                    route: route_id(buy, sell),
                    end: EdgeEnd::Gone(outcome),
                });
            }
        }
    }

    fn better_refusal(known: Evaluation, candidate: &Candidate, reason: Pass) -> Evaluation {
        if let Evaluation::Refused { net_edge, .. } = known
            && net_edge >= candidate.net_edge
        {
            return known;
        }
        Evaluation::Refused {
            route: route_id(candidate.buy, candidate.sell),
            net_edge: candidate.net_edge,
            reason,
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

fn age_difference(one: &Book, two: &Book) -> Nanos {
    Nanos(one.received_at().0.abs_diff(two.received_at().0))
}
