//! `exchangeInfo`: what may be traded and by which filters.

use crate::exchanges::Dialect;
use crate::sim::venue::{SymbolSetup, VenueCore};
use crate::units::{Price, Qty, UnixNanos};

use super::json::{Obj, array, text_array};
use super::{limits, number};

pub(crate) fn exchange_info(core: &VenueCore, symbols: &[usize], now: UnixNanos) -> String {
    let dialect = core.dialect();
    let setups = symbols
        .iter()
        .filter_map(|&index| core.markets.get(index))
        .map(|market| &market.setup);
    let symbols = array(setups.map(|setup| match dialect {
        Dialect::BinanceSpot => spot_symbol(setup),
        Dialect::BinanceUsdm => usdm_symbol(setup, core.started),
    }));
    let body = Obj::new()
        .text("timezone", "UTC")
        .int("serverTime", now.floor_millis());
    let body = match dialect {
        Dialect::BinanceSpot => body,
        Dialect::BinanceUsdm => body.text("futuresType", "U_MARGINED"),
    };
    let body = body
        .raw("rateLimits", &limits::published(core))
        .raw("exchangeFilters", "[]");
    match dialect {
        Dialect::BinanceSpot => body.raw("symbols", &symbols).raw("sors", "[]").end(),
        Dialect::BinanceUsdm => {
            let mut assets: Vec<&str> = core
                .markets
                .iter()
                .map(|market| market.setup.quote.as_str())
                .collect();
            assets.sort_unstable();
            assets.dedup();
            let assets = assets.into_iter().map(|asset| {
                Obj::new()
                    .text("asset", asset)
                    .flag("marginAvailable", true)
                    .text("autoAssetExchange", "-10000")
                    .end()
            });
            body.raw("assets", &array(assets))
                .raw("symbols", &symbols)
                .end()
        }
    }
}

fn filter(kind: &str, fields: &[(&str, String)]) -> String {
    fields
        .iter()
        .fold(Obj::new().text("filterType", kind), |body, (key, value)| {
            body.text(key, value)
        })
        .end()
}

fn price_and_lot_filters(dialect: Dialect, setup: &SymbolSetup) -> [String; 3] {
    let price = |value: Price| number::price(dialect, setup, value);
    let qty = |value: Qty| number::qty(dialect, setup, value);
    let lots = [
        ("minQty", qty(setup.qty_min)),
        ("maxQty", qty(setup.qty_max)),
        ("stepSize", qty(setup.lot)),
    ];
    [
        filter(
            "PRICE_FILTER",
            &[
                ("minPrice", price(setup.price_min)),
                ("maxPrice", price(setup.price_max)),
                ("tickSize", price(setup.tick)),
            ],
        ),
        filter("LOT_SIZE", &lots),
        filter("MARKET_LOT_SIZE", &lots),
    ]
}

fn notional_min(setup: &SymbolSetup) -> String {
    setup
        .grid
        .notional_money(setup.notional_min)
        .unwrap_or_default()
        .to_string()
}

fn spot_symbol(setup: &SymbolSetup) -> String {
    let modes = text_array(&["NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH"]);
    let notional = Obj::new()
        .text("filterType", "NOTIONAL")
        .text("minNotional", &notional_min(setup))
        .flag("applyMinToMarket", true)
        .text("maxNotional", "9000000000.00000000")
        .flag("applyMaxToMarket", false)
        .int("avgPriceMins", 5)
        .end();
    let orders = Obj::new()
        .text("filterType", "MAX_NUM_ORDERS")
        .int("maxNumOrders", setup.open_orders_max)
        .end();
    let filters = price_and_lot_filters(Dialect::BinanceSpot, setup)
        .into_iter()
        .chain([notional, orders]);
    Obj::new()
        .text("symbol", &setup.native)
        .text("status", "TRADING")
        .text("baseAsset", setup.base.as_str())
        .int("baseAssetPrecision", 8)
        .text("quoteAsset", setup.quote.as_str())
        .int("quotePrecision", 8)
        .int("quoteAssetPrecision", 8)
        .int("baseCommissionPrecision", 8)
        .int("quoteCommissionPrecision", 8)
        .raw(
            "orderTypes",
            &text_array(&["LIMIT", "LIMIT_MAKER", "MARKET"]),
        )
        .flag("icebergAllowed", false)
        .flag("ocoAllowed", false)
        .flag("otoAllowed", false)
        .flag("quoteOrderQtyMarketAllowed", true)
        .flag("allowTrailingStop", false)
        .flag("cancelReplaceAllowed", false)
        .flag("amendAllowed", false)
        .flag("pegInstructionsAllowed", false)
        .flag("isSpotTradingAllowed", true)
        .flag("isMarginTradingAllowed", false)
        .raw("filters", &array(filters))
        .raw("permissions", "[]")
        .raw("permissionSets", "[[\"SPOT\"]]")
        .text("defaultSelfTradePreventionMode", "NONE")
        .raw("allowedSelfTradePreventionModes", &modes)
        .end()
}

fn usdm_symbol(setup: &SymbolSetup, started: UnixNanos) -> String {
    let [price, lot, market_lot] = price_and_lot_filters(Dialect::BinanceUsdm, setup);
    let orders = Obj::new()
        .text("filterType", "MAX_NUM_ORDERS")
        .int("limit", setup.open_orders_max)
        .end();
    let notional = filter("MIN_NOTIONAL", &[("notional", notional_min(setup))]);
    let percent = filter(
        "PERCENT_PRICE",
        &[
            ("multiplierUp", "1.0500".to_owned()),
            ("multiplierDown", "0.9500".to_owned()),
            ("multiplierDecimal", "4".to_owned()),
        ],
    );
    Obj::new()
        .text("symbol", &setup.native)
        .text("pair", &setup.native)
        .text("contractType", "PERPETUAL")
        .int("deliveryDate", 4_133_404_800_000_i64)
        .int("onboardDate", started.floor_millis())
        .text("status", "TRADING")
        .text("maintMarginPercent", "2.5000")
        .text("requiredMarginPercent", "5.0000")
        .text("baseAsset", setup.base.as_str())
        .text("quoteAsset", setup.quote.as_str())
        .text("marginAsset", setup.quote.as_str())
        .int("pricePrecision", setup.price_precision)
        .int("quantityPrecision", setup.qty_precision)
        .int("baseAssetPrecision", 8)
        .int("quotePrecision", 8)
        .text("underlyingType", "COIN")
        .raw("underlyingSubType", "[]")
        .text("triggerProtect", "0.0500")
        .text("liquidationFee", "0.012500")
        .text("marketTakeBound", "0.05")
        .raw(
            "filters",
            &array([price, lot, market_lot, orders, notional, percent]),
        )
        .raw("orderTypes", &text_array(&["LIMIT", "MARKET"]))
        .raw("timeInForce", &text_array(&["GTC", "IOC", "FOK", "GTX"]))
        .end()
}
