//! Why a fill could not be booked. Each of these means that our own state cannot be trusted: the caller halts (K4).

use crate::units::MoneyError;

/// A fill that could not be booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum LedgerError {
    /// The exact amount does not fit a decimal.
    #[error("{0}")]
    Money(#[from] MoneyError),
    /// Realized profit less cost no longer equals cash, or a flat position has a cost.
    #[error("accounting identity was broken")]
    Identity,
    /// Quantity or price is not above zero.
    #[error("fill had a quantity or price that was not above zero")]
    BadFill,
    /// Not in the catalogue.
    #[error("fill was of an unknown instrument")]
    UnknownInstrument,
    /// The venue's own value of a fill is not what its quantity and price say, or the contract is not inverse.
    #[error(
        "venue's value of a fill was not within 1e-4 of contracts over price, or the contract is not inverse"
    )]
    BadValue,
    /// A bust names a fill that was booked longer ago than the ledger can book again.
    #[error("busted fill was older than the {n} fills that can be booked again", n = super::book::HISTORY_TRADES)]
    BustTooOld,
    /// The quantity does not fit the instrument's grid.
    #[error("position did not fit the instrument's grid")]
    OffGrid,
}

impl LedgerError {
    /// Fixed short word.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Money(_) => "amount",
            Self::Identity => "identity",
            Self::BadFill => "bad_fill",
            Self::UnknownInstrument => "unknown_instrument",
            Self::BadValue => "bad_value",
            Self::BustTooOld => "bust_too_old",
            Self::OffGrid => "off_grid",
        }
    }
}
