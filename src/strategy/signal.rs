//! What an evaluation says: a set to send, an opportunity refused with both numbers, or nothing.

use crate::capacity::LEGS_MAX;
use crate::market::InstrumentId;
use crate::trade::Intent;
use crate::units::{Ppm, Side};

pub use super::pass::Pass;

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
    /// See [`Pass`].
    Conversion,
    /// See [`Pass`].
    Depeg,
    /// See [`Pass`].
    Blackout,
    /// See [`Pass`].
    InventoryBand,
}

impl Outcome {
    /// All, in order.
    pub const ALL: [Self; 30] = [
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
        Self::Conversion,
        Self::Depeg,
        Self::Blackout,
        Self::InventoryBand,
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
            Self::Conversion => "conversion",
            Self::Depeg => "depeg",
            Self::Blackout => "blackout",
            Self::InventoryBand => "inventory_band",
        }
    }
    /// As an array index.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
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
    /// Counts several routes at once.
    #[inline]
    pub fn count_many(&mut self, outcome: Outcome, count: u64) {
        if let Some(slot) = self.outcomes.get_mut(outcome.index()) {
            *slot += count;
        }
    }
    /// All with their labels.
    pub fn iter(&self) -> impl Iterator<Item = (Outcome, u64)> + '_ {
        Outcome::ALL
            .into_iter()
            .map(|outcome| (outcome, self.of(outcome)))
    }
}
