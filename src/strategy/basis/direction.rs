//! Which way round a pair is held.

use crate::strategy::params::BasisDirection;
use crate::strategy::signal::RouteId;
use crate::units::Side;

/// Which leg is long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Long spot, short perpetual: earns while the perpetual is dear and longs pay funding.
    ShortPerp,
    /// Short spot (sold from inventory), long perpetual: the mirror.
    LongPerp,
}

impl Direction {
    /// Both.
    pub const ALL: [Self; 2] = [Self::ShortPerp, Self::LongPerp];

    /// +1 when a dear perpetual and positive funding are good.
    #[must_use]
    pub const fn sign(self) -> i128 {
        match self {
            Self::ShortPerp => 1,
            Self::LongPerp => -1,
        }
    }
    /// Side of the spot leg when entering (or leaving); the perpetual's is the opposite.
    #[must_use]
    pub const fn spot_side(self, entering: bool) -> Side {
        match (self, entering) {
            (Self::ShortPerp, true) | (Self::LongPerp, false) => Side::Buy,
            (Self::ShortPerp, false) | (Self::LongPerp, true) => Side::Sell,
        }
    }
    /// Routes 0 to 3: enter and leave the short perpetual, enter and leave the long one.
    #[must_use]
    pub const fn route(self, entering: bool) -> RouteId {
        match (self, entering) {
            (Self::ShortPerp, true) => RouteId(0),
            (Self::ShortPerp, false) => RouteId(1),
            (Self::LongPerp, true) => RouteId(2),
            (Self::LongPerp, false) => RouteId(3),
        }
    }
    /// True when pairs of this direction may be entered. Leaving one is always allowed.
    #[must_use]
    pub const fn is_allowed(self, wanted: BasisDirection) -> bool {
        matches!(
            (self, wanted),
            (_, BasisDirection::Both)
                | (Self::ShortPerp, BasisDirection::ShortPerp)
                | (Self::LongPerp, BasisDirection::LongPerp)
        )
    }
}
