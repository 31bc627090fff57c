//! What an evaluation says: a set to send, an opportunity refused with both numbers, or nothing.

use crate::capacity::LEGS_MAX;
use crate::market::InstrumentId;
use crate::trade::Intent;
use crate::units::{Money, Nanos, Notional, Ppm, Qty, Side};

use super::sizing::NoSize;

/// A way to earn that one strategy watches (an ordered pair of venues, a cycle, a basis in one direction), dense from 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouteId(pub u16);

impl RouteId {
    /// As an array index.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a route trades: its instruments and sides, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Route {
    /// Its number.
    pub id: RouteId,
    legs: [Option<(InstrumentId, Side)>; LEGS_MAX],
}

impl Route {
    /// A route of the given legs; those beyond `LEGS_MAX` are dropped.
    #[must_use]
    pub fn new(id: RouteId, wanted: &[(InstrumentId, Side)]) -> Self {
        let mut legs = [None; LEGS_MAX];
        for (slot, leg) in legs.iter_mut().zip(wanted) {
            *slot = Some(*leg);
        }
        Self { id, legs }
    }
    /// Its legs in order.
    pub fn legs(&self) -> impl Iterator<Item = (InstrumentId, Side)> + '_ {
        self.legs.iter().copied().flatten()
    }
}

/// One look at a route whose edge reached the strategy's minimum, or has just ceased to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EdgeSeen {
    /// Where.
    pub route: RouteId,
    /// What became of it.
    pub end: EdgeEnd,
}

/// What became of an edge in one evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum EdgeEnd {
    /// There, and taken (the gate still has its say).
    Taken {
        /// Net edge at the touch.
        net_edge: Ppm,
        /// Edge before fees.
        gross_edge: Ppm,
    },
    /// There, and not taken.
    Passed {
        /// Net edge at the touch.
        net_edge: Ppm,
        /// Edge before fees.
        gross_edge: Ppm,
        /// Why not; `None` when another route of the same evaluation was better.
        reason: Option<Pass>,
    },
    /// It was there at the last look and is not any more: below the minimum, or a book is not trusted.
    Gone(Outcome),
}

/// Who is told of edges: the opportunity ledger. `()` takes nothing.
pub trait EdgeSink {
    /// Takes one look. Must not allocate.
    fn edge(&mut self, seen: EdgeSeen);
}

impl EdgeSink for () {
    fn edge(&mut self, _seen: EdgeSeen) {}
}

impl EdgeSink for Vec<EdgeSeen> {
    fn edge(&mut self, seen: EdgeSeen) {
        self.push(seen);
    }
}

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

/// Answer of a strategy to one changed book.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evaluation {
    /// Send this set (after the gate).
    Taken(Intent),
    /// An edge was there and was not taken.
    Refused {
        /// Where.
        route: RouteId,
        /// Net edge at the touch.
        net_edge: Ppm,
        /// Why not.
        reason: Pass,
    },
    /// No edge.
    Nothing,
}

/// How an evaluated route ended: the counter's label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
#[repr(u8)]
pub enum Outcome {
    /// Sent.
    Taken = 0,
    /// The edge does not reach the minimum.
    #[default]
    BelowThreshold,
    /// One of the books is not trusted or too old.
    StaleBook,
    /// See [`Pass`].
    Implausible,
    /// See [`Pass`].
    Confirming,
    /// See [`Pass`].
    LegSkew,
    /// See [`Pass`].
    Cooldown,
    /// See [`Pass`].
    OpenSets,
    /// See [`Pass`].
    SetRate,
    /// See [`Pass`].
    Halted,
    /// See [`Pass`].
    PositionUnknown,
    /// See [`Pass`].
    Inventory,
    /// See [`Pass`].
    Thin,
    /// See [`Pass`].
    NotionalBelowMin,
    /// Another route of the same evaluation was better.
    Outbid,
    /// See [`Pass`].
    Unsettled,
    /// See [`Pass`].
    FundingStale,
    /// See [`Pass`].
    FundingBelowMin,
    /// See [`Pass`].
    NearFunding,
    /// See [`Pass`].
    CarryBelowMin,
    /// See [`Pass`].
    MarginUnknown,
    /// See [`Pass`].
    Leverage,
    /// See [`Pass`].
    LiquidationNear,
    /// See [`Pass`].
    ExitDearer,
    /// See [`Pass`].
    StartBelowMin,
    /// See [`Pass`].
    LotsEatEdge,
}

impl Outcome {
    /// All, in order.
    pub const ALL: [Self; 26] = [
        Self::Taken,
        Self::BelowThreshold,
        Self::StaleBook,
        Self::Implausible,
        Self::Confirming,
        Self::LegSkew,
        Self::Cooldown,
        Self::OpenSets,
        Self::SetRate,
        Self::Halted,
        Self::PositionUnknown,
        Self::Inventory,
        Self::Thin,
        Self::NotionalBelowMin,
        Self::Outbid,
        Self::Unsettled,
        Self::FundingStale,
        Self::FundingBelowMin,
        Self::NearFunding,
        Self::CarryBelowMin,
        Self::MarginUnknown,
        Self::Leverage,
        Self::LiquidationNear,
        Self::ExitDearer,
        Self::StartBelowMin,
        Self::LotsEatEdge,
    ];
    /// Fixed short word for a metric label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Taken => "taken",
            Self::BelowThreshold => "below_threshold",
            Self::StaleBook => "stale_book",
            Self::Implausible => "implausible",
            Self::Confirming => "confirming",
            Self::LegSkew => "leg_skew",
            Self::Cooldown => "cooldown",
            Self::OpenSets => "open_sets",
            Self::SetRate => "set_rate",
            Self::Halted => "halted",
            Self::PositionUnknown => "position_unknown",
            Self::Inventory => "inventory",
            Self::Thin => "thin",
            Self::NotionalBelowMin => "notional_below_min",
            Self::Outbid => "outbid",
            Self::Unsettled => "unsettled",
            Self::FundingStale => "funding_stale",
            Self::FundingBelowMin => "funding_below_min",
            Self::NearFunding => "near_funding",
            Self::CarryBelowMin => "carry_below_min",
            Self::MarginUnknown => "margin_unknown",
            Self::Leverage => "leverage",
            Self::LiquidationNear => "liquidation_near",
            Self::ExitDearer => "exit_dearer",
            Self::StartBelowMin => "start_below_min",
            Self::LotsEatEdge => "lots_eat_edge",
        }
    }
    /// As an array index.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
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
        }
    }
}

/// What a strategy has seen. Every evaluated route counts in exactly one outcome.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct StrategyCounters {
    /// Calls with a book of ours.
    pub evaluations: u64,
    /// Times a route's edge rose to the minimum (an opportunity opened).
    pub opportunities: u64,
    /// Evaluated routes by [`Outcome`].
    pub outcomes: [u64; Outcome::ALL.len()],
}

impl StrategyCounters {
    /// How often a route ended so.
    #[must_use]
    pub fn of(&self, outcome: Outcome) -> u64 {
        self.outcomes.get(outcome.index()).copied().unwrap_or(0)
    }
    /// Counts one route.
    #[inline]
    pub fn count(&mut self, outcome: Outcome) {
        if let Some(slot) = self.outcomes.get_mut(outcome.index()) {
            *slot += 1;
        }
    }
    /// All with their labels.
    pub fn iter(&self) -> impl Iterator<Item = (Outcome, u64)> + '_ {
        Outcome::ALL
            .into_iter()
            .map(|outcome| (outcome, self.of(outcome)))
    }
}
