//! Proof that an order was checked: an [`Approved`] can be made only in this room.
//!
//! The desk takes nothing else for a new order. Values are `Copy` and fixed in size: they travel through a ring.

use crate::capacity::LEGS_MAX;
use crate::market::InstrumentId;
use crate::trade::{
    ApprovalSeq, EarnedBy, Intent, Leg, Purpose, SendOrder, SetForm, SetId, StrategyId, TimeInForce,
};
use crate::units::{MonoNanos, Nanos, Ppm, Price, Qty, Side};

use super::Refusal;

/// Approvals of forced closes carry this bit: the gate's `as_of` watermark does not concern them.
pub const UNWIND_SEQ_BIT: u64 = 1 << 63;

/// The strategy that a forced close's orders name.
pub const UNWIND_STRATEGY: StrategyId = StrategyId(u8::MAX);

/// One order that may be sent once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Approved {
    pub(super) seq: ApprovalSeq,
    pub(super) set: Option<SetId>,
    pub(super) leg_index: u8,
    pub(super) strategy: StrategyId,
    pub(super) leg: Leg,
    pub(super) time_in_force: TimeInForce,
    pub(super) reduce_only: bool,
    pub(super) purpose: Purpose,
    pub(super) approved_at: MonoNanos,
    pub(super) tick_received_at: MonoNanos,
}

impl Approved {
    /// Its running number. Numbers of forced closes have [`UNWIND_SEQ_BIT`] set.
    #[must_use]
    pub const fn seq(&self) -> ApprovalSeq {
        self.seq
    }
    /// The set it belongs to; `None` for the legs of a new set, which the desk numbers.
    #[must_use]
    pub const fn set(&self) -> Option<SetId> {
        self.set
    }
    /// Which leg of the set; for a forced close the running number of the child in its set.
    #[must_use]
    pub const fn leg_index(&self) -> u8 {
        self.leg_index
    }
    /// Who wants it; [`UNWIND_STRATEGY`] for a forced close.
    #[must_use]
    pub const fn strategy(&self) -> StrategyId {
        self.strategy
    }
    /// What is traded.
    #[must_use]
    pub const fn instrument(&self) -> InstrumentId {
        self.leg.instrument
    }
    /// Buy or sell.
    #[must_use]
    pub const fn side(&self) -> Side {
        self.leg.side
    }
    /// Quantity, above zero, on the venue's lot.
    #[must_use]
    pub const fn qty(&self) -> Qty {
        self.leg.qty
    }
    /// Worst price accepted, on the venue's tick.
    #[must_use]
    pub const fn limit_price(&self) -> Price {
        self.leg.limit_price
    }
    /// The price the decision was made with (touch, or mark for a forced close).
    #[must_use]
    pub const fn decision_price(&self) -> Price {
        self.leg.decision_price
    }
    /// The leg as approved.
    #[must_use]
    pub const fn leg(&self) -> &Leg {
        &self.leg
    }
    /// How long it may rest.
    #[must_use]
    pub const fn time_in_force(&self) -> TimeInForce {
        self.time_in_force
    }
    /// Whether the venue must refuse what would enlarge or flip the position.
    #[must_use]
    pub const fn reduce_only(&self) -> bool {
        self.reduce_only
    }
    /// Why it exists.
    #[must_use]
    pub const fn purpose(&self) -> Purpose {
        self.purpose
    }
    /// When it was approved.
    #[must_use]
    pub const fn approved_at(&self) -> MonoNanos {
        self.approved_at
    }
    /// When the frame that caused it was received.
    #[must_use]
    pub const fn tick_received_at(&self) -> MonoNanos {
        self.tick_received_at
    }
    /// The same approval for less: no more than this quantity, at no worse than this price. `None` when that is more than was
    /// approved, or nothing.
    #[must_use]
    pub fn lessened(&self, qty: Qty, limit_price: Price) -> Option<Self> {
        let worse = match self.leg.side {
            Side::Buy => limit_price > self.leg.limit_price,
            Side::Sell => limit_price < self.leg.limit_price,
        };
        if qty.0 <= 0 || limit_price.0 <= 0 || qty > self.leg.qty || worse {
            return None;
        }
        let leg = Leg {
            qty,
            limit_price,
            ..self.leg
        };
        Some(Self { leg, ..*self })
    }
    /// True for an order of a forced close.
    #[must_use]
    pub const fn is_unwind(&self) -> bool {
        self.seq.0 & UNWIND_SEQ_BIT != 0
    }
}

/// A set of which every leg was approved. All legs or none should be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ApprovedSet {
    pub(super) legs: [Option<Approved>; LEGS_MAX],
    pub(super) strategy: StrategyId,
    pub(super) net_edge: Ppm,
    pub(super) gross_edge: Ppm,
    pub(super) earned_by: EarnedBy,
    pub(super) tick_received_at: MonoNanos,
    pub(super) decided_at: MonoNanos,
    pub(super) leg_timeout: Nanos,
    pub(super) form: SetForm,
    pub(super) send: SendOrder,
}

impl ApprovedSet {
    pub(super) const fn empty(intent: &Intent) -> Self {
        Self {
            legs: [None; LEGS_MAX],
            strategy: intent.strategy,
            net_edge: intent.net_edge,
            gross_edge: intent.gross_edge,
            earned_by: intent.earned_by,
            tick_received_at: intent.tick_received_at,
            decided_at: intent.decided_at,
            leg_timeout: intent.leg_timeout,
            form: intent.form,
            send: intent.send,
        }
    }
    /// What makes it even.
    #[must_use]
    pub const fn form(&self) -> SetForm {
        self.form
    }
    /// In which order its legs leave.
    #[must_use]
    pub const fn send(&self) -> SendOrder {
        self.send
    }
    /// Its legs in order.
    pub fn legs(&self) -> impl Iterator<Item = &Approved> {
        self.legs.iter().flatten()
    }
    /// How many legs, 1 to `LEGS_MAX`.
    #[must_use]
    pub fn leg_count(&self) -> usize {
        self.legs().count()
    }
    /// Who wanted it.
    #[must_use]
    pub const fn strategy(&self) -> StrategyId {
        self.strategy
    }
    /// Expected edge after fees.
    #[must_use]
    pub const fn net_edge(&self) -> Ppm {
        self.net_edge
    }
    /// Where the edge is earned.
    #[must_use]
    pub const fn earned_by(&self) -> EarnedBy {
        self.earned_by
    }
    /// Expected edge before fees.
    #[must_use]
    pub const fn gross_edge(&self) -> Ppm {
        self.gross_edge
    }
    /// When the frame that caused it was received.
    #[must_use]
    pub const fn tick_received_at(&self) -> MonoNanos {
        self.tick_received_at
    }
    /// When the strategy decided.
    #[must_use]
    pub const fn decided_at(&self) -> MonoNanos {
        self.decided_at
    }
    /// How long legs may stay unhedged.
    #[must_use]
    pub const fn leg_timeout(&self) -> Nanos {
        self.leg_timeout
    }
}

/// Answer to one order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It may be sent once.
    Approved(Approved),
    /// It never leaves the process.
    Refused(Refusal),
}

/// Answer to a set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::large_enum_variant,
    reason = "a set travels by value through a ring; boxing would allocate on the tick path"
)]
pub enum SetVerdict {
    /// Every leg may be sent once.
    Approved(ApprovedSet),
    /// No leg leaves the process.
    Refused {
        /// The first leg that was refused, from 0.
        leg_index: u8,
        /// Why.
        refusal: Refusal,
    },
}
