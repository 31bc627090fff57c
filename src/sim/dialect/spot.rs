//! Spot answers and account events about orders, trades and balances.

use crate::exchanges::Dialect;
use crate::sim::venue::order::{AccountFill, Order};
use crate::sim::venue::place::OrderEvent;
use crate::sim::venue::{Amount, SymbolSetup, VenueCore};
use crate::units::{Price, Qty, Side, UnixNanos};

use super::error::ApiError;
use super::json::{Obj, array};
use super::number::{self, money};
use super::params::Params;
use super::request::ResponseKind;
use super::route::Action;
use super::words::{self, ppm_rate};

const DIALECT: Dialect = Dialect::BinanceSpot;
const ZERO: &str = "0.00000000";

fn price(setup: &SymbolSetup, value: Price) -> String {
    number::price(DIALECT, setup, value)
}
fn qty(setup: &SymbolSetup, value: Qty) -> String {
    number::qty(DIALECT, setup, value)
}

fn with<R: Default>(core: &VenueCore, id: u64, write: impl FnOnce(&Order, &SymbolSetup) -> R) -> R {
    let order = core.orders.get(id);
    let found = order.and_then(|order| {
        core.markets
            .get(order.symbol)
            .map(|market| (order, &market.setup))
    });
    found.map_or_else(R::default, |(order, setup)| write(order, setup))
}

/// Fields of an order from `price` to `side`, common to all answers.
fn order_fields(body: Obj, order: &Order, setup: &SymbolSetup) -> Obj {
    body.text("price", &price(setup, order.price))
        .text("origQty", &qty(setup, order.qty))
        .text("executedQty", &qty(setup, order.executed))
        .text("origQuoteOrderQty", ZERO)
        .text("cummulativeQuoteQty", &money(order.quote))
        .text("status", order.status.label())
        .text("timeInForce", words::spot_time_in_force(order))
        .text("type", words::kind(DIALECT, order.kind))
        .text("side", words::side(order.side))
}

/// Answer of `order.place`.
pub(crate) fn order_answer(core: &VenueCore, id: u64, kind: ResponseKind) -> String {
    with(core, id, |order, setup| {
        let body = Obj::new()
            .text("symbol", &setup.native)
            .int("orderId", id)
            .int("orderListId", -1)
            .text("clientOrderId", &order.client_id)
            .int("transactTime", order.updated.floor_millis());
        if kind == ResponseKind::Ack {
            return body.end();
        }
        let body = order_fields(body, order, setup)
            .int("workingTime", order.created.floor_millis())
            .text(
                "selfTradePreventionMode",
                words::self_trade(order.self_trade),
            );
        if kind == ResponseKind::Result {
            return body.end();
        }
        let fills = order
            .fills
            .iter()
            .filter_map(|&index| core.orders.fills.get(index));
        let fills = fills.map(|fill| {
            Obj::new()
                .text("price", &price(setup, fill.price))
                .text("qty", &qty(setup, fill.qty))
                .text("commission", &money(fill.fee))
                .text("commissionAsset", fill.fee_asset.as_str())
                .int("tradeId", fill.trade_id)
                .end()
        });
        body.raw("fills", &array(fills)).end()
    })
}

/// Answer of a cancel.
pub(crate) fn cancel_answer(core: &VenueCore, id: u64, request_id: &str) -> String {
    with(core, id, |order, setup| {
        let body = Obj::new()
            .text("symbol", &setup.native)
            .text("origClientOrderId", &order.client_id)
            .int("orderId", id)
            .int("orderListId", -1)
            .text("clientOrderId", request_id)
            .int("transactTime", order.updated.floor_millis());
        order_fields(body, order, setup)
            .text(
                "selfTradePreventionMode",
                words::self_trade(order.self_trade),
            )
            .end()
    })
}

/// An order as queries show it.
pub(crate) fn order_query(core: &VenueCore, id: u64) -> String {
    with(core, id, |order, setup| {
        let body = Obj::new()
            .text("symbol", &setup.native)
            .int("orderId", id)
            .int("orderListId", -1)
            .text("clientOrderId", &order.client_id);
        order_fields(body, order, setup)
            .text("stopPrice", ZERO)
            .text("icebergQty", ZERO)
            .int("time", order.created.floor_millis())
            .int("updateTime", order.updated.floor_millis())
            .flag("isWorking", true)
            .int("workingTime", order.created.floor_millis())
            .text(
                "selfTradePreventionMode",
                words::self_trade(order.self_trade),
            )
            .end()
    })
}

/// An entry of `myTrades`.
pub(crate) fn trade(core: &VenueCore, fill: &AccountFill) -> String {
    let Some(market) = core.markets.get(fill.symbol) else {
        return String::from("{}");
    };
    let setup = &market.setup;
    Obj::new()
        .text("symbol", &setup.native)
        .int("id", fill.trade_id)
        .int("orderId", fill.order_id)
        .int("orderListId", -1)
        .text("price", &price(setup, fill.price))
        .text("qty", &qty(setup, fill.qty))
        .text("quoteQty", &money(fill.quote))
        .text("commission", &money(fill.fee))
        .text("commissionAsset", fill.fee_asset.as_str())
        .int("time", fill.time.floor_millis())
        .flag("isBuyer", fill.side == Side::Buy)
        .flag("isMaker", fill.is_maker)
        .flag("isBestMatch", true)
        .end()
}

fn rates(core: &VenueCore) -> String {
    let setup = core.setup();
    Obj::new()
        .text("maker", &ppm_rate(setup.maker_fee))
        .text("taker", &ppm_rate(setup.taker_fee))
        .text("buyer", ZERO)
        .text("seller", ZERO)
        .end()
}

/// Account requests of spot.
#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "all others are answered elsewhere"
)]
pub(crate) fn account_action(
    core: &mut VenueCore,
    action: Action,
    params: &Params,
    account: usize,
    now: UnixNanos,
) -> Result<String, ApiError> {
    match action {
        Action::Account => Ok(account_status(core, params, account, now)),
        Action::Commission => {
            let symbol = super::request::symbol(core, params)?;
            let native = core
                .markets
                .get(symbol)
                .map_or("", |market| market.setup.native.as_str());
            let none = Obj::new()
                .text("maker", ZERO)
                .text("taker", ZERO)
                .text("buyer", ZERO)
                .text("seller", ZERO)
                .end();
            let discount = Obj::new()
                .flag("enabledForAccount", false)
                .flag("enabledForSymbol", false)
                .text("discountAsset", "BNB")
                .text("discount", "0.00000000")
                .end();
            Ok(Obj::new()
                .text("symbol", native)
                .raw("standardCommission", &rates(core))
                .raw("specialCommission", &none)
                .raw("taxCommission", &none)
                .raw("discount", &discount)
                .end())
        }
        _ => Err(ApiError::new(-1000, "Not a request of this venue.")),
    }
}

fn account_status(core: &VenueCore, params: &Params, account: usize, now: UnixNanos) -> String {
    let omit_zero = params.get("omitZeroBalances") == Some("true");
    let owner = core.accounts.get(account);
    let held = owner.into_iter().flat_map(|owner| owner.balances.iter());
    let balances = held
        .filter(|(_, balance)| !omit_zero || balance.total() != Amount::ZERO)
        .map(|(asset, balance)| {
            Obj::new()
                .text("asset", asset.as_str())
                .text("free", &money(balance.free))
                .text("locked", &money(balance.locked))
                .end()
        });
    let bps = |rate: crate::units::Ppm| rate.0.div_euclid(100);
    Obj::new()
        .int("makerCommission", bps(core.setup().maker_fee))
        .int("takerCommission", bps(core.setup().taker_fee))
        .int("buyerCommission", 0)
        .int("sellerCommission", 0)
        .raw("commissionRates", &rates(core))
        .flag("canTrade", true)
        .flag("canWithdraw", true)
        .flag("canDeposit", true)
        .flag("brokered", false)
        .flag("requireSelfTradePrevention", false)
        .flag("preventSor", false)
        .int("updateTime", now.floor_millis())
        .text("accountType", "SPOT")
        .raw("balances", &array(balances))
        .raw("permissions", "[\"SPOT\"]")
        .int("uid", account.saturating_add(1_000_000))
        .end()
}

/// `executionReport`.
#[expect(clippy::too_many_lines, reason = "one event, field by field")]
pub(crate) fn order_event(
    core: &VenueCore,
    id: u64,
    event: &OrderEvent,
    execution_id: u64,
    now: UnixNanos,
) -> Vec<String> {
    let text = with(core, id, |order, setup| {
        let fill = match event {
            OrderEvent::Trade(index) => core.orders.fills.get(*index),
            OrderEvent::New | OrderEvent::Canceled(_) | OrderEvent::Expired => None,
        };
        let (client_id, original) = match event {
            OrderEvent::Canceled(request) => (request.as_str(), order.client_id.as_str()),
            OrderEvent::New | OrderEvent::Trade(_) | OrderEvent::Expired => {
                (order.client_id.as_str(), "")
            }
        };
        let millis = now.floor_millis();
        let body = Obj::new()
            .raw("e", "\"executionReport\"")
            .int("E", millis)
            .text("s", &setup.native)
            .text("c", client_id)
            .text("S", words::side(order.side))
            .text("o", words::kind(DIALECT, order.kind))
            .text("f", words::spot_time_in_force(order))
            .text("q", &qty(setup, order.qty))
            .text("p", &price(setup, order.price))
            .text("P", ZERO)
            .text("F", ZERO)
            .int("g", -1)
            .text("C", original)
            .text("x", words::execution(event))
            .text("X", order.status.label())
            .text("r", "NONE")
            .int("i", id)
            .text(
                "l",
                &fill.map_or_else(|| ZERO.to_owned(), |fill| qty(setup, fill.qty)),
            )
            .text("z", &qty(setup, order.executed))
            .text(
                "L",
                &fill.map_or_else(|| ZERO.to_owned(), |fill| price(setup, fill.price)),
            )
            .text(
                "n",
                &fill.map_or_else(|| "0".to_owned(), |fill| money(fill.fee)),
            );
        let body = match fill {
            Some(fill) => body.text("N", fill.fee_asset.as_str()),
            None => body.raw("N", "null"),
        };
        let body = body.int("T", millis);
        let body = match fill {
            Some(fill) => body.int("t", fill.trade_id),
            None => body.int("t", -1),
        };
        let body = body
            .int("I", execution_id)
            .flag("w", order.status.is_open())
            .flag("m", fill.is_some_and(|fill| fill.is_maker))
            .flag("M", fill.is_some())
            .int("O", order.created.floor_millis())
            .text("Z", &money(order.quote))
            .text(
                "Y",
                &fill.map_or_else(|| ZERO.to_owned(), |fill| money(fill.quote)),
            )
            .text("Q", ZERO)
            .int("W", order.created.floor_millis())
            .text("V", words::self_trade(order.self_trade));
        match order.expiry_reason {
            Some(reason) => body.text("eR", reason).end(),
            None => body.end(),
        }
    });
    vec![text]
}

/// `outboundAccountPosition` with both assets of the symbol.
pub(crate) fn balance_event(
    core: &VenueCore,
    account: usize,
    symbol: usize,
    now: UnixNanos,
) -> Option<String> {
    let owner = core.accounts.get(account)?;
    let setup = &core.markets.get(symbol)?.setup;
    let balances = [setup.base, setup.quote].map(|asset| {
        let balance = owner.balance(asset);
        Obj::new()
            .text("a", asset.as_str())
            .text("f", &money(balance.free))
            .text("l", &money(balance.locked))
            .end()
    });
    let body = Obj::new()
        .raw("e", "\"outboundAccountPosition\"")
        .int("E", now.floor_millis());
    Some(
        body.int("u", now.floor_millis())
            .raw("B", &array(balances))
            .end(),
    )
}
