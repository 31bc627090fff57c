//! What a strategy may know of the account: positions, margin and size factors of the risk seat's latest picture, and which
//! instruments have an approval whose end it does not contain.

use std::sync::Arc;

use crate::market::{Catalogue, InstrumentId, InstrumentKind};
use crate::risk::{Gate, RiskView};
use crate::strategy::{Inventory, MarginRoom};
use crate::trade::VenueFacts;
use crate::units::{Money, Ppm, Qty};

/// Flat lists by instrument (or strategy) id, made at start: a view never allocates.
#[derive(Debug)]
pub(super) struct Holdings {
    available_at_start: Vec<Qty>,
    /// Signed positions as traded, of the latest view.
    positions: Vec<Qty>,
    /// Base units that a spot instrument can still sell: at start plus position.
    available: Vec<Qty>,
    /// Signed costs of the positions.
    costs: Vec<Money>,
    /// Margin accounts by instrument.
    margins: Vec<Option<MarginRoom>>,
    /// Instruments with an approval whose end is not in `positions`.
    unsettled: Vec<bool>,
    /// Size factors by instrument and by strategy.
    size_factors: Vec<Ppm>,
    strategy_factors: Vec<Ppm>,
    /// What the venues told of their accounts.
    venues: Vec<Option<Arc<VenueFacts>>>,
}

impl Holdings {
    /// Flat, with full size, until the first view.
    pub(super) fn new(
        catalogue: &Catalogue,
        strategies: usize,
        available_at_start: Vec<Qty>,
    ) -> Self {
        let instruments = catalogue.all().len();
        Self {
            venues: vec![None; catalogue.venue_names().len()],
            positions: vec![Qty::ZERO; instruments],
            available: available_at_start.clone(),
            available_at_start,
            costs: vec![Money::ZERO; instruments],
            margins: vec![None; instruments],
            unsettled: vec![false; instruments],
            size_factors: vec![Ppm::ONE; instruments],
            strategy_factors: vec![Ppm::ONE; strategies],
        }
    }

    /// Takes a view that the gate has taken.
    pub(super) fn on_view(&mut self, view: &RiskView, catalogue: &Catalogue, gate: &Gate) {
        for (known, risk) in self.strategy_factors.iter_mut().zip(&view.strategies) {
            *known = risk.size_factor;
        }
        for (known, risk) in self.size_factors.iter_mut().zip(&view.instruments) {
            *known = risk.size_factor;
        }
        for (known, told) in self.venues.iter_mut().zip(&view.venues) {
            known.clone_from(told);
        }
        for (index, risk) in view.instruments.iter().enumerate() {
            let start = self
                .available_at_start
                .get(index)
                .copied()
                .unwrap_or_default();
            if let (Some(position), Some(available)) =
                (self.positions.get_mut(index), self.available.get_mut(index))
            {
                *position = risk.position_qty;
                *available = Qty(start.0.saturating_add(risk.position_qty.0));
            }
            if let Some(cost) = self.costs.get_mut(index) {
                *cost = Money(risk.position_cost);
            }
        }
        for (instrument, room) in catalogue.all().iter().zip(&mut self.margins) {
            let facts = view.venues.get(instrument.venue.index());
            let told = facts
                .and_then(Option::as_ref)
                .and_then(|facts| facts.margin);
            *room = told
                .filter(|_| instrument.kind() != InstrumentKind::Spot)
                .and_then(|told| MarginRoom::new(Money(told.equity), Money(told.maintenance)));
        }
        for instrument in catalogue.all() {
            self.note_held(instrument.id, gate);
        }
    }

    /// An approval was given or taken back.
    pub(super) fn note_held(&mut self, instrument: InstrumentId, gate: &Gate) {
        if let Some(unsettled) = self.unsettled.get_mut(instrument.index()) {
            *unsettled = gate.held(instrument) != (Qty::ZERO, Qty::ZERO);
        }
    }

    /// As one strategy sees it.
    #[inline]
    pub(super) fn inventory(&self, strategy: usize) -> Inventory<'_> {
        let factor = self.strategy_factors.get(strategy).copied();
        Inventory {
            positions: &self.positions,
            available: &self.available,
            size_factors: &self.size_factors,
            size_factor: factor.unwrap_or(Ppm(0)),
            costs: &self.costs,
            margins: &self.margins,
            unsettled: &self.unsettled,
            venues: &self.venues,
        }
    }
}
