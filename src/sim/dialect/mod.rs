//! The venues' wire languages from the venue's side. Deciding is `sim/venue`'s; reading and wording is here.

mod api;
mod control;
mod error;
mod info;
mod json;
mod limits;
mod number;
mod params;
mod request;
mod rest;
mod route;
mod serve;
mod serve_orders;
mod sign;
mod spot;
pub(crate) mod stream;
mod target;
mod usdm;
mod usdm_account;
mod usdm_events;
mod words;

use crate::exchanges::Dialect;
use crate::units::UnixNanos;

use super::venue::conn::ConnKind;
use super::venue::place::OrderEvent;
use super::venue::{Amount, ConnId, VenueCore};

pub(crate) use rest::{depth_symbol, http};
pub(crate) use target::{maintenance, open, parse_stream};

/// Takes a text message of a connection.
pub(crate) fn on_text(core: &mut VenueCore, conn: ConnId, text: &str, now: UnixNanos) {
    match core.conns.get(conn).map(|conn| conn.kind) {
        Some(ConnKind::Api) => api::on_text(core, conn, text, now),
        Some(ConnKind::Streams(_)) => control::on_text(core, conn, text, now),
        // Account streams by listen key take no requests.
        Some(ConnKind::Account) | None => {}
    }
}

/// The client id the venue makes when the client gave none.
pub(crate) fn generated_client_id(order_id: u64) -> String {
    format!("sim{order_id:019}")
}

/// An account event as its connection carries it.
pub(crate) fn account_envelope(kind: ConnKind, event: &str) -> String {
    match kind {
        ConnKind::Api => format!("{{\"subscriptionId\":0,\"event\":{event}}}"),
        ConnKind::Account | ConnKind::Streams(_) => event.to_owned(),
    }
}

/// Events about an order.
pub(crate) fn order_event(
    core: &VenueCore,
    id: u64,
    event: &OrderEvent,
    execution_id: u64,
    now: UnixNanos,
) -> Vec<String> {
    match core.dialect() {
        Dialect::BinanceSpot => spot::order_event(core, id, event, execution_id, now),
        Dialect::BinanceUsdm => usdm_events::order_event(core, id, event, now),
    }
}

/// The event that shows what an account holds now.
pub(crate) fn balance_event(
    core: &VenueCore,
    account: usize,
    symbol: usize,
    now: UnixNanos,
) -> Option<String> {
    match core.dialect() {
        Dialect::BinanceSpot => spot::balance_event(core, account, symbol, now),
        Dialect::BinanceUsdm => usdm_events::balance_event(core, account, symbol, now),
    }
}

/// The event of a funding payment.
pub(crate) fn funding_event(
    core: &VenueCore,
    account: usize,
    symbol: usize,
    paid: Amount,
    now: UnixNanos,
) -> String {
    usdm_events::funding_event(core, account, symbol, paid, now)
}

/// `serverShutdown` as each kind of connection says it.
pub(crate) fn shutdown_text(kind: ConnKind, combined: bool, now: UnixNanos) -> String {
    let event = json::Obj::new()
        .raw("e", "\"serverShutdown\"")
        .int("E", now.floor_millis())
        .end();
    match kind {
        ConnKind::Api => format!("{{\"event\":{event}}}"),
        ConnKind::Streams(_) if combined => super::venue::conn::envelope("!serverShutdown", &event),
        ConnKind::Streams(_) | ConnKind::Account => event,
    }
}
