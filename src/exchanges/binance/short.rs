//! Binance market data, the short way: combined frames without white space, escapes or surprises, in any field order with
//! the symbol before the numbers. Answers only when the frame is certainly well-formed; otherwise `frames.rs` decides.

use crate::capacity::MESSAGE_LEVELS_MAX;
use crate::exchanges::digits::{self, plain_end};
use crate::exchanges::frame::{
    DepthIds, DepthLevels, DepthMessage, FrameKind, LevelChange, Message, QuoteMessage,
    SymbolTable, TradeMessage,
};
use crate::exchanges::number::short_steps;
use crate::units::{Grid, Price, Qty, Side};

use super::fields::{PREVIOUS_ID, Shape, Slot, bit, letter};
use super::frames::time;

/// Reads one frame, or leaves it to the careful way.
#[inline]
pub(super) fn decode<'a>(
    shape: &Shape,
    table: &SymbolTable,
    levels: &mut DepthLevels,
    bytes: &'a [u8],
) -> Option<Message<'a>> {
    let rest = bytes.strip_prefix(b"{\"stream\":\"")?;
    let name_end = plain_end(rest)?;
    let (name, rest) = rest.split_at_checked(name_end)?;
    let rest = rest.strip_prefix(b"\",\"data\":{")?;
    let kind = name.get(memchr::memchr(b'@', name)? + 1..)?;
    let mut reader = Reader {
        rest,
        seen: 0,
        table,
    };
    match kind {
        b"bookTicker" => reader.quote(shape.quote),
        b"trade" => reader.trade(shape.trade),
        b"depth" => reader.depth(shape.depth, levels),
        _ if kind.starts_with(b"depth@") => reader.depth(shape.depth, levels),
        _ => None,
    }
}

struct Reader<'a, 't> {
    rest: &'a [u8],
    seen: u64,
    table: &'t SymbolTable,
}

/// Slots as patterns.
const fn slot(name: u8) -> Slot {
    match letter(name) {
        Some(slot) => slot,
        None => 0,
    }
}
const LOWER_A: Slot = slot(b'a');
const UPPER_A: Slot = slot(b'A');
const LOWER_B: Slot = slot(b'b');
const UPPER_B: Slot = slot(b'B');
const LOWER_E: Slot = slot(b'e');
const UPPER_E: Slot = slot(b'E');
const LOWER_M: Slot = slot(b'm');
const LOWER_P: Slot = slot(b'p');
const LOWER_Q: Slot = slot(b'q');
const LOWER_S: Slot = slot(b's');
const LOWER_T: Slot = slot(b't');
const LOWER_U: Slot = slot(b'u');
const UPPER_U: Slot = slot(b'U');
const UPPER_X: Slot = slot(b'X');
/// A field that is skipped.
const OTHER: Slot = Slot::MAX;

impl<'a> Reader<'a, '_> {
    /// Moves over `"name":` and notes it; a field seen before ends the short way.
    #[inline]
    fn key(&mut self) -> Option<Slot> {
        let (slot, rest) = match self.rest {
            [b'"', one, b'"', b':', rest @ ..] => (letter(*one)?, rest),
            [b'"', b'p', b'u', b'"', b':', rest @ ..] => (PREVIOUS_ID, rest),
            [b'"', first, second, b'"', b':', rest @ ..]
                if first.is_ascii_alphanumeric() && second.is_ascii_alphanumeric() =>
            {
                self.rest = rest;
                return Some(OTHER);
            }
            _ => return None,
        };
        if self.seen & bit(slot) != 0 {
            return None;
        }
        self.seen |= bit(slot);
        self.rest = rest;
        Some(slot)
    }

    #[inline]
    fn eat(&mut self, literal: &[u8]) -> Option<()> {
        self.rest = self.rest.strip_prefix(literal)?;
        Some(())
    }

    /// After a value: true when another field follows.
    #[inline]
    fn more(&mut self) -> Option<bool> {
        match self.rest {
            [b',', rest @ ..] => {
                self.rest = rest;
                Some(true)
            }
            [b'}', rest @ ..] => {
                self.rest = rest;
                Some(false)
            }
            _ => None,
        }
    }

    /// The end of envelope and frame, with all fields there.
    #[inline]
    fn finish(&self, required: u64) -> Option<()> {
        (self.rest == b"}" && self.seen & required == required).then_some(())
    }

    #[inline]
    fn integer(&mut self) -> Option<u64> {
        let (value, length) = digits::integer(self.rest).or_else(|| self.integer_by_byte())?;
        // Nineteen digits always fit; a leading zero is no JSON number.
        if length == 0 || length > 19 || (length > 1 && self.rest.first() == Some(&b'0')) {
            return None;
        }
        self.rest = self.rest.get(length..)?;
        Some(value)
    }

    fn integer_by_byte(&self) -> Option<(u64, usize)> {
        let mut value: u64 = 0;
        let mut length = 0;
        for byte in self.rest {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
            length += 1;
        }
        Some((value, length))
    }

    #[inline]
    fn text(&mut self) -> Option<&'a [u8]> {
        let rest = self.rest.strip_prefix(b"\"")?;
        let (text, rest) = rest.split_at_checked(plain_end(rest)?)?;
        self.rest = rest.get(1..)?;
        Some(text)
    }

    #[inline]
    fn symbol(&mut self) -> Option<(usize, Grid)> {
        let native = self.text()?;
        self.table.find(native)
    }

    #[inline]
    fn steps(&mut self, decimals: u8) -> Option<i64> {
        let rest = self.rest.strip_prefix(b"\"")?;
        let (steps, end) = short_steps(rest, decimals)?;
        self.rest = rest.get(end + 1..)?;
        Some(steps)
    }

    #[inline]
    fn price(&mut self, grid: Grid) -> Option<Price> {
        let steps = self.steps(grid.price_decimals())?;
        (steps > 0).then_some(Price(steps))
    }

    #[inline]
    fn qty(&mut self, grid: Grid) -> Option<Qty> {
        self.steps(grid.qty_decimals()).map(Qty)
    }

    /// Moves over a plain string, integer or word.
    #[inline]
    fn skip(&mut self) -> Option<()> {
        match self.rest {
            [b'"', ..] => self.text().map(|_| ()),
            [b'0'..=b'9', ..] => self.integer().map(|_| ()),
            [b't', ..] => self.eat(b"true"),
            [b'f', ..] => self.eat(b"false"),
            [b'n', ..] => self.eat(b"null"),
            _ => None,
        }
    }

    fn quote(&mut self, required: u64) -> Option<Message<'a>> {
        let mut target: Option<(usize, Grid)> = None;
        let (mut update_id, mut event_time) = (0, None);
        let (mut bid_price, mut bid_qty) = (Price(0), Qty(0));
        let (mut ask_price, mut ask_qty) = (Price(0), Qty(0));
        loop {
            match self.key()? {
                LOWER_U => update_id = self.integer()?,
                LOWER_S => target = Some(self.symbol()?),
                LOWER_B => bid_price = self.price(target?.1)?,
                UPPER_B => bid_qty = self.qty(target?.1)?,
                LOWER_A => ask_price = self.price(target?.1)?,
                UPPER_A => ask_qty = self.qty(target?.1)?,
                UPPER_E => event_time = Some(time(self.integer()?)?),
                LOWER_E => self.eat(b"\"bookTicker\"")?,
                _ => self.skip()?,
            }
            if !self.more()? {
                break;
            }
        }
        self.finish(required)?;
        Some(Message::Quote(QuoteMessage {
            slot: target?.0,
            event_time,
            update_id,
            bid: LevelChange {
                price: bid_price,
                qty: bid_qty,
            },
            ask: LevelChange {
                price: ask_price,
                qty: ask_qty,
            },
        }))
    }

    fn depth(&mut self, required: u64, levels: &mut DepthLevels) -> Option<Message<'a>> {
        levels.clear();
        let mut target: Option<(usize, Grid)> = None;
        let mut ids = DepthIds {
            first: 0,
            last: 0,
            previous: None,
        };
        let mut event_time = None;
        loop {
            match self.key()? {
                LOWER_B => self.levels(target?.1, &mut levels.bids)?,
                LOWER_A => self.levels(target?.1, &mut levels.asks)?,
                LOWER_E => self.eat(b"\"depthUpdate\"")?,
                UPPER_E => event_time = Some(time(self.integer()?)?),
                LOWER_S => target = Some(self.symbol()?),
                UPPER_U => ids.first = self.integer()?,
                LOWER_U => ids.last = self.integer()?,
                PREVIOUS_ID => ids.previous = Some(self.integer()?),
                _ => self.skip()?,
            }
            if !self.more()? {
                break;
            }
        }
        self.finish(required)?;
        (ids.first <= ids.last).then_some(())?;
        Some(Message::Depth(DepthMessage {
            slot: target?.0,
            event_time: event_time?,
            ids,
        }))
    }

    #[inline]
    fn levels(&mut self, grid: Grid, out: &mut Vec<LevelChange>) -> Option<()> {
        self.eat(b"[")?;
        if let [b']', rest @ ..] = self.rest {
            self.rest = rest;
            return Some(());
        }
        loop {
            self.eat(b"[")?;
            let price = self.price(grid)?;
            self.eat(b",")?;
            let qty = self.qty(grid)?;
            if out.len() >= MESSAGE_LEVELS_MAX {
                return None;
            }
            out.push(LevelChange { price, qty });
            match self.rest {
                [b']', b',', rest @ ..] => self.rest = rest,
                [b']', b']', rest @ ..] => {
                    self.rest = rest;
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    fn trade(&mut self, required: u64) -> Option<Message<'a>> {
        let mut target: Option<(usize, Grid)> = None;
        let (mut event_time, mut trade_id, mut is_maker_buy) = (None, 0, false);
        let (mut price, mut qty) = (Price(0), Qty(0));
        loop {
            match self.key()? {
                LOWER_E => self.eat(b"\"trade\"")?,
                UPPER_E => event_time = Some(time(self.integer()?)?),
                LOWER_S => target = Some(self.symbol()?),
                LOWER_T => trade_id = self.integer()?,
                LOWER_P => price = self.price(target?.1)?,
                LOWER_Q => qty = self.qty(target?.1)?,
                UPPER_X => self.eat(b"\"MARKET\"")?,
                LOWER_M => {
                    is_maker_buy = self.rest.starts_with(b"true");
                    self.eat(if is_maker_buy { b"true" } else { b"false" })?;
                }
                _ => self.skip()?,
            }
            if !self.more()? {
                break;
            }
        }
        self.finish(required)?;
        Some(Message::Trade(TradeMessage {
            slot: target?.0,
            event_time: event_time?,
            kind: FrameKind::Trade,
            trade_id,
            price,
            qty,
            aggressor: if is_maker_buy { Side::Sell } else { Side::Buy },
            is_market: true,
        }))
    }
}
