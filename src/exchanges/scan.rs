//! Strict JSON, byte by byte, without allocating: how far a value reaches and whether it is one.
//!
//! The grammar is RFC 8259's (the slow twin in `tests/decode.rs` is serde_json). Keys of objects that are looked into may
//! not contain escapes; everything that is skipped may.

use crate::capacity::JSON_DEPTH_MAX;

use super::frame::Malformed;

/// A place in a frame.
#[derive(Debug, Clone, Copy)]
pub(super) struct Cursor<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Cursor<'a> {
    /// At the start of a frame.
    pub(super) const fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Where it stands.
    pub(super) const fn at(&self) -> usize {
        self.at
    }

    /// What the frame is not, here.
    pub(super) const fn bad(&self) -> Malformed {
        Malformed::Json { at: self.at }
    }

    /// The byte it stands at.
    #[inline]
    pub(super) fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    /// Moves on by one byte.
    #[inline]
    pub(super) const fn step(&mut self) {
        self.at += 1;
    }

    /// Moves over `byte` if it stands there.
    #[inline]
    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.at += 1;
        }
        found
    }

    /// Moves over `literal` if it stands there.
    #[inline]
    pub(super) fn eat_all(&mut self, literal: &[u8]) -> bool {
        let found = self
            .bytes
            .get(self.at..)
            .is_some_and(|rest| rest.starts_with(literal));
        if found {
            self.at += literal.len();
        }
        found
    }

    /// The bytes from `start` to here.
    pub(super) fn since(&self, start: usize) -> &'a [u8] {
        self.bytes.get(start..self.at).unwrap_or_default()
    }

    /// Moves over white space.
    #[inline]
    pub(super) fn skip_space(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\n' | b'\r')) {
            self.at += 1;
        }
    }

    /// Moves over a value inside `depth` open arrays and objects.
    pub(super) fn skip_value(&mut self, depth: usize) -> Result<(), Malformed> {
        match self.peek() {
            Some(b'"') => self.skip_string().map(|_| ()),
            Some(b'{') => self.skip_object(depth),
            Some(b'[') => self.skip_array(depth),
            Some(b'-' | b'0'..=b'9') => self.skip_number(),
            Some(b't') if self.eat_all(b"true") => Ok(()),
            Some(b'f') if self.eat_all(b"false") => Ok(()),
            Some(b'n') if self.eat_all(b"null") => Ok(()),
            _ => Err(self.bad()),
        }
    }

    /// Moves over a string; true when it has escapes.
    pub(super) fn skip_string(&mut self) -> Result<bool, Malformed> {
        if !self.eat(b'"') {
            return Err(self.bad());
        }
        let mut has_escapes = false;
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(has_escapes);
                }
                Some(b'\\') => {
                    has_escapes = true;
                    self.at += 1;
                    self.skip_escape()?;
                }
                Some(0x20..) => self.at += 1,
                _ => return Err(self.bad()),
            }
        }
    }

    fn skip_escape(&mut self) -> Result<(), Malformed> {
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => self.at += 1,
            Some(b'u') => {
                self.at += 1;
                for _ in 0..4 {
                    if !self.peek().is_some_and(|byte| byte.is_ascii_hexdigit()) {
                        return Err(self.bad());
                    }
                    self.at += 1;
                }
            }
            _ => return Err(self.bad()),
        }
        Ok(())
    }

    fn skip_digits(&mut self) -> Result<(), Malformed> {
        if !self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(self.bad());
        }
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        Ok(())
    }

    fn skip_number(&mut self) -> Result<(), Malformed> {
        self.eat(b'-');
        if !self.eat(b'0') {
            self.skip_digits()?;
        }
        if self.eat(b'.') {
            self.skip_digits()?;
        }
        if self.eat(b'e') || self.eat(b'E') {
            let _signed = self.eat(b'+') || self.eat(b'-');
            self.skip_digits()?;
        }
        // `01` is a number followed by rubbish: what follows must end it.
        if self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            return Err(self.bad());
        }
        Ok(())
    }

    fn skip_array(&mut self, depth: usize) -> Result<(), Malformed> {
        if depth >= JSON_DEPTH_MAX {
            return Err(Malformed::TooDeep);
        }
        self.step();
        self.skip_space();
        if self.eat(b']') {
            return Ok(());
        }
        loop {
            self.skip_space();
            self.skip_value(depth + 1)?;
            self.skip_space();
            if self.eat(b']') {
                return Ok(());
            }
            if !self.eat(b',') {
                return Err(self.bad());
            }
        }
    }

    fn skip_object(&mut self, depth: usize) -> Result<(), Malformed> {
        if depth >= JSON_DEPTH_MAX {
            return Err(Malformed::TooDeep);
        }
        self.step();
        self.skip_space();
        if self.eat(b'}') {
            return Ok(());
        }
        loop {
            self.skip_space();
            self.skip_string()?;
            self.skip_space();
            if !self.eat(b':') {
                return Err(self.bad());
            }
            self.skip_space();
            self.skip_value(depth + 1)?;
            self.skip_space();
            if self.eat(b'}') {
                return Ok(());
            }
            if !self.eat(b',') {
                return Err(self.bad());
            }
        }
    }
}

/// Whether the whole text is one JSON value.
pub(super) fn check_whole(bytes: &[u8]) -> Result<(), Malformed> {
    let mut cursor = Cursor::new(bytes);
    cursor.skip_space();
    cursor.skip_value(0)?;
    cursor.skip_space();
    if cursor.peek().is_some() {
        Err(cursor.bad())
    } else {
        Ok(())
    }
}

/// Calls `field(key, raw value, has escapes)` for each field of the object that is the whole text.
///
/// # Errors
/// When the text is no object, a key has escapes, or `field` refuses.
pub(super) fn each_field<'a>(
    bytes: &'a [u8],
    depth: usize,
    mut field: impl FnMut(&'a [u8], &'a [u8]) -> Result<(), Malformed>,
) -> Result<(), Malformed> {
    let mut cursor = Cursor::new(bytes);
    cursor.skip_space();
    if !cursor.eat(b'{') {
        return Err(cursor.bad());
    }
    cursor.skip_space();
    if !cursor.eat(b'}') {
        loop {
            cursor.skip_space();
            let key_start = cursor.at() + 1;
            if cursor.skip_string()? {
                return Err(cursor.bad());
            }
            let key = bytes.get(key_start..cursor.at() - 1).unwrap_or_default();
            cursor.skip_space();
            if !cursor.eat(b':') {
                return Err(cursor.bad());
            }
            cursor.skip_space();
            let start = cursor.at();
            cursor.skip_value(depth + 1)?;
            field(key, cursor.since(start))?;
            cursor.skip_space();
            if cursor.eat(b'}') {
                break;
            }
            if !cursor.eat(b',') {
                return Err(cursor.bad());
            }
        }
    }
    cursor.skip_space();
    if cursor.peek().is_some() {
        Err(cursor.bad())
    } else {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn agrees_with_serde_on_what_is_json() {
        for text in [
            "{}",
            "[]",
            " [1, 2.5e-3 ,\"a\\u00e9\\n\"] ",
            "{\"a\":{\"b\":[null,true,false]}}",
            "-0",
            "0.5",
            "1E+9",
            "\"\"",
            "",
            "[1,]",
            "{\"a\":}",
            "01",
            "1.",
            ".5",
            "-",
            "1e",
            "+1",
            "nul",
            "tru",
            "\"\\x\"",
            "\"\\u12g4\"",
            "[1 2]",
            "{\"a\" 1}",
            "{a:1}",
            "[",
            "]",
            "{}{}",
            "\"a\nb\"",
            "\u{feff}{}",
            "NaN",
            "'a'",
            "[1]]",
            "{\"a\":1,}",
            "0x1",
        ] {
            let twin = serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok();
            assert_eq!(check_whole(text.as_bytes()).is_ok(), twin, "{text:?}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| "[".repeat(depth) + &"]".repeat(depth);
        assert_eq!(check_whole(nested(JSON_DEPTH_MAX).as_bytes()), Ok(()));
        assert_eq!(
            check_whole(nested(JSON_DEPTH_MAX + 1).as_bytes()),
            Err(Malformed::TooDeep)
        );
        assert_eq!(
            check_whole("[".repeat(100_000).as_bytes()),
            Err(Malformed::TooDeep)
        );
        assert_eq!(
            check_whole("{\"a\":".repeat(100_000).as_bytes()),
            Err(Malformed::TooDeep)
        );
    }
}
