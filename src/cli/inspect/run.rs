//! Reads a recording line by line through decoder and book synchronisation.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::exchanges::decode::{Decoder, decode_snapshot, snapshot_symbol, sync_rule};
use crate::exchanges::frame::{DepthLevels, FrameKind, Malformed, Message};
use crate::sim::recording::{LineKind, RecordedLine, Recording};
use crate::units::{Grid, GridError, NumberError, UnixNanos};

use super::book::InspectedBook;
use super::report::Inspection;
use super::{CliError, InspectVenue, origin};

/// Instruments of one recording; frames of further ones are ignored.
const SYMBOLS_MAX: usize = 4_096;

/// Reads the files as one recording.
///
/// # Errors
/// [`CliError`] with exit code 2, naming file and line.
pub fn inspect(files: &[PathBuf], venue: InspectVenue) -> Result<Inspection, CliError> {
    let mut grids = BTreeMap::new();
    loop {
        let mut inspector = Inspector::new(venue, &grids);
        let mut recording =
            Recording::open(files).map_err(|error| CliError::usage(error.to_string()))?;
        loop {
            let line = recording
                .next_line()
                .map_err(|error| CliError::usage(error.to_string()))?;
            let Some(line) = line else { break };
            inspector.take(&line)?;
        }
        // Quantities in the billions need fewer decimals than the finest grid has: read again with those.
        match inspector.coarsened() {
            Some(coarsened) => grids = coarsened,
            None => return Ok(inspector.finish()),
        }
    }
}

/// What is known of one file.
#[derive(Debug, Default)]
struct FileState {
    /// A frame of this venue's own shape was seen: what is odd from now on is damage, not another venue.
    is_own: bool,
    /// The instrument of its first frame, and whether others followed.
    slot: Option<usize>,
    has_many: bool,
    /// Snapshots that stand before the first frame says whose they are.
    unclaimed: Vec<Vec<u8>>,
}

#[derive(Debug)]
struct Inspector<'g> {
    venue: InspectVenue,
    grids: &'g BTreeMap<String, Grid>,
    decoder: Decoder,
    books: Vec<InspectedBook>,
    files: BTreeMap<PathBuf, FileState>,
    levels: DepthLevels,
    lines: u64,
    other_lines: u64,
    frames: BTreeMap<&'static str, u64>,
    ignored: u64,
    malformed: u64,
    malformed_kinds: BTreeMap<&'static str, u64>,
    times: Option<(UnixNanos, UnixNanos)>,
    delays: Option<[i64; 2]>,
    /// Symbols with a number too large for their grid.
    too_large: Vec<String>,
}

impl<'g> Inspector<'g> {
    fn new(venue: InspectVenue, grids: &'g BTreeMap<String, Grid>) -> Self {
        Self {
            venue,
            grids,
            decoder: Decoder::new(venue.dialect()),
            books: Vec::new(),
            files: BTreeMap::new(),
            levels: DepthLevels::default(),
            lines: 0,
            other_lines: 0,
            frames: BTreeMap::new(),
            ignored: 0,
            malformed: 0,
            malformed_kinds: BTreeMap::new(),
            times: None,
            delays: None,
            too_large: Vec::new(),
        }
    }

    fn take(&mut self, line: &RecordedLine<'_>) -> Result<(), CliError> {
        self.lines += 1;
        if line.kind != LineKind::Configuration {
            let (first, last) = self.times.unwrap_or((line.time, line.time));
            self.times = Some((first.min(line.time), last.max(line.time)));
        }
        match line.kind {
            LineKind::Frame => self.take_frame(line),
            LineKind::Http { url } => {
                self.check_address(url, line)?;
                if memchr::memmem::find(line.bytes, b"\"lastUpdateId\"").is_some() {
                    return self.take_snapshot(url, line);
                }
                self.other_lines += 1;
                Ok(())
            }
            LineKind::Opened { url } | LineKind::Sent { url } => {
                self.other_lines += 1;
                self.check_address(url, line)
            }
            LineKind::Configuration => {
                self.other_lines += 1;
                Ok(())
            }
        }
    }

    fn foreign(&self, found: &str, line: &RecordedLine<'_>) -> CliError {
        CliError::usage(format!(
            "{}: line {}: a recording of {found}, not of {}",
            line.file.display(),
            line.number,
            self.venue.label()
        ))
    }

    fn check_address(&self, url: &str, line: &RecordedLine<'_>) -> Result<(), CliError> {
        origin::foreign_address(url, self.venue)
            .map_or(Ok(()), |found| Err(self.foreign(found, line)))
    }

    /// Unless its file has shown itself as this venue's, a frame may show it as another's.
    fn check_frame(&self, line: &RecordedLine<'_>) -> Result<(), CliError> {
        if self.files.get(line.file).is_some_and(|file| file.is_own) {
            return Ok(());
        }
        origin::foreign_frame(line.bytes, self.venue)
            .map_or(Ok(()), |found| Err(self.foreign(found, line)))
    }

    fn take_frame(&mut self, line: &RecordedLine<'_>) -> Result<(), CliError> {
        if line.is_cut {
            self.count_malformed(Malformed::TooLarge {
                bytes: line.bytes.len(),
            });
            return Ok(());
        }
        let mut decoded = self.decoder.decode(line.bytes);
        if let Ok(Message::UnknownSymbol { symbol, .. }) = decoded
            && self.books.len() < SYMBOLS_MAX
        {
            if let Some(found) = origin::foreign_symbol(symbol, self.venue) {
                return Err(self.foreign(found, line));
            }
            self.open_book(symbol);
            decoded = self.decoder.decode(line.bytes);
        }
        let message = match decoded {
            Ok(message) => message,
            Err(malformed) => {
                self.check_frame(line)?;
                self.count_malformed(malformed);
                self.note_too_large(malformed, symbol_of(line.bytes));
                return Ok(());
            }
        };
        match message {
            Message::Quote(_) | Message::Depth(_) | Message::Trade(_) | Message::Mark(_) => {
                self.note_own(&message, line)?;
                self.take_message(&message, line.time);
            }
            Message::Control { .. }
            | Message::Shutdown
            | Message::UnknownSymbol { .. }
            | Message::Ignored => {
                self.check_frame(line)?;
                self.ignored += 1;
            }
        }
        Ok(())
    }

    fn open_book(&mut self, symbol: &str) {
        let grid = self.grids.get(symbol).copied().unwrap_or(Grid::FINEST);
        let slot = self.decoder.insert(symbol, grid);
        if slot == self.books.len() {
            self.books.push(InspectedBook::new(
                symbol,
                grid,
                sync_rule(self.venue.dialect()),
            ));
        }
    }

    /// Notes what the message tells of its file, and gives a waiting snapshot to its instrument.
    fn note_own(&mut self, message: &Message<'_>, line: &RecordedLine<'_>) -> Result<(), CliError> {
        let is_own = origin::is_own_shape(message, self.venue);
        if !self.files.contains_key(line.file) {
            self.files
                .insert(line.file.to_path_buf(), FileState::default());
        }
        let Some(file) = self.files.get_mut(line.file) else {
            return Ok(());
        };
        if is_own == Some(false) && !file.is_own {
            let found = match self.venue {
                InspectVenue::BinanceSpot => "binance futures",
                InspectVenue::BinanceUsdm | InspectVenue::BinanceCoinm => "binance_spot",
            };
            return Err(self.foreign(found, line));
        }
        file.is_own |= is_own == Some(true);
        let Some(slot) = slot_of(message) else {
            return Ok(());
        };
        if file.slot.is_none() {
            file.slot = Some(slot);
            for body in std::mem::take(&mut file.unclaimed) {
                // The depth message at hand is in the decoder's own buffer, so this cannot disturb it.
                self.give_snapshot(slot, &body);
            }
        } else if file.slot != Some(slot) {
            file.has_many = true;
        }
        Ok(())
    }

    fn take_message(&mut self, message: &Message<'_>, time: UnixNanos) {
        let Some(book) = slot_of(message).and_then(|slot| self.books.get_mut(slot)) else {
            return;
        };
        let (kind, event_time) = match message {
            Message::Quote(quote) => {
                book.on_quote(quote);
                (FrameKind::Quote, quote.event_time)
            }
            Message::Depth(depth) => {
                book.on_depth(depth, self.decoder.levels());
                (FrameKind::Depth, Some(depth.event_time))
            }
            Message::Trade(trade) => {
                let tally = if trade.kind == FrameKind::Trade {
                    &mut book.trades
                } else {
                    &mut book.agg_trades
                };
                tally.add(trade);
                (trade.kind, Some(trade.event_time))
            }
            Message::Mark(mark) => (FrameKind::Mark, Some(mark.event_time)),
            Message::Control { .. }
            | Message::Shutdown
            | Message::UnknownSymbol { .. }
            | Message::Ignored => return,
        };
        *self.frames.entry(kind_name(kind)).or_default() += 1;
        if let Some(event_time) = event_time {
            let delay = time.signed_since(event_time);
            let [least, most] = self.delays.unwrap_or([delay, delay]);
            self.delays = Some([least.min(delay), most.max(delay)]);
        }
    }

    /// A recorded snapshot: its address or body names the symbol, else its file has only one.
    fn take_snapshot(&mut self, url: &str, line: &RecordedLine<'_>) -> Result<(), CliError> {
        if line.is_cut {
            self.count_malformed(Malformed::TooLarge {
                bytes: line.bytes.len(),
            });
            return Ok(());
        }
        let named = match snapshot_symbol(line.bytes) {
            Ok(symbol) => symbol.or_else(|| query_symbol(url)),
            Err(malformed) => {
                self.count_malformed(malformed);
                return Ok(());
            }
        };
        if let Some(symbol) = named {
            if let Some(found) = origin::foreign_symbol(symbol, self.venue) {
                return Err(self.foreign(found, line));
            }
            self.open_book(symbol);
            if let Some((slot, _)) = self.decoder.table().find(symbol.as_bytes()) {
                self.give_snapshot(slot, line.bytes);
            }
            return Ok(());
        }
        let file = self.files.entry(line.file.to_path_buf()).or_default();
        match file.slot {
            Some(slot) if !file.has_many => self.give_snapshot(slot, line.bytes),
            None if file.unclaimed.len() < 16 => file.unclaimed.push(line.bytes.to_vec()),
            // Nobody can say whose it is.
            Some(_) | None => self.ignored += 1,
        }
        Ok(())
    }

    fn give_snapshot(&mut self, slot: usize, body: &[u8]) {
        let grid = self.decoder.table().grid(slot).unwrap_or(Grid::FINEST);
        match decode_snapshot(self.venue.dialect(), body, grid, &mut self.levels) {
            Ok(update_id) => {
                *self.frames.entry("snapshot").or_default() += 1;
                if let Some(book) = self.books.get_mut(slot) {
                    book.on_snapshot(update_id, &mut self.levels);
                }
            }
            Err(malformed) => {
                self.count_malformed(malformed);
                let symbol = self.decoder.table().native(slot).map(str::to_owned);
                self.note_too_large(malformed, symbol.as_deref());
            }
        }
    }

    fn count_malformed(&mut self, malformed: Malformed) {
        self.malformed += 1;
        *self.malformed_kinds.entry(malformed.label()).or_default() += 1;
    }

    fn note_too_large(&mut self, malformed: Malformed, symbol: Option<&str>) {
        let too_large = Malformed::Number(GridError::Number(NumberError::TooLarge));
        if let Some(symbol) = symbol.filter(|_| malformed == too_large)
            && !self.too_large.iter().any(|known| known == symbol)
        {
            self.too_large.push(symbol.to_owned());
        }
    }

    /// The grids with fewer decimals for instruments whose quantities did not fit; `None` when nothing changes.
    fn coarsened(&self) -> Option<BTreeMap<String, Grid>> {
        let mut grids = self.grids.clone();
        let mut has_changed = false;
        for symbol in &self.too_large {
            let grid = self.grids.get(symbol).copied().unwrap_or(Grid::FINEST);
            let fewer = grid.qty_decimals().checked_sub(4);
            if let Some(Ok(coarser)) =
                fewer.map(|decimals| Grid::new(grid.price_decimals(), decimals))
            {
                grids.insert(symbol.clone(), coarser);
                has_changed = true;
            }
        }
        has_changed.then_some(grids)
    }

    /// A snapshot in a file of its own belongs to the only instrument of the recording.
    fn finish(mut self) -> Inspection {
        if let [_] = self.books.as_slice() {
            let strays: Vec<Vec<u8>> = self
                .files
                .values_mut()
                .flat_map(|file| std::mem::take(&mut file.unclaimed))
                .collect();
            for body in strays {
                self.give_snapshot(0, &body);
            }
        }
        self.report()
    }

    fn report(self) -> Inspection {
        let mut books: Vec<_> = self.books.iter().map(InspectedBook::report).collect();
        books.sort_by(|one, other| one.symbol.cmp(&other.symbol));
        let (mut trades, mut agg_trades) = (Vec::new(), Vec::new());
        for book in &self.books {
            let (single, aggregate) = book.trade_reports();
            trades.extend(single);
            agg_trades.extend(aggregate);
        }
        trades.sort_by(|one, other| one.symbol.cmp(&other.symbol));
        agg_trades.sort_by(|one, other| one.symbol.cmp(&other.symbol));
        let (first, last) = self.times.unwrap_or_default();
        let unclaimed: usize = self.files.values().map(|file| file.unclaimed.len()).sum();
        Inspection {
            venue: self.venue.label(),
            lines: self.lines,
            frames: self.frames,
            ignored: self.ignored + u64::try_from(unclaimed).unwrap_or(0),
            malformed: self.malformed,
            malformed_kinds: self.malformed_kinds,
            other_lines: self.other_lines,
            first_time: first.0,
            last_time: last.0,
            delay_ns: self.delays,
            books,
            trades,
            agg_trades,
        }
    }
}

const fn slot_of(message: &Message<'_>) -> Option<usize> {
    match message {
        Message::Quote(quote) => Some(quote.slot),
        Message::Depth(depth) => Some(depth.slot),
        Message::Trade(trade) => Some(trade.slot),
        Message::Mark(mark) => Some(mark.slot),
        Message::Control { .. }
        | Message::Shutdown
        | Message::UnknownSymbol { .. }
        | Message::Ignored => None,
    }
}

/// As the venue calls it in its `e` field or stream name.
const fn kind_name(kind: FrameKind) -> &'static str {
    match kind {
        FrameKind::Quote => "bookTicker",
        FrameKind::Depth => "depthUpdate",
        FrameKind::Trade => "trade",
        FrameKind::AggTrade => "aggTrade",
        FrameKind::Mark => "markPriceUpdate",
        FrameKind::Control => "control",
        FrameKind::Shutdown => "serverShutdown",
    }
}

/// The symbol of a frame that could not be decoded, found by its text alone.
fn symbol_of(bytes: &[u8]) -> Option<&str> {
    let start = memchr::memmem::find(bytes, b"\"s\":\"")? + 5;
    let rest = bytes.get(start..)?;
    std::str::from_utf8(rest.get(..memchr::memchr(b'"', rest)?)?).ok()
}

fn query_symbol(url: &str) -> Option<&str> {
    let query = url.split_once('?')?.1;
    query
        .split('&')
        .find_map(|pair| pair.strip_prefix("symbol="))
}
