//! What a market-data frame says, in words that all venues share, and why a frame is not understood.
//!
//! Decoders (`<venue>/market.rs`) make [`Message`]s of bytes; levels of a depth message go to a reused [`DepthLevels`],
//! so that nothing is allocated per frame. Numbers are already on the instrument's grid.

use crate::units::{Grid, GridError, Price, Qty, Side, UnixNanos};

/// Why a frame is malformed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Larger than a message may be.
    #[error("frame had {bytes} bytes")]
    TooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Not UTF-8.
    #[error("frame was not UTF-8")]
    NotUtf8,
    /// Not JSON.
    #[error("frame was not JSON at byte {at}")]
    Json {
        /// Where.
        at: usize,
    },
    /// Nested too deep.
    #[error(
        "frame was nested deeper than {} levels",
        crate::capacity::JSON_DEPTH_MAX
    )]
    TooDeep,
    /// More levels than a message may have.
    #[error(
        "frame had more than {} levels a side",
        crate::capacity::MESSAGE_LEVELS_MAX
    )]
    TooManyLevels,
    /// A field that this kind always has is absent.
    #[error("frame lacked a field")]
    MissingField,
    /// A field occurs twice.
    #[error("frame had a field twice")]
    DuplicateField,
    /// A field has another JSON type than it always has.
    #[error("frame had a field of the wrong type")]
    FieldType,
    /// A price, quantity or id is no number that we can hold.
    #[error("frame had a bad number: {0}")]
    Number(#[from] GridError),
    /// A quantity below zero, or a price of zero or below.
    #[error("frame had a negative quantity or no positive price")]
    Sign,
    /// Update ids contradict themselves.
    #[error("frame had contradicting update ids")]
    Ids,
}

impl Malformed {
    /// How many kinds there are.
    pub const COUNT: usize = 11;
    /// All labels, by [`Malformed::index`].
    pub const LABELS: [&'static str; Self::COUNT] = [
        "too_large",
        "not_utf8",
        "json",
        "too_deep",
        "too_many_levels",
        "missing_field",
        "duplicate_field",
        "field_type",
        "number",
        "sign",
        "ids",
    ];
    /// As an array index.
    #[must_use]
    pub const fn index(self) -> usize {
        match self {
            Self::TooLarge { .. } => 0,
            Self::NotUtf8 => 1,
            Self::Json { .. } => 2,
            Self::TooDeep => 3,
            Self::TooManyLevels => 4,
            Self::MissingField => 5,
            Self::DuplicateField => 6,
            Self::FieldType => 7,
            Self::Number(_) => 8,
            Self::Sign => 9,
            Self::Ids => 10,
        }
    }
    /// Fixed short word for a metric label.
    #[must_use]
    pub fn label(self) -> &'static str {
        Self::LABELS.get(self.index()).copied().unwrap_or("?")
    }
}

/// The kinds of message that are decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum FrameKind {
    /// Best bid and ask.
    Quote,
    /// Changes of depth levels.
    Depth,
    /// One public trade.
    Trade,
    /// Trades of one taker order at one price, as one.
    AggTrade,
    /// Mark price and funding.
    Mark,
    /// Answer to a subscription, or its error.
    Control,
    /// The venue announces the connection's end.
    Shutdown,
}

impl FrameKind {
    /// All kinds.
    pub const ALL: [Self; 7] = [
        Self::Quote,
        Self::Depth,
        Self::Trade,
        Self::AggTrade,
        Self::Mark,
        Self::Control,
        Self::Shutdown,
    ];
    /// As an array index.
    #[must_use]
    pub const fn index(self) -> usize {
        self as usize
    }
    /// Fixed short word for a metric label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Quote => "quote",
            Self::Depth => "depth",
            Self::Trade => "trade",
            Self::AggTrade => "agg_trade",
            Self::Mark => "mark",
            Self::Control => "control",
            Self::Shutdown => "shutdown",
        }
    }
}

/// A new absolute quantity at a price; zero removes the level.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LevelChange {
    /// Level price, above zero.
    pub price: Price,
    /// New quantity, zero or more.
    pub qty: Qty,
}

/// The levels of one depth message, in a buffer that is used again and again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DepthLevels {
    /// Bid levels, in the message's order.
    pub bids: Vec<LevelChange>,
    /// Ask levels, in the message's order.
    pub asks: Vec<LevelChange>,
}

impl DepthLevels {
    /// Forgets the levels, keeps the memory.
    pub fn clear(&mut self) {
        self.bids.clear();
        self.asks.clear();
    }
    /// How many levels both sides have.
    #[must_use]
    pub fn len(&self) -> usize {
        self.bids.len() + self.asks.len()
    }
    /// True without any level.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
    /// All levels, bids first.
    pub fn iter(&self) -> impl Iterator<Item = (Side, LevelChange)> + '_ {
        let bids = self.bids.iter().map(|level| (Side::Buy, *level));
        bids.chain(self.asks.iter().map(|level| (Side::Sell, *level)))
    }
}

/// Update ids of a depth message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DepthIds {
    /// First id inside.
    pub first: u64,
    /// Last id inside: what the book stands at afterwards.
    pub last: u64,
    /// Last id of the message before, where the venue says it.
    pub previous: Option<u64>,
}

/// Best bid and ask.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct QuoteMessage {
    /// Position in the decoder's instrument table.
    pub slot: usize,
    /// Venue time, where it is sent.
    pub event_time: Option<UnixNanos>,
    /// Update id on the depth book's scale.
    pub update_id: u64,
    /// Best bid; both sides are always there.
    pub bid: LevelChange,
    /// Best ask.
    pub ask: LevelChange,
}

/// Changes of depth levels; the levels are in the decoder's [`DepthLevels`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct DepthMessage {
    /// Position in the decoder's instrument table.
    pub slot: usize,
    /// Venue time.
    pub event_time: UnixNanos,
    /// Update ids.
    pub ids: DepthIds,
}

/// One public trade, or several of one taker order as one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TradeMessage {
    /// Position in the decoder's instrument table.
    pub slot: usize,
    /// Venue time.
    pub event_time: UnixNanos,
    /// [`FrameKind::Trade`] or [`FrameKind::AggTrade`].
    pub kind: FrameKind,
    /// Venue trade id (of the aggregate, for an aggregate).
    pub trade_id: u64,
    /// Price paid.
    pub price: Price,
    /// Quantity.
    pub qty: Qty,
    /// Side of the aggressor.
    pub aggressor: Side,
    /// False for liquidation and insurance-fund transfers, whose price or quantity may be zero: no market print.
    pub is_market: bool,
}

/// Mark price and funding.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MarkMessage {
    /// Position in the decoder's instrument table.
    pub slot: usize,
    /// Venue time.
    pub event_time: UnixNanos,
    /// Mark price, floored to the grid.
    pub price: Price,
    /// Funding rate of the running interval in parts per billion, floored; 0 where there is none.
    pub funding_ppb: i64,
    /// Next funding instant; 0 where there is none.
    pub next_funding_time: UnixNanos,
}

/// What one frame says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message<'a> {
    /// Best bid and ask.
    Quote(QuoteMessage),
    /// Depth changes.
    Depth(DepthMessage),
    /// A trade.
    Trade(TradeMessage),
    /// Mark price.
    Mark(MarkMessage),
    /// A message of a decoded kind for a symbol that is not in the table.
    UnknownSymbol {
        /// Which kind.
        kind: FrameKind,
        /// The venue's name of the symbol.
        symbol: &'a str,
    },
    /// Answer to a request of ours.
    Control {
        /// Our request number, if it carries one.
        id: Option<u64>,
        /// True when the venue refused.
        is_error: bool,
    },
    /// The venue announces the connection's end.
    Shutdown,
    /// Well-formed, of a kind that is not used.
    Ignored,
}

/// Native symbols to slots and grids: open addressing, no allocation on look-up.
#[derive(Debug, Clone, Default)]
pub struct SymbolTable {
    entries: Vec<(Box<[u8]>, Grid)>,
    /// Entry number plus one; zero is free. A power of two, at most half full.
    buckets: Vec<u32>,
}

impl SymbolTable {
    /// Adds a symbol and returns its slot (the one it has, when it is there already).
    pub fn insert(&mut self, native: &str, grid: Grid) -> usize {
        if let Some((slot, _)) = self.find(native.as_bytes()) {
            return slot;
        }
        self.entries.push((native.as_bytes().into(), grid));
        if self.entries.len() * 2 > self.buckets.len() {
            self.grow();
        } else {
            self.place(self.entries.len() - 1);
        }
        self.entries.len() - 1
    }

    fn grow(&mut self) {
        let size = (self.entries.len() * 4).next_power_of_two().max(16);
        self.buckets = vec![0; size];
        for slot in 0..self.entries.len() {
            self.place(slot);
        }
    }

    fn place(&mut self, slot: usize) {
        let Some((native, _)) = self.entries.get(slot) else {
            return;
        };
        let mask = self.buckets.len() - 1;
        let mut bucket = hash(native) & mask;
        while self.buckets.get(bucket).is_some_and(|entry| *entry != 0) {
            bucket = (bucket + 1) & mask;
        }
        if let Some(entry) = self.buckets.get_mut(bucket) {
            *entry = u32::try_from(slot + 1).unwrap_or(0);
        }
    }

    /// Slot and grid of a symbol.
    #[must_use]
    #[inline]
    pub fn find(&self, native: &[u8]) -> Option<(usize, Grid)> {
        let mask = self.buckets.len().checked_sub(1)?;
        let mut bucket = hash(native) & mask;
        loop {
            let slot = usize::try_from(*self.buckets.get(bucket)?)
                .ok()?
                .checked_sub(1)?;
            let (known, grid) = self.entries.get(slot)?;
            if **known == *native {
                return Some((slot, *grid));
            }
            bucket = (bucket + 1) & mask;
        }
    }

    /// The symbol in a slot.
    #[must_use]
    pub fn native(&self, slot: usize) -> Option<&str> {
        self.entries
            .get(slot)
            .and_then(|(native, _)| std::str::from_utf8(native).ok())
    }
    /// The grid in a slot.
    #[must_use]
    pub fn grid(&self, slot: usize) -> Option<Grid> {
        self.entries.get(slot).map(|(_, grid)| *grid)
    }
    /// How many symbols there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }
    /// True without any symbol.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

/// Names of up to sixteen bytes count whole; of longer ones the first and last eight bytes do.
#[inline]
fn hash(bytes: &[u8]) -> usize {
    let (first, last) = match (bytes.first_chunk(), bytes.last_chunk()) {
        (Some(first), Some(last)) => (u64::from_le_bytes(*first), u64::from_le_bytes(*last)),
        _ => match (bytes.first_chunk(), bytes.last_chunk()) {
            (Some(first), Some(last)) => {
                let wide = |bytes: &[u8; 4]| u64::from(u32::from_le_bytes(*bytes));
                (wide(first), wide(last))
            }
            _ => (
                bytes
                    .iter()
                    .fold(0, |state, byte| state << 8 | u64::from(*byte)),
                0,
            ),
        },
    };
    let mixed = (first ^ last.rotate_left(29)).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    usize::try_from(mixed >> 32).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn symbols_are_found_by_their_whole_name() {
        let mut table = SymbolTable::default();
        assert_eq!(table.find(b"BTCUSDT"), None);
        for number in 0..500 {
            let grid = Grid::new(u8::try_from(number % 9).unwrap(), 2).unwrap();
            assert_eq!(table.insert(&format!("S{number}USDT"), grid), number);
        }
        assert_eq!(table.insert("S7USDT", Grid::FINEST), 7);
        for number in 0..500 {
            let name = format!("S{number}USDT");
            let (slot, grid) = table.find(name.as_bytes()).unwrap();
            assert_eq!(
                (slot, usize::from(grid.price_decimals())),
                (number, number % 9)
            );
            assert_eq!(table.native(slot), Some(name.as_str()));
        }
        assert_eq!(table.find(b"S7USD"), None);
        assert_eq!(table.find(b""), None);
        assert_eq!(table.len(), 500);
    }

    #[test]
    fn kinds_have_their_own_labels() {
        let kinds = [
            Malformed::TooLarge { bytes: 1 },
            Malformed::NotUtf8,
            Malformed::Json { at: 1 },
            Malformed::TooDeep,
            Malformed::TooManyLevels,
            Malformed::MissingField,
            Malformed::DuplicateField,
            Malformed::FieldType,
            Malformed::Number(GridError::OffGrid),
            Malformed::Sign,
            Malformed::Ids,
        ];
        for (index, kind) in kinds.into_iter().enumerate() {
            assert_eq!(kind.index(), index);
            assert_eq!(kind.label(), Malformed::LABELS[index]);
        }
        for (index, kind) in FrameKind::ALL.into_iter().enumerate() {
            assert_eq!(kind.index(), index);
        }
    }
}
