//! Every limit of the gate and the monitor, as the risk officer set it, in the reporting currency or base units.
//!
//! A missing limit is a missing field: the configuration refuses to build this value without it.

use rust_decimal::Decimal;

use crate::units::{Nanos, Ppm, Qty};

mod close;
mod controls;
pub mod fields;
mod kill;
mod pre_trade;
mod value;

pub use close::CloseLimits;
pub use controls::{ControlLimits, Shock, StressScenario};
pub use fields::{Direction, LimitChange};
pub use kill::KillLimits;
pub use pre_trade::PreTradeLimits;

/// Limits of one instrument (RISK.md PT-18, PT-20, AT-01).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InstrumentLimits {
    /// Largest order quantity, in steps of the instrument's grid (PT-18).
    pub order_qty_max: Qty,
    /// Largest worst-case absolute position, in steps (PT-20, AT-01).
    pub position_qty_max: Qty,
}

/// All limits of one engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// By instrument id; an instrument without limits cannot be traded.
    pub instruments: Vec<Option<InstrumentLimits>>,
    /// Largest order value (PT-19).
    pub order_notional_usd_max: Decimal,
    /// Worst-case gross value a symbol, over venues (PT-21a).
    pub notional_usd_max_symbol: Decimal,
    /// Worst-case gross value a venue (PT-21b).
    pub notional_usd_max_venue: Decimal,
    /// Worst-case net value a base asset, over venues (PT-21c).
    pub notional_usd_max_asset_net: Decimal,
    /// Worst-case gross value of the portfolio (PT-21d).
    pub notional_usd_max_gross: Decimal,
    /// Worst-case net value of the portfolio (PT-21e).
    pub notional_usd_max_net: Decimal,
    /// Added to the venue's minimum notional (PT-07).
    pub notional_margin: Ppm,
    /// Oldest reference price that may price an increasing order (PT-12).
    pub ref_price_age_max: Nanos,
    /// Longest a book may be crossed or locked (PT-13).
    pub book_crossed_max: Nanos,
    /// Widest spread that may price an increasing order (PT-13).
    pub spread_max: Ppm,
    /// Submissions a second by symbol, venue and in all (PT-33).
    pub submit_rate_max_symbol: u32,
    /// See above.
    pub submit_rate_max_venue: u32,
    /// See above.
    pub submit_rate_max_global: u32,
    /// Unrealized loss of one position that closes it to flat (AT-02).
    pub unrealized_loss_usd_max: Decimal,
    /// Share of a limit from which a control warns, e.g. 800,000 ppm.
    pub warn_at: Ppm,
    /// How long a cleared control stays raised (2.5).
    pub cooldown: Nanos,
    /// Longest that a `RiskView` may be old before the gate refuses increasing orders.
    pub risk_view_age_max: Nanos,
    /// Limits of the gate beyond those above (`[pre_trade]`).
    pub pre_trade: PreTradeLimits,
    /// Limits of the monitor's controls (`[controls]`, `[stress]`).
    pub controls: ControlLimits,
    /// How a forced close works (`[force_close]`).
    pub close: CloseLimits,
    /// How kill levels are kept and lowered (`[kill]`).
    pub kill: KillLimits,
}
