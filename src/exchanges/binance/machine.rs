//! The gateway machine of both Binance dialects: its state and small helpers. What it does lives in `requests` (out),
//! `answers` (in), `updates` (orders) and `lifecycle` (connections and time).

use std::collections::BTreeMap;

use crate::exchanges::gateway::{
    AccountEvent, AccountQuery, GatewayCounters, GatewayInstrument, GatewayOptions, GatewayOut,
};
use crate::exchanges::pending::PendingTable;
use crate::exchanges::rules::VenueLimits;
use crate::exchanges::secret::Credentials;
use crate::exchanges::tracker::Tracker;
use crate::exchanges::weights::Budget;
use crate::market::{InstrumentId, VenueId};
use crate::prng::Prng;
use crate::trade::{ClientOrderId, OrderReport, ReportKind, VenueFacts};
use crate::units::{MonoNanos, Nanos, Ppm, UnixNanos};

use super::clock::VenueClock;
use super::dead_man::Switches;
use super::line::Line;
use super::order::Instruments;
use super::params::Params;

/// Which dialect.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Flavour {
    /// Binance Spot.
    Spot,
    /// Binance USD-M.
    Usdm,
}

/// Now on both clocks.
#[derive(Debug, Clone, Copy)]
pub(super) struct At {
    pub(super) now: MonoNanos,
    pub(super) time: UnixNanos,
}

/// Kind of a request: how it is encoded and what its answer means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum RequestKind {
    /// Place one order.
    Place,
    /// Cancel one order.
    Cancel,
    /// Ask for one order.
    Query,
    /// Cancel all of one instrument.
    CancelAll,
    /// All open orders.
    OpenOrders,
    /// All balances.
    Balances,
    /// All positions.
    Positions,
    /// Own trades of one instrument.
    Trades,
    /// All orders of one instrument from a venue id on.
    Orders,
    /// Arm, refresh or switch off the dead-man switch of one instrument.
    Countdown,
    /// Log the session on.
    Logon,
    /// Subscribe to the account stream (spot).
    Subscribe,
    /// Ask for the time.
    Time,
    /// Make an account-stream key (USD-M).
    ListenKey,
    /// Keep it alive.
    ListenKeyKeep,
}

/// Why own trades are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TradesFor {
    /// The owner asked.
    Owner,
    /// Executions of one order are missing.
    Order,
    /// The account stream was interrupted.
    Recovery,
    /// The owner asked, and wants to know whose they are.
    History,
}

/// A request in flight.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    pub(super) kind: RequestKind,
    pub(super) instrument: InstrumentId,
    pub(super) order: Option<ClientOrderId>,
    /// For trades: since when, and why.
    pub(super) since: UnixNanos,
    pub(super) trades_for: TradesFor,
    /// First trade id of this page; 0 for the first page.
    pub(super) from_id: i64,
    /// First trade id of a whole history; 0 when it is asked for by time.
    pub(super) first_id: u64,
    /// First venue order id that is asked for.
    pub(super) order_from: u64,
    /// Dead-man switch: the window that is asked for, 0 to switch it off.
    pub(super) window: Nanos,
    pub(super) over_http: bool,
    /// It was sent again after a clock measurement.
    pub(super) retried: bool,
    /// Wall time of sending.
    pub(super) sent_time: UnixNanos,
}

impl Asked {
    pub(super) const fn new(kind: RequestKind) -> Self {
        Self {
            kind,
            instrument: InstrumentId(0),
            order: None,
            since: UnixNanos(0),
            trades_for: TradesFor::Owner,
            from_id: 0,
            first_id: 0,
            order_from: 0,
            window: Nanos::ZERO,
            over_http: false,
            retried: false,
            sent_time: UnixNanos(0),
        }
    }
    /// The account query this request belongs to, if it is one.
    pub(super) const fn account_query(&self) -> Option<AccountQuery> {
        match self.kind {
            RequestKind::Balances => Some(AccountQuery::Balances),
            RequestKind::Positions => Some(AccountQuery::Positions),
            RequestKind::OpenOrders => Some(AccountQuery::OpenOrders),
            RequestKind::Trades if matches!(self.trades_for, TradesFor::Owner) => {
                Some(AccountQuery::Trades {
                    instrument: self.instrument,
                    since: self.since,
                })
            }
            RequestKind::Trades | RequestKind::Orders
                if matches!(self.trades_for, TradesFor::History) =>
            {
                Some(AccountQuery::History {
                    instrument: self.instrument,
                    from_id: self.first_id,
                    since: self.since,
                })
            }
            RequestKind::Trades
            | RequestKind::Orders
            | RequestKind::Countdown
            | RequestKind::Place
            | RequestKind::Cancel
            | RequestKind::Query
            | RequestKind::CancelAll
            | RequestKind::Logon
            | RequestKind::Subscribe
            | RequestKind::Time
            | RequestKind::ListenKey
            | RequestKind::ListenKeyKeep => None,
        }
    }
}

/// Where the order session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Session {
    /// Not logged on: every request is signed.
    Signing,
    /// Asked to log on.
    LoggingOn,
    /// Logged on: requests need no signature.
    LoggedOn,
}

/// Trades to be fetched after an interruption, an instrument.
#[derive(Debug, Clone, Copy)]
pub(super) struct Recovery {
    pub(super) instrument: InstrumentId,
    pub(super) since: UnixNanos,
    pub(super) not_before: MonoNanos,
}

/// The machine.
pub(crate) struct Machine {
    pub(super) flavour: Flavour,
    pub(super) venue: VenueId,
    pub(super) instruments: Instruments,
    pub(super) credentials: Credentials,
    pub(super) options: GatewayOptions,
    pub(super) counters: GatewayCounters,
    pub(super) params: Params,
    pub(super) pending: PendingTable<Asked>,
    pub(super) tracker: Tracker,
    pub(super) budget: Budget,
    /// Venue clock less ours.
    pub(super) clock: VenueClock,
    pub(super) clock_due_at: MonoNanos,
    /// Requests that wait for a clock measurement.
    pub(super) waiting_for_clock: Vec<Asked>,
    pub(super) orders: Line,
    pub(super) session: Session,
    pub(super) account: Line,
    /// The account stream delivers.
    pub(super) stream_live: bool,
    pub(super) was_ready: bool,
    pub(super) listen_key: Option<String>,
    /// When to make (without a key) or extend (with one) the account-stream key.
    pub(super) listen_key_due_at: MonoNanos,
    /// The connection is to be replaced, at the latest then.
    pub(super) rotate_orders: Option<MonoNanos>,
    pub(super) rotate_account: Option<MonoNanos>,
    pub(super) recoveries: Vec<Recovery>,
    /// When the stream was interrupted, the venue's clock.
    pub(super) interrupted_at: Option<UnixNanos>,
    /// Venue time when the account stream was first live: executions before it are of another session.
    pub(super) session_began: Option<UnixNanos>,
    pub(super) refused: bool,
    /// Whose orders of other sessions are, by the venue's id; `None`: not ours. Empty except while a history is read.
    pub(super) owners: BTreeMap<(InstrumentId, u64), Option<ClientOrderId>>,
    pub(super) switches: Switches,
    pub(super) last_time: UnixNanos,
}

/// Short on purpose: request buffers hold signatures, and the listen key opens the account stream.
impl std::fmt::Debug for Machine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Machine")
            .field("flavour", &self.flavour)
            .field("venue", &self.venue)
            .field("orders", &self.orders.state)
            .field("session", &self.session)
            .field("stream_live", &self.stream_live)
            .field("counters", &self.counters)
            .finish_non_exhaustive()
    }
}

impl Machine {
    pub(crate) fn new(
        flavour: Flavour,
        venue: VenueId,
        instruments: Vec<GatewayInstrument>,
        credentials: Credentials,
        options: GatewayOptions,
    ) -> Self {
        let prng = Prng::new(options.seed);
        let weight_limit = match flavour {
            Flavour::Spot => 6_000,
            Flavour::Usdm => 2_400,
        };
        let switches = Switches::new(options.dead_man, instruments.iter().map(|one| one.id));
        Self {
            flavour,
            venue,
            instruments: Instruments::new(instruments),
            credentials,
            options,
            counters: GatewayCounters::default(),
            params: Params::default(),
            pending: PendingTable::new(),
            tracker: Tracker::default(),
            budget: Budget::new(weight_limit, options.weight_reserve),
            clock: VenueClock::default(),
            clock_due_at: MonoNanos(0),
            waiting_for_clock: Vec::new(),
            orders: Line::new(prng.fork("orders")),
            session: Session::Signing,
            account: Line::new(prng.fork("account")),
            stream_live: false,
            was_ready: false,
            listen_key: None,
            listen_key_due_at: MonoNanos(0),
            rotate_orders: None,
            rotate_account: None,
            recoveries: Vec::new(),
            interrupted_at: None,
            session_began: None,
            refused: false,
            owners: BTreeMap::new(),
            switches,
            last_time: UnixNanos(0),
        }
    }

    pub(crate) const fn venue(&self) -> VenueId {
        self.venue
    }
    pub(crate) fn api_key(&self) -> &str {
        self.credentials.api_key()
    }
    pub(crate) const fn counters(&self) -> &GatewayCounters {
        &self.counters
    }
    pub(crate) fn weight_remaining(&self) -> Ppm {
        self.budget.remaining(self.last_time)
    }
    /// What this machine knows of its venue.
    pub(crate) fn facts(&self, now: MonoNanos) -> VenueFacts {
        VenueFacts {
            ready: self.is_ready(),
            session_started_at: self.orders.opened_at().map(|orders| {
                self.account
                    .opened_at()
                    .map_or(orders, |account| account.min(orders))
            }),
            banned_until: self.budget.penalty_until(now),
            weight_used: Ppm::ONE.saturating_sub(self.weight_remaining()),
            clock_offset_ns: self.clock.known(),
            clock_stepped_at: self.clock.stepped_at(),
            errors: self.counters.unexpected(),
            dead_man: self.dead_man(),
            ..VenueFacts::unheard(self.venue)
        }
    }
    /// Takes the venue's limits; counts go on.
    pub(crate) fn set_limits(&mut self, limits: &VenueLimits) {
        if let Some(limit) = limits.weight_per_minute {
            self.budget.weight_limit(limit);
        }
        for (window, limit) in &limits.orders {
            self.budget.orders_limit(*window, *limit);
        }
    }
    /// Placements may go out: orders and the account stream are live.
    pub(crate) const fn is_ready(&self) -> bool {
        self.can_send_orders() && self.stream_live && !self.refused
    }
    /// The order connection takes orders (a forced close needs no more than that).
    pub(super) const fn can_send_orders(&self) -> bool {
        self.orders.is_open() && !matches!(self.session, Session::LoggingOn)
    }

    /// The venue's clock now.
    pub(super) const fn venue_time(&self, at: At) -> UnixNanos {
        UnixNanos(at.time.0.saturating_add(self.clock.offset_nanos()))
    }

    /// Tells `Ready` or `NotReady` when that changed.
    pub(super) fn tell_readiness(&mut self, out: &mut GatewayOut) {
        let ready = self.is_ready();
        if ready != self.was_ready {
            self.was_ready = ready;
            out.account.push(if ready {
                AccountEvent::Ready
            } else {
                AccountEvent::NotReady
            });
        }
    }

    /// Pushes one report.
    pub(super) fn report(
        &self,
        out: &mut GatewayOut,
        instrument: InstrumentId,
        order: Option<ClientOrderId>,
        kind: ReportKind,
        (venue_time, at): (UnixNanos, At),
    ) {
        out.reports.push(OrderReport {
            venue: self.venue,
            instrument,
            client_order_id: order,
            kind,
            venue_time,
            received_at: at.now,
        });
    }

    /// A time-out for answers that the venue computes slowly.
    pub(super) fn timeout_of(&self, kind: RequestKind) -> Nanos {
        match kind {
            RequestKind::Place | RequestKind::Cancel | RequestKind::Query => {
                self.options.response_timeout
            }
            RequestKind::CancelAll
            | RequestKind::OpenOrders
            | RequestKind::Balances
            | RequestKind::Positions
            | RequestKind::Trades
            | RequestKind::Orders
            | RequestKind::Countdown
            | RequestKind::Logon
            | RequestKind::Subscribe
            | RequestKind::Time
            | RequestKind::ListenKey
            | RequestKind::ListenKeyKeep => {
                Nanos(self.options.response_timeout.0.max(5_000_000_000))
            }
        }
    }
}
