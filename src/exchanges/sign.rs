//! Signatures: a key prepared once, and the encodings that signed requests need. Which text is signed is a venue's matter.

use aws_lc_rs::hmac;
use aws_lc_rs::signature::Ed25519KeyPair;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::secret::KeyKind;

/// A key ready to sign; preparing it costs more than signing with it.
pub enum SigningKey {
    /// HMAC-SHA256, written as lower-case hex.
    HmacSha256(Box<hmac::Key>),
    /// Ed25519, written as base64.
    Ed25519(Box<Ed25519KeyPair>),
}

/// Why a text is no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Neither PEM nor base64.
    #[error("private key was not PEM or base64")]
    NotBase64,
    /// Not an Ed25519 key in PKCS#8.
    #[error("private key was not Ed25519 in PKCS#8")]
    NotEd25519,
}

impl KeyError {
    /// Fixed short word for a metric label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::NotBase64 => "not_base64",
            Self::NotEd25519 => "not_ed25519",
        }
    }
}

impl SigningKey {
    /// From a shared secret.
    #[must_use]
    pub fn hmac(secret: &str) -> Self {
        Self::HmacSha256(Box::new(hmac::Key::new(
            hmac::HMAC_SHA256,
            secret.as_bytes(),
        )))
    }

    /// From PKCS#8 as PEM or bare base64.
    ///
    /// # Errors
    /// [`KeyError`] when it is not such a key.
    pub fn ed25519(text: &str) -> Result<Self, KeyError> {
        let packed: String = text
            .lines()
            .filter(|line| !line.starts_with("-----"))
            .flat_map(str::chars)
            .filter(|letter| !letter.is_ascii_whitespace())
            .collect();
        let der = STANDARD
            .decode(packed)
            .map_err(|_not_base64| KeyError::NotBase64)?;
        // Keys written by common tools carry no public half; the maker derives it.
        Ed25519KeyPair::from_pkcs8_maybe_unchecked(&der)
            .map(|pair| Self::Ed25519(Box::new(pair)))
            .map_err(|_rejected| KeyError::NotEd25519)
    }

    /// Which kind.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        match self {
            Self::HmacSha256(_) => KeyKind::HmacSha256,
            Self::Ed25519(_) => KeyKind::Ed25519,
        }
    }

    /// Appends the signature of `payload` as text.
    pub fn sign_into(&self, payload: &[u8], out: &mut Vec<u8>) {
        match self {
            Self::HmacSha256(key) => {
                for byte in hmac::sign(key, payload).as_ref() {
                    out.push(hex_digit(byte >> 4, b'a'));
                    out.push(hex_digit(byte & 0xF, b'a'));
                }
            }
            Self::Ed25519(pair) => {
                let mut text = [0_u8; 88];
                let length = STANDARD
                    .encode_slice(pair.sign(payload).as_ref(), &mut text)
                    .unwrap_or(0);
                out.extend_from_slice(text.get(..length).unwrap_or_default());
            }
        }
    }
}

impl std::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SigningKey({})", self.kind().label())
    }
}

const fn hex_digit(nibble: u8, letter_a: u8) -> u8 {
    if nibble < 10 {
        b'0' + nibble
    } else {
        letter_a + nibble - 10
    }
}

/// Appends `text` with every byte but letters, digits and `-_.~` percent-encoded.
pub fn percent_encode_into(text: &[u8], out: &mut Vec<u8>) {
    for &byte in text {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~') {
            out.push(byte);
        } else {
            out.extend_from_slice(&[
                b'%',
                hex_digit(byte >> 4, b'A'),
                hex_digit(byte & 0xF, b'A'),
            ]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The documentation key that the venue publishes; not a secret.
    const DOC_KEY: &str = "MC4CAQAwBQYDK2VwBCIEIIJEYWtGBrhACmb9Dvy+qa8WEf0lQOl1s4CLIAB9m89u";

    fn signed(key: &SigningKey, payload: &[u8]) -> String {
        let mut out = Vec::new();
        key.sign_into(payload, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn ed25519_vectors() {
        let key = SigningKey::ed25519(DOC_KEY).unwrap();
        assert_eq!(
            signed(&key, b"A\x01EXAMPLE\x01SPOT\x011\x0120240627-11:17:25.223"),
            "4MHXelVVcpkdwuLbl6n73HQUXUf1dse2PCgT1DYqW9w8AVZ1RACFGM+5UdlGPrQHrgtS3CvsRURC1oj73j8gCA=="
        );
        let pem = format!("-----BEGIN PRIVATE KEY-----\n{DOC_KEY}\n-----END PRIVATE KEY-----\n");
        assert_eq!(
            signed(&SigningKey::ed25519(&pem).unwrap(), b"x"),
            signed(&key, b"x")
        );
        assert_eq!(
            SigningKey::ed25519("not a key!").unwrap_err(),
            KeyError::NotBase64
        );
        assert_eq!(
            SigningKey::ed25519("AAAA").unwrap_err(),
            KeyError::NotEd25519
        );
    }

    #[test]
    fn percent_encoding() {
        let mut out = Vec::new();
        percent_encode_into("a-Z_0.~ /+=&１".as_bytes(), &mut out);
        assert_eq!(
            String::from_utf8(out).unwrap(),
            "a-Z_0.~%20%2F%2B%3D%26%EF%BC%91"
        );
    }
}
