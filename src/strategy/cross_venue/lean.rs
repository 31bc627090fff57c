//! Where inventory lies, and what it asks of a route: further out must earn more, back may earn less.
//!
//! The ratio of an instrument is 0 at the most sold that the strategy allows, 1 at the most bought and one half at none. Its
//! distance from the target, over the band, times the skew is what a purchase there must earn in addition, and a sale less.
//! Example: bound 1,000, position worth 300, target 0.5, band 0.3, skew 3 bps: ratio 0.65, distance 0.15, half of the band, so
//! a purchase needs 1.5 bps more and a sale 1.5 bps less.

use crate::market::InstrumentId;
use crate::units::{Notional, Ppm, Price, Qty, Side};

use super::super::signal::Pass;

/// One end of a route.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lean {
    pub(super) instrument: InstrumentId,
    pub(super) side: Side,
    pub(super) position: Qty,
    pub(super) price: Price,
    /// Largest position value.
    pub(super) bound: Notional,
    pub(super) target: Ppm,
    pub(super) band: Ppm,
    pub(super) skew: Ppm,
}

impl Lean {
    /// Signed distance from the target; positive: more than wanted. Rounded down.
    fn distance_floor(&self) -> Ppm {
        if self.bound.0 <= 0 {
            return Ppm(0);
        }
        let value = self.price.times(self.position).0;
        // Half of the whole per bound; beyond both bounds it stays at the ends.
        let half = i128::from(Ppm::ONE.0.div_euclid(2));
        let part = value
            .clamp(-self.bound.0, self.bound.0)
            .checked_mul(half)
            .map_or(half, |scaled| scaled.div_euclid(self.bound.0));
        let ratio = i64::try_from(half + part).unwrap_or(Ppm::ONE.0);
        Ppm(ratio - self.target.0)
    }

    /// What this end adds to the edge needed, rounded up.
    pub(super) fn extra_edge_ceil(&self) -> Ppm {
        let distance = self.distance_floor().0.clamp(-self.band.0, self.band.0);
        let outward = match self.side {
            Side::Buy => distance,
            Side::Sell => -distance,
        };
        let scaled = i128::from(outward) * i128::from(self.skew.0);
        let ceil = -(-scaled).div_euclid(i128::from(self.band.0.max(1)));
        Ppm(i64::try_from(ceil).unwrap_or(self.skew.0))
    }

    /// Refuses an end that is out of the band and goes further.
    pub(super) fn check(&self) -> Result<(), Pass> {
        let distance = self.distance_floor();
        let (is_out, bound) = match self.side {
            Side::Buy => (distance > self.band, self.target.saturating_add(self.band)),
            Side::Sell => (
                distance.0 < -self.band.0,
                self.target.saturating_sub(self.band),
            ),
        };
        if !is_out {
            return Ok(());
        }
        Err(Pass::InventoryBand {
            instrument: self.instrument,
            ratio: self.target.saturating_add(distance),
            ratio_bound: bound,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lean(side: Side, position: i64) -> Lean {
        Lean {
            instrument: InstrumentId(7),
            side,
            position: Qty(position),
            price: Price(10),
            bound: Notional(10_000),
            target: Ppm(500_000),
            band: Ppm(300_000),
            skew: Ppm(300),
        }
    }

    /// The example of the module.
    #[test]
    fn half_of_the_band_costs_half_of_the_skew() {
        assert_eq!(lean(Side::Buy, 300).extra_edge_ceil(), Ppm(150));
        assert_eq!(lean(Side::Sell, 300).extra_edge_ceil(), Ppm(-150));
        assert_eq!(lean(Side::Buy, -300).extra_edge_ceil(), Ppm(-150));
        assert_eq!(lean(Side::Buy, 0).extra_edge_ceil(), Ppm(0));
        assert_eq!(
            lean(Side::Buy, 900).extra_edge_ceil(),
            Ppm(300),
            "never more"
        );
    }

    #[test]
    fn beyond_the_band_only_the_way_back() {
        assert_eq!(
            lean(Side::Buy, 600).check(),
            Ok(()),
            "the edge of the band is in it"
        );
        assert_eq!(
            lean(Side::Buy, 601).check(),
            Err(Pass::InventoryBand {
                instrument: InstrumentId(7),
                ratio: Ppm(800_500),
                ratio_bound: Ppm(800_000)
            })
        );
        assert_eq!(lean(Side::Sell, 601).check(), Ok(()));
        assert!(lean(Side::Sell, -601).check().is_err());
        assert_eq!(lean(Side::Buy, -601).check(), Ok(()));
    }
}
