//! Binance USD-M (and COIN-M) market data: the fields that futures add, their way of chaining, and their two stream classes.
//!
//! A stream asked on the wrong class is not delivered: quotes, depth and trades are *public*, mark prices and aggregates
//! *market*.

use crate::exchanges::binance::fields::{PREVIOUS_ID, Shape, bit, letters};
use crate::exchanges::sync::SyncRule;

/// Futures frames.
pub(in crate::exchanges) const SHAPE: Shape = Shape {
    quote: letters(b"euETsbBaA"),
    depth: letters(b"eETsUuba") | bit(PREVIOUS_ID),
    trade: letters(b"eETstpqm"),
    agg_trade: letters(b"eEsapqflTm"),
    mark: letters(b"eEsprT"),
};

/// Ids are global over the matching shard, so they jump: each event names the one before.
pub(in crate::exchanges) const RULE: SyncRule = SyncRule::PreviousId;

/// Path prefixes of the public and the market connection.
pub(in crate::exchanges) const LANES: [&str; 2] = ["/public", "/market"];
/// Depth snapshot.
pub(in crate::exchanges) const SNAPSHOT_PATH: &str = "/fapi/v1/depth";
