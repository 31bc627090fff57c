//! One simulated venue without IO: matching, accounts, streams and requests, driven by the shell's `now`.
//!
//! A shell (`sim/server.rs` with sockets, the virtual-time world without) hands in connections, texts, HTTP requests and
//! market events, calls [`VenueCore::advance`] when [`VenueCore::next_due`] says so, and takes what leaves with
//! [`VenueCore::drain`]. Same setup, same inputs at the same instants: same outputs, byte for byte.

mod account;
pub(crate) mod amount;
pub(crate) mod book;
mod check;
pub(crate) mod conn;
mod end;
mod fault;
pub(crate) mod filters;
mod from_recording;
mod inject;
pub(crate) mod margin;
pub(crate) mod market;
pub(crate) mod order;
mod outbox;
pub(crate) mod place;
mod publish;
pub(crate) mod rate;
mod recorded;
mod reduce;
mod settle;
mod setup;
mod tape_input;
mod truth;
mod unasked;

#[cfg(test)]
mod conserve_test;
#[cfg(test)]
mod core_test;
#[cfg(test)]
mod twin_test;
#[cfg(test)]
mod unasked_test;

use crate::exchanges::{Dialect, Method};
use crate::prng::Prng;
use crate::sim::dialect;
use crate::units::{Nanos, UnixNanos};

pub(crate) use account::{Account, House};
pub use amount::Amount;
use conn::Conns;
use fault::FaultState;
pub use fault::{Fault, FaultScope, VenueClose};
pub use from_recording::split_native;
use market::Market;
use order::OrderStore;
pub use outbox::{ConnId, Outgoing};
use outbox::{Outbox, Travelling};
use rate::RateCounters;
pub use setup::{AccountSetup, FeeAsset, LatencySetup, RateLimits, SymbolSetup, VenueSetup};
pub use truth::{Truth, TruthBalance, TruthFill, TruthOrder, TruthPosition};

/// One HTTP request, as the shell read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpRequest {
    /// Method.
    pub method: Method,
    /// Path without query, beginning with `/`.
    pub path: String,
    /// Query without `?`, as sent; empty when there is none.
    pub query: String,
    /// Form body, as sent; empty when there is none.
    pub body: String,
    /// Header `X-MBX-APIKEY`.
    pub api_key: Option<String>,
}

/// One HTTP answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpReply {
    /// Status.
    pub status: u16,
    /// Headers besides content type and length.
    pub headers: Vec<(String, String)>,
    /// JSON.
    pub body: String,
}

/// A USD-M listen key.
#[derive(Debug, Clone)]
pub(crate) struct ListenKey {
    pub(crate) key: String,
    pub(crate) expires: UnixNanos,
}

/// One simulated venue.
#[derive(Debug, Clone)]
pub struct VenueCore {
    pub(crate) setup: VenueSetup,
    pub(crate) markets: Vec<Market>,
    pub(crate) accounts: Vec<Account>,
    pub(crate) house: House,
    pub(crate) orders: OrderStore,
    pub(crate) conns: Conns,
    pub(crate) outbox: Outbox,
    pub(crate) rates: RateCounters,
    pub(crate) faults: FaultState,
    /// By account.
    pub(crate) listen_keys: Vec<Option<ListenKey>>,
    /// USD-M dead-man switches: account, symbol, when, and the span asked for.
    pub(crate) countdowns: Vec<(usize, usize, UnixNanos)>,
    /// By symbol: a depth answer was given.
    depth_requested: Vec<bool>,
    /// Opening instant.
    pub(crate) started: UnixNanos,
    pub(crate) prng: Prng,
}

impl VenueCore {
    /// A venue at its opening instant.
    #[must_use]
    pub fn new(setup: VenueSetup, start: UnixNanos) -> Self {
        let prng = Prng::new(setup.seed).fork("venue");
        let symbols = setup.symbols.len();
        let accounts = setup
            .accounts
            .iter()
            .map(|from| {
                let mut account = Account::default();
                for &(asset, amount) in &from.balances {
                    account.credit(asset, amount);
                }
                account.positions = vec![account::Position::default(); symbols];
                account.leverages = setup
                    .symbols
                    .iter()
                    .map(|symbol| symbol.leverage.max(1))
                    .collect();
                account
            })
            .collect::<Vec<_>>();
        Self {
            markets: setup.symbols.iter().cloned().map(Market::new).collect(),
            house: House::default(),
            orders: OrderStore::new(1_000_001),
            conns: Conns::new(symbols),
            outbox: Outbox::new(setup.latency.jitter, prng.fork("latency")),
            rates: RateCounters::new(setup.dialect, setup.limits, accounts.len()),
            faults: FaultState::default(),
            listen_keys: vec![None; accounts.len()],
            countdowns: Vec::new(),
            depth_requested: vec![false; symbols],
            started: start,
            prng: prng.fork("ids"),
            accounts,
            setup,
        }
    }

    /// The setup it was made of.
    #[must_use]
    pub const fn setup(&self) -> &VenueSetup {
        &self.setup
    }
    /// Its wire language.
    #[must_use]
    pub const fn dialect(&self) -> Dialect {
        self.setup.dialect
    }

    /// Opens a WebSocket connection on `target` (path and query).
    ///
    /// # Errors
    /// The HTTP answer of a refused handshake.
    pub fn open(&mut self, target: &str, now: UnixNanos) -> Result<ConnId, HttpReply> {
        if self.faults.is_down(now) {
            return Err(dialect::maintenance());
        }
        dialect::open(self, target, now)
    }

    /// Takes a text message of a client.
    pub fn on_text(&mut self, conn: ConnId, text: &str, now: UnixNanos) {
        let entry = match self.conns.get(conn).map(|conn| conn.kind) {
            Some(conn::ConnKind::Api) => self.setup.latency.order_entry,
            Some(conn::ConnKind::Streams(_) | conn::ConnKind::Account) => Nanos::ZERO,
            None => return,
        };
        if self.outbox.enter(conn, text, now, entry) {
            dialect::on_text(self, conn, text, now);
        }
    }

    /// A client is gone.
    pub fn close(&mut self, conn: ConnId, _now: UnixNanos) {
        self.conns.remove(conn, &mut self.markets);
        self.outbox.forget(conn);
    }

    /// Answers an HTTP request at once (its effects happen at `now`).
    pub fn http(&mut self, request: &HttpRequest, now: UnixNanos) -> HttpReply {
        if self.faults.is_down(now) {
            return dialect::maintenance();
        }
        dialect::http(self, request, now)
    }

    /// How often each kind of fault had an effect, by [`Fault::label`].
    #[must_use]
    pub const fn faults_fired(&self) -> &std::collections::BTreeMap<&'static str, u64> {
        self.faults.fired()
    }

    /// Says that every symbol will be played from a recording, before its first frame comes: depth requests then wait
    /// for the recorded snapshot.
    pub fn expect_recording(&mut self) {
        for market in &mut self.markets {
            market.recorded.get_or_insert_default();
        }
    }

    /// How long a shell should hold an HTTP answer back, so that HTTP is not faster than the sockets.
    #[must_use]
    pub const fn http_delay(&self) -> Nanos {
        Nanos(
            self.setup
                .latency
                .order_entry
                .0
                .saturating_add(self.setup.latency.response.0),
        )
    }

    /// True for a depth request that should wait: its symbol is played from a recording whose snapshot has not come yet.
    #[must_use]
    pub fn depth_should_wait(&self, request: &HttpRequest) -> bool {
        dialect::depth_symbol(self, request)
            .and_then(|symbol| self.markets.get(symbol))
            .is_some_and(|market| {
                market
                    .recorded
                    .as_ref()
                    .is_some_and(|recorded| !recorded.has_snapshot())
            })
    }
    /// True for a depth request that a fault holds back.
    #[must_use]
    pub fn depth_is_held(&self, request: &HttpRequest) -> bool {
        dialect::depth_symbol(self, request)
            .is_some_and(|symbol| self.faults.held_snapshots.contains(&symbol))
    }
    /// Symbol a depth request asks for; `None` for other requests.
    #[must_use]
    pub fn depth_request_symbol(&self, request: &HttpRequest) -> Option<usize> {
        dialect::depth_symbol(self, request)
    }
    /// True once a depth answer for the symbol was given.
    #[must_use]
    pub fn depth_was_requested(&self, symbol: usize) -> bool {
        self.depth_requested.get(symbol).copied().unwrap_or(false)
    }
    pub(crate) fn note_depth_request(&mut self, symbol: usize) {
        if let Some(flag) = self.depth_requested.get_mut(symbol) {
            *flag = true;
        }
    }
    /// True when somebody subscribed to the symbol's depth stream.
    #[must_use]
    pub fn depth_is_heard(&self, symbol: usize) -> bool {
        self.conns.is_heard(symbol, |kind| {
            matches!(
                kind,
                conn::StreamKind::Depth(_) | conn::StreamKind::TopLevels(..)
            )
        })
    }

    /// Does everything that was due up to `now`, in order of time.
    pub fn advance(&mut self, now: UnixNanos) {
        while let Some(due) = self.next_due().filter(|due| *due <= now) {
            if self.outbox.next_due() == Some(due) {
                match self.outbox.arrive(due) {
                    Some((at, Travelling::Request(conn, text))) => {
                        dialect::on_text(self, conn, &text, at);
                    }
                    Some((_, Travelling::Delivery(conn, message))) => {
                        self.outbox.deliver(conn, message);
                    }
                    None => {}
                }
            } else if self.countdown_due() == Some(due) {
                self.fire_countdowns(due);
            } else {
                self.flush_depth(due);
            }
        }
    }

    /// When [`VenueCore::advance`] has something to do next.
    #[must_use]
    pub fn next_due(&self) -> Option<UnixNanos> {
        let batches = self
            .markets
            .iter()
            .flat_map(|market| market.batches.iter().filter_map(|batch| batch.due))
            .min();
        [self.outbox.next_due(), batches, self.countdown_due()]
            .into_iter()
            .flatten()
            .min()
    }
    fn countdown_due(&self) -> Option<UnixNanos> {
        self.countdowns.iter().map(|&(_, _, due)| due).min()
    }

    /// Takes everything that is to leave.
    pub fn drain(&mut self, out: &mut Vec<(ConnId, Outgoing)>) {
        self.outbox.drain(out);
    }

    /// Index of a native symbol, in upper case.
    pub(crate) fn symbol_index(&self, native: &str) -> Option<usize> {
        self.markets
            .iter()
            .position(|market| market.setup.native == native)
    }
}
