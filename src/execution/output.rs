//! What the desk wants to happen, and what it tells the other seats. Values only.

use rust_decimal::Decimal;

use crate::capacity::LEGS_MAX;
use crate::market::{Catalogue, InstrumentId, VenueId};
use crate::telemetry::stage::Stage;
use crate::trade::{
    ApprovalSeq, ClientOrderId, EarnedBy, Fill, Leg, OpenOrders, SetId, StrategyId, UnwindReport,
};
use crate::units::{Asset, Money, MonoNanos, Nanos, Notional, Ppm};

use super::amounts::{BaseQty, Traded};
use super::command::OrderCommand;
use super::cycle::AssetQty;
use super::legs::{LegOutcome, SetEnd};
use super::resolver::BrokenSet;

/// One consequence, in the order in which it must be carried out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeskOutput {
    /// To a gateway.
    Command(OrderCommand),
    /// To the ledger: one execution, reported once.
    Fill(Fill),
    /// To the ledger, after the fills it speaks of: every approval of the gate up to here is over.
    Settled(ApprovalSeq),
    /// To the signal seat: price a repair and answer before `answer_due`.
    Broken(BrokenSet),
    /// A set ended (or, `reopened`, ended again).
    SetDone(SetSummary),
    /// To the risk seat: news of a forced close's order.
    Unwind(UnwindReport),
    /// To the risk seat: what is open in one instrument changed.
    OpenOrders(OpenOrders),
    /// To telemetry: a measured span.
    Stage {
        /// Which.
        stage: Stage,
        /// At which venue.
        venue: VenueId,
        /// How long.
        span: Nanos,
    },
    /// To people.
    Alert(DeskAlert),
}

/// What an alert of the desk is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DeskAlertKind {
    /// More was filled than ordered; the venue is right, the position counts it.
    Overfill,
    /// The venue contradicts its own earlier word about an order.
    Contradiction,
    /// An execution of an order that is not known here (manual trade, liquidation, an older session).
    ForeignFill,
    /// The venue says more was filled than executions arrived, and asking did not bring them.
    FillsMissing,
    /// An order stays unknown although the venue was asked many times.
    OrderUnknown,
    /// A set is not decided long after its deadline.
    SetUndecided,
    /// A set is left uneven: people or the monitor must act.
    SetHeld,
    /// A repair came too late, or does not fit its set, and was not sent.
    RepairRefused,
    /// An approval number came twice; nothing was sent for the second.
    ApprovalRepeated,
    /// No room for more orders or sets, or an instrument that cannot be counted: nothing was sent.
    NotSendable,
    /// A set was unhedged beyond its budget.
    LegRisk,
    /// Remainders carried on are worth more than what counts as dust.
    DustLarge,
    /// An order's id was used before, or no venue could take it: nothing was sent (PT-10); the label of the refusal.
    OrderIdRefused(&'static str),
}

impl DeskAlertKind {
    /// Fixed short word.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Overfill => "overfill",
            Self::Contradiction => "contradiction",
            Self::ForeignFill => "foreign_fill",
            Self::FillsMissing => "fills_missing",
            Self::OrderUnknown => "order_unknown",
            Self::SetUndecided => "set_undecided",
            Self::SetHeld => "set_held",
            Self::RepairRefused => "repair_refused",
            Self::ApprovalRepeated => "approval_repeated",
            Self::NotSendable => "not_sendable",
            Self::LegRisk => "leg_risk",
            Self::DustLarge => "dust_large",
            Self::OrderIdRefused(label) => label,
        }
    }
}

/// Something people should know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeskAlert {
    /// What.
    pub kind: DeskAlertKind,
    /// Which order, where it concerns one.
    pub order: Option<ClientOrderId>,
    /// Which set, where it concerns one.
    pub set: Option<SetId>,
    /// Which instrument, where it concerns one.
    pub instrument: Option<InstrumentId>,
    /// When.
    pub at: MonoNanos,
}

/// One leg at the end of its set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LegSummary {
    /// What was wanted.
    pub leg: Leg,
    /// How its own order ended.
    pub outcome: LegOutcome,
    /// Everything traded on it, repairs included.
    pub traded: Traded,
    /// Orders sent for it.
    pub order_count: u32,
}

impl LegSummary {
    /// Average price of what its own side traded, in the quote asset; `None` when nothing did.
    #[must_use]
    pub fn average_price(&self, catalogue: &Catalogue) -> Option<Decimal> {
        let grid = catalogue.get(self.leg.instrument)?.grid;
        let (notional, qty) = match self.leg.side {
            crate::units::Side::Buy => (self.traded.bought_notional, self.traded.bought),
            crate::units::Side::Sell => (self.traded.sold_notional, self.traded.sold),
        };
        let quantity = Money(grid.qty_decimal(qty));
        grid.notional_money(notional)?
            .div_half_even(quantity, 12)
            .ok()
            .map(|price| price.0.normalize())
    }
}

/// A set at its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetSummary {
    /// Which.
    pub id: SetId,
    /// Whose.
    pub strategy: StrategyId,
    /// How it ended.
    pub end: SetEnd,
    /// Its legs.
    pub legs: [Option<LegSummary>; LEGS_MAX],
    /// Edge expected at the decision, after fees.
    pub net_edge: Ppm,
    /// Where it is earned.
    pub earned_by: EarnedBy,
    /// Edge realized, after the fees the venues took, of what was bought; `None` when the set is uneven or empty, or a fee
    /// is not known in the quote asset.
    pub realized_edge: Option<Ppm>,
    /// Profit or loss behind it, on the quote asset's grid of the first leg.
    pub realized: Option<Notional>,
    /// What is left unhedged. Zero for a chain.
    pub residual: BaseQty,
    /// What each asset of a chain has changed by, the start first; what is left of the others is carried, or told when held.
    pub changes: [Option<(Asset, AssetQty)>; LEGS_MAX],
    /// How long anything of it was unhedged: its time to hedge.
    pub unhedged: Nanos,
    /// Unhedged value times time, in quote-seconds.
    pub leg_risk: Decimal,
    /// Times it was reported as broken.
    pub broken_count: u32,
    /// Repairs sent.
    pub repair_count: u32,
    /// It had ended before; a late fill opened it again. Count sets by summaries without this mark.
    pub reopened: bool,
    /// When the strategy decided.
    pub decided_at: MonoNanos,
    /// When its legs were handed to the gateways.
    pub sent_at: MonoNanos,
    /// When it ended.
    pub ended_at: MonoNanos,
}

/// What is still open: a shutdown wants "nothing unknown".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OpenSummary {
    /// Orders pending, live or partly filled.
    pub orders_open: usize,
    /// Orders whose outcome is not known.
    pub orders_unknown: usize,
    /// Orders over, but with executions still to arrive.
    pub fills_missing: usize,
    /// Sets not over.
    pub sets_open: usize,
    /// Sets left uneven in an open alert.
    pub sets_held: u64,
    /// Approvals out.
    pub approvals_open: usize,
}

impl OpenSummary {
    /// True when no order and no set is open.
    #[must_use]
    pub const fn is_quiet(&self) -> bool {
        self.orders_open == 0
            && self.orders_unknown == 0
            && self.fills_missing == 0
            && self.sets_open == 0
    }
}

/// What the desk has done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct DeskCounters {
    /// Sets whose legs were sent.
    pub sets_opened: u64,
    /// Sets that ended even without a repair.
    pub sets_hedged: u64,
    /// Sets that ended with nothing filled.
    pub sets_empty: u64,
    /// Sets that broke at least once.
    pub sets_broken: u64,
    /// Broken sets that were evened.
    pub sets_repaired: u64,
    /// Broken sets that ended with a remainder too small to trade.
    pub sets_residual: u64,
    /// Broken sets left uneven in an open alert.
    pub sets_held: u64,
    /// Orders handed to gateways.
    pub orders_sent: u64,
    /// Orders refused by venues or not sent.
    pub orders_rejected: u64,
    /// Orders that became unknown.
    pub orders_unknown: u64,
    /// Unknown orders proven absent.
    pub orders_absent: u64,
    /// Executions, each counted once.
    pub fills: u64,
    /// Executions reported again.
    pub fills_duplicate: u64,
    /// Executions that arrived after their order was over.
    pub fills_late: u64,
    /// Reports of orders not known here.
    pub reports_stray: u64,
    /// Other reports that came too late to matter.
    pub reports_late: u64,
    /// Questions asked.
    pub queries_sent: u64,
    /// Cancels sent.
    pub cancels_sent: u64,
}
