//! The best prices of one instrument by one HTTP question: for a process that reads no market stream.

use crate::units::{Grid, Price};

use super::Dialect;
use super::binance::{Flavour, quote};

const fn flavour(dialect: Dialect) -> Flavour {
    match dialect {
        Dialect::BinanceSpot => Flavour::Spot,
        Dialect::BinanceUsdm => Flavour::Usdm,
    }
}

/// Path and query of the question, below the REST base address. It needs no key.
#[must_use]
pub fn target(dialect: Dialect, native: &str) -> String {
    quote::target(flavour(dialect), native)
}

/// Best bid and ask of the answer; `None` when one side is empty or it cannot be read.
#[must_use]
pub fn parse(body: &[u8], grid: Grid) -> Option<(Price, Price)> {
    quote::parse(body, grid)
}
