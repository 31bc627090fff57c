//! One request of the control API, from its line to its answer: every check in order, each refusal counted and written down.
//!
//! Order: line, host, origin, path, method, signature's headers, body, signature, time, rate, nonce, role, fields, engine.
//! Nothing of a body is read before the headers are good, nothing is remembered before the signature is right.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use actix_web::http::StatusCode;
use actix_web::http::header::{self, HeaderMap};
use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::StreamExt as _;
use serde_json::json;

use crate::clock::{Clock, OsClock};
use crate::engine::control::{Caller, Control, ControlAnswer, ControlError, RefusedRequest};
use crate::risk::Person;
use crate::telemetry::Telemetry;

use super::guard::{Distrust, Guard};
use super::host::{is_foreign_origin, is_loopback_name};
use super::keyring::Keyring;
use super::refused::Refused;
use super::routes::{Access, Found, Method, Op, Route, find};
use super::sign::{Message, NAME_HEADER, NONCE_HEADER, SIGNATURE_HEADER, TIME_HEADER, from_hex};
use super::tarpit::{Tarpit, Turn};
use super::{BODY_BYTES_MAX, Bounds, body, openapi};

/// A rehearsal takes as long as the closes take, at most 60 s; its answer may take so much longer than others.
const DRILL_MORE: Duration = Duration::from_secs(60);
/// Refusals without a proven name that are written down in a second; the rest is counted.
const WRITTEN_PER_S: u64 = 10;

/// Who opens the door, and how long it waits.
#[derive(Debug, Clone)]
pub struct Door {
    /// The engine.
    pub control: Arc<dyn Control>,
    /// Who may; without it nothing can be changed and everything can be read.
    pub keyring: Option<Keyring>,
    /// How long and how many.
    pub bounds: Bounds,
}

/// The API's state: one server, one thread.
#[derive(Debug)]
pub(super) struct Api {
    door: Option<Door>,
    hub: Arc<Telemetry>,
    clock: OsClock,
    guard: Mutex<Guard>,
    audit: Mutex<Audit>,
    tarpit: Tarpit,
}

/// How many refusals were written this second.
#[derive(Debug, Default)]
struct Audit {
    second: i64,
    written: u64,
    unwritten: u64,
}

/// A refusal and what was known of who asked.
struct Denied {
    refused: Refused,
    name: String,
    person: Option<Person>,
}

impl From<Refused> for Denied {
    fn from(refused: Refused) -> Self {
        Self {
            refused,
            name: String::new(),
            person: None,
        }
    }
}

/// The headers of a signature, checked for their form.
struct Signature<'a> {
    name: &'a str,
    time: &'a str,
    time_ms: i64,
    nonce: &'a str,
    nonce_bytes: [u8; 16],
    mac: [u8; 32],
}

impl Api {
    pub(super) fn new(door: Option<Door>, hub: Arc<Telemetry>) -> Self {
        let clock = OsClock::new();
        hub.control().expect(&["ok", "no_request"]);
        hub.control().expect(Refused::LABELS);
        let names = door
            .as_ref()
            .and_then(|door| door.keyring.as_ref())
            .map_or(0, |keyring| keyring.lines().len());
        let bounds = door
            .as_ref()
            .map_or_else(Bounds::default, |door| door.bounds);
        Self {
            tarpit: Tarpit::new(bounds),
            guard: Mutex::new(Guard::new(names, clock.now_unix().floor_millis())),
            audit: Mutex::default(),
            door,
            hub,
            clock,
        }
    }

    fn now_ms(&self) -> i64 {
        self.clock.now_unix().floor_millis()
    }

    async fn judge(
        &self,
        request: &HttpRequest,
        payload: web::Payload,
    ) -> Result<ControlAnswerOr, Denied> {
        let route = check_line(request)?;
        if route.op == Op::OpenApi {
            return Ok(ControlAnswerOr::Document);
        }
        let door = self.door.as_ref().ok_or(Refused::NoEngine)?;
        let person = match (&door.keyring, route.method) {
            (None, Method::Post) => return Err(Refused::NoTokens.into()),
            (None, Method::Get) => {
                self.locked()
                    .accept_unknown(self.now_ms())
                    .map_err(|_rate| Refused::Rate)?;
                None
            }
            (Some(keyring), _) => Some((keyring, read_headers(request.headers())?)),
        };
        let bytes = read_body(request, payload, door.bounds.body).await?;
        let person = match person {
            None => Person::new("anyone", crate::risk::Role::Viewer),
            Some((keyring, signature)) => {
                self.authenticate(request, route, keyring, &signature, &bytes)?
            }
        };
        let denied = |refused| Denied {
            refused,
            name: person.name.clone(),
            person: Some(person.clone()),
        };
        if route.access != Access::Open && !route.access.allows(person.role) {
            return Err(denied(Refused::Role {
                role: person.role.label(),
            }));
        }
        let asked = parse(request, route, &bytes).map_err(denied)?;
        let caller = Caller {
            person: person.clone(),
            from: peer(request),
        };
        let more = if route.op == Op::Drill {
            DRILL_MORE
        } else {
            Duration::ZERO
        };
        // A task of its own: a slow answer or a lost connection must not stop it before it is written down.
        let task = tokio::spawn(door.control.ask(caller, asked));
        let wait = door.bounds.engine.saturating_add(more);
        let answer = match tokio::time::timeout(wait, task).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(_)) | Err(_) => Err(ControlError::Unavailable),
        };
        answer
            .map(ControlAnswerOr::Answer)
            .map_err(|error| denied(Refused::Engine(error)))
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, Guard> {
        self.guard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn authenticate(
        &self,
        request: &HttpRequest,
        route: &Route,
        keyring: &Keyring,
        signature: &Signature<'_>,
        body: &[u8],
    ) -> Result<Person, Denied> {
        let now_ms = self.now_ms();
        let found = keyring.find(signature.name);
        let place = found.map(|(place, _)| place);
        let denied = |refused| Denied {
            refused,
            name: signature.name.to_owned(),
            person: None,
        };
        let mut guard = self.locked();
        let locked = guard.locked_seconds(place, now_ms);
        if let (Some(seconds), false) = (locked, route.is_stop) {
            return Err(denied(Refused::Locked { seconds }));
        }
        let host = request
            .headers()
            .get(header::HOST)
            .and_then(|host| host.to_str().ok());
        let message = Message {
            method: route.method.label(),
            host: host.unwrap_or_default(),
            target: request
                .uri()
                .path_and_query()
                .map_or(route.path, |target| target.as_str()),
            name: signature.name,
            time: signature.time,
            nonce: signature.nonce,
            body,
        };
        let key = found.map_or(keyring.nobody(), |(_, line)| &line.key);
        let verified = key.verifies(&message, &signature.mac);
        let (Some((place, line)), true) = (found, verified) else {
            if let Some(seconds) = locked {
                return Err(denied(Refused::Locked { seconds }));
            }
            guard.failed(place, now_ms);
            return Err(denied(Refused::Signature));
        };
        let person = line.person.clone();
        let denied = |refused| Denied {
            refused,
            name: person.name.clone(),
            person: Some(person.clone()),
        };
        if !guard.is_timely(signature.time_ms, now_ms) {
            return Err(denied(Refused::StaleTime { now_ms }));
        }
        match guard.accept(place, signature.nonce_bytes, now_ms) {
            Ok(()) => Ok(person),
            Err(Distrust::Rate) => Err(denied(Refused::Rate)),
            Err(Distrust::Replay) => Err(denied(Refused::Replay)),
        }
    }

    /// Counts a refusal and answers it: at once to a right signature, late to everybody else.
    async fn refuse(&self, request: &HttpRequest, denied: &Denied) -> HttpResponse {
        self.write_down(request, denied);
        if denied.person.is_some() {
            return refusal(&denied.refused);
        }
        match self.tarpit.take(self.clock.now()) {
            Turn::Held(_place, delay) => {
                self.hub.control().count_delayed();
                tokio::time::sleep(delay).await;
                refusal(&denied.refused)
            }
            Turn::Crowded(wait) => {
                self.hub.control().count_crowded();
                tokio::time::sleep(wait).await;
                HttpResponse::TooManyRequests().force_close().finish()
            }
        }
    }

    fn write_down(&self, request: &HttpRequest, denied: &Denied) {
        self.hub.control().count(denied.refused.label());
        let Some(door) = &self.door else { return };
        if denied.refused == Refused::Engine(ControlError::Unavailable) {
            // Nobody refused it: the engine may still carry it out, and writes down what became of it.
            return;
        }
        let unwritten = {
            let mut audit = self.audit.lock().unwrap_or_else(PoisonError::into_inner);
            let second = self.now_ms().div_euclid(1_000);
            if audit.second != second {
                audit.second = second;
                audit.written = 0;
            }
            if audit.written >= WRITTEN_PER_S && denied.person.is_none() {
                audit.unwritten = audit.unwritten.saturating_add(1);
                return;
            }
            audit.written = audit.written.saturating_add(1);
            std::mem::take(&mut audit.unwritten)
        };
        door.control.refused(RefusedRequest {
            name: shown(&denied.name),
            role: denied
                .person
                .as_ref()
                .map(|person| person.role.label().to_owned()),
            from: peer(request),
            what: shown(&format!("{} {}", request.method(), request.uri().path())),
            reason: denied.refused.label().to_owned(),
            unwritten,
        });
    }
}

/// The engine's answer, or the description.
enum ControlAnswerOr {
    Answer(ControlAnswer),
    Document,
}

/// The handler of everything that is not the page.
pub(super) async fn handle(
    request: HttpRequest,
    payload: web::Payload,
    api: web::Data<Api>,
) -> HttpResponse {
    match api.judge(&request, payload).await {
        Ok(answer) => {
            api.hub.control().count("ok");
            match answer {
                ControlAnswerOr::Answer(answer) => HttpResponse::Ok().json(answer),
                ControlAnswerOr::Document => HttpResponse::Ok().json(openapi::document()),
            }
        }
        Err(denied) => api.refuse(&request, &denied).await,
    }
}

/// Waits until an open page may be made: nobody proved who asks for it.
pub(super) async fn open_turn(api: &Api) {
    let wait = api.tarpit.open(api.clock.now());
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
}

/// Counts and answers a refusal that was found before the routes.
pub(super) async fn refuse_early(
    request: &HttpRequest,
    api: &Api,
    refused: Refused,
) -> HttpResponse {
    api.refuse(request, &refused.into()).await
}

fn refusal(refused: &Refused) -> HttpResponse {
    let status = StatusCode::from_u16(refused.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut answer = HttpResponse::build(status);
    if let Refused::Locked { seconds } = refused {
        answer.insert_header((header::RETRY_AFTER, seconds.to_string()));
    }
    answer.json(json!({"reason": refused.label(), "message": refused.text()}))
}

fn check_line(request: &HttpRequest) -> Result<&'static Route, Refused> {
    match find(request.method().as_str(), request.uri().path()) {
        Found::Route(route) => Ok(route),
        Found::OtherMethod => Err(Refused::Method),
        Found::Nothing => Err(Refused::Path),
    }
}

/// The checks that hold for the page too: who is asked, and on whose behalf.
pub(super) fn check_origin(request: &HttpRequest) -> Result<(), Refused> {
    let uri = request.uri();
    let of_page = !uri.path().starts_with("/api/");
    if uri.authority().is_some() || uri.scheme().is_some() || !uri.path().starts_with('/') {
        return Err(Refused::RequestLine);
    }
    let host = single(request.headers(), header::HOST.as_str())
        .ok()
        .flatten();
    let Some(host) = host.filter(|host| is_loopback_name(host)) else {
        return Err(Refused::Host);
    };
    let value = |name: &str| match single(request.headers(), name) {
        Ok(value) => Ok(value),
        Err(()) => Err(Refused::Origin),
    };
    if is_foreign_origin(host, value("origin")?, value("sec-fetch-site")?) {
        return Err(Refused::Origin);
    }
    if of_page && request.method() != actix_web::http::Method::GET {
        return Err(Refused::Method);
    }
    Ok(())
}

/// The value of a header that may be there once.
fn single<'a>(headers: &'a HeaderMap, name: &str) -> Result<Option<&'a str>, ()> {
    let mut values = headers.get_all(name);
    match (values.next(), values.next()) {
        (None, _) => Ok(None),
        (Some(value), None) => value.to_str().map(Some).map_err(|_not_ascii| ()),
        (Some(_), Some(_)) => Err(()),
    }
}

fn read_headers(headers: &HeaderMap) -> Result<Signature<'_>, Refused> {
    if !headers.contains_key(SIGNATURE_HEADER) && !headers.contains_key(NAME_HEADER) {
        return Err(Refused::Unsigned);
    }
    let read = |name: &'static str| {
        single(headers, name)
            .ok()
            .flatten()
            .ok_or(Refused::Headers(name))
    };
    let (name, time, nonce) = (read(NAME_HEADER)?, read(TIME_HEADER)?, read(NONCE_HEADER)?);
    let mac = read(SIGNATURE_HEADER)?;
    if super::keyring::check_name(name).is_err() {
        return Err(Refused::Headers(NAME_HEADER));
    }
    let digits =
        time.len() <= 15 && !time.is_empty() && time.bytes().all(|byte| byte.is_ascii_digit());
    let time_ms = if digits { time.parse().ok() } else { None };
    Ok(Signature {
        name,
        time,
        time_ms: time_ms.ok_or(Refused::Headers(TIME_HEADER))?,
        nonce,
        nonce_bytes: from_hex(nonce).ok_or(Refused::Headers(NONCE_HEADER))?,
        mac: from_hex(mac).ok_or(Refused::Headers(SIGNATURE_HEADER))?,
    })
}

async fn read_body(
    request: &HttpRequest,
    mut payload: web::Payload,
    wait: Duration,
) -> Result<Vec<u8>, Refused> {
    let length = request.headers().get(header::CONTENT_LENGTH);
    let length = length
        .and_then(|length| length.to_str().ok())
        .and_then(|length| length.parse::<usize>().ok());
    if length.is_some_and(|length| length > BODY_BYTES_MAX) {
        return Err(Refused::TooLarge);
    }
    let reading = async {
        let mut bytes = Vec::new();
        while let Some(chunk) = payload.next().await {
            let chunk =
                chunk.map_err(|_broken| Refused::Body("did not arrive whole".to_owned()))?;
            if bytes.len() + chunk.len() > BODY_BYTES_MAX {
                return Err(Refused::TooLarge);
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    };
    tokio::time::timeout(wait, reading)
        .await
        .unwrap_or(Err(Refused::Slow))
}

fn parse(
    request: &HttpRequest,
    route: &Route,
    bytes: &[u8],
) -> Result<crate::engine::control::ControlRequest, Refused> {
    if request.uri().query().is_some() {
        return Err(Refused::Body(
            "a query is not read here: put the fields into the body".to_owned(),
        ));
    }
    match route.method {
        Method::Get if !bytes.is_empty() => {
            return Err(Refused::Body("a GET has no body".to_owned()));
        }
        Method::Get => {}
        Method::Post => {
            let kind = single(request.headers(), header::CONTENT_TYPE.as_str())
                .ok()
                .flatten()
                .unwrap_or_default();
            let kind = kind.split(';').next().unwrap_or_default().trim();
            if !kind.eq_ignore_ascii_case("application/json") {
                return Err(Refused::MediaType);
            }
        }
    }
    body::read(route.op, bytes).map_err(Refused::Body)
}

fn peer(request: &HttpRequest) -> String {
    request
        .peer_addr()
        .map_or_else(|| "?".to_owned(), |address| address.to_string())
}

/// Text from outside, for the record: printable ASCII and short.
fn shown(text: &str) -> String {
    let printable = |letter: char| {
        if letter.is_ascii_graphic() || letter == ' ' {
            letter
        } else {
            '?'
        }
    };
    text.chars().map(printable).take(120).collect()
}
