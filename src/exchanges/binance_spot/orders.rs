//! Binance Spot order entry: endpoints, and the parameters that differ from USD-M.

use crate::exchanges::Method;
use crate::exchanges::binance::Endpoint;
use crate::exchanges::binance::RequestKind;
use crate::exchanges::binance::params::Params;
use crate::trade::{Ticket, TimeInForce};

/// Target of the WebSocket API.
pub(crate) const ORDERS_TARGET: &str = "/ws-api/v3";

/// How each kind of request is made; `None` for what spot does not have.
pub(crate) const fn endpoint(kind: RequestKind) -> Option<Endpoint> {
    let (ws, method, path, weight) = match kind {
        RequestKind::Place => (Some("order.place"), Method::Post, "/api/v3/order", 1),
        RequestKind::Cancel => (Some("order.cancel"), Method::Delete, "/api/v3/order", 1),
        RequestKind::Query => (Some("order.status"), Method::Get, "/api/v3/order", 4),
        RequestKind::CancelAll => (
            Some("openOrders.cancelAll"),
            Method::Delete,
            "/api/v3/openOrders",
            1,
        ),
        RequestKind::OpenOrders => (
            Some("openOrders.status"),
            Method::Get,
            "/api/v3/openOrders",
            80,
        ),
        RequestKind::Balances => (Some("account.status"), Method::Get, "/api/v3/account", 20),
        RequestKind::Trades => (Some("myTrades"), Method::Get, "/api/v3/myTrades", 20),
        RequestKind::Orders => (Some("allOrders"), Method::Get, "/api/v3/allOrders", 20),
        RequestKind::Logon => (Some("session.logon"), Method::Get, "", 2),
        RequestKind::Subscribe => (Some("userDataStream.subscribe"), Method::Get, "", 2),
        RequestKind::Time => (None, Method::Get, "/api/v3/time", 1),
        RequestKind::Positions
        | RequestKind::Countdown
        | RequestKind::ListenKey
        | RequestKind::ListenKeyKeep => {
            return None;
        }
    };
    Some(Endpoint {
        ws,
        method,
        path,
        weight,
    })
}

/// Adds the order kind, its time in force and what spot adds.
///
/// There is no reduce-only on spot: the parameter would be refused, and the gate keeps such orders within the balance.
pub(crate) fn put_order_kind(ticket: &Ticket, params: &mut Params) {
    params.text("newOrderRespType", "FULL");
    if ticket.post_only {
        params.text("type", "LIMIT_MAKER");
        return;
    }
    if ticket.time_in_force == TimeInForce::Unpriced {
        params.text("type", "MARKET");
        return;
    }
    params.text("type", "LIMIT");
    params.text(
        "timeInForce",
        match ticket.time_in_force {
            TimeInForce::ImmediateOrCancel | TimeInForce::Unpriced => "IOC",
            TimeInForce::GoodTillCancel => "GTC",
            TimeInForce::FillOrKill => "FOK",
        },
    );
}
