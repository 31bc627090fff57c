//! AT-10 and AT-11: margin of a derivatives account as the venue tells it, and how far prices may move before it is used up.

use rust_decimal::Decimal;

use crate::market::VenueId;
use crate::risk::{KillLevel, Scope};
use crate::trade::MarginFacts;

use super::Monitor;
use super::exposure::{over, ratio};
use super::judge::{Reading, Tier};
use super::rows::Control;

/// Initial margin over equity, and maintenance margin over equity (vector V36). Without equity, margin in use is too much.
pub(super) fn usage(margin: &MarginFacts) -> (Decimal, Decimal) {
    let share = |part: Decimal| {
        if part <= Decimal::ZERO {
            return Decimal::ZERO;
        }
        over(part, margin.equity).unwrap_or(Decimal::MAX)
    };
    (share(margin.initial), share(margin.maintenance))
}

/// The move of one price that uses up what equity exceeds maintenance margin by, as a share of the price: less than the true
/// distance, because the maintenance margin of a loss-making position falls with its value.
pub(super) fn distance(margin: &MarginFacts, notional: Decimal) -> Option<Decimal> {
    let left = margin
        .equity
        .checked_sub(margin.maintenance)?
        .max(Decimal::ZERO);
    over(left, notional.abs())
}

impl Monitor {
    /// AT-10 of one venue: two ratios with limits of their own. Initial margin says how much of the account is in use, and stops
    /// new risk; only maintenance margin says how near a liquidation is, and closes positions.
    pub(super) fn read_margin(&self, venue: VenueId, out: &mut Vec<Reading>) {
        let Some(margin) = self.heard.venue(venue).and_then(|facts| facts.margin) else {
            return;
        };
        let own = &self.limits.controls;
        let (initial, maintenance) = usage(&margin);
        out.push(Reading::new(
            Control::MarginUsage,
            Scope::Venue(venue),
            Some(initial),
            Tier::auto(ratio(own.margin_usage_max), KillLevel::ReduceOnly),
        ));
        let reading = Reading::new(
            Control::Margin,
            Scope::Venue(venue),
            Some(maintenance),
            Tier::auto(ratio(own.margin_max), KillLevel::ReduceOnly),
        )
        .then(Tier::latched(ratio(own.margin_flatten), KillLevel::Flatten))
        .warns_at(ratio(own.margin_warn));
        out.push(reading);
    }

    /// AT-11 of every derivative of one venue.
    pub(super) fn read_distance(&self, venue: VenueId, out: &mut Vec<Reading>) {
        let Some(margin) = self.heard.venue(venue).and_then(|facts| facts.margin) else {
            return;
        };
        let limit = ratio(self.limits.controls.liquidation_distance_min);
        for (instrument, watch) in self.catalogue.all().iter().zip(&self.watches) {
            if instrument.venue != venue || instrument.symbol.settle.is_none() {
                continue;
            }
            let value = watch.value().map(|value| value.0);
            let far = match value {
                // A flat position is as far away as can be.
                Some(value) if value.is_zero() => Some(Decimal::ONE),
                value => value.and_then(|value| distance(&margin, value)),
            };
            let mut reading = Reading::new(
                Control::LiquidationDistance,
                Scope::Instrument(instrument.id),
                far,
                Tier::auto(limit, KillLevel::ReduceOnly),
            );
            reading.source = Some(instrument.id);
            out.push(reading);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dec(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    /// V36: maintenance 6,950, margin balance 13,900, initial 20,000.
    #[test]
    fn v36_margin_ratio() {
        let margin = MarginFacts {
            equity: dec("13900"),
            initial: dec("20000"),
            maintenance: dec("6950"),
        };
        assert_eq!(usage(&margin), (dec("1.438848921"), dec("0.5")));
    }

    /// V37 has 1.318 % to the liquidation price; the bound used here is nearer.
    #[test]
    fn the_distance_is_never_too_far() {
        let margin = MarginFacts {
            equity: dec("20000"),
            initial: dec("20000"),
            maintenance: dec("6950"),
        };
        assert_eq!(distance(&margin, dec("1000000")), Some(dec("0.01305")));
        let broke = MarginFacts {
            equity: dec("-5"),
            initial: dec("1"),
            maintenance: dec("1"),
        };
        assert_eq!(usage(&broke), (Decimal::MAX, Decimal::MAX));
        assert_eq!(distance(&broke, dec("10")), Some(Decimal::ZERO));
    }
}
