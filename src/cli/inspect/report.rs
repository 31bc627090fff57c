//! What `inspect` found, as JSON and as a table.

use std::collections::BTreeMap;

use serde::Serialize;

/// The whole finding. Amounts are decimal strings, times nanoseconds since 1970.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Inspection {
    /// How the recording was read.
    pub venue: &'static str,
    /// Lines of all files.
    pub lines: u64,
    /// Frames (and snapshots) that were understood, by the venue's name of their kind.
    pub frames: BTreeMap<&'static str, u64>,
    /// Well-formed frames without use.
    pub ignored: u64,
    /// Frames that could not be understood.
    pub malformed: u64,
    /// Why, by kind.
    pub malformed_kinds: BTreeMap<&'static str, u64>,
    /// Lines that are no frames: what the recorder opened, sent, asked otherwise, and its configuration.
    pub other_lines: u64,
    /// Receive time of the first line.
    pub first_time: i64,
    /// Receive time of the last line.
    pub last_time: i64,
    /// Receive time less venue stamp, smallest and largest, over all frames that have a stamp.
    pub delay_ns: Option<[i64; 2]>,
    /// One an instrument, by symbol.
    pub books: Vec<BookReport>,
    /// Single trades, by symbol.
    pub trades: Vec<TradeReport>,
    /// Aggregated trades, by symbol.
    pub agg_trades: Vec<TradeReport>,
}

/// One instrument's book at the end.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct BookReport {
    /// The venue's name.
    pub symbol: String,
    /// Breaks in the chain of update ids.
    pub gaps: u64,
    /// Updates applied on a snapshot.
    pub updates_applied: u64,
    /// Whether the book could be priced from at the end.
    pub trusted: bool,
    /// Bid levels held.
    pub bid_levels: usize,
    /// Ask levels held.
    pub ask_levels: usize,
    /// Best five bids, price and quantity.
    pub bid: Vec<[String; 2]>,
    /// Best five asks, price and quantity.
    pub ask: Vec<[String; 2]>,
    /// SHA-256 of the best twenty levels a side: `b PRICE QTY` and `a PRICE QTY` lines without trailing zeros.
    pub top20_sha256: String,
    /// Update id it stands at.
    pub update_id: u64,
    /// Snapshots of it in the recording.
    pub snapshots: u64,
    /// Updates that left best bid at or above best ask.
    pub crossed: u64,
    /// Quotes equal to the book's best at the same update id.
    pub quotes_equal: u64,
    /// Quotes that differed from it.
    pub quotes_different: u64,
}

/// One instrument's trades.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TradeReport {
    /// The venue's name.
    pub symbol: String,
    /// How many.
    pub count: u64,
    /// Id of the first.
    pub first_id: u64,
    /// Id of the last.
    pub last_id: u64,
    /// Times an id did not follow the one before.
    pub gaps: u64,
    /// Sum of quantities.
    pub quantity_sum: String,
    /// Sum of price times quantity.
    pub quote_sum: String,
    /// Trades whose buyer was the maker.
    pub buyer_is_maker: u64,
}

impl Inspection {
    /// The finding for people.
    #[must_use]
    pub fn table(&self) -> String {
        let mut out = vec![
            format!("venue       {}", self.venue),
            format!("lines       {}", self.lines),
            format!("first time  {}", self.first_time),
            format!("last time   {}", self.last_time),
        ];
        if let Some([least, most]) = self.delay_ns {
            out.push(format!(
                "delay       {least} to {most} ns after the venue's stamp"
            ));
        }
        out.push(String::new());
        let mut counts = vec![["frames".to_owned(), "count".to_owned()]];
        counts.extend(
            self.frames
                .iter()
                .map(|(kind, count)| [(*kind).to_owned(), count.to_string()]),
        );
        counts.push(["ignored".to_owned(), self.ignored.to_string()]);
        counts.push(["malformed".to_owned(), self.malformed.to_string()]);
        counts.extend(
            self.malformed_kinds
                .iter()
                .map(|(kind, count)| [format!("  {kind}"), count.to_string()]),
        );
        counts.push(["other lines".to_owned(), self.other_lines.to_string()]);
        out.extend(aligned(&counts));
        self.push_books(&mut out);
        for (title, trades) in [
            ("trades", &self.trades),
            ("aggregate trades", &self.agg_trades),
        ] {
            push_trades(title, trades, &mut out);
        }
        out.join("\n")
    }

    fn push_books(&self, out: &mut Vec<String>) {
        if self.books.is_empty() {
            return;
        }
        out.push(String::new());
        let header = [
            "book",
            "trusted",
            "gaps",
            "applied",
            "crossed",
            "bids",
            "asks",
            "update id",
            "quotes equal",
            "different",
        ];
        let mut rows = vec![header.map(str::to_owned)];
        rows.extend(self.books.iter().map(|book| {
            [
                book.symbol.clone(),
                if book.trusted { "yes" } else { "no" }.to_owned(),
                book.gaps.to_string(),
                book.updates_applied.to_string(),
                book.crossed.to_string(),
                book.bid_levels.to_string(),
                book.ask_levels.to_string(),
                book.update_id.to_string(),
                book.quotes_equal.to_string(),
                book.quotes_different.to_string(),
            ]
        }));
        out.extend(aligned(&rows));
        for book in &self.books {
            out.push(String::new());
            out.push(format!("{}  top 20 {}", book.symbol, book.top20_sha256));
            let header = ["bid quantity", "bid", "ask", "ask quantity"];
            let mut rows = vec![header.map(str::to_owned)];
            for place in 0..book.bid.len().max(book.ask.len()) {
                let [bid, bid_qty] = book.bid.get(place).cloned().unwrap_or_default();
                let [ask, ask_qty] = book.ask.get(place).cloned().unwrap_or_default();
                rows.push([bid_qty, bid, ask, ask_qty]);
            }
            out.extend(aligned(&rows));
        }
    }
}

fn push_trades(title: &str, trades: &[TradeReport], out: &mut Vec<String>) {
    if trades.is_empty() {
        return;
    }
    out.push(String::new());
    let header = [
        title,
        "count",
        "first id",
        "last id",
        "gaps",
        "quantity",
        "price x quantity",
        "buyer is maker",
    ];
    let mut rows = vec![header.map(str::to_owned)];
    rows.extend(trades.iter().map(|trades| {
        [
            trades.symbol.clone(),
            trades.count.to_string(),
            trades.first_id.to_string(),
            trades.last_id.to_string(),
            trades.gaps.to_string(),
            trades.quantity_sum.clone(),
            trades.quote_sum.clone(),
            trades.buyer_is_maker.to_string(),
        ]
    }));
    out.extend(aligned(&rows));
}

/// Columns as wide as their widest cell: the first to the left, the others to the right.
pub(super) fn aligned<const COLUMNS: usize>(rows: &[[String; COLUMNS]]) -> Vec<String> {
    let mut widths = [0; COLUMNS];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.chars().count());
        }
    }
    rows.iter()
        .map(|row| {
            let cells = row
                .iter()
                .zip(widths)
                .enumerate()
                .map(|(column, (cell, width))| match column {
                    0 => format!("{cell:<width$}"),
                    _ => format!("{cell:>width$}"),
                });
            cells.collect::<Vec<_>>().join("  ").trim_end().to_owned()
        })
        .collect()
}
