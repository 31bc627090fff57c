//! Requests about orders: place, cancel, query, trades.

use crate::exchanges::Dialect;
use crate::sim::venue::VenueCore;
use crate::units::UnixNanos;

use super::error::{ApiError, refusal};
use super::json::{Obj, array};
use super::params::Params;
use super::route::Action;
use super::serve::Answer;
use super::{request, spot, usdm};

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all others are answered elsewhere"
)]
pub(crate) fn order_action(
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

fn order_body(core: &VenueCore, id: u64) -> String {
    match core.dialect() {
        Dialect::BinanceSpot => spot::order_query(core, id),
        Dialect::BinanceUsdm => usdm::order_query(core, id),
    }
}

pub(crate) fn place(
    core: &mut VenueCore,
    params: &Params,
    account: usize,
    now: UnixNanos,
) -> Result<Answer, ApiError> {
    if std::mem::take(&mut core.faults.swallow_request) {
        core.faults.fire("swallow_request");
        return Ok(Answer::Lost);
    }
    if let Some((code, message)) = core.faults.reject_next.take() {
        core.faults.fire("reject_next");
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
        core.faults.fire("swallow_ack");
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
