//! Start-up is recovery: what does the journal say we hold, what do the venues say, and what follows? Pure.
//!
//! 1. [`Reading`] reads the journal: every execution once, the baselines, the last session.
//! 2. The shell books them, asks the venues for executions since ([`History::question`]), open orders, balances, positions.
//! 3. [`compare()`] puts both side by side; two equal comparisons in a row are a match.
//! 4. [`Plan`] says what to do by policy: cancel our leftovers, leave and report foreign orders, hold, adjust or flatten.

pub mod compare;
pub mod history;
pub mod limits;
pub mod plan;
pub mod report;

pub use compare::{Holding, OpenOrder, Row, VenueAnswer, What, compare, moved_by_venue};
pub use history::{ADJUSTMENT_FIRST, History, HistoryError, Question, Reading, Taken};
pub use limits::StartLimits;
pub use plan::{Adjustment, Plan, Policy, Unexplained};
