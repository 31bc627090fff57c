//! Binance Spot market data: which fields its frames always have, how its books chain, and where its streams are.

use crate::exchanges::binance::fields::{Shape, letters};
use crate::exchanges::binance::streams::{Lane, MarketDialect};
use crate::exchanges::sync::SyncRule;

/// Spot: one connection for everything.
pub(in crate::exchanges) const MARKET: MarketDialect = MarketDialect {
    // `bookTicker` has neither kind nor time.
    shape: Shape {
        quote: letters(b"usbBaA"),
        depth: letters(b"eEsUuba"),
        trade: letters(b"eEstpqTm"),
        agg_trade: letters(b"eEsapqflTm"),
        mark: letters(b"eEsprT"),
    },
    // Ids count single changes: the next event begins where the last one ended.
    rule: SyncRule::NextId,
    lanes: &[Lane {
        prefix: "",
        quotes: true,
        depth: true,
        trades: true,
        agg_trades: true,
        marks: false,
    }],
    snapshot_path: "/api/v3/depth",
};
