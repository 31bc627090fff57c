//! Exact decimal text to scaled integers, without passing through a float.
//!
//! `parse_fixed(b"61837.63000000", 2)` is `6183763`; the same text on one decimal is an error, because a digit
//! would be lost. Exponents, signs other than a leading `-`, spaces, `NaN` and empty text are refused.

/// Why a text is not a number on the asked number of decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NumberError {
    /// No digit at all.
    #[error("number was empty")]
    Empty,
    /// A byte that is neither digit, one point, nor one leading minus.
    #[error("number had byte {0:#04x}")]
    BadByte(u8),
    /// A non-zero digit lies beyond the decimals asked for.
    #[error("number was finer than the grid")]
    TooFine,
    /// The value does not fit 63 bits.
    #[error("number was too large")]
    TooLarge,
}

impl NumberError {
    /// Fixed short word for a metric label.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::BadByte(_) => "bad_byte",
            Self::TooFine => "too_fine",
            Self::TooLarge => "too_large",
        }
    }
}

/// Most decimals a grid may have: 10^18 still fits an `i64`.
pub const DECIMALS_MAX: u8 = 18;

#[expect(
    clippy::indexing_slicing,
    reason = "evaluated by the compiler: an index out of range would not build"
)]
const POW10: [i64; 19] = {
    let mut table = [1_i64; 19];
    let mut index = 1;
    while index < 19 {
        table[index] = table[index - 1] * 10;
        index += 1;
    }
    table
};

/// Ten to the `exponent`; `None` above 18.
#[must_use]
pub fn pow10(exponent: u8) -> Option<i64> {
    POW10.get(usize::from(exponent)).copied()
}

/// Parses decimal text into an integer count of `10^-decimals`, exactly.
///
/// # Errors
/// See [`NumberError`]. Trailing zeros beyond `decimals` are allowed, other digits there are [`NumberError::TooFine`].
#[inline]
pub fn parse_fixed(text: &[u8], decimals: u8) -> Result<i64, NumberError> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        rest => (false, rest),
    };
    let mut value: i64 = 0;
    let mut seen_point = false;
    let mut seen_digit = false;
    let mut fraction_left = decimals;
    for &byte in digits {
        match byte {
            b'0'..=b'9' => {
                seen_digit = true;
                let digit = i64::from(byte - b'0');
                if seen_point {
                    if fraction_left == 0 {
                        if digit != 0 {
                            return Err(NumberError::TooFine);
                        }
                        continue;
                    }
                    fraction_left -= 1;
                }
                value = match value.checked_mul(10).and_then(|v| v.checked_add(digit)) {
                    Some(next) => next,
                    None => return Err(NumberError::TooLarge),
                };
            }
            b'.' if !seen_point => seen_point = true,
            other => return Err(NumberError::BadByte(other)),
        }
    }
    if !seen_digit {
        return Err(NumberError::Empty);
    }
    let scale = pow10(fraction_left).ok_or(NumberError::TooLarge)?;
    let scaled = value.checked_mul(scale).ok_or(NumberError::TooLarge)?;
    Ok(if negative { -scaled } else { scaled })
}

/// Writes `steps` of `10^-decimals` as decimal text with exactly `decimals` places, appended to `out`.
pub fn write_fixed(steps: i64, decimals: u8, out: &mut Vec<u8>) {
    if steps < 0 {
        out.push(b'-');
    }
    let mut digits = [b'0'; 40];
    let mut value = steps.unsigned_abs();
    let mut length = 0_usize;
    while value > 0 || length <= usize::from(decimals) {
        if let Some(slot) = digits.get_mut(length) {
            *slot = b'0' + u8::try_from(value % 10).unwrap_or(0);
        }
        value = value.div_euclid(10);
        length += 1;
    }
    for place in (0..length).rev() {
        out.push(digits.get(place).copied().unwrap_or(b'0'));
        if place == usize::from(decimals) && decimals > 0 {
            out.push(b'.');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parses_exactly_or_refuses() {
        let rows: &[(&str, u8, Result<i64, NumberError>)] = &[
            ("61837.63000000", 2, Ok(6_183_763)),
            ("0.29", 2, Ok(29)),
            ("1.15", 2, Ok(115)),
            ("0.3", 1, Ok(3)),
            ("100", 8, Ok(10_000_000_000)),
            ("-0.5", 1, Ok(-5)),
            (".5", 1, Ok(5)),
            ("5.", 1, Ok(50)),
            ("0.123", 2, Err(NumberError::TooFine)),
            ("", 2, Err(NumberError::Empty)),
            (".", 2, Err(NumberError::Empty)),
            ("-", 2, Err(NumberError::Empty)),
            ("1e5", 2, Err(NumberError::BadByte(b'e'))),
            ("NaN", 2, Err(NumberError::BadByte(b'N'))),
            ("1.2.3", 2, Err(NumberError::BadByte(b'.'))),
            ("+1", 2, Err(NumberError::BadByte(b'+'))),
            ("0x10", 2, Err(NumberError::BadByte(b'x'))),
            ("92233720368.54775807", 8, Ok(i64::MAX)),
            ("92233720368.54775808", 8, Err(NumberError::TooLarge)),
            (
                "1234567890123456789012345678901234567890",
                0,
                Err(NumberError::TooLarge),
            ),
        ];
        for (text, decimals, expected) in rows {
            assert_eq!(parse_fixed(text.as_bytes(), *decimals), *expected, "{text}");
        }
    }

    #[test]
    fn text_round_trips() {
        for (steps, decimals, text) in [
            (6_183_763, 2, "61837.63"),
            (0, 2, "0.00"),
            (5, 2, "0.05"),
            (-5, 2, "-0.05"),
            (7, 0, "7"),
            (i64::MAX, 8, "92233720368.54775807"),
            (i64::MIN + 1, 8, "-92233720368.54775807"),
        ] {
            let mut out = Vec::new();
            write_fixed(steps, decimals, &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), text);
            assert_eq!(parse_fixed(text.as_bytes(), decimals), Ok(steps));
        }
    }
}
