//! What is counted between two reports: exact, of fixed size, emptied by swapping.

use hdrhistogram::Histogram;

use crate::market::Catalogue;
use crate::strategy::Route;
use crate::units::{Nanos, Ppm, Price};

use super::probes::PROBE_COUNT;
use super::words::{Opportunity, Reason};

/// Different reasons a route and window; further ones count as `reasons_other`.
pub(super) const REASONS_MAX: usize = 12;

/// Lifetimes are counted in microseconds up to ten minutes, to two digits.
const LIFETIME_MAX_MICROS: u64 = 600_000_000;

/// How often one rule said no.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReasonTally {
    /// The latest, with its numbers.
    pub last: Reason,
    /// The one furthest from passing.
    pub worst: Reason,
    /// Looks.
    pub looks: u64,
    /// Episodes that ended without a set and whose last refusal it was.
    pub episodes: u64,
}

/// One route's counts; the last of a strategy with very many routes holds all further ones.
#[derive(Debug, Clone, PartialEq)]
pub struct RouteTally {
    /// Index of the strategy.
    pub strategy: usize,
    /// Which route; `None` for the sum of those without a tally of their own.
    pub route: Option<Route>,
    /// Looks at or above the minimum.
    pub looks: u64,
    /// Episodes that began.
    pub opened: u64,
    /// Episodes that ended.
    pub closed: u64,
    /// Looks that the strategy took.
    pub taken: u64,
    /// Of those: approved by the gate.
    pub approved: u64,
    /// By rule, in order of appearance.
    pub reasons: Vec<ReasonTally>,
    /// Refusals by further rules.
    pub reasons_other: u64,
    /// Best net edge; of touches below the minimum too where the strategy's edge is that of two touches.
    pub best_edge: Option<Ppm>,
    /// Bid and ask behind the best touch.
    pub(super) best_touch: Option<(Price, Price)>,
    /// Episodes looked at again after each delay of [`super::PROBES`] and our own two.
    pub probed: [u64; PROBE_COUNT],
    /// Of those: the edge was there.
    pub present: [u64; PROBE_COUNT],
    /// Lifetimes of ended episodes, microseconds.
    pub lifetimes: Histogram<u32>,
}

impl RouteTally {
    pub(super) fn new(strategy: usize, route: Option<Route>) -> Self {
        let lifetimes = Histogram::new_with_bounds(1, LIFETIME_MAX_MICROS, 2);
        let lifetimes = lifetimes
            .unwrap_or_else(|_| unreachable!("Invariant: the bounds are constants and valid"));
        Self {
            strategy,
            route,
            looks: 0,
            opened: 0,
            closed: 0,
            taken: 0,
            approved: 0,
            reasons: Vec::with_capacity(REASONS_MAX),
            reasons_other: 0,
            best_edge: None,
            best_touch: None,
            probed: [0; PROBE_COUNT],
            present: [0; PROBE_COUNT],
            lifetimes,
        }
    }

    pub(super) fn see_edge(&mut self, net_edge: Ppm) {
        self.best_edge = Some(self.best_edge.map_or(net_edge, |best| best.max(net_edge)));
    }

    pub(super) fn refuse(&mut self, reason: Reason, catalogue: &Catalogue) {
        let code = reason.code();
        if let Some(known) = self
            .reasons
            .iter_mut()
            .find(|known| known.last.code() == code)
        {
            known.looks += 1;
            known.last = reason;
            if let Some(route) = &self.route
                && let (Some(new), Some(old)) = (
                    reason.numbers(route, catalogue),
                    known.worst.numbers(route, catalogue),
                )
                && new.excess() > old.excess()
            {
                known.worst = reason;
            }
        } else if self.reasons.len() < REASONS_MAX {
            self.reasons.push(ReasonTally {
                last: reason,
                worst: reason,
                looks: 1,
                episodes: 0,
            });
        } else {
            self.reasons_other += 1;
        }
    }

    pub(super) fn close(&mut self, lifetime: Nanos, unsold: Option<Reason>) {
        self.closed += 1;
        let micros = lifetime.0.div_euclid(1_000).max(1);
        self.lifetimes.saturating_record(micros);
        let Some(reason) = unsold else { return };
        let code = reason.code();
        let known = self.reasons.iter_mut();
        if let Some(known) = known.into_iter().find(|known| known.last.code() == code) {
            known.episodes += 1;
        } else if self.reasons.len() < REASONS_MAX {
            // It was refused before the last swap.
            self.reasons.push(ReasonTally {
                last: reason,
                worst: reason,
                looks: 0,
                episodes: 1,
            });
        }
    }

    /// True when there is nothing to tell.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.looks == 0 && self.closed == 0 && self.best_edge.is_none()
    }

    fn reset(&mut self) {
        self.looks = 0;
        self.opened = 0;
        self.closed = 0;
        self.taken = 0;
        self.approved = 0;
        self.reasons.clear();
        self.reasons_other = 0;
        self.best_edge = None;
        self.best_touch = None;
        self.probed = [0; PROBE_COUNT];
        self.present = [0; PROBE_COUNT];
        if !self.lifetimes.is_empty() {
            self.lifetimes.reset();
        }
    }
}

/// Everything between two reports.
#[derive(Debug, Clone, PartialEq)]
pub struct Window {
    /// By tally.
    pub routes: Vec<RouteTally>,
    /// Episodes in full, in order of their end.
    pub opportunities: Vec<Opportunity>,
    /// Episodes not kept in full: too soon after another one of the route, or too many in this second.
    pub sampled_out: u64,
    /// Episodes not kept in full because there was no room.
    pub dropped: u64,
}

impl Window {
    /// Empties it, for the next swap. The buffers stay.
    pub fn reset(&mut self) {
        self.routes.iter_mut().for_each(RouteTally::reset);
        self.opportunities.clear();
        self.sampled_out = 0;
        self.dropped = 0;
    }

    /// Adds a later window of the same tracker.
    pub fn absorb(&mut self, later: &Self) {
        self.absorb_counts(later);
        self.opportunities.extend_from_slice(&later.opportunities);
    }

    /// Adds the counts of a later window of the same tracker, without its episodes.
    pub fn absorb_counts(&mut self, later: &Self) {
        for (sum, route) in self.routes.iter_mut().zip(&later.routes) {
            sum.looks += route.looks;
            sum.opened += route.opened;
            sum.closed += route.closed;
            sum.taken += route.taken;
            sum.approved += route.approved;
            sum.reasons_other += route.reasons_other;
            if let Some(best) = route.best_edge {
                sum.see_edge(best);
            }
            let probes = sum.probed.iter_mut().zip(&route.probed);
            let present = sum.present.iter_mut().zip(&route.present);
            probes.chain(present).for_each(|(sum, one)| *sum += one);
            for reason in &route.reasons {
                sum.absorb_reason(reason);
            }
            if !route.lifetimes.is_empty() {
                let added = sum.lifetimes.add(&route.lifetimes);
                debug_assert!(added.is_ok(), "Invariant: both have the same bounds");
            }
        }
        self.sampled_out += later.sampled_out;
        self.dropped += later.dropped;
    }
}

impl RouteTally {
    fn absorb_reason(&mut self, later: &ReasonTally) {
        let code = later.last.code();
        match self
            .reasons
            .iter_mut()
            .find(|known| known.last.code() == code)
        {
            Some(known) => {
                known.looks += later.looks;
                known.episodes += later.episodes;
                known.last = later.last;
            }
            None => self.reasons.push(*later),
        }
    }
}
