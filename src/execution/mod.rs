//! Orders from approvals: the desk, its leg sets, and what becomes of every order.
//!
//! The [`Desk`] takes an approved set, sends its legs together, follows each order through [`order::OrderState`], compares what
//! filled ([`legs`]), has a broken set priced ([`resolver`]) and repaired, and tells ledger, risk seat and gate what they
//! must know. It never decides whether to trade, never reads a clock, and sends nothing without an approval.

pub mod amounts;
pub mod attribution;
pub mod choice;
pub mod command;
pub mod cycle;
pub mod cycle_repair;
pub mod desk;
pub mod legs;
pub mod minimum;
pub mod order;
pub mod output;
pub mod recovery;
pub mod resolver;
pub mod settle;
pub mod summary;
pub mod throttle;
pub mod tracker;

pub use amounts::{BaseQty, Traded};
pub use attribution::{Attribution, Attributor, Unattributed};
pub use choice::OnBroken;
pub use command::{CommandAction, OrderCommand};
pub use cycle::{AssetQty, Cycle};
pub use desk::{Desk, DeskParams, Exposure, LegBudget};
pub use legs::{LegOutcome, SetEnd};
pub use order::{NotFoundRule, Order, OrderState};
pub use output::{
    DeskAlert, DeskAlertKind, DeskCounters, DeskOutput, LegSummary, OpenSummary, SetSummary,
};
pub use resolver::{
    BrokenLeg, BrokenSet, HoldReason, RepairMarket, RepairPlan, RepairRules, plan_repair,
};
