//! The HTTP door: one request at a time a connection, keep-alive, bodies bounded.

use std::convert::Infallible;
use std::rc::Rc;
use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use crate::exchanges::Method;
use crate::sim::venue::{HttpReply, HttpRequest};
use crate::units::Nanos;

use super::handle::Counters;
use super::shared::Shared;

const BODY_BYTES_MAX: usize = 64 * 1024;
/// A depth request waits at most this long for the recorded snapshot.
const SNAPSHOT_WAIT: Duration = Duration::from_secs(5);

/// Serves one accepted socket to its end.
pub(super) async fn serve(shared: Rc<Shared>, socket: TcpStream) {
    if socket.set_nodelay(true).is_err() {
        return;
    }
    let service = service_fn(move |request| answer(Rc::clone(&shared), request));
    let connection =
        hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(socket), service);
    // An error is a client that went away in the middle: nothing is owed to it.
    drop(connection.await);
}

async fn answer(
    shared: Rc<Shared>,
    request: Request<Incoming>,
) -> Result<Response<Full<Bytes>>, Infallible> {
    Counters::add(&shared.counters.http_requests, 1);
    let Some(request) = read(request).await else {
        return Ok(plain(
            StatusCode::BAD_REQUEST,
            "{\"code\":-1000,\"msg\":\"Unreadable request.\"}",
        ));
    };
    wait_for_snapshot(&shared, &request).await;
    wait_for_fault(&shared, &request).await;
    let (reply, delay) = {
        let now = shared.now();
        let mut core = shared.core.borrow_mut();
        core.advance(now);
        (core.http(&request, now), core.http_delay())
    };
    shared.deliver_and_wake();
    shared.moved.notify_waiters();
    if delay > Nanos::ZERO {
        tokio::time::sleep(delay.as_duration()).await;
    }
    Ok(response(&reply))
}

async fn read(request: Request<Incoming>) -> Option<HttpRequest> {
    let method = match *request.method() {
        hyper::Method::GET => Method::Get,
        hyper::Method::POST => Method::Post,
        hyper::Method::PUT => Method::Put,
        hyper::Method::DELETE => Method::Delete,
        _ => return None,
    };
    let path = request.uri().path().to_owned();
    let query = request.uri().query().unwrap_or_default().to_owned();
    let api_key = request
        .headers()
        .get("x-mbx-apikey")
        .and_then(|value| value.to_str().ok())
        .map(str::to_owned);
    let body = Limited::new(request.into_body(), BODY_BYTES_MAX)
        .collect()
        .await
        .ok()?
        .to_bytes();
    let body = String::from_utf8(body.to_vec()).ok()?;
    Some(HttpRequest {
        method,
        path,
        query,
        body,
        api_key,
    })
}

/// Holds a depth request of a recorded symbol until the recording's snapshot came.
async fn wait_for_snapshot(shared: &Shared, request: &HttpRequest) {
    let waiting = async {
        loop {
            let moved = shared.moved.notified();
            if !shared.core.borrow().depth_should_wait(request) {
                return;
            }
            moved.await;
        }
    };
    // After the time-out it is answered with what there is.
    drop(tokio::time::timeout(SNAPSHOT_WAIT, waiting).await);
}

/// Holds a depth request as long as a fault wants it held.
async fn wait_for_fault(shared: &Shared, request: &HttpRequest) {
    loop {
        let moved = shared.moved.notified();
        if !shared.core.borrow().depth_is_held(request) {
            return;
        }
        moved.await;
    }
}

fn plain(status: StatusCode, body: &str) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::copy_from_slice(body.as_bytes())));
    *response.status_mut() = status;
    response
}

fn response(reply: &HttpReply) -> Response<Full<Bytes>> {
    let status = StatusCode::from_u16(reply.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut builder = Response::builder()
        .status(status)
        .header("Content-Type", "application/json;charset=UTF-8");
    for (name, value) in &reply.headers {
        builder = builder.header(name, value);
    }
    builder
        .body(Full::new(Bytes::copy_from_slice(reply.body.as_bytes())))
        .unwrap_or_else(|_| plain(StatusCode::INTERNAL_SERVER_ERROR, "{}"))
}
