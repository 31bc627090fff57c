//! How a request is signed: HMAC-SHA256 with the token as key. The token itself never crosses the wire.
//!
//! Signed is the text `arbalest-control-v1`, method, host, target, name, time, nonce and body, each ended by a line feed but
//! the body. A captured request is worth nothing at another path, host, body or engine, nor a second time.

use aws_lc_rs::hmac;

/// Who signs.
pub const NAME_HEADER: &str = "x-arbalest-name";
/// When, ms since 1970.
pub const TIME_HEADER: &str = "x-arbalest-time";
/// 32 lower-case hexadecimal digits, new for each request.
pub const NONCE_HEADER: &str = "x-arbalest-nonce";
/// 64 lower-case hexadecimal digits.
pub const SIGNATURE_HEADER: &str = "x-arbalest-signature";

/// First line of what is signed.
const DOMAIN: &str = "arbalest-control-v1";

/// A token, ready to sign.
#[derive(Clone)]
pub struct TokenKey(hmac::Key);

impl std::fmt::Debug for TokenKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TokenKey(..)")
    }
}

/// What is signed.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    /// GET or POST.
    pub method: &'a str,
    /// The Host header, as sent.
    pub host: &'a str,
    /// Path and query, as sent.
    pub target: &'a str,
    /// Who.
    pub name: &'a str,
    /// When, as sent.
    pub time: &'a str,
    /// Once, as sent.
    pub nonce: &'a str,
    /// As sent; empty for a GET.
    pub body: &'a [u8],
}

impl Message<'_> {
    fn bytes(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(256 + self.body.len());
        for line in [
            DOMAIN,
            self.method,
            self.host,
            self.target,
            self.name,
            self.time,
            self.nonce,
        ] {
            bytes.extend_from_slice(line.as_bytes());
            bytes.push(b'\n');
        }
        bytes.extend_from_slice(self.body);
        bytes
    }
}

impl TokenKey {
    /// From the token's text.
    #[must_use]
    pub fn new(token: &str) -> Self {
        Self(hmac::Key::new(hmac::HMAC_SHA256, token.as_bytes()))
    }
    /// The signature, 64 lower-case hexadecimal digits.
    #[must_use]
    pub fn sign(&self, message: &Message<'_>) -> String {
        hex(hmac::sign(&self.0, &message.bytes()).as_ref())
    }
    /// Whether the signature is this token's, in a time that does not depend on where it differs.
    #[must_use]
    pub fn verifies(&self, message: &Message<'_>, signature: &[u8]) -> bool {
        hmac::verify(&self.0, &message.bytes(), signature).is_ok()
    }
}

/// Lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap_or('0');
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)])
        .collect()
}

/// Exactly `N` bytes from lower-case hexadecimal digits.
#[must_use]
pub fn from_hex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N
        || !text
            .bytes()
            .all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
    {
        return None;
    }
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_is_signed() {
        let key = TokenKey::new("token");
        let message = Message {
            method: "POST",
            host: "127.0.0.1:9464",
            target: "/api/v1/halt",
            name: "ann",
            time: "1",
            nonce: "00",
            body: b"{}",
        };
        let signature: [u8; 32] = from_hex(&key.sign(&message)).unwrap();
        assert!(key.verifies(&message, &signature));
        let others = [
            Message {
                method: "GET",
                ..message
            },
            Message {
                host: "localhost:9464",
                ..message
            },
            Message {
                target: "/api/v1/reduce",
                ..message
            },
            Message {
                name: "bob",
                ..message
            },
            Message {
                time: "2",
                ..message
            },
            Message {
                nonce: "01",
                ..message
            },
            Message {
                body: b"{} ",
                ..message
            },
        ];
        for other in others {
            assert!(!key.verifies(&other, &signature), "{other:?}");
        }
        assert!(!TokenKey::new("other").verifies(&message, &signature));
        assert!(!key.verifies(&message, &signature[..31]));
    }

    #[test]
    fn hex_is_strict() {
        assert_eq!(from_hex::<2>("00ff"), Some([0, 255]));
        for text in ["00F f", "00FF", "00f", "00ff0", "+0ff", ""] {
            assert_eq!(from_hex::<2>(text), None, "{text}");
        }
        assert_eq!(hex(&[0, 255, 16]), "00ff10");
    }
}
