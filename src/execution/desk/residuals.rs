//! Remainders too small to trade: carried by strategy, taken over by its next set that breaks, never retried by themselves.

use crate::capacity::LEGS_MAX;
use crate::trade::{SetId, StrategyId};
use crate::units::Asset;

use super::super::amounts::BaseQty;
use super::super::cycle::{AssetQty, Cycle};
use super::Desk;

impl Desk {
    /// Remainders of hedges: strategy, base, quote and how much is unhedged.
    pub fn residuals(&self) -> impl Iterator<Item = (StrategyId, Asset, Asset, BaseQty)> + '_ {
        self.residuals
            .iter()
            .map(|((strategy, base, quote), qty)| (*strategy, *base, *quote, *qty))
    }
    /// Remainders of chains: strategy, asset and how much of it is left over (positive) or missing.
    pub fn dust(&self) -> impl Iterator<Item = (StrategyId, Asset, AssetQty)> + '_ {
        self.dust
            .iter()
            .map(|((strategy, asset), amount)| (*strategy, *asset, *amount))
    }

    fn residual_key(&self, id: SetId) -> Option<(StrategyId, Asset, Asset)> {
        let set = self.sets.get(&id)?;
        let symbol = self.catalogue.get(set.legs.first()?.leg.instrument)?.symbol;
        Some((set.strategy, symbol.base, symbol.quote))
    }

    pub(super) fn residual_of(&self, id: SetId) -> Option<BaseQty> {
        let key = self.residual_key(id)?;
        Some(self.residuals.get(&key).copied().unwrap_or_default())
    }

    /// A set that breaks takes over what earlier ones of its strategy left.
    pub(super) fn take_residual(&mut self, id: SetId) {
        let key = self.residual_key(id);
        let Some(set) = self.sets.get_mut(&id) else {
            return;
        };
        let Some(cycle) = &mut set.cycle else {
            let carried = key.and_then(|key| self.residuals.remove(&key));
            let carried = carried.unwrap_or_default().0;
            set.carried = BaseQty(set.carried.0.saturating_add(carried));
            return;
        };
        for place in 1..cycle.len() {
            let asset = cycle.asset(place);
            let left = asset.and_then(|asset| self.dust.remove(&(set.strategy, asset)));
            if let Some((asset, left)) = asset.zip(left) {
                cycle.change(asset, left.0);
            }
        }
    }

    pub(super) fn carry(&mut self, id: SetId, delta: BaseQty) {
        let is_hedge = self.sets.get(&id).is_some_and(|set| set.cycle.is_none());
        if let Some(key) = self.residual_key(id).filter(|_| is_hedge) {
            let carried = self.residuals.entry(key).or_default();
            carried.0 = carried.0.saturating_add(delta.0);
        }
    }

    pub(super) fn carry_dust(
        &mut self,
        strategy: StrategyId,
        rest: &[Option<(Asset, AssetQty)>; LEGS_MAX],
    ) {
        for (asset, amount) in rest.iter().flatten() {
            let carried = self.dust.entry((strategy, *asset)).or_default();
            carried.0 = carried.0.saturating_add(amount.0);
        }
    }

    /// A late execution changed a chain that had ended by no more than dust.
    pub(super) fn carry_late(&mut self, id: SetId) {
        let Some(set) = self.sets.get_mut(&id) else {
            return;
        };
        let rest = set.cycle.as_mut().map(Cycle::take_rest);
        let strategy = set.strategy;
        if let Some(rest) = rest {
            self.carry_dust(strategy, &rest);
        }
    }
}
