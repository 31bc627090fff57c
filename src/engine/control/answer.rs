//! What the engine answers to people. Plain values: the server writes them as JSON, the command line reads them back.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

/// An answer. Written as its content, without a tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub enum ControlAnswer {
    /// To `Status`.
    Status(Box<StatusAnswer>),
    /// To `Positions`.
    Positions(Vec<PositionAnswer>),
    /// To `Limits`.
    Limits(Vec<LimitAnswer>),
    /// To `Levels`.
    Levels(Vec<LevelAnswer>),
    /// To `Alerts`.
    Alerts(Vec<AlertAnswer>),
    /// To `Closes`.
    Closes(Vec<CloseAnswer>),
    /// To `WhatIf`.
    WhatIf(Box<WhatIfAnswer>),
    /// To `Raise`, `CancelAll`, `ApproveRearm` and `Acknowledge`.
    Raised(RaisedAnswer),
    /// To `RequestRearm`.
    Offer(Box<OfferAnswer>),
    /// To `ProposeLimits` and `ConfirmLimits`.
    NewLimits(Box<LimitsAnswer>),
    /// To `Drill`.
    Drill(DrillAnswer),
}

/// The engine in a few numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusAnswer {
    /// Ns since 1970.
    pub time_ns: i64,
    /// Since the start, ms.
    pub uptime_ms: u64,
    /// Package version.
    pub version: String,
    /// SHA-256 of the configuration, hex.
    pub config_hash: String,
    /// True when no real order can leave.
    pub paper: bool,
    /// starting, active, reduce_only, halted.
    pub state: String,
    /// Kill level of the portfolio, 0 to 4.
    pub portfolio_level: u8,
    /// Scopes above level 0.
    pub scopes_raised: u64,
    /// Currency of the amounts.
    pub currency: String,
    /// Gross exposure; absent while a position has no price.
    pub exposure: Option<Decimal>,
    /// Since the start, after fees.
    pub realized_pnl: Decimal,
    /// At mid; absent while a position has no price.
    pub unrealized_pnl: Option<Decimal>,
    /// Live orders at all venues.
    pub open_orders: u64,
    /// Orders whose outcome is not known.
    pub unknown_orders: u64,
    /// Forced closes at work.
    pub closes_open: u64,
    /// Limits used to more than 80 %.
    pub limits_near: u64,
    /// Connections that are down.
    pub connections_down: u64,
}

/// One instrument's position.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PositionAnswer {
    /// Venue instance.
    pub venue: String,
    /// Unified symbol.
    pub symbol: String,
    /// Signed, in base units or contracts.
    pub quantity: Decimal,
    /// Signed value at mid; absent without a price.
    pub value: Option<Decimal>,
    /// At mid; absent without a price.
    pub unrealized_pnl: Option<Decimal>,
    /// Net of quote fees.
    pub realized_pnl: Decimal,
    /// Highest kill level over its scopes, 0 to 4.
    pub level: u8,
    /// A forced close is at work.
    pub closing: bool,
}

/// One limit and its use.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitAnswer {
    /// Row of the catalogue, e.g. `AT-01`.
    pub control: String,
    /// Where.
    pub scope: String,
    /// Measured; absent when it cannot be told.
    pub value: Option<Decimal>,
    /// Allowed; a value equal to it passes.
    pub limit: Decimal,
    /// Value over limit in basis points, or limit over value where less is worse; rounded up, absent when it cannot be told.
    pub use_bps: Option<u64>,
}

/// One scope above level 0.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LevelAnswer {
    /// Where.
    pub scope: String,
    /// 1 to 4.
    pub level: u8,
    /// Its word.
    pub name: String,
    /// Why and by whom, the newest last.
    pub causes: Vec<String>,
}

/// One alert.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertAnswer {
    /// Ns since 1970.
    pub time_ns: i64,
    /// critical, warning, info.
    pub severity: String,
    /// For people.
    pub text: String,
}

/// One forced close that ended.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct CloseAnswer {
    /// Venue instance.
    pub venue: String,
    /// Unified symbol.
    pub symbol: String,
    /// Which control.
    pub cause: String,
    /// done, dust, handover.
    pub result: String,
    /// Signed position when it began.
    pub position_before: Decimal,
    /// Signed position at the end.
    pub position_after: Decimal,
    /// Orders sent.
    pub orders: u64,
    /// Cost against the price at the trigger, in the quote asset; positive is a loss.
    pub slippage_cost: Option<Decimal>,
    /// From trigger to end, ms.
    pub duration_ms: u64,
}

/// What the gate would say.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct WhatIfAnswer {
    /// True when it would be sent.
    pub approved: bool,
    /// Reason code of the refusal, e.g. `ORDER_NOTIONAL_MAX`.
    pub code: Option<String>,
    /// Row of the catalogue, e.g. `PT-19`.
    pub row: Option<String>,
    /// The refusal with its numbers.
    pub text: String,
    /// The price it was judged at.
    pub price: Decimal,
    /// What the limits would show with the order filled.
    pub limits: Vec<LimitUseAnswer>,
}

/// One limit with an order filled.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitUseAnswer {
    /// Row of the catalogue.
    pub control: String,
    /// Where.
    pub scope: String,
    /// Now; absent when it cannot be told.
    pub before: Option<Decimal>,
    /// With the order filled; absent when it cannot be told.
    pub after: Option<Decimal>,
    /// Allowed.
    pub limit: Decimal,
}

/// A command that was carried out.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RaisedAnswer {
    /// Where; empty for an acknowledgement.
    pub scope: String,
    /// Level before, 0 to 4.
    pub from: u8,
    /// Level now, 0 to 4.
    pub level: u8,
    /// What happens now, in words.
    pub text: String,
}

/// What would be lowered: approve it with the token and the hash.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct OfferAnswer {
    /// Good once, 64 hex digits.
    pub token: String,
    /// SHA-256 of what was shown.
    pub state_hash: String,
    /// Time left, ms.
    pub expires_in_ms: u64,
    /// Where.
    pub scope: String,
    /// Level now, 0 to 4.
    pub from: u8,
    /// Level after, 0 to 4.
    pub to_level: u8,
    /// What holds the scope up.
    pub causes: Vec<String>,
    /// The approver must be another person than the requester.
    pub two_people: bool,
}

/// What became of new limits.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitsAnswer {
    /// SHA-256 of the limits.
    pub hash: String,
    /// Good once, 64 hex digits; absent when nothing waits.
    pub token: Option<String>,
    /// Time left, ms.
    pub expires_in_ms: u64,
    /// Keys whose new value is in force.
    pub in_force: Vec<String>,
    /// Keys whose new value waits for a second person.
    pub waiting: Vec<String>,
}

/// A rehearsal that began.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct DrillAnswer {
    /// Where.
    pub scope: String,
    /// Positions that were open when it began.
    pub positions_open: u64,
    /// Every position was flat or dust within the time.
    pub flat: bool,
    /// From the command to flat, ms.
    pub duration_ms: u64,
    /// Cost against the prices at the trigger, in the quote asset; absent when it cannot be told.
    pub slippage_cost: Option<Decimal>,
    /// In words.
    pub text: String,
}
