//! What is held of a pair, from the positions alone: a restart finds the same.

use crate::strategy::inventory::Inventory;
use crate::strategy::signal::Pass;
use crate::units::{Money, Ppm, Qty};

use super::Direction;
use super::terms::PairTerms;

/// Both positions in base units, signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stance {
    /// Spot position as traded.
    pub spot_qty: Qty,
    /// Contracts.
    pub perp_qty: Qty,
    /// Spot in base units.
    pub spot: i128,
    /// Contracts in base units.
    pub perp: i128,
}

/// Which leg a lone order is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LegKind {
    /// Spot.
    Spot,
    /// The perpetual.
    Perp,
}

impl Stance {
    /// Reads the positions.
    ///
    /// # Errors
    /// [`Pass::PositionUnknown`] when one is not told.
    pub fn of(terms: &PairTerms, inventory: &Inventory<'_>) -> Result<Self, Pass> {
        let position = |instrument: crate::market::InstrumentId| {
            let known = inventory.positions.get(instrument.index()).copied();
            known.ok_or(Pass::PositionUnknown { instrument })
        };
        let (spot_qty, perp_qty) = (
            position(terms.spot.instrument)?,
            position(terms.perp.instrument)?,
        );
        let cost = inventory.costs.get(terms.perp.instrument.index()).copied();
        let perp = terms.perp_base(perp_qty, cost.unwrap_or(Money::ZERO));
        Ok(Self {
            spot_qty,
            perp_qty,
            spot: terms.spot_base(spot_qty),
            perp: perp.ok_or(Pass::PositionUnknown {
                instrument: terms.perp.instrument,
            })?,
        })
    }
    /// True when nothing at all is held.
    #[must_use]
    pub const fn is_flat(&self) -> bool {
        self.spot_qty.0 == 0 && self.perp_qty.0 == 0
    }
    /// The direction that the larger leg belongs to; `None` when flat.
    #[must_use]
    pub const fn direction(&self) -> Option<Direction> {
        // Long spot and short perpetual are one direction, so the sign of spot less perpetual tells.
        match self.spot - self.perp {
            0 => None,
            lean if lean > 0 => Some(Direction::ShortPerp),
            _ => Some(Direction::LongPerp),
        }
    }
    /// Base that the legs hedge of each other.
    #[must_use]
    pub fn hedged(&self) -> i128 {
        if self.spot.signum() * self.perp.signum() < 0 {
            self.spot.abs().min(self.perp.abs())
        } else {
            0
        }
    }
    /// The larger of both legs.
    #[must_use]
    pub fn largest(&self) -> i128 {
        self.spot.abs().max(self.perp.abs())
    }
    /// Base that is not hedged, signed.
    #[must_use]
    pub const fn delta(&self) -> i128 {
        self.spot + self.perp
    }
    /// True when the difference of the legs is more than `band` of the larger one.
    #[must_use]
    pub fn is_outside(&self, band: Ppm) -> bool {
        let delta = self.delta().abs().saturating_mul(i128::from(Ppm::ONE.0));
        delta > self.largest().saturating_mul(i128::from(band.0.max(0)))
    }
    /// The leg that is too large, and by how much base at most: never more than it has.
    #[must_use]
    pub fn excess(&self) -> (LegKind, i128) {
        let delta = self.delta();
        if self.spot.abs() >= self.perp.abs() {
            (LegKind::Spot, delta.abs().min(self.spot.abs()))
        } else {
            (LegKind::Perp, delta.abs().min(self.perp.abs()))
        }
    }
}
