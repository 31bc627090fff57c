//! What people may ask of a running engine, and what it answers: the port between the web server and the seats.
//!
//! The server (`dashboard`) knows who asks and whether they may; the seats (`actors`) know the answer. Neither knows the
//! other: both know this file. Amounts are exact decimals, written as text.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::risk::{KillLevel, Person};
use crate::units::Side;

mod answer;

pub use answer::{
    AlertAnswer, CloseAnswer, ControlAnswer, DrillAnswer, LevelAnswer, LimitAnswer, LimitUseAnswer,
    LimitsAnswer, OfferAnswer, PositionAnswer, RaisedAnswer, StatusAnswer, WhatIfAnswer,
};

/// Who asks, as the server authenticated them, and from where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Name and role.
    pub person: Person,
    /// Address of the connection.
    pub from: String,
}

/// One order that is judged and not sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WhatIf {
    /// Venue instance.
    pub venue: String,
    /// Unified symbol.
    pub symbol: String,
    /// Buy or sell.
    pub side: Side,
    /// In base units or contracts, above zero.
    pub quantity: Decimal,
    /// Limit price; without one the touch of the other side.
    pub price: Option<Decimal>,
    /// In whose name; without one the first strategy.
    pub strategy: Option<String>,
}

/// What is asked. Scopes are text: `portfolio`, `venue:ID`, `asset:BTC`, `symbol:BTC/USDT`, `instrument:ID:BTC/USDT`,
/// `strategy:ID`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ControlRequest {
    /// The engine in a few numbers.
    Status,
    /// Every instrument's position.
    Positions,
    /// Every limit and its use.
    Limits,
    /// Every scope above level 0.
    Levels,
    /// The last alerts, newest first.
    Alerts,
    /// The last forced closes, newest first.
    Closes,
    /// What would the gate say to this order?
    WhatIf(WhatIf),
    /// Raise a scope to at least a level.
    Raise {
        /// Where.
        scope: String,
        /// To which level.
        level: KillLevel,
        /// In words.
        reason: String,
    },
    /// Cancel the open orders of a scope, levels as they are.
    CancelAll {
        /// Where.
        scope: String,
        /// In words.
        reason: String,
    },
    /// Ask to lower a scope to at most a level.
    RequestRearm {
        /// Where.
        scope: String,
        /// To which level.
        level: KillLevel,
        /// In words.
        reason: String,
    },
    /// Lower what was asked for, if nothing changed since.
    ApproveRearm {
        /// As answered to the request, 64 hex digits.
        token: String,
        /// As answered to the request, 64 hex digits.
        state_hash: String,
    },
    /// Somebody has seen the open critical alerts.
    Acknowledge,
    /// Read `limits.toml` again: tighter limits at once, looser ones wait for a second person.
    ProposeLimits {
        /// In words.
        reason: String,
    },
    /// Put the looser part of proposed limits in force.
    ConfirmLimits {
        /// As answered to the proposal, 64 hex digits.
        token: String,
        /// As answered to the proposal, 64 hex digits.
        hash: String,
    },
    /// Rehearse flattening a scope; paper only.
    Drill {
        /// Where.
        scope: String,
        /// In words.
        reason: String,
    },
}

impl ControlRequest {
    /// True for what may change something.
    #[must_use]
    pub const fn is_change(&self) -> bool {
        match self {
            Self::Status
            | Self::Positions
            | Self::Limits
            | Self::Levels
            | Self::Alerts
            | Self::Closes
            | Self::WhatIf(_) => false,
            Self::Raise { .. }
            | Self::CancelAll { .. }
            | Self::RequestRearm { .. }
            | Self::ApproveRearm { .. }
            | Self::Acknowledge
            | Self::ProposeLimits { .. }
            | Self::ConfirmLimits { .. }
            | Self::Drill { .. } => true,
        }
    }
}

/// Why a request that was allowed was not carried out. Nothing changed, except that after `Unavailable` nobody knows yet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ControlError {
    /// Something that was named does not exist, or a number does not fit.
    #[error("{0}")]
    Wrong(String),
    /// The engine's rules forbid it now.
    #[error("{0}")]
    Refused(String),
    /// A seat is gone or did not answer in time.
    #[error(
        "the engine did not answer in time and may still carry it out: look at /healthz and the levels, and stop it from outside (docs/RUNBOOK.md) if it is stuck"
    )]
    Unavailable,
}

impl ControlError {
    /// Fixed short word.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Wrong(_) => "wrong",
            Self::Refused(_) => "refused",
            Self::Unavailable => "unavailable",
        }
    }
}

/// A request that the server refused, for the audit trail.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RefusedRequest {
    /// The name it came under, if any; not proven unless `role` is there.
    pub name: String,
    /// The proven role.
    pub role: Option<String>,
    /// Address of the connection.
    pub from: String,
    /// Method and path.
    pub what: String,
    /// Reason, a fixed short word.
    pub reason: String,
    /// Refusals since the last one written, which are only counted.
    pub unwritten: u64,
}

/// An answer that comes later.
pub type ControlFuture = Pin<Box<dyn Future<Output = Result<ControlAnswer, ControlError>> + Send>>;

/// The port: what the web server asks of the engine.
pub trait Control: Send + Sync + fmt::Debug {
    /// Asks. Whoever asks may: the caller has checked the role already, the engine checks it again.
    fn ask(&self, caller: Caller, request: ControlRequest) -> ControlFuture;
    /// Writes a refused request down.
    fn refused(&self, refused: RefusedRequest);
}
