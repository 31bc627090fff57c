//! USD-M account events: `ORDER_TRADE_UPDATE`, `TRADE_LITE`, `ACCOUNT_UPDATE`.

use crate::exchanges::Dialect;
use crate::sim::venue::place::OrderEvent;
use crate::sim::venue::{Amount, VenueCore};
use crate::units::UnixNanos;

use super::json::{Obj, array};
use super::number::{average, money};
use super::usdm::{price, qty};
use super::words;

/// The events of one happening: for an execution first the light one, then the full one with the same trade id.
#[expect(clippy::too_many_lines, reason = "one event, field by field")]
pub(crate) fn order_event(
    core: &VenueCore,
    id: u64,
    event: &OrderEvent,
    now: UnixNanos,
) -> Vec<String> {
    let Some(order) = core.orders.get(id) else {
        return Vec::new();
    };
    let Some(market) = core.markets.get(order.symbol) else {
        return Vec::new();
    };
    let setup = &market.setup;
    let fill = match event {
        OrderEvent::Trade(index) => core.orders.fills.get(*index),
        OrderEvent::New | OrderEvent::Canceled(_) | OrderEvent::Expired => None,
    };
    let millis = now.floor_millis();
    let liquidated = order.client_id.starts_with("autoclose-");
    let kind = if liquidated {
        "LIQUIDATION"
    } else {
        words::kind(Dialect::BinanceUsdm, order.kind)
    };
    let execution = match event {
        OrderEvent::Trade(_) if liquidated => "CALCULATED",
        OrderEvent::Trade(_) | OrderEvent::New | OrderEvent::Canceled(_) | OrderEvent::Expired => {
            words::execution(event)
        }
    };
    let body = Obj::new()
        .text("s", &setup.native)
        .text("c", &order.client_id)
        .text("S", words::side(order.side))
        .text("o", kind)
        .text("f", words::usdm_time_in_force(order))
        .text("q", &qty(setup, order.qty))
        .text("p", &price(setup, order.price))
        .text("ap", &average(setup, order.quote, order.executed))
        .text("sp", "0")
        .text("x", execution)
        .text("X", order.status.label())
        .int("i", id)
        .text(
            "l",
            &fill.map_or_else(|| "0".to_owned(), |fill| qty(setup, fill.qty)),
        )
        .text("z", &qty(setup, order.executed))
        .text(
            "L",
            &fill.map_or_else(|| "0".to_owned(), |fill| price(setup, fill.price)),
        );
    let body = match fill {
        Some(fill) => body
            .text("N", fill.fee_asset.as_str())
            .text("n", &money(fill.fee)),
        None => body,
    };
    let body = body
        .int("T", millis)
        .int("t", fill.map_or(0, |fill| fill.trade_id))
        .text("b", "0")
        .text("a", "0")
        .flag("m", fill.is_some_and(|fill| fill.is_maker))
        .flag("R", order.reduce_only)
        .text("wt", "CONTRACT_PRICE")
        .text("ot", kind)
        .text("ps", "BOTH")
        .flag("cp", false)
        .text(
            "rp",
            &fill.map_or_else(|| "0".to_owned(), |fill| money(fill.realized)),
        )
        .flag("pP", false)
        .int("si", 0)
        .int("ss", 0)
        .text("V", words::self_trade(order.self_trade))
        .text("pm", "NONE")
        .int("gtd", 0)
        .text("er", order.expiry_reason.unwrap_or("0"));
    let full = Obj::new()
        .raw("e", "\"ORDER_TRADE_UPDATE\"")
        .int("E", millis)
        .int("T", millis)
        .raw("o", &body.end())
        .end();
    let light = fill.map(|fill| {
        Obj::new()
            .raw("e", "\"TRADE_LITE\"")
            .int("E", millis)
            .int("T", millis)
            .text("s", &setup.native)
            .text("q", &qty(setup, order.qty))
            .text("p", &price(setup, order.price))
            .flag("m", fill.is_maker)
            .text("c", &order.client_id)
            .text("S", words::side(order.side))
            .text("L", &price(setup, fill.price))
            .text("l", &qty(setup, fill.qty))
            .int("t", fill.trade_id)
            .int("i", id)
            .end()
    });
    light.into_iter().chain([full]).collect()
}

fn account_update(reason: &str, balances: &str, positions: &str, now: UnixNanos) -> String {
    let millis = now.floor_millis();
    let body = Obj::new()
        .text("m", reason)
        .raw("B", balances)
        .raw("P", positions)
        .end();
    Obj::new()
        .raw("e", "\"ACCOUNT_UPDATE\"")
        .int("E", millis)
        .int("T", millis)
        .raw("a", &body)
        .end()
}

fn wallet(core: &VenueCore, account: usize, symbol: usize, change: Amount) -> Option<String> {
    let asset = core.markets.get(symbol)?.setup.quote;
    let wallet = money(core.accounts.get(account)?.balance(asset).total());
    let body = Obj::new()
        .text("a", asset.as_str())
        .text("wb", &wallet)
        .text("cw", &wallet)
        .text("bc", &money(change));
    Some(array([body.end()]))
}

/// `ACCOUNT_UPDATE` after executions in a symbol. Resting or cancelling alone changes nothing here.
pub(crate) fn balance_event(
    core: &VenueCore,
    account: usize,
    symbol: usize,
    now: UnixNanos,
) -> Option<String> {
    let setup = &core.markets.get(symbol)?.setup;
    let position = core.accounts.get(account)?.position(symbol);
    let entry = average(setup, position.cost, position.qty);
    let position = Obj::new()
        .text("s", &setup.native)
        .text("pa", &qty(setup, position.qty))
        .text("ep", &entry)
        .text("bep", &entry)
        .text("cr", "0")
        .text("up", &money(core.unrealized(account, symbol)))
        .text("mt", "cross")
        .text("iw", "0")
        .text("ps", "BOTH")
        .end();
    Some(account_update(
        "ORDER",
        &wallet(core, account, symbol, Amount::ZERO)?,
        &array([position]),
        now,
    ))
}

/// `ACCOUNT_UPDATE` of a funding payment: the balance alone.
pub(crate) fn funding_event(
    core: &VenueCore,
    account: usize,
    symbol: usize,
    paid: Amount,
    now: UnixNanos,
) -> String {
    let balances = wallet(core, account, symbol, -paid).unwrap_or_else(|| String::from("[]"));
    account_update("FUNDING_FEE", &balances, "[]", now)
}
