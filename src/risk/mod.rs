//! The gate, the monitor and the forced close: what may be done, and what must be undone.

pub mod limits;
pub mod view;

pub use limits::{InstrumentLimits, Limits};
pub use view::{InstrumentRisk, KillLevel, RiskView};
