//! Statistics of risk (RISK.md 3.7): value at risk and its health, drawdown, loss windows, margin, exposure.
//!
//! Pure values. All of it is exact decimals and integers, so that equal inputs give equal decisions; floats appear only in
//! [`backtest`], whose likelihoods alert people and never size an order.
//!
//! How the monitor uses it: one [`ReturnsHistory`] hears prices; [`ReturnsHistory::covariance`] gives the gate's
//! [`super::VarModel`], [`ReturnsHistory::estimate`] the larger of the parametric and the historical figure (AT-12, AT-13);
//! one [`VarBacktest`] judges the model once a day (AT-14); a [`Drawdown`] (AT-06) and a [`LossWindow`] (AT-04, AT-05) a scope.

pub mod backtest;
pub mod confidence;
pub mod covariance;
pub mod drawdown;
pub mod exposure;
pub mod historical;
pub mod loss_window;
pub mod margin;
pub mod returns;

pub use backtest::{BaselZone, ModelHealth, VarBacktest};
pub use confidence::Confidence;
pub use covariance::Covariance;
pub use drawdown::{Drawdown, NavError};
pub use exposure::{Exposure, Held};
pub use historical::{Historical, historical};
pub use loss_window::{Loss, LossWindow};
pub use margin::{MarginTier, MarginTiers, TierError};
pub use returns::{ReturnsHistory, VarEstimate};
