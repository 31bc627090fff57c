//! The exact comparison of pairs of venues, and the best of what may be taken.

use crate::market::{Books, InstrumentId, Top};
use crate::units::{MonoNanos, Ppm, Price, Qty};

use super::super::inventory::Inventory;
use super::super::signal::{EdgeEnd, EdgeSeen, EdgeSink, Evaluation, Outcome, Pass};
use super::super::sizing::RouteRules;
use super::consider::Considered;
use super::{CrossVenue, route_bit, route_id, route_index};

/// A pair that reached the minimum.
#[derive(Debug, Clone, Copy)]
pub(super) struct Candidate {
    pub(super) buy: usize,
    pub(super) sell: usize,
    pub(super) ask: Price,
    pub(super) bid: Price,
    pub(super) net_edge: Ppm,
    pub(super) gross_edge: Ppm,
    /// What its venues demand now.
    pub(super) rules: RouteRules,
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
    /// The exact comparison of the given pairs, and the best of what may be taken.
    pub(super) fn compare(
        &mut self,
        pairs: impl Iterator<Item = (usize, usize)>,
        changed: InstrumentId,
        books: &Books,
        inventory: &Inventory<'_>,
        now: MonoNanos,
        edges: &mut dyn EdgeSink,
    ) -> Evaluation {
        let age_max = self.params.common.max_book_age;
        let mut best: Option<(Candidate, Considered)> = None;
        let mut refused = Evaluation::Nothing;
        for (buy, sell) in pairs {
            let top = |slot: usize| {
                let instrument = self.routes.instrument(slot)?;
                books.trusted_top(instrument, now, age_max)
            };
            let (Some(buy_top), Some(sell_top)) = (top(buy), top(sell)) else {
                self.close(buy, sell, Outcome::StaleBook, edges);
                continue;
            };
            let Some(candidate) =
                self.candidate((buy, sell), (&buy_top, &sell_top), books, inventory, now)
            else {
                self.close(buy, sell, Outcome::BelowThreshold, edges);
                continue;
            };
            match self.consider(&candidate, books, inventory, now) {
                Ok(considered) => {
                    let loser = match best {
                        Some((first, kept)) if kept.sized.net_edge >= considered.sized.net_edge => {
                            best = Some((first, kept));
                            Some(candidate)
                        }
                        previous => {
                            best = Some((candidate, considered));
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
        let Some((candidate, considered)) = best else {
            return refused;
        };
        let taken = self.take(&candidate, &considered, books, changed, now);
        if taken.is_some() {
            edges.edge(candidate.seen(EdgeEnd::Taken {
                net_edge: candidate.net_edge,
                gross_edge: candidate.gross_edge,
            }));
        }
        taken.map_or(refused, Evaluation::Taken)
    }

    /// The exact test of one pair.
    #[inline]
    fn candidate(
        &mut self,
        (buy, sell): (usize, usize),
        (buy_top, sell_top): (&Top, &Top),
        books: &Books,
        inventory: &Inventory<'_>,
        now: MonoNanos,
    ) -> Option<Candidate> {
        if self.routes.is_denied(buy, sell) {
            return None;
        }
        let (ask, bid) = (buy_top.ask.price, sell_top.bid.price);
        let rules = self.rules_now((buy, sell), (ask, bid), books, inventory, now);
        if !rules.reaches(bid, ask, rules.edge_min) {
            return None;
        }
        let unit = Qty(1);
        let (net_edge, gross_edge) = rules.edges_floor(ask.times(unit), bid.times(unit))?;
        let state = self.states.get_mut(route_index(buy, sell))?;
        if state.agreeing == 0 {
            self.counters.opportunities += 1;
            self.open |= route_bit(buy, sell);
        }
        state.agreeing = state.agreeing.saturating_add(1);
        Some(Candidate {
            buy,
            sell,
            ask,
            bid,
            net_edge,
            gross_edge,
            rules,
        })
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
