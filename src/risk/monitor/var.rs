//! AT-12 to AT-14: value at risk and expected shortfall of what is held, and whether the model deserves belief.

use std::sync::Arc;

use rust_decimal::Decimal;

use crate::risk::stats::{BaselZone, ReturnsHistory, VarBacktest, VarEstimate};
use crate::risk::{ControlLimits, KillLevel, Scope, VarModel};
use crate::units::{Asset, MonoNanos, Nanos, UnixNanos};

use super::Monitor;
use super::judge::{Reading, Tier};
use super::rows::Control;

/// Days that a model is judged by (Basel).
const DAYS: usize = 250;
const DAY_NANOS: i64 = 86_400_000_000_000;
/// A figure is made anew at least this often while prices move.
const REFRESH: Nanos = Nanos::from_secs(1);

/// Returns, the figures made of them, and the model's record.
#[derive(Debug)]
pub(super) struct RiskModel {
    returns: ReturnsHistory,
    estimate: Option<VarEstimate>,
    made_at: Option<MonoNanos>,
    model: Option<Arc<VarModel>>,
    backtest: VarBacktest,
    /// UTC day, value at risk and profit at its first look.
    day: Option<(i64, Option<Decimal>, Option<Decimal>)>,
}

impl RiskModel {
    pub(super) fn new(mut assets: Vec<Asset>, limits: &ControlLimits) -> Self {
        assets.sort_unstable();
        assets.dedup();
        let rows = usize::try_from(limits.var_observations_max).unwrap_or(usize::MAX);
        Self {
            returns: ReturnsHistory::new(assets, limits.var_interval, rows),
            estimate: None,
            made_at: None,
            model: None,
            backtest: VarBacktest::new(DAYS, 0.01),
            day: None,
        }
    }

    /// A price of an earlier session, in order of time.
    pub(super) fn seed(&mut self, asset: Asset, price: Decimal, at: UnixNanos) {
        self.returns.on_price(asset, price, at);
    }

    /// Covariances for the gate (PT-29).
    pub(super) fn model(&self) -> Option<Arc<VarModel>> {
        self.model.clone()
    }

    /// The figures of what is held now.
    pub(super) const fn estimate(&self) -> Option<&VarEstimate> {
        self.estimate.as_ref()
    }

    /// A red model's limits are three quarters of what they were (AT-14).
    fn limit(&self, limit: Decimal) -> Decimal {
        let red = self
            .backtest
            .health()
            .is_some_and(|health| health.zone == BaselZone::Red);
        if red {
            limit.saturating_mul(Decimal::from_parts(75, 0, 0, false, 2))
        } else {
            limit
        }
    }

    /// One day more for the model's record: `loss` against the value at risk of its beginning.
    fn on_day(&mut self, day: i64, profit: Option<Decimal>) {
        let var = self.estimate.map(|estimate| estimate.var99);
        match self.day {
            Some((known, _, _)) if known == day => {}
            Some((_, Some(expected), Some(begun))) if !expected.is_zero() => {
                if let Some(profit) = profit {
                    self.backtest.push(begun.saturating_sub(profit) > expected);
                }
                self.day = Some((day, var, profit));
            }
            _ => self.day = Some((day, var, profit)),
        }
    }
}

impl Monitor {
    /// Net value by base asset; `None` when a position cannot be valued.
    pub(super) fn exposures(&self) -> Option<Vec<(Asset, Decimal)>> {
        let mut found: Vec<(Asset, Decimal)> = Vec::new();
        for (instrument, watch) in self.catalogue.all().iter().zip(&self.watches) {
            if watch.qty().is_zero() {
                continue;
            }
            let value = watch.value()?.0;
            let base = instrument.symbol.base;
            match found.iter_mut().find(|(asset, _)| *asset == base) {
                Some((_, sum)) => *sum = sum.checked_add(value)?,
                None => found.push((base, value)),
            }
        }
        Some(found)
    }

    /// A price of a base asset.
    pub(super) fn note_price(&mut self, asset: Asset, now: MonoNanos) {
        if let Some(rate) = self.rate(asset) {
            let time = self.unix(now);
            let before = self.model.returns.len();
            self.model.returns.on_price(asset, rate, time);
            if self.model.returns.len() != before {
                self.refresh_model();
            }
        }
    }

    pub(super) fn refresh_model(&mut self) {
        let own = &self.limits.controls;
        let least = usize::try_from(own.var_observations_min).unwrap_or(usize::MAX);
        let covariance = self.model.returns.covariance(own.var_lambda, least);
        self.model.model = covariance
            .and_then(|covariance| covariance.model())
            .map(Arc::new);
        self.model.made_at = None;
        self.view_changed = true;
    }

    /// Makes the figures anew: after every change of a position (`always`), else once a second.
    pub(super) fn refresh_var(&mut self, always: bool, now: MonoNanos) {
        let fresh = self
            .model
            .made_at
            .is_some_and(|made| now.since(made) < REFRESH);
        if fresh && !always {
            return;
        }
        self.model.made_at = Some(now);
        let own = &self.limits.controls;
        let least = usize::try_from(own.var_observations_min).unwrap_or(usize::MAX);
        let enough = self.model.returns.len() >= least;
        self.model.estimate = self
            .exposures()
            .filter(|exposures| enough || exposures.iter().all(|(_, value)| value.is_zero()))
            .and_then(|exposures| {
                self.model
                    .returns
                    .estimate(&exposures, own.var_lambda, least)
            });
        let UnixNanos(time) = self.unix(now);
        let profit = self.profit();
        self.model.on_day(time.div_euclid(DAY_NANOS), profit);
    }

    /// AT-12 and AT-13. Without enough returns there is no figure, and none is compared.
    pub(super) fn read_var(&self, out: &mut Vec<Reading>) {
        let own = &self.limits.controls;
        let figures = self.model.estimate();
        let k1 = |limit| Tier::auto(self.model.limit(limit), KillLevel::ReduceOnly);
        out.push(Reading::new(
            Control::ValueAtRisk,
            Scope::Portfolio,
            figures.map(|figures| figures.var99),
            k1(own.var99_usd_max),
        ));
        out.push(Reading::new(
            Control::ExpectedShortfall,
            Scope::Portfolio,
            figures.map(|figures| figures.es975),
            k1(own.es975_usd_max),
        ));
    }

    /// AT-14: too many days with a loss above the value at risk, or such days in a row. Too few are no alarm (V48).
    pub(super) fn read_health(&self, out: &mut Vec<Reading>) {
        let Some(health) = self.model.backtest.health() else {
            return;
        };
        let days = Decimal::from(health.exceptions);
        // Kupiec and Christoffersen say yes or no: the reading is over its limit exactly when one of them alarms.
        let limit = if health.alarms {
            days.saturating_sub(Decimal::ONE)
        } else {
            days
        };
        let reading = Reading::new(
            Control::ModelHealth,
            Scope::Portfolio,
            Some(days),
            Tier::auto(limit, KillLevel::Armed),
        );
        out.push(reading.warns_at(limit));
    }

    /// Realized and unrealized profit of everything.
    pub(super) fn profit(&self) -> Option<Decimal> {
        self.watches
            .iter()
            .map(|watch| {
                let realized = watch
                    .position
                    .map_or(Decimal::ZERO, |position| position.realized_pnl);
                let open = watch.unrealized()?;
                realized.checked_add(open.0)
            })
            .try_fold(Decimal::ZERO, |sum, one| sum.checked_add(one?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Ten bad days of 250 are Basel's red zone: the limits of AT-12 and AT-13 are three quarters.
    #[test]
    fn a_red_model_scales_its_limits() {
        let limit = Decimal::from(3_000);
        for (bad, scaled) in [(4, 3_000), (9, 3_000), (10, 2_250)] {
            let mut model = RiskModel::new(Vec::new(), &ControlLimits::default());
            for day in 0..250 {
                model.backtest.push(day % 25 == 0 && day < 25 * bad);
            }
            assert_eq!(model.limit(limit), Decimal::from(scaled), "{bad} bad days");
        }
    }

    #[test]
    fn a_day_is_judged_once_by_the_value_at_risk_of_its_beginning() {
        let mut model = RiskModel::new(Vec::new(), &ControlLimits::default());
        let figures = |var: i64| VarEstimate {
            var99: Decimal::from(var),
            es975: Decimal::from(var),
            deviation: Decimal::ONE,
            observations: 100,
        };
        let mut on = |day, var: i64, profit: i64| {
            model.estimate = Some(figures(var));
            model.on_day(day, Some(Decimal::from(profit)));
            model
                .backtest
                .health()
                .map(|health| (health.days, health.exceptions))
        };
        assert_eq!(on(1, 100, 0), None);
        assert_eq!(on(1, 100, -500), None, "the day is not over");
        assert_eq!(
            on(2, 100, -100),
            Some((1, 0)),
            "a loss of exactly the figure passes"
        );
        assert_eq!(on(3, 100, -201), Some((2, 1)));
    }
}
