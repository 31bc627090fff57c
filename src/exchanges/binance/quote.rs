//! The best prices over REST, for who has no stream: `bookTicker` of both dialects.

use std::borrow::Cow;

use serde::Deserialize;

use crate::units::{Grid, Price};

use super::Flavour;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct BookTicker<'a> {
    #[serde(borrow)]
    bid_price: Cow<'a, str>,
    #[serde(borrow)]
    ask_price: Cow<'a, str>,
}

/// Path and query.
pub(crate) fn target(flavour: Flavour, native: &str) -> String {
    match flavour {
        Flavour::Spot => format!("/api/v3/ticker/bookTicker?symbol={native}"),
        Flavour::Usdm => format!("/fapi/v1/ticker/bookTicker?symbol={native}"),
    }
}

/// Best bid and ask; `None` when one side is empty or not readable.
pub(crate) fn parse(body: &[u8], grid: Grid) -> Option<(Price, Price)> {
    let ticker: BookTicker<'_> = serde_json::from_slice(body).ok()?;
    let price = |text: &str| {
        let price = grid.parse_price(text.as_bytes()).ok()?;
        (price.0 > 0).then_some(price)
    };
    Some((price(&ticker.bid_price)?, price(&ticker.ask_price)?))
}
