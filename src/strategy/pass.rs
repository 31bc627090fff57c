//! Why an edge is let pass, each reason with its numbers.

use crate::market::InstrumentId;
use crate::units::{Money, Nanos, Notional, Ppm, Qty};

use super::signal::Outcome;
use super::sizing::NoSize;

/// Why a strategy let an edge pass that reached its minimum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pass {
    /// Too good to be true: probably an error in the data.
    Implausible {
        /// Net edge at the touch.
        net_edge: Ppm,
        /// Largest believed.
        net_edge_max: Ppm,
    },
    /// Fewer consecutive evaluations agree than asked for.
    Confirming {
        /// Agreeing so far.
        seen: u32,
        /// Needed.
        required: u32,
    },
    /// The two books are not of the same moment.
    LegSkew {
        /// Difference of their ages.
        skew: Nanos,
        /// Largest allowed.
        skew_max: Nanos,
    },
    /// The route rests after a set.
    Cooldown {
        /// Still to wait.
        remaining: Nanos,
        /// Whole pause.
        cooldown: Nanos,
    },
    /// Too many sets are open.
    OpenSets {
        /// Open now.
        open: u32,
        /// Most allowed.
        open_max: u32,
    },
    /// Too many sets were started within a minute.
    SetRate {
        /// Started.
        started: u32,
        /// Most allowed.
        started_max: u32,
    },
    /// Too many sets broke within an hour: stopped until re-armed.
    Halted {
        /// Broken within the hour.
        broken: u32,
        /// Count that stops.
        broken_max: u32,
    },
    /// The position of an instrument is not known.
    PositionUnknown {
        /// Which.
        instrument: InstrumentId,
    },
    /// Inventory leaves less than the smallest quantity.
    Inventory {
        /// What it allows.
        room: Qty,
        /// Least quantity.
        qty_min: Qty,
    },
    /// The books offer less than the smallest quantity.
    Thin {
        /// What could be taken.
        qty: Qty,
        /// Least quantity.
        qty_min: Qty,
    },
    /// The value is below a minimum.
    NotionalBelowMin {
        /// Value of the smaller leg.
        notional: Notional,
        /// Least value.
        notional_min: Notional,
    },
    /// Amounts of another quote cannot be converted: the book between the two is not trusted or too old.
    Conversion {
        /// That book.
        instrument: InstrumentId,
    },
    /// A quote is too far from one to one with the strategy's.
    Depeg {
        /// Distance.
        depeg: Ppm,
        /// Largest allowed.
        depeg_max: Ppm,
    },
    /// The time of day is one without new sets.
    Blackout {
        /// Until it ends.
        remaining: Nanos,
    },
    /// Inventory lies outside its band and the route would take it further out.
    InventoryBand {
        /// Where.
        instrument: InstrumentId,
        /// Its ratio: 0 at the most sold, 1 at the most bought.
        ratio: Ppm,
        /// The end of the band that it is beyond.
        ratio_bound: Ppm,
    },
    /// An order is approved whose end is not yet in the position.
    Unsettled {
        /// Of which instrument.
        instrument: InstrumentId,
    },
    /// The venue's last word on funding is too old, or it said nothing.
    FundingStale {
        /// Since it was told; `u64::MAX` when never.
        age: Nanos,
        /// Largest allowed.
        age_max: Nanos,
    },
    /// Too little funding would be received.
    FundingBelowMin {
        /// Received, parts per billion of the position per 8 h.
        funding_8h_ppb: i64,
        /// Least.
        funding_8h_ppb_min: i64,
    },
    /// Funding is paid too soon for an entry.
    NearFunding {
        /// Until then.
        remaining: Nanos,
        /// No entry this long before.
        guard: Nanos,
    },
    /// Funding, decay of the basis and fees together leave too little.
    CarryBelowMin {
        /// Net carry a day.
        carry_per_day: Ppm,
        /// Least.
        carry_per_day_min: Ppm,
    },
    /// The margin account of a derivative is not known.
    MarginUnknown {
        /// Which.
        instrument: InstrumentId,
    },
    /// The position would be too large for its margin.
    Leverage {
        /// Value over equity that would be; `i64::MAX` without equity.
        leverage: Ppm,
        /// Largest allowed.
        leverage_max: Ppm,
    },
    /// The price at which the venue liquidates is too near.
    LiquidationNear {
        /// Move of the price to it.
        distance: Ppm,
        /// Least.
        distance_min: Ppm,
    },
    /// Taking the pair off costs at least what holding it is expected to lose.
    ExitDearer {
        /// Cost of the exit, of the position.
        cost: Ppm,
        /// What is expected to be lost.
        loss: Ppm,
    },
    /// A cycle would begin with too little of its start asset.
    StartBelowMin {
        /// Most it could begin with, in the start asset.
        start: Money,
        /// Least.
        start_min: Money,
    },
    /// An edge is there at the touch, but no size that lots, depth and bounds allow reaches the minimum.
    LotsEatEdge {
        /// Net edge of the best size, what is left over not counted.
        net_edge: Ppm,
        /// Least.
        net_edge_min: Ppm,
    },
}

impl From<NoSize> for Pass {
    fn from(none: NoSize) -> Self {
        match none {
            NoSize::Thin { qty, qty_min } => Self::Thin { qty, qty_min },
            NoSize::Inventory { room, qty_min } => Self::Inventory { room, qty_min },
            NoSize::Notional {
                notional,
                notional_min,
            } => Self::NotionalBelowMin {
                notional,
                notional_min,
            },
        }
    }
}

impl Pass {
    /// Its counter.
    #[must_use]
    pub const fn outcome(&self) -> Outcome {
        match self {
            Self::Implausible { .. } => Outcome::Implausible,
            Self::Confirming { .. } => Outcome::Confirming,
            Self::LegSkew { .. } => Outcome::LegSkew,
            Self::Cooldown { .. } => Outcome::Cooldown,
            Self::OpenSets { .. } => Outcome::OpenSets,
            Self::SetRate { .. } => Outcome::SetRate,
            Self::Halted { .. } => Outcome::Halted,
            Self::PositionUnknown { .. } => Outcome::PositionUnknown,
            Self::Inventory { .. } => Outcome::Inventory,
            Self::Thin { .. } => Outcome::Thin,
            Self::NotionalBelowMin { .. } => Outcome::NotionalBelowMin,
            Self::Unsettled { .. } => Outcome::Unsettled,
            Self::FundingStale { .. } => Outcome::FundingStale,
            Self::FundingBelowMin { .. } => Outcome::FundingBelowMin,
            Self::NearFunding { .. } => Outcome::NearFunding,
            Self::CarryBelowMin { .. } => Outcome::CarryBelowMin,
            Self::MarginUnknown { .. } => Outcome::MarginUnknown,
            Self::Leverage { .. } => Outcome::Leverage,
            Self::LiquidationNear { .. } => Outcome::LiquidationNear,
            Self::ExitDearer { .. } => Outcome::ExitDearer,
            Self::StartBelowMin { .. } => Outcome::StartBelowMin,
            Self::LotsEatEdge { .. } => Outcome::LotsEatEdge,
            Self::Conversion { .. } => Outcome::Conversion,
            Self::Depeg { .. } => Outcome::Depeg,
            Self::Blackout { .. } => Outcome::Blackout,
            Self::InventoryBand { .. } => Outcome::InventoryBand,
        }
    }
}
