//! The WebSocket API: envelopes, sessions and account subscriptions.

use serde_json::Value;

use crate::exchanges::Dialect;
use crate::sim::venue::{ConnId, Outgoing, VenueCore};
use crate::units::UnixNanos;

use super::error::ApiError;
use super::json::Obj;
use super::params::Params;
use super::route::{self, Action, Guard, Route};
use super::serve::{self, Answer};
use super::{limits, sign};

/// Answers one request.
pub(crate) fn on_text(core: &mut VenueCore, conn: ConnId, text: &str, now: UnixNanos) {
    let latency = core.setup().latency.response;
    let message: Value = serde_json::from_str(text).unwrap_or(Value::Null);
    let id = message
        .get("id")
        .filter(|id| id.is_i64() || id.is_u64() || id.is_string());
    let id = id.map_or_else(|| "null".to_owned(), Value::to_string);
    let params = Params::from_json(message.get("params"));
    let method = message
        .get("method")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let is_order = matches!(method, "order.place" | "order.test");
    let (result, account) = handle(core, conn, method, &params, now);
    if result == Ok(Answer::Lost) {
        return;
    }
    let asked = params.get("returnRateLimits").map(|flag| flag != "false");
    let shows = asked
        .or_else(|| core.conns.get(conn).map(|conn| conn.show_limits))
        .unwrap_or(true);
    let limits = shows.then(|| limits::used(core, account, is_order, now));
    let body = match result {
        Ok(Answer::Body(body)) => Obj::new()
            .raw("id", &id)
            .int("status", 200)
            .raw("result", &body),
        Ok(Answer::Lost) => return,
        Err(error) => Obj::new()
            .raw("id", &id)
            .int("status", error.status)
            .raw("error", &error_body(&error, now)),
    };
    let body = match limits {
        Some(limits) => body.raw("rateLimits", &limits),
        None => body,
    };
    core.outbox
        .send(conn, Outgoing::Text(body.end()), now, latency);
}

fn error_body(error: &ApiError, now: UnixNanos) -> String {
    let body = Obj::new()
        .int("code", error.code)
        .text("msg", &error.message);
    let Some(seconds) = error.retry_after else {
        return body.end();
    };
    let until = now
        .floor_millis()
        .saturating_add(seconds.saturating_mul(1_000));
    let data = Obj::new()
        .int("serverTime", now.floor_millis())
        .int("retryAfter", until)
        .end();
    body.raw("data", &data).end()
}

type Handled = (Result<Answer, ApiError>, Option<usize>);

fn handle(
    core: &mut VenueCore,
    conn: ConnId,
    method: &str,
    params: &Params,
    now: UnixNanos,
) -> Handled {
    if method.is_empty() {
        return (Err(ApiError::new(-1135, "Invalid JSON Request")), None);
    }
    let Some(route) = route::api(core.dialect(), method, params) else {
        return (Err(ApiError::new(-1000, "Unknown method.")), None);
    };
    if let Err(error) = limits::admit(core, route.weight, now) {
        return (Err(error), None);
    }
    let account = match guard(core, conn, route, params, now) {
        Ok(account) => account,
        Err(error) => return (Err(error), None),
    };
    let result = match session_action(core, conn, route.action, params, account, now) {
        Some(result) => result.map(Answer::Body),
        None => serve::perform(core, route.action, params, account, now),
    };
    if result.is_ok() && matches!(route.action, Action::Place | Action::Cancel) {
        core.rates.return_weight(now, route.weight);
    }
    (result, account)
}

/// The account of the request, from its own key or the session's.
fn guard(
    core: &VenueCore,
    conn: ConnId,
    route: Route,
    params: &Params,
    now: UnixNanos,
) -> Result<Option<usize>, ApiError> {
    let session = core
        .conns
        .get(conn)
        .and_then(|conn| conn.session)
        .map(|(account, _)| account);
    match (route.guard, params.get("apiKey"), session) {
        (Guard::Nothing, _, session) => Ok(session),
        (Guard::Key, None, Some(account)) => Ok(Some(account)),
        (Guard::Key, key, _) => sign::by_key(core, key).map(Some),
        (Guard::Signed, None, Some(account)) => {
            sign::check_time(params, now)?;
            Ok(Some(account))
        }
        (Guard::Signed, key, _) => signed(core, key, params, false, now).map(Some),
    }
}

fn signed(
    core: &VenueCore,
    key: Option<&str>,
    params: &Params,
    ed25519_only: bool,
    now: UnixNanos,
) -> Result<usize, ApiError> {
    let key = key.ok_or_else(|| ApiError::missing("apiKey"))?;
    let account = sign::by_key(core, Some(key))?;
    if params.get("signature").is_none() {
        return Err(ApiError::missing("signature"));
    }
    sign::check_time(params, now)?;
    if let Some(setup) = core.setup().accounts.get(account) {
        if ed25519_only && setup.ed25519_public.is_none() {
            return Err(ApiError::new(
                -4056,
                "HMAC_SHA256 API key is not supported.",
            ));
        }
        sign::check_signature(setup, params, ed25519_only)?;
    }
    Ok(account)
}

/// Requests that change the connection itself; `None` for all others.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all others are answered elsewhere"
)]
fn session_action(
    core: &mut VenueCore,
    conn: ConnId,
    action: Action,
    params: &Params,
    account: Option<usize>,
    now: UnixNanos,
) -> Option<Result<String, ApiError>> {
    Some(match action {
        Action::Logon => signed(core, params.get("apiKey"), params, true, now).map(|account| {
            if let Some(conn) = core.conns.get_mut(conn) {
                conn.session = Some((account, now));
            }
            status(core, conn, now)
        }),
        Action::SessionStatus => Ok(status(core, conn, now)),
        Action::Logout => {
            if let Some(conn) = core.conns.get_mut(conn) {
                conn.session = None;
            }
            Ok(status(core, conn, now))
        }
        Action::Subscribe | Action::SubscribeSigned => subscribe(core, conn, account),
        Action::Unsubscribe => match core.conns.get_mut(conn).and_then(|conn| conn.user.take()) {
            Some(_) => Ok("{}".to_owned()),
            None => Err(ApiError::new(-2036, "Subscription is not active.")),
        },
        _ => return None,
    })
}

fn subscribe(
    core: &mut VenueCore,
    conn: ConnId,
    account: Option<usize>,
) -> Result<String, ApiError> {
    let account = account.ok_or_else(|| {
        ApiError::new(
            -2015,
            "Invalid API-key, IP, or permissions for action: log the session on first.",
        )
    })?;
    let slot = core
        .conns
        .get_mut(conn)
        .ok_or_else(|| ApiError::new(-1000, "Connection is gone."))?;
    if slot.user.is_some() {
        return Err(ApiError::new(-2035, "Subscription is already active."));
    }
    slot.user = Some(account);
    Ok("{\"subscriptionId\":0}".to_owned())
}

fn status(core: &VenueCore, conn: ConnId, now: UnixNanos) -> String {
    let conn = core.conns.get(conn);
    let session = conn.and_then(|conn| conn.session);
    let key = session
        .and_then(|(account, _)| core.setup().accounts.get(account))
        .map(|account| &account.api_key);
    let body = Obj::new();
    let body = match (key, session) {
        (Some(key), Some((_, since))) => body
            .text("apiKey", key)
            .int("authorizedSince", since.floor_millis()),
        _ => body.raw("apiKey", "null").raw("authorizedSince", "null"),
    };
    let body = body
        .int("connectedSince", core.started.floor_millis())
        .flag(
            "returnRateLimits",
            conn.is_some_and(|conn| conn.show_limits),
        )
        .int("serverTime", now.floor_millis());
    match core.dialect() {
        Dialect::BinanceSpot => body
            .flag(
                "userDataStream",
                conn.is_some_and(|conn| conn.user.is_some()),
            )
            .end(),
        Dialect::BinanceUsdm => body.end(),
    }
}
