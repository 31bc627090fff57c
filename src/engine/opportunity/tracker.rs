//! Follows the episodes of all routes on the signal seat.

use std::sync::Arc;

use crate::capacity::{
    OPPORTUNITIES_MARKED_MAX, OPPORTUNITIES_PROBED_MAX, OPPORTUNITIES_WINDOW_MAX,
    ROUTES_TALLIED_MAX,
};
use crate::market::{Books, Catalogue, InstrumentId};
use crate::strategy::{EdgeEnd, EdgeSeen, EdgeSink, Route, RouteId, Strategy};
use crate::trade::ApprovalSeq;
use crate::units::{MonoNanos, Nanos, Ppm};

use super::probes::{PROBE_COUNT, PROBES, Probe};
use super::tally::{RouteTally, Window};
use super::words::{Closed, Look, Markout, Opportunity, Reason};

/// Which episodes are kept in full. Taken ones always are, while there is room; counts are always exact.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpportunityRules {
    /// Least time between the beginnings of two kept episodes of one route.
    pub interval_min: Nanos,
    /// Most episodes kept in one second over all routes.
    pub per_second_max: u32,
}

impl Default for OpportunityRules {
    fn default() -> Self {
        Self {
            interval_min: Nanos::from_secs(1),
            per_second_max: 20,
        }
    }
}

/// One route.
#[derive(Debug, Clone, Copy)]
pub(super) struct Episode {
    pub(super) tally: u32,
    pub(super) opened_at: MonoNanos,
    pub(super) is_open: bool,
    /// A set of it was approved.
    sold: bool,
    /// The last refusal.
    reason: Option<Reason>,
    /// Its place among those kept in full.
    pub(super) kept: Option<u16>,
    /// The last kept one began then.
    pub(super) kept_at: Option<MonoNanos>,
}

/// A route whose edge is that of two touches on one grid.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair {
    pub(super) tally: u32,
    pub(super) buy: InstrumentId,
    pub(super) sell: InstrumentId,
}

/// The opportunity ledger of the signal seat.
#[derive(Debug)]
pub struct Tracker {
    pub(super) rules: OpportunityRules,
    pub(super) catalogue: Arc<Catalogue>,
    pub(super) fees: Vec<Ppm>,
    pub(super) book_age_max: Nanos,
    /// First episode of each strategy, and how many.
    pub(super) ranges: Vec<(usize, usize)>,
    pub(super) routes: Vec<Option<Route>>,
    pub(super) episodes: Vec<Episode>,
    /// Pairs of an instrument, by instrument id.
    pub(super) pairs: Vec<Vec<Pair>>,
    pub(super) kept: Vec<Option<(u32, Opportunity)>>,
    /// Earliest markout of a kept one.
    pub(super) due: MonoNanos,
    pub(super) probes: Vec<Probe>,
    pub(super) delays: [Nanos; PROBE_COUNT],
    /// Earliest probe.
    pub(super) probe_due: MonoNanos,
    pub(super) second: (u64, u32),
    /// The episode of the edge taken last.
    pub(super) taken: Option<usize>,
    pub(super) window: Window,
}

/// One strategy's looks in one evaluation.
#[derive(Debug)]
pub(in crate::engine) struct Looking<'a> {
    pub(in crate::engine) tracker: &'a mut Tracker,
    pub(in crate::engine) books: &'a Books,
    pub(in crate::engine) strategy: usize,
    pub(in crate::engine) received_at: MonoNanos,
    pub(in crate::engine) now: MonoNanos,
}

impl EdgeSink for Looking<'_> {
    fn edge(&mut self, seen: EdgeSeen) {
        let at = (self.received_at, self.now);
        self.tracker.look(self.strategy, &seen, self.books, at);
    }
}

pub(super) const NEVER: MonoNanos = MonoNanos(u64::MAX);

impl Tracker {
    /// Over the routes of all strategies. `fees` are taker fees by instrument; a book older than `book_age_max` has no edge.
    #[must_use]
    pub fn new(
        strategies: &[Box<dyn Strategy>],
        catalogue: Arc<Catalogue>,
        fees: Vec<Ppm>,
        book_age_max: Nanos,
        rules: OpportunityRules,
    ) -> Self {
        let mut tracker = Self {
            rules,
            fees,
            book_age_max,
            ranges: Vec::with_capacity(strategies.len()),
            routes: Vec::new(),
            episodes: Vec::new(),
            pairs: vec![Vec::new(); catalogue.all().len()],
            kept: vec![None; OPPORTUNITIES_MARKED_MAX],
            due: NEVER,
            probes: Vec::with_capacity(OPPORTUNITIES_PROBED_MAX),
            delays: [Nanos::ZERO; PROBE_COUNT],
            probe_due: NEVER,
            second: (0, 0),
            taken: None,
            window: Window {
                routes: Vec::new(),
                opportunities: Vec::with_capacity(OPPORTUNITIES_WINDOW_MAX),
                sampled_out: 0,
                dropped: 0,
            },
            catalogue,
        };
        for (delay, fixed) in tracker.delays.iter_mut().zip(PROBES) {
            *delay = fixed;
        }
        let share = ROUTES_TALLIED_MAX.div_euclid(strategies.len().max(1));
        for (which, strategy) in strategies.iter().enumerate() {
            tracker.add(which, strategy.as_ref(), share);
        }
        tracker
    }

    fn add(&mut self, which: usize, strategy: &dyn Strategy, tallies_max: usize) {
        let first = self.episodes.len();
        let mut tallied = 0;
        for index in 0..strategy.route_count() {
            let id = u16::try_from(index).ok().map(RouteId);
            let route = id.and_then(|id| strategy.route(id)).map(|(route, _)| route);
            if route.is_some() && tallied < tallies_max {
                tallied += 1;
                let own = (tallied < tallies_max).then_some(route).flatten();
                self.window.routes.push(RouteTally::new(which, own));
            }
            let tally = u32::try_from(self.window.routes.len().saturating_sub(1)).unwrap_or(0);
            self.episodes.push(Episode {
                tally,
                opened_at: MonoNanos(0),
                is_open: false,
                sold: false,
                reason: None,
                kept: None,
                kept_at: None,
            });
            if let (Some(route), true) = (&route, strategy.has_touch_edge()) {
                self.pair(tally, route);
            }
            self.routes.push(route);
        }
        self.ranges.push((first, self.episodes.len() - first));
    }

    /// An empty window of the same shape, to swap with.
    #[must_use]
    pub fn empty_window(&self) -> Window {
        let routes = self.window.routes.iter();
        let empty = |tally: &RouteTally| RouteTally::new(tally.strategy, tally.route);
        Window {
            routes: routes.map(empty).collect(),
            opportunities: Vec::with_capacity(OPPORTUNITIES_WINDOW_MAX),
            sampled_out: 0,
            dropped: 0,
        }
    }

    pub(in crate::engine) const fn set_rules(&mut self, rules: OpportunityRules) {
        self.rules = rules;
    }

    /// Exchanges what was counted for an empty window. Constant time.
    pub fn swap(&mut self, window: &mut Window) {
        std::mem::swap(&mut self.window, window);
    }

    /// What was counted since the last swap.
    #[must_use]
    pub const fn window(&self) -> &Window {
        &self.window
    }

    /// A batch of one instrument ended at `received_at`: markouts that are due. One comparison when none is.
    #[inline]
    pub fn on_batch(&mut self, books: &Books, received_at: MonoNanos, now: MonoNanos) {
        if received_at >= self.due {
            self.mark(books, received_at, now);
        }
    }

    fn look(
        &mut self,
        strategy: usize,
        seen: &EdgeSeen,
        books: &Books,
        at: (MonoNanos, MonoNanos),
    ) {
        let Some((first, count)) = self.ranges.get(strategy).copied() else {
            return;
        };
        if seen.route.index() >= count {
            return;
        }
        let slot = first + seen.route.index();
        match seen.end {
            EdgeEnd::Gone(outcome) => self.close(slot, at.0, Closed::Gone(outcome)),
            EdgeEnd::Taken {
                net_edge,
                gross_edge,
            } => {
                self.edge(strategy, slot, (net_edge, gross_edge), books, at);
                self.taken = Some(slot);
                if let Some(tally) = self.tally(slot) {
                    tally.taken += 1;
                }
                // A set is worth a record even when its episode was not kept.
                if self
                    .episodes
                    .get(slot)
                    .is_some_and(|one| one.kept.is_none())
                {
                    self.keep(strategy, slot, (net_edge, gross_edge), books, at);
                }
                if let Some(kept) = self.kept_mut(slot) {
                    kept.taken = kept.taken.saturating_add(1);
                    let edge = (net_edge, gross_edge);
                    kept.decided = Some(Look::of(&kept.route, books, at.0, at.1, edge));
                }
            }
            EdgeEnd::Passed {
                net_edge,
                gross_edge,
                reason,
            } => {
                self.edge(strategy, slot, (net_edge, gross_edge), books, at);
                self.refuse(slot, reason.map_or(Reason::Outbid, Reason::Pass));
            }
        }
    }

    /// A look at or above the minimum.
    fn edge(
        &mut self,
        strategy: usize,
        slot: usize,
        edge: (Ppm, Ppm),
        books: &Books,
        at: (MonoNanos, MonoNanos),
    ) {
        let Some(episode) = self.episodes.get_mut(slot) else {
            return;
        };
        let opens = !episode.is_open;
        if opens {
            episode.is_open = true;
            episode.opened_at = at.0;
            episode.sold = false;
            episode.reason = None;
            let rests = episode
                .kept_at
                .is_some_and(|kept_at| at.0.since(kept_at) < self.rules.interval_min);
            let second = at.0.0.div_euclid(1_000_000_000);
            if self.second.0 != second {
                self.second = (second, 0);
            }
            if rests || self.second.1 >= self.rules.per_second_max {
                self.window.sampled_out += 1;
            } else {
                self.keep(strategy, slot, edge, books, at);
            }
        }
        if opens {
            self.begin_probes(slot, at.0);
        }
        if let Some(tally) = self.tally(slot) {
            tally.looks += 1;
            tally.opened += u64::from(opens);
            tally.see_edge(edge.0);
        }
        if let Some(kept) = self.kept_mut(slot) {
            kept.looks = kept.looks.saturating_add(1);
            kept.last = edge;
            if edge.0 > kept.peak.net_edge {
                kept.peak = Look::of(&kept.route, books, at.0, at.1, edge);
            }
        }
    }

    fn close(&mut self, slot: usize, at: MonoNanos, how: Closed) {
        let Some(episode) = self.episodes.get_mut(slot).filter(|one| one.is_open) else {
            return;
        };
        episode.is_open = false;
        let (lifetime, kept) = (at.since(episode.opened_at), episode.kept.take());
        let unsold = episode.reason.filter(|_| !episode.sold);
        if let Some(tally) = self.tally(slot) {
            tally.close(lifetime, unsold);
        }
        let Some(place) = kept.map(usize::from) else {
            return;
        };
        if let Some(Some((_, opportunity))) = self.kept.get_mut(place) {
            opportunity.closed_at = Some(at);
            opportunity.closed = Some(how);
        }
        self.hand_over(place);
    }

    fn refuse(&mut self, slot: usize, reason: Reason) {
        if let Some(episode) = self.episodes.get_mut(slot) {
            episode.reason = Some(reason);
        }
        let tally = self.episodes.get(slot).map(|one| one.tally as usize);
        if let Some(tally) = tally.and_then(|tally| self.window.routes.get_mut(tally)) {
            tally.refuse(reason, &self.catalogue);
        }
        if let Some(kept) = self.kept_mut(slot) {
            kept.refused = kept.refused.saturating_add(1);
            kept.reason = Some(reason);
        }
    }

    /// The set of the edge taken last was not sent.
    pub fn on_refused(&mut self, reason: Reason) {
        if let Some(slot) = self.taken.take() {
            self.refuse(slot, reason);
        }
    }

    /// The gate approved the set of the edge taken last.
    pub fn on_approved(&mut self, seq: ApprovalSeq) {
        let Some(slot) = self.taken.take() else {
            return;
        };
        if let Some(episode) = self.episodes.get_mut(slot) {
            episode.sold = true;
        }
        if let Some(tally) = self.tally(slot) {
            tally.approved += 1;
        }
        if let Some(kept) = self.kept_mut(slot) {
            kept.approval = Some(seq);
        }
    }

    /// An approved set could not be handed on after all.
    pub fn on_unsent(&mut self, seq: ApprovalSeq) {
        let kept = self.kept.iter().flatten();
        let found = kept.filter(|(_, one)| one.approval == Some(seq));
        let slots: Option<u32> = found.map(|(slot, _)| *slot).next();
        if let Some(slot) = slots.map(|slot| slot as usize) {
            if let Some(episode) = self.episodes.get_mut(slot) {
                episode.sold = false;
            }
            if let Some(tally) = self.tally(slot) {
                tally.approved = tally.approved.saturating_sub(1);
            }
            if let Some(kept) = self.kept_mut(slot) {
                kept.approval = None;
            }
            self.refuse(slot, Reason::NotSent);
        }
    }

    /// The engine stops: open episodes end here, and what is kept goes into the window as it is.
    pub fn stop(&mut self, at: MonoNanos) {
        self.answer_probes(at);
        self.probes.clear();
        for slot in 0..self.episodes.len() {
            self.close(slot, at, Closed::Stopped);
        }
        for place in 0..self.kept.len() {
            if let Some(Some((_, opportunity))) = self.kept.get_mut(place) {
                for markout in &mut opportunity.markouts {
                    if *markout == Markout::Pending {
                        *markout = Markout::NoBook;
                    }
                }
            }
            self.hand_over(place);
        }
        self.due = NEVER;
    }

    fn tally(&mut self, slot: usize) -> Option<&mut RouteTally> {
        let tally = self.episodes.get(slot)?.tally as usize;
        self.window.routes.get_mut(tally)
    }

    fn kept_mut(&mut self, slot: usize) -> Option<&mut Opportunity> {
        let place = self.episodes.get(slot)?.kept.map(usize::from)?;
        let kept = self.kept.get_mut(place)?.as_mut()?;
        Some(&mut kept.1)
    }
}
