//! A symbol's steps read off a recording: recordings carry no filters, their snapshot shows the decimals in use.

use std::path::Path;

use serde::Deserialize;

use crate::exchanges::Dialect;
use crate::sim::tape::{MarketChange, RecordedSource, RecordedTape, Tape};
use crate::units::{Asset, Grid, Price, Qty};

use super::setup::SymbolSetup;

/// Events looked at for one symbol.
const EVENTS_MAX: usize = 5_000;
/// Quote assets, the longer before those they end in.
const QUOTES: [&str; 12] = [
    "FDUSD", "USDT", "USDC", "TUSD", "BUSD", "USD", "EUR", "TRY", "BTC", "ETH", "BNB", "DAI",
];

#[derive(Deserialize)]
struct Levels<'a> {
    #[serde(borrow, default, alias = "b")]
    bids: Vec<(&'a str, &'a str)>,
    #[serde(borrow, default, alias = "a")]
    asks: Vec<(&'a str, &'a str)>,
}

/// Decimals seen: those that are not trailing zeros, and those written.
#[derive(Debug, Clone, Copy, Default)]
struct Decimals {
    used: u8,
    written: u8,
}

impl Decimals {
    fn see(&mut self, text: &str) {
        let fraction = text.split_once('.').map_or("", |(_, fraction)| fraction);
        let length = |text: &str| u8::try_from(text.len()).unwrap_or(u8::MAX);
        self.used = self.used.max(length(fraction.trim_end_matches('0')));
        self.written = self.written.max(length(fraction));
    }
}

/// Base and quote of a native symbol such as `BTCUSDT`.
#[must_use]
pub fn split_native(native: &str) -> Option<(Asset, Asset)> {
    QUOTES.iter().find_map(|quote| {
        let base = native.strip_suffix(quote)?;
        Some((Asset::new(base)?, Asset::new(quote)?))
    })
}

impl SymbolSetup {
    /// A symbol as a recording shows it: finest grid, tick and lot by the decimals in its book.
    ///
    /// # Errors
    /// When the file cannot be read, has no book of the symbol, or the symbol's quote asset is not known.
    pub fn from_recording(path: &Path, native: &str, dialect: Dialect) -> Result<Self, String> {
        let (base, quote) = split_native(native)
            .ok_or_else(|| format!("{native}: cannot tell base from quote asset"))?;
        let source = RecordedSource {
            path: path.to_path_buf(),
            venue: 0,
            symbols: vec![(native.to_owned(), 0)],
        };
        let pace = crate::sim::tape::Pace::RECORDED;
        let mut tape = RecordedTape::open(vec![source], pace).map_err(|error| error.to_string())?;
        let (mut price, mut qty) = (Decimals::default(), Decimals::default());
        for _ in 0..EVENTS_MAX {
            let Some(event) = tape.next() else { break };
            let (data, is_snapshot) = match &event.change {
                MarketChange::Snapshot { data } => (data, true),
                MarketChange::Frame { stream, data } if stream.contains("@depth") => (data, false),
                MarketChange::Frame { .. }
                | MarketChange::Place { .. }
                | MarketChange::Cancel { .. }
                | MarketChange::Mark { .. } => continue,
            };
            let Ok(levels) = serde_json::from_str::<Levels<'_>>(data) else {
                continue;
            };
            for (level_price, level_qty) in levels.bids.iter().chain(&levels.asks) {
                price.see(level_price);
                qty.see(level_qty);
            }
            if is_snapshot {
                break;
            }
        }
        if price.written == 0 && qty.written == 0 && price.used == 0 {
            return Err(format!("{native}: the recording shows no book"));
        }
        let grid = Grid::FINEST;
        let step =
            |decimals: u8| 10_i64.pow(u32::from(grid.price_decimals().saturating_sub(decimals)));
        let mut setup = Self::new(
            base,
            quote,
            grid,
            Price(step(price.used)),
            Qty(step(qty.used)),
        );
        if dialect == Dialect::BinanceUsdm {
            (setup.price_precision, setup.qty_precision) = (price.written, qty.written);
        }
        Ok(setup)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn natives_split_at_the_quote() {
        let split = |native| split_native(native).map(|(base, quote)| format!("{base}/{quote}"));
        assert_eq!(split("BTCUSDT").as_deref(), Some("BTC/USDT"));
        assert_eq!(split("ETHBTC").as_deref(), Some("ETH/BTC"));
        assert_eq!(split("BTCFDUSD").as_deref(), Some("BTC/FDUSD"));
        assert_eq!(split("USDT"), None);
        assert_eq!(split("XYZ"), None);
    }
}
