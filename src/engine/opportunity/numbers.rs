//! Both numbers of a refusal: what was measured, and what it was compared with.

use crate::market::Catalogue;
use crate::risk::Amount;
use crate::strategy::{Pass, Route};
use crate::units::{Nanos, Notional, Ppm, Qty, Side};

use super::words::Reason;

/// Both numbers in words and in value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Numbers {
    /// What was measured.
    pub value: Amount,
    /// What it was compared with.
    pub limit: Amount,
    /// Unit of both: `bps`, `ms`, `base`, `quote`, `count`, or the gate's own word.
    pub unit: &'static str,
    /// The measured value must be at least the limit; else at most.
    pub is_floor: bool,
}

impl Numbers {
    /// How far the measured value is from passing, for finding the worst of several with equal limits. Only comparable
    /// within one code and one scale.
    #[must_use]
    pub const fn excess(&self) -> i128 {
        let over = self.value.steps.saturating_sub(self.limit.steps);
        if self.is_floor {
            over.saturating_neg()
        } else {
            over
        }
    }
}

fn bps(ppm: Ppm) -> Amount {
    Amount::new(i128::from(ppm.0), 2)
}
fn millis(span: Nanos) -> Amount {
    Amount::new(i128::from(span.0), 6)
}
fn count(number: u32) -> Amount {
    Amount::new(i128::from(number), 0)
}

impl Reason {
    /// Both numbers; `None` for a reason without. Quantities and values are on the grid of the route's buying leg.
    #[must_use]
    pub fn numbers(&self, route: &Route, catalogue: &Catalogue) -> Option<Numbers> {
        match self {
            Self::Pass(pass) => of_pass(pass, route, catalogue),
            Self::Gate(refusal) => {
                let (value, limit, is_floor) = refusal.numbers()?;
                Some(Numbers {
                    value,
                    limit,
                    unit: "",
                    is_floor,
                })
            }
            Self::Outbid | Self::ObserveOnly | Self::NotSent => None,
        }
    }
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "a strategy's new reason shows without numbers until it is named here"
)]
fn of_pass(pass: &Pass, route: &Route, catalogue: &Catalogue) -> Option<Numbers> {
    let grid = route
        .legs()
        .find(|(_, side)| *side == Side::Buy)
        .and_then(|(id, _)| catalogue.get(id))
        .map(|instrument| instrument.grid)?;
    let qty = |qty: Qty| Amount::new(i128::from(qty.0), grid.qty_decimals());
    let notional = |notional: Notional| {
        let decimals = grid.price_decimals().saturating_add(grid.qty_decimals());
        Amount::new(notional.0, decimals)
    };
    let (value, limit, unit, is_floor) = match *pass {
        Pass::Implausible {
            net_edge,
            net_edge_max,
        } => (bps(net_edge), bps(net_edge_max), "bps", false),
        Pass::Confirming { seen, required } => (count(seen), count(required), "count", true),
        Pass::LegSkew { skew, skew_max } => (millis(skew), millis(skew_max), "ms", false),
        Pass::Cooldown {
            remaining,
            cooldown,
        } => (millis(remaining), millis(cooldown), "ms", false),
        Pass::OpenSets { open, open_max } => (count(open), count(open_max), "count", false),
        Pass::SetRate {
            started,
            started_max,
        } => (count(started), count(started_max), "count", false),
        Pass::Halted { broken, broken_max } => (count(broken), count(broken_max), "count", false),
        Pass::Inventory { room, qty_min } => (qty(room), qty(qty_min), "base", true),
        Pass::Thin { qty: seen, qty_min } => (qty(seen), qty(qty_min), "base", true),
        Pass::NotionalBelowMin {
            notional: value,
            notional_min,
        } => (notional(value), notional(notional_min), "quote", true),
        Pass::FundingStale { age, age_max } => (millis(age), millis(age_max), "ms", false),
        Pass::NearFunding { remaining, guard } => (millis(remaining), millis(guard), "ms", true),
        Pass::CarryBelowMin {
            carry_per_day,
            carry_per_day_min,
        } => (bps(carry_per_day), bps(carry_per_day_min), "bps", true),
        Pass::LiquidationNear {
            distance,
            distance_min,
        } => (bps(distance), bps(distance_min), "bps", true),
        Pass::ExitDearer { cost, loss } => (bps(cost), bps(loss), "bps", false),
        Pass::LotsEatEdge {
            net_edge,
            net_edge_min,
        } => (bps(net_edge), bps(net_edge_min), "bps", true),
        _ => return None,
    };
    Some(Numbers {
        value,
        limit,
        unit,
        is_floor,
    })
}
