//! Buy or sell.

use super::Qty;

/// The side of an order or of a fill; bids are [`Side::Buy`] levels, asks [`Side::Sell`] levels.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Side {
    /// Gains base, pays quote.
    Buy = 0,
    /// Gives base, gains quote.
    Sell = 1,
}

impl Side {
    /// The other side.
    #[must_use]
    pub const fn opposite(self) -> Self {
        match self {
            Self::Buy => Self::Sell,
            Self::Sell => Self::Buy,
        }
    }
    /// +1 for a buy, -1 for a sell.
    #[must_use]
    pub const fn sign(self) -> i64 {
        match self {
            Self::Buy => 1,
            Self::Sell => -1,
        }
    }
    /// The quantity as a change of position.
    #[must_use]
    pub const fn signed(self, qty: Qty) -> Qty {
        Qty(qty.0 * self.sign())
    }
    /// The side that brings a position towards zero; `None` when it is flat.
    #[must_use]
    pub const fn reducing(position: Qty) -> Option<Self> {
        if position.0 > 0 {
            Some(Self::Sell)
        } else if position.0 < 0 {
            Some(Self::Buy)
        } else {
            None
        }
    }
    /// `buy` or `sell`.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Buy => "buy",
            Self::Sell => "sell",
        }
    }
}

impl std::fmt::Display for Side {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.label())
    }
}
