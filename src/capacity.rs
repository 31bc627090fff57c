//! Every upper bound of the engine on one page, with assertions that relate them.
//!
//! Ask "and when it is full?" before "how fast?": each bound names what happens beyond it.

/// Venue instances in one configuration. Beyond it the configuration is refused.
pub const VENUES_MAX: usize = 8;
/// Instruments (one a venue and symbol) in one engine. Beyond it the configuration is refused.
pub const INSTRUMENTS_MAX: usize = 5_120;
/// Strategies in one engine. Beyond it the configuration is refused.
pub const STRATEGIES_MAX: usize = 16;
/// Venues that one cross-venue strategy compares. Beyond it the configuration is refused.
pub const ROUTE_VENUES_MAX: usize = 8;
/// Cycles that one `triangular` strategy watches. Beyond it the configuration is refused. A cycle takes 12 bytes and 8 of
/// state, and 2 for each of its legs in the index: at most 30 bytes, so 480 KiB for all; an instrument takes about 360 bytes.
pub const CYCLES_MAX: usize = 16_384;
/// Legs of one set. Beyond it the configuration is refused.
pub const LEGS_MAX: usize = 5;

/// Market events in one feed's ring (4 MiB of 64-byte events). When full, the feed remembers a gap.
pub const FEED_RING_EVENTS: usize = 65_536;
/// Events the signal seat takes from one ring before it looks at its control inputs again.
pub const DRAIN_EVENTS_MAX: usize = 1_024;
/// Approved sets waiting for the execution seat. When full, the gate takes the approval back and counts it.
pub const APPROVAL_RING_SETS: usize = 256;
/// Control messages waiting for a seat. When full the sender counts and decides (see `actors/mailbox.rs`).
pub const MAILBOX_MESSAGES: usize = 4_096;

/// Bytes of one WebSocket frame from a venue. A larger one is refused and counted, and the connection rebuilt.
pub const FRAME_BYTES_MAX: usize = 1 << 20;
/// Bytes of one WebSocket message or HTTP body from a venue (a deep snapshot). A larger one is refused.
pub const MESSAGE_BYTES_MAX: usize = 4 << 20;
/// Nesting of JSON from outside. Deeper text is malformed.
pub const JSON_DEPTH_MAX: usize = 32;
/// Price levels in one depth message or snapshot side. More is malformed.
pub const MESSAGE_LEVELS_MAX: usize = 10_000;
/// Diffs a feed buffers a symbol while it waits for a snapshot. Beyond it the synchronisation starts again.
pub const SYNC_BUFFER_MESSAGES_MAX: usize = 4_096;
/// Price levels kept a book side. The farthest is dropped beyond it.
pub const BOOK_SIDE_LEVELS_MAX: usize = 16_384;

/// Orders of ours that may be open, in flight or unknown at once. Beyond it new orders are refused.
pub const OPEN_ORDERS_MAX: usize = 1_024;
/// Leg sets that may be open at once. Beyond it new sets are refused.
pub const OPEN_SETS_MAX: usize = 256;
/// Trade ids remembered an instrument for de-duplication. Older ones are dropped (venues do not redeliver older).
pub const TRADE_IDS_MAX: usize = 65_536;
/// Submissions remembered by a rate limiter. It refuses beyond it.
pub const RATE_WINDOW_MAX: usize = 256;

/// Routes with counts and a lifetime histogram of their own in the opportunity ledger (about 14 kB each, twice); the further
/// routes of a strategy share one.
pub const ROUTES_TALLIED_MAX: usize = 256;

/// Episodes of edges followed in full at once: open ones, and those whose later edge is still to be looked at.
pub const OPPORTUNITIES_MARKED_MAX: usize = 128;

/// Episodes whose edge is looked for again shortly after its first look; further ones are not in those shares.
pub const OPPORTUNITIES_PROBED_MAX: usize = 256;

/// Episodes kept in full between two reports; further ones are dropped and counted.
pub const OPPORTUNITIES_WINDOW_MAX: usize = 256;

const _: () = {
    assert!(
        FEED_RING_EVENTS.is_power_of_two(),
        "Invariant: the ring index is a mask"
    );
    assert!(
        FEED_RING_EVENTS > 2 * MESSAGE_LEVELS_MAX,
        "Invariant: one snapshot of both sides fits an empty ring"
    );
    assert!(
        DRAIN_EVENTS_MAX < FEED_RING_EVENTS,
        "Invariant: control is looked at before a whole ring is drained"
    );
    assert!(
        FRAME_BYTES_MAX <= MESSAGE_BYTES_MAX,
        "Invariant: a message has at least one frame"
    );
    assert!(
        INSTRUMENTS_MAX <= u16::MAX as usize,
        "Invariant: an instrument id is 16 bits"
    );
    assert!(
        CYCLES_MAX <= u16::MAX as usize,
        "Invariant: a route id is 16 bits"
    );
    assert!(
        VENUES_MAX <= u8::MAX as usize,
        "Invariant: a venue id is 8 bits"
    );
};
