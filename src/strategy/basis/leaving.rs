//! Should what is held be evened, shrunk or taken off?

use crate::strategy::params::ExitStyle;
use crate::strategy::signal::{EdgeSink, Evaluation, Outcome, Pass};
use crate::trade::{Intent, Leg};
use crate::units::{Nanos, Ppm, Price};

use super::carry::{basis_ceil, exit_cost_ceil, fees_once_ceil, flip_loss_floor};
use super::margin::{DISTANCE_WARN, distance_floor, shrink_share_ceil, value_ceil};
use super::size::Sizing;
use super::stance::{LegKind, Stance};
use super::{Direction, Edge, Scene, SpotPerpBasis};

/// Whether a pair is taken off.
#[derive(Debug)]
pub(super) enum Leave {
    /// This set does it.
    Taken(Intent),
    /// It is to be, but not now.
    Wanted(Evaluation),
    /// It stays.
    Not,
}

/// Why a pair goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// Liquidation is near: this share of it, at once.
    Liquidation { share: Ppm },
    /// It was held long enough.
    Age,
    /// The basis came down to the exit.
    Basis,
    /// Funding turned, and leaving costs less than staying.
    Flip,
}

impl SpotPerpBasis {
    /// Trims a leg that the other does not hedge, or both when they are too small to be a pair. Not told as an edge: it earns
    /// nothing, it ends a risk.
    pub(super) fn even(&mut self, stance: &Stance, scene: &Scene<'_>) -> Option<Intent> {
        if stance.is_flat() || scene.now < self.lone_rests_until {
            return None;
        }
        let outside = stance.is_outside(self.params.delta_band);
        let alone = !self.is_pair(stance, scene);
        if !outside && !alone {
            return None;
        }
        self.settled(scene).ok()?;
        let (leg, excess) = stance.excess();
        let sizing = self.sizing(scene);
        let order = Some(excess)
            .filter(|_| outside)
            .and_then(|excess| sizing.lone(leg, excess, stance))
            .or_else(|| {
                // What is too small to be a pair goes leg by leg.
                let whole = Some(stance.largest()).filter(|_| alone)?;
                sizing.lone(leg, whole, stance)
            })?;
        let fee = match leg {
            LegKind::Spot => self.params.spot_fee,
            LegKind::Perp => self.params.perp_fee,
        };
        self.lone_rests_until = scene.now.after(self.slice_pause());
        Some(self.intent(&[order], Ppm(-fee.0), Ppm(0), scene))
    }

    /// True when the hedged part is large enough to be traded on both legs.
    fn is_pair(&self, stance: &Stance, scene: &Scene<'_>) -> bool {
        let Some(direction) = stance.direction() else {
            return false;
        };
        let (spot, perp) = scene.market.prices(direction, false);
        let per = self.terms.per_held(stance.perp_qty, stance.perp);
        let least = self.terms.least(spot, perp, per);
        let pair = self.terms.pair_floor(stance.hedged(), per);
        pair.spot >= least.spot && pair.perp >= least.perp
    }

    /// Looks at the exit of what is held.
    pub(super) fn leave(
        &mut self,
        stance: &Stance,
        scene: &Scene<'_>,
        edges: &mut dyn EdgeSink,
    ) -> Leave {
        let held = stance.direction().filter(|_| self.is_pair(stance, scene));
        for direction in Direction::ALL {
            if held != Some(direction) {
                self.close(direction.route(false), Outcome::BelowThreshold, edges);
            }
        }
        let Some(direction) = held else {
            return Leave::Not;
        };
        let route = direction.route(false);
        let (spot, perp) = scene.market.prices(direction, false);
        let (spot, perp) = self.terms.scaled(spot, perp);
        let Some(remaining) = basis_ceil(direction, spot, perp) else {
            self.close(route, Outcome::BelowThreshold, edges);
            return Leave::Not;
        };
        // What leaving now gains over leaving at the exit basis, before and after the fees of it.
        let gross = Ppm(self.params.exit_basis.0.saturating_sub(remaining.0));
        let fees = fees_once_ceil(&self.carry, remaining).unwrap_or(i64::MAX);
        let edge = Edge {
            route,
            net: Ppm(gross.0.saturating_sub(fees)),
            gross,
        };
        let cause = match self.cause(direction, remaining, stance, scene) {
            Ok(Some(cause)) => cause,
            Ok(None) => {
                self.close(route, Outcome::BelowThreshold, edges);
                return Leave::Not;
            }
            Err(reason) => {
                self.reached(route);
                self.note(route, reason.outcome());
                edges.edge(edge.passed(Some(reason)));
                return Leave::Not;
            }
        };
        self.reached(route);
        match self.consider_exit(direction, cause, remaining, stance, scene) {
            Ok(legs) => {
                let intent = self.intent(&legs, edge.net, edge.gross, scene);
                self.note(route, Outcome::Taken);
                self.rest(route, scene.now.after(self.exit_pause(cause)));
                edges.edge(edge.taken());
                Leave::Taken(intent)
            }
            Err(reason) => {
                self.note(route, reason.outcome());
                edges.edge(edge.passed(Some(reason)));
                Leave::Wanted(Evaluation::Refused {
                    route,
                    net_edge: edge.net,
                    reason,
                })
            }
        }
    }

    /// The first cause to leave; an error is a threshold that was reached and is not acted on.
    fn cause(
        &self,
        direction: Direction,
        remaining: Ppm,
        stance: &Stance,
        scene: &Scene<'_>,
    ) -> Result<Option<Cause>, Pass> {
        let distance = self.distance(stance, scene);
        let distance_min = self.params.min_liq_distance;
        if let Some(distance) = distance.filter(|distance| *distance < distance_min) {
            let share = shrink_share_ceil(distance, distance_min);
            return Ok(Some(Cause::Liquidation { share }));
        }
        let age = self.held_since.map(|since| scene.now.since(since));
        if age.is_some_and(|age| age >= self.params.max_hold) {
            return Ok(Some(Cause::Age));
        }
        if remaining <= self.params.exit_basis {
            return Ok(Some(Cause::Basis));
        }
        let loss = self
            .funding(scene)
            .filter(|_| self.params.funding_flip_exit)
            .and_then(|(told, interval)| {
                flip_loss_floor(&self.carry, direction, told.rate_ppb, interval)
            });
        if let Some(loss) = loss.filter(|loss| loss.0 > 0) {
            let cost = exit_cost_ceil(&self.carry, remaining).unwrap_or(Ppm(i64::MAX));
            return if cost < loss {
                Ok(Some(Cause::Flip))
            } else {
                Err(Pass::ExitDearer { cost, loss })
            };
        }
        match distance {
            Some(distance) if distance < DISTANCE_WARN => Err(Pass::LiquidationNear {
                distance,
                distance_min: DISTANCE_WARN,
            }),
            _ => Ok(None),
        }
    }

    /// Move of the price to liquidation; `None` without a contract, or when the margin account is not told (the gate and the
    /// monitor act on that).
    fn distance(&self, stance: &Stance, scene: &Scene<'_>) -> Option<Ppm> {
        let index = self.params.perp.index();
        let room = scene.inventory.margins.get(index).copied().flatten()?;
        if stance.perp_qty.is_zero() {
            return None;
        }
        let value = value_ceil(&self.terms.contract, stance.perp_qty, self.mark(scene))?;
        Some(distance_floor(&room, value))
    }

    /// The venue liquidates by its own mark; without one the ask stands for it.
    pub(super) fn mark(&self, scene: &Scene<'_>) -> Price {
        let mark = scene.market.perp.venue_mark().filter(|mark| mark.0 > 0);
        mark.unwrap_or(scene.market.perp_top.ask.price)
    }

    fn consider_exit(
        &mut self,
        direction: Direction,
        cause: Cause,
        remaining: Ppm,
        stance: &Stance,
        scene: &Scene<'_>,
    ) -> Result<[Leg; 2], Pass> {
        let route = direction.route(false);
        if cause == Cause::Basis {
            self.check_agreeing(route)?;
        }
        self.check_rest(route, self.exit_pause(cause), scene.now)?;
        if matches!(cause, Cause::Liquidation { .. }) {
            self.settled(scene)?;
        } else {
            self.blackout.check(scene.now)?;
            self.ready(scene)?;
        }
        let exit_basis = self.params.exit_basis;
        let (share, slack) = match cause {
            Cause::Liquidation { share } => (Some(share), None),
            Cause::Age | Cause::Flip => (None, None),
            Cause::Basis => (None, Some(Ppm(exit_basis.0.saturating_sub(remaining.0)))),
        };
        self.sizing(scene)
            .exit(direction, stance, share, slack, |spot, perp| {
                let (spot, perp) = self.terms.scaled(spot, perp);
                let left = basis_ceil(direction, spot, perp);
                cause != Cause::Basis || left.is_some_and(|left| left <= exit_basis)
            })
    }

    /// Pause after a set that takes a part off.
    fn exit_pause(&self, cause: Cause) -> Nanos {
        match (cause, self.params.exit_style) {
            (Cause::Liquidation { .. }, _) | (_, ExitStyle::PairNow) => self.params.common.cooldown,
            (_, ExitStyle::PairSlices) => self.slice_pause(),
        }
    }

    fn sizing<'a>(&'a self, scene: &'a Scene<'_>) -> Sizing<'a> {
        Sizing {
            terms: &self.terms,
            params: &self.params,
            market: &scene.market,
            inventory: scene.inventory,
        }
    }
}
