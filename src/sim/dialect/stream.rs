//! Market payloads of both dialects.

use crate::exchanges::Dialect;
use crate::sim::venue::SymbolSetup;
use crate::sim::venue::market::{Best, DepthBatch, MarkState, Market, PublicTrade};
use crate::units::{Price, Qty, Side, UnixNanos};

use super::json::Obj;
use super::number::{price, push_price, push_qty, qty};

fn levels(
    dialect: Dialect,
    setup: &SymbolSetup,
    levels: impl Iterator<Item = (Price, Qty)>,
) -> String {
    let mut text = String::with_capacity(256);
    text.push('[');
    for (level_price, level_qty) in levels {
        if text.len() > 1 {
            text.push(',');
        }
        text.push_str("[\"");
        push_price(&mut text, dialect, setup, level_price);
        text.push_str("\",\"");
        push_qty(&mut text, dialect, setup, level_qty);
        text.push_str("\"]");
    }
    text.push(']');
    text
}

/// `bookTicker`. An empty side is written with price and quantity zero.
pub(crate) fn book_ticker(dialect: Dialect, market: &Market, best: Best, now: UnixNanos) -> String {
    let setup = &market.setup;
    let (bid, ask) = (best.0.unwrap_or_default(), best.1.unwrap_or_default());
    let millis = now.floor_millis();
    let body = match dialect {
        Dialect::BinanceSpot => Obj::new(),
        Dialect::BinanceUsdm => Obj::new().raw("e", "\"bookTicker\""),
    };
    let body = body
        .int("u", market.last_id)
        .raw("s", &quoted_symbol(setup))
        .text("b", &price(dialect, setup, bid.0))
        .text("B", &qty(dialect, setup, bid.1))
        .text("a", &price(dialect, setup, ask.0))
        .text("A", &qty(dialect, setup, ask.1));
    match dialect {
        Dialect::BinanceSpot => body.end(),
        Dialect::BinanceUsdm => body
            .int("T", millis)
            .int("E", millis)
            .raw("ps", &quoted_symbol(setup))
            .int("st", 1)
            .end(),
    }
}

fn quoted_symbol(setup: &SymbolSetup) -> String {
    format!("\"{}\"", setup.native)
}

/// A `depthUpdate` with the current quantity of every changed level.
pub(crate) fn depth_diff(
    dialect: Dialect,
    market: &Market,
    batch: &DepthBatch,
    now: UnixNanos,
) -> String {
    let levels: Vec<(Side, Price, Qty)> = batch
        .dirty
        .iter()
        .map(|&(side, price)| (side, price, market.book.level_qty(side, price)))
        .collect();
    diff_of(dialect, market, batch, market.last_id, &levels, now)
}

/// A `depthUpdate` with given levels.
pub(crate) fn diff_of(
    dialect: Dialect,
    market: &Market,
    batch: &DepthBatch,
    last_id: u64,
    changes: &[(Side, Price, Qty)],
    now: UnixNanos,
) -> String {
    let setup = &market.setup;
    let millis = now.floor_millis();
    let of = |wanted: Side| {
        let side = changes
            .iter()
            .filter(move |change| change.0 == wanted)
            .map(|change| (change.1, change.2));
        levels(dialect, setup, side)
    };
    let body = Obj::new().raw("e", "\"depthUpdate\"").int("E", millis);
    let body = match dialect {
        Dialect::BinanceSpot => body
            .raw("s", &quoted_symbol(setup))
            .int("U", batch.first_id)
            .int("u", last_id),
        Dialect::BinanceUsdm => body
            .int("T", millis)
            .raw("s", &quoted_symbol(setup))
            .raw("ps", &quoted_symbol(setup))
            .int("st", 1)
            .int("U", batch.first_id)
            .int("u", last_id)
            .int("pu", batch.previous_id),
    };
    body.raw("b", &of(Side::Buy))
        .raw("a", &of(Side::Sell))
        .end()
}

/// The best levels, complete: `depth5`, `depth10`, `depth20`.
pub(crate) fn top_levels(
    dialect: Dialect,
    market: &Market,
    count: usize,
    batch: &DepthBatch,
    now: UnixNanos,
) -> String {
    let setup = &market.setup;
    let of = |side| levels(dialect, setup, market.depth(side, count).into_iter());
    let (bids, asks) = (of(Side::Buy), of(Side::Sell));
    let millis = now.floor_millis();
    match dialect {
        Dialect::BinanceSpot => Obj::new()
            .int("lastUpdateId", market.last_id)
            .raw("bids", &bids)
            .raw("asks", &asks)
            .end(),
        Dialect::BinanceUsdm => Obj::new()
            .raw("e", "\"depthUpdate\"")
            .int("E", millis)
            .int("T", millis)
            .raw("s", &quoted_symbol(setup))
            .int("U", batch.first_id)
            .int("u", market.last_id)
            .int("pu", batch.previous_id)
            .raw("b", &bids)
            .raw("a", &asks)
            .end(),
    }
}

/// The REST answer `depth`.
pub(crate) fn depth_snapshot(
    dialect: Dialect,
    market: &Market,
    limit: usize,
    now: UnixNanos,
) -> String {
    if let Some(recorded) = market.recorded_snapshot() {
        return recorded.to_string();
    }
    let setup = &market.setup;
    let of = |side| levels(dialect, setup, market.depth(side, limit).into_iter());
    let body = Obj::new().int("lastUpdateId", market.depth_id());
    let body = match dialect {
        Dialect::BinanceSpot => body,
        Dialect::BinanceUsdm => body
            .int("E", now.floor_millis())
            .int("T", now.floor_millis()),
    };
    body.raw("bids", &of(Side::Buy))
        .raw("asks", &of(Side::Sell))
        .end()
}

/// `trade`.
pub(crate) fn trade(
    dialect: Dialect,
    market: &Market,
    trade: PublicTrade,
    now: UnixNanos,
) -> String {
    let setup = &market.setup;
    let millis = now.floor_millis();
    let body = Obj::new().raw("e", "\"trade\"").int("E", millis);
    let body = match dialect {
        Dialect::BinanceSpot => body,
        Dialect::BinanceUsdm => body.int("T", millis),
    };
    let body = body
        .raw("s", &quoted_symbol(setup))
        .int("t", trade.id)
        .text("p", &price(dialect, setup, trade.price))
        .text("q", &qty(dialect, setup, trade.qty));
    match dialect {
        Dialect::BinanceSpot => body
            .int("T", millis)
            .flag("m", trade.buyer_is_maker)
            .flag("M", true)
            .end(),
        Dialect::BinanceUsdm => body
            .raw("X", "\"MARKET\"")
            .flag("m", trade.buyer_is_maker)
            .end(),
    }
}

/// `aggTrade`.
pub(crate) fn aggregate(
    dialect: Dialect,
    market: &Market,
    trade: PublicTrade,
    (first, last): (u64, u64),
    now: UnixNanos,
) -> String {
    let setup = &market.setup;
    let millis = now.floor_millis();
    let amount = qty(dialect, setup, trade.qty);
    let body = Obj::new()
        .raw("e", "\"aggTrade\"")
        .int("E", millis)
        .raw("s", &quoted_symbol(setup))
        .int("a", trade.id)
        .text("p", &price(dialect, setup, trade.price))
        .text("q", &amount)
        .int("f", first)
        .int("l", last)
        .int("T", millis)
        .flag("m", trade.buyer_is_maker);
    match dialect {
        Dialect::BinanceSpot => body.flag("M", true).end(),
        Dialect::BinanceUsdm => body.text("nq", &amount).int("st", 1).end(),
    }
}

/// `markPriceUpdate`, eight decimals.
pub(crate) fn mark(market: &Market, state: MarkState, now: UnixNanos) -> String {
    let setup = &market.setup;
    let fine = |value: Price| price(Dialect::BinanceSpot, setup, value);
    Obj::new()
        .raw("e", "\"markPriceUpdate\"")
        .int("E", now.floor_millis())
        .raw("s", &quoted_symbol(setup))
        .text("p", &fine(state.mark))
        .text("ap", &fine(state.mark))
        .text("P", &fine(state.index))
        .text("i", &fine(state.index))
        .text("r", &funding_rate(state))
        .int("T", state.next_funding_time.floor_millis())
        .int("st", 1)
        .end()
}

/// The funding rate as a decimal fraction.
pub(crate) fn funding_rate(state: MarkState) -> String {
    let mut text = String::new();
    super::number::push_steps(&mut text, state.funding_ppb, 9, 8);
    text
}
