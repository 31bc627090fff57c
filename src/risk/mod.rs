//! The gate, the monitor and the forced close: what may be done, and what must be undone.
//!
//! An order is checked by the [`Gate`] on the signal thread; the risk seat's [`Monitor`] watches positions and marks and
//! closes what is over its limits. Both answer with values; nothing here sends, logs, awaits or reads a clock.

pub mod amount;
pub mod approved;
pub mod gate;
pub mod identity;
pub mod kept;
mod levels;
pub mod limits;
pub mod monitor;
pub mod operator;
pub mod order_flow;
pub mod output;
pub mod permit;
mod rearm;
pub mod refusal;
pub mod role;
pub mod stats;
pub mod unwind;
pub mod var;
pub mod view;

pub use amount::Amount;
pub use approved::{Approved, ApprovedSet, SetVerdict, UNWIND_SEQ_BIT, UNWIND_STRATEGY, Verdict};
pub use gate::{Gate, Parent, Repair, check_expiry, check_order_id};
pub use identity::BuildId;
pub use kept::{KeptPosition, KeptUnit, LossPoint};
pub use levels::state::{LevelClear, LevelEntry, LevelState, cause_of};
pub use limits::{
    CloseLimits, ControlLimits, Direction, InstrumentLimits, KillLimits, LimitChange, Limits,
    PreTradeLimits,
};
pub use monitor::{
    Control, ControlRow, InstrumentSnapshot, LimitUse, Monitor, RiskMetrics, RiskSnapshot,
};
pub use operator::{
    Hex32, LimitsProposed, Need, OperatorCommand, OperatorDone, OperatorRefusal, RearmOffer, Unmet,
};
pub use order_flow::{OrderFlow, OrderWindow};
pub use output::{
    Actor, Alert, AlertKind, CloseCause, CloseChild, CloseIntent, CloseRecord, CloseResult,
    GateRaise, LevelChange, LimitsChanged, RiskOutput, Scope, Severity,
};
pub use permit::{Permits, StrategyPermit};
pub use refusal::{RaiseScope, Refusal, RefusalRow};
pub use role::{Action, Person, Role};
pub use unwind::{CloseEstimate, CloseState};
pub use var::VarModel;
pub use view::{InstrumentRisk, KillLevel, PortfolioRisk, RiskView, Spent, StrategyRisk};
