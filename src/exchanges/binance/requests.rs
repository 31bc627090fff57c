//! Requests out: orders, cancels, questions. Encodes, signs, remembers.

use crate::capacity::OPEN_ORDERS_MAX;
use crate::exchanges::gateway::{AccountEvent, AccountQuery, GatewayOut};
use crate::exchanges::weights::Urgency;
use crate::exchanges::{Action, Channel, RequestId, binance_spot, binance_usdm};
use crate::market::InstrumentId;
use crate::trade::{ClientOrderId, Purpose, RejectReason, ReportKind, Ticket, TimeInForce};
use crate::units::{MonoNanos, UnixNanos};

use super::Endpoint;
use super::machine::{Asked, At, Flavour, Machine, RequestKind, Session, TradesFor};

/// Rows of one page of own trades.
pub(super) const TRADES_PAGE: i64 = 1_000;
/// USD-M refuses longer questions for trades.
const TRADES_WINDOW_DAYS: i64 = 7;

/// How a request proves who we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Proof {
    Signature,
    KeyHeader,
    None,
}

const fn proof(kind: RequestKind) -> Proof {
    match kind {
        RequestKind::Time => Proof::None,
        RequestKind::ListenKey | RequestKind::ListenKeyKeep => Proof::KeyHeader,
        RequestKind::Place
        | RequestKind::Cancel
        | RequestKind::Query
        | RequestKind::CancelAll
        | RequestKind::OpenOrders
        | RequestKind::Balances
        | RequestKind::Positions
        | RequestKind::Trades
        | RequestKind::Orders
        | RequestKind::Countdown
        | RequestKind::Logon
        | RequestKind::Subscribe => Proof::Signature,
    }
}

impl Machine {
    pub(super) const fn endpoint(&self, kind: RequestKind) -> Option<Endpoint> {
        match self.flavour {
            Flavour::Spot => binance_spot::orders::endpoint(kind),
            Flavour::Usdm => binance_usdm::orders::endpoint(kind),
        }
    }

    pub(crate) fn place(
        &mut self,
        ticket: &Ticket,
        now: MonoNanos,
        time: UnixNanos,
        out: &mut GatewayOut,
    ) {
        let at = At { now, time };
        if let Err((reason, code)) = self.try_place(ticket, at, out) {
            self.counters.refused_locally += 1;
            self.report(
                out,
                ticket.instrument,
                Some(ticket.client_order_id),
                ReportKind::Rejected { reason, code },
                (UnixNanos(0), at),
            );
        }
    }

    fn try_place(
        &mut self,
        ticket: &Ticket,
        at: At,
        out: &mut GatewayOut,
    ) -> Result<(), (RejectReason, i32)> {
        const NOT_SENT: (RejectReason, i32) = (RejectReason::NotSent, 0);
        let forced = ticket.purpose == Purpose::Unwind;
        // A forced close needs only the order connection: its executions can be asked for afterwards.
        if self.refused && !forced {
            return Err((RejectReason::Permission, 0));
        }
        if !(self.is_ready() || (forced && self.can_send_orders())) {
            return Err(NOT_SENT);
        }
        let urgency = if forced {
            Urgency::ForcedClose
        } else {
            Urgency::Placement
        };
        let endpoint = self.endpoint(RequestKind::Place).ok_or(NOT_SENT)?;
        if !self
            .budget
            .allows(urgency, endpoint.weight, at.now, at.time)
        {
            return Err((RejectReason::RateLimit, 0));
        }
        let instrument = self
            .instruments
            .get(ticket.instrument)
            .ok_or((RejectReason::Instrument, 0))?;
        if ticket.qty.0 <= 0 || ticket.limit_price.0 <= 0 {
            return Err((RejectReason::Filter, 0));
        }
        self.params.clear();
        self.params.text("symbol", &instrument.native);
        self.params.text("side", side_text(ticket.side));
        if ticket.time_in_force != TimeInForce::Unpriced {
            let decimals = instrument.grid.price_decimals();
            self.params.decimal("price", ticket.limit_price.0, decimals);
        }
        self.params
            .decimal("quantity", ticket.qty.0, instrument.grid.qty_decimals());
        self.params.put("newClientOrderId", false, |text| {
            text.extend_from_slice(&ticket.client_order_id.hex());
        });
        self.params.text("selfTradePreventionMode", "EXPIRE_TAKER");
        match self.flavour {
            Flavour::Spot => binance_spot::orders::put_order_kind(ticket, &mut self.params),
            Flavour::Usdm => binance_usdm::orders::put_order_kind(ticket, &mut self.params),
        }
        if self.pending.is_full()
            || !self
                .tracker
                .begin(ticket.client_order_id, ticket.instrument, at.now)
        {
            return Err(NOT_SENT);
        }
        let asked = Asked {
            instrument: ticket.instrument,
            order: Some(ticket.client_order_id),
            ..Asked::new(RequestKind::Place)
        };
        self.counters.placements += 1;
        self.send(asked, at, out)
            .then_some(())
            .ok_or((RejectReason::NotSent, 0))
    }

    pub(crate) fn cancel(
        &mut self,
        instrument: InstrumentId,
        order: ClientOrderId,
        now: MonoNanos,
        time: UnixNanos,
        out: &mut GatewayOut,
    ) {
        let asked = Asked {
            instrument,
            order: Some(order),
            ..Asked::new(RequestKind::Cancel)
        };
        self.ask(asked, At { now, time }, out);
    }

    pub(crate) fn query(
        &mut self,
        instrument: InstrumentId,
        order: ClientOrderId,
        now: MonoNanos,
        time: UnixNanos,
        out: &mut GatewayOut,
    ) {
        let asked = Asked {
            instrument,
            order: Some(order),
            ..Asked::new(RequestKind::Query)
        };
        self.ask(asked, At { now, time }, out);
    }

    pub(crate) fn cancel_all(
        &mut self,
        instrument: InstrumentId,
        now: MonoNanos,
        time: UnixNanos,
        out: &mut GatewayOut,
    ) {
        let asked = Asked {
            instrument,
            ..Asked::new(RequestKind::CancelAll)
        };
        self.ask(asked, At { now, time }, out);
    }

    pub(crate) fn request_account(
        &mut self,
        query: AccountQuery,
        now: MonoNanos,
        time: UnixNanos,
        out: &mut GatewayOut,
    ) {
        let asked = match query {
            AccountQuery::Balances => Asked::new(RequestKind::Balances),
            AccountQuery::Positions => Asked::new(RequestKind::Positions),
            AccountQuery::OpenOrders => Asked::new(RequestKind::OpenOrders),
            AccountQuery::Trades { instrument, since } => Asked {
                instrument,
                since,
                ..Asked::new(RequestKind::Trades)
            },
            AccountQuery::History {
                instrument,
                from_id,
                since,
            } => Asked {
                instrument,
                since,
                trades_for: TradesFor::History,
                from_id: i64::try_from(from_id).unwrap_or(0),
                first_id: from_id,
                ..Asked::new(RequestKind::Trades)
            },
        };
        if self.endpoint(asked.kind).is_none() {
            out.account.push(AccountEvent::SnapshotDone(query));
            return;
        }
        self.ask(asked, At { now, time }, out);
    }

    /// Encodes and sends anything but a placement; tells its failure when it cannot be sent.
    pub(super) fn ask(&mut self, asked: Asked, at: At, out: &mut GatewayOut) {
        let sendable = self.endpoint(asked.kind).is_some_and(|endpoint| {
            let urgency = match asked.kind {
                RequestKind::Cancel
                | RequestKind::CancelAll
                | RequestKind::Countdown
                | RequestKind::ListenKeyKeep => Urgency::Cancel,
                RequestKind::Place
                | RequestKind::Query
                | RequestKind::OpenOrders
                | RequestKind::Balances
                | RequestKind::Positions
                | RequestKind::Trades
                | RequestKind::Orders
                | RequestKind::Logon
                | RequestKind::Subscribe
                | RequestKind::Time
                | RequestKind::ListenKey => Urgency::Query,
            };
            self.budget
                .allows(urgency, endpoint.weight, at.now, at.time)
        });
        if !sendable || !self.encode(&asked, at) || !self.send(asked, at, out) {
            self.fail(&asked, at, out);
        }
    }

    /// Puts the parameters of anything but a placement; `false` for an instrument that is not traded.
    fn encode(&mut self, asked: &Asked, at: At) -> bool {
        let params = &mut self.params;
        params.clear();
        let native = self
            .instruments
            .get(asked.instrument)
            .map(|instrument| instrument.native.as_str());
        match asked.kind {
            RequestKind::Cancel | RequestKind::Query => {
                let (Some(native), Some(order)) = (native, asked.order) else {
                    return false;
                };
                params.text("symbol", native);
                // The venue's own id is faster to find; before it is known, ours must do.
                let known = self
                    .tracker
                    .get(order)
                    .map_or(0, |tracked| tracked.venue_order_id);
                match i64::try_from(known) {
                    Ok(known) if known > 0 && asked.kind == RequestKind::Cancel => {
                        params.integer("orderId", known);
                    }
                    Ok(_) | Err(_) => params.put("origClientOrderId", false, |text| {
                        text.extend_from_slice(&order.hex());
                    }),
                }
            }
            RequestKind::CancelAll => {
                let Some(native) = native else { return false };
                params.text("symbol", native);
            }
            RequestKind::Trades => {
                let Some(native) = native else { return false };
                params.text("symbol", native);
                self.encode_trades(asked, at);
            }
            RequestKind::Orders => {
                let (Some(native), Ok(first)) = (native, i64::try_from(asked.order_from)) else {
                    return false;
                };
                params.text("symbol", native);
                params.integer("orderId", first);
                params.integer("limit", TRADES_PAGE);
            }
            RequestKind::Countdown => {
                let Some(native) = native else { return false };
                params.text("symbol", native);
                let window = i64::try_from(asked.window.floor_millis()).unwrap_or(i64::MAX);
                params.integer("countdownTime", window);
            }
            RequestKind::Balances if self.flavour == Flavour::Spot => {
                params.put("omitZeroBalances", true, |text| {
                    text.extend_from_slice(b"true");
                });
            }
            RequestKind::Place => return false,
            RequestKind::Balances
            | RequestKind::OpenOrders
            | RequestKind::Positions
            | RequestKind::Logon
            | RequestKind::Subscribe
            | RequestKind::Time
            | RequestKind::ListenKey
            | RequestKind::ListenKeyKeep => {}
        }
        true
    }

    fn encode_trades(&mut self, asked: &Asked, at: At) {
        let since = self.trades_since(asked.since, at);
        let params = &mut self.params;
        let known = asked
            .order
            .and_then(|order| self.tracker.get(order))
            .and_then(|tracked| i64::try_from(tracked.venue_order_id).ok())
            .unwrap_or(0);
        if asked.trades_for == TradesFor::Order && known > 0 {
            params.integer("orderId", known);
        } else if asked.from_id > 0 {
            params.integer("fromId", asked.from_id);
        } else {
            params.integer("startTime", since.floor_millis().max(0));
        }
        params.integer("limit", TRADES_PAGE);
    }

    /// Earliest start that the venue accepts for a question for trades.
    pub(super) const fn trades_since(&self, wanted: UnixNanos, at: At) -> UnixNanos {
        let oldest = self.venue_time(at).0 - TRADES_WINDOW_DAYS * 86_400 * 1_000_000_000;
        match self.flavour {
            Flavour::Usdm if wanted.0 < oldest => UnixNanos(oldest + 60 * 1_000_000_000),
            Flavour::Usdm | Flavour::Spot => wanted,
        }
    }

    /// Sends what stands in `params`: over the order connection where it is up and the venue has it there, else over HTTP.
    fn send(&mut self, mut asked: Asked, at: At, out: &mut GatewayOut) -> bool {
        let Some(endpoint) = self.endpoint(asked.kind) else {
            return false;
        };
        let by_line = self.orders.is_open()
            && (self.session != Session::LoggingOn || asked.kind == RequestKind::Logon);
        let ws = endpoint.ws.filter(|_| by_line);
        if ws.is_none() && (endpoint.path.is_empty() || asked.kind == RequestKind::Place) {
            return false;
        }
        asked.over_http = ws.is_none();
        asked.sent_time = at.time;
        let timeout = self.timeout_of(asked.kind);
        let Some(number) = self.pending.add(asked, at.now, timeout) else {
            return false;
        };
        let places_order = asked.kind == RequestKind::Place;
        self.budget.spend(endpoint.weight, places_order, at.time);
        self.counters.requests += 1;
        let proof = proof(asked.kind);
        let logged_on = self.session == Session::LoggedOn && ws.is_some();
        // The subscription of a logged-on session takes no parameters at all.
        let bare = asked.kind == RequestKind::Subscribe && logged_on;
        if proof == Proof::Signature && !bare {
            self.params
                .integer("timestamp", self.venue_time(at).floor_millis());
            let window = self.options.recv_window.floor_millis().min(60_000);
            if !matches!(asked.kind, RequestKind::Logon | RequestKind::Subscribe) {
                self.params
                    .integer("recvWindow", i64::try_from(window).unwrap_or(5_000));
            }
            if ws.is_some() && !logged_on {
                self.params.text("apiKey", self.credentials.api_key());
            }
        }
        let signing = (proof == Proof::Signature).then(|| self.credentials.signing_key());
        out.actions.push(match ws {
            Some(method) => {
                // Without a logged-on session the subscription has a name of its own.
                let method = if asked.kind == RequestKind::Subscribe && !logged_on {
                    "userDataStream.subscribe.signature"
                } else {
                    method
                };
                Action::Send {
                    channel: Channel::Orders,
                    text: self
                        .params
                        .request(number, method, signing.filter(|_| !logged_on)),
                }
            }
            None => Action::Http {
                request: RequestId(number),
                method: endpoint.method,
                target: self.params.target(endpoint.path, signing),
                with_key: proof != Proof::None,
            },
        });
        true
    }

    /// Tells that a request failed without having been sent, or for good.
    pub(super) fn fail(&mut self, asked: &Asked, at: At, out: &mut GatewayOut) {
        let kind = match asked.kind {
            RequestKind::Place | RequestKind::Query => ReportKind::Unknown,
            RequestKind::Cancel => ReportKind::CancelRejected,
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
                self.fail_quietly(asked, at, out);
                return;
            }
        };
        self.report(out, asked.instrument, asked.order, kind, (UnixNanos(0), at));
    }
}

const fn side_text(side: crate::units::Side) -> &'static str {
    match side {
        crate::units::Side::Buy => "BUY",
        crate::units::Side::Sell => "SELL",
    }
}

/// Orders followed must not outnumber what the desk may have open.
const _: () = assert!(
    OPEN_ORDERS_MAX <= crate::exchanges::pending::PENDING_MAX,
    "Invariant: every open order can have a request in flight"
);
