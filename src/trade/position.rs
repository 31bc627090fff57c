//! A position as the ledger tells the risk seat.

use rust_decimal::Decimal;

use crate::market::InstrumentId;
use crate::units::Qty;

use super::ApprovalSeq;

/// State of one position after everything up to `settled` was counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PositionSnapshot {
    /// Of which instrument.
    pub instrument: InstrumentId,
    /// Signed quantity.
    pub qty: Qty,
    /// Signed cost of the open quantity in the quote asset.
    pub cost: Decimal,
    /// Realized profit and loss so far, net of quote fees.
    pub realized_pnl: Decimal,
    /// Change of cash in the settlement asset by trades and their fees in it: without funding, which the venue tells apart,
    /// and without fees in a third asset.
    pub trade_cash: Decimal,
    /// Every approval up to this one is terminal and all its fills are in `qty`.
    pub settled: ApprovalSeq,
    /// Cumulative quantity of forced-close fills contained in `qty` (unsigned, since the session began). The forced
    /// close compares it with what the desk reported, so that a fill is never missing from both.
    pub unwind_filled: Qty,
}
