//! Does what a request wants, whichever door it came through, and writes the answer's body.

use crate::exchanges::Dialect;
use crate::sim::venue::{ListenKey, VenueCore};
use crate::units::{Nanos, UnixNanos};

use super::error::{ApiError, refusal};
use super::json::{Obj, array};
use super::params::Params;
use super::route::Action;
use super::{number, request, spot, stream, usdm};

/// How a request ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer {
    Body(String),
    /// No answer ever comes: the outcome is unknown to the client.
    Lost,
}

/// Listen keys live an hour.
const LISTEN_KEY_LIFE: Nanos = Nanos::from_secs(3_600);

/// Performs an action; `account` is there whenever the action's guard asks for one.
pub(crate) fn perform(
    core: &mut VenueCore,
    action: Action,
    params: &Params,
    account: Option<usize>,
    now: UnixNanos,
) -> Result<Answer, ApiError> {
    let account = account.ok_or_else(|| ApiError::new(-2014, "API-key format invalid."));
    let body = match action {
        Action::Ping => "{}".to_owned(),
        Action::Empty => "[]".to_owned(),
        Action::Time => Obj::new().int("serverTime", now.floor_millis()).end(),
        Action::ExchangeInfo => exchange_info(core, params, now)?,
        Action::Depth => depth(core, params, now)?,
        Action::BookTicker => book_tickers(core, params, now)?,
        Action::PremiumIndex => per_symbol(core, params, |core, symbol| {
            usdm::premium_index(core, symbol, now)
        })?,
        Action::Place => return place(core, params, account?, now),
        Action::TestPlace
        | Action::Cancel
        | Action::CancelAll
        | Action::Query
        | Action::OpenOrders
        | Action::AllOrders
        | Action::MyTrades => order_action(core, action, params, account?, now)?,
        Action::OrderCounts => super::limits::order_counts(core, account?, now),
        Action::KeyStart | Action::KeyPing | Action::KeyStop => {
            listen_key(core, action, account?, now)?
        }
        Action::Account
        | Action::Balance
        | Action::Positions
        | Action::Commission
        | Action::Countdown
        | Action::PositionSide
        | Action::MultiAssets
        | Action::Leverage
        | Action::LeverageBrackets
        | Action::MarginType => account_action(core, action, params, account?, now)?,
        // These belong to a connection and are answered where connections are known.
        Action::Logon
        | Action::SessionStatus
        | Action::Logout
        | Action::Subscribe
        | Action::SubscribeSigned
        | Action::Unsubscribe => {
            return Err(ApiError::new(-1000, "Only on a WebSocket connection."));
        }
    };
    Ok(Answer::Body(body))
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all others are answered elsewhere"
)]
fn order_action(
    core: &mut VenueCore,
    action: Action,
    params: &Params,
    account: usize,
    now: UnixNanos,
) -> Result<String, ApiError> {
    Ok(match action {
        Action::TestPlace => {
            request::new_order(core, params)?;
            "{}".to_owned()
        }
        Action::Cancel => cancel(core, params, account, now)?,
        Action::CancelAll => cancel_all(core, params, account, now)?,
        Action::Query => {
            let order =
                request::named_order(core, account, params, (-2013, "Order does not exist."))?;
            order_body(core, order.id)
        }
        Action::OpenOrders => {
            let symbol = params
                .get("symbol")
                .map(|_| request::symbol(core, params))
                .transpose()?;
            array(
                core.orders
                    .open_of(account, symbol)
                    .into_iter()
                    .map(|id| order_body(core, id)),
            )
        }
        Action::AllOrders => {
            let symbol = request::symbol(core, params)?;
            let ids: Vec<u64> = core
                .orders
                .all_of(account, symbol)
                .map(|order| order.id)
                .collect();
            let first = params
                .get("orderId")
                .and_then(|id| id.parse::<u64>().ok())
                .unwrap_or(0);
            array(
                ids.into_iter()
                    .filter(|&id| id >= first)
                    .map(|id| order_body(core, id)),
            )
        }
        Action::MyTrades => my_trades(core, params, account)?,
        _ => return Err(ApiError::new(-1000, "Not a request about orders.")),
    })
}

fn account_action(
    core: &mut VenueCore,
    action: Action,
    params: &Params,
    account: usize,
    now: UnixNanos,
) -> Result<String, ApiError> {
    match core.dialect() {
        Dialect::BinanceSpot => spot::account_action(core, action, params, account, now),
        Dialect::BinanceUsdm => usdm::account_action(core, action, params, account, now),
    }
}

fn order_body(core: &VenueCore, id: u64) -> String {
    match core.dialect() {
        Dialect::BinanceSpot => spot::order_query(core, id),
        Dialect::BinanceUsdm => usdm::order_query(core, id),
    }
}

fn exchange_info(
    core: &mut VenueCore,
    params: &Params,
    now: UnixNanos,
) -> Result<String, ApiError> {
    let mut wanted: Vec<String> = params
        .get("symbol")
        .map(str::to_owned)
        .into_iter()
        .collect();
    if let Some(list) = params.get("symbols") {
        wanted.extend(
            serde_json::from_str::<Vec<String>>(list)
                .map_err(|_not_a_number| ApiError::illegal("symbols"))?,
        );
    }
    let is_spot = core.dialect() == Dialect::BinanceSpot;
    if is_spot
        && wanted
            .iter()
            .any(|native| core.symbol_index(native).is_none())
    {
        return Err(ApiError::unknown_symbol());
    }
    let symbols: Vec<usize> = (0..core.markets.len())
        .filter(|&index| {
            let native = core.markets.get(index).map(|market| &market.setup.native);
            !is_spot || wanted.is_empty() || native.is_some_and(|native| wanted.contains(native))
        })
        .collect();
    Ok(super::info::exchange_info(core, &symbols, now))
}

fn depth(core: &mut VenueCore, params: &Params, now: UnixNanos) -> Result<String, ApiError> {
    let symbol = request::symbol(core, params)?;
    let limit: usize = match params.get("limit") {
        None if core.dialect() == Dialect::BinanceUsdm => 500,
        None => 100,
        Some(text) => text
            .parse()
            .map_err(|_not_a_number| ApiError::illegal("limit"))?,
    };
    let legal = match core.dialect() {
        Dialect::BinanceSpot => limit >= 1,
        Dialect::BinanceUsdm => [5, 10, 20, 50, 100, 500, 1_000].contains(&limit),
    };
    if !legal {
        return Err(ApiError::new(
            -4021,
            format!("{limit} is not valid depth limit"),
        ));
    }
    core.note_depth_request(symbol);
    let market = core
        .markets
        .get(symbol)
        .ok_or_else(ApiError::unknown_symbol)?;
    Ok(stream::depth_snapshot(
        core.dialect(),
        market,
        limit.min(5_000),
        now,
    ))
}

fn per_symbol(
    core: &VenueCore,
    params: &Params,
    write: impl Fn(&VenueCore, usize) -> String,
) -> Result<String, ApiError> {
    if params.get("symbol").is_some() {
        return Ok(write(core, request::symbol(core, params)?));
    }
    Ok(array(
        (0..core.markets.len()).map(|symbol| write(core, symbol)),
    ))
}

fn book_tickers(core: &VenueCore, params: &Params, now: UnixNanos) -> Result<String, ApiError> {
    let dialect = core.dialect();
    per_symbol(core, params, |core, symbol| {
        let Some(market) = core.markets.get(symbol) else {
            return String::from("{}");
        };
        let (bid, ask) = market.best();
        let (bid, ask) = (bid.unwrap_or_default(), ask.unwrap_or_default());
        let body = Obj::new()
            .text("symbol", &market.setup.native)
            .text("bidPrice", &number::price(dialect, &market.setup, bid.0))
            .text("bidQty", &number::qty(dialect, &market.setup, bid.1))
            .text("askPrice", &number::price(dialect, &market.setup, ask.0))
            .text("askQty", &number::qty(dialect, &market.setup, ask.1));
        match dialect {
            Dialect::BinanceSpot => body.end(),
            Dialect::BinanceUsdm => body
                .int("time", now.floor_millis())
                .int("lastUpdateId", market.depth_id())
                .end(),
        }
    })
}

fn place(
    core: &mut VenueCore,
    params: &Params,
    account: usize,
    now: UnixNanos,
) -> Result<Answer, ApiError> {
    if std::mem::take(&mut core.faults.swallow_request) {
        return Ok(Answer::Lost);
    }
    if let Some((code, message)) = core.faults.reject_next.take() {
        return Err(ApiError::new(code, message));
    }
    let (new, kind) = request::new_order(core, params)?;
    if !core.rates.add_order(now, account) {
        let limit = core.rates.limits().orders_per_10s;
        return Err(ApiError::new(
            -1015,
            format!("Too many new orders; current limit is {limit} orders per 10 SECOND."),
        ));
    }
    let dialect = core.dialect();
    let id = core
        .place(account, new, now)
        .map_err(|reason| refusal(dialect, reason))?;
    if std::mem::take(&mut core.faults.swallow_ack) {
        return Ok(Answer::Lost);
    }
    Ok(Answer::Body(match dialect {
        Dialect::BinanceSpot => spot::order_answer(core, id, kind),
        Dialect::BinanceUsdm => usdm::order_answer(core, id, kind),
    }))
}

fn cancel(
    core: &mut VenueCore,
    params: &Params,
    account: usize,
    now: UnixNanos,
) -> Result<String, ApiError> {
    let unknown = (-2011, "Unknown order sent.");
    let id = request::named_order(core, account, params, unknown)?.id;
    let request_id = params
        .get("newClientOrderId")
        .map_or_else(|| cancel_id(id), str::to_owned);
    if !core.cancel(id, request_id.clone(), now) {
        return Err(ApiError::new(unknown.0, unknown.1));
    }
    Ok(match core.dialect() {
        Dialect::BinanceSpot => spot::cancel_answer(core, id, &request_id),
        Dialect::BinanceUsdm => usdm::order_query(core, id),
    })
}

/// The client id a cancel request has when its sender gave none.
pub(crate) fn cancel_id(order_id: u64) -> String {
    format!("cancel{order_id:016}")
}

fn cancel_all(
    core: &mut VenueCore,
    params: &Params,
    account: usize,
    now: UnixNanos,
) -> Result<String, ApiError> {
    let symbol = request::symbol(core, params)?;
    let open = core.orders.open_of(account, Some(symbol));
    let is_spot = core.dialect() == Dialect::BinanceSpot;
    if open.is_empty() && is_spot {
        return Err(ApiError::new(-2011, "Unknown order sent."));
    }
    let mut bodies = Vec::new();
    for id in open {
        if core.cancel(id, cancel_id(id), now) {
            bodies.push(spot::cancel_answer(core, id, &cancel_id(id)));
        }
    }
    if is_spot {
        return Ok(array(bodies));
    }
    Ok(Obj::new()
        .int("code", 200)
        .text("msg", "The operation of cancel all open order is done.")
        .end())
}

fn my_trades(core: &VenueCore, params: &Params, account: usize) -> Result<String, ApiError> {
    // USD-M may ask for all symbols.
    let symbol = match (core.dialect(), params.get("symbol")) {
        (Dialect::BinanceUsdm, None) => None,
        (Dialect::BinanceSpot | Dialect::BinanceUsdm, _) => Some(request::symbol(core, params)?),
    };
    let as_number = |name| params.get(name).and_then(|text| text.parse::<i64>().ok());
    let (order_id, from_id) = (as_number("orderId"), as_number("fromId"));
    let (start, end) = (as_number("startTime"), as_number("endTime"));
    let limit = as_number("limit")
        .and_then(|limit| usize::try_from(limit).ok())
        .unwrap_or(500)
        .min(1_000);
    let same = |wanted: Option<i64>, value: u64| {
        wanted.is_none_or(|wanted| u64::try_from(wanted) == Ok(value))
    };
    let wanted: Vec<_> = core
        .orders
        .fills
        .iter()
        .filter(|fill| fill.account == account && symbol.is_none_or(|symbol| symbol == fill.symbol))
        .filter(|fill| same(order_id, fill.order_id))
        .filter(|fill| {
            from_id.is_none_or(|from| u64::try_from(from).is_ok_and(|from| fill.trade_id >= from))
        })
        .filter(|fill| start.is_none_or(|start| fill.time.floor_millis() >= start))
        .filter(|fill| end.is_none_or(|end| fill.time.floor_millis() <= end))
        .collect();
    // From an id the oldest are wanted, else the newest.
    let skip = if from_id.is_some() {
        0
    } else {
        wanted.len().saturating_sub(limit)
    };
    let write = |fill| match core.dialect() {
        Dialect::BinanceSpot => spot::trade(core, fill),
        Dialect::BinanceUsdm => usdm::trade(core, fill),
    };
    Ok(array(wanted.into_iter().skip(skip).take(limit).map(write)))
}

fn listen_key(
    core: &mut VenueCore,
    action: Action,
    account: usize,
    now: UnixNanos,
) -> Result<String, ApiError> {
    let fresh = format!(
        "{:016x}{:016x}{:016x}{:016x}",
        core.prng.next_u64(),
        core.prng.next_u64(),
        core.prng.next_u64(),
        core.prng.next_u64()
    );
    let slot = core
        .listen_keys
        .get_mut(account)
        .ok_or_else(|| ApiError::new(-2015, "Invalid API-key, IP, or permissions for action."))?;
    if slot.as_ref().is_some_and(|known| known.expires <= now) {
        *slot = None;
    }
    let expires = now.after(LISTEN_KEY_LIFE);
    match (action, &mut *slot) {
        (Action::KeyStop, _) => {
            *slot = None;
            return Ok("{}".to_owned());
        }
        (Action::KeyPing, None) => {
            return Err(ApiError::new(-1125, "This listenKey does not exist."));
        }
        (_, Some(known)) => known.expires = expires,
        (_, None) => {
            *slot = Some(ListenKey {
                key: fresh,
                expires,
            });
        }
    }
    let key = slot.as_ref().map_or("", |known| known.key.as_str());
    Ok(Obj::new().text("listenKey", key).end())
}
