//! Binance Spot market data: which fields its frames always have, how its books chain, and where its streams are.

use crate::exchanges::binance::fields::{Shape, letters};
use crate::exchanges::sync::SyncRule;

/// Spot frames: `bookTicker` has neither kind nor time.
pub(in crate::exchanges) const SHAPE: Shape = Shape {
    quote: letters(b"usbBaA"),
    depth: letters(b"eEsUuba"),
    trade: letters(b"eEstpqTm"),
    agg_trade: letters(b"eEsapqflTm"),
    mark: letters(b"eEsprT"),
};

/// Ids count single changes: the next event begins where the last one ended.
pub(in crate::exchanges) const RULE: SyncRule = SyncRule::NextId;

/// Path prefix of the one connection.
pub(in crate::exchanges) const LANES: [&str; 1] = [""];
/// Depth snapshot.
pub(in crate::exchanges) const SNAPSHOT_PATH: &str = "/api/v3/depth";
