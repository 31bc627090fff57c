//! One picture of the whole engine, made once a second: what the metrics, `/status` and the page are all drawn from.
//!
//! Plain data: the seats fill it, nobody reads live state. Amounts are exact decimals, absent where they are not known
//! (an unpriced position has no profit, not a profit of zero). Labels are fixed words or configured names.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::Serialize;

use super::counters::Counts;
use super::latency::StageLatency;
use super::limit_status::LimitStatus;

/// Whether the engine takes new risk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum TradingState {
    /// Not yet connected or reconciled.
    #[default]
    Starting,
    /// Orders are checked and pass.
    Active,
    /// Only reducing orders.
    ReduceOnly,
    /// No orders.
    Halted,
}

impl TradingState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Starting, Self::Active, Self::ReduceOnly, Self::Halted];
    /// Fixed short word.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Active => "active",
            Self::ReduceOnly => "reduce_only",
            Self::Halted => "halted",
        }
    }
}

/// The engine at one instant.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct EngineSnapshot {
    /// When it was made, ns since 1970.
    pub time_ns: i64,
    /// Since the engine started, ms.
    pub uptime_ms: u64,
    /// What is running.
    pub build: BuildInfo,
    /// True when no real order can leave.
    pub paper: bool,
    /// Currency of every amount without an asset of its own.
    pub reporting_currency: String,
    /// Seed of the simulated market; none on real or recorded input.
    pub seed: Option<u64>,
    /// Whether new risk is taken.
    pub state: TradingState,
    /// Kill level by scope: `portfolio`, or a venue, symbol or strategy that is not at level 0.
    pub kill_levels: Vec<KillScope>,
    /// Gross absolute exposure over all symbols; absent when a position has no price.
    pub total_exposure: Option<Decimal>,
    /// Over all venues, one entry a configured symbol, closed positions included.
    pub symbols: Vec<SymbolStatus>,
    /// One entry a venue and symbol.
    pub instruments: Vec<InstrumentStatus>,
    /// One entry a venue instance.
    pub venues: Vec<VenueStatus>,
    /// One entry a strategy.
    pub strategies: Vec<StrategyStatus>,
    /// Limits and what they stopped.
    pub risk: RiskStatus,
    /// Rings and mailboxes.
    pub queues: Vec<QueueStatus>,
    /// Last beat of each seat, ns since 1970.
    pub heartbeats: BTreeMap<&'static str, i64>,
    /// The journal.
    pub journal: JournalStatus,
    /// What the start found and did.
    pub recovery: RecoveryStatus,
    /// The database; absent when none is configured.
    pub store: Option<StoreStatus>,
    /// Receivers of alerts outside.
    pub alert_sinks: Vec<AlertSinkStatus>,
    /// Sums over everything, as `--json` prints them.
    pub totals: Totals,
    /// By stage name; the hub fills it.
    pub latency: BTreeMap<&'static str, StageLatency>,
    /// Requests of the control API by result; the hub fills it.
    pub control: Counts,
    /// Refusals of the control API that waited before their answer; the hub fills it.
    pub control_delayed: u64,
    /// Refusals whose connection was closed without the answer; the hub fills it.
    pub control_crowded: u64,
}

/// What the start found in the journal and at the venues, and what followed.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RecoveryStatus {
    /// What was done with what an earlier session left: adopt, flatten, refuse.
    pub policy: &'static str,
    /// Session number of this start, in every client order id.
    pub epoch_secs: u32,
    /// Sessions in the journal before this one.
    pub sessions: u64,
    /// The last one wrote that it stopped.
    pub stopped_in_order: bool,
    /// Two comparisons in a row agreed.
    pub matched: bool,
    /// Comparisons made.
    pub rounds: u64,
    /// Executions read from the journal.
    pub fills_known: u64,
    /// Executions that only the venues knew: booked now.
    pub fills_found: u64,
    /// Our open orders of earlier sessions: cancelled.
    pub orders_cancelled: u64,
    /// Open orders that are not ours: left.
    pub orders_foreign: u64,
    /// Every comparison.
    pub rows: Vec<RecoveryRow>,
    /// What a person should know, in words.
    pub remarks: Vec<String>,
}

/// One comparison of the start.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RecoveryRow {
    /// Venue and symbol, or venue and asset.
    pub what: String,
    /// By baseline and executions.
    pub ours: Decimal,
    /// By the venue.
    pub venue: Decimal,
    /// equal, adjusted, held, differs.
    pub verdict: &'static str,
}

/// Which program with which configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct BuildInfo {
    /// Package version.
    pub version: &'static str,
    /// Source revision, or `unknown`.
    pub revision: &'static str,
    /// Compiler version, or `unknown`.
    pub rustc: &'static str,
    /// SHA-256 of the configuration, hex.
    pub config_hash: String,
    /// SHA-256 of the limits in force, hex.
    pub limits_hash: String,
}

/// One raised or watched scope.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct KillScope {
    /// `portfolio`, `venue:spot_a`, `symbol:BTC/USDT`, `strategy:btc`.
    pub scope: String,
    /// 0 to 4.
    pub level: u8,
    /// The level's word.
    pub name: &'static str,
}

/// One symbol over all venues.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct SymbolStatus {
    /// Unified symbol.
    pub symbol: String,
    /// Net position in base units; zero when closed.
    pub position_quantity: Decimal,
    /// At mid; absent when a position is open and cannot be priced.
    pub unrealized_pnl: Option<Decimal>,
    /// Gross absolute exposure; absent when it cannot be priced.
    pub exposure: Option<Decimal>,
}

/// One symbol at one venue.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct InstrumentStatus {
    /// Venue instance.
    pub venue: String,
    /// Unified symbol.
    pub symbol: String,
    /// Signed position in base units.
    pub quantity: Decimal,
    /// Of the open position; absent when flat.
    pub average_price: Option<Decimal>,
    /// After quote fees.
    pub realized_pnl: Decimal,
    /// At mid; absent when a position is open and cannot be priced.
    pub unrealized_pnl: Option<Decimal>,
    /// Largest worst-case position allowed.
    pub position_limit: Option<Decimal>,
    /// Best bid.
    pub bid: Option<Decimal>,
    /// Best ask.
    pub ask: Option<Decimal>,
    /// Book trust: building, trusted, suspect, bad.
    pub trust: &'static str,
    /// Why it is not trusted.
    pub trust_cause: Option<&'static str>,
    /// Since the book last changed, ms; absent before the first update.
    pub book_age_ms: Option<u64>,
    /// Receive time of the last applied update, ns since 1970; absent before the first.
    pub book_update_time_ns: Option<i64>,
    /// 0 to 4.
    pub kill_level: u8,
    /// Sum of price times quantity of our fills, in the reporting currency.
    pub traded_notional: Decimal,
}

/// One venue instance.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct VenueStatus {
    /// Its id.
    pub venue: String,
    /// What it speaks.
    pub dialect: &'static str,
    /// One entry a connection.
    pub channels: Vec<ChannelStatus>,
    /// Sequence gaps by cause.
    pub book_gaps: Counts,
    /// Rebuilds by cause.
    pub book_resyncs: Counts,
    /// Crossed books seen.
    pub book_crossed: u64,
    /// Venue less local clock, ns; absent before the first estimate.
    pub clock_offset_ns: Option<i64>,
    /// Orders that ended, by side, type and final result.
    pub orders: Vec<OrderCount>,
    /// Venue rejections by class.
    pub rejects: Counts,
    /// Fills by side and liquidity.
    pub fills: Vec<FillCount>,
    /// Live orders.
    pub open_orders: u64,
    /// Orders whose state at the venue is not known.
    pub unknown_orders: u64,
    /// Trading fees paid, in the reporting currency.
    pub fees_paid: Decimal,
    /// Maker rebates received, in the reporting currency, at least 0.
    pub rebates_received: Decimal,
}

/// One connection.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct ChannelStatus {
    /// `market`, `market_2`, `orders`, `account`.
    pub channel: &'static str,
    /// Up and subscribed.
    pub connected: bool,
    /// Frames in.
    pub messages_received: u64,
    /// Bytes in.
    pub received_bytes: u64,
    /// Frames that could not be decoded.
    pub decode_errors: u64,
    /// By cause.
    pub reconnects: Counts,
}

/// Orders of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct OrderCount {
    /// buy, sell.
    pub side: &'static str,
    /// `ioc_limit`, `limit`, `post_only`.
    pub r#type: &'static str,
    /// filled, partly, cancelled, rejected, unknown.
    pub result: &'static str,
    /// How many.
    pub count: u64,
}

/// Fills of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct FillCount {
    /// buy, sell.
    pub side: &'static str,
    /// maker, taker.
    pub liquidity: &'static str,
    /// How many.
    pub count: u64,
}

/// One strategy.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StrategyStatus {
    /// Its configured id.
    pub strategy: String,
    /// Its kind.
    pub kind: &'static str,
    /// 0 to 4.
    pub kill_level: u8,
    /// taken, `below_threshold`, `no_size`, `stale_book`, `risk_rejected`.
    pub opportunities: Counts,
    /// By refusal code.
    pub rejections: Counts,
    /// opened, hedged, broken, and how broken ones ended.
    pub sets: Counts,
    /// Sets open now.
    pub open_sets: u64,
    /// Best net edge now by symbol, in basis points.
    pub best_edge_bps: BTreeMap<String, Decimal>,
    /// After fees.
    pub realized_pnl: Decimal,
}

/// Limits and what they stopped.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RiskStatus {
    /// Every configured limit.
    pub limits: Vec<LimitStatus>,
    /// Pre-trade checks that passed.
    pub checks_passed: u64,
    /// Pre-trade checks that refused.
    pub checks_rejected: u64,
    /// Forced closes by cause and result.
    pub force_closes: Vec<CloseCount>,
    /// Open positions without a usable price.
    pub unpriced_positions: u64,
    /// Latest first, a bounded number.
    pub alerts: Vec<AlertLine>,
    /// Equity, drawdown, value at risk, margin.
    pub figures: RiskFigures,
}

/// What the risk officer reads first, in the reporting currency; absent when it cannot be told, never zero instead.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct RiskFigures {
    /// Realized and unrealized profit since the start, after fees.
    pub pnl: Option<Decimal>,
    /// Equity by venue.
    pub venue_equity: Vec<(String, Option<Decimal>)>,
    /// Value of one unit; 1 when the session began.
    pub nav: Option<Decimal>,
    /// Its highest value.
    pub high_water_mark: Option<Decimal>,
    /// Fall from it now, as a ratio.
    pub drawdown: Option<Decimal>,
    /// Largest fall in this session, as a ratio.
    pub max_drawdown: Option<Decimal>,
    /// Value at risk, 99 % over a day.
    pub var99: Option<Decimal>,
    /// Expected shortfall, 97.5 % over a day.
    pub es975: Option<Decimal>,
    /// Initial margin over equity of the account nearest to its limit.
    pub margin_usage: Option<Decimal>,
    /// Maintenance margin over equity, the same.
    pub maint_margin: Option<Decimal>,
    /// Value of what sets have open on one side only.
    pub unhedged_delta: Option<Decimal>,
    /// Net value by base asset.
    pub net_delta: Vec<(String, Option<Decimal>)>,
}

/// Forced closes of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct CloseCount {
    /// Which control.
    pub cause: &'static str,
    /// working, done, dust, handover.
    pub result: &'static str,
    /// How many.
    pub count: u64,
}

/// One alert.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AlertLine {
    /// Ns since 1970.
    pub time_ns: i64,
    /// critical, warning, info.
    pub severity: &'static str,
    /// For people.
    pub text: String,
}

/// One ring or mailbox.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct QueueStatus {
    /// Its name.
    pub queue: String,
    /// Elements waiting.
    pub depth: u64,
    /// Most elements.
    pub capacity: u64,
    /// Dropped or conflated so far.
    pub dropped: u64,
}

/// The journal.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct JournalStatus {
    /// Records not yet on disk.
    pub pending: u64,
    /// Records on disk.
    pub committed: u64,
    /// Age of the oldest record that is not on disk, ns.
    pub lag_ns: u64,
    /// Records that were given up.
    pub refused: u64,
    /// A write failed: nothing is recorded any more.
    pub failed: bool,
    /// Free bytes on its disk; absent when the system does not say.
    pub disk_free_bytes: Option<u64>,
}

/// One receiver of alerts outside.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AlertSinkStatus {
    /// Its configured name.
    pub sink: String,
    /// Alerts it took.
    pub sent: u64,
    /// Attempts that failed.
    pub failed: u64,
    /// Alerts dropped: no room, refused, or given up.
    pub dropped: u64,
    /// Alerts not sent yet.
    pub waiting: u64,
}

/// The database that is filled from the journal.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct StoreStatus {
    /// The last attempt succeeded.
    pub is_up: bool,
    /// Journal records on disk that it does not have.
    pub lag_records: u64,
    /// Age of the oldest of them, ns.
    pub lag_ns: u64,
    /// Rows written in this session.
    pub rows: u64,
    /// Failures in this session.
    pub errors: u64,
    /// The last failure; empty when there was none.
    pub last_error: String,
}

/// Sums over venues and strategies.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Frames in: the sum of the next three.
    pub frames_received: u64,
    /// Became events.
    pub frames_decoded: u64,
    /// Understood and of no use.
    pub frames_ignored: u64,
    /// Not understood.
    pub frames_malformed: u64,
    /// Sequence gaps.
    pub book_gaps: u64,
    /// Edges seen above the threshold.
    pub opportunities: u64,
    /// Sets sent.
    pub sets_opened: u64,
    /// Sets that ended with all legs filled.
    pub sets_hedged: u64,
    /// Sets that needed a repair.
    pub sets_broken: u64,
    /// Orders handed to a socket.
    pub orders_sent: u64,
    /// Orders a venue refused.
    pub orders_rejected: u64,
    /// Executions.
    pub fills: u64,
    /// After quote fees.
    pub realized_pnl: Decimal,
    /// At mid; absent when an open position cannot be priced.
    pub unrealized_pnl: Option<Decimal>,
    /// Fees paid less rebates.
    pub fees: Decimal,
}
