//! What a restart must not forget of losses: unit values, their high-water marks, profits by symbol and strategy, and what they
//! stood on. Values for the journal (RISK.md 2.1, 2.5).

use rust_decimal::Decimal;

use crate::market::{InstrumentId, Symbol, VenueId};
use crate::trade::StrategyId;
use crate::units::{Asset, Qty, UnixNanos};

/// One unitised value (`risk/stats/drawdown.rs`), in the reporting currency.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptUnit {
    /// Number of units.
    pub units: Decimal,
    /// Highest value that a unit ever had.
    pub high: Decimal,
    /// Equity.
    pub equity: Decimal,
}

/// One position as it stood: what fills do to balances from here on is known by the difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeptPosition {
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// Signed quantity.
    pub qty: Qty,
    /// Signed cost, as in [`crate::trade::PositionSnapshot`].
    pub cost: Decimal,
    /// Cash of its trades, as there.
    pub trade_cash: Decimal,
}

/// One instant of everything that losses are measured by. A day of them, one a minute, gives the windows of a day back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LossPoint {
    /// When.
    pub at: UnixNanos,
    /// What amounts are in.
    pub reporting: Asset,
    /// The whole.
    pub whole: Option<KeptUnit>,
    /// Largest fall of the whole from its high-water mark.
    pub worst_drawdown: Option<Decimal>,
    /// By venue.
    pub venues: Vec<(VenueId, KeptUnit)>,
    /// Equity at venues that are not configured any more: what was there is gone, not lost.
    pub elsewhere: Decimal,
    /// Profit by symbol.
    pub symbols: Vec<(Symbol, Decimal)>,
    /// By strategy: equity of the whole at its first set, and that with its profit since.
    pub strategies: Vec<(StrategyId, Decimal, Decimal)>,
    /// Price of a unit of each base asset.
    pub prices: Vec<(Asset, Decimal)>,
    /// Balances by our own books.
    pub balances: Vec<(VenueId, Asset, Decimal)>,
    /// Positions.
    pub positions: Vec<KeptPosition>,
}
