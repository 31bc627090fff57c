//! Binance USD-M order entry: endpoints, and the parameters that differ from spot.

use crate::exchanges::Method;
use crate::exchanges::binance::Endpoint;
use crate::exchanges::binance::RequestKind;
use crate::exchanges::binance::params::Params;
use crate::trade::{Ticket, TimeInForce};

/// Target of the WebSocket API.
pub(crate) const ORDERS_TARGET: &str = "/ws-fapi/v1";

/// How each kind of request is made; `None` for what USD-M does not have.
pub(crate) const fn endpoint(kind: RequestKind) -> Option<Endpoint> {
    let (ws, method, path, weight) = match kind {
        RequestKind::Place => (Some("order.place"), Method::Post, "/fapi/v1/order", 0),
        RequestKind::Cancel => (Some("order.cancel"), Method::Delete, "/fapi/v1/order", 1),
        RequestKind::Query => (Some("order.status"), Method::Get, "/fapi/v1/order", 1),
        RequestKind::CancelAll => (None, Method::Delete, "/fapi/v1/allOpenOrders", 1),
        RequestKind::OpenOrders => (None, Method::Get, "/fapi/v1/openOrders", 40),
        RequestKind::Balances => (None, Method::Get, "/fapi/v3/account", 5),
        RequestKind::Positions => (None, Method::Get, "/fapi/v3/positionRisk", 5),
        RequestKind::Trades => (None, Method::Get, "/fapi/v1/userTrades", 5),
        RequestKind::Orders => (None, Method::Get, "/fapi/v1/allOrders", 5),
        RequestKind::Countdown => (None, Method::Post, "/fapi/v1/countdownCancelAll", 10),
        RequestKind::Logon => (Some("session.logon"), Method::Get, "", 2),
        RequestKind::Time => (None, Method::Get, "/fapi/v1/time", 1),
        RequestKind::ListenKey => (None, Method::Post, "/fapi/v1/listenKey", 1),
        RequestKind::ListenKeyKeep => (None, Method::Put, "/fapi/v1/listenKey", 1),
        RequestKind::Subscribe => return None,
    };
    Some(Endpoint {
        ws,
        method,
        path,
        weight,
    })
}

/// Adds the order kind, its time in force and what futures add.
///
/// The answer is asked as ACK: executions come with the account stream, and an answer that waits for them would arrive
/// later without saying more.
pub(crate) fn put_order_kind(ticket: &Ticket, params: &mut Params) {
    params.text("newOrderRespType", "ACK");
    let kind = match (ticket.post_only, ticket.time_in_force) {
        (true, _) => Some("GTX"),
        (false, TimeInForce::ImmediateOrCancel) => Some("IOC"),
        (false, TimeInForce::GoodTillCancel) => Some("GTC"),
        (false, TimeInForce::FillOrKill) => Some("FOK"),
        (false, TimeInForce::Unpriced) => None,
    };
    match kind {
        Some(word) => {
            params.text("type", "LIMIT");
            params.text("timeInForce", word);
        }
        None => params.text("type", "MARKET"),
    }
    if ticket.reduce_only {
        params.text("reduceOnly", "true");
    }
}
