//! What goes into and comes out of the control API, field by field. Tests hold it against the values themselves.

/// What stands in a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Text of at most so many characters, without control characters.
    Text(usize),
    /// One of these words.
    Word(&'static [&'static str]),
    /// 64 hexadecimal digits.
    Hex64,
    /// An exact decimal, written as text.
    Decimal,
    /// A whole number.
    Integer,
    /// true or false.
    Flag,
    /// A list of texts.
    Texts,
    /// A list of objects.
    Objects(&'static [Field]),
}

/// One field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Field {
    /// Its key.
    pub key: &'static str,
    /// What stands there.
    pub kind: Kind,
    /// Requests: it must be there. Answers: it is never null.
    pub required: bool,
    /// In words.
    pub meaning: &'static str,
}

/// An answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// One object.
    One(&'static [Field]),
    /// A list of objects.
    Many(&'static [Field]),
    /// An OpenAPI document.
    Document,
}

const fn must(key: &'static str, kind: Kind, meaning: &'static str) -> Field {
    Field {
        key,
        kind,
        required: true,
        meaning,
    }
}
const fn may(key: &'static str, kind: Kind, meaning: &'static str) -> Field {
    Field {
        key,
        kind,
        required: false,
        meaning,
    }
}

use Kind::{Decimal, Flag, Hex64, Integer, Objects, Text, Texts, Word};

/// Longest text that a person writes as a reason, in characters.
pub const REASON_CHARS_MAX: usize = 200;
/// Longest name of a scope, venue, symbol or strategy, in characters.
pub const NAME_CHARS_MAX: usize = 64;
/// Longest decimal, in characters.
pub const DECIMAL_CHARS_MAX: usize = 40;

const NAME: Kind = Text(NAME_CHARS_MAX);
/// Levels that can be raised to.
pub const RAISABLE: &[&str] = &["reduce_only", "cancel_all", "flatten", "halt"];
/// Levels that can be lowered to.
pub const LOWERABLE: &[&str] = &["armed", "reduce_only", "cancel_all", "flatten"];
/// Sides of an order.
pub const SIDES: &[&str] = &["buy", "sell"];

const SCOPE: Field = may(
    "scope",
    NAME,
    "portfolio (when absent), venue:ID, asset:BTC, symbol:BTC/USDT, instrument:ID:BTC/USDT or strategy:ID",
);
const WHY: Field = must(
    "reason",
    Text(REASON_CHARS_MAX),
    "why, in words; kept in the audit trail",
);

/// Where and why.
pub const SCOPE_REASON: &[Field] = &[SCOPE, WHY];
/// Why.
pub const REASON: &[Field] = &[WHY];
/// To which level, where and why.
pub const RAISE_REQUEST: &[Field] = &[
    must(
        "level",
        Word(RAISABLE),
        "the scope's least level from now on",
    ),
    SCOPE,
    WHY,
];
/// To which level, where and why.
pub const REARM_REQUEST: &[Field] = &[
    must("level", Word(LOWERABLE), "the scope's level after approval"),
    SCOPE,
    WHY,
];
/// What the request was answered.
pub const APPROVE_REQUEST: &[Field] = &[
    must(
        "token",
        Hex64,
        "as answered to the request; good once, for 60 s",
    ),
    must(
        "state_hash",
        Hex64,
        "as answered to the request: you approve what was shown",
    ),
];
/// What the proposal was answered.
pub const CONFIRM_REQUEST: &[Field] = &[
    must("token", Hex64, "as answered to the proposal; good once"),
    must(
        "hash",
        Hex64,
        "as answered to the proposal: you confirm what was shown",
    ),
];
/// One order.
pub const WHAT_IF_REQUEST: &[Field] = &[
    must("venue", NAME, "venue instance"),
    must("symbol", NAME, "unified symbol"),
    must("side", Word(SIDES), "buy or sell"),
    must("quantity", Decimal, "base units or contracts, above zero"),
    may(
        "price",
        Decimal,
        "limit price; when absent the touch of the other side",
    ),
    may(
        "strategy",
        NAME,
        "in whose name; when absent the first strategy",
    ),
];

/// See `StatusAnswer`.
pub const STATUS: Shape = Shape::One(&[
    must("time_ns", Integer, "when, ns since 1970"),
    must("uptime_ms", Integer, "since the start, ms"),
    must("version", NAME, "package version"),
    must("config_hash", Hex64, "SHA-256 of the configuration"),
    must("paper", Flag, "no real order can leave"),
    must(
        "state",
        Word(&["starting", "active", "reduce_only", "halted"]),
        "whether new risk is taken",
    ),
    must(
        "portfolio_level",
        Integer,
        "kill level of the portfolio, 0 to 4",
    ),
    must("scopes_raised", Integer, "scopes above level 0"),
    must("currency", NAME, "of the amounts"),
    may(
        "exposure",
        Decimal,
        "gross exposure; null while a position has no price",
    ),
    must("realized_pnl", Decimal, "since the start, after fees"),
    may(
        "unrealized_pnl",
        Decimal,
        "at mid; null while a position has no price",
    ),
    must("open_orders", Integer, "live orders at all venues"),
    must(
        "unknown_orders",
        Integer,
        "orders whose outcome is not known",
    ),
    must("closes_open", Integer, "forced closes at work"),
    must("limits_near", Integer, "limits used to more than 80 %"),
    must("connections_down", Integer, "connections that are down"),
]);
/// See `PositionAnswer`.
pub const POSITIONS: Shape = Shape::Many(&[
    must("venue", NAME, "venue instance"),
    must("symbol", NAME, "unified symbol"),
    must("quantity", Decimal, "signed, base units or contracts"),
    may(
        "value",
        Decimal,
        "signed value at mid; null without a price",
    ),
    may("unrealized_pnl", Decimal, "at mid; null without a price"),
    must("realized_pnl", Decimal, "net of quote fees"),
    must(
        "level",
        Integer,
        "highest kill level over its scopes, 0 to 4",
    ),
    must("closing", Flag, "a forced close is at work"),
]);
/// See `LimitAnswer`.
pub const LIMITS: Shape = Shape::Many(&[
    must("control", NAME, "row of docs/RISK.md"),
    must("scope", NAME, "where"),
    may("value", Decimal, "measured; null when it cannot be told"),
    must("limit", Decimal, "allowed; a value equal to it passes"),
    may(
        "use_bps",
        Integer,
        "value over limit in basis points (limit over value where less is worse), rounded up; null when it cannot be told",
    ),
]);
/// See `LevelAnswer`.
pub const LEVELS: Shape = Shape::Many(&[
    must("scope", NAME, "where"),
    must("level", Integer, "1 to 4"),
    must("name", NAME, "its word"),
    must("causes", Texts, "why and by whom, newest last"),
]);
/// See `AlertAnswer`.
pub const ALERTS: Shape = Shape::Many(&[
    must("time_ns", Integer, "when, ns since 1970"),
    must(
        "severity",
        Word(&["critical", "warning", "info"]),
        "how loud",
    ),
    must("text", Text(4_096), "for people"),
]);
/// See `CloseAnswer`.
pub const CLOSES: Shape = Shape::Many(&[
    must("venue", NAME, "venue instance"),
    must("symbol", NAME, "unified symbol"),
    must("cause", NAME, "which control"),
    must("result", NAME, "done, dust or handover"),
    must("position_before", Decimal, "signed"),
    must("position_after", Decimal, "signed"),
    must("orders", Integer, "orders sent"),
    may(
        "slippage_cost",
        Decimal,
        "against the price at the trigger, quote asset; positive is a loss",
    ),
    must("duration_ms", Integer, "from trigger to end"),
]);
/// See `WhatIfAnswer`.
pub const WHAT_IF: Shape = Shape::One(&[
    must("approved", Flag, "it would be sent"),
    may(
        "code",
        NAME,
        "reason code of the refusal; null when approved",
    ),
    may("row", NAME, "row of docs/RISK.md; null when approved"),
    must("text", Text(4_096), "the refusal with its numbers"),
    must("price", Decimal, "the price it was judged at"),
    must(
        "limits",
        Objects(&[
            must("control", NAME, "row of docs/RISK.md"),
            must("scope", NAME, "where"),
            may("before", Decimal, "now"),
            may("after", Decimal, "with the order filled"),
            must("limit", Decimal, "allowed"),
        ]),
        "what the limits would show with the order filled",
    ),
]);
/// See `RaisedAnswer`.
pub const RAISED: Shape = Shape::One(&[
    must("scope", NAME, "where; empty for an acknowledgement"),
    must("from", Integer, "level before, 0 to 4"),
    must("level", Integer, "level now, 0 to 4"),
    must("text", Text(4_096), "what happens now"),
]);
/// See `OfferAnswer`.
pub const OFFER: Shape = Shape::One(&[
    must("token", Hex64, "good once"),
    must("state_hash", Hex64, "of what was shown"),
    must("expires_in_ms", Integer, "time left"),
    must("scope", NAME, "where"),
    must("from", Integer, "level now, 0 to 4"),
    must("to_level", Integer, "level after, 0 to 4"),
    must("causes", Texts, "what holds the scope up"),
    must(
        "two_people",
        Flag,
        "the approver must be another person than the requester",
    ),
]);
/// See `LimitsAnswer`.
pub const NEW_LIMITS: Shape = Shape::One(&[
    must("hash", Hex64, "SHA-256 of the limits"),
    may("token", Hex64, "good once; null when nothing waits"),
    must("expires_in_ms", Integer, "time left"),
    must("in_force", Texts, "keys whose new value is in force"),
    must(
        "waiting",
        Texts,
        "keys whose new value waits for a second person",
    ),
]);
/// See `DrillAnswer`.
pub const DRILL: Shape = Shape::One(&[
    must("scope", NAME, "where"),
    must(
        "positions_open",
        Integer,
        "positions that were open when it began",
    ),
    must(
        "flat",
        Flag,
        "every position was flat or dust within the time",
    ),
    must("duration_ms", Integer, "from the command to flat"),
    may(
        "slippage_cost",
        Decimal,
        "against the prices at the trigger, quote asset; null when it cannot be told",
    ),
    must("text", Text(4_096), "in words"),
]);
