//! What seats observe and the monitor judges: facts of venues, orders, feeds, journal and process. Values only.
//!
//! One way in: whoever learns something tells the risk seat a [`Fact`]; the monitor alone decides what follows. Counters are
//! cumulative since the session began, so that a lost message loses nothing.

use rust_decimal::Decimal;

use crate::market::{InstrumentId, VenueId};
use crate::units::{Asset, MonoNanos, Nanos, Ppm, UnixNanos};

use super::{Fill, SetId, StrategyId};

/// One observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// One venue's account and connection.
    Venue(Box<VenueFacts>),
    /// Our orders in one instrument.
    Orders(OrderFacts),
    /// One market data connection.
    Feed(FeedFacts),
    /// The journal.
    Journal(JournalFacts),
    /// A set ended.
    SetEnded(SetFacts),
    /// A set was unhedged: more than its budget allows, or at its end in any case.
    LegRisk(LegRiskFacts),
    /// An execution was booked (ours or foreign), once.
    Filled(Box<FillFacts>),
    /// The hot path over the last seconds.
    Latency(LatencyFacts),
    /// A seat is alive.
    Beat(Seat),
    /// Prometheus scraped us.
    Scraped,
    /// An operator acknowledged the open critical alerts.
    Acknowledged,
    /// Funding was paid (negative: received) in the settlement asset.
    Funding {
        /// Where.
        venue: VenueId,
        /// In which asset.
        asset: Asset,
        /// Of which position; `None` when the venue did not say and several are open.
        instrument: Option<InstrumentId>,
        /// Positive when we paid.
        paid: Decimal,
        /// The venue's own words for it.
        id: PaymentId,
    },
    /// The venue closed a position itself: liquidation, auto-deleveraging, settlement (AT-34).
    VenueClosed {
        /// Of which instrument.
        instrument: InstrumentId,
    },
    /// What time it is on the wall, for days in UTC.
    Time(UnixNanos),
    /// Something is announced for an instrument: funding or settlement (PT-51).
    NextEvent {
        /// Of which.
        instrument: InstrumentId,
        /// When, on our clock.
        at: MonoNanos,
    },
    /// Money came in (positive) or went out from outside: it must not look like profit or loss.
    Flow {
        /// Where.
        venue: VenueId,
        /// What.
        asset: Asset,
        /// Signed amount.
        amount: Decimal,
    },
}

/// How a venue tells two funding payments of one asset apart: several positions pay at one instant, but each payment leaves
/// another balance. The same words again are the same payment, told again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct PaymentId {
    /// When the venue booked it, by its own clock.
    pub time: UnixNanos,
    /// The balance after it; `None` in journals of versions that did not write it.
    pub balance: Option<Decimal>,
}

/// Free and locked amounts of one asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Balance {
    /// Available for orders.
    pub free: Decimal,
    /// Locked by resting orders.
    pub locked: Decimal,
}

/// Margin of a derivatives account, in its settlement asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct MarginFacts {
    /// Wallet balance plus unrealized profit.
    pub equity: Decimal,
    /// Initial margin in use, orders included.
    pub initial: Decimal,
    /// Maintenance margin.
    pub maintenance: Decimal,
}

/// The venue's own dead-man switch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeadMan {
    /// The dialect has none.
    #[default]
    Unsupported,
    /// Not confirmed armed.
    Off,
    /// Confirmed armed.
    Armed {
        /// When the venue last confirmed it.
        refreshed_at: MonoNanos,
        /// It fires this long after the last refresh.
        window: Nanos,
    },
}

/// One venue's account and connection, as the account seat and the gateway know them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VenueFacts {
    /// Which venue.
    pub venue: VenueId,
    /// Order entry and private stream are live (PT-43).
    pub ready: bool,
    /// When the oldest of its connections was opened (PT-43).
    pub session_started_at: Option<MonoNanos>,
    /// When balances, positions and open orders last agreed with ours (PT-46).
    pub reconciled_at: Option<MonoNanos>,
    /// 429 or 418: nothing may be sent before (PT-36).
    pub banned_until: Option<MonoNanos>,
    /// Share of the request budget that is used (PT-35).
    pub weight_used: Ppm,
    /// The venue's clock less ours (PT-44); `None` when it was not measured.
    pub clock_offset_ns: Option<i64>,
    /// When a step of our own clock was last seen (PT-44).
    pub clock_stepped_at: Option<MonoNanos>,
    /// The dead-man switch (PT-45, AT-30).
    pub dead_man: DeadMan,
    /// When the instrument rules were loaded (PT-02).
    pub rules_loaded_at: Option<MonoNanos>,
    /// Announced maintenance begins (PT-51).
    pub maintenance_at: Option<MonoNanos>,
    /// Unexpected errors so far: parse, protocol, 5xx, time-outs (AT-27).
    pub errors: u64,
    /// Balances, in order of the asset.
    pub balances: Vec<(Asset, Balance)>,
    /// Margin; `None` for spot accounts and where the venue did not tell.
    pub margin: Option<MarginFacts>,
    /// Open orders in the traded instruments at the last answer, ours or not.
    pub open_orders: Option<u32>,
    /// When the questions of the last complete round of answers (balances, positions, open orders) were sent.
    pub snapshot_at: Option<MonoNanos>,
}

impl VenueFacts {
    /// A venue of which nothing is known yet: nothing that increases risk may go there.
    #[must_use]
    pub const fn unheard(venue: VenueId) -> Self {
        Self {
            venue,
            ready: false,
            session_started_at: None,
            reconciled_at: None,
            banned_until: None,
            weight_used: Ppm(0),
            clock_offset_ns: None,
            clock_stepped_at: None,
            dead_man: DeadMan::Unsupported,
            rules_loaded_at: None,
            maintenance_at: None,
            errors: 0,
            balances: Vec::new(),
            margin: None,
            open_orders: None,
            snapshot_at: None,
        }
    }
}

/// Our orders in one instrument, forced closes included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderFacts {
    /// In which instrument.
    pub instrument: InstrumentId,
    /// Live, in flight or unknown.
    pub open: u32,
    /// Outcome not known (PT-39).
    pub unknown: u32,
    /// Sent and not acknowledged (PT-40).
    pub inflight: u32,
    /// When the oldest of these was sent (AT-19).
    pub inflight_since: Option<MonoNanos>,
    /// When the oldest cancel without an answer was sent (AT-19).
    pub cancel_since: Option<MonoNanos>,
    /// When the oldest immediate order without an end was sent (AT-19).
    pub immediate_since: Option<MonoNanos>,
    /// Orders submitted so far.
    pub submitted: u64,
    /// Of these refused by the venue.
    pub rejected: u64,
    /// Refused in a row, up to now (AT-20).
    pub rejected_run: u32,
    /// Of these filled at least in part.
    pub executed: u64,
}

/// One market data connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedFacts {
    /// Of which venue.
    pub venue: VenueId,
    /// Which of its connections.
    pub lane: u8,
    /// Gaps and checksum failures so far (AT-18).
    pub faults: u64,
    /// Last message of any kind (AT-17).
    pub message_at: Option<MonoNanos>,
    /// Last ping, pong or message: the connection's own heartbeat (AT-17).
    pub heartbeat_at: Option<MonoNanos>,
    /// Events lost because its ring was full.
    pub lost: u64,
}

/// The journal and its disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct JournalFacts {
    /// Age of the oldest record that is not on disk (PT-47).
    pub lag: Nanos,
    /// A write failed: nothing is recorded any more.
    pub failed: bool,
    /// Free bytes on its disk; `None` when it cannot be told.
    pub disk_free_bytes: Option<u64>,
}

/// A set at its end, fees and funding included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SetFacts {
    /// Which.
    pub set: SetId,
    /// Whose.
    pub strategy: StrategyId,
    /// Profit after fees in the quote asset; `None` when it cannot be told.
    pub realized: Option<Decimal>,
    /// Profit that was expected at the decision.
    pub expected: Option<Decimal>,
    /// It broke at least once.
    pub broken: bool,
    /// It is left uneven.
    pub held: bool,
}

/// How much of a set was unhedged for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LegRiskFacts {
    /// Which.
    pub set: SetId,
    /// Whose.
    pub strategy: StrategyId,
    /// Unhedged value times time so far, in the set's quote asset times seconds.
    pub quote_seconds: Decimal,
    /// What one set of the strategy may have; `None`: no bound.
    pub quote_seconds_max: Option<Decimal>,
    /// The set is over.
    pub ended: bool,
}

/// An execution as it was booked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FillFacts {
    /// The execution.
    pub fill: Fill,
    /// The price that the decision was made with; `None` when foreign.
    pub decision_price: Option<crate::units::Price>,
}

/// The hot path over the last ten seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct LatencyFacts {
    /// Tick to decision, 99th percentile (AT-28).
    pub tick_to_decision_p99: Nanos,
    /// Fullest ring, share of its capacity (AT-28).
    pub ring_used: Ppm,
}

/// Who beats (AT-29).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Seat {
    /// The signal thread.
    Signal,
    /// Execution.
    Execution,
    /// Positions.
    Position,
    /// Accounts.
    Account,
    /// One venue's gateway.
    Gateway(VenueId),
}
