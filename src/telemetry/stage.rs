//! The stages whose time is measured, from the venue's stamp to the fill.

/// One span of the path. Labels are the JSON and metric names.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u8)]
pub enum Stage {
    /// Venue time stamp to frame received (contains the clock offset; negative values are clamped to zero and counted).
    FeedDelay = 0,
    /// Frame received to typed events pushed.
    Decode,
    /// Pushed into the ring to popped.
    QueueWait,
    /// Popped to book updated.
    BookApply,
    /// Book updated to strategy decided.
    StrategyEval,
    /// Gate: the whole chain of checks for one set.
    RiskCheck,
    /// Approved to order bytes ready.
    Encode,
    /// Bytes ready to handed to the socket.
    Write,
    /// Frame received to order handed to the socket.
    TickToOrder,
    /// Order written to acknowledged.
    OrderAck,
    /// Acknowledged to first fill.
    AckToFill,
}

/// What the lanes of a stage are: the index given to `record` is this kind of id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dimension {
    /// One lane a venue instance: `VenueId`.
    Venue,
    /// One lane a ring or queue, in the order of [`super::Lanes::queues`].
    Queue,
    /// One lane a strategy: `StrategyId`.
    Strategy,
    /// One lane, index 0.
    None,
}

impl Dimension {
    /// The metric label; `None` for a stage without one.
    #[must_use]
    pub const fn label(self) -> Option<&'static str> {
        match self {
            Self::Venue => Some("venue"),
            Self::Queue => Some("queue"),
            Self::Strategy => Some("strategy"),
            Self::None => None,
        }
    }
}

impl Stage {
    /// All stages, in order of the path.
    pub const ALL: [Self; 11] = [
        Self::FeedDelay,
        Self::Decode,
        Self::QueueWait,
        Self::BookApply,
        Self::StrategyEval,
        Self::RiskCheck,
        Self::Encode,
        Self::Write,
        Self::TickToOrder,
        Self::OrderAck,
        Self::AckToFill,
    ];
    /// Name in JSON, metrics and tables.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::FeedDelay => "feed_delay",
            Self::Decode => "decode",
            Self::QueueWait => "queue_wait",
            Self::BookApply => "book_apply",
            Self::StrategyEval => "strategy_eval",
            Self::RiskCheck => "risk_check",
            Self::Encode => "encode",
            Self::Write => "write",
            Self::TickToOrder => "tick_to_order",
            Self::OrderAck => "order_ack",
            Self::AckToFill => "ack_to_fill",
        }
    }
    /// What its series are split by in the metrics.
    #[must_use]
    pub const fn dimension(self) -> Dimension {
        match self {
            Self::FeedDelay
            | Self::Decode
            | Self::BookApply
            | Self::Encode
            | Self::Write
            | Self::TickToOrder
            | Self::OrderAck
            | Self::AckToFill => Dimension::Venue,
            Self::QueueWait => Dimension::Queue,
            Self::StrategyEval => Dimension::Strategy,
            Self::RiskCheck => Dimension::None,
        }
    }
    /// As an array index.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
}
