//! One look of the strategy: from a changed book to at most one set.

use crate::capacity::LEGS_MAX;
use crate::market::{Book, Books, InstrumentId, Top};
use crate::trade::{Intent, Leg, SetForm};
use crate::units::{MonoNanos, Nanos, Ppm, Price, Qty, Side};

use super::super::inventory::Inventory;
use super::super::signal::{EdgeEnd, EdgeSeen, EdgeSink, Evaluation, Outcome, Pass, RouteId};
use super::logs::edge_guess;
use super::size::{Bounds, Quoted, Sized, size_cycle};
use super::table::Terms;
use super::wide::RoundTrip;
use super::{SIZED_MAX, Triangular};

/// A cycle that reached the minimum.
#[derive(Debug, Clone, Copy)]
struct Candidate {
    route: u16,
    net_edge: Ppm,
    gross_edge: Ppm,
}

impl Candidate {
    const fn seen(&self, end: EdgeEnd) -> EdgeSeen {
        EdgeSeen {
            route: RouteId(self.route),
            end,
        }
    }
    const fn passed(&self, reason: Option<Pass>) -> EdgeSeen {
        self.seen(EdgeEnd::Passed {
            net_edge: self.net_edge,
            gross_edge: self.gross_edge,
            reason,
        })
    }
}

/// The best few candidates of an evaluation, best first; of equals the first seen.
#[derive(Debug, Default)]
struct Shortlist {
    kept: [Option<Candidate>; SIZED_MAX],
}

impl Shortlist {
    /// Takes one; gives back the one that has no place.
    fn push(&mut self, candidate: Candidate) -> Option<Candidate> {
        let mut carried = Some(candidate);
        for slot in &mut self.kept {
            let better = match (&carried, &slot) {
                (Some(new), Some(old)) => new.net_edge > old.net_edge,
                (Some(_), None) => true,
                (None, _) => return None,
            };
            if better {
                std::mem::swap(slot, &mut carried);
            }
        }
        carried
    }
}

impl Triangular {
    /// Looks at every cycle that contains the changed instrument.
    #[inline]
    pub(super) fn look(
        &mut self,
        changed: InstrumentId,
        books: &Books,
        inventory: &Inventory<'_>,
        now: MonoNanos,
        edges: &mut dyn EdgeSink,
    ) -> Evaluation {
        let Some(place) = self.table.place(changed) else {
            return Evaluation::Nothing;
        };
        self.counters.evaluations += 1;
        // The logs follow the touch, trusted or not: trust may come back without another change of it.
        self.table
            .set_top(place, books.get(changed).and_then(Book::top).as_ref());
        let age_max = self.params.common.max_book_age;
        let is_trusted = books.trusted_top(changed, now, age_max).is_some();
        let cheap_end = if is_trusted {
            Outcome::BelowThreshold
        } else {
            Outcome::StaleBook
        };
        let mut best = Shortlist::default();
        let mut refused = Evaluation::Nothing;
        let mut below = 0_u64;
        for index in self.table.containing(place) {
            let route = self.table.cycle_at(index);
            if !is_trusted || self.table.log_ceil(route) < self.threshold {
                below += 1;
                self.close(route, cheap_end, edges);
                continue;
            }
            let Some((candidate, skew)) = self.candidate(route, books, now, edges) else {
                continue;
            };
            match self.consider(&candidate, skew, now) {
                Ok(()) => {
                    if let Some(loser) = best.push(candidate) {
                        self.pass(&loser, None, edges);
                    }
                }
                Err(reason) => {
                    self.pass(&candidate, Some(reason), edges);
                    refused = better_refusal(refused, &candidate, reason);
                }
            }
        }
        self.counters.count_many(cheap_end, below);
        let (taken, refused) = self.choose(&best, refused, books, inventory, edges);
        let Some((candidate, sized)) = taken else {
            return refused;
        };
        let received_at = books.get(changed).map_or(now, Book::received_at);
        let Some(intent) = self.take(&candidate, &sized, received_at, now) else {
            return refused;
        };
        edges.edge(candidate.seen(EdgeEnd::Taken {
            net_edge: candidate.net_edge,
            gross_edge: candidate.gross_edge,
        }));
        Evaluation::Taken(intent)
    }

    /// The exact test, with the touches of now; also the difference of the ages of its books.
    fn candidate(
        &mut self,
        route: u16,
        books: &Books,
        now: MonoNanos,
        edges: &mut dyn EdgeSink,
    ) -> Option<(Candidate, Nanos)> {
        let age_max = self.params.common.max_book_age;
        let mut prices = [Price(0); LEGS_MAX];
        let (mut oldest, mut newest) = (MonoNanos(u64::MAX), MonoNanos(0));
        let mut is_stale = false;
        for (slot, (terms, side)) in prices.iter_mut().zip(self.table.legs(route)) {
            let Some(top) = books.trusted_top(terms.instrument, now, age_max) else {
                is_stale = true;
                break;
            };
            *slot = touch(&top, side);
            let at = books.get(terms.instrument).map_or(now, Book::received_at);
            (oldest, newest) = (oldest.min(at), newest.max(at));
        }
        if is_stale {
            self.close_counted(route, Outcome::StaleBook, edges);
            return None;
        }
        let legs = || self.table.legs(route).zip(prices);
        let trip = RoundTrip::new(legs().map(|((terms, side), at)| (terms.rate(side), at)));
        if !trip.reaches(self.params.common.min_net_edge) {
            self.close_counted(route, Outcome::BelowThreshold, edges);
            return None;
        }
        let free = RoundTrip::new(legs().map(|((terms, side), at)| (terms.free_rate(side), at)));
        let guess = edge_guess(self.table.log_ceil(route));
        let net_edge = trip.edge_floor(guess);
        let gross_edge = free.edge_floor(guess);
        let state = self.states.get_mut(usize::from(route))?;
        if state.agreeing == 0 {
            self.counters.opportunities += 1;
        }
        state.agreeing = state.agreeing.saturating_add(1);
        let candidate = Candidate {
            route,
            net_edge,
            gross_edge,
        };
        Some((candidate, newest.since(oldest)))
    }

    /// Everything between an edge and its size, cheapest first.
    fn consider(&mut self, candidate: &Candidate, skew: Nanos, now: MonoNanos) -> Result<(), Pass> {
        let common = &self.params.common;
        let (net_edge, net_edge_max) = (candidate.net_edge, common.max_net_edge);
        if net_edge > net_edge_max {
            return Err(Pass::Implausible {
                net_edge,
                net_edge_max,
            });
        }
        let required = common.confirm_updates.max(1);
        let state = self.states.get(usize::from(candidate.route));
        let seen = state.map_or(0, |state| state.agreeing);
        if seen < required {
            return Err(Pass::Confirming { seen, required });
        }
        if skew > common.max_leg_skew {
            return Err(Pass::LegSkew {
                skew,
                skew_max: common.max_leg_skew,
            });
        }
        let rests = |terms: &Terms| {
            let place = self.table.place(terms.instrument)?;
            self.rests_until.get(place).copied()
        };
        let legs = self.table.legs(candidate.route);
        let rests_until = legs.filter_map(|(terms, _)| rests(terms)).max();
        if let Some(until) = rests_until.filter(|until| now < *until) {
            return Err(Pass::Cooldown {
                remaining: until.since(now),
                cooldown: common.cooldown,
            });
        }
        self.blackout.check(now)?;
        self.sets.check(now)
    }

    /// Sizes the best few; of those with a size the one with the best expected edge.
    fn choose(
        &mut self,
        shortlist: &Shortlist,
        mut refused: Evaluation,
        books: &Books,
        inventory: &Inventory<'_>,
        edges: &mut dyn EdgeSink,
    ) -> (Option<(Candidate, Sized)>, Evaluation) {
        let mut best: Option<(Candidate, Sized)> = None;
        for candidate in shortlist.kept.iter().flatten() {
            match self.size(candidate, books, inventory) {
                Ok(sized) => {
                    let loser = match best {
                        Some((_, kept)) if kept.net_edge >= sized.net_edge => Some(*candidate),
                        previous => {
                            best = Some((*candidate, sized));
                            previous.map(|(first, _)| first)
                        }
                    };
                    if let Some(loser) = loser {
                        self.pass(&loser, None, edges);
                    }
                }
                Err(reason) => {
                    self.pass(candidate, Some(reason), edges);
                    refused = better_refusal(refused, candidate, reason);
                }
            }
        }
        (best, refused)
    }

    fn size(
        &self,
        candidate: &Candidate,
        books: &Books,
        inventory: &Inventory<'_>,
    ) -> Result<Sized, Pass> {
        let mut factor = inventory.size_factor;
        let mut quoted = [None; LEGS_MAX];
        let mut count = 0;
        for (slot, (terms, side)) in quoted.iter_mut().zip(self.table.legs(candidate.route)) {
            let instrument = terms.instrument;
            let unknown = Pass::PositionUnknown { instrument };
            let own = inventory.size_factors.get(instrument.index());
            factor = factor.min(*own.ok_or(unknown)?);
            if *inventory.unsettled.get(instrument.index()).ok_or(unknown)? {
                return Err(Pass::Unsettled { instrument });
            }
            let book = books.get(instrument).ok_or(unknown)?;
            *slot = Some(Quoted {
                terms,
                side,
                book,
                touch: touch(&book.top().ok_or(unknown)?, side),
            });
            count += 1;
        }
        let Some(first) = quoted.first().copied().flatten() else {
            return Err(Pass::Thin {
                qty: Qty::ZERO,
                qty_min: Qty::ZERO,
            });
        };
        let quoted = quoted.map(|leg| leg.unwrap_or(first));
        let bounds = Bounds {
            params: &self.params,
            inventory,
            factor,
        };
        size_cycle(quoted.get(..count).unwrap_or_default(), &bounds)
    }

    fn take(
        &mut self,
        candidate: &Candidate,
        sized: &Sized,
        received_at: MonoNanos,
        now: MonoNanos,
    ) -> Option<Intent> {
        let place = *self.starts.get(usize::from(candidate.route))?;
        let start = *self.params.start_assets.get(usize::from(place))?;
        let mut wanted = [None; LEGS_MAX];
        for (slot, leg) in wanted.iter_mut().zip(sized.legs()) {
            *slot = Some(leg);
        }
        let first = wanted.first().copied().flatten()?;
        let count = wanted.iter().flatten().count();
        let wanted: [Leg; LEGS_MAX] = wanted.map(|leg| leg.unwrap_or(first));
        let mut intent = Intent::new(self.params.common.id, wanted.get(..count)?, received_at);
        intent.form = SetForm::Cycle { start };
        intent.send = self.params.execution;
        intent.net_edge = sized.net_edge;
        // Fees of the size found are those of the touch, to the ppm.
        let fees = candidate.gross_edge.saturating_sub(candidate.net_edge);
        intent.gross_edge = sized.net_edge.saturating_add(fees);
        intent.decided_at = now;
        intent.leg_timeout = self.params.common.leg_timeout;
        self.counters.count(Outcome::Taken);
        if let Some(state) = self.states.get_mut(usize::from(candidate.route)) {
            state.outcome = Outcome::Taken;
        }
        self.sets.on_taken(now);
        for leg in intent.legs() {
            let place = self.table.place(leg.instrument);
            if let Some(rests) = place.and_then(|place| self.rests_until.get_mut(place)) {
                *rests = now.after(self.params.common.cooldown);
            }
        }
        Some(intent)
    }

    /// An edge is there and is not taken.
    fn pass(&mut self, candidate: &Candidate, reason: Option<Pass>, edges: &mut dyn EdgeSink) {
        let outcome = reason.map_or(Outcome::Outbid, |reason| reason.outcome());
        self.counters.count(outcome);
        if let Some(state) = self.states.get_mut(usize::from(candidate.route)) {
            state.outcome = outcome;
        }
        edges.edge(candidate.passed(reason));
    }

    /// No edge; the caller counts.
    #[inline]
    fn close(&mut self, route: u16, outcome: Outcome, edges: &mut dyn EdgeSink) {
        let Some(state) = self.states.get_mut(usize::from(route)) else {
            return;
        };
        if state.outcome != outcome || state.agreeing > 0 {
            state.outcome = outcome;
            if state.agreeing > 0 {
                state.agreeing = 0;
                edges.edge(EdgeSeen {
                    route: RouteId(route),
                    end: EdgeEnd::Gone(outcome),
                });
            }
        }
    }

    fn close_counted(&mut self, route: u16, outcome: Outcome, edges: &mut dyn EdgeSink) {
        self.counters.count(outcome);
        self.close(route, outcome, edges);
    }
}

const fn touch(top: &Top, side: Side) -> Price {
    match side {
        Side::Buy => top.ask.price,
        Side::Sell => top.bid.price,
    }
}

fn better_refusal(known: Evaluation, candidate: &Candidate, reason: Pass) -> Evaluation {
    if let Evaluation::Refused { net_edge, .. } = known
        && net_edge >= candidate.net_edge
    {
        return known;
    }
    Evaluation::Refused {
        route: RouteId(candidate.route),
        net_edge: candidate.net_edge,
        reason,
    }
}
