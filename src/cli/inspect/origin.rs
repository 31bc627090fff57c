//! Which venue a line comes from, when it is not the one that was asked for.

use std::collections::BTreeMap;

use serde::de::IgnoredAny;

use crate::exchanges::frame::Message;

use super::InspectVenue;

/// The venue of an address; `None` for hosts that nobody knows (simulated venues, proxies).
fn venue_of_address(url: &str) -> Option<&'static str> {
    let rest = url.split_once("://")?.1;
    let host = rest.split(['/', ':', '?']).next()?;
    let is_of = |domain: &str| host == domain || host.ends_with(&format!(".{domain}"));
    let first = host.split('.').next().unwrap_or_default();
    if is_of("binance.com")
        || is_of("binance.vision")
        || is_of("binancefuture.com")
        || is_of("binance.us")
    {
        // Since 2026-06 either futures host carries either product: the symbols tell them apart.
        return Some(match first {
            "fapi" | "fstream" | "ws-fapi" | "dapi" | "dstream" | "ws-dapi" | "testnet"
            | "demo-fapi" => "binance futures",
            _ => "binance_spot",
        });
    }
    [
        ("kraken.com", "kraken"),
        ("okx.com", "okx"),
        ("okex.com", "okx"),
        ("bybit.com", "bybit"),
        ("bytick.com", "bybit"),
        ("coinbase.com", "coinbase"),
    ]
    .into_iter()
    .find(|(domain, _)| is_of(domain))
    .map(|(_, venue)| venue)
}

/// The other venue that an address belongs to.
pub(super) fn foreign_address(url: &str, venue: InspectVenue) -> Option<&'static str> {
    let found = venue_of_address(url)?;
    let own = match venue {
        InspectVenue::BinanceSpot => "binance_spot",
        InspectVenue::BinanceUsdm | InspectVenue::BinanceCoinm => "binance futures",
    };
    (found != own).then_some(found)
}

/// The other venue that a symbol belongs to. COIN-M names end in their delivery: `BTCUSD_PERP`, `BTCUSD_261225`. Read as
/// USD-M they are welcome: since 2026-06 either host carries either product.
pub(super) fn foreign_symbol(symbol: &str, venue: InspectVenue) -> Option<&'static str> {
    let is_coinm = symbol
        .split_once('_')
        .is_some_and(|(pair, _)| pair.ends_with("USD"));
    match venue {
        InspectVenue::BinanceSpot => symbol.contains('_').then_some("binance futures"),
        InspectVenue::BinanceUsdm => None,
        InspectVenue::BinanceCoinm => (!is_coinm).then_some("binance_usdm"),
    }
}

/// Whether a decoded message has the shape that this venue gives it: `None` when both shapes fit.
pub(super) fn is_own_shape(message: &Message<'_>, venue: InspectVenue) -> Option<bool> {
    let has_futures_shape = match message {
        Message::Depth(depth) => depth.ids.previous.is_some(),
        Message::Quote(quote) => quote.event_time.is_some(),
        Message::Mark(_) => true,
        Message::Trade(_)
        | Message::UnknownSymbol { .. }
        | Message::Control { .. }
        | Message::Shutdown
        | Message::Ignored => return None,
    };
    Some(has_futures_shape == (venue != InspectVenue::BinanceSpot))
}

/// The other venue that a frame without use, or one that cannot be understood, seems to come from.
pub(super) fn foreign_frame(bytes: &[u8], venue: InspectVenue) -> Option<&'static str> {
    if bytes.starts_with(b"[") {
        return Some("kraken");
    }
    let fields: BTreeMap<String, IgnoredAny> = serde_json::from_slice(bytes).ok()?;
    let has = |name: &str| fields.contains_key(name);
    if has("stream") || has("e") {
        let finds = |needle: &[u8]| memchr::memmem::find(bytes, needle).is_some();
        let is_spot_depth = finds(b"\"depthUpdate\"") && !finds(b"\"pu\":");
        let is_spot_quote = finds(b"@bookTicker\"") && !finds(b"\"e\":");
        let is_spot = venue != InspectVenue::BinanceSpot && (is_spot_depth || is_spot_quote);
        return is_spot.then_some("binance_spot");
    }
    if has("topic") || has("success") {
        Some("bybit")
    } else if has("arg") {
        Some("okx")
    } else if has("product_id") || has("product_ids") || has("sequence_num") {
        Some("coinbase")
    } else if has("channel") || has("event") {
        Some("kraken")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_and_symbols_tell_the_venue() {
        use InspectVenue::{BinanceCoinm, BinanceSpot, BinanceUsdm};
        let rows = [
            (
                "wss://stream.binance.com:9443/stream?streams=a",
                BinanceSpot,
                None,
            ),
            (
                "wss://stream.binance.com:9443/stream?streams=a",
                BinanceUsdm,
                Some("binance_spot"),
            ),
            ("https://fapi.binance.com/fapi/v1/depth", BinanceUsdm, None),
            ("https://dapi.binance.com/dapi/v1/depth", BinanceCoinm, None),
            (
                "https://dapi.binance.com/dapi/v1/depth",
                BinanceSpot,
                Some("binance futures"),
            ),
            ("wss://ws.kraken.com", BinanceSpot, Some("kraken")),
            ("ws://127.0.0.1:4000/stream", BinanceSpot, None),
            ("wss://notkraken.com/", BinanceSpot, None),
        ];
        for (url, venue, expected) in rows {
            assert_eq!(foreign_address(url, venue), expected, "{url} {venue:?}");
        }
        assert_eq!(foreign_symbol("BTCUSD_PERP", BinanceUsdm), None);
        assert_eq!(foreign_symbol("BTCUSDT_240927", BinanceUsdm), None);
        assert_eq!(
            foreign_symbol("BTCUSDT", BinanceCoinm),
            Some("binance_usdm")
        );
        assert_eq!(
            foreign_symbol("BTCUSD_PERP", BinanceSpot),
            Some("binance futures")
        );
        assert_eq!(foreign_symbol("BTCUSDT", BinanceSpot), None);
    }
}
