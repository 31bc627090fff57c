//! What a journal line says of edges: episodes in full, counts by route, looks by outcome, and the parts of a set's result.

use rust_decimal::Decimal;
use serde::Serialize;

/// One leg as it was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LegRow {
    /// Venue instance.
    pub venue: String,
    /// Unified symbol.
    pub symbol: String,
    /// buy, sell.
    pub side: &'static str,
    /// Touch that the side would have taken, in the quote asset.
    pub price: Decimal,
    /// Quantity at that touch, base units.
    pub quantity: Decimal,
    /// Since the book was last heard of.
    pub age_ns: u64,
    /// Standing of the book.
    pub trust: &'static str,
}

/// One episode in full. Edges are in basis points.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OpportunityRecord {
    /// Configured name.
    pub strategy: String,
    /// `buy VENUE SYMBOL, sell VENUE SYMBOL`.
    pub route: String,
    /// Receive time of the first look, ns since 1970.
    pub opened: i64,
    /// Of the end; absent when it was still open at the record.
    pub closed: Option<i64>,
    /// `below_threshold`, `stale_book`, stopped.
    pub end: Option<&'static str>,
    /// Between both.
    pub lifetime_ns: Option<u64>,
    /// First look, after fees.
    pub net_bps: Decimal,
    /// First look, before fees.
    pub gross_bps: Decimal,
    /// Difference of both: the fees.
    pub fees_bps: Decimal,
    /// Best look, after fees.
    pub peak_net_bps: Decimal,
    /// Best look, before fees.
    pub peak_gross_bps: Decimal,
    /// Last look, after fees.
    pub last_net_bps: Decimal,
    /// Last look, before fees.
    pub last_gross_bps: Decimal,
    /// Looks at or above the minimum.
    pub looks: u32,
    /// Of those: taken by the strategy.
    pub taken: u32,
    /// Of those: refused, by the strategy or the gate.
    pub refused: u32,
    /// The last refusal.
    pub reason: Option<&'static str>,
    /// What it measured.
    pub value: Option<Decimal>,
    /// What it compared with.
    pub limit: Option<Decimal>,
    /// Unit of both, where it has one.
    pub unit: Option<&'static str>,
    /// First approval of the set that was sent.
    pub approval: Option<u64>,
    /// Net edge 10 ms after the first look; absent when a book was missing or not trusted.
    pub after_10ms_bps: Option<Decimal>,
    /// 50 ms after.
    pub after_50ms_bps: Option<Decimal>,
    /// 250 ms after.
    pub after_250ms_bps: Option<Decimal>,
    /// Legs at the first look.
    pub legs: Vec<LegRow>,
    /// Legs when the last set was decided, else at the best look.
    pub legs_later: Vec<LegRow>,
}

/// How often one rule said no on one route.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReasonRow {
    /// Fixed word: upper case is the gate's code.
    pub reason: &'static str,
    /// Looks.
    pub looks: u64,
    /// Episodes without a set whose last refusal it was.
    pub episodes: u64,
    /// Latest measured value.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<Decimal>,
    /// What it was compared with.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Decimal>,
    /// Measured value furthest from passing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub worst: Option<Decimal>,
    /// The measured value must be at least the limit.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub is_floor: bool,
    /// Unit, where it has one.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub unit: &'static str,
}

/// One route since the last such record; exact, never sampled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RouteRow {
    /// Configured name.
    pub strategy: String,
    /// As in an opportunity; `further routes` for the sum of those without counts of their own.
    pub route: String,
    /// Least net edge the strategy asks for, basis points.
    pub asked_bps: Option<Decimal>,
    /// Best net edge, basis points.
    pub best_bps: Option<Decimal>,
    /// Looks at or above the minimum.
    pub looks: u64,
    /// Episodes that began.
    pub opened: u64,
    /// Episodes that ended.
    pub closed: u64,
    /// Looks that the strategy took.
    pub taken: u64,
    /// Of those: approved by the gate.
    pub approved: u64,
    /// By rule.
    pub reasons: Vec<ReasonRow>,
    /// Lifetimes of ended episodes as `[microseconds, count]`, to two digits.
    pub lifetimes: Vec<[u64; 2]>,
    /// Delays in ns after which the edge was looked for again, how many, and of those found: `[delay, looked, there]`.
    pub probes: Vec<[u64; 3]>,
    /// The same after our own way from tick to acknowledgement.
    pub own: Vec<OwnProbe>,
}

/// Whether edges are there after our own way from tick to acknowledgement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct OwnProbe {
    /// p50, p99.
    pub what: &'static str,
    /// How long it was, ns.
    pub delay_ns: u64,
    /// How often the edge was looked for.
    pub looked: u64,
    /// How often it was there.
    pub there: u64,
}

/// How often the looks of one strategy ended so since the last such record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LookRow {
    /// Configured name.
    pub strategy: String,
    /// taken, `below_threshold`, `stale_book`, ...
    pub outcome: &'static str,
    /// How many.
    pub count: u64,
}

/// The parts of one set's result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AttributionRecord {
    /// Number of the set.
    pub set: u64,
    /// Configured name.
    pub strategy: String,
    /// Asset of all amounts.
    pub asset: String,
    /// Edge at the decision prices, before fees.
    pub signal: Decimal,
    /// Moves of the touch between decision and sending.
    pub decay: Decimal,
    /// Prices of the legs' orders against the touch when they were sent.
    pub slippage: Decimal,
    /// Prices of repairs against the decision prices.
    pub hedge: Decimal,
    /// Fees, negative when paid.
    pub fees: Decimal,
    /// The sum.
    pub net: Decimal,
    /// What is left of other assets at the prices of the decision, part of the above.
    pub residual: Decimal,
    /// Executions.
    pub fills: u32,
    /// The touch at sending was known for every leg.
    pub has_decay: bool,
}
