//! The simulated venue over real sockets, seen by raw clients that know only the venue's published protocol.
#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::too_many_lines,
    reason = "a test's helpers fail by panicking"
)]

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use arbalest::clock::{Clock, OsClock};
use arbalest::exchanges::Dialect;
use arbalest::sim::server::{Pace, VenueServer};
use arbalest::sim::tape::{
    MarketChange, Pace as TapePace, RecordedSource, RecordedTape, Tape, TapeEvent,
};
use arbalest::sim::venue::{Fault, FaultScope, RateLimits, SymbolSetup, VenueCore, VenueSetup};
use arbalest::units::{Asset, Price, Qty, Side, UnixNanos};
use aws_lc_rs::hmac;
use futures_util::{SinkExt, StreamExt};
use serde_json::{Value, json};
use tokio::net::TcpStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream};

const KEY: &str = "test-key";
const SECRET: &str = "test-secret";
const PATIENCE: Duration = Duration::from_secs(20);

/// A tape that is a list.
struct Script(VecDeque<TapeEvent>);

impl Tape for Script {
    fn peek(&self) -> Option<UnixNanos> {
        self.0.front().map(|event| event.at)
    }
    fn next(&mut self) -> Option<TapeEvent> {
        self.0.pop_front()
    }
}

fn event(at_ms: i64, change: MarketChange) -> TapeEvent {
    TapeEvent {
        at: UnixNanos::from_millis(at_ms),
        venue: 0,
        symbol: 0,
        change,
    }
}

fn place(at_ms: i64, order_id: u64, side: Side, price: i64, qty: i64) -> TapeEvent {
    event(
        at_ms,
        MarketChange::Place {
            order_id,
            side,
            price: Price(price),
            qty: Qty(qty),
            ioc: false,
        },
    )
}

/// Three levels a side around 60,000: 0.1 BTC each on spot, 10 BTC on USD-M (whose quantity step is a hundred times larger).
fn quiet_market() -> Vec<TapeEvent> {
    let asks = (0..3).map(|level| {
        place(
            0,
            10 + level,
            Side::Sell,
            6_000_100 + i64::try_from(level).unwrap() * 100,
            10_000,
        )
    });
    let bids = (0..3).map(|level| {
        place(
            0,
            20 + level,
            Side::Buy,
            6_000_000 - i64::try_from(level).unwrap() * 100,
            10_000,
        )
    });
    asks.chain(bids).collect()
}

fn now_ms() -> i64 {
    OsClock::new().now_unix().floor_millis()
}

fn setup(dialect: Dialect) -> VenueSetup {
    VenueSetup::demo(dialect, KEY, SECRET)
}

fn start(setup: VenueSetup, events: Vec<TapeEvent>, pace: Pace) -> VenueServer {
    serve(setup, Box::new(Script(events.into())), pace)
}

fn serve(setup: VenueSetup, tape: Box<dyn Tape + Send>, pace: Pace) -> VenueServer {
    // Several tests do it; the first one counts.
    drop(rustls::crypto::aws_lc_rs::default_provider().install_default());
    let core = VenueCore::new(setup, OsClock::new().now_unix());
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    VenueServer::start(core, Some(tape), pace, any, any).unwrap()
}

type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

async fn connect(server: &VenueServer, path: &str) -> Socket {
    let address = format!("{}{path}", server.ws_url());
    tokio_tungstenite::connect_async(address)
        .await
        .expect("handshake")
        .0
}

/// The next JSON text; `None` when the connection ended.
async fn read(socket: &mut Socket) -> Option<Value> {
    let text = async {
        loop {
            match socket.next().await? {
                Ok(Message::Text(text)) => return Some(text),
                Ok(Message::Close(_)) | Err(_) => return None,
                Ok(_) => {}
            }
        }
    };
    let text = tokio::time::timeout(PATIENCE, text)
        .await
        .expect("a message in time")?;
    Some(serde_json::from_str(&text).expect("JSON"))
}

async fn send(socket: &mut Socket, message: Value) {
    socket
        .send(Message::text(message.to_string()))
        .await
        .unwrap();
}

/// Reads until a message satisfies the wish.
async fn read_until(socket: &mut Socket, wanted: impl Fn(&Value) -> bool) -> Value {
    loop {
        let message = read(socket).await.expect("connection lives");
        if wanted(&message) {
            return message;
        }
    }
}

fn sign(payload: &str) -> String {
    let tag = hmac::sign(
        &hmac::Key::new(hmac::HMAC_SHA256, SECRET.as_bytes()),
        payload.as_bytes(),
    );
    tag.as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A connection to the WebSocket API. Events and answers come in any order: those not asked for yet are kept.
struct Api {
    socket: Socket,
    kept: Vec<Value>,
}

impl Api {
    async fn connect(server: &VenueServer, path: &str) -> Self {
        Self {
            socket: connect(server, path).await,
            kept: Vec::new(),
        }
    }

    /// Makes a signed request and returns its answer.
    async fn call(&mut self, id: u64, method: &str, params: &[(&str, &str)]) -> Value {
        let timestamp = now_ms().to_string();
        let mut all: BTreeMap<&str, &str> = params.iter().copied().collect();
        all.insert("apiKey", KEY);
        all.insert("timestamp", &timestamp);
        let payload = all
            .iter()
            .map(|(key, value)| format!("{key}={value}"))
            .collect::<Vec<_>>()
            .join("&");
        let signature = sign(&payload);
        let mut all: BTreeMap<&str, Value> = all
            .into_iter()
            .map(|(key, value)| (key, json!(value)))
            .collect();
        all.insert("signature", json!(signature));
        all.insert("timestamp", json!(timestamp.parse::<i64>().unwrap()));
        send(
            &mut self.socket,
            json!({"id": id, "method": method, "params": all}),
        )
        .await;
        self.until(|message| message["id"] == id).await
    }

    /// The first message, kept or new, that satisfies the wish.
    async fn until(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(place) = self.kept.iter().position(&wanted) {
            return self.kept.remove(place);
        }
        loop {
            let message = read(&mut self.socket).await.expect("connection lives");
            if wanted(&message) {
                return message;
            }
            self.kept.push(message);
        }
    }
}

/// A signed REST request; status, headers, body.
async fn rest(
    server: &VenueServer,
    method: reqwest::Method,
    path: &str,
    query: &str,
) -> (u16, reqwest::header::HeaderMap, Value) {
    let query = format!(
        "{query}{}timestamp={}",
        if query.is_empty() { "" } else { "&" },
        now_ms()
    );
    let url = format!(
        "{}{path}?{query}&signature={}",
        server.http_url(),
        sign(&query)
    );
    fetch(
        reqwest::Client::new()
            .request(method, url)
            .header("X-MBX-APIKEY", KEY),
    )
    .await
}

async fn fetch(request: reqwest::RequestBuilder) -> (u16, reqwest::header::HeaderMap, Value) {
    let answer = request.send().await.unwrap();
    let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
    let text = answer.text().await.unwrap();
    (status, headers, serde_json::from_str(&text).expect("JSON"))
}

async fn get(server: &VenueServer, target: &str) -> Value {
    fetch(reqwest::Client::new().get(format!("{}{target}", server.http_url())))
        .await
        .2
}

/// Waits until the scripted market stands.
async fn settled(server: &VenueServer, events: u64) {
    tokio::time::timeout(PATIENCE, async {
        while server.status().tape_events < events {
            tokio::task::yield_now().await;
        }
    })
    .await
    .expect("the tape plays");
}

/// A local book kept by the venue's own rule.
#[derive(Default)]
struct LocalBook {
    id: Option<u64>,
    sides: [BTreeMap<Price, String>; 2],
    applied: u64,
}

impl LocalBook {
    fn set(&mut self, side: usize, level: &Value) {
        let price: f64 = level[0].as_str().unwrap().parse().unwrap();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::float_arithmetic,
            reason = "two decimals, for a key"
        )]
        let price = Price((price * 100.0).round() as i64);
        let qty = level[1].as_str().unwrap();
        if qty.trim_matches(['0', '.']).is_empty() {
            self.sides[side].remove(&price);
        } else {
            self.sides[side].insert(price, qty.to_owned());
        }
    }
    fn snapshot(&mut self, body: &Value) {
        for (side, name) in ["bids", "asks"].into_iter().enumerate() {
            for level in body[name].as_array().unwrap() {
                self.set(side, level);
            }
        }
        self.id = body["lastUpdateId"].as_u64();
    }
    /// Applies a diff; panics on a gap.
    fn diff(&mut self, data: &Value) {
        let (first, last) = (data["U"].as_u64().unwrap(), data["u"].as_u64().unwrap());
        let id = self.id.unwrap();
        if last <= id {
            return;
        }
        assert!(first <= id + 1, "gap: {first} after {id}");
        assert!(
            self.applied == 0 || first == id + 1,
            "not contiguous: {first} after {id}"
        );
        for (side, name) in ["b", "a"].into_iter().enumerate() {
            for level in data[name].as_array().unwrap() {
                self.set(side, level);
            }
        }
        self.id = Some(last);
        self.applied += 1;
    }
    fn best(&self) -> [Option<(&Price, &String)>; 2] {
        [
            self.sides[0].last_key_value(),
            self.sides[1].first_key_value(),
        ]
    }
}

#[tokio::test]
async fn snapshot_and_diffs_are_contiguous_and_agree_with_quotes() {
    // A market that moves every 5 ms for two seconds.
    let mut events = quiet_market();
    for step in 0..400_i64 {
        let id = 1_000 + u64::try_from(step).unwrap() * 2;
        let price = 6_000_000 + (step * 37) % 90;
        events.push(place(step * 5, id, Side::Sell, price + 5, 100 + step));
        events.push(place(step * 5, id + 1, Side::Buy, price, 150 + step));
    }
    let server = start(setup(Dialect::BinanceSpot), events, Pace::RealTime);
    let mut socket = connect(&server, "/stream").await;
    let streams = json!(["btcusdt@depth@100ms", "btcusdt@bookTicker"]);
    send(
        &mut socket,
        json!({"method": "SUBSCRIBE", "params": streams, "id": "s-1"}),
    )
    .await;
    assert_eq!(
        read_until(&mut socket, |message| message["id"] == "s-1").await["result"],
        Value::Null
    );
    let first = read_until(&mut socket, |message| {
        message["stream"] == "btcusdt@depth@100ms"
    })
    .await;
    let mut book = LocalBook::default();
    book.snapshot(&get(&server, "/api/v3/depth?symbol=BTCUSDT&limit=1000").await);
    book.diff(&first["data"]);
    let (mut quotes, mut equal) = (BTreeMap::new(), 0);
    while book.applied < 12 {
        let message = read(&mut socket).await.unwrap();
        let data = &message["data"];
        if message["stream"] == "btcusdt@bookTicker" {
            let quote = ["b", "B", "a", "A"].map(|name| data[name].as_str().unwrap().to_owned());
            quotes.insert(data["u"].as_u64().unwrap(), quote);
        } else {
            book.diff(data);
            if let Some([_, bid_qty, _, ask_qty]) = quotes.get(&book.id.unwrap()) {
                equal += 1;
                let [bid, ask] = book.best().map(|best| best.map(|(_, qty)| qty.as_str()));
                assert_eq!((bid, ask), (Some(bid_qty.as_str()), Some(ask_qty.as_str())));
            }
        }
    }
    assert!(equal > 0, "no quote had a diff's id");
    server.stop();
}

#[tokio::test]
async fn spot_orders_fills_and_balances_over_the_websocket_api() {
    let server = start(setup(Dialect::BinanceSpot), quiet_market(), Pace::RealTime);
    settled(&server, 6).await;
    let mut api = Api::connect(&server, "/ws-api/v3").await;
    let answer = api.call(1, "userDataStream.subscribe.signature", &[]).await;
    assert_eq!(answer["result"]["subscriptionId"], 0);
    let again = api.call(2, "userDataStream.subscribe.signature", &[]).await;
    assert_eq!(again["error"]["code"], -2035);
    // 0.15 asked within the first level's price: 0.1 fills, the rest expires.
    let order = [
        ("symbol", "BTCUSDT"),
        ("side", "BUY"),
        ("type", "LIMIT"),
        ("timeInForce", "IOC"),
        ("price", "60001.00"),
        ("quantity", "0.15000"),
        ("newClientOrderId", "0123456789abcdef0123456789abcdef"),
    ];
    let answer = api.call(3, "order.place", &order).await;
    assert_eq!(answer["status"], 200, "{answer}");
    let result = &answer["result"];
    assert_eq!(
        (&result["status"], &result["executedQty"]),
        (&json!("EXPIRED"), &json!("0.10000000"))
    );
    assert_eq!(result["cummulativeQuoteQty"], "6000.10000000");
    assert_eq!(result["fills"][0]["commission"], "0.00010000");
    assert_eq!(result["fills"][0]["commissionAsset"], "BTC");
    assert!(
        answer["rateLimits"]
            .as_array()
            .unwrap()
            .iter()
            .any(|limit| limit["rateLimitType"] == "ORDERS")
    );
    // The same client id is free again; a resting order, then taken back.
    let order = [
        ("symbol", "BTCUSDT"),
        ("side", "SELL"),
        ("type", "LIMIT_MAKER"),
        ("price", "61000"),
        ("quantity", "0.2"),
        ("newClientOrderId", "resting"),
    ];
    let resting = api.call(4, "order.place", &order).await;
    assert_eq!(resting["status"], 200, "{resting}");
    let event = api
        .until(|message| message["event"]["B"][0]["l"] == "0.20000000")
        .await;
    let btc = event["event"]["B"]
        .as_array()
        .unwrap()
        .iter()
        .find(|entry| entry["a"] == "BTC")
        .unwrap();
    assert_eq!(
        (&btc["f"], &btc["l"]),
        (&json!("9.89990000"), &json!("0.20000000"))
    );
    let open = api
        .call(5, "openOrders.status", &[("symbol", "BTCUSDT")])
        .await;
    assert_eq!(open["result"][0]["clientOrderId"], "resting");
    let duplicate = api.call(6, "order.place", &order).await;
    assert_eq!(
        (&duplicate["status"], &duplicate["error"]["code"]),
        (&json!(400), &json!(-2010))
    );
    let cancelled = api
        .call(
            7,
            "order.cancel",
            &[("symbol", "BTCUSDT"), ("origClientOrderId", "resting")],
        )
        .await;
    assert_eq!(cancelled["result"]["status"], "CANCELED");
    let event = api
        .until(|message| message["event"]["x"] == "CANCELED")
        .await;
    assert_eq!(event["event"]["C"], "resting");
    let gone = api
        .call(
            8,
            "order.cancel",
            &[("symbol", "BTCUSDT"), ("origClientOrderId", "resting")],
        )
        .await;
    assert_eq!(gone["error"]["code"], -2011);
    let none = api
        .call(9, "openOrders.cancelAll", &[("symbol", "BTCUSDT")])
        .await;
    assert_eq!(none["error"]["code"], -2011);
    // What the account, the trades and the venue's own truth say is one thing.
    let account = api
        .call(10, "account.status", &[("omitZeroBalances", "true")])
        .await;
    let free = |asset: &str| {
        let balances = account["result"]["balances"].as_array().unwrap();
        balances
            .iter()
            .find(|entry| entry["asset"] == asset)
            .unwrap()["free"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    assert_eq!(
        (free("USDT").as_str(), free("BTC").as_str()),
        ("993999.90000000", "10.09990000")
    );
    let trades = api.call(11, "myTrades", &[("symbol", "BTCUSDT")]).await;
    let truth = server.truth(0).unwrap();
    assert_eq!(
        trades["result"].as_array().unwrap().len(),
        truth.fills.len()
    );
    assert_eq!(
        trades["result"][0]["id"].as_u64(),
        Some(truth.fills[0].trade_id)
    );
    assert!(truth.open_orders.is_empty());
    server.stop();
}

#[tokio::test]
async fn partial_fills_of_a_resting_order_reach_the_user_stream() {
    let mut events = quiet_market();
    events.push(event(
        600,
        MarketChange::Place {
            order_id: 90,
            side: Side::Sell,
            price: Price(6_000_050),
            qty: Qty(4_000),
            ioc: true,
        },
    ));
    events.push(event(
        700,
        MarketChange::Place {
            order_id: 91,
            side: Side::Sell,
            price: Price(6_000_050),
            qty: Qty(9_000),
            ioc: true,
        },
    ));
    let server = start(setup(Dialect::BinanceSpot), events, Pace::RealTime);
    settled(&server, 6).await;
    let mut api = Api::connect(&server, "/ws-api/v3").await;
    api.call(1, "userDataStream.subscribe.signature", &[]).await;
    let order = [
        ("symbol", "BTCUSDT"),
        ("side", "BUY"),
        ("type", "LIMIT"),
        ("timeInForce", "GTC"),
        ("price", "60000.50"),
        ("quantity", "0.1"),
    ];
    let answer = api.call(2, "order.place", &order).await;
    assert_eq!(answer["result"]["status"], "NEW");
    let mut seen = Vec::new();
    while seen.len() < 2 {
        let message = api.until(|message| message["event"]["x"] == "TRADE").await;
        let event = &message["event"];
        assert_eq!(event["m"], true);
        seen.push((
            event["X"].as_str().unwrap().to_owned(),
            event["l"].as_str().unwrap().to_owned(),
            event["z"].as_str().unwrap().to_owned(),
        ));
    }
    let expected = [
        ("PARTIALLY_FILLED", "0.04000000", "0.04000000"),
        ("FILLED", "0.06000000", "0.10000000"),
    ];
    assert_eq!(
        seen,
        expected.map(|(state, last, total)| (state.to_owned(), last.to_owned(), total.to_owned()))
    );
    server.stop();
}

#[tokio::test]
async fn unsigned_foreign_late_and_wrong_requests_are_refused_by_code() {
    let server = start(setup(Dialect::BinanceSpot), quiet_market(), Pace::RealTime);
    let account = format!("{}/api/v3/account", server.http_url());
    let client = reqwest::Client::new();
    let code = |reply: (u16, reqwest::header::HeaderMap, Value)| {
        (reply.0, reply.2["code"].as_i64().unwrap())
    };
    let time = format!("timestamp={}", now_ms());
    assert_eq!(code(fetch(client.get(&account)).await), (401, -2014));
    assert_eq!(
        code(fetch(client.get(&account).header("X-MBX-APIKEY", "other")).await),
        (401, -2015)
    );
    assert_eq!(
        code(
            fetch(
                client
                    .get(format!("{account}?{time}"))
                    .header("X-MBX-APIKEY", KEY)
            )
            .await
        ),
        (400, -1102)
    );
    let forged = format!("{account}?{time}&signature={}", sign("timestamp=1"));
    assert_eq!(
        code(fetch(client.get(forged).header("X-MBX-APIKEY", KEY)).await),
        (400, -1022)
    );
    let late = format!("timestamp={}", now_ms() - 6_000);
    let late = format!("{account}?{late}&signature={}", sign(&late));
    assert_eq!(
        code(fetch(client.get(late).header("X-MBX-APIKEY", KEY)).await),
        (400, -1021)
    );
    let post = |query: &'static str| rest(&server, reqwest::Method::POST, "/api/v3/order", query);
    let cases = [
        (
            "symbol=NOPEUSDT&side=BUY&type=LIMIT&timeInForce=IOC&price=60000&quantity=1",
            -1121,
        ),
        (
            "symbol=BTCUSDT&side=BUY&type=LIMIT&price=60000&quantity=1",
            -1102,
        ),
        (
            "symbol=BTCUSDT&side=HOLD&type=LIMIT&timeInForce=IOC&price=60000&quantity=1",
            -1117,
        ),
        (
            "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&price=60000.001&quantity=1",
            -1111,
        ),
        (
            "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&price=1e5&quantity=1",
            -1100,
        ),
        (
            "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&price=60000&quantity=0",
            -1013,
        ),
        (
            "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&price=60000&quantity=0.00001",
            -1013,
        ),
        (
            "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&price=60000&quantity=100",
            -2010,
        ),
        (
            "symbol=BTCUSDT&side=BUY&type=LIMIT_MAKER&price=60500&quantity=0.1",
            -2010,
        ),
        (
            "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&price=60000&quantity=1&newClientOrderId=%20",
            -1100,
        ),
    ];
    for (query, expected) in cases {
        assert_eq!(code(post(query).await), (400, expected), "{query}");
    }
    let (status, _, body) = rest(
        &server,
        reqwest::Method::GET,
        "/api/v3/order",
        "symbol=BTCUSDT&orderId=1",
    )
    .await;
    assert_eq!((status, body["code"].as_i64()), (400, Some(-2013)));
    assert!(server.truth(0).unwrap().fills.is_empty());
    server.stop();
}

#[tokio::test]
async fn weights_are_counted_and_the_limit_is_a_429() {
    let mut setup = setup(Dialect::BinanceSpot);
    setup.limits = RateLimits {
        weight_per_minute: 60,
        ..setup.limits
    };
    let server = start(setup, quiet_market(), Pace::RealTime);
    let (_, headers, _) = rest(&server, reqwest::Method::GET, "/api/v3/account", "").await;
    assert_eq!(headers["x-mbx-used-weight-1m"], "20");
    let order = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&price=50000&quantity=0.1";
    let (status, headers, _) = rest(&server, reqwest::Method::POST, "/api/v3/order", order).await;
    assert_eq!(
        (
            status,
            &headers["x-mbx-used-weight-1m"],
            &headers["x-mbx-order-count-10s"]
        ),
        (200, &"20".parse().unwrap(), &"1".parse().unwrap())
    );
    rest(&server, reqwest::Method::GET, "/api/v3/account", "").await;
    rest(&server, reqwest::Method::GET, "/api/v3/account", "").await;
    let (status, headers, body) = rest(&server, reqwest::Method::GET, "/api/v3/account", "").await;
    // A minute may have turned in between; then the count began anew.
    if headers["x-mbx-used-weight-1m"] != "20" && headers["x-mbx-used-weight-1m"] != "40" {
        assert_eq!((status, body["code"].as_i64()), (429, Some(-1003)));
        assert!(
            headers["retry-after"]
                .to_str()
                .unwrap()
                .parse::<u32>()
                .unwrap()
                <= 60
        );
    }
    server.stop();
}

#[tokio::test]
async fn usdm_positions_user_stream_and_stream_classes() {
    let mut events = quiet_market();
    let mark = MarketChange::Mark {
        mark: Price(6_000_500),
        index: Price(6_000_400),
        funding_ppb: 100_000,
        next_funding_time: UnixNanos::from_millis(4_000_000_000_000),
    };
    events.extend((0..20).map(|second| event(second * 200, mark.clone())));
    let server = start(setup(Dialect::BinanceUsdm), events, Pace::RealTime);
    settled(&server, 7).await;
    let refused = tokio_tungstenite::connect_async(format!("{}/stream", server.ws_url())).await;
    assert!(refused.is_err(), "un-routed paths are retired");
    let mut market = connect(
        &server,
        "/market/stream?streams=btcusdt@markPrice@1s/btcusdt@bookTicker",
    )
    .await;
    let message = read(&mut market).await.unwrap();
    assert_eq!(message["stream"], "btcusdt@markPrice@1s");
    assert_eq!(
        (&message["data"]["p"], &message["data"]["r"]),
        (&json!("60005.00000000"), &json!("0.00010000"))
    );
    let mut public = connect(&server, "/public/ws").await;
    send(&mut public, json!({"method": "SUBSCRIBE", "params": ["btcusdt@depth@100ms", "btcusdt@bookTicker"], "id": 1})).await;
    read_until(&mut public, |message| message["id"] == 1).await;
    let (_, _, key) = rest(&server, reqwest::Method::POST, "/fapi/v1/listenKey", "").await;
    let mut user = connect(
        &server,
        &format!(
            "/private/ws?listenKey={}",
            key["listenKey"].as_str().unwrap()
        ),
    )
    .await;
    let mut api = Api::connect(&server, "/ws-fapi/v1").await;
    let order =
        |side: &'static str, price: &'static str, qty: &'static str, reduce: &'static str| {
            [
                ("symbol", "BTCUSDT"),
                ("side", side),
                ("type", "LIMIT"),
                ("timeInForce", "IOC"),
                ("price", price),
                ("quantity", qty),
                ("reduceOnly", reduce),
                ("newOrderRespType", "RESULT"),
            ]
        };
    let none = api
        .call(
            1,
            "order.place",
            &order("SELL", "59990.00", "1.000", "true"),
        )
        .await;
    assert_eq!(none["error"]["code"], -2022);
    let bought = api
        .call(
            2,
            "order.place",
            &order("BUY", "60001.00", "2.000", "false"),
        )
        .await;
    assert_eq!(
        (
            &bought["result"]["status"],
            &bought["result"]["executedQty"]
        ),
        (&json!("FILLED"), &json!("2.000"))
    );
    assert!(
        bought["result"].get("avgPrice").is_none(),
        "gone from order entry since 2026-07"
    );
    let light = read_until(&mut user, |message| message["e"] == "TRADE_LITE").await;
    let full = read_until(&mut user, |message| message["o"]["x"] == "TRADE").await;
    assert_eq!(
        (&full["o"]["t"], &full["o"]["ap"]),
        (&light["t"], &json!("60001.00000000"))
    );
    assert_eq!(full["o"]["n"], "60.00100000");
    let update = read_until(&mut user, |message| message["e"] == "ACCOUNT_UPDATE").await;
    assert_eq!(update["a"]["P"][0]["pa"], "2.000");
    let (_, _, risk) = rest(&server, reqwest::Method::GET, "/fapi/v3/positionRisk", "").await;
    assert_eq!(
        (&risk[0]["positionAmt"], &risk[0]["entryPrice"]),
        (&json!("2.000"), &json!("60001.00000000"))
    );
    assert_eq!(risk[0]["unRealizedProfit"], "8.00000000");
    let first = read_until(&mut public, |message| message["e"] == "depthUpdate").await;
    // Reduce-only with more than the position closes it and no more.
    let closed = api
        .call(
            3,
            "order.place",
            &order("SELL", "59990.00", "5.000", "true"),
        )
        .await;
    assert_eq!(closed["result"]["executedQty"], "2.000");
    let second = read_until(&mut public, |message| message["e"] == "depthUpdate").await;
    assert_eq!(second["pu"], first["u"]);
    let truth = server.truth(0).unwrap();
    assert!(truth.positions.is_empty());
    assert_eq!(truth.fills[1].realized.exact_text(), "-2");
    let (status, _, body) = rest(
        &server,
        reqwest::Method::DELETE,
        "/fapi/v1/allOpenOrders",
        "symbol=BTCUSDT",
    )
    .await;
    assert_eq!((status, body["code"].as_i64()), (200, Some(200)));
    server.stop();
}

fn frame(at_ms: i64, stream: &str, data: &str) -> TapeEvent {
    event(
        at_ms,
        MarketChange::Frame {
            stream: Arc::from(stream),
            data: Arc::from(data),
        },
    )
}

/// Quotes before, at and after the snapshot, with odd spacing that must survive.
fn recording() -> Vec<TapeEvent> {
    let diff = |id: u64, bids: &str, asks: &str| {
        format!(
            r#"{{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":{id},"u":{id},"b":{bids},"a":{asks}}}"#
        )
    };
    let snapshot =
        r#"{"lastUpdateId":10,  "bids":[["60000.00","0.50000"]],"asks":[["60010.00","0.50000"]]}"#;
    let mut events = vec![
        frame(0, "btcusdt@depth@100ms", &diff(9, "[]", "[]")),
        frame(
            1,
            "btcusdt@depth@100ms",
            &diff(11, r#"[["60001.00","0.30000"]]"#, "[]"),
        ),
        event(
            2,
            MarketChange::Snapshot {
                data: Arc::from(snapshot),
            },
        ),
    ];
    for id in 12..2_012_u64 {
        let price = format!(r#"[["59{:03}.00","0.10000"]]"#, id.rem_euclid(900));
        events.push(frame(3, "btcusdt@depth@100ms", &diff(id, &price, "[]")));
        events.push(frame(
            3,
            "btcusdt@trade",
            &format!(r#"{{"e":"trade",  "t":{id}}}"#),
        ));
    }
    events
}

#[tokio::test]
async fn a_recording_is_delivered_verbatim_with_its_snapshot_and_matched_against() {
    let mut setup = setup(Dialect::BinanceSpot);
    setup.symbols.truncate(1);
    let events = recording();
    let mut expected: Vec<String> = Vec::new();
    for event in &events {
        if let MarketChange::Frame { stream, data } = &event.change {
            expected.push(format!(r#"{{"stream":"{stream}","data":{data}}}"#));
        }
    }
    let server = start(setup, events, Pace::Max);
    let mut socket = connect(&server, "/stream?streams=btcusdt@depth@100ms/btcusdt@trade").await;
    let mut got: Vec<String> = Vec::new();
    let mut snapshot = None;
    while got.len() < expected.len() {
        let message = tokio::time::timeout(PATIENCE, socket.next())
            .await
            .expect("in time")
            .unwrap()
            .unwrap();
        if let Message::Text(text) = message {
            got.push(text.as_str().to_owned());
        }
        if snapshot.is_none() {
            let url = format!(
                "{}/api/v3/depth?symbol=BTCUSDT&limit=1000",
                server.http_url()
            );
            snapshot = Some(reqwest::get(url).await.unwrap().text().await.unwrap());
        }
    }
    assert_eq!(got, expected);
    assert!(
        snapshot
            .unwrap()
            .starts_with(r#"{"lastUpdateId":10,  "bids""#),
        "byte for byte"
    );
    assert!(server.tape_done());
    // Our orders meet the recorded book, and what they took stays taken.
    let order = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&price=60010&quantity=0.4";
    let (_, _, first) = rest(&server, reqwest::Method::POST, "/api/v3/order", order).await;
    assert_eq!(first["executedQty"], "0.40000000");
    let (_, _, second) = rest(&server, reqwest::Method::POST, "/api/v3/order", order).await;
    assert_eq!(
        (&second["executedQty"], &second["status"]),
        (&json!("0.10000000"), &json!("EXPIRED"))
    );
    let depth = get(&server, "/api/v3/depth?symbol=BTCUSDT&limit=2").await;
    assert_eq!(
        (&depth["lastUpdateId"], &depth["bids"][0][0]),
        (&json!(2_011), &json!("60001.00000000"))
    );
    server.stop();
}

#[tokio::test]
async fn faults_do_what_their_names_say() {
    let mut events = quiet_market();
    for step in 0..600_i64 {
        let id = 1_000 + u64::try_from(step).unwrap();
        events.push(place(step * 10, id, Side::Buy, 5_990_000 + step, 100));
    }
    let server = start(setup(Dialect::BinanceSpot), events, Pace::RealTime);
    let mut socket = connect(&server, "/ws/btcusdt@depth@100ms").await;
    let before = read(&mut socket).await.unwrap();
    server.inject(Fault::DropDiffs {
        symbol: 0,
        count: 1,
    });
    let mut last = before["u"].as_u64().unwrap();
    let gap = loop {
        let diff = read(&mut socket).await.unwrap();
        if diff["U"].as_u64().unwrap() != last + 1 {
            break diff["U"].as_u64().unwrap() - last;
        }
        last = diff["u"].as_u64().unwrap();
    };
    assert!(gap > 1);
    server.inject(Fault::CrossedBook { symbol: 0 });
    let crossed = read_until(&mut socket, |diff| diff["b"][0][0] == "60001.01000000").await;
    assert!(crossed["a"].as_array().unwrap().is_empty());
    server.inject(Fault::Malformed {
        symbol: 0,
        text: "{\"u\":1e400}".to_owned(),
    });
    let text = loop {
        if let Message::Text(text) = socket.next().await.unwrap().unwrap()
            && text.contains("1e400")
        {
            break text;
        }
    };
    assert_eq!(text.as_str(), "{\"u\":1e400}");
    server.inject(Fault::AnnounceShutdown);
    read_until(&mut socket, |message| message["e"] == "serverShutdown").await;
    let mut api = Api::connect(&server, "/ws-api/v3").await;
    let order = [
        ("symbol", "BTCUSDT"),
        ("side", "BUY"),
        ("type", "LIMIT"),
        ("timeInForce", "IOC"),
        ("price", "60001.00"),
        ("quantity", "0.08"),
    ];
    server.inject(Fault::RejectNext {
        code: -1008,
        message: "overloaded".to_owned(),
    });
    assert_eq!(
        api.call(1, "order.place", &order).await["error"]["code"],
        -1008
    );
    server.inject(Fault::PartialFill { share_ppm: 250_000 });
    assert_eq!(
        api.call(2, "order.place", &order).await["result"]["executedQty"],
        "0.02000000"
    );
    server.inject(Fault::SwallowRequest);
    let order = "symbol=BTCUSDT&side=BUY&type=LIMIT&timeInForce=IOC&price=60002&quantity=0.01";
    let (status, _, body) = rest(&server, reqwest::Method::POST, "/api/v3/order", order).await;
    assert_eq!(
        (
            status,
            body["code"].as_i64(),
            server.truth(0).unwrap().fills.len()
        ),
        (503, Some(-1007), 1)
    );
    server.inject(Fault::SwallowAck);
    let (status, _, _) = rest(&server, reqwest::Method::POST, "/api/v3/order", order).await;
    assert_eq!((status, server.truth(0).unwrap().fills.len()), (503, 2));
    server.inject(Fault::RateLimit {
        count: 1,
        retry_after_s: 7,
    });
    let (status, headers, _) = rest(&server, reqwest::Method::GET, "/api/v3/account", "").await;
    assert_eq!(
        (status, headers["retry-after"].to_str().unwrap()),
        (429, "7")
    );
    server.inject(Fault::PositionPush {
        account: 0,
        symbol: 0,
        side: Side::Buy,
        qty: Qty(1_000),
        price: None,
    });
    assert_eq!(server.truth(0).unwrap().fills.len(), 3);
    server.inject(Fault::Cut(FaultScope::Streams));
    while read(&mut socket).await.is_some() {}
    assert_eq!(api.call(9, "time", &[]).await["status"], 200);
    server.stop();
}

#[tokio::test]
async fn a_taken_port_is_an_error_and_money_is_there_from_the_start() {
    let server = start(setup(Dialect::BinanceSpot), Vec::new(), Pace::RealTime);
    let core = VenueCore::new(setup(Dialect::BinanceSpot), OsClock::new().now_unix());
    let any = SocketAddr::from(([127, 0, 0, 1], 0));
    let refused =
        VenueServer::start(core, None, Pace::RealTime, server.http(), any).expect_err("taken");
    assert!(refused.to_string().contains(&server.http().to_string()));
    let usdt = Asset::new("USDT").unwrap();
    let truth = server.truth(0).unwrap();
    assert!(
        truth
            .balances
            .iter()
            .any(|balance| balance.asset == usdt && balance.free.exact_text() == "1000000")
    );
    server.stop();
}

/// Where the recordings are; `None` (said aloud) when they are absent and nobody insists.
fn recording_file(name: &str) -> Option<std::path::PathBuf> {
    let data = std::env::var_os("ARBALEST_DATA").map_or_else(
        || std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/data"),
        std::path::PathBuf::from,
    );
    let path = data.join("recordings").join(name);
    if path.exists() {
        return Some(path);
    }
    let insists = std::env::var("ARBALEST_REQUIRE_DATA").is_ok_and(|value| value == "1");
    assert!(!insists, "{} is required", path.display());
    #[expect(clippy::print_stdout, reason = "a skipped test says so")]
    {
        println!("skipped: {} is absent", path.display());
    }
    None
}

#[tokio::test]
async fn a_real_recording_arrives_whole_and_ends_in_the_known_book() {
    let Some(path) = recording_file("binance_spot_btcusdt_20240808.gz") else {
        return;
    };
    let symbol = SymbolSetup::from_recording(&path, "BTCUSDT", Dialect::BinanceSpot).unwrap();
    assert_eq!((symbol.tick, symbol.lot), (Price(1_000_000), Qty(1_000)));
    let mut setup = setup(Dialect::BinanceSpot);
    setup.symbols = vec![symbol];
    let source = RecordedSource {
        path,
        venue: 0,
        symbols: vec![("BTCUSDT".to_owned(), 0)],
    };
    let tape = RecordedTape::open(vec![source], TapePace::RECORDED).unwrap();
    let server = serve(setup, Box::new(tape), Pace::Max);
    let streams = "btcusdt@depth@100ms/btcusdt@bookTicker/btcusdt@trade";
    let mut socket = connect(&server, &format!("/stream?streams={streams}")).await;
    let mut counts = [0_u32; 3];
    let mut asked = None;
    while counts.iter().sum::<u32>() < 3_451 + 28_040 + 9_757 {
        let message = tokio::time::timeout(PATIENCE, socket.next()).await;
        let message = message.expect("in time").unwrap().unwrap();
        let Message::Text(text) = message else {
            continue;
        };
        let kind = ["@depth", "@bookTicker", "@trade"]
            .iter()
            .position(|kind| text.as_str().get(..40).unwrap().contains(kind));
        counts[kind.unwrap()] += 1;
        if asked.is_none() {
            let url = format!(
                "{}/api/v3/depth?symbol=BTCUSDT&limit=1000",
                server.http_url()
            );
            asked = Some(reqwest::get(url).await.unwrap().text().await.unwrap());
        }
    }
    assert_eq!(counts, [3_451, 28_040, 9_757]);
    assert!(asked.unwrap().starts_with("{\"lastUpdateId\":50093239218,"));
    let depth = get(&server, "/api/v3/depth?symbol=BTCUSDT&limit=5").await;
    assert_eq!(depth["lastUpdateId"], 50_093_421_584_u64);
    server.stop();
}
