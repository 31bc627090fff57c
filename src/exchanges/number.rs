//! Decimal text inside a frame to grid steps: a short way for plain numbers, the grid's own parser for all others.

use crate::units::number::pow10;
use crate::units::{Grid, GridError, NumberError, Price, Qty};

use super::digits;
use super::frame::{LevelChange, Malformed};

/// Most digits the short way takes: eighteen always fit an `i64`.
const SHORT_DIGITS_MAX: u32 = 18;

/// Reads digits and at most one point from the start of `text` up to a quote: the value in steps and the length before the
/// quote. `None` for anything that is not plain or not exact: the caller then takes the careful way.
#[inline]
pub(super) fn short_steps(text: &[u8], decimals: u8) -> Option<(i64, usize)> {
    digits::steps(text, decimals).or_else(|| steps_by_byte(text, decimals))
}

/// [`short_steps`] byte by byte.
fn steps_by_byte(text: &[u8], decimals: u8) -> Option<(i64, usize)> {
    let mut value: u64 = 0;
    let mut digits: u32 = 0;
    let mut fraction_left = decimals;
    let mut seen_point = false;
    for (at, byte) in text.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            if seen_point {
                if fraction_left == 0 {
                    if digit != 0 {
                        return None;
                    }
                    continue;
                }
                fraction_left -= 1;
            }
            value = value.wrapping_mul(10).wrapping_add(u64::from(digit));
            digits += 1;
        } else if *byte == b'"' {
            if digits == 0 || digits > SHORT_DIGITS_MAX {
                return None;
            }
            let value = i64::try_from(value).ok()?;
            return Some((value.checked_mul(pow10(fraction_left)?)?, at));
        } else if *byte == b'.' && !seen_point {
            seen_point = true;
        } else {
            return None;
        }
    }
    None
}

/// A price above zero.
pub(super) fn price(text: &[u8], grid: Grid) -> Result<Price, Malformed> {
    let price = grid.parse_price(text)?;
    if price.0 > 0 {
        Ok(price)
    } else {
        Err(Malformed::Sign)
    }
}

/// A quantity of zero or more.
pub(super) fn qty(text: &[u8], grid: Grid) -> Result<Qty, Malformed> {
    let qty = grid.parse_qty(text)?;
    // `-0.5` is refused by value, `-0` by its sign.
    if qty.0 >= 0 && !text.starts_with(b"-") {
        Ok(qty)
    } else {
        Err(Malformed::Sign)
    }
}

/// A level from its two texts.
pub(super) fn level(
    price_text: &[u8],
    qty_text: &[u8],
    grid: Grid,
) -> Result<LevelChange, Malformed> {
    Ok(LevelChange {
        price: price(price_text, grid)?,
        qty: qty(qty_text, grid)?,
    })
}

/// Steps of `10^-decimals`, rounded down (towards minus infinity): for values that are finer than any grid.
pub(super) fn floor_steps(text: &[u8], decimals: u8) -> Result<i64, Malformed> {
    let point = memchr::memchr(b'.', text).unwrap_or(text.len());
    let kept_end = (point + 1 + usize::from(decimals)).min(text.len());
    let (kept, lost) = text.split_at(kept_end);
    if let Some(bad) = lost.iter().find(|byte| !byte.is_ascii_digit()) {
        return Err(Malformed::Number(GridError::Number(NumberError::BadByte(
            *bad,
        ))));
    }
    let steps = crate::units::parse_fixed(kept, decimals).map_err(GridError::from)?;
    let loses = lost.iter().any(|byte| *byte != b'0');
    Ok(if loses && text.starts_with(b"-") {
        steps - 1
    } else {
        steps
    })
}

/// A plain non-negative JSON integer.
pub(super) fn integer(text: &[u8]) -> Result<u64, Malformed> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return Err(Malformed::FieldType);
    }
    let mut value: u64 = 0;
    for byte in text {
        value = value
            .checked_mul(10)
            .and_then(|value| value.checked_add(u64::from(byte - b'0')))
            .ok_or(Malformed::Number(GridError::Number(NumberError::TooLarge)))?;
    }
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prng::Prng;

    /// Whenever the short way answers, the careful way answers the same.
    #[test]
    fn short_way_agrees_with_the_grid() {
        let mut prng = Prng::new(5);
        let mut answered = 0;
        for _ in 0..20_000 {
            let length = prng.below(22) + 1;
            let alphabet = b"0123456789000.00000-e";
            let text: Vec<u8> = (0..length)
                .map(|_| alphabet[usize::try_from(prng.below(21)).unwrap()])
                .collect();
            let decimals = u8::try_from(prng.below(9)).unwrap();
            let quoted = [text.as_slice(), b"\"x"].concat();
            let slow = crate::units::parse_fixed(&text, decimals);
            if let Some((value, end)) = short_steps(&quoted, decimals) {
                assert_eq!(slow, Ok(value), "{}", String::from_utf8_lossy(&text));
                assert_eq!(end, text.len());
                answered += 1;
            }
        }
        assert!(answered > 2_000, "{answered}");
        assert_eq!(short_steps(b"61837.63000000\"", 2), Some((6_183_763, 14)));
        assert_eq!(short_steps(b"1", 2), None, "no quote");
        assert_eq!(
            short_steps(b"1234567890123456789\"", 0),
            None,
            "long numbers take the careful way"
        );
    }

    #[test]
    fn floors_towards_minus_infinity() {
        for (text, decimals, expected) in [
            ("61800.12345678", 2, 6_180_012),
            ("0.00010000", 9, 100_000),
            ("-0.00010000", 9, -100_000),
            ("-0.0000000001", 9, -1),
            ("-0.0000000000", 9, 0),
            ("1.999", 0, 1),
            ("7", 3, 7_000),
            ("-1.5", 0, -2),
        ] {
            assert_eq!(
                floor_steps(text.as_bytes(), decimals),
                Ok(expected),
                "{text}"
            );
        }
        for text in ["", "-", "1.2.3", "1.00x", "NaN", "1e400", "1.000-"] {
            assert!(floor_steps(text.as_bytes(), 2).is_err(), "{text}");
        }
    }

    #[test]
    fn signs_are_checked() {
        assert_eq!(price(b"0.00", Grid::FINEST), Err(Malformed::Sign));
        assert_eq!(price(b"-1", Grid::FINEST), Err(Malformed::Sign));
        assert_eq!(qty(b"-1", Grid::FINEST), Err(Malformed::Sign));
        assert_eq!(qty(b"-0", Grid::FINEST), Err(Malformed::Sign));
        assert_eq!(qty(b"0", Grid::FINEST), Ok(Qty(0)));
        assert_eq!(integer(b"18446744073709551615"), Ok(u64::MAX));
        assert!(integer(b"18446744073709551616").is_err());
    }
}
