//! The gateway machine: one venue's order entry and account stream, without IO.
//!
//! A shell performs its [`Action`]s and brings back frames, HTTP answers, closed connections and time. Contract:
//!
//! - call [`Gateway::start`] once, [`Gateway::on_timer`] about every 100 ms;
//! - after `Action::Open` connect and call [`Gateway::on_open`]; after `Action::Reconnect` wait its delay, connect to the
//!   channel's last target and call [`Gateway::on_open`]; a failed attempt is [`Gateway::on_closed`] too;
//! - frames of a replaced connection must not be given any more once the new one is open;
//! - an HTTP request that got no answer is [`Gateway::on_http`] with status 0;
//! - [`ReportKind::Written`] is the shell's to report (see [`Gateway::written`]): only it knows when the socket took the bytes.
//!
//! It promises: every placement ends in at least one of Rejected, Acked, Unknown; every execution is reported once; `Done`
//! comes after the executions it counts, as far as the venue delivers them; a time-out is `Unknown`, never a reject.

use rust_decimal::Decimal;

use crate::market::{InstrumentId, VenueId};
use crate::trade::{
    ClientOrderId, MarginFacts, OrderReport, PaymentId, ReportKind, Ticket, VenueFacts,
};
use crate::units::{Asset, Grid, MonoNanos, Nanos, Ppm, Price, Qty, Side, UnixNanos};

use super::binance::{Flavour, Machine};
use super::rules::VenueLimits;
use super::secret::Credentials;
use super::{Action, Channel, Dialect, RequestId};

/// An instrument a gateway trades.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GatewayInstrument {
    /// Its index.
    pub id: InstrumentId,
    /// The venue's own name, e.g. `BTCUSDT`.
    pub native: String,
    /// How its numbers are written.
    pub grid: Grid,
}

/// Settings of a gateway.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GatewayOptions {
    /// An unanswered request is Unknown after this.
    pub response_timeout: Nanos,
    /// The venue refuses a request older than this when it arrives; an order that was not confirmed by then and by the
    /// response time-out can no longer be placed. At most 60 s.
    pub recv_window: Nanos,
    /// Connections are replaced after this, before the venue's own cut at 24 h.
    pub rotate_after: Nanos,
    /// Log the session on when the key kind allows it, so that orders need no signature.
    pub session_logon: bool,
    /// Share of the request weight that new placements and queries leave for cancels and forced closes.
    pub weight_reserve: Ppm,
    /// Questions a measurement of the venue's clock: the shortest round trip counts.
    pub clock_samples: u8,
    /// Seed of the reconnect jitter.
    pub seed: u64,
    /// The venue cancels our orders when it did not hear from us for so long, where the dialect has that.
    pub dead_man: Option<DeadManTerms>,
}

/// When the venue's dead-man switch fires, and how often it is put off (RISK.md PT-45).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DeadManTerms {
    /// It fires this long after the last refresh.
    pub window: Nanos,
    /// Time between two refreshes.
    pub refresh: Nanos,
}

impl Default for DeadManTerms {
    fn default() -> Self {
        Self {
            window: Nanos::from_secs(60),
            refresh: Nanos::from_secs(15),
        }
    }
}

impl Default for GatewayOptions {
    fn default() -> Self {
        Self {
            response_timeout: Nanos::from_secs(3),
            recv_window: Nanos::from_secs(5),
            rotate_after: Nanos::from_secs(23 * 3_600),
            session_logon: true,
            weight_reserve: Ppm(200_000),
            clock_samples: 5,
            seed: 0,
            dead_man: None,
        }
    }
}

/// What can be asked of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccountQuery {
    /// All balances.
    Balances,
    /// All positions (derivatives; on spot it is answered at once, empty).
    Positions,
    /// Open orders of all traded instruments.
    OpenOrders,
    /// Own executions in one instrument since an instant; they arrive as `Filled` reports, each once a session.
    Trades {
        /// Of which.
        instrument: InstrumentId,
        /// Venue time.
        since: UnixNanos,
    },
    /// The same for a new session that recovers: each execution names the order of ours that it belongs to, whichever
    /// session sent it.
    History {
        /// Of which.
        instrument: InstrumentId,
        /// First trade id wanted; zero to ask by time.
        from_id: u64,
        /// Venue time; used when `from_id` is zero.
        since: UnixNanos,
    },
}

/// What the venue says of the account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AccountEvent {
    /// Order entry and the account stream are live. Comes after every (re)connection: reconcile now.
    Ready,
    /// Order entry or the account stream is down: placements are refused until `Ready`.
    NotReady,
    /// A balance as it now stands. On derivatives `free` is the wallet balance and `locked` zero.
    Balance {
        /// Of which asset.
        asset: Asset,
        /// Available.
        free: Decimal,
        /// Held by open orders.
        locked: Decimal,
    },
    /// A deposit, withdrawal, transfer or funding payment changed a balance (a `Balance` follows where the venue sends one).
    BalanceChanged {
        /// Of which asset.
        asset: Asset,
        /// Signed change.
        change: Decimal,
        /// Of a funding payment: its name, and whose it is where the venue says so.
        funding: Option<(PaymentId, Option<InstrumentId>)>,
    },
    /// Margin of a derivatives account as it now stands (part of the answer to [`AccountQuery::Balances`]).
    Margin(MarginFacts),
    /// The venue itself traded in our position: liquidation, auto-deleveraging, settlement (RISK.md AT-34). Comes with each
    /// such execution, again when the venue repeats it.
    VenueClosed {
        /// In which instrument.
        instrument: InstrumentId,
    },
    /// A position as it now stands.
    Position {
        /// Of which instrument.
        instrument: InstrumentId,
        /// Signed quantity.
        qty: Qty,
        /// Average entry price as the venue computes it.
        entry: Decimal,
    },
    /// An open order (answer to [`AccountQuery::OpenOrders`]).
    OpenOrder {
        /// Of which instrument.
        instrument: InstrumentId,
        /// Ours, or `None`.
        client_order_id: Option<ClientOrderId>,
        /// Venue's id.
        venue_order_id: u64,
        /// Side.
        side: Side,
        /// Limit price.
        price: Price,
        /// Whole quantity.
        qty: Qty,
        /// Filled so far.
        filled: Qty,
    },
    /// The answer to a query is complete.
    SnapshotDone(AccountQuery),
    /// Every open order of the instrument was cancelled, or there was none.
    CancelAllDone {
        /// Of which instrument.
        instrument: InstrumentId,
    },
    /// That request failed or its outcome is not known: ask for the open orders.
    CancelAllFailed {
        /// Of which instrument.
        instrument: InstrumentId,
    },
    /// A query failed; ask again later.
    SnapshotFailed(AccountQuery),
    /// The venue's clock less ours, measured.
    ServerTime {
        /// Signed nanoseconds.
        offset_nanos: i64,
        /// How long the question took: the offset is known to half of it.
        round_trip: Nanos,
    },
    /// The key is wrong or lacks a permission: nothing will work until an operator acts. The gateway does not retry.
    Refused {
        /// The venue's code.
        code: i32,
    },
}

/// Where a gateway writes.
#[derive(Debug, Default)]
pub struct GatewayOut {
    /// To be done by the shell, in order.
    pub actions: Vec<Action>,
    /// Of our orders.
    pub reports: Vec<OrderReport>,
    /// Of the account.
    pub account: Vec<AccountEvent>,
}

impl GatewayOut {
    /// Forgets all, keeps the memory.
    pub fn clear(&mut self) {
        self.actions.clear();
        self.reports.clear();
        self.account.clear();
    }
}

/// An answer to `Action::Http`.
#[derive(Debug, Clone, Copy)]
pub struct HttpAnswer<'a> {
    /// To which request.
    pub request: RequestId,
    /// HTTP status; 0 when there was no answer at all.
    pub status: u16,
    /// Headers, names in any case.
    pub headers: &'a [(String, String)],
    /// Body.
    pub body: &'a [u8],
}

/// What a gateway counted. `frames_received` is always the sum of decoded, ignored and malformed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct GatewayCounters {
    /// Frames and HTTP answers taken.
    pub frames_received: u64,
    /// Understood and used.
    pub frames_decoded: u64,
    /// Understood and of no interest.
    pub frames_ignored: u64,
    /// Not understood.
    pub frames_malformed: u64,
    /// Requests handed out.
    pub requests: u64,
    /// Of these, placements.
    pub placements: u64,
    /// Placements refused here (not connected, penalty box, full).
    pub refused_locally: u64,
    /// Requests that got no answer in time.
    pub timeouts: u64,
    /// Answers to no known request.
    pub unmatched: u64,
    /// Executions seen a second time.
    pub duplicate_fills: u64,
    /// Executions of orders that are not ours.
    pub foreign_fills: u64,
    /// Orders that ended with fewer executions delivered than the venue's cumulative quantity says.
    pub fills_missing: u64,
    /// Connections lost or replaced.
    pub reconnects: u64,
    /// Clock measurements made.
    pub clock_syncs: u64,
    /// Answers that said we are too fast (429, 418, -1003, -1015).
    pub rate_limited: u64,
    /// Answers that left the outcome open: 5xx, -1006, -1007, no answer at all.
    pub server_errors: u64,
}

impl GatewayCounters {
    /// Errors that a healthy venue and connection do not make (RISK.md AT-27).
    #[must_use]
    pub const fn unexpected(&self) -> u64 {
        self.frames_malformed
            .saturating_add(self.timeouts)
            .saturating_add(self.server_errors)
    }
}

/// One venue instance's order entry.
#[derive(Debug)]
pub struct Gateway {
    inner: Inner,
}

#[derive(Debug)]
enum Inner {
    Binance(Box<Machine>),
}

impl Gateway {
    /// A gateway that has not started.
    #[must_use]
    pub fn new(
        dialect: Dialect,
        venue: VenueId,
        instruments: Vec<GatewayInstrument>,
        credentials: Credentials,
        options: GatewayOptions,
    ) -> Self {
        let flavour = match dialect {
            Dialect::BinanceSpot => Flavour::Spot,
            Dialect::BinanceUsdm => Flavour::Usdm,
        };
        Self {
            inner: Inner::Binance(Box::new(Machine::new(
                flavour,
                venue,
                instruments,
                credentials,
                options,
            ))),
        }
    }

    /// The connections of a dialect.
    #[must_use]
    pub const fn channels(dialect: Dialect) -> &'static [Channel] {
        match dialect {
            Dialect::BinanceSpot => &[Channel::Orders],
            Dialect::BinanceUsdm => &[Channel::Orders, Channel::Account],
        }
    }

    const fn machine(&mut self) -> &mut Machine {
        match &mut self.inner {
            Inner::Binance(machine) => machine,
        }
    }
    const fn machine_ref(&self) -> &Machine {
        match &self.inner {
            Inner::Binance(machine) => machine,
        }
    }

    /// Opens the connections and measures the venue's clock.
    pub fn start(&mut self, now: MonoNanos, time: UnixNanos, out: &mut GatewayOut) {
        self.machine().start(now, time, out);
    }
    /// A connection is open.
    pub fn on_open(
        &mut self,
        channel: Channel,
        now: MonoNanos,
        time: UnixNanos,
        out: &mut GatewayOut,
    ) {
        self.machine().on_open(channel, now, time, out);
    }
    /// A connection was lost or could not be made: asks for another, reports what is now unknown.
    pub fn on_closed(
        &mut self,
        channel: Channel,
        now: MonoNanos,
        time: UnixNanos,
        out: &mut GatewayOut,
    ) {
        self.machine().on_closed(channel, now, time, out);
    }
    /// A text frame arrived.
    pub fn on_frame(
        &mut self,
        channel: Channel,
        bytes: &[u8],
        now: MonoNanos,
        time: UnixNanos,
        out: &mut GatewayOut,
    ) {
        self.machine().on_frame(channel, bytes, now, time, out);
    }
    /// An HTTP request was answered, or failed.
    pub fn on_http(
        &mut self,
        answer: &HttpAnswer<'_>,
        now: MonoNanos,
        time: UnixNanos,
        out: &mut GatewayOut,
    ) {
        self.machine().on_http(answer, now, time, out);
    }
    /// Time passed: time-outs, keep-alives, rotation, recovery.
    pub fn on_timer(&mut self, now: MonoNanos, time: UnixNanos, out: &mut GatewayOut) {
        self.machine().on_timer(now, time, out);
    }

    /// Encodes one order, or refuses it with a report. Never queues.
    pub fn place(
        &mut self,
        ticket: &Ticket,
        now: MonoNanos,
        time: UnixNanos,
        out: &mut GatewayOut,
    ) {
        self.machine().place(ticket, now, time, out);
    }
    /// Cancels one order. Works over HTTP while the order connection is down.
    pub fn cancel(
        &mut self,
        instrument: InstrumentId,
        order: ClientOrderId,
        now: MonoNanos,
        time: UnixNanos,
        out: &mut GatewayOut,
    ) {
        self.machine().cancel(instrument, order, now, time, out);
    }
    /// Asks for one order's state: answered by Open, Done, NotFound or Unknown. Works over HTTP while the order
    /// connection is down.
    pub fn query(
        &mut self,
        instrument: InstrumentId,
        order: ClientOrderId,
        now: MonoNanos,
        time: UnixNanos,
        out: &mut GatewayOut,
    ) {
        self.machine().query(instrument, order, now, time, out);
    }
    /// Cancels every open order of one instrument, ours or not.
    pub fn cancel_all(
        &mut self,
        instrument: InstrumentId,
        now: MonoNanos,
        time: UnixNanos,
        out: &mut GatewayOut,
    ) {
        self.machine().cancel_all(instrument, now, time, out);
    }
    /// Asks for part of the account: answered by events and `SnapshotDone` or `SnapshotFailed`.
    pub fn request_account(
        &mut self,
        query: AccountQuery,
        now: MonoNanos,
        time: UnixNanos,
        out: &mut GatewayOut,
    ) {
        self.machine().request_account(query, now, time, out);
    }

    /// The venue's limits, from its exchange information.
    pub fn set_limits(&mut self, limits: &VenueLimits) {
        self.machine().set_limits(limits);
    }

    /// The report of an order handed to the socket, for the shell to send.
    #[must_use]
    pub fn written(&self, ticket: &Ticket, written_at: MonoNanos) -> OrderReport {
        OrderReport {
            venue: self.machine_ref().venue(),
            instrument: ticket.instrument,
            client_order_id: Some(ticket.client_order_id),
            kind: ReportKind::Written,
            venue_time: UnixNanos(0),
            received_at: written_at,
        }
    }
    /// Switches the venue's dead-man switch off for good: for a stop in order.
    pub fn disarm(&mut self, now: MonoNanos, time: UnixNanos, out: &mut GatewayOut) {
        self.machine().disarm(now, time, out);
    }
    /// Order entry and the account stream are live.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.machine_ref().is_ready()
    }
    /// The API key's name, for the header of `Action::Http { with_key: true, .. }`.
    #[must_use]
    pub fn api_key(&self) -> &str {
        self.machine_ref().api_key()
    }
    /// Header that carries the key's name.
    #[must_use]
    pub const fn api_key_header(&self) -> &'static str {
        "X-MBX-APIKEY"
    }
    /// Share of the request weight still free in the running window.
    #[must_use]
    pub fn weight_remaining(&self) -> Ppm {
        self.machine_ref().weight_remaining()
    }
    /// What it knows of its venue's connection; balances and answers of the account are the account's to add.
    #[must_use]
    pub fn facts(&self, now: MonoNanos) -> VenueFacts {
        self.machine_ref().facts(now)
    }
    /// What was counted.
    #[must_use]
    pub fn counters(&self) -> &GatewayCounters {
        self.machine_ref().counters()
    }
}
