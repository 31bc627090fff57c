//! What one strategy was approved for, converted once (PT-30, PT-49).

use crate::market::Catalogue;
use crate::risk::StrategyPermit;
use crate::units::Notional;

/// One strategy's permit by index.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    /// By instrument id.
    allowed: Vec<bool>,
    pub(super) instruments: Vec<usize>,
    pub(super) venues: usize,
    pub(super) order_notional_max: Option<Notional>,
}

impl Scope {
    pub(super) fn new(permit: &StrategyPermit, catalogue: &Catalogue) -> Self {
        let mut allowed = vec![false; catalogue.all().len()];
        let mut venues = Vec::new();
        for id in &permit.instruments {
            if let (Some(slot), Some(instrument)) =
                (allowed.get_mut(id.index()), catalogue.get(*id))
            {
                *slot = true;
                super::terms::dense(&mut venues, instrument.venue);
            }
        }
        let chosen = allowed.iter().enumerate().filter(|(_, own)| **own);
        Self {
            instruments: chosen.map(|(index, _)| index).collect(),
            venues: venues.len(),
            order_notional_max: permit.order_notional_max,
            allowed,
        }
    }
    pub(super) fn allows(&self, instrument: usize) -> bool {
        self.allowed.get(instrument).copied().unwrap_or(false)
    }
}
