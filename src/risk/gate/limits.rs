//! Other limits while orders are open: what was counted stays counted.

use crate::market::Catalogue;
use crate::risk::{Limits, Permits};

use super::{Gate, terms};

impl Gate {
    /// Judges by these limits from now on. Holds, exposure, promises and everything that was counted within a window stay.
    /// Allocates: call between two batches, not on the tick path. `catalogue` and `permits` are those of [`Gate::new`].
    pub fn on_limits(&mut self, limits: &Limits, catalogue: &Catalogue, permits: &Permits) {
        let (terms, caps, ..) = terms::convert(limits, catalogue, self.caps.reporting, permits);
        self.terms = terms;
        self.caps = caps;
        self.limits = limits.pre_trade.clone();
        self.rates.set_limits(
            limits.submit_rate_max_symbol,
            limits.submit_rate_max_venue,
            limits.submit_rate_max_global,
        );
        self.modifies.set_limit(self.limits.modify_rate_max);
        self.repeats.set_limits(&self.limits);
        self.references.set_limits(&self.limits);
    }
}
