//! The gateway machines, spoken to as a venue would: scripted sequences without sockets, the venues' own example messages,
//! and mutated frames.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stderr,
    clippy::wildcard_enum_match_arm,
    reason = "helpers of a test file"
)]

use std::io::Read as _;
use std::path::{Path, PathBuf};

use arbalest::exchanges::gateway::{
    AccountEvent, AccountQuery, Gateway, GatewayInstrument, GatewayOptions, GatewayOut, HttpAnswer,
};
use arbalest::exchanges::rules::{RuleBook, TradingRules};
use arbalest::exchanges::secret::{Credentials, KeyKind};
use arbalest::exchanges::{Action, Channel, Dialect, ReconnectCause, RequestId};
use arbalest::market::{InstrumentId, VenueId};
use arbalest::prng::Prng;
use arbalest::trade::{
    ApprovalSeq, Liquidity, OrderIdSource, OrderReport, PaymentId, Purpose, RejectReason,
    ReportKind, SetId, StrategyId, Ticket, TimeInForce,
};
use arbalest::units::{Asset, Grid, MonoNanos, Nanos, Ppm, Price, Qty, Side, UnixNanos};
use secrecy::SecretString;
use serde_json::{Value, json};

const BTC: InstrumentId = InstrumentId(0);
const ETH: InstrumentId = InstrumentId(1);
const START_MS: i64 = 1_723_161_253_000;
const CANARY: &str = "CANARYsecretCANARYsecretCANARYsecret";
/// The documentation key that the venue publishes; not a secret.
const DOC_KEY: &str = "MC4CAQAwBQYDK2VwBCIEIIJEYWtGBrhACmb9Dvy+qa8WEf0lQOl1s4CLIAB9m89u";

/// A gateway with its clocks and outputs.
struct Rig {
    gateway: Gateway,
    now: MonoNanos,
    time: UnixNanos,
    out: GatewayOut,
    next_set: u64,
}

/// A request as the venue sees it.
#[derive(Debug, Clone)]
struct Seen {
    id: u64,
    what: String,
    params: Value,
}

impl Rig {
    fn new(dialect: Dialect, kind: KeyKind) -> Self {
        let secret = match kind {
            KeyKind::HmacSha256 => CANARY,
            KeyKind::Ed25519 => DOC_KEY,
        };
        let key = SecretString::from("the-api-key");
        let credentials = Credentials::new(kind, key, &SecretString::from(secret)).unwrap();
        let grid = Grid::new(8, 8).unwrap();
        let instruments = [(BTC, "BTCUSDT"), (ETH, "ETHUSDT")]
            .map(|(id, native)| GatewayInstrument {
                id,
                native: native.to_owned(),
                grid,
            })
            .to_vec();
        let options = GatewayOptions {
            clock_samples: 1,
            ..GatewayOptions::default()
        };
        let mut rig = Self {
            gateway: Gateway::new(dialect, VenueId(2), instruments, credentials, options),
            now: MonoNanos(3_600_000_000_000),
            time: UnixNanos::from_millis(START_MS),
            out: GatewayOut::default(),
            next_set: 1,
        };
        rig.gateway.start(rig.now, rig.time, &mut rig.out);
        rig
    }

    /// A spot gateway that is ready.
    fn spot() -> Self {
        let mut rig = Self::new(Dialect::BinanceSpot, KeyKind::HmacSha256);
        rig.answer_time(0);
        rig.open(Channel::Orders);
        let seen = rig.take_one();
        assert_eq!(seen.what, "userDataStream.subscribe.signature");
        rig.ok(&seen, &json!({"subscriptionId": 0}));
        rig.settle();
        assert!(rig.gateway.is_ready());
        rig
    }

    /// A USD-M gateway that is ready.
    fn usdm() -> Self {
        let mut rig = Self::new(Dialect::BinanceUsdm, KeyKind::HmacSha256);
        let seen = rig.take();
        let (time, key) = (&seen[0], &seen[1]);
        assert_eq!(time.what, "GET /fapi/v1/time");
        assert_eq!(key.what, "POST /fapi/v1/listenKey");
        assert_eq!(key.params, json!({}), "the key alone, no signature");
        rig.http(time.id, 200, &json!({"serverTime": START_MS}));
        rig.http(key.id, 200, &json!({"listenKey": "pqia91ma19a5s61"}));
        let target = "/private/ws?listenKey=pqia91ma19a5s61".to_owned();
        assert!(rig.opened().contains(&(Channel::Account, target)));
        rig.open(Channel::Orders);
        assert!(!rig.gateway.is_ready());
        rig.open(Channel::Account);
        rig.settle();
        assert!(rig.gateway.is_ready());
        rig
    }

    fn settle(&mut self) {
        self.out.clear();
    }
    fn advance(&mut self, span: Nanos) {
        self.now = self.now.after(span);
        self.time = self.time.after(span);
    }
    fn timer(&mut self) {
        self.gateway.on_timer(self.now, self.time, &mut self.out);
    }
    fn open(&mut self, channel: Channel) {
        self.gateway
            .on_open(channel, self.now, self.time, &mut self.out);
    }
    fn close(&mut self, channel: Channel) {
        self.gateway
            .on_closed(channel, self.now, self.time, &mut self.out);
    }
    fn frame_bytes(&mut self, channel: Channel, bytes: &[u8]) {
        self.gateway
            .on_frame(channel, bytes, self.now, self.time, &mut self.out);
    }
    fn frame(&mut self, channel: Channel, frame: &Value) {
        self.frame_bytes(channel, frame.to_string().as_bytes());
    }
    fn ok(&mut self, seen: &Seen, result: &Value) {
        let id = seen.id;
        let answer = json!({"id": id, "status": 200, "result": result, "rateLimits": []});
        self.frame(Channel::Orders, &answer);
    }
    fn error(&mut self, seen: &Seen, status: u16, code: i32, msg: &str) {
        let id = seen.id;
        let answer = json!({"id": id, "status": status, "error": {"code": code, "msg": msg}});
        self.frame(Channel::Orders, &answer);
    }
    fn http(&mut self, id: u64, status: u16, body: &Value) {
        self.http_with(id, status, &[], body);
    }
    fn http_with(&mut self, id: u64, status: u16, headers: &[(&str, &str)], body: &Value) {
        let headers: Vec<(String, String)> = headers
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
            .collect();
        let answer = HttpAnswer {
            request: RequestId(u32::try_from(id).unwrap()),
            status,
            headers: &headers,
            body: &body.to_string().into_bytes(),
        };
        self.gateway
            .on_http(&answer, self.now, self.time, &mut self.out);
    }
    fn answer_time(&mut self, offset_ms: i64) {
        let seen = self.take();
        let time = seen
            .iter()
            .find(|seen| seen.what.ends_with("/time"))
            .unwrap();
        let server = self.time.floor_millis() + offset_ms;
        self.http(time.id, 200, &json!({"serverTime": server}));
    }

    /// Takes the requests made since the last look.
    fn take(&mut self) -> Vec<Seen> {
        let mut seen = Vec::new();
        self.out.actions.retain(|action| match action {
            Action::Send { text, .. } => {
                let value: Value = serde_json::from_str(text).unwrap();
                seen.push(Seen {
                    id: value["id"].as_u64().unwrap(),
                    what: value["method"].as_str().unwrap().to_owned(),
                    params: value["params"].clone(),
                });
                false
            }
            Action::Http {
                request,
                method,
                target,
                ..
            } => {
                let (path, query) = target.split_once('?').unwrap_or((target, ""));
                let params: serde_json::Map<String, Value> = query
                    .split('&')
                    .filter_map(|pair| pair.split_once('='))
                    .map(|(key, value)| (key.to_owned(), Value::from(value)))
                    .collect();
                seen.push(Seen {
                    id: u64::from(request.0),
                    what: format!("{} {path}", method.label()),
                    params: Value::Object(params),
                });
                false
            }
            Action::Open { .. } | Action::Reconnect { .. } => true,
        });
        seen
    }
    fn take_one(&mut self) -> Seen {
        let seen = self.take();
        assert_eq!(seen.len(), 1, "{seen:?}");
        seen[0].clone()
    }
    fn opened(&self) -> Vec<(Channel, String)> {
        self.out
            .actions
            .iter()
            .filter_map(|action| match action {
                Action::Open { channel, target } => Some((*channel, target.clone())),
                _ => None,
            })
            .collect()
    }
    fn reconnects(&mut self) -> Vec<(Channel, ReconnectCause, Nanos)> {
        let mut found = Vec::new();
        self.out.actions.retain(|action| match action {
            Action::Reconnect {
                channel,
                cause,
                delay,
            } => {
                found.push((*channel, *cause, *delay));
                false
            }
            _ => true,
        });
        found
    }
    fn reports(&mut self) -> Vec<OrderReport> {
        std::mem::take(&mut self.out.reports)
    }
    /// Takes the kinds of the reports made since the last look.
    fn kinds(&mut self) -> Vec<ReportKind> {
        self.reports().iter().map(|report| report.kind).collect()
    }

    fn ticket(&mut self) -> Ticket {
        let set = SetId(self.next_set);
        self.next_set += 1;
        Ticket {
            client_order_id: OrderIdSource::new(1, 1_723_161_253).id(set, 0, 0),
            approval: ApprovalSeq(1),
            strategy: StrategyId(0),
            instrument: BTC,
            side: Side::Buy,
            qty: Qty(1_000_000),
            limit_price: Price(6_183_763_000_000),
            time_in_force: TimeInForce::ImmediateOrCancel,
            reduce_only: false,
            post_only: false,
            purpose: Purpose::Leg,
        }
    }
    fn place(&mut self, ticket: &Ticket) {
        self.gateway
            .place(ticket, self.now, self.time, &mut self.out);
    }
    /// Places the standard order and takes its request.
    fn placed(&mut self) -> (Ticket, Seen) {
        let ticket = self.ticket();
        self.place(&ticket);
        let seen = self.take_one();
        assert_eq!(seen.what, "order.place");
        (ticket, seen)
    }
    fn cancel(&mut self, ticket: &Ticket) {
        let order = ticket.client_order_id;
        self.gateway
            .cancel(ticket.instrument, order, self.now, self.time, &mut self.out);
    }
    fn query(&mut self, ticket: &Ticket) {
        let order = ticket.client_order_id;
        self.gateway
            .query(ticket.instrument, order, self.now, self.time, &mut self.out);
    }
    fn ask(&mut self, query: AccountQuery) {
        self.gateway
            .request_account(query, self.now, self.time, &mut self.out);
    }
    fn cancel_all(&mut self, instrument: InstrumentId) {
        self.gateway
            .cancel_all(instrument, self.now, self.time, &mut self.out);
    }
}

fn spot_result(ticket: &Ticket, status: &str, executed: &str, fills: &Value) -> Value {
    json!({"symbol": "BTCUSDT", "orderId": 28, "orderListId": -1,
        "clientOrderId": ticket.client_order_id.to_string(), "transactTime": START_MS, "price": "61837.63000000",
        "origQty": "0.01000000", "executedQty": executed, "cummulativeQuoteQty": "0", "status": status,
        "timeInForce": "IOC", "type": "LIMIT", "side": "BUY", "fills": fills})
}

fn spot_fill(trade: u64, qty: &str) -> Value {
    json!({"price": "61837.00000000", "qty": qty, "commission": "0.00000700", "commissionAsset": "BTC", "tradeId": trade})
}

/// A row of `myTrades` of order 28.
fn spot_trade(trade: u64, qty: &str) -> Value {
    json!({"symbol": "BTCUSDT", "id": trade, "orderId": 28, "price": "61837.00000000", "qty": qty,
        "commission": "0.00000700", "commissionAsset": "BTC", "time": START_MS, "isBuyer": true, "isMaker": false})
}

fn spot_report(
    ticket: &Ticket,
    (execution, status): (&str, &str),
    (last, total): (&str, &str),
    trade: i64,
) -> Value {
    json!({"subscriptionId": 0, "event": {"e": "executionReport", "E": START_MS, "s": "BTCUSDT",
        "c": ticket.client_order_id.to_string(), "S": "BUY", "o": "LIMIT", "f": "IOC", "q": "0.01000000",
        "p": "61837.63000000", "C": "", "x": execution, "X": status, "r": "NONE", "i": 28, "l": last, "z": total,
        "L": "61837.00000000", "n": "0.00000700", "N": "BTC", "T": START_MS + 1, "t": trade, "w": false, "m": false,
        "M": false, "O": START_MS, "Z": "0", "Y": "0"}})
}

fn usdm_update(
    ticket: &Ticket,
    (execution, status): (&str, &str),
    (last, total): (&str, &str),
    trade: i64,
) -> Value {
    json!({"e": "ORDER_TRADE_UPDATE", "E": START_MS, "T": START_MS, "o": {"s": "BTCUSDT",
        "c": ticket.client_order_id.to_string(), "S": "BUY", "o": "LIMIT", "f": "IOC", "q": "0.01", "p": "61837.63",
        "ap": "0", "sp": "0", "x": execution, "X": status, "i": 900, "l": last, "z": total, "L": "61837.0",
        "N": "USDT", "n": "0.24734800", "T": START_MS + 2, "t": trade, "b": "0", "a": "0", "m": false, "R": false,
        "ps": "BOTH", "rp": "0"}})
}

const NEW: (&str, &str) = ("NEW", "NEW");
const PART: (&str, &str) = ("TRADE", "PARTIALLY_FILLED");
const FULL: (&str, &str) = ("TRADE", "FILLED");
const ACKED: ReportKind = ReportKind::Acked { venue_order_id: 28 };

fn filled(qty: i64, trade_id: u64) -> ReportKind {
    ReportKind::Filled {
        side: Side::Buy,
        qty: Qty(qty),
        price: Price(6_183_700_000_000),
        fee: "0.000007".parse().unwrap(),
        fee_asset: Asset::new("BTC"),
        trade_id,
        liquidity: Liquidity::Taker,
    }
}

fn done(qty: i64, complete: bool) -> ReportKind {
    ReportKind::Done {
        filled: Qty(qty),
        complete,
    }
}

fn rejected(reason: RejectReason, code: i32) -> ReportKind {
    ReportKind::Rejected { reason, code }
}

// Encoding.

#[test]
fn spot_orders_are_encoded() {
    let mut rig = Rig::spot();
    let (ticket, seen) = rig.placed();
    for (key, value) in [
        ("symbol", json!("BTCUSDT")),
        ("side", json!("BUY")),
        ("type", json!("LIMIT")),
        ("timeInForce", json!("IOC")),
        ("price", json!("61837.63")),
        ("quantity", json!("0.01")),
        (
            "newClientOrderId",
            json!(ticket.client_order_id.to_string()),
        ),
        ("newOrderRespType", json!("FULL")),
        ("selfTradePreventionMode", json!("EXPIRE_TAKER")),
        ("apiKey", json!("the-api-key")),
        ("recvWindow", json!(5_000)),
        ("timestamp", json!(START_MS)),
    ] {
        assert_eq!(seen.params[key], value, "{key}");
    }
    assert_eq!(seen.params["signature"].as_str().unwrap().len(), 64);
    let post_only = Ticket {
        post_only: true,
        time_in_force: TimeInForce::GoodTillCancel,
        reduce_only: true,
        ..rig.ticket()
    };
    rig.place(&post_only);
    let seen = rig.take_one();
    assert_eq!(seen.params["type"], "LIMIT_MAKER");
    assert!(seen.params.get("timeInForce").is_none());
    assert!(seen.params.get("reduceOnly").is_none(), "spot has none");
}

#[test]
fn usdm_orders_are_encoded() {
    let mut rig = Rig::usdm();
    let ticket = Ticket {
        reduce_only: true,
        instrument: ETH,
        side: Side::Sell,
        time_in_force: TimeInForce::FillOrKill,
        ..rig.ticket()
    };
    rig.place(&ticket);
    let seen = rig.take_one();
    for (key, value) in [
        ("symbol", "ETHUSDT"),
        ("side", "SELL"),
        ("type", "LIMIT"),
        ("timeInForce", "FOK"),
        ("reduceOnly", "true"),
        ("newOrderRespType", "ACK"),
        ("selfTradePreventionMode", "EXPIRE_TAKER"),
    ] {
        assert_eq!(seen.params[key], value, "{key}");
    }
    let post_only = Ticket {
        post_only: true,
        ..rig.ticket()
    };
    rig.place(&post_only);
    assert_eq!(rig.take_one().params["timeInForce"], "GTX");
}

#[test]
fn a_logged_on_session_needs_no_signatures() {
    let mut rig = Rig::new(Dialect::BinanceSpot, KeyKind::Ed25519);
    rig.answer_time(0);
    rig.open(Channel::Orders);
    let logon = rig.take_one();
    assert_eq!(logon.what, "session.logon");
    assert_eq!(logon.params["signature"].as_str().unwrap().len(), 88);
    assert!(!rig.gateway.is_ready());
    rig.ok(&logon, &json!({"apiKey": "the-api-key"}));
    let subscribe = rig.take_one();
    assert_eq!(subscribe.what, "userDataStream.subscribe");
    assert_eq!(subscribe.params, json!({}));
    rig.ok(&subscribe, &json!({"subscriptionId": 0}));
    assert_eq!(rig.out.account.last(), Some(&AccountEvent::Ready));
    let (_, seen) = rig.placed();
    assert!(seen.params.get("apiKey").is_none() && seen.params.get("signature").is_none());
    assert_eq!(seen.params["timestamp"], START_MS);
}

#[test]
fn a_venue_that_logs_no_session_on_gets_signatures() {
    let mut rig = Rig::new(Dialect::BinanceUsdm, KeyKind::Ed25519);
    let seen = rig.take();
    rig.http(seen[1].id, 200, &json!({"listenKey": "k"}));
    rig.open(Channel::Account);
    rig.open(Channel::Orders);
    let logon = rig.take_one();
    rig.error(&logon, 400, -1104, "unknown method");
    assert!(rig.gateway.is_ready());
    let (_, seen) = rig.placed();
    assert!(seen.params.get("signature").is_some());
}

// Sequences of orders.

#[test]
fn acknowledged_then_filled() {
    let mut rig = Rig::spot();
    let (ticket, seen) = rig.placed();
    rig.ok(
        &seen,
        &spot_result(&ticket, "NEW", "0.00000000", &json!([])),
    );
    assert_eq!(rig.kinds(), [ACKED]);
    rig.frame(Channel::Orders, &spot_report(&ticket, NEW, ("0", "0"), -1));
    assert_eq!(rig.kinds(), [], "said once");
    let part = spot_report(&ticket, PART, ("0.004", "0.004"), 7);
    rig.frame(Channel::Orders, &part);
    let full = spot_report(&ticket, FULL, ("0.006", "0.010"), 8);
    rig.frame(Channel::Orders, &full);
    let reports = rig.reports();
    let kinds: Vec<ReportKind> = reports.iter().map(|report| report.kind).collect();
    assert_eq!(
        kinds,
        [
            filled(400_000, 7),
            filled(600_000, 8),
            done(1_000_000, true)
        ]
    );
    for report in reports {
        assert_eq!(report.client_order_id, Some(ticket.client_order_id));
        assert_eq!((report.venue, report.instrument), (VenueId(2), BTC));
        assert_eq!(report.venue_time, UnixNanos::from_millis(START_MS + 1));
    }
}

#[test]
fn event_before_the_answer() {
    let mut rig = Rig::spot();
    let (ticket, seen) = rig.placed();
    let full = spot_report(&ticket, FULL, ("0.010", "0.010"), 8);
    rig.frame(Channel::Orders, &full);
    assert_eq!(
        rig.kinds(),
        [ACKED, filled(1_000_000, 8), done(1_000_000, true)]
    );
    let fills = json!([spot_fill(8, "0.01000000")]);
    rig.ok(&seen, &spot_result(&ticket, "FILLED", "0.01000000", &fills));
    assert_eq!(rig.kinds(), []);
    assert_eq!(rig.gateway.counters().duplicate_fills, 1);
}

#[test]
fn full_answer_and_stream_count_once() {
    let mut rig = Rig::spot();
    let (ticket, seen) = rig.placed();
    let fills = json!([spot_fill(7, "0.00400000"), spot_fill(8, "0.00600000")]);
    rig.ok(&seen, &spot_result(&ticket, "FILLED", "0.01000000", &fills));
    assert_eq!(
        rig.kinds(),
        [
            ACKED,
            filled(400_000, 7),
            filled(600_000, 8),
            done(1_000_000, true)
        ]
    );
    for frame in [
        spot_report(&ticket, NEW, ("0", "0"), -1),
        spot_report(&ticket, PART, ("0.004", "0.004"), 7),
        spot_report(&ticket, FULL, ("0.006", "0.010"), 8),
    ] {
        rig.frame(Channel::Orders, &frame);
    }
    assert_eq!(rig.kinds(), []);
    assert_eq!(rig.gateway.counters().duplicate_fills, 2);
}

#[test]
fn partly_filled_then_expired() {
    let mut rig = Rig::spot();
    let (ticket, seen) = rig.placed();
    let fills = json!([spot_fill(7, "0.004")]);
    rig.ok(
        &seen,
        &spot_result(&ticket, "EXPIRED", "0.00400000", &fills),
    );
    assert_eq!(
        rig.kinds(),
        [ACKED, filled(400_000, 7), done(400_000, false)]
    );
    let expired = spot_report(&ticket, ("EXPIRED", "EXPIRED"), ("0", "0.004"), -1);
    rig.frame(Channel::Orders, &expired);
    assert_eq!(rig.kinds(), []);
}

#[test]
fn the_end_waits_for_its_executions() {
    let mut rig = Rig::usdm();
    let (ticket, seen) = rig.placed();
    let id = ticket.client_order_id.to_string();
    rig.ok(
        &seen,
        &json!({"symbol": "BTCUSDT", "orderId": 900, "clientOrderId": id, "status": "FILLED",
            "executedQty": "0.010", "side": "BUY", "updateTime": START_MS}),
    );
    let acked = ReportKind::Acked {
        venue_order_id: 900,
    };
    assert_eq!(rig.kinds(), [acked], "the executions are not here yet");
    // The lite message carries neither fee nor total: it is left out.
    rig.frame(
        Channel::Account,
        &json!({"e": "TRADE_LITE", "E": START_MS, "T": START_MS, "s": "BTCUSDT", "q": "0.010", "p": "61837.63",
            "m": false, "c": id, "S": "BUY", "L": "61837.0", "l": "0.010", "t": 5, "i": 900}),
    );
    assert_eq!(rig.kinds(), []);
    let full = usdm_update(&ticket, FULL, ("0.010", "0.010"), 5);
    rig.frame(Channel::Account, &full);
    let kinds = rig.kinds();
    assert_eq!(kinds.len(), 2, "{kinds:?}");
    match kinds[0] {
        ReportKind::Filled {
            fee,
            fee_asset,
            trade_id,
            qty,
            ..
        } => {
            assert_eq!(fee.to_string(), "0.24734800");
            assert_eq!(fee_asset, Asset::new("USDT"));
            assert_eq!((trade_id, qty), (5, Qty(1_000_000)));
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(kinds[1], done(1_000_000, true));
}

#[test]
fn missing_executions_are_asked_for() {
    let mut rig = Rig::spot();
    let (ticket, seen) = rig.placed();
    rig.ok(&seen, &spot_result(&ticket, "NEW", "0", &json!([])));
    // The first execution was lost on the way; the total says so.
    let full = spot_report(&ticket, FULL, ("0.006", "0.010"), 8);
    rig.frame(Channel::Orders, &full);
    assert_eq!(rig.kinds(), [ACKED, filled(600_000, 8)]);
    rig.timer();
    assert!(rig.take().is_empty(), "it may still come");
    rig.advance(Nanos::from_secs(1));
    rig.timer();
    let seen = rig.take_one();
    assert_eq!(seen.what, "myTrades");
    assert_eq!(seen.params["orderId"], 28);
    rig.ok(
        &seen,
        &json!([spot_trade(7, "0.004"), spot_trade(8, "0.006")]),
    );
    assert_eq!(rig.kinds(), [filled(400_000, 7), done(1_000_000, true)]);
}

#[test]
fn an_end_is_told_even_when_executions_never_come() {
    let mut rig = Rig::usdm();
    let (ticket, _) = rig.placed();
    let expired = usdm_update(&ticket, ("EXPIRED", "EXPIRED"), ("0", "0.004"), 0);
    rig.frame(Channel::Account, &expired);
    assert_eq!(rig.kinds().len(), 1, "acknowledged");
    let mut asked = 0;
    for _ in 0..10 {
        rig.advance(Nanos::from_secs(5));
        rig.timer();
        for seen in rig.take() {
            if seen.what == "GET /fapi/v1/userTrades" {
                asked += 1;
                rig.http(seen.id, 200, &json!([]));
            }
        }
    }
    assert_eq!(asked, 3);
    assert!(rig.kinds().contains(&done(400_000, false)));
    assert_eq!(rig.gateway.counters().fills_missing, 1);
}

#[test]
fn refusals_carry_reason_and_code() {
    for (status, code, message, expected) in [
        (
            400,
            -2010,
            "Account has insufficient balance for requested action.",
            RejectReason::Balance,
        ),
        (
            400,
            -2010,
            "Order would immediately match and take.",
            RejectReason::WouldTake,
        ),
        (400, -1013, "Filter failure: LOT_SIZE", RejectReason::Filter),
        (429, -1015, "Too many new orders.", RejectReason::RateLimit),
        (503, -1008, "Overloaded.", RejectReason::Overloaded),
        (401, -2015, "Invalid API-key, IP.", RejectReason::Permission),
    ] {
        let mut rig = Rig::spot();
        let (_, seen) = rig.placed();
        rig.error(&seen, status, code, message);
        assert_eq!(rig.kinds(), [rejected(expected, code)], "{message}");
    }
    for (code, expected) in [
        (-2022, RejectReason::ReduceOnly),
        (-2019, RejectReason::Balance),
        (-4164, RejectReason::Filter),
        (-5021, RejectReason::CannotFill),
        (-5022, RejectReason::WouldTake),
        (-4116, RejectReason::Duplicate),
        (-1121, RejectReason::Instrument),
    ] {
        let mut rig = Rig::usdm();
        let (_, seen) = rig.placed();
        rig.error(&seen, 400, code, "");
        assert_eq!(rig.kinds(), [rejected(expected, code)], "{code}");
    }
}

#[test]
fn a_timeout_is_unknown_and_a_query_settles_it() {
    let mut rig = Rig::spot();
    let (ticket, late) = rig.placed();
    rig.advance(Nanos::from_secs(3));
    rig.timer();
    rig.timer();
    assert_eq!(rig.kinds(), [ReportKind::Unknown], "said once");
    rig.query(&ticket);
    let query = rig.take_one();
    assert_eq!(query.what, "order.status");
    let id = ticket.client_order_id.to_string();
    assert_eq!(query.params["origClientOrderId"], id);
    let result = spot_result(&ticket, "FILLED", "0.01000000", &Value::Null);
    rig.ok(&query, &result);
    assert_eq!(rig.kinds(), [ACKED], "the executions come first");
    let trades = rig.take_one();
    assert_eq!(trades.what, "myTrades");
    rig.ok(&trades, &json!([spot_trade(9, "0.01")]));
    assert_eq!(rig.kinds(), [filled(1_000_000, 9), done(1_000_000, true)]);
    // The late answer says nothing new.
    let fills = json!([spot_fill(9, "0.01")]);
    rig.ok(&late, &spot_result(&ticket, "FILLED", "0.01", &fills));
    assert_eq!(rig.kinds(), []);
}

#[test]
fn a_late_refusal_settles_an_unknown_order() {
    let mut rig = Rig::usdm();
    let (_, late) = rig.placed();
    rig.advance(Nanos::from_secs(3));
    rig.timer();
    assert_eq!(rig.kinds(), [ReportKind::Unknown]);
    rig.error(&late, 400, -2019, "Margin is insufficient.");
    assert_eq!(rig.kinds(), [rejected(RejectReason::Balance, -2019)]);
}

#[test]
fn unknown_outcomes_are_never_rejects() {
    for (status, code) in [
        (503, 0),
        (504, -1007),
        (400, -1006),
        (400, -1007),
        (500, -1000),
    ] {
        let mut rig = Rig::spot();
        let (_, seen) = rig.placed();
        rig.error(&seen, status, code, "Unknown error");
        assert_eq!(rig.kinds(), [ReportKind::Unknown], "{status} {code}");
    }
    // A success that cannot be read is no success.
    let mut rig = Rig::spot();
    let (_, seen) = rig.placed();
    rig.ok(&seen, &json!({"symbol": "BTCUSDT", "orderId": "nonsense"}));
    assert_eq!(rig.kinds(), [ReportKind::Unknown]);
    assert_eq!(rig.gateway.counters().frames_malformed, 1);
}

#[test]
fn queries_tell_open_and_not_found() {
    let mut rig = Rig::spot();
    let (ticket, seen) = rig.placed();
    rig.ok(&seen, &spot_result(&ticket, "NEW", "0", &json!([])));
    rig.kinds();
    rig.query(&ticket);
    let seen = rig.take_one();
    rig.ok(&seen, &spot_result(&ticket, "NEW", "0", &Value::Null));
    assert_eq!(rig.kinds(), [ReportKind::Open { filled: Qty(0) }]);
    rig.query(&ticket);
    let seen = rig.take_one();
    rig.error(&seen, 400, -2013, "Order does not exist.");
    assert_eq!(rig.kinds(), [ReportKind::NotFound]);
    rig.query(&ticket);
    let seen = rig.take_one();
    rig.error(&seen, 400, -1100, "Illegal characters");
    assert_eq!(rig.kinds(), [ReportKind::Unknown], "still unknown");
}

#[test]
fn cancels() {
    let mut rig = Rig::spot();
    let (ticket, seen) = rig.placed();
    rig.cancel(&ticket);
    let early = rig.take_one();
    let id = ticket.client_order_id.to_string();
    assert_eq!(
        early.params["origClientOrderId"], id,
        "the venue's is not known yet"
    );
    rig.error(&early, 400, -2011, "Unknown order sent.");
    assert_eq!(rig.kinds(), [ReportKind::CancelRejected]);
    rig.ok(&seen, &spot_result(&ticket, "NEW", "0", &json!([])));
    rig.kinds();
    rig.cancel(&ticket);
    let cancel = rig.take_one();
    assert_eq!(cancel.what, "order.cancel");
    assert_eq!(cancel.params["orderId"], 28);
    // The event names the cancel in `c` and the order in `C`.
    let mut event = spot_report(&ticket, ("CANCELED", "CANCELED"), ("0", "0"), -1);
    event["event"]["C"] = event["event"]["c"].clone();
    event["event"]["c"] = json!("abcdefgh");
    rig.frame(Channel::Orders, &event);
    assert_eq!(rig.kinds(), [done(0, false)]);
    let mut result = spot_result(&ticket, "CANCELED", "0", &Value::Null);
    result["origClientOrderId"] = result["clientOrderId"].clone();
    result["clientOrderId"] = json!("abcdefgh");
    rig.ok(&cancel, &result);
    assert_eq!(rig.kinds(), []);
}

#[test]
fn cancel_all() {
    let mut rig = Rig::spot();
    rig.cancel_all(ETH);
    let seen = rig.take_one();
    assert_eq!(seen.what, "openOrders.cancelAll");
    assert_eq!(seen.params["symbol"], "ETHUSDT");
    rig.error(&seen, 400, -2011, "Unknown order sent.");
    let event = AccountEvent::CancelAllDone { instrument: ETH };
    assert_eq!(rig.out.account, [event], "there was none");
    let mut rig = Rig::usdm();
    rig.cancel_all(ETH);
    let seen = rig.take_one();
    assert_eq!(seen.what, "DELETE /fapi/v1/allOpenOrders");
    assert_eq!(seen.params["symbol"], "ETHUSDT");
    rig.http(seen.id, 0, &Value::Null);
    let event = AccountEvent::CancelAllFailed { instrument: ETH };
    assert_eq!(rig.out.account, [event]);
}

#[test]
fn foreign_executions_count_and_have_no_id() {
    let mut rig = Rig::usdm();
    let ticket = rig.ticket();
    let mut event = usdm_update(&ticket, ("CALCULATED", "FILLED"), ("0.1", "0.1"), 77);
    event["o"]["c"] = json!("autoclose-1234567890123456");
    rig.frame(Channel::Account, &event);
    rig.frame(Channel::Account, &event);
    let reports = rig.reports();
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].client_order_id, None);
    assert!(matches!(
        reports[0].kind,
        ReportKind::Filled { trade_id: 77, .. }
    ));
    assert_eq!(rig.gateway.counters().foreign_fills, 1);
}

#[test]
fn the_venues_own_executions_are_told_as_such() {
    for (client, is_venues) in [
        ("autoclose-1234567890123456", true),
        ("adl_autoclose", true),
        ("settlement_autoclose-42", true),
        ("web_autoclose", false),
        ("x-by-hand", false),
    ] {
        let mut rig = Rig::usdm();
        let ticket = rig.ticket();
        let mut event = usdm_update(&ticket, ("TRADE", "FILLED"), ("0.1", "0.1"), 77);
        event["o"]["c"] = json!(client);
        rig.frame(Channel::Account, &event);
        let told = AccountEvent::VenueClosed { instrument: BTC };
        assert_eq!(rig.out.account.contains(&told), is_venues, "{client}");
        assert_eq!(rig.reports().len(), 1);
    }
}

// Connections, clock, limits.

#[test]
fn nothing_is_placed_before_ready_nor_after_a_loss() {
    let mut rig = Rig::new(Dialect::BinanceSpot, KeyKind::HmacSha256);
    rig.take();
    let ticket = rig.ticket();
    rig.place(&ticket);
    assert_eq!(rig.kinds(), [rejected(RejectReason::NotSent, 0)]);
    assert!(rig.take().is_empty());
    let mut rig = Rig::spot();
    rig.close(Channel::Orders);
    assert_eq!(rig.out.account, [AccountEvent::NotReady]);
    let ticket = rig.ticket();
    rig.place(&ticket);
    assert_eq!(rig.kinds(), [rejected(RejectReason::NotSent, 0)]);
    assert_eq!(rig.gateway.counters().refused_locally, 1);
}

#[test]
fn a_loss_makes_what_was_in_flight_unknown_and_recovers_executions() {
    let mut rig = Rig::spot();
    let (known, seen) = rig.placed();
    rig.ok(&seen, &spot_result(&known, "NEW", "0", &json!([])));
    let (lost, _) = rig.placed();
    rig.kinds();
    rig.close(Channel::Orders);
    let reports = rig.reports();
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].client_order_id, Some(lost.client_order_id));
    assert_eq!(reports[0].kind, ReportKind::Unknown);
    let reconnects = rig.reconnects();
    assert_eq!(reconnects.len(), 1);
    let (channel, cause, delay) = reconnects[0];
    assert_eq!((channel, cause), (Channel::Orders, ReconnectCause::Lost));
    assert!(delay > Nanos::ZERO && delay <= Nanos::from_millis(250));
    // While it is down, cancels and queries go over HTTP, signed.
    rig.query(&lost);
    let query = rig.take_one();
    assert_eq!(query.what, "GET /api/v3/order");
    assert!(query.params.get("signature").is_some());
    rig.cancel(&known);
    assert_eq!(rig.take_one().what, "DELETE /api/v3/order");
    // It comes back. The lost order is still unanswered, so no trade of its instrument may be called foreign yet.
    rig.advance(Nanos::from_secs(1));
    rig.open(Channel::Orders);
    let subscribe = rig.take_one();
    rig.ok(&subscribe, &json!({"subscriptionId": 0}));
    assert!(rig.gateway.is_ready());
    rig.timer();
    let asked = rig.take_one();
    assert_eq!(asked.what, "myTrades");
    assert_eq!(asked.params["symbol"], "ETHUSDT");
    let not_found = json!({"code": -2013, "msg": "Order does not exist."});
    rig.http(query.id, 400, &not_found);
    assert!(rig.kinds().contains(&ReportKind::NotFound));
    // One NotFound proves nothing: only its age (a minute) frees the question.
    rig.advance(Nanos::from_secs(60));
    rig.timer();
    let asked = rig.take_one();
    assert_eq!(asked.what, "myTrades");
    assert_eq!(asked.params["symbol"], "BTCUSDT");
    rig.kinds();
    rig.ok(&asked, &json!([spot_trade(9, "0.01")]));
    let reports = rig.reports();
    assert_eq!(reports.len(), 1);
    assert_eq!(reports[0].kind, filled(1_000_000, 9));
    assert_eq!(reports[0].client_order_id, Some(known.client_order_id));
}

#[test]
fn listen_key_lives_expires_and_is_made_anew() {
    let mut rig = Rig::usdm();
    rig.advance(Nanos::from_secs(25 * 60));
    rig.timer();
    let keep = rig.take_one();
    assert_eq!(keep.what, "PUT /fapi/v1/listenKey");
    rig.http(keep.id, 200, &json!({}));
    rig.timer();
    assert!(rig.take().is_empty());
    // The key is gone when it is to be extended.
    rig.advance(Nanos::from_secs(25 * 60));
    rig.timer();
    let seen = rig.take();
    let keep = seen
        .iter()
        .find(|seen| seen.what.starts_with("PUT"))
        .unwrap();
    rig.settle();
    let gone = json!({"code": -1125, "msg": "This listenKey does not exist."});
    rig.http(keep.id, 400, &gone);
    assert!(rig.out.account.contains(&AccountEvent::NotReady));
    let make = rig.take_one();
    assert_eq!(make.what, "POST /fapi/v1/listenKey");
    rig.http(make.id, 200, &json!({"listenKey": "second"}));
    let target = "/private/ws?listenKey=second".to_owned();
    assert_eq!(rig.opened(), [(Channel::Account, target)]);
    rig.open(Channel::Account);
    assert!(rig.gateway.is_ready());
    rig.timer();
    let trades = rig.take();
    assert_eq!(trades.len(), 2);
    assert!(
        trades
            .iter()
            .all(|seen| seen.what == "GET /fapi/v1/userTrades")
    );
    // The venue says that it expired.
    rig.settle();
    let expired = json!({"e": "listenKeyExpired", "E": START_MS, "listenKey": "second"});
    rig.frame(Channel::Account, &expired);
    assert!(!rig.gateway.is_ready());
    let make = rig.take_one();
    rig.http(make.id, 500, &Value::Null);
    rig.timer();
    assert!(rig.take().is_empty(), "after a pause");
    rig.advance(Nanos::from_secs(1));
    rig.timer();
    assert_eq!(rig.take_one().what, "POST /fapi/v1/listenKey");
}

#[test]
fn a_key_that_could_leave_the_address_is_malformed() {
    let mut rig = Rig::new(Dialect::BinanceUsdm, KeyKind::HmacSha256);
    let seen = rig.take();
    rig.settle();
    rig.http(seen[1].id, 200, &json!({"listenKey": "a&b/../x"}));
    assert!(rig.opened().is_empty());
    assert_eq!(rig.gateway.counters().frames_malformed, 1);
}

#[test]
fn a_lost_account_stream_stops_placements_but_not_forced_closes() {
    let mut rig = Rig::usdm();
    rig.close(Channel::Account);
    let ticket = rig.ticket();
    rig.place(&ticket);
    assert_eq!(rig.kinds(), [rejected(RejectReason::NotSent, 0)]);
    let unwind = Ticket {
        purpose: Purpose::Unwind,
        reduce_only: true,
        ..rig.ticket()
    };
    rig.place(&unwind);
    assert_eq!(rig.take_one().what, "order.place");
    rig.advance(Nanos::from_secs(1));
    rig.timer();
    assert_eq!(rig.take_one().what, "POST /fapi/v1/listenKey");
}

#[test]
fn too_fast_stops_placements_and_lets_cancels_pass() {
    let mut rig = Rig::spot();
    let (ticket, seen) = rig.placed();
    let (id, until) = (seen.id, START_MS + 30_000);
    rig.frame(
        Channel::Orders,
        &json!({"id": id, "status": 429, "error": {"code": -1003, "msg": "Too much request weight used.",
            "data": {"serverTime": START_MS, "retryAfter": until}}}),
    );
    assert_eq!(rig.kinds(), [rejected(RejectReason::RateLimit, -1003)]);
    let next = rig.ticket();
    rig.place(&next);
    assert_eq!(rig.kinds(), [rejected(RejectReason::RateLimit, 0)]);
    assert!(rig.take().is_empty());
    rig.cancel(&ticket);
    assert_eq!(rig.take_one().what, "order.cancel");
    rig.query(&ticket);
    assert_eq!(rig.take_one().what, "order.status");
    rig.advance(Nanos::from_millis(30_001));
    let after = rig.ticket();
    rig.place(&after);
    assert_eq!(rig.take_one().what, "order.place");
    // A ban stops everything.
    rig.query(&ticket);
    let query = rig.take_one();
    rig.error(&query, 418, -1003, "IP banned");
    rig.kinds();
    rig.cancel(&ticket);
    assert_eq!(rig.kinds(), [ReportKind::CancelRejected]);
    assert!(rig.take().is_empty());
}

#[test]
fn http_limits_are_heeded() {
    let mut rig = Rig::usdm();
    rig.ask(AccountQuery::Balances);
    let seen = rig.take_one();
    assert_eq!(seen.what, "GET /fapi/v3/account");
    let headers = [("Retry-After", "7"), ("X-MBX-USED-WEIGHT-1M", "2401")];
    let body = json!({"code": -1003, "msg": "Way too many requests"});
    rig.http_with(seen.id, 429, &headers, &body);
    let event = AccountEvent::SnapshotFailed(AccountQuery::Balances);
    assert_eq!(rig.out.account, [event]);
    assert_eq!(rig.gateway.weight_remaining(), Ppm(0));
    let ticket = rig.ticket();
    rig.place(&ticket);
    assert_eq!(rig.kinds(), [rejected(RejectReason::RateLimit, 0)]);
    rig.advance(Nanos::from_secs(61));
    let ticket = rig.ticket();
    rig.place(&ticket);
    assert_eq!(rig.take().len(), 1);
}

#[test]
fn the_clock_is_measured_and_questions_are_asked_again_once() {
    let mut rig = Rig::new(Dialect::BinanceSpot, KeyKind::HmacSha256);
    rig.answer_time(-7_000);
    let measured = AccountEvent::ServerTime {
        offset_nanos: -6_999_500_000,
        round_trip: Nanos::ZERO,
    };
    assert!(rig.out.account.contains(&measured));
    rig.open(Channel::Orders);
    let subscribe = rig.take_one();
    assert_eq!(subscribe.params["timestamp"], START_MS - 7_000);
    rig.ok(&subscribe, &json!({"subscriptionId": 0}));
    let (ticket, seen) = rig.placed();
    rig.error(&seen, 400, -1021, "1000ms ahead of the server's time.");
    assert_eq!(rig.kinds(), [rejected(RejectReason::Clock, -1021)]);
    rig.answer_time(2_000);
    assert!(rig.take().is_empty(), "a placement is never repeated");
    rig.query(&ticket);
    let query = rig.take_one();
    rig.error(&query, 400, -1021, "");
    assert_eq!(rig.kinds(), []);
    rig.answer_time(3_000);
    let again = rig.take_one();
    assert_eq!(again.what, "order.status");
    assert_eq!(again.params["timestamp"], START_MS + 3_000);
    rig.error(&again, 400, -1021, "");
    assert_eq!(rig.kinds(), [ReportKind::Unknown], "once");
}

#[test]
fn connections_are_replaced_before_the_venue_cuts_them() {
    let rotated = |channel| -> Vec<_> { vec![(channel, ReconnectCause::Rotation, Nanos::ZERO)] };
    let mut rig = Rig::spot();
    rig.advance(Nanos::from_secs(23 * 3_600));
    let (ticket, seen) = rig.placed();
    rig.timer();
    assert!(rig.reconnects().is_empty(), "an order is in flight");
    rig.ok(&seen, &spot_result(&ticket, "EXPIRED", "0", &json!([])));
    rig.timer();
    assert_eq!(rig.reconnects(), rotated(Channel::Orders));
    assert!(!rig.gateway.is_ready());
    let mut rig = Rig::spot();
    let shutdown = json!({"e": "serverShutdown", "E": START_MS});
    rig.frame(Channel::Orders, &json!({"event": shutdown}));
    rig.timer();
    assert_eq!(rig.reconnects(), rotated(Channel::Orders));
    let mut rig = Rig::usdm();
    rig.frame(Channel::Account, &shutdown);
    rig.timer();
    assert_eq!(rig.reconnects(), rotated(Channel::Account));
}

#[test]
fn a_terminated_stream_is_subscribed_again() {
    let mut rig = Rig::spot();
    let ended =
        json!({"subscriptionId": 0, "event": {"e": "eventStreamTerminated", "E": START_MS}});
    rig.frame(Channel::Orders, &ended);
    assert!(!rig.gateway.is_ready());
    let subscribe = rig.take_one();
    rig.error(&subscribe, 400, -2035, "Subscription is already active.");
    assert!(rig.gateway.is_ready());
    // A refused subscription costs the connection.
    rig.frame(Channel::Orders, &ended);
    let subscribe = rig.take_one();
    rig.error(&subscribe, 400, -1099, "no");
    assert_eq!(rig.reconnects()[0].1, ReconnectCause::Subscription);
}

#[test]
fn a_wrong_key_is_told_and_not_retried() {
    let mut rig = Rig::new(Dialect::BinanceSpot, KeyKind::HmacSha256);
    rig.answer_time(0);
    rig.open(Channel::Orders);
    let subscribe = rig.take_one();
    rig.error(&subscribe, 401, -2015, "Invalid API-key.");
    let refused = AccountEvent::Refused { code: -2015 };
    assert!(rig.out.account.contains(&refused));
    assert!(!rig.gateway.is_ready());
    for _ in 0..600 {
        rig.advance(Nanos::from_secs(1));
        rig.timer();
    }
    assert!(rig.reconnects().is_empty());
    assert!(
        rig.take()
            .iter()
            .all(|seen| !seen.what.contains("userDataStream"))
    );
}

#[test]
fn an_attempt_that_never_ends_is_given_up() {
    let mut rig = Rig::new(Dialect::BinanceSpot, KeyKind::HmacSha256);
    rig.answer_time(0);
    rig.advance(Nanos::from_secs(20));
    rig.timer();
    assert_eq!(rig.reconnects()[0].1, ReconnectCause::Lost);
}

// The account.

#[test]
fn open_orders_and_positions() {
    let mut rig = Rig::spot();
    rig.ask(AccountQuery::Positions);
    let nothing = AccountEvent::SnapshotDone(AccountQuery::Positions);
    assert_eq!(rig.out.account, [nothing], "spot has none");
    rig.settle();
    rig.ask(AccountQuery::OpenOrders);
    let seen = rig.take_one();
    let ticket = rig.ticket();
    let own = spot_result(&ticket, "PARTIALLY_FILLED", "0.004", &Value::Null);
    let mut foreign = own.clone();
    foreign["clientOrderId"] = json!("web_1234");
    let mut other = own.clone();
    other["symbol"] = json!("DOGEUSDT");
    rig.ok(&seen, &json!([own, foreign, other]));
    let row = |client_order_id| AccountEvent::OpenOrder {
        instrument: BTC,
        client_order_id,
        venue_order_id: 28,
        side: Side::Buy,
        price: Price(6_183_763_000_000),
        qty: Qty(1_000_000),
        filled: Qty(400_000),
    };
    assert_eq!(
        rig.out.account,
        [
            row(Some(ticket.client_order_id)),
            row(None),
            AccountEvent::SnapshotDone(AccountQuery::OpenOrders)
        ]
    );
    let mut rig = Rig::usdm();
    rig.ask(AccountQuery::Positions);
    let seen = rig.take_one();
    rig.http(
        seen.id,
        200,
        &json!([{"symbol": "ETHUSDT", "positionSide": "BOTH", "positionAmt": "-1.5", "entryPrice": "2500.1"},
            {"symbol": "XRPUSDT", "positionSide": "BOTH", "positionAmt": "7", "entryPrice": "1"}]),
    );
    let position = |instrument, qty, entry: &str| AccountEvent::Position {
        instrument,
        qty: Qty(qty),
        entry: entry.parse().unwrap(),
    };
    assert_eq!(
        rig.out.account,
        [
            position(BTC, 0, "0"),
            position(ETH, -150_000_000, "2500.1"),
            AccountEvent::SnapshotDone(AccountQuery::Positions),
        ]
    );
}

#[test]
fn own_trades_are_read_page_by_page() {
    let mut rig = Rig::usdm();
    let query = AccountQuery::Trades {
        instrument: ETH,
        since: UnixNanos::from_millis(START_MS - 1_000),
    };
    rig.ask(query);
    let seen = rig.take_one();
    assert_eq!(seen.params["startTime"], (START_MS - 1_000).to_string());
    let row = |id: i64| {
        json!({"symbol": "ETHUSDT", "id": id, "orderId": 5, "side": "SELL", "price": "2778.35", "qty": "0.005",
            "commission": "0.00555670", "commissionAsset": "USDT", "time": START_MS, "buyer": false, "maker": true})
    };
    let page: Vec<Value> = (1..=1_000).map(row).collect();
    rig.http(seen.id, 200, &Value::Array(page));
    assert!(
        rig.out.account.is_empty(),
        "a full page is followed by another"
    );
    let seen = rig.take_one();
    assert_eq!(seen.params["fromId"], "1001");
    rig.http(seen.id, 200, &json!([row(1_000), row(1_001)]));
    assert_eq!(rig.reports().len(), 1_001);
    assert_eq!(rig.out.account, [AccountEvent::SnapshotDone(query)]);
}

#[test]
fn account_updates() {
    let mut rig = Rig::usdm();
    rig.frame(
        Channel::Account,
        &json!({"e": "ACCOUNT_UPDATE", "E": START_MS, "T": START_MS, "a": {"m": "FUNDING_FEE",
            "B": [{"a": "USDT", "wb": "122624.12345678", "cw": "100.12345678", "bc": "-1.25"}],
            "P": [{"s": "BTCUSDT", "pa": "-0.5", "ep": "61000.5", "bep": "0", "cr": "200", "up": "0", "mt": "cross", "iw": "0", "ps": "BOTH"},
                  {"s": "BTCUSDT", "pa": "20", "ep": "1", "ps": "LONG"}]}}),
    );
    let asset = Asset::new("USDT").unwrap();
    assert_eq!(
        rig.out.account,
        [
            AccountEvent::BalanceChanged {
                asset,
                change: "-1.25".parse().unwrap(),
                funding: Some((
                    PaymentId {
                        time: UnixNanos(START_MS * 1_000_000),
                        balance: Some("122624.12345678".parse().unwrap()),
                    },
                    None
                )),
            },
            AccountEvent::Balance {
                asset,
                free: "122624.12345678".parse().unwrap(),
                locked: 0.into()
            },
            AccountEvent::Position {
                instrument: BTC,
                qty: Qty(-50_000_000),
                entry: "61000.5".parse().unwrap()
            },
        ]
    );
}

#[test]
fn no_secret_is_ever_printed() {
    let mut rig = Rig::spot();
    let (_, seen) = rig.placed();
    rig.error(&seen, 401, -1022, "Signature is not valid.");
    let ticket = rig.ticket();
    rig.place(&ticket);
    let text = format!("{:?} {:?}", rig.gateway, rig.out);
    assert!(!text.contains("CANARY"), "{text}");
    // What is sent carries the key's name and signatures: actions print neither.
    let rig = Rig::usdm();
    let mut out = GatewayOut::default();
    let mut gateway = rig.gateway;
    gateway.request_account(AccountQuery::Balances, rig.now, rig.time, &mut out);
    let mut spot = Rig::spot();
    let ticket = spot.ticket();
    spot.place(&ticket);
    let text = format!("{gateway:?} {out:?} {:?} {:?}", spot.gateway, spot.out);
    for word in ["the-api-key", "signature", "pqia91ma19a5s61"] {
        assert!(!text.contains(word), "{text}");
    }
}

// The venues' own messages.

fn data_folder() -> Option<PathBuf> {
    let folder = std::env::var_os("ARBALEST_DATA").map_or_else(
        || Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        PathBuf::from,
    );
    if folder.is_dir() {
        return Some(folder);
    }
    assert!(
        std::env::var_os("ARBALEST_REQUIRE_DATA").is_none(),
        "ARBALEST_REQUIRE_DATA is set and {} is absent",
        folder.display()
    );
    eprintln!("skipped: {} is absent", folder.display());
    None
}

fn fixture(folder: &Path, name: &str) -> Vec<u8> {
    std::fs::read(folder.join("fixtures").join(name))
        .unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn fixture_json(folder: &Path, name: &str) -> Value {
    serde_json::from_slice(&fixture(folder, name)).unwrap()
}

#[test]
fn venue_examples_of_events() {
    let Some(folder) = data_folder() else { return };
    // Name, reports expected, decoded (else ignored).
    let spot = [
        ("py_ws_spot_execution_report_trade", 1, true),
        ("py_ws_spot_execution_report_custom_client_id", 1, true),
        ("py_ws_spot_execution_report_calculated", 1, true),
        ("py_ws_spot_execution_report_new", 0, true),
        ("py_ws_spot_execution_report_canceled", 0, true),
        ("py_ws_spot_execution_report_pending_cancel", 0, true),
        ("py_ws_spot_execution_report_rejected", 0, true),
        ("py_ws_spot_execution_report_binance_us", 0, false),
        ("user_execution_report_new", 0, true),
        ("user_execution_report_wrapped", 0, false),
        ("user_account_position_wrapped", 0, true),
        ("user_list_status_wrapped", 0, false),
    ];
    let usdm = [
        ("py_ws_futures_order_update_liquidation", 1, true),
        ("py_ws_futures_order_update_liquidation_zero_qty", 0, true),
        ("py_ws_futures_order_update_new_price_match", 0, true),
        ("py_ws_futures_order_update_new_reduce_only_qty", 0, true),
        ("py_ws_futures_order_update_trade_reduce_only_qty", 1, true),
        ("py_ws_futures_trade_lite", 0, false),
        ("py_ws_futures_algo_update_finished", 0, false),
    ];
    let spot = spot.map(|row| (Rig::spot(), Channel::Orders, "binance-spot", row));
    let usdm = usdm.map(|row| (Rig::usdm(), Channel::Account, "binance-usdm", row));
    for (mut rig, channel, place, (name, reports, decoded)) in spot.into_iter().chain(usdm) {
        let before = *rig.gateway.counters();
        let bytes = fixture(&folder, &format!("{place}/{name}.json"));
        rig.frame_bytes(channel, &bytes);
        let after = *rig.gateway.counters();
        let found = rig.reports();
        assert_eq!(found.len(), reports, "{name}");
        assert!(
            found.iter().all(|report| report.client_order_id.is_none()),
            "{name}"
        );
        let grown = [
            after.frames_decoded - before.frames_decoded,
            after.frames_ignored - before.frames_ignored,
            after.frames_malformed - before.frames_malformed,
        ];
        let expected = if decoded { [1, 0, 0] } else { [0, 1, 0] };
        assert_eq!(grown, expected, "{name}");
    }
}

#[test]
fn venue_examples_of_answers() {
    let Some(folder) = data_folder() else { return };
    let mut rig = Rig::spot();
    // FULL answer: ten units in five executions.
    let (ticket, seen) = rig.placed();
    let mut full = fixture_json(&folder, "binance-spot/rest_new_order_full_response.json");
    full["clientOrderId"] = json!(ticket.client_order_id.to_string());
    rig.ok(&seen, &full);
    let kinds = rig.kinds();
    assert_eq!(kinds.len(), 7);
    let fees: rust_decimal::Decimal = kinds
        .iter()
        .map(|kind| match kind {
            ReportKind::Filled { fee, .. } => *fee,
            _ => rust_decimal::Decimal::ZERO,
        })
        .sum();
    assert_eq!(fees, "39.983".parse().unwrap());
    assert_eq!(kinds[6], done(1_000_000_000, true));
    rig.ask(AccountQuery::Balances);
    let seen = rig.take_one();
    assert_eq!(seen.what, "account.status");
    rig.ok(
        &seen,
        &fixture_json(&folder, "binance-spot/rest_account_response.json"),
    );
    assert_eq!(rig.out.account.len(), 3);
    let mut rig = Rig::usdm();
    rig.ask(AccountQuery::Trades {
        instrument: ETH,
        since: UnixNanos::from_millis(START_MS),
    });
    let seen = rig.take_one();
    let trades = fixture_json(&folder, "binance-usdm/py_http_futures_account_trades.json");
    rig.http(seen.id, 200, &trades);
    assert_eq!(rig.kinds().len(), 2);
    for (name, qty) in [("one_way", 0), ("hedge", 1_000_000_000)] {
        let name = format!("binance-usdm/py_http_futures_account_positions_{name}.json");
        rig.ask(AccountQuery::Positions);
        let seen = rig.take_one();
        rig.settle();
        rig.http(seen.id, 200, &fixture_json(&folder, &name));
        assert!(
            matches!(rig.out.account[0], AccountEvent::Position { qty: Qty(found), .. } if found == qty),
            "{name}"
        );
    }
}

/// The body of the `exchangeInfo` request in a cryptofeed recording: `<url> -> <time>: <body>`.
fn recorded_exchange_info(folder: &Path, name: &str) -> String {
    let file = std::fs::File::open(folder.join("recordings/cryptofeed").join(name)).unwrap();
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(file)
        .read_to_string(&mut text)
        .unwrap();
    let line = text
        .lines()
        .find(|line| line.contains("/exchangeInfo -> "))
        .unwrap();
    let (_, answer) = line.split_once(" -> ").unwrap();
    answer.split_once(": ").unwrap().1.to_owned()
}

#[test]
fn recorded_rules_fit_their_own_grids() {
    let Some(folder) = data_folder() else { return };
    // Recording, symbols listed, symbols used (the others are delivery contracts).
    for (dialect, name, listed, used) in [
        (Dialect::BinanceSpot, "BINANCE.0.gz", 1_695, 1_695),
        (Dialect::BinanceUsdm, "BINANCE_FUTURES.0.gz", 122, 119),
    ] {
        let body = recorded_exchange_info(&folder, name);
        let raw: Value = serde_json::from_str(&body).unwrap();
        assert_eq!(raw["symbols"].as_array().unwrap().len(), listed);
        let book = RuleBook::parse(dialect, body.as_bytes()).unwrap();
        assert_eq!(book.refused, []);
        assert_eq!(book.rules.len(), used);
        assert!(book.limits.weight_per_minute.is_some() && book.limits.orders.len() == 2);
        for rules in &book.rules {
            let grid = TradingRules::shared_grid(&[rules]).unwrap();
            let instrument = rules.instrument(BTC, VenueId(0), grid).unwrap();
            assert_eq!(grid.price_decimal(instrument.tick), rules.tick);
            assert_eq!(grid.qty_decimal(instrument.lot), rules.lot);
        }
    }
    let body = recorded_exchange_info(&folder, "BINANCE_FUTURES.0.gz");
    let book = RuleBook::parse(Dialect::BinanceUsdm, body.as_bytes()).unwrap();
    let rules = book.find("BTCUSDT").unwrap();
    assert_eq!(rules.symbol.to_string(), "BTC/USDT:USDT");
    assert_eq!(rules.decimals_needed(), (2, 3));
    assert_eq!(rules.price_min.to_string(), "556.72");
    assert_eq!(rules.notional_min.to_string(), "5");
    assert!(rules.has_reduce_only);
}

#[test]
fn example_rules_are_read() {
    let Some(folder) = data_folder() else { return };
    let spot = fixture(&folder, "binance-spot/rest_exchange_info_response.json");
    let book = RuleBook::parse(Dialect::BinanceSpot, &spot).unwrap();
    let rules = book.find("ETHBTC").unwrap();
    assert_eq!(rules.decimals_needed(), (8, 8), "no filters at all");
    let usdm = fixture(
        &folder,
        "binance-usdm/py_http_futures_market_exchange_info.json",
    );
    let book = RuleBook::parse(Dialect::BinanceUsdm, &usdm).unwrap();
    assert_eq!(book.limits.weight_per_minute, Some(6_000));
    assert!(book.find("BTCUSDT").is_ok());
}

// Hostile frames.

fn mutate(bytes: &mut Vec<u8>, prng: &mut Prng) {
    const WORDS: [&[u8]; 12] = [
        b"1e400",
        b"NaN",
        b"-1",
        b"null",
        b"[",
        b"{",
        b"\xFF\xFE",
        b"\"\"",
        b"99999999999999999999999999",
        b"\"x\":1,",
        b"\\u0000",
        b"}",
    ];
    let below = |prng: &mut Prng, bound: usize| {
        usize::try_from(prng.below(u64::try_from(bound).unwrap())).unwrap()
    };
    let at = below(prng, bytes.len());
    match prng.below(4) {
        0 => bytes[at] = u8::try_from(prng.below(256)).unwrap(),
        1 => bytes.truncate(at.max(1)),
        2 => {
            let word = WORDS[below(prng, WORDS.len())];
            bytes.splice(at..at, word.iter().copied());
        }
        _ => {
            let end = (at + 1 + below(prng, 12)).min(bytes.len());
            bytes.drain(at..end);
            if bytes.is_empty() {
                bytes.push(b' ');
            }
        }
    }
}

#[test]
fn mutated_frames_are_counted_and_survived() {
    let mut prng = Prng::new(20_240_808);
    let mut frames: Vec<(usize, Channel, Value)> = Vec::new();
    let ticket = Rig::spot().ticket();
    for what in [
        NEW,
        FULL,
        ("CANCELED", "CANCELED"),
        ("REJECTED", "REJECTED"),
    ] {
        let spot = spot_report(&ticket, what, ("0.01", "0.01"), 4);
        frames.push((0, Channel::Orders, spot));
        let usdm = usdm_update(&ticket, what, ("0.01", "0.01"), 4);
        frames.push((1, Channel::Account, usdm));
    }
    let result = spot_result(&ticket, "FILLED", "0.01", &json!([spot_fill(1, "0.01")]));
    let answer = json!({"id": 3, "status": 200, "result": result,
        "rateLimits": [{"rateLimitType": "ORDERS", "interval": "SECOND", "intervalNum": 10, "limit": 50, "count": 1}]});
    frames.push((0, Channel::Orders, answer));
    let position = json!({"subscriptionId": 0, "event": {"e": "outboundAccountPosition", "B": [{"a": "BTC", "f": "1", "l": "0"}]}});
    frames.push((0, Channel::Orders, position));
    let mut rigs = [Rig::spot(), Rig::usdm()];
    for round in 0..20_000_u64 {
        let count = u64::try_from(frames.len()).unwrap();
        let (which, channel, frame) = &frames[usize::try_from(prng.below(count)).unwrap()];
        let mut bytes = frame.to_string().into_bytes();
        for _ in 0..=prng.below(3) {
            mutate(&mut bytes, &mut prng);
        }
        let rig = &mut rigs[*which];
        if round.is_multiple_of(5) && rig.gateway.is_ready() {
            let ticket = rig.ticket();
            rig.place(&ticket);
        }
        rig.frame_bytes(*channel, &bytes);
        rig.advance(Nanos::from_millis(7));
        rig.timer();
        rig.settle();
    }
    let deep = "[".repeat(100_000);
    for rig in &mut rigs {
        rig.frame_bytes(Channel::Orders, deep.as_bytes());
        rig.frame_bytes(Channel::Account, format!("{{\"e\":{deep}").as_bytes());
        let counters = *rig.gateway.counters();
        assert!(counters.frames_malformed > 1_000, "{counters:?}");
        assert_eq!(
            counters.frames_received,
            counters.frames_decoded + counters.frames_ignored + counters.frames_malformed
        );
    }
}

#[test]
fn executions_that_cannot_be_are_malformed() {
    let mut rig = Rig::spot();
    let ticket = rig.ticket();
    for (field, value) in [
        ("l", json!("-0.01")),
        ("z", json!("1e2")),
        ("L", json!("0")),
        ("L", json!("-5")),
        ("n", json!("abc")),
        ("t", json!(-1)),
        ("S", json!("SIDEWAYS")),
        ("i", json!(-4)),
        ("l", json!("0.0000000001")),
    ] {
        let mut event = spot_report(&ticket, FULL, ("0.01", "0.01"), 4);
        event["event"][field] = value.clone();
        rig.frame(Channel::Orders, &event);
        assert_eq!(rig.kinds(), [], "{field} {value}");
    }
    assert_eq!(rig.gateway.counters().frames_malformed, 9);
    let doubled = r#"{"subscriptionId":0,"event":{"e":"executionReport","e":"executionReport"}}"#;
    rig.frame_bytes(Channel::Orders, doubled.as_bytes());
    assert_eq!(rig.gateway.counters().frames_malformed, 10);
}
