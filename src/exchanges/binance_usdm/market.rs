//! Binance USD-M (and COIN-M) market data: the fields that futures add, their way of chaining, and their two stream classes.
//!
//! A stream asked on the wrong class is not delivered.

use crate::exchanges::binance::fields::{PREVIOUS_ID, Shape, bit, letters};
use crate::exchanges::binance::streams::{Lane, MarketDialect};
use crate::exchanges::sync::SyncRule;

/// USD-M: a public and a market connection.
pub(in crate::exchanges) const MARKET: MarketDialect = MarketDialect {
    shape: Shape {
        quote: letters(b"euETsbBaA"),
        depth: letters(b"eETsUuba") | bit(PREVIOUS_ID),
        trade: letters(b"eETstpqm"),
        agg_trade: letters(b"eEsapqflTm"),
        mark: letters(b"eEsprT"),
    },
    // Ids are global over the matching shard, so they jump: each event names the one before.
    rule: SyncRule::PreviousId,
    lanes: &[
        Lane {
            prefix: "/public",
            quotes: true,
            depth: true,
            trades: true,
            agg_trades: false,
            marks: false,
        },
        Lane {
            prefix: "/market",
            quotes: false,
            depth: false,
            trades: false,
            agg_trades: true,
            marks: true,
        },
    ],
    snapshot_path: "/fapi/v1/depth",
};
