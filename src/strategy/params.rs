//! What a trader tunes, already checked and in the engine's units (the configuration room makes these).

use crate::market::InstrumentId;
use crate::trade::StrategyId;
use crate::units::{Nanos, Notional, Ppm};

/// Parameters of one `cross_exchange` strategy (CONFIG.md).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CrossVenueParams {
    /// Its id.
    pub id: StrategyId,
    /// Its configured name.
    pub name: String,
    /// The instruments compared, all of one base, quote and grid; every ordered pair is a route.
    pub instruments: Vec<InstrumentId>,
    /// Taker fee by position in `instruments`.
    pub taker_fees: Vec<Ppm>,
    /// Denied routes: (buy at, sell at).
    pub routes_deny: Vec<(InstrumentId, InstrumentId)>,
    /// Net edge a set must reach after both taker fees.
    pub min_net_edge: Ppm,
    /// Above this a set is refused as an error in the data.
    pub max_net_edge: Ppm,
    /// Consecutive evaluations that must agree before a set is sent, at least 1.
    pub confirm_updates: u32,
    /// Smallest and largest set value in the quote asset, on the shared grid.
    pub min_order_notional: Notional,
    /// See above.
    pub max_order_notional: Notional,
    /// Share of visible depth within the limit price that a set may take.
    pub max_book_take: Ppm,
    /// Oldest book that may price a leg.
    pub max_book_age: Nanos,
    /// Largest difference between the ages of the two books.
    pub max_leg_skew: Nanos,
    /// Pause of a route after a set.
    pub cooldown: Nanos,
    /// Most sets started a minute.
    pub max_sets_per_min: u32,
    /// Most sets open at once.
    pub max_open_sets: u32,
    /// How far past the edge price the limit may lie.
    pub limit_cushion: Ppm,
    /// Deadline of a leg before the resolver acts.
    pub leg_timeout: Nanos,
    /// Costliest repair that may be taken; above it the set is held and alerted.
    pub max_unwind_cost: Ppm,
    /// Broken sets in an hour that stop the strategy.
    pub max_broken_sets: u32,
    /// Largest absolute position per instrument this strategy builds up, in the quote asset; beyond it only routes that
    /// bring it back are taken.
    pub max_inventory_notional: Notional,
}
