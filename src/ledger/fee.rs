//! Fees and other payments: in the settlement asset, in what was bought, or in a third asset whose stock is itself a position.

use rust_decimal::Decimal;

use crate::units::{Asset, Money};

/// Decimals at which a fee in a third asset is valued, half to even.
pub(super) const FEE_VALUE_DECIMALS: u32 = 16;

/// What one unit of a third asset was worth when a fee was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeeRate {
    /// In the settlement asset, above zero.
    pub price: Decimal,
    /// When that price held, nanoseconds since 1970.
    pub time: i64,
}

/// The fee of one trade.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fee {
    /// The venue said: positive is paid, negative a rebate. No asset is right only for zero.
    Known {
        /// How much.
        amount: Decimal,
        /// Of what.
        asset: Option<Asset>,
        /// Price of a third asset at the time of the fill; `None` when it is not known: the fee is then recorded and the
        /// profit flagged incomplete, never taken for zero.
        rate: Option<FeeRate>,
    },
    /// The venue has not said.
    Unknown,
}

/// A payment beside trades: funding, paid when positive, received when negative.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Payment {
    /// How much.
    pub amount: Decimal,
    /// Of what.
    pub asset: Asset,
    /// As [`Fee::Known`]'s.
    pub rate: Option<FeeRate>,
}

/// Stock of a third asset that fees made: below zero when paid out of what was bought elsewhere (V15: -0.005 BNB).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stock {
    /// Signed quantity.
    pub qty: Money,
    /// Signed cost in the settlement asset, of what had a rate.
    pub cost: Money,
    /// Amounts without a rate so far, by magnitude: they are in `qty` and not in `cost`.
    pub unpriced: Money,
}
