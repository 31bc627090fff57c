//! What a feed is asked to do.

use crate::market::InstrumentId;
use crate::units::{Grid, Nanos};

/// One instrument of a feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedInstrument {
    /// Its id, which its events carry.
    pub id: InstrumentId,
    /// The venue's name for it.
    pub native: String,
    /// Grid of its prices and quantities.
    pub grid: Grid,
}

/// Which streams are wanted; each is asked on the lane that has it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "a set of independent switches"
)]
pub struct FeedStreams {
    /// Best bid and ask.
    pub quotes: bool,
    /// Depth diffs, with snapshots.
    pub depth: bool,
    /// Single trades.
    pub trades: bool,
    /// Aggregated trades.
    pub agg_trades: bool,
    /// Mark price and funding (derivatives).
    pub marks: bool,
}

/// How streams are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SubscribeBy {
    /// In the address: they flow as soon as the connection stands.
    Address,
    /// By messages that the venue acknowledges: for hundreds of streams, whose address would be too long.
    Message,
}

/// Settings of one feed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FeedOptions {
    /// Which streams.
    pub streams: FeedStreams,
    /// How they are asked for.
    pub subscribe_by: SubscribeBy,
    /// Depth interval as the venue writes it, e.g. `100ms`.
    pub depth_speed: String,
    /// Mark price interval as the venue writes it, e.g. `1s`.
    pub mark_speed: String,
    /// Levels a side asked in a snapshot.
    pub snapshot_limit: u16,
    /// A snapshot unanswered for this long is asked again.
    pub snapshot_timeout: Nanos,
    /// A book of which nothing was heard for this long is stale.
    pub stale_after: Nanos,
    /// A connection on which nothing was heard for this long, not even a ping, is replaced.
    pub silence_after: Nanos,
    /// A message whose venue time lies farther behind ours leaves its book stale; `None` where the clocks do not compare
    /// (recordings).
    pub delay_max: Option<Nanos>,
    /// Connections are replaced after this, before the venue's own cut at 24 h.
    pub rotate_after: Nanos,
    /// Shortened by chance by up to this, so that not all connections rotate at once.
    pub rotate_jitter: Nanos,
    /// More malformed frames within a minute replace the connection.
    pub malformed_per_minute_max: u32,
    /// A subscription not acknowledged within this time replaces the connection.
    pub acknowledge_within: Nanos,
    /// Seed of all jitter.
    pub seed: u64,
}

impl Default for FeedOptions {
    fn default() -> Self {
        Self {
            streams: FeedStreams {
                quotes: true,
                depth: true,
                trades: true,
                agg_trades: false,
                marks: true,
            },
            subscribe_by: SubscribeBy::Address,
            depth_speed: "100ms".to_owned(),
            mark_speed: "1s".to_owned(),
            // Weight 50 of 6,000 a minute on spot, 20 of 2,400 on USD-M.
            snapshot_limit: 1_000,
            snapshot_timeout: Nanos::from_secs(10),
            stale_after: Nanos::from_secs(5),
            silence_after: Nanos::from_secs(60),
            delay_max: None,
            rotate_after: Nanos::from_secs(23 * 3_600),
            rotate_jitter: Nanos::from_secs(1_800),
            malformed_per_minute_max: 60,
            acknowledge_within: Nanos::from_secs(10),
            seed: 0,
        }
    }
}
