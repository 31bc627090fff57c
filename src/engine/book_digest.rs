//! A book as text that two programs can compare: best five levels, and a hash of the best twenty a side.
//!
//! The hash is SHA-256 over up to 20 bids, best first, then up to 20 asks, one line each: `b PRICE QTY` or `a PRICE QTY`, numbers
//! without trailing zeros after the point (nor the point itself, if nothing follows it), each line ended by a newline.

use aws_lc_rs::digest;

use crate::market::{Book, Catalogue, Instrument, Level};
use crate::units::{Grid, Side};

use super::summary::BookSummary;

/// Decimal text without trailing zeros after the point.
fn trimmed(text: &str) -> &str {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
    }
}

/// The hash defined above, 64 hex digits.
#[must_use]
pub fn top20_sha256(book: &Book, grid: Grid) -> String {
    let mut text = String::new();
    for (mark, side) in [('b', Side::Buy), ('a', Side::Sell)] {
        for level in book.levels(side).take(20) {
            text.push(mark);
            text.push(' ');
            text.push_str(trimmed(&grid.price_text(level.price)));
            text.push(' ');
            text.push_str(trimmed(&grid.qty_text(level.qty)));
            text.push('\n');
        }
    }
    digest::digest(&digest::SHA256, text.as_bytes())
        .as_ref()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

/// A book for the summary of a run.
#[must_use]
pub fn book_summary(catalogue: &Catalogue, instrument: &Instrument, book: &Book) -> BookSummary {
    let best = |side: Side| {
        let text = |level: Level| {
            [
                instrument.grid.price_text(level.price),
                instrument.grid.qty_text(level.qty),
            ]
        };
        book.levels(side).take(5).map(text).collect()
    };
    BookSummary {
        venue: catalogue.venue_name(instrument.venue).to_owned(),
        symbol: instrument.symbol.to_string(),
        trust: book.trust().label(),
        gaps: book.counters().gaps,
        update_id: book.ladder_id(),
        bid_levels: book.level_count(Side::Buy),
        ask_levels: book.level_count(Side::Sell),
        bid: best(Side::Buy),
        ask: best(Side::Sell),
        top20_sha256: top20_sha256(book, instrument.grid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_lose_trailing_zeros_only_after_the_point() {
        for (text, expected) in [
            ("100", "100"),
            ("100.00", "100"),
            ("0.50", "0.5"),
            ("1.05", "1.05"),
            ("0.00", "0"),
        ] {
            assert_eq!(trimmed(text), expected);
        }
    }
}
