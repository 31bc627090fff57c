//! USD-M answers about orders, trades and the mark.

use crate::exchanges::Dialect;
use crate::sim::venue::order::{AccountFill, Order};
use crate::sim::venue::{SymbolSetup, VenueCore};
use crate::units::{Price, Qty, Side, UnixNanos};

use super::json::Obj;
use super::number::{self, average, money};
use super::request::ResponseKind;
use super::words;

const DIALECT: Dialect = Dialect::BinanceUsdm;

pub(crate) fn price(setup: &SymbolSetup, value: Price) -> String {
    number::price(DIALECT, setup, value)
}
pub(crate) fn qty(setup: &SymbolSetup, value: Qty) -> String {
    number::qty(DIALECT, setup, value)
}

fn named(core: &VenueCore, id: u64) -> Option<(&Order, &SymbolSetup)> {
    let order = core.orders.get(id)?;
    Some((order, &core.markets.get(order.symbol)?.setup))
}

/// Fields every order answer has. An acknowledgement shows the order as it entered.
fn order_fields(order: &Order, setup: &SymbolSetup, as_entered: bool) -> Obj {
    let (status, executed) = if as_entered {
        ("NEW", Qty::ZERO)
    } else {
        (order.status.label(), order.executed)
    };
    let kind = words::kind(DIALECT, order.kind);
    Obj::new()
        .int("orderId", order.id)
        .text("symbol", &setup.native)
        .text("status", status)
        .text("clientOrderId", &order.client_id)
        .text("price", &price(setup, order.price))
        .text("origQty", &qty(setup, order.qty))
        .text("executedQty", &qty(setup, executed))
        .text("timeInForce", words::usdm_time_in_force(order))
        .text("type", kind)
        .flag("reduceOnly", order.reduce_only)
        .flag("closePosition", false)
        .text("side", words::side(order.side))
        .text("positionSide", "BOTH")
        .text("stopPrice", "0")
        .text("workingType", "CONTRACT_PRICE")
        .flag("priceProtect", false)
        .text("origType", kind)
        .text("priceMatch", "NONE")
        .text(
            "selfTradePreventionMode",
            words::self_trade(order.self_trade),
        )
        .int("goodTillDate", 0)
        .int("updateTime", order.updated.floor_millis())
}

/// Answer of `order.place`: no average price and no quote sum, as the venue answers since 2026-07.
pub(crate) fn order_answer(core: &VenueCore, id: u64, kind: ResponseKind) -> String {
    named(core, id).map_or_else(String::new, |(order, setup)| {
        order_fields(order, setup, kind == ResponseKind::Ack).end()
    })
}

/// An order as queries show it.
pub(crate) fn order_query(core: &VenueCore, id: u64) -> String {
    named(core, id).map_or_else(String::new, |(order, setup)| {
        order_fields(order, setup, false)
            .text("avgPrice", &average(setup, order.quote, order.executed))
            .text("cumQuote", &money(order.quote))
            .int("time", order.created.floor_millis())
            .end()
    })
}

/// An entry of `userTrades`.
pub(crate) fn trade(core: &VenueCore, fill: &AccountFill) -> String {
    let Some(market) = core.markets.get(fill.symbol) else {
        return String::from("{}");
    };
    let setup = &market.setup;
    Obj::new()
        .text("symbol", &setup.native)
        .int("id", fill.trade_id)
        .int("orderId", fill.order_id)
        .text("side", words::side(fill.side))
        .text("price", &price(setup, fill.price))
        .text("qty", &qty(setup, fill.qty))
        .text("realizedPnl", &money(fill.realized))
        .text("quoteQty", &money(fill.quote))
        .text("commission", &money(fill.fee))
        .text("commissionAsset", fill.fee_asset.as_str())
        .int("time", fill.time.floor_millis())
        .text("positionSide", "BOTH")
        .flag("buyer", fill.side == Side::Buy)
        .flag("maker", fill.is_maker)
        .end()
}

/// An entry of `premiumIndex`.
pub(crate) fn premium_index(core: &VenueCore, symbol: usize, now: UnixNanos) -> String {
    let Some(market) = core.markets.get(symbol) else {
        return String::from("{}");
    };
    let setup = &market.setup;
    let fine = |value: Option<Price>| {
        number::price(Dialect::BinanceSpot, setup, value.unwrap_or_default())
    };
    let state = market.mark;
    Obj::new()
        .text("symbol", &setup.native)
        .text("markPrice", &fine(market.mark_price()))
        .text(
            "indexPrice",
            &fine(
                state
                    .map(|state| state.index)
                    .or_else(|| market.mark_price()),
            ),
        )
        .text("estimatedSettlePrice", &fine(market.mark_price()))
        .text(
            "lastFundingRate",
            &state.map_or_else(|| "0.00000000".to_owned(), super::stream::funding_rate),
        )
        .text("interestRate", "0.00010000")
        .int(
            "nextFundingTime",
            state.map_or(0, |state| state.next_funding_time.floor_millis()),
        )
        .int("time", now.floor_millis())
        .end()
}
