//! An order request read from its parameters, and the order a query or cancel means.

use crate::exchanges::Dialect;
use crate::sim::venue::VenueCore;
use crate::sim::venue::book::SelfTrade;
use crate::sim::venue::order::{NewOrder, Order, OrderKind, TimeInForce};
use crate::units::{Grid, GridError, NumberError, Price, Qty, Side};

use super::error::ApiError;
use super::params::Params;

/// How much an order's answer says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ResponseKind {
    Ack,
    Result,
    Full,
}

/// The symbol a request names.
pub(crate) fn symbol(core: &VenueCore, params: &Params) -> Result<usize, ApiError> {
    let native = params
        .get("symbol")
        .ok_or_else(|| ApiError::missing("symbol"))?;
    core.symbol_index(native)
        .ok_or_else(ApiError::unknown_symbol)
}

fn number(dialect: Dialect, name: &str, error: GridError) -> ApiError {
    match error {
        GridError::Number(NumberError::TooFine) => ApiError::too_fine(dialect, name),
        GridError::Number(_) | GridError::OffGrid | GridError::TooManyDecimals => {
            ApiError::illegal(name)
        }
    }
}

fn price(dialect: Dialect, grid: Grid, params: &Params) -> Result<Price, ApiError> {
    let text = params
        .get("price")
        .ok_or_else(|| ApiError::missing("price"))?;
    grid.parse_price(text.as_bytes())
        .map_err(|error| number(dialect, "price", error))
}

/// Reads `order.place`.
pub(crate) fn new_order(
    core: &VenueCore,
    params: &Params,
) -> Result<(NewOrder, ResponseKind), ApiError> {
    let dialect = core.dialect();
    let symbol = symbol(core, params)?;
    let grid = core
        .markets
        .get(symbol)
        .map(|market| market.setup.grid)
        .ok_or_else(ApiError::unknown_symbol)?;
    let side = match params
        .get("side")
        .ok_or_else(|| ApiError::missing("side"))?
    {
        "BUY" => Side::Buy,
        "SELL" => Side::Sell,
        _ => return Err(ApiError::new(-1117, "Invalid side.")),
    };
    let (kind, time_in_force) = kind_of(dialect, params)?;
    let limit = if kind == OrderKind::Market {
        None
    } else {
        Some(price(dialect, grid, params)?)
    };
    let qty = match (params.get("quantity"), params.get("quoteOrderQty")) {
        (None, Some(_)) if kind == OrderKind::Market && dialect == Dialect::BinanceSpot => {
            quote_qty(core, symbol, side, params)?
        }
        (text, _) => {
            let text = text.ok_or_else(|| ApiError::missing("quantity"))?;
            grid.parse_qty(text.as_bytes())
                .map_err(|error| number(dialect, "quantity", error))?
        }
    };
    if let Some(position_side) = params
        .get("positionSide")
        .filter(|_| dialect == Dialect::BinanceUsdm)
        && position_side != "BOTH"
    {
        return Err(ApiError::new(
            -4061,
            "Order's position side does not match user's setting.",
        ));
    }
    let new = NewOrder {
        symbol,
        client_id: client_id(dialect, params)?,
        side,
        kind,
        time_in_force,
        price: limit,
        qty,
        reduce_only: dialect == Dialect::BinanceUsdm && params.get("reduceOnly") == Some("true"),
        self_trade: self_trade(dialect, params)?,
    };
    Ok((new, response_kind(dialect, kind, params)?))
}

fn kind_of(dialect: Dialect, params: &Params) -> Result<(OrderKind, TimeInForce), ApiError> {
    let kind = params
        .get("type")
        .ok_or_else(|| ApiError::missing("type"))?;
    let tif = params.get("timeInForce");
    let resting = |tif: Option<&str>| match tif {
        None => Err(ApiError::missing("timeInForce")),
        Some("GTC" | "GTD") => Ok(TimeInForce::Gtc),
        Some("IOC") => Ok(TimeInForce::Ioc),
        Some("FOK") => Ok(TimeInForce::Fok),
        Some(_) => Err(ApiError::new(-1115, "Invalid timeInForce.")),
    };
    match (dialect, kind) {
        (_, "MARKET") => Ok((OrderKind::Market, TimeInForce::Ioc)),
        (Dialect::BinanceSpot, "LIMIT_MAKER") => match tif {
            None => Ok((OrderKind::PostOnly, TimeInForce::Gtc)),
            Some(_) => Err(ApiError::new(
                -1106,
                "Parameter 'timeInForce' sent when not required.",
            )),
        },
        (Dialect::BinanceUsdm, "LIMIT") if tif == Some("GTX") => {
            Ok((OrderKind::PostOnly, TimeInForce::Gtc))
        }
        (_, "LIMIT") => Ok((OrderKind::Limit, resting(tif)?)),
        (
            Dialect::BinanceUsdm,
            "STOP" | "STOP_MARKET" | "TAKE_PROFIT" | "TAKE_PROFIT_MARKET" | "TRAILING_STOP_MARKET",
        ) => Err(ApiError::new(
            -4120,
            "Order type not supported for this endpoint. Please use the Algo Order API endpoints instead.",
        )),
        _ => Err(ApiError::new(-1116, "Invalid orderType.")),
    }
}

fn client_id(dialect: Dialect, params: &Params) -> Result<Option<String>, ApiError> {
    let Some(text) = params.get("newClientOrderId") else {
        return Ok(None);
    };
    let extra: &[u8] = match dialect {
        Dialect::BinanceSpot => b"-_",
        Dialect::BinanceUsdm => b"-_.:/",
    };
    let legal = text.len() <= 36
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || extra.contains(&byte));
    if legal {
        Ok(Some(text.to_owned()))
    } else {
        Err(ApiError::illegal("newClientOrderId"))
    }
}

fn self_trade(dialect: Dialect, params: &Params) -> Result<SelfTrade, ApiError> {
    match (params.get("selfTradePreventionMode"), dialect) {
        (Some("EXPIRE_TAKER"), _) => Ok(SelfTrade::ExpireTaker),
        (Some("EXPIRE_BOTH"), _) => Ok(SelfTrade::ExpireBoth),
        (Some("EXPIRE_MAKER"), _) | (None, Dialect::BinanceUsdm) => Ok(SelfTrade::ExpireMaker),
        (Some("NONE") | None, _) => Ok(SelfTrade::Allow),
        (Some(_), _) => Err(ApiError::new(-1130, "Invalid data sent for a parameter.")),
    }
}

fn response_kind(
    dialect: Dialect,
    kind: OrderKind,
    params: &Params,
) -> Result<ResponseKind, ApiError> {
    match (params.get("newOrderRespType"), dialect) {
        (Some("ACK"), _) | (None, Dialect::BinanceUsdm) => Ok(ResponseKind::Ack),
        (Some("RESULT"), _) => Ok(ResponseKind::Result),
        (Some("FULL"), Dialect::BinanceSpot) => Ok(ResponseKind::Full),
        // Limit and market orders answer in full, others briefly.
        (None, Dialect::BinanceSpot) if kind != OrderKind::PostOnly => Ok(ResponseKind::Full),
        (None, Dialect::BinanceSpot) => Ok(ResponseKind::Ack),
        (Some(_), _) => Err(ApiError::new(-1130, "Invalid data sent for a parameter.")),
    }
}

/// The base quantity that `quoteOrderQty` buys or sells now, whole lots.
fn quote_qty(
    core: &VenueCore,
    symbol: usize,
    side: Side,
    params: &Params,
) -> Result<Qty, ApiError> {
    let text = params
        .get("quoteOrderQty")
        .ok_or_else(|| ApiError::missing("quoteOrderQty"))?;
    let budget: rust_decimal::Decimal = text
        .parse()
        .map_err(|_not_a_number| ApiError::illegal("quoteOrderQty"))?;
    let market = core
        .markets
        .get(symbol)
        .ok_or_else(ApiError::unknown_symbol)?;
    let grid = market.setup.grid;
    let mut left = grid
        .notional_floor(crate::units::Money(budget))
        .map_or(0, |notional| notional.0);
    let mut total = 0_i64;
    for (price, qty) in market.depth(side.opposite(), usize::MAX) {
        let affordable = left.div_euclid(i128::from(price.0.max(1)));
        let part = i64::try_from(affordable).unwrap_or(i64::MAX).min(qty.0);
        total = total.saturating_add(part);
        left -= price.times(Qty(part)).0;
        if part < qty.0 {
            break;
        }
    }
    Ok(Qty(total).floor_to(market.setup.lot).unwrap_or_default())
}

/// The order a query or cancel names by `orderId`, `origClientOrderId`, or both.
pub(crate) fn named_order<'a>(
    core: &'a VenueCore,
    account: usize,
    params: &Params,
    missing: (i32, &str),
) -> Result<&'a Order, ApiError> {
    let symbol = symbol(core, params)?;
    let not_found = || ApiError::new(missing.0, missing.1);
    let client_id = params.get("origClientOrderId");
    let order = match (params.get("orderId"), client_id) {
        (Some(id), _) => {
            let id: u64 = id
                .parse()
                .map_err(|_not_a_number| ApiError::illegal("orderId"))?;
            core.orders.get(id)
        }
        (None, Some(client_id)) => core.orders.by_client_id(account, client_id),
        (None, None) => {
            return Err(ApiError::new(
                -1102,
                "Param 'origClientOrderId' or 'orderId' must be sent, but both were empty/null!",
            ));
        }
    };
    let order = order
        .filter(|order| order.account == account && order.symbol == symbol)
        .ok_or_else(not_found)?;
    if client_id.is_some_and(|client_id| client_id != order.client_id) {
        return Err(not_found());
    }
    Ok(order)
}
