//! A server on a free port with an engine that only writes down what it is asked, and a client that can say anything.

use std::io::{Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use arbalest::clock::{Clock, OsClock};
use arbalest::dashboard::routes::{Method, Route};
use arbalest::dashboard::schema::{Field, Kind};
use arbalest::dashboard::sign::{Message, TokenKey};
use arbalest::dashboard::{self, Bounds, Door, Handle, Keyring};
use arbalest::engine::control::{
    Caller, CloseAnswer, Control, ControlAnswer, ControlFuture, ControlRequest, DrillAnswer,
    LevelAnswer, LimitAnswer, LimitUseAnswer, LimitsAnswer, PositionAnswer, RaisedAnswer,
    RefusedRequest, StatusAnswer, WhatIfAnswer,
};
use arbalest::prng::Prng;
use arbalest::risk::Role;
use arbalest::telemetry::Lanes;
use arbalest::telemetry::Telemetry;
use tokio::sync::oneshot;

/// Longest wait for an answer.
const ANSWER_WAIT: Duration = Duration::from_secs(20);

/// What the engine was asked and told.
#[derive(Debug, Default)]
pub struct Engine {
    pub asked: Mutex<Vec<(Caller, ControlRequest)>>,
    pub refused: Mutex<Vec<RefusedRequest>>,
    /// The next answer waits for the first and then tells the second.
    pub held: Mutex<Option<(oneshot::Receiver<()>, mpsc::Sender<()>)>>,
}

impl Engine {
    /// Everything that could have changed something.
    pub fn changes(&self) -> Vec<(Caller, ControlRequest)> {
        let asked = self.asked.lock().unwrap();
        asked
            .iter()
            .filter(|(_, request)| request.is_change())
            .cloned()
            .collect()
    }
}

/// An answer of the right kind, every optional field there.
pub fn answer(request: &ControlRequest) -> ControlAnswer {
    let one = || Some(rust_decimal::Decimal::ONE);
    match request {
        ControlRequest::Status => ControlAnswer::Status(Box::new(StatusAnswer {
            exposure: one(),
            unrealized_pnl: one(),
            ..StatusAnswer::default()
        })),
        ControlRequest::Positions => ControlAnswer::Positions(vec![PositionAnswer {
            value: one(),
            unrealized_pnl: one(),
            ..PositionAnswer::default()
        }]),
        ControlRequest::Limits => ControlAnswer::Limits(vec![LimitAnswer {
            value: one(),
            use_bps: Some(1),
            ..LimitAnswer::default()
        }]),
        ControlRequest::Levels => ControlAnswer::Levels(vec![LevelAnswer::default()]),
        ControlRequest::Alerts => {
            ControlAnswer::Alerts(vec![arbalest::engine::control::AlertAnswer::default()])
        }
        ControlRequest::Closes => ControlAnswer::Closes(vec![CloseAnswer {
            slippage_cost: one(),
            ..CloseAnswer::default()
        }]),
        ControlRequest::WhatIf(_) => ControlAnswer::WhatIf(Box::new(WhatIfAnswer {
            code: Some("CODE".to_owned()),
            row: Some("PT-01".to_owned()),
            limits: vec![LimitUseAnswer {
                before: one(),
                after: one(),
                ..LimitUseAnswer::default()
            }],
            ..WhatIfAnswer::default()
        })),
        ControlRequest::Raise { .. }
        | ControlRequest::CancelAll { .. }
        | ControlRequest::ApproveRearm { .. }
        | ControlRequest::Acknowledge => ControlAnswer::Raised(RaisedAnswer::default()),
        ControlRequest::RequestRearm { .. } => ControlAnswer::Offer(Box::default()),
        ControlRequest::ProposeLimits { .. } | ControlRequest::ConfirmLimits { .. } => {
            ControlAnswer::NewLimits(Box::new(LimitsAnswer {
                token: Some("00".to_owned()),
                ..LimitsAnswer::default()
            }))
        }
        ControlRequest::Drill { .. } => ControlAnswer::Drill(DrillAnswer {
            slippage_cost: one(),
            ..DrillAnswer::default()
        }),
    }
}

impl Control for Engine {
    fn ask(&self, caller: Caller, request: ControlRequest) -> ControlFuture {
        let answer = answer(&request);
        self.asked.lock().unwrap().push((caller, request));
        let held = self.held.lock().unwrap().take();
        Box::pin(async move {
            if let Some((release, done)) = held {
                release.await.unwrap();
                done.send(()).unwrap();
            }
            Ok(answer)
        })
    }
    fn refused(&self, refused: RefusedRequest) {
        self.refused.lock().unwrap().push(refused);
    }
}

/// People of each role.
pub const PEOPLE: usize = 16;

/// Name and token of one of a role's people.
pub fn person(role: Role, which: usize) -> (String, String) {
    let place = Role::ALL.iter().position(|other| *other == role).unwrap();
    let mut chance = Prng::new(u64::try_from(place * PEOPLE + which).unwrap());
    let token = (0..4)
        .map(|_| format!("{:016x}", chance.next_u64()))
        .collect::<String>();
    (format!("{}{which}", role.label()), token)
}

pub fn keyring() -> Keyring {
    let mut text = String::new();
    for role in Role::ALL {
        for which in 0..PEOPLE {
            let (name, token) = person(role, which);
            text.push_str(&format!("{name} {} {token}\n", role.label()));
        }
    }
    Keyring::parse(&text).unwrap()
}

/// A running server.
pub struct World {
    pub engine: Arc<Engine>,
    pub hub: Arc<Telemetry>,
    pub address: SocketAddr,
    handle: Option<Handle>,
}

impl Drop for World {
    fn drop(&mut self) {
        if let Some(handle) = self.handle.take() {
            handle.stop();
        }
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// 0 when nothing came.
    pub status: u16,
    pub head: String,
    pub body: String,
}

impl Answer {
    pub fn reason(&self) -> String {
        let value: Option<serde_json::Value> = serde_json::from_str(&self.body).ok();
        value
            .and_then(|value| {
                value
                    .get("reason")
                    .and_then(|reason| reason.as_str().map(str::to_owned))
            })
            .unwrap_or_default()
    }
}

static NONCES: AtomicU64 = AtomicU64::new(1);

/// A request that the client will sign and write; change a field to attack.
#[derive(Debug, Clone)]
pub struct Ask {
    pub method: String,
    pub target: String,
    pub host: String,
    pub name: String,
    pub token: String,
    pub time: String,
    pub nonce: String,
    pub kind: Option<String>,
    pub more: Vec<String>,
    pub body: Vec<u8>,
}

impl Ask {
    /// The message whose signature is right.
    pub fn signature(&self) -> String {
        TokenKey::new(&self.token).sign(&Message {
            method: &self.method,
            host: &self.host,
            target: &self.target,
            name: &self.name,
            time: &self.time,
            nonce: &self.nonce,
            body: &self.body,
        })
    }
    /// Bytes with the right signature.
    pub fn bytes(&self) -> Vec<u8> {
        self.bytes_with(&self.signature())
    }
    /// Bytes with any signature.
    pub fn bytes_with(&self, signature: &str) -> Vec<u8> {
        let mut text = format!(
            "{} {} HTTP/1.1\r\nHost: {}\r\nX-Arbalest-Name: {}\r\nX-Arbalest-Time: {}\r\nX-Arbalest-Nonce: {}\r\nX-Arbalest-Signature: {signature}\r\n",
            self.method, self.target, self.host, self.name, self.time, self.nonce
        );
        if let Some(kind) = &self.kind {
            text.push_str(&format!(
                "Content-Type: {kind}\r\nContent-Length: {}\r\n",
                self.body.len()
            ));
        }
        for line in &self.more {
            text.push_str(line);
            text.push_str("\r\n");
        }
        text.push_str("\r\n");
        let mut bytes = text.into_bytes();
        bytes.extend_from_slice(&self.body);
        bytes
    }
}

pub fn now_ms() -> i64 {
    OsClock::new().now_unix().floor_millis()
}

pub fn nonce() -> String {
    format!("{:032x}", NONCES.fetch_add(1, Ordering::Relaxed))
}

/// A good body of a route.
pub fn good_body(route: &Route) -> String {
    let value = |field: &Field| match field.kind {
        Kind::Text(_) => "\"words\"".to_owned(),
        Kind::Word(words) => format!("\"{}\"", words[0]),
        Kind::Hex64 => format!("\"{}\"", "0f".repeat(32)),
        Kind::Decimal | Kind::Integer | Kind::Flag | Kind::Texts | Kind::Objects(_) => {
            "\"1.5\"".to_owned()
        }
    };
    let pairs: Vec<String> = route
        .request
        .iter()
        .map(|field| format!("\"{}\":{}", field.key, value(field)))
        .collect();
    format!("{{{}}}", pairs.join(","))
}

/// Refusals are answered at once, so that hundreds of them take no time.
pub fn quick() -> Bounds {
    Bounds {
        delay: Duration::ZERO,
        open_every: Duration::ZERO,
        ..Bounds::default()
    }
}

impl World {
    pub fn new() -> Self {
        Self::with(Some(keyring()), quick())
    }

    pub fn with(keyring: Option<Keyring>, bounds: Bounds) -> Self {
        let engine = Arc::new(Engine::default());
        let hub = Telemetry::new(Lanes {
            venues: vec![],
            queues: vec![],
            strategies: vec![],
        });
        let control: Arc<dyn Control> = Arc::<Engine>::clone(&engine);
        let door = Door {
            control,
            keyring,
            bounds,
        };
        let handle = dashboard::serve(
            SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            Arc::clone(&hub),
            Some(door),
        )
        .unwrap();
        // Requests of the same millisecond as the start are good; those before are not.
        Self {
            engine,
            hub,
            address: handle.address,
            handle: Some(handle),
        }
    }

    pub fn host(&self) -> String {
        self.address.to_string()
    }

    /// A good request of this role to this route.
    pub fn ask(&self, role: Role, route: &Route) -> Ask {
        self.ask_as(role, 0, route)
    }

    /// The same by one of the role's people.
    pub fn ask_as(&self, role: Role, which: usize, route: &Route) -> Ask {
        let (name, token) = person(role, which);
        let post = route.method == Method::Post;
        Ask {
            method: route.method.label().to_owned(),
            target: route.path.to_owned(),
            host: self.host(),
            name,
            token,
            time: now_ms().to_string(),
            nonce: nonce(),
            kind: post.then(|| "application/json".to_owned()),
            more: vec![],
            body: if post {
                good_body(route).into_bytes()
            } else {
                vec![]
            },
        }
    }

    pub fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(ANSWER_WAIT)).unwrap();
        stream.set_write_timeout(Some(ANSWER_WAIT)).unwrap();
        stream
    }

    /// Writes bytes and reads until the server closes. A server that closes early is no failure of the test.
    pub fn send(&self, bytes: &[u8]) -> Answer {
        let mut stream = self.connect();
        let _written: bool = stream.write_all(bytes).is_ok();
        read(&mut stream)
    }

    pub fn counted(&self, reason: &str) -> u64 {
        self.hub.control().counts().get(reason)
    }
}

/// Reads one answer.
pub fn read(stream: &mut TcpStream) -> Answer {
    let mut bytes = Vec::new();
    let mut chunk = [0; 4_096];
    while let Ok(count) = stream.read(&mut chunk) {
        if count == 0 {
            break;
        }
        bytes.extend_from_slice(&chunk[..count]);
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    let (head, body) = text.split_once("\r\n\r\n").unwrap_or((text.as_str(), ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0);
    Answer {
        status,
        head: head.to_owned(),
        body: body.to_owned(),
    }
}
