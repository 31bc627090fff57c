//! Which request is which: paths of the REST API and methods of the WebSocket API, their weight and their guard.

use crate::exchanges::{Dialect, Method};

use super::params::Params;

/// What a request wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Action {
    Ping,
    Time,
    ExchangeInfo,
    Depth,
    BookTicker,
    PremiumIndex,
    Place,
    TestPlace,
    Cancel,
    CancelAll,
    Query,
    OpenOrders,
    AllOrders,
    MyTrades,
    Account,
    Balance,
    Positions,
    Commission,
    OrderCounts,
    Countdown,
    PositionSide,
    MultiAssets,
    Leverage,
    LeverageBrackets,
    MarginType,
    KeyStart,
    KeyPing,
    KeyStop,
    Logon,
    SessionStatus,
    Logout,
    Subscribe,
    SubscribeSigned,
    Unsubscribe,
    Empty,
}

/// What a request must bring.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    Nothing,
    /// An API key.
    Key,
    /// Key, timestamp and signature (or, on a logged-on session, the timestamp).
    Signed,
}

/// A known request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Route {
    pub(crate) action: Action,
    pub(crate) weight: u32,
    pub(crate) guard: Guard,
}

const fn route(action: Action, weight: u32, guard: Guard) -> Option<Route> {
    Some(Route {
        action,
        weight,
        guard,
    })
}

/// A REST request.
pub(crate) fn rest(dialect: Dialect, method: Method, path: &str, params: &Params) -> Option<Route> {
    match dialect {
        Dialect::BinanceSpot => spot_rest(method, path, params),
        Dialect::BinanceUsdm => usdm_rest(method, path, params),
    }
}

fn spot_depth_weight(params: &Params) -> u32 {
    match params
        .get("limit")
        .and_then(|limit| limit.parse::<u32>().ok())
        .unwrap_or(100)
    {
        0..=100 => 5,
        101..=500 => 25,
        501..=1_000 => 50,
        _ => 250,
    }
}

fn usdm_depth_weight(params: &Params) -> u32 {
    match params
        .get("limit")
        .and_then(|limit| limit.parse::<u32>().ok())
        .unwrap_or(500)
    {
        0..=50 => 2,
        51..=100 => 5,
        101..=500 => 10,
        _ => 20,
    }
}

fn spot_rest(method: Method, path: &str, params: &Params) -> Option<Route> {
    use Action as A;
    use Guard::{Nothing, Signed};
    use Method::{Delete, Get, Post};
    let by_symbol = |with: u32, without: u32| {
        if params.get("symbol").is_some() {
            with
        } else {
            without
        }
    };
    match (method, path) {
        (Get, "/api/v3/ping") => route(A::Ping, 1, Nothing),
        (Get, "/api/v3/time") => route(A::Time, 1, Nothing),
        (Get, "/api/v3/exchangeInfo") => route(A::ExchangeInfo, 20, Nothing),
        (Get, "/api/v3/depth") => route(A::Depth, spot_depth_weight(params), Nothing),
        (Get, "/api/v3/ticker/bookTicker") => route(A::BookTicker, by_symbol(2, 4), Nothing),
        (Post, "/api/v3/order") => route(A::Place, 1, Signed),
        (Post, "/api/v3/order/test") => route(A::TestPlace, 1, Signed),
        (Delete, "/api/v3/order") => route(A::Cancel, 1, Signed),
        (Get, "/api/v3/order") => route(A::Query, 4, Signed),
        (Get, "/api/v3/openOrders") => route(A::OpenOrders, by_symbol(6, 80), Signed),
        (Delete, "/api/v3/openOrders") => route(A::CancelAll, 1, Signed),
        (Get, "/api/v3/allOrders") => route(A::AllOrders, 20, Signed),
        (Get, "/api/v3/myTrades") => route(
            A::MyTrades,
            if params.get("orderId").is_some() {
                5
            } else {
                20
            },
            Signed,
        ),
        (Get, "/api/v3/account") => route(A::Account, 20, Signed),
        (Get, "/api/v3/account/commission") => route(A::Commission, 20, Signed),
        (Get, "/api/v3/rateLimit/order") => route(A::OrderCounts, 40, Signed),
        (
            Get,
            "/sapi/v1/capital/config/getall"
            | "/sapi/v1/margin/allPairs"
            | "/sapi/v1/margin/isolated/allPairs",
        ) => route(A::Empty, 10, Guard::Key),
        _ => None,
    }
}

fn usdm_rest(method: Method, path: &str, params: &Params) -> Option<Route> {
    use Action as A;
    use Guard::{Key, Nothing, Signed};
    use Method::{Delete, Get, Post, Put};
    let by_symbol = |with: u32, without: u32| {
        if params.get("symbol").is_some() {
            with
        } else {
            without
        }
    };
    let rest = path.strip_prefix("/fapi/")?;
    let (_version, name) = rest.split_once('/')?;
    match (method, name) {
        (Get, "ping") => route(A::Ping, 1, Nothing),
        (Get, "time") => route(A::Time, 1, Nothing),
        (Get, "exchangeInfo") => route(A::ExchangeInfo, 1, Nothing),
        (Get, "depth") => route(A::Depth, usdm_depth_weight(params), Nothing),
        (Get, "ticker/bookTicker") => route(A::BookTicker, by_symbol(2, 5), Nothing),
        (Get, "premiumIndex") => route(A::PremiumIndex, by_symbol(1, 10), Nothing),
        (Post, "order") => route(A::Place, 0, Signed),
        (Post, "order/test") => route(A::TestPlace, 0, Signed),
        (Delete, "order") => route(A::Cancel, 1, Signed),
        (Get, "order") => route(A::Query, 1, Signed),
        (Get, "openOrders") => route(A::OpenOrders, by_symbol(1, 40), Signed),
        (Delete, "allOpenOrders") => route(A::CancelAll, 1, Signed),
        (Get, "allOrders") => route(A::AllOrders, 5, Signed),
        (Get, "userTrades") => route(A::MyTrades, 5, Signed),
        (Get, "account") => route(A::Account, 5, Signed),
        (Get, "balance") => route(A::Balance, 5, Signed),
        (Get, "positionRisk") => route(A::Positions, 5, Signed),
        (Get, "commissionRate") => route(A::Commission, 20, Signed),
        (Get, "rateLimit/order") => route(A::OrderCounts, 1, Signed),
        (Post, "countdownCancelAll") => route(A::Countdown, 10, Signed),
        (Get, "positionSide/dual") => route(A::PositionSide, 30, Signed),
        (Get, "multiAssetsMargin") => route(A::MultiAssets, 30, Signed),
        (Post, "leverage") => route(A::Leverage, 1, Signed),
        (Get, "leverageBracket") => route(A::LeverageBrackets, 1, Signed),
        (Post, "marginType") => route(A::MarginType, 1, Signed),
        (Post, "listenKey") => route(A::KeyStart, 1, Key),
        (Put, "listenKey") => route(A::KeyPing, 1, Key),
        (Delete, "listenKey") => route(A::KeyStop, 1, Key),
        _ => None,
    }
}

/// A method of the WebSocket API.
pub(crate) fn api(dialect: Dialect, method: &str, params: &Params) -> Option<Route> {
    use Action as A;
    use Guard::{Key, Nothing, Signed};
    let shared = match method {
        "session.logon" => route(A::Logon, 2, Nothing),
        "session.status" => route(A::SessionStatus, 2, Nothing),
        "session.logout" => route(A::Logout, 2, Nothing),
        "order.test" => route(A::TestPlace, 1, Signed),
        "order.cancel" => route(A::Cancel, 1, Signed),
        _ => None,
    };
    if shared.is_some() {
        return shared;
    }
    let by_symbol = |with: u32, without: u32| {
        if params.get("symbol").is_some() {
            with
        } else {
            without
        }
    };
    match (dialect, method) {
        (Dialect::BinanceSpot, method) => match method {
            "ping" => route(A::Ping, 1, Nothing),
            "time" => route(A::Time, 1, Nothing),
            "exchangeInfo" => route(A::ExchangeInfo, 20, Nothing),
            "depth" => route(A::Depth, spot_depth_weight(params), Nothing),
            "ticker.book" => route(A::BookTicker, by_symbol(2, 4), Nothing),
            "order.place" => route(A::Place, 1, Signed),
            "order.status" => route(A::Query, 4, Signed),
            "openOrders.status" => route(A::OpenOrders, by_symbol(6, 80), Signed),
            "openOrders.cancelAll" => route(A::CancelAll, 1, Signed),
            "allOrders" => route(A::AllOrders, 20, Signed),
            "myTrades" => route(A::MyTrades, 20, Signed),
            "account.status" => route(A::Account, 20, Signed),
            "account.commission" => route(A::Commission, 20, Signed),
            "account.rateLimits.orders" => route(A::OrderCounts, 40, Signed),
            "userDataStream.subscribe" => route(A::Subscribe, 2, Nothing),
            "userDataStream.subscribe.signature" => route(A::SubscribeSigned, 2, Signed),
            "userDataStream.unsubscribe" => route(A::Unsubscribe, 2, Nothing),
            _ => None,
        },
        (Dialect::BinanceUsdm, method) => match method.strip_prefix("v2/").unwrap_or(method) {
            "ping" => route(A::Ping, 1, Nothing),
            "time" => route(A::Time, 1, Nothing),
            "exchangeInfo" => route(A::ExchangeInfo, 1, Nothing),
            "depth" => route(A::Depth, usdm_depth_weight(params), Nothing),
            "ticker.book" => route(A::BookTicker, by_symbol(2, 5), Nothing),
            "order.place" => route(A::Place, 0, Signed),
            "order.status" => route(A::Query, 1, Signed),
            "account.status" => route(A::Account, 5, Signed),
            "account.balance" => route(A::Balance, 5, Signed),
            "account.position" => route(A::Positions, 5, Signed),
            "userDataStream.start" => route(A::KeyStart, 5, Key),
            "userDataStream.ping" => route(A::KeyPing, 1, Key),
            "userDataStream.stop" => route(A::KeyStop, 1, Key),
            _ => None,
        },
    }
}
