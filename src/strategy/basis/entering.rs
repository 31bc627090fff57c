//! Should one more slice of a pair be put on?

use crate::market::Funding;
use crate::strategy::signal::{EdgeSink, Evaluation, Outcome, Pass};
use crate::trade::{Intent, Leg};
use crate::units::{Nanos, Ppm};

use super::carry::{Carry, EIGHT_HOURS, basis_floor, carry, funding_over};
use super::size::Sizing;
use super::stance::Stance;
use super::{Direction, Edge, FUNDING_AGE_MAX, Scene, SpotPerpBasis, margin};

impl SpotPerpBasis {
    /// Looks at both directions. `leaving`: what is held is to be taken off, so nothing is put on.
    pub(super) fn enter(
        &mut self,
        stance: Result<Stance, Pass>,
        leaving: bool,
        scene: &Scene<'_>,
        edges: &mut dyn EdgeSink,
    ) -> Evaluation {
        let mut said = Evaluation::Nothing;
        for direction in Direction::ALL {
            if !direction.is_allowed(self.params.direction) {
                continue;
            }
            let route = direction.route(true);
            let (spot, perp) = scene.market.prices(direction, true);
            let (spot, perp) = self.terms.scaled(spot, perp);
            let basis = basis_floor(direction, spot, perp);
            let Some(basis) = basis.filter(|basis| *basis >= self.params.entry_basis) else {
                self.close(route, Outcome::BelowThreshold, edges);
                continue;
            };
            self.reached(route);
            let funding = self.funding(scene);
            // What is not told counts as nothing received: the numbers shown are then the basis' alone.
            let (rate, interval) = funding.map_or((0, EIGHT_HOURS), |(told, interval)| {
                (told.rate_ppb, interval)
            });
            let worth = carry(&self.carry, direction, basis, rate, interval);
            let edge = Edge {
                route,
                net: worth.map_or(Ppm(i64::MIN), |worth| worth.net),
                gross: worth.map_or(Ppm(i64::MIN), |worth| worth.gross),
            };
            let held = stance
                .as_ref()
                .ok()
                .and_then(|stance| self.held_other(direction, stance));
            if leaving || held.is_some() {
                self.note(route, Outcome::Outbid);
                edges.edge(edge.passed(None));
                continue;
            }
            let wanted = stance
                .and_then(|stance| self.consider_entry(direction, basis, worth, &stance, scene));
            match wanted {
                Ok(legs) => {
                    let intent = self.take_entry(&edge, &legs, scene);
                    edges.edge(edge.taken());
                    return Evaluation::Taken(intent);
                }
                Err(reason) => {
                    self.note(route, reason.outcome());
                    edges.edge(edge.passed(Some(reason)));
                    said = Evaluation::Refused {
                        route,
                        net_edge: edge.net,
                        reason,
                    };
                }
            }
        }
        said
    }

    /// A pair of the other direction that can be traded is held: it must be left first.
    fn held_other(&self, direction: Direction, stance: &Stance) -> Option<Direction> {
        stance
            .direction()
            .filter(|held| *held != direction && stance.hedged() > 0)
    }

    fn take_entry(&mut self, edge: &Edge, legs: &[Leg; 2], scene: &Scene<'_>) -> Intent {
        let intent = self.intent(legs, edge.net, edge.gross, scene);
        self.note(edge.route, Outcome::Taken);
        self.rest(edge.route, scene.now.after(self.slice_pause()));
        intent
    }

    /// Pause between two slices.
    pub(super) fn slice_pause(&self) -> Nanos {
        self.params.slice_interval.max(self.params.common.cooldown)
    }

    /// The venue's last word on funding with its interval; `None` when it is too old or there was none.
    pub(super) fn funding(&self, scene: &Scene<'_>) -> Option<(Funding, Nanos)> {
        let told = scene.market.perp.funding()?;
        let fresh = scene.now.since(told.told_at) <= FUNDING_AGE_MAX;
        let interval = told.interval.unwrap_or(self.params.funding_interval);
        fresh.then_some((told, interval))
    }

    /// Everything between an edge and an order: the numbers of the pair first, then the strategy's pace, then the size.
    fn consider_entry(
        &mut self,
        direction: Direction,
        basis: Ppm,
        worth: Option<Carry>,
        stance: &Stance,
        scene: &Scene<'_>,
    ) -> Result<[Leg; 2], Pass> {
        let (rate, interval) = self.check_funding(direction, scene)?;
        let worth = worth.unwrap_or(Carry {
            gross: Ppm(i64::MIN),
            fees: Ppm(i64::MAX),
            net: Ppm(i64::MIN),
            per_day: Ppm(i64::MIN),
        });
        let net_edge_max = self.params.common.max_net_edge;
        if worth.net > net_edge_max {
            return Err(Pass::Implausible {
                net_edge: worth.net,
                net_edge_max,
            });
        }
        let carry_per_day_min = self.params.min_net_carry_per_day;
        if worth.per_day < carry_per_day_min {
            return Err(Pass::CarryBelowMin {
                carry_per_day: worth.per_day,
                carry_per_day_min,
            });
        }
        let route = direction.route(true);
        self.check_agreeing(route)?;
        self.check_rest(route, self.slice_pause(), scene.now)?;
        self.blackout.check(scene.now)?;
        self.ready(scene)?;
        let sizing = Sizing {
            terms: &self.terms,
            params: &self.params,
            market: &scene.market,
            inventory: scene.inventory,
        };
        let slack = Ppm(basis.0.saturating_sub(self.params.entry_basis.0));
        let legs = sizing.entry(
            direction,
            stance,
            self.size_factor(scene)?,
            slack,
            |spot, perp| {
                let (spot, perp) = self.terms.scaled(spot, perp);
                let Some(basis) = basis_floor(direction, spot, perp) else {
                    return false;
                };
                let worth = carry(&self.carry, direction, basis, rate, interval);
                basis >= self.params.entry_basis
                    && worth.is_some_and(|worth| worth.per_day >= carry_per_day_min)
            },
        )?;
        self.check_margin(&legs, stance, scene)?;
        Ok(legs)
    }

    /// Funding must be known, enough, and not too near.
    fn check_funding(&self, direction: Direction, scene: &Scene<'_>) -> Result<(i64, Nanos), Pass> {
        let told = scene.market.perp.funding();
        let stale = Pass::FundingStale {
            age: told.map_or(Nanos(u64::MAX), |told| scene.now.since(told.told_at)),
            age_max: FUNDING_AGE_MAX,
        };
        let (told, interval) = self.funding(scene).ok_or(stale)?;
        let funding_8h_ppb =
            funding_over(direction, told.rate_ppb, interval, EIGHT_HOURS).ok_or(stale)?;
        let funding_8h_ppb_min = self.params.min_funding_8h_ppb;
        if funding_8h_ppb < funding_8h_ppb_min {
            return Err(Pass::FundingBelowMin {
                funding_8h_ppb,
                funding_8h_ppb_min,
            });
        }
        // A venue that names no instant may pay at any.
        let next_at = told.next_at.ok_or(Pass::FundingStale {
            age: Nanos(u64::MAX),
            age_max: FUNDING_AGE_MAX,
        })?;
        let (remaining, guard) = (
            next_at.since(scene.now),
            self.params.no_entry_before_funding,
        );
        if remaining <= guard {
            return Err(Pass::NearFunding { remaining, guard });
        }
        Ok((told.rate_ppb, interval))
    }

    /// The smallest size factor of both instruments and the strategy.
    fn size_factor(&self, scene: &Scene<'_>) -> Result<Ppm, Pass> {
        let mut factor = scene.inventory.size_factor;
        for instrument in self.instruments {
            let own = scene
                .inventory
                .size_factors
                .get(instrument.index())
                .copied();
            factor = factor.min(own.ok_or(Pass::PositionUnknown { instrument })?);
        }
        Ok(factor)
    }

    /// Leverage and liquidation distance with the slice on top.
    fn check_margin(
        &self,
        legs: &[Leg; 2],
        stance: &Stance,
        scene: &Scene<'_>,
    ) -> Result<(), Pass> {
        let instrument = self.params.perp;
        let unknown = Pass::MarginUnknown { instrument };
        let room = scene
            .inventory
            .margins
            .get(instrument.index())
            .copied()
            .flatten();
        let room = room.ok_or(unknown)?;
        let [_, perp] = legs;
        let price = self.mark(scene);
        let value = |qty| margin::value_ceil(&self.terms.contract, qty, price).ok_or(unknown);
        margin::check_entry(
            &room,
            value(stance.perp_qty)?,
            value(perp.qty)?,
            self.params.leverage,
            self.params.min_liq_distance,
        )
    }
}
