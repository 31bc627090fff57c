//! What the risk seat says and hears: outputs of the monitor, scopes, alerts, audit records.

use std::sync::Arc;

use crate::market::{InstrumentId, Symbol, VenueId};
use crate::trade::{ApprovalSeq, SetId, StrategyId};
use crate::units::{Asset, MonoNanos, Nanos, Price, Qty};

use super::levels::state::LevelState;
use super::operator::Hex32;
use super::{
    Amount, Approved, Control, KillLevel, LimitChange, Limits, LossPoint, Refusal, RiskView,
};

/// Everything the monitor wants to happen, in order.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RiskOutput {
    /// To the gate: replaces the previous view.
    View(RiskView),
    /// To the desk: one order of a forced close.
    Unwind(Approved),
    /// To the desk: cancel every own open order in this instrument.
    CancelInstrument(InstrumentId),
    /// To the desk: cancel whatever rests in this instrument, whoever placed it (K2 and above).
    ClearInstrument(InstrumentId),
    /// To the desk: cancel every own open order of this strategy's sets, repairs included; forced closes go on.
    CancelStrategy(StrategyId),
    /// To the desk: cancel every own open order.
    CancelAll,
    /// To the gateway: ask the venue for its position (and balances); the answer goes to `Monitor::on_confirm`.
    AskPosition(InstrumentId),
    /// To people.
    Alert(Alert),
    /// To the journal, *before* the first order of this close (2.7 rule 1).
    CloseIntent(CloseIntent),
    /// To the journal and the history panel: one a close (2.7 rule 15).
    CloseRecord(Box<CloseRecord>),
    /// To the audit trail: one a change of a kill level.
    LevelChanged(LevelChange),
    /// To the record that survives a restart: the levels and latches as they stand after a change.
    LevelState(Box<LevelState>),
    /// To the record that survives a restart: what losses are measured by, each minute and at new heights.
    LossPoint(Box<LossPoint>),
    /// To the gate and the audit trail: new limits.
    LimitsChanged(Box<LimitsChanged>),
}

/// Where a kill level holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scope {
    /// Everything.
    Portfolio,
    /// One venue instance.
    Venue(VenueId),
    /// Everything with this base asset.
    Asset(Asset),
    /// One symbol at all venues.
    Symbol(Symbol),
    /// One symbol at one venue.
    Instrument(InstrumentId),
    /// One strategy.
    Strategy(StrategyId),
}

impl Scope {
    /// Fixed short word of its kind.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Portfolio => "portfolio",
            Self::Venue(_) => "venue",
            Self::Asset(_) => "asset",
            Self::Symbol(_) => "symbol",
            Self::Instrument(_) => "instrument",
            Self::Strategy(_) => "strategy",
        }
    }
}

/// A kill level that the gate raises by refusing (PT-32, 36, 37, 47): no person asked for it, and only people lower it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GateRaise {
    /// Where.
    pub scope: Scope,
    /// To at least this level.
    pub level: KillLevel,
    /// Why, with both numbers.
    pub refusal: Refusal,
}

/// Who changed a level.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Actor {
    /// A control of this engine, by its row in RISK.md, e.g. `AT-02`.
    Control(&'static str),
    /// A person, by name.
    Operator(String),
}

/// Limits that are in force from now on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LimitsChanged {
    /// All of them; also for the gate.
    pub limits: Arc<Limits>,
    /// SHA-256 of their text.
    pub hash: Hex32,
    /// What differs from those before.
    pub changes: Vec<LimitChange>,
    /// Who.
    pub by: Actor,
    /// In words.
    pub reason: String,
    /// When.
    pub at: MonoNanos,
}

/// One change of a kill level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LevelChange {
    /// Where.
    pub scope: Scope,
    /// Level before.
    pub from: KillLevel,
    /// Level after.
    pub to: KillLevel,
    /// What caused it: a fixed short word.
    pub cause: &'static str,
    /// Who.
    pub by: Actor,
    /// In words.
    pub reason: String,
    /// When.
    pub at: MonoNanos,
}

/// How loud an alert is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// For the record.
    Info,
    /// Somebody should look.
    Warning,
    /// Somebody is woken.
    Critical,
}

impl Severity {
    /// Fixed short word.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

/// What an alert is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlertKind {
    /// AT-01 at the warning share of the limit.
    PositionNearLimit,
    /// AT-01.
    PositionOverLimit,
    /// AT-02 at the warning share of the limit.
    LossNearLimit,
    /// AT-02.
    LossOverLimit,
    /// Any other control (RISK.md 2.1): a warning near its limit, critical beyond it.
    Control(Control),
    /// A level was raised.
    LevelRaised,
    /// A level cleared itself too often: from now on only people lower it (2.5).
    LevelLatched,
    /// Orders are still open after a cancel at K2 or above (I11).
    CancelBlocked,
    /// A forced close began.
    CloseStarted,
    /// A forced close can send nothing: no price, or the venue refuses everything.
    CloseBlocked,
    /// A forced close missed its deadline or used up its attempts; it keeps trying.
    CloseEscalated,
    /// A forced close stopped and waits for people.
    CloseHandover,
    /// A forced close left a remainder that cannot be sold.
    CloseDust,
    /// A fill of a forced close broke a postcondition (2.7 rule 14).
    ClosePostcondition,
    /// A forced close ended at its target.
    CloseDone,
    /// Our own accounting contradicts itself (AT-35).
    AccountingBroken,
}

impl AlertKind {
    /// Fixed short word.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::PositionNearLimit => "position_near_limit",
            Self::PositionOverLimit => "position_over_limit",
            Self::LossNearLimit => "loss_near_limit",
            Self::LossOverLimit => "loss_over_limit",
            Self::Control(control) => control.word(),
            Self::LevelRaised => "level_raised",
            Self::LevelLatched => "level_latched",
            Self::CancelBlocked => "cancel_blocked",
            Self::CloseStarted => "close_started",
            Self::CloseBlocked => "close_blocked",
            Self::CloseEscalated => "close_escalated",
            Self::CloseHandover => "close_handover",
            Self::CloseDust => "close_dust",
            Self::ClosePostcondition => "close_postcondition",
            Self::CloseDone => "close_done",
            Self::AccountingBroken => "accounting_broken",
        }
    }
}

/// Something people should know. Conditions open with `raised` and end with the same kind and scope not raised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Alert {
    /// What.
    pub kind: AlertKind,
    /// How loud.
    pub severity: Severity,
    /// Where.
    pub scope: Scope,
    /// The measured value, where there is one.
    pub value: Option<Amount>,
    /// What it was compared with.
    pub limit: Option<Amount>,
    /// True when it begins (or happened), false when the condition ended.
    pub raised: bool,
    /// When.
    pub at: MonoNanos,
}

/// Why a position is closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CloseCause {
    /// AT-01.
    PositionLimit,
    /// AT-02.
    UnrealizedLoss,
    /// A scope was raised to K3.
    KillFlatten,
    /// The position hedged one that is being closed.
    PairLeg,
}

impl CloseCause {
    /// Fixed short word.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::PositionLimit => "position_limit",
            Self::UnrealizedLoss => "unrealized_loss",
            Self::KillFlatten => "kill_flatten",
            Self::PairLeg => "pair_leg",
        }
    }
}

/// What is about to be closed. Written to the journal before the first message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloseIntent {
    /// Number of the close; its orders carry it.
    pub set: SetId,
    /// What.
    pub instrument: InstrumentId,
    /// Why (the first cause).
    pub cause: CloseCause,
    /// The limit that was crossed.
    pub limit: Amount,
    /// The value that crossed it.
    pub value: Amount,
    /// Signed position when it was triggered.
    pub position: Qty,
    /// Largest absolute position that ends the close; zero for flat.
    pub target: Qty,
    /// When.
    pub at: MonoNanos,
    /// What it was expected to cost by the book then; `None` without a fresh book.
    pub estimate: Option<super::CloseEstimate>,
}

/// How a close ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CloseResult {
    /// At the target, confirmed twice by stream and snapshot.
    Done,
    /// The remainder is below the venue's lot or minimum.
    Dust,
    /// People act.
    Handover,
}

impl CloseResult {
    /// Fixed short word.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Dust => "dust",
            Self::Handover => "handover",
        }
    }
}

/// One order of a forced close, as evidence.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CloseChild {
    /// Its approval.
    pub approval: ApprovalSeq,
    /// Its quantity.
    pub qty: Qty,
    /// Its limit.
    pub limit_price: Price,
    /// What filled.
    pub filled: Qty,
    /// Value of what filled (sum of quantity times price), on the instrument's grid.
    pub filled_notional: crate::units::Notional,
    /// When it was approved.
    pub at: MonoNanos,
}

/// Evidence of one close.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloseRecord {
    /// What was intended.
    pub intent: CloseIntent,
    /// How it ended.
    pub result: CloseResult,
    /// Mid or mark when it was triggered.
    pub decision_price: Option<Price>,
    /// Every order.
    pub children: Vec<CloseChild>,
    /// Quantity closed by us.
    pub closed: Qty,
    /// Volume-weighted average price of the fills, on the instrument's grid, half-even at 9 decimals.
    pub average_price: Option<rust_decimal::Decimal>,
    /// Cost against the decision price in the quote asset (vector F03); positive is a loss.
    pub slippage_cost: Option<rust_decimal::Decimal>,
    /// The same in basis points of the decision value, half-even at 6 decimals.
    pub slippage_bps: Option<rust_decimal::Decimal>,
    /// Signed position at the end.
    pub position: Qty,
    /// From trigger to end.
    pub duration: Nanos,
}
