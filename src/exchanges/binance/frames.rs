//! Binance market data, the careful way: any field order, unknown fields skipped, every fault named. `short.rs` is the short
//! way for frames as they are normally written; both agree, and this one decides in doubt.

use crate::capacity::{FRAME_BYTES_MAX, JSON_DEPTH_MAX, MESSAGE_BYTES_MAX, MESSAGE_LEVELS_MAX};
use crate::exchanges::frame::{
    DepthIds, DepthLevels, DepthMessage, FrameKind, LevelChange, Malformed, MarkMessage, Message,
    QuoteMessage, SymbolTable, TradeMessage,
};
use crate::exchanges::number;
use crate::exchanges::scan::{Cursor, check_whole};
use crate::units::{Grid, Price, Side};

use super::fields::{
    ASKS, BIDS, CODE, DATA, ERROR, Fields, ID, LAST_UPDATE_ID, MESSAGE, PREVIOUS_ID, RESULT,
    STREAM, SYMBOL, Shape, letter, millis,
};
use super::short;

const _: () = assert!(
    JSON_DEPTH_MAX >= 4,
    "Invariant: a depth message in its envelope is four deep"
);

/// Reads one frame; levels of a depth message go to `levels`.
pub(in crate::exchanges) fn decode<'a>(
    shape: &Shape,
    table: &SymbolTable,
    levels: &mut DepthLevels,
    bytes: &'a [u8],
) -> Result<Message<'a>, Malformed> {
    if bytes.len() > FRAME_BYTES_MAX {
        return Err(Malformed::TooLarge { bytes: bytes.len() });
    }
    match short::decode(shape, table, levels, bytes) {
        Some(message) => Ok(message),
        None => decode_carefully(shape, table, levels, bytes),
    }
}

/// [`decode`] without the short way.
pub(in crate::exchanges) fn decode_carefully<'a>(
    shape: &Shape,
    table: &SymbolTable,
    levels: &mut DepthLevels,
    bytes: &'a [u8],
) -> Result<Message<'a>, Malformed> {
    if bytes.len() > FRAME_BYTES_MAX {
        return Err(Malformed::TooLarge { bytes: bytes.len() });
    }
    if std::str::from_utf8(bytes).is_err() {
        return Err(Malformed::NotUtf8);
    }
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        return check_whole(bytes).map(|()| Message::Ignored);
    }
    let top = Fields::read(bytes, 0)?;
    let reader = Reader { shape, table };
    if !top.has(STREAM) && !top.has(DATA) {
        return reader.classify(&top, None, levels);
    }
    let stream = top.text(STREAM)?;
    let data = top.raw(DATA)?;
    if !data.starts_with(b"{") {
        return if is_used_stream(stream) {
            Err(Malformed::FieldType)
        } else {
            Ok(Message::Ignored)
        };
    }
    reader.classify(&Fields::read(data, 1)?, Some(stream), levels)
}

/// Whether a stream's messages are decoded, by its name: such a message without its kind is malformed.
fn is_used_stream(stream: &[u8]) -> bool {
    let mut parts = stream.split(|byte| *byte == b'@');
    let kind = parts.nth(1).unwrap_or_default();
    matches!(
        kind,
        b"depth" | b"trade" | b"aggTrade" | b"bookTicker" | b"markPrice"
    )
}

struct Reader<'r> {
    shape: &'r Shape,
    table: &'r SymbolTable,
}

impl Reader<'_> {
    fn classify<'a>(
        &self,
        fields: &Fields<'a>,
        stream: Option<&[u8]>,
        levels: &mut DepthLevels,
    ) -> Result<Message<'a>, Malformed> {
        let has = |name: u8| letter(name).is_some_and(|slot| fields.has(slot));
        if has(b'e') {
            return match fields.letter_text(b'e')? {
                b"bookTicker" => self.quote(fields),
                b"depthUpdate" => self.depth(fields, levels),
                b"trade" => self.trade(fields),
                b"aggTrade" => self.agg_trade(fields),
                b"markPriceUpdate" => self.mark(fields),
                b"serverShutdown" => Ok(Message::Shutdown),
                _ => Ok(Message::Ignored),
            };
        }
        match stream {
            Some(name) if name.ends_with(b"@bookTicker") => self.quote(fields),
            Some(_) if fields.has(LAST_UPDATE_ID) => Ok(Message::Ignored),
            Some(name) if is_used_stream(name) => Err(Malformed::MissingField),
            Some(_) => Ok(Message::Ignored),
            None if b"usbBaA".iter().all(|name| has(*name)) => self.quote(fields),
            None => Ok(control(fields)),
        }
    }

    /// Slot and grid of the message's symbol, or the message that says it is unknown.
    fn symbol<'a>(
        &self,
        fields: &Fields<'a>,
        kind: FrameKind,
    ) -> Result<Result<(usize, Grid), Message<'a>>, Malformed> {
        let native = fields.letter_text(b's')?;
        Ok(self
            .table
            .find(native)
            .ok_or_else(|| Message::UnknownSymbol {
                kind,
                symbol: std::str::from_utf8(native).unwrap_or_default(),
            }))
    }

    fn quote<'a>(&self, fields: &Fields<'a>) -> Result<Message<'a>, Malformed> {
        fields.require(self.shape.quote)?;
        let (slot, grid) = match self.symbol(fields, FrameKind::Quote)? {
            Ok(found) => found,
            Err(unknown) => return Ok(unknown),
        };
        let has_time = letter(b'E').is_some_and(|slot| fields.has(slot));
        let side = |price: u8, qty: u8| {
            number::level(fields.letter_text(price)?, fields.letter_text(qty)?, grid)
        };
        Ok(Message::Quote(QuoteMessage {
            slot,
            event_time: if has_time {
                Some(fields.letter_time(b'E')?)
            } else {
                None
            },
            update_id: fields.letter_integer(b'u')?,
            bid: side(b'b', b'B')?,
            ask: side(b'a', b'A')?,
        }))
    }

    fn depth<'a>(
        &self,
        fields: &Fields<'a>,
        levels: &mut DepthLevels,
    ) -> Result<Message<'a>, Malformed> {
        fields.require(self.shape.depth)?;
        let (slot, grid) = match self.symbol(fields, FrameKind::Depth)? {
            Ok(found) => found,
            Err(unknown) => return Ok(unknown),
        };
        let ids = DepthIds {
            first: fields.letter_integer(b'U')?,
            last: fields.letter_integer(b'u')?,
            previous: if fields.has(PREVIOUS_ID) {
                Some(fields.integer(PREVIOUS_ID)?)
            } else {
                None
            },
        };
        if ids.first > ids.last {
            return Err(Malformed::Ids);
        }
        let event_time = fields.letter_time(b'E')?;
        levels.clear();
        let side = |name: u8| fields.raw(letter(name).ok_or(Malformed::MissingField)?);
        read_levels(side(b'b')?, grid, &mut levels.bids)?;
        read_levels(side(b'a')?, grid, &mut levels.asks)?;
        Ok(Message::Depth(DepthMessage {
            slot,
            event_time,
            ids,
        }))
    }

    fn trade<'a>(&self, fields: &Fields<'a>) -> Result<Message<'a>, Malformed> {
        fields.require(self.shape.trade)?;
        let kind = letter(b'X').filter(|slot| fields.has(*slot));
        let is_market = match kind {
            Some(slot) => fields.text(slot)? == b"MARKET",
            None => true,
        };
        self.print(fields, FrameKind::Trade, b't', is_market)
    }

    fn agg_trade<'a>(&self, fields: &Fields<'a>) -> Result<Message<'a>, Malformed> {
        fields.require(self.shape.agg_trade)?;
        self.print(fields, FrameKind::AggTrade, b'a', true)
    }

    fn print<'a>(
        &self,
        fields: &Fields<'a>,
        kind: FrameKind,
        id_name: u8,
        is_market: bool,
    ) -> Result<Message<'a>, Malformed> {
        let (slot, grid) = match self.symbol(fields, kind)? {
            Ok(found) => found,
            Err(unknown) => return Ok(unknown),
        };
        let price_text = fields.letter_text(b'p')?;
        let price = if is_market {
            number::price(price_text, grid)?
        } else {
            grid.parse_price(price_text).map_err(Malformed::from)?
        };
        if price.0 < 0 {
            return Err(Malformed::Sign);
        }
        Ok(Message::Trade(TradeMessage {
            slot,
            event_time: fields.letter_time(b'E')?,
            kind,
            trade_id: fields.letter_integer(id_name)?,
            price,
            qty: number::qty(fields.letter_text(b'q')?, grid)?,
            // `m`: the buyer was the maker, so the seller was the aggressor.
            aggressor: if fields.letter_bool(b'm')? {
                Side::Sell
            } else {
                Side::Buy
            },
            is_market,
        }))
    }

    fn mark<'a>(&self, fields: &Fields<'a>) -> Result<Message<'a>, Malformed> {
        fields.require(self.shape.mark)?;
        let (slot, grid) = match self.symbol(fields, FrameKind::Mark)? {
            Ok(found) => found,
            Err(unknown) => return Ok(unknown),
        };
        let price = number::floor_steps(fields.letter_text(b'p')?, grid.price_decimals())?;
        if price <= 0 {
            return Err(Malformed::Sign);
        }
        let funding = fields.letter_text(b'r')?;
        Ok(Message::Mark(MarkMessage {
            slot,
            event_time: fields.letter_time(b'E')?,
            price: Price(price),
            // Delivery contracts have an empty rate.
            funding_ppb: if funding.is_empty() {
                0
            } else {
                number::floor_steps(funding, 9)?
            },
            next_funding_time: fields.letter_time(b'T')?,
        }))
    }
}

/// Answers to our requests; anything else without a kind is ignored.
fn control<'a>(fields: &Fields<'a>) -> Message<'a> {
    let is_error = fields.has(ERROR) || (fields.has(CODE) && fields.has(MESSAGE));
    if is_error || fields.has(RESULT) || fields.has(ID) {
        Message::Control {
            id: fields.integer(ID).ok(),
            is_error,
        }
    } else {
        Message::Ignored
    }
}

/// Reads `[["price","qty"],..]`.
fn read_levels(raw: &[u8], grid: Grid, out: &mut Vec<LevelChange>) -> Result<(), Malformed> {
    let mut cursor = Cursor::new(raw);
    let wrong = Err(Malformed::FieldType);
    if !cursor.eat(b'[') {
        return wrong;
    }
    cursor.skip_space();
    if cursor.eat(b']') {
        return Ok(());
    }
    loop {
        cursor.skip_space();
        if !cursor.eat(b'[') {
            return wrong;
        }
        cursor.skip_space();
        let price = plain_text(&mut cursor)?;
        cursor.skip_space();
        if !cursor.eat(b',') {
            return wrong;
        }
        cursor.skip_space();
        let qty = plain_text(&mut cursor)?;
        cursor.skip_space();
        if !cursor.eat(b']') {
            return wrong;
        }
        if out.len() >= MESSAGE_LEVELS_MAX {
            return Err(Malformed::TooManyLevels);
        }
        out.push(number::level(price, qty, grid)?);
        cursor.skip_space();
        if cursor.eat(b']') {
            return Ok(());
        }
        if !cursor.eat(b',') {
            return wrong;
        }
    }
}

fn plain_text<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], Malformed> {
    let start = cursor.at() + 1;
    if cursor.peek() != Some(b'"') || cursor.skip_string()? {
        return Err(Malformed::FieldType);
    }
    let quoted = cursor.since(start);
    Ok(quoted.strip_suffix(b"\"").unwrap_or(quoted))
}

/// Update id and, where it is written, symbol of a depth snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SnapshotHead<'a> {
    /// The update id it stands at.
    pub last_update_id: u64,
    /// The symbol; only COIN-M writes it.
    pub symbol: Option<&'a str>,
}

/// Reads the head of a REST depth answer.
///
/// # Errors
/// [`Malformed`] when it is no such answer.
pub fn read_snapshot_head(body: &[u8]) -> Result<SnapshotHead<'_>, Malformed> {
    let fields = snapshot_fields(body)?;
    let symbol = if fields.has(SYMBOL) {
        Some(fields.text(SYMBOL)?)
    } else {
        None
    };
    Ok(SnapshotHead {
        last_update_id: fields.integer(LAST_UPDATE_ID)?,
        symbol: symbol.and_then(|symbol| std::str::from_utf8(symbol).ok()),
    })
}

/// Reads a REST depth answer: its levels into `levels`, its update id as the result.
///
/// # Errors
/// [`Malformed`] when it is no such answer or a level is bad.
pub fn read_snapshot(body: &[u8], grid: Grid, levels: &mut DepthLevels) -> Result<u64, Malformed> {
    let fields = snapshot_fields(body)?;
    levels.clear();
    read_levels(fields.raw(BIDS)?, grid, &mut levels.bids)?;
    read_levels(fields.raw(ASKS)?, grid, &mut levels.asks)?;
    fields.integer(LAST_UPDATE_ID)
}

fn snapshot_fields(body: &[u8]) -> Result<Fields<'_>, Malformed> {
    if body.len() > MESSAGE_BYTES_MAX {
        return Err(Malformed::TooLarge { bytes: body.len() });
    }
    if std::str::from_utf8(body).is_err() {
        return Err(Malformed::NotUtf8);
    }
    Fields::read(body, 0)
}

/// An event time of `value` milliseconds, for the short way.
#[inline]
pub(super) fn time(value: u64) -> Option<crate::units::UnixNanos> {
    millis(value).ok()
}
