//! The web server: its thread, its routes, and who may ask.
//!
//! It listens on loopback and answers only requests that name a loopback host, so that a web page somewhere else cannot
//! read it through the user's browser (DNS rebinding). What is no page and no metric goes to the control API (`api.rs`).

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc;
use std::thread::JoinHandle;

use actix_web::body::{EitherBody, MessageBody};
use actix_web::dev::{ServerHandle, ServiceRequest, ServiceResponse};
use actix_web::http::{KeepAlive, header};
use actix_web::middleware::{DefaultHeaders, Next, from_fn};
use actix_web::{App, HttpResponse, HttpServer, web};

use crate::clock::{Clock, OsClock};
use crate::priority::{Class, step_back};
use crate::telemetry::Telemetry;

use super::Bounds;
use super::api::{self, Api, Door};
use super::health::readiness;
use super::refused::Refused;

const PAGE: &str = include_str!("assets/page.html");
const STYLE: &str = include_str!("assets/page.css");
const SCRIPT: &str = include_str!("assets/page.js");
/// Only our own files, no frames, no other origin.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src data:; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
/// Connections that wait in the system's queue while all places are taken.
const BACKLOG: u32 = 1_024;

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub enum DashboardError {
    /// The address is in use or not ours.
    #[error(
        "could not listen on {address}: {source}; is another engine running? choose another [metrics] address, or port 0"
    )]
    Bind {
        /// Wanted address.
        address: SocketAddr,
        /// What the system says.
        source: std::io::Error,
    },
    /// Not a loopback address.
    #[error("dashboard address {0} was not loopback: the page has no login")]
    NotLoopback(SocketAddr),
    /// The thread or the server could not be started.
    #[error("could not start the dashboard: {0}")]
    Start(std::io::Error),
}

/// A running server. Dropping it leaves it running; [`Handle::stop`] ends it.
#[derive(Debug)]
pub struct Handle {
    /// Where it listens (the real port when 0 was asked for).
    pub address: SocketAddr,
    server: ServerHandle,
    thread: JoinHandle<()>,
}

impl Handle {
    /// Ends the server and waits for its thread.
    pub fn stop(self) {
        // The command is sent when the future is made; the thread's end is the answer.
        drop(self.server.stop(false));
        if self.thread.join().is_err() {
            tracing::warn!("dashboard thread ended by a panic");
        }
    }
}

/// Starts the server on its own thread. Without a door there is no control API.
///
/// # Errors
/// [`DashboardError`] when the address is not loopback or cannot be had.
pub fn serve(
    address: SocketAddr,
    hub: Arc<Telemetry>,
    door: Option<Door>,
) -> Result<Handle, DashboardError> {
    if !address.ip().is_loopback() {
        return Err(DashboardError::NotLoopback(address));
    }
    let (sender, receiver) = mpsc::channel();
    let thread = std::thread::Builder::new()
        .name("dashboard".to_owned())
        .spawn(move || run(address, hub, door, &sender))
        .map_err(DashboardError::Start)?;
    let ended = |_closed| DashboardError::Start(std::io::Error::other("its thread ended at once"));
    let (address, server) = receiver.recv().map_err(ended).and_then(|started| started)?;
    Ok(Handle {
        address,
        server,
        thread,
    })
}

type Started = Result<(SocketAddr, ServerHandle), DashboardError>;

fn run(
    address: SocketAddr,
    hub: Arc<Telemetry>,
    door: Option<Door>,
    started: &mpsc::Sender<Started>,
) {
    let bounds = door
        .as_ref()
        .map_or_else(Bounds::default, |door| door.bounds);
    step_back(Class::Web);
    let outcome = actix_rt::System::new().block_on(async move {
        let api = web::Data::new(Api::new(door, Arc::clone(&hub)));
        let watched = Arc::clone(&hub);
        let server = HttpServer::new(move || {
            App::new()
                .app_data(web::Data::from(Arc::clone(&hub)))
                .app_data(api.clone())
                .wrap(from_fn(only_this_machine))
                .wrap(
                    DefaultHeaders::new()
                        .add((header::CACHE_CONTROL, "no-store"))
                        .add((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
                        .add((header::REFERRER_POLICY, "no-referrer"))
                        .add((header::CONTENT_SECURITY_POLICY, POLICY)),
                )
                .service(web::resource("/").get(|| asset("text/html; charset=utf-8", PAGE)))
                .service(
                    web::resource("/assets/page.css")
                        .get(|| asset("text/css; charset=utf-8", STYLE)),
                )
                .service(
                    web::resource("/assets/page.js")
                        .get(|| asset("text/javascript; charset=utf-8", SCRIPT)),
                )
                .service(web::resource("/metrics").get(metrics))
                .service(web::resource("/status").get(status))
                .service(
                    web::resource("/healthz").get(|| asset("text/plain; charset=utf-8", "ok\n")),
                )
                .service(web::resource("/readyz").get(ready))
                .default_service(web::to(api::handle))
        })
        .workers(1)
        // One request a connection: an idle one cannot keep a place, and nothing can be smuggled behind a body.
        .keep_alive(KeepAlive::Disabled)
        .max_connections(bounds.connections)
        .backlog(BACKLOG)
        .client_request_timeout(bounds.head)
        .client_disconnect_timeout(bounds.head)
        .on_connect(move |_, data| {
            data.insert(Seen {
                hub: Arc::clone(&watched),
                asked: AtomicBool::new(false),
            });
        })
        .disable_signals()
        .bind(address)
        .map_err(|source| DashboardError::Bind { address, source })?;
        let address = server.addrs().first().copied().unwrap_or(address);
        let server = server.run();
        if started.send(Ok((address, server.handle()))).is_err() {
            return Ok(());
        }
        server.await.map_err(DashboardError::Start)
    });
    if let Err(error) = outcome
        && let Err(mpsc::SendError(unheard)) = started.send(Err(error))
    {
        tracing::error!(?unheard, "dashboard ended");
    }
}

/// A connection that ends without a whole request was malformed, slow or an idle probe: counted.
struct Seen {
    hub: Arc<Telemetry>,
    asked: AtomicBool,
}

impl Drop for Seen {
    fn drop(&mut self) {
        if !self.asked.load(Ordering::Relaxed) {
            self.hub.control().count("no_request");
        }
    }
}

/// Refuses what is not meant for this machine, before any route.
async fn only_this_machine(
    request: ServiceRequest,
    next: Next<impl MessageBody>,
) -> Result<ServiceResponse<EitherBody<impl MessageBody>>, actix_web::Error> {
    let seen = request.conn_data::<Seen>();
    let is_second = seen.is_some_and(|seen| seen.asked.swap(true, Ordering::Relaxed));
    let checked = if is_second {
        Err(Refused::Second)
    } else {
        api::check_origin(request.request())
    };
    match (checked, request.app_data::<web::Data<Api>>().cloned()) {
        (Err(refused), Some(api)) => {
            let refusal = api::refuse_early(request.request(), &api, refused).await;
            Ok(request.into_response(refusal).map_into_right_body())
        }
        (_, api) => {
            if let Some(api) = api
                && !request.path().starts_with("/api/")
            {
                api::open_turn(&api).await;
            }
            let answer = next.call(request).await;
            answer.map(ServiceResponse::map_into_left_body)
        }
    }
}

async fn asset(kind: &'static str, text: &'static str) -> HttpResponse {
    HttpResponse::Ok().content_type(kind).body(text)
}

async fn metrics(hub: web::Data<Telemetry>) -> HttpResponse {
    HttpResponse::Ok()
        .content_type("text/plain; version=0.0.4; charset=utf-8")
        .body(hub.render())
}

async fn status(hub: web::Data<Telemetry>) -> HttpResponse {
    HttpResponse::Ok().json(hub.snapshot().as_ref())
}

async fn ready(hub: web::Data<Telemetry>) -> HttpResponse {
    let answer = readiness(&hub.snapshot(), OsClock::new().now_unix());
    if answer.ready {
        HttpResponse::Ok().json(answer)
    } else {
        HttpResponse::ServiceUnavailable().json(answer)
    }
}
