//! Stress scenarios as live limits: what would be lost at once if it happened now.

use rust_decimal::Decimal;

use crate::risk::limits::{Shock, StressScenario};
use crate::risk::{Amount, KillLevel, LimitUse, Scope};
use crate::units::{Asset, Money, Ppm};

use super::Monitor;
use super::exposure::{over, ratio};
use super::judge::{Reading, Tier};
use super::rows::Control;

impl Monitor {
    /// Loss of a scenario on what is held now, never below zero; `None` when something in it cannot be valued.
    pub(super) fn stress_loss(&self, shock: &Shock) -> Option<Decimal> {
        let loss = match shock {
            Shock::VenueLost(venue) => {
                // What we have there is gone; what its positions hedged elsewhere is bare, which other scenarios price.
                self.venue_equity(*venue)?
            }
            Shock::Depeg { asset, change } => self.depeg_loss(*asset, *change)?,
            Shock::Basis(change) => self.moved(*change, |_, derivative| derivative)?.abs(),
            Shock::Funding { rate, times } => {
                let whole = ratio(*rate).checked_mul(ratio(*times))?;
                let held = self
                    .held(|instrument| instrument.symbol.settle.is_some())
                    .gross?;
                held.checked_mul(whole)?
            }
            Shock::Price { asset, change } => {
                -self.moved(*change, |base, _| asset.is_none_or(|asset| asset == base))?
            }
        };
        Some(loss.max(Decimal::ZERO))
    }

    /// Change of value when the instruments that `wanted` picks (base asset, is a derivative) move.
    fn moved(&self, change: Ppm, wanted: impl Fn(Asset, bool) -> bool) -> Option<Decimal> {
        let net = self
            .held(|instrument| wanted(instrument.symbol.base, instrument.symbol.settle.is_some()))
            .net?;
        net.checked_mul(ratio(change))
    }

    /// An asset moves against the reporting currency: its balances do. When it is the reporting currency that falls, what we
    /// have in it is worth less of what matters.
    fn depeg_loss(&self, asset: Asset, change: Ppm) -> Option<Decimal> {
        let mut sum = Money::ZERO;
        for (venue, _) in (0_u8..)
            .map(crate::market::VenueId)
            .zip(self.catalogue.venue_names())
        {
            if !self.own_books.is_known(venue) {
                return None;
            }
            if let Some(amount) = self.own_books.of(venue, asset).filter(|one| !one.is_zero()) {
                let value = Money(amount).mul(Money(self.rate(asset)?)).ok()?;
                sum = sum.add(value).ok()?;
            }
        }
        Some(-sum.mul(Money(ratio(change))).ok()?.0)
    }

    fn used(&self, scenario: &StressScenario) -> Option<Decimal> {
        let loss = self.stress_loss(&scenario.shock)?;
        if scenario.loss_usd_max.is_zero() {
            return Some(if loss.is_zero() {
                Decimal::ZERO
            } else {
                Decimal::MAX
            });
        }
        over(loss, scenario.loss_usd_max)
    }

    /// The scenario that uses most of its limit.
    pub(super) fn read_stress(&self, out: &mut Vec<Reading>) {
        let scenarios = &self.limits.controls.stress;
        let worst = scenarios
            .iter()
            .filter_map(|scenario| Some((self.used(scenario)?, scenario)))
            .max_by(|(one, _), (other, _)| one.cmp(other));
        if let Some((_, scenario)) = worst {
            out.push(Reading::new(
                Control::Stress,
                Scope::Portfolio,
                self.stress_loss(&scenario.shock),
                Tier::auto(scenario.loss_usd_max, KillLevel::ReduceOnly),
            ));
        }
    }

    /// Loss and limit of every scenario, by name.
    pub(super) fn stress_uses(&self) -> Vec<(String, LimitUse)> {
        let scenarios = self.limits.controls.stress.iter();
        scenarios
            .map(|scenario| {
                let using = LimitUse {
                    row: Control::Stress.row(),
                    word: Control::Stress.word(),
                    scope: Scope::Portfolio,
                    value: self.stress_loss(&scenario.shock).map(Amount::of_decimal),
                    limit: Amount::of_decimal(scenario.loss_usd_max),
                    less_is_worse: false,
                };
                (scenario.name.clone(), using)
            })
            .collect()
    }
}
