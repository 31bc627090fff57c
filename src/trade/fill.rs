//! An execution of ours, as the venue reported it.

use rust_decimal::Decimal;

use crate::market::{InstrumentId, VenueId};
use crate::units::{Asset, MonoNanos, Price, Qty, Side, UnixNanos};

use super::{ApprovalSeq, ClientOrderId, Purpose, StrategyId};

/// Who was resting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Liquidity {
    /// We rested.
    Maker,
    /// We took.
    Taker,
}

impl Liquidity {
    /// Fixed short word.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Maker => "maker",
            Self::Taker => "taker",
        }
    }
}

/// One execution. `(venue, instrument, trade_id)` names it for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fill {
    /// Venue instance.
    pub venue: VenueId,
    /// What was traded.
    pub instrument: InstrumentId,
    /// Our order; `None` for a fill that is not ours (manual trade, liquidation).
    pub client_order_id: Option<ClientOrderId>,
    /// The approval behind the order; zero when foreign.
    pub approval: ApprovalSeq,
    /// The strategy behind the order; `None` when foreign or a forced close.
    pub strategy: Option<StrategyId>,
    /// Why the order existed; `None` when foreign.
    pub purpose: Option<Purpose>,
    /// Our side.
    pub side: Side,
    /// Quantity, above zero.
    pub qty: Qty,
    /// Price.
    pub price: Price,
    /// Fee, positive when we paid, negative for a rebate.
    pub fee: Decimal,
    /// The asset the fee was taken in.
    pub fee_asset: Option<Asset>,
    /// Venue's trade id.
    pub trade_id: u64,
    /// Venue's trade time.
    pub venue_time: UnixNanos,
    /// When we received it.
    pub received_at: MonoNanos,
    /// Maker or taker.
    pub liquidity: Liquidity,
}
