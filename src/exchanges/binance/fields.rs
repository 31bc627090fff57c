//! Binance's field names, shared by its spot and futures streams: one slot a name, so that a repeated or missing field is
//! one bit test.

use crate::exchanges::frame::Malformed;
use crate::exchanges::number;
use crate::exchanges::scan::each_field;
use crate::units::UnixNanos;

/// Where a field's raw value is kept. Single letters have slots 0..52.
pub(in crate::exchanges) type Slot = u8;

pub(in crate::exchanges) const PREVIOUS_ID: Slot = 52;
pub(in crate::exchanges) const LAST_UPDATE_ID: Slot = 53;
pub(in crate::exchanges) const BIDS: Slot = 54;
pub(in crate::exchanges) const ASKS: Slot = 55;
pub(in crate::exchanges) const STREAM: Slot = 56;
pub(in crate::exchanges) const DATA: Slot = 57;
pub(in crate::exchanges) const RESULT: Slot = 58;
pub(in crate::exchanges) const ID: Slot = 59;
pub(in crate::exchanges) const ERROR: Slot = 60;
pub(in crate::exchanges) const CODE: Slot = 61;
pub(in crate::exchanges) const MESSAGE: Slot = 62;
pub(in crate::exchanges) const SYMBOL: Slot = 63;
const SLOTS: usize = 64;

/// Slot of a one-letter field.
#[inline]
pub(in crate::exchanges) const fn letter(name: u8) -> Option<Slot> {
    match name {
        b'A'..=b'Z' => Some(name - b'A'),
        b'a'..=b'z' => Some(name - b'a' + 26),
        _ => None,
    }
}

/// Slot of a field; `None` for one that is never looked at.
fn slot_of(name: &[u8]) -> Option<Slot> {
    match name {
        [one] => letter(*one),
        b"pu" => Some(PREVIOUS_ID),
        b"lastUpdateId" => Some(LAST_UPDATE_ID),
        b"bids" => Some(BIDS),
        b"asks" => Some(ASKS),
        b"stream" => Some(STREAM),
        b"data" => Some(DATA),
        b"result" => Some(RESULT),
        b"id" => Some(ID),
        b"error" => Some(ERROR),
        b"code" => Some(CODE),
        b"msg" => Some(MESSAGE),
        b"symbol" => Some(SYMBOL),
        _ => None,
    }
}

/// The bit of a slot.
#[inline]
pub(in crate::exchanges) const fn bit(slot: Slot) -> u64 {
    1 << slot
}

/// The bits of one-letter fields.
pub(in crate::exchanges) const fn letters(names: &[u8]) -> u64 {
    let mut bits = 0;
    let mut rest = names;
    while let [first, tail @ ..] = rest {
        if let Some(slot) = letter(*first) {
            bits |= bit(slot);
        }
        rest = tail;
    }
    bits
}

/// Fields that each kind of a dialect always has: one that lacks any is malformed.
#[derive(Debug, Clone, Copy)]
pub(in crate::exchanges) struct Shape {
    pub(in crate::exchanges) quote: u64,
    pub(in crate::exchanges) depth: u64,
    pub(in crate::exchanges) trade: u64,
    pub(in crate::exchanges) agg_trade: u64,
    pub(in crate::exchanges) mark: u64,
}

/// The raw values of one object's fields.
#[derive(Debug, Clone, Copy)]
pub(in crate::exchanges) struct Fields<'a> {
    seen: u64,
    values: [&'a [u8]; SLOTS],
}

impl<'a> Fields<'a> {
    /// Reads an object that is the whole text and lies inside `depth` open ones.
    pub(in crate::exchanges) fn read(bytes: &'a [u8], depth: usize) -> Result<Self, Malformed> {
        let mut fields = Self {
            seen: 0,
            values: [b""; SLOTS],
        };
        each_field(bytes, depth, |name, value| {
            let Some(slot) = slot_of(name) else {
                return Ok(());
            };
            if fields.seen & bit(slot) != 0 {
                return Err(Malformed::DuplicateField);
            }
            fields.seen |= bit(slot);
            if let Some(kept) = fields.values.get_mut(usize::from(slot)) {
                *kept = value;
            }
            Ok(())
        })?;
        Ok(fields)
    }

    pub(in crate::exchanges) const fn has(&self, slot: Slot) -> bool {
        self.seen & bit(slot) != 0
    }

    pub(in crate::exchanges) const fn require(&self, bits: u64) -> Result<(), Malformed> {
        if self.seen & bits == bits {
            Ok(())
        } else {
            Err(Malformed::MissingField)
        }
    }

    /// The raw value.
    pub(in crate::exchanges) fn raw(&self, slot: Slot) -> Result<&'a [u8], Malformed> {
        if !self.has(slot) {
            return Err(Malformed::MissingField);
        }
        self.values
            .get(usize::from(slot))
            .copied()
            .ok_or(Malformed::MissingField)
    }

    /// A string without escapes.
    pub(in crate::exchanges) fn text(&self, slot: Slot) -> Result<&'a [u8], Malformed> {
        let raw = self.raw(slot)?;
        let inner = raw
            .strip_prefix(b"\"")
            .and_then(|rest| rest.strip_suffix(b"\""));
        match inner {
            Some(inner) if !inner.contains(&b'\\') => Ok(inner),
            _ => Err(Malformed::FieldType),
        }
    }

    /// A string value of a one-letter field.
    pub(in crate::exchanges) fn letter_text(&self, name: u8) -> Result<&'a [u8], Malformed> {
        self.text(letter(name).ok_or(Malformed::MissingField)?)
    }

    /// An integer value of a one-letter field.
    pub(in crate::exchanges) fn letter_integer(&self, name: u8) -> Result<u64, Malformed> {
        self.integer(letter(name).ok_or(Malformed::MissingField)?)
    }

    pub(in crate::exchanges) fn integer(&self, slot: Slot) -> Result<u64, Malformed> {
        number::integer(self.raw(slot)?)
    }

    pub(in crate::exchanges) fn letter_bool(&self, name: u8) -> Result<bool, Malformed> {
        match self.raw(letter(name).ok_or(Malformed::MissingField)?)? {
            b"true" => Ok(true),
            b"false" => Ok(false),
            _ => Err(Malformed::FieldType),
        }
    }

    /// A time in milliseconds.
    pub(in crate::exchanges) fn letter_time(&self, name: u8) -> Result<UnixNanos, Malformed> {
        millis(self.letter_integer(name)?)
    }
}

/// Venue milliseconds as an instant.
pub(in crate::exchanges) fn millis(value: u64) -> Result<UnixNanos, Malformed> {
    let value = i64::try_from(value).map_err(|_too_large| {
        Malformed::Number(crate::units::GridError::Number(
            crate::units::NumberError::TooLarge,
        ))
    })?;
    Ok(UnixNanos::from_millis(value))
}
