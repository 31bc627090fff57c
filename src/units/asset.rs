//! Asset codes such as `BTC` and `USDT`, as a small copyable value.

/// Longest asset code accepted.
pub const ASSET_BYTES_MAX: usize = 15;

/// An asset code: 1 to 15 bytes of upper-case ASCII letters, digits or `.`, `-`, `_`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Asset {
    bytes: [u8; ASSET_BYTES_MAX],
    length: u8,
}

impl Asset {
    /// Reads a code, upper-casing it; `None` when empty, too long, or with a foreign byte.
    #[must_use]
    pub fn new(code: &str) -> Option<Self> {
        if code.is_empty() || code.len() > ASSET_BYTES_MAX {
            return None;
        }
        let mut bytes = [0_u8; ASSET_BYTES_MAX];
        for (slot, byte) in bytes.iter_mut().zip(code.bytes()) {
            if !(byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_')) {
                return None;
            }
            *slot = byte.to_ascii_uppercase();
        }
        Some(Self {
            bytes,
            length: u8::try_from(code.len()).ok()?,
        })
    }
    /// The code as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self.bytes
            .get(..usize::from(self.length))
            .and_then(|bytes| std::str::from_utf8(bytes).ok())
            .unwrap_or_default()
    }
}

impl std::fmt::Debug for Asset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.as_str())
    }
}

impl std::fmt::Display for Asset {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.pad(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_codes() {
        assert_eq!(Asset::new("usdt").unwrap().as_str(), "USDT");
        assert!(Asset::new("").is_none());
        assert!(Asset::new("BTC/USDT").is_none());
        assert!(Asset::new("ABCDEFGHIJKLMNOP").is_none());
    }
}
