//! The parameters of one request, and the three texts made of them: the signed payload of the WebSocket API, its JSON, and
//! a REST query.
//!
//! WebSocket API: all parameters sorted by name, joined `k=v&k=v`, values raw. REST: in the order given, values
//! percent-encoded before signing. The buffers are kept from request to request.

use crate::exchanges::sign::{SigningKey, percent_encode_into};

#[derive(Debug, Clone, Copy)]
struct Entry {
    key: &'static str,
    start: usize,
    end: usize,
    /// Written without quotes in JSON.
    bare: bool,
}

/// Names and values of one request.
#[derive(Debug, Default)]
pub(crate) struct Params {
    entries: Vec<Entry>,
    values: Vec<u8>,
    payload: Vec<u8>,
}

impl Params {
    /// Forgets the last request.
    pub(crate) fn clear(&mut self) {
        self.entries.clear();
        self.values.clear();
    }
    /// Adds a value that `write` appends.
    pub(crate) fn put(&mut self, key: &'static str, bare: bool, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.values.len();
        write(&mut self.values);
        self.entries.push(Entry {
            key,
            start,
            end: self.values.len(),
            bare,
        });
    }
    /// Adds a text.
    pub(crate) fn text(&mut self, key: &'static str, value: &str) {
        self.put(key, false, |out| out.extend_from_slice(value.as_bytes()));
    }
    /// Adds an integer.
    pub(crate) fn integer(&mut self, key: &'static str, value: i64) {
        self.put(key, true, |out| {
            crate::units::number::write_fixed(value, 0, out);
        });
    }
    /// Adds a decimal of `steps` without trailing zeros: venues refuse more decimals than they asked for.
    pub(crate) fn decimal(&mut self, key: &'static str, steps: i64, decimals: u8) {
        self.put(key, false, |out| {
            let start = out.len();
            crate::units::number::write_fixed(steps, decimals, out);
            if decimals > 0 {
                while out.len() > start && out.last() == Some(&b'0') {
                    out.pop();
                }
                if out.last() == Some(&b'.') {
                    out.pop();
                }
            }
        });
    }

    fn value(&self, entry: Entry) -> &[u8] {
        self.values.get(entry.start..entry.end).unwrap_or_default()
    }

    /// The text that the WebSocket API signs.
    fn sorted_payload(&mut self) {
        self.entries.sort_unstable_by_key(|entry| entry.key);
        let mut payload = std::mem::take(&mut self.payload);
        payload.clear();
        for (place, entry) in self.entries.iter().enumerate() {
            if place > 0 {
                payload.push(b'&');
            }
            payload.extend_from_slice(entry.key.as_bytes());
            payload.push(b'=');
            payload.extend_from_slice(self.value(*entry));
        }
        self.payload = payload;
    }

    /// A WebSocket API request; `key` signs it.
    pub(crate) fn request(&mut self, id: u32, method: &str, key: Option<&SigningKey>) -> String {
        let mut out = Vec::with_capacity(512);
        out.extend_from_slice(b"{\"id\":");
        crate::units::number::write_fixed(i64::from(id), 0, &mut out);
        out.extend_from_slice(b",\"method\":\"");
        out.extend_from_slice(method.as_bytes());
        out.extend_from_slice(b"\",\"params\":{");
        if key.is_some() {
            self.sorted_payload();
        }
        for (place, entry) in self.entries.iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            out.push(b'"');
            out.extend_from_slice(entry.key.as_bytes());
            out.extend_from_slice(b"\":");
            if entry.bare {
                out.extend_from_slice(self.value(*entry));
            } else {
                out.push(b'"');
                escape_into(self.value(*entry), &mut out);
                out.push(b'"');
            }
        }
        if let Some(key) = key {
            if !self.entries.is_empty() {
                out.push(b',');
            }
            out.extend_from_slice(b"\"signature\":\"");
            key.sign_into(&self.payload, &mut out);
            out.push(b'"');
        }
        out.extend_from_slice(b"}}");
        String::from_utf8(out).unwrap_or_default()
    }

    /// Path and query of a REST request; `key` signs the query.
    pub(crate) fn target(&mut self, path: &str, key: Option<&SigningKey>) -> String {
        let mut out = Vec::with_capacity(384);
        out.extend_from_slice(path.as_bytes());
        for (place, entry) in self.entries.iter().enumerate() {
            out.push(if place == 0 { b'?' } else { b'&' });
            out.extend_from_slice(entry.key.as_bytes());
            out.push(b'=');
            percent_encode_into(self.value(*entry), &mut out);
        }
        if let Some(key) = key {
            let query = out.get(path.len() + 1..).unwrap_or_default();
            self.payload.clear();
            key.sign_into(query, &mut self.payload);
            out.extend_from_slice(if self.entries.is_empty() {
                b"?signature="
            } else {
                b"&signature="
            });
            percent_encode_into(&self.payload, &mut out);
        }
        String::from_utf8(out).unwrap_or_default()
    }
}

/// Appends text as the inside of a JSON string.
fn escape_into(text: &[u8], out: &mut Vec<u8>) {
    for &byte in text {
        match byte {
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', byte]),
            0..=0x1F => {
                out.extend_from_slice(b"\\u00");
                out.push(b'0' + (byte >> 4));
                out.push(match byte & 0xF {
                    low @ 0..=9 => b'0' + low,
                    low => b'a' + low - 10,
                });
            }
            _ => out.push(byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_have_no_trailing_zeros() {
        for (steps, decimals, text) in [
            (6_183_763, 2, "61837.63"),
            (100, 2, "1"),
            (150, 3, "0.15"),
            (100, 0, "100"),
            (0, 2, "0"),
        ] {
            let mut params = Params::default();
            params.decimal("price", steps, decimals);
            assert_eq!(params.target("/x", None), format!("/x?price={text}"));
        }
    }

    #[test]
    fn json_is_escaped() {
        let mut params = Params::default();
        params.text("symbol", "A\"\\\u{1}Ｂ");
        let text = params.request(7, "m", None);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["params"]["symbol"], "A\"\\\u{1}Ｂ");
        assert_eq!(value["id"], 7);
    }
}
