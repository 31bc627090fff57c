//! Bytes to [`Message`]s for any dialect: the decoder with its table of symbols and its reused buffers.

use crate::units::Grid;

use super::Dialect;
use super::binance::frames;
use super::binance::streams::MarketDialect;
use super::frame::{DepthLevels, Malformed, Message, SymbolTable};
use super::sync::SyncRule;
use super::{binance_spot, binance_usdm};

/// The market-data side of a dialect.
pub(super) const fn market(dialect: Dialect) -> &'static MarketDialect {
    match dialect {
        Dialect::BinanceSpot => &binance_spot::market::MARKET,
        Dialect::BinanceUsdm => &binance_usdm::market::MARKET,
    }
}

/// Decodes the market data of one dialect.
#[derive(Debug, Clone)]
pub struct Decoder {
    dialect: Dialect,
    table: SymbolTable,
    levels: DepthLevels,
}

impl Decoder {
    /// A decoder that knows no symbol yet.
    #[must_use]
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            table: SymbolTable::default(),
            levels: DepthLevels::default(),
        }
    }

    /// Adds a symbol by the venue's name and returns its slot, the one that messages carry.
    pub fn insert(&mut self, native: &str, grid: Grid) -> usize {
        self.table.insert(native, grid)
    }

    /// The symbols.
    #[must_use]
    pub const fn table(&self) -> &SymbolTable {
        &self.table
    }

    /// Levels of the depth message or snapshot read last.
    #[must_use]
    pub const fn levels(&self) -> &DepthLevels {
        &self.levels
    }

    /// Reads one frame. Allocates nothing for quotes, depth, trades and mark prices once the buffers have grown.
    ///
    /// # Errors
    /// [`Malformed`]; the levels are then meaningless.
    #[inline]
    pub fn decode<'a>(&mut self, bytes: &'a [u8]) -> Result<Message<'a>, Malformed> {
        frames::decode(
            &market(self.dialect).shape,
            &self.table,
            &mut self.levels,
            bytes,
        )
    }

    /// [`Decoder::decode`] without the short way for frames as usually written: same answers, slower.
    ///
    /// # Errors
    /// [`Malformed`], like [`Decoder::decode`].
    pub fn decode_carefully<'a>(&mut self, bytes: &'a [u8]) -> Result<Message<'a>, Malformed> {
        frames::decode_carefully(
            &market(self.dialect).shape,
            &self.table,
            &mut self.levels,
            bytes,
        )
    }
}

/// Reads an HTTP depth answer: its levels into `levels`, its update id as the result.
///
/// # Errors
/// [`Malformed`] when it is none.
pub fn decode_snapshot(
    dialect: Dialect,
    body: &[u8],
    grid: Grid,
    levels: &mut DepthLevels,
) -> Result<u64, Malformed> {
    match dialect {
        Dialect::BinanceSpot | Dialect::BinanceUsdm => frames::read_snapshot(body, grid, levels),
    }
}

/// The symbol that an HTTP depth answer names itself, where it does.
///
/// # Errors
/// [`Malformed`] when it is no depth answer.
pub fn snapshot_symbol(body: &[u8]) -> Result<Option<&str>, Malformed> {
    frames::read_snapshot_head(body).map(|head| head.symbol)
}

/// How the depth ids of a dialect chain.
#[must_use]
pub const fn sync_rule(dialect: Dialect) -> SyncRule {
    market(dialect).rule
}
