//! Everything a check may look at, and the ordered list of checks.

use crate::market::{Book, Top};
use crate::risk::{KillLevel, Refusal};
use crate::trade::Leg;
use crate::units::{MonoNanos, Nanos};

use super::exposure::{Cell, Exposure};
use super::rates::Rates;
use super::terms::{Caps, Terms};
use super::{flow, price, size, state, structure};

/// One order under examination. Checks are pure functions of this.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look<'a> {
    pub(super) leg: &'a Leg,
    pub(super) terms: &'a Terms,
    pub(super) caps: &'a Caps,
    pub(super) cell: Cell,
    pub(super) exposure: &'a Exposure,
    pub(super) rates: &'a Rates,
    pub(super) book: Option<&'a Book>,
    pub(super) top: Option<Top>,
    /// Highest level over the order's scopes.
    pub(super) level: KillLevel,
    /// `None` when there is no view, or it lacks this instrument or strategy.
    pub(super) view_age: Option<Nanos>,
    pub(super) now: MonoNanos,
    pub(super) open_count: usize,
    pub(super) open_max: usize,
    /// PT-27 holds: on the reducing side and not larger than what is left to reduce.
    pub(super) reducing: bool,
    /// A repair that brings back what its set has opened (see `Gate::check_repair`).
    pub(super) offsetting: bool,
    pub(super) repair: bool,
}

/// One check: its row in the catalogue and its function.
pub(super) struct Check {
    pub(super) run: fn(&Look<'_>) -> Result<(), Refusal>,
}

/// In the order of evaluation: state (E), structure (A), price (B), size (C), flow (D).
pub(super) const CHECKS: &[Check] = &[
    Check {
        run: state::check_level,
    },
    Check {
        run: state::check_view,
    },
    Check {
        run: structure::check_status,
    },
    Check {
        run: structure::check_fields,
    },
    Check {
        run: structure::check_price_grid,
    },
    Check {
        run: structure::check_lot,
    },
    Check {
        run: structure::check_venue_qty,
    },
    Check {
        run: structure::check_venue_notional,
    },
    Check {
        run: price::check_reference,
    },
    Check {
        run: price::check_book,
    },
    Check {
        run: size::check_order_qty,
    },
    Check {
        run: size::check_order_notional,
    },
    Check {
        run: size::check_position,
    },
    Check {
        run: size::check_scopes,
    },
    Check {
        run: size::check_open_count,
    },
    Check {
        run: flow::check_submit_rate,
    },
];

impl Look<'_> {
    /// Runs every check in order; the first refusal ends it.
    #[inline]
    pub(super) fn judge(&self) -> Result<(), Refusal> {
        CHECKS.iter().try_for_each(|check| (check.run)(self))
    }
    /// Sum of bid and ask: twice the reference price, so that no half step is lost.
    pub(super) fn reference_twice(&self) -> Option<i128> {
        self.top
            .map(|top| i128::from(top.bid.price.0) + i128::from(top.ask.price.0))
    }
}
