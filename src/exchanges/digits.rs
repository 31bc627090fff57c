//! Text eight bytes at a time: runs of digits to numbers, and the end of a plain string. The short ways of reading use it.
//!
//! Each function answers only what is certain from whole words of eight bytes, and `None` otherwise: near the end of a
//! frame and for long numbers the caller goes byte by byte. Worked example: `"61837.63000000"` on two decimals is the run
//! `61837`, a point, the run `63000000` of which the digits behind the grid are all zero: 6,183,763 steps. Against byte by
//! byte, 2026-11-21: 40 levels in 0.5 us instead of 1.0 (`benches/decode.rs`).

use crate::units::number::pow10;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGHS: u64 = 0x8080_8080_8080_8080;
/// Digits in a word.
const WORD_DIGITS: usize = 8;

/// The next eight bytes, the first one lowest.
#[inline]
fn word(text: &[u8]) -> Option<u64> {
    text.first_chunk().map(|bytes| u64::from_le_bytes(*bytes))
}

/// Bytes of `marks` before the first with its high bit set.
#[inline]
const fn bytes_before(marks: u64) -> usize {
    (marks.trailing_zeros() >> 3) as usize
}

/// Marks the first zero byte (bytes behind it may be marked wrongly).
#[inline]
const fn zeros(word: u64) -> u64 {
    word.wrapping_sub(ONES) & !word & HIGHS
}

/// The word with its digits as 0..=9, and how many digits it begins with.
#[inline]
const fn digits(word: u64) -> (u64, usize) {
    let digits = word ^ (ONES * 0x30);
    // A byte above 9 reaches its high bit; a carry runs only into bytes behind the first such.
    let others = (digits.wrapping_add(ONES * 0x76) | digits) & HIGHS;
    (digits, bytes_before(others))
}

/// The first `count` digits (1 to 8) as a number.
#[inline]
const fn value(digits: u64, count: usize) -> u64 {
    // As the last digits of a word whose first ones are zero.
    let word = digits << (64 - 8 * count);
    let pairs = (word & (ONES * 0x0F)).wrapping_mul(2_561) >> 8;
    let fours = (pairs & 0x00FF_00FF_00FF_00FF).wrapping_mul(6_553_601) >> 16;
    (fours & 0x0000_FFFF_0000_FFFF).wrapping_mul(42_949_672_960_001) >> 32
}

/// The integer that `text` begins with and its length, 1 to 15 digits.
#[inline]
pub(super) fn integer(text: &[u8]) -> Option<(u64, usize)> {
    let (first, first_count) = digits(word(text)?);
    if first_count == 0 {
        return None;
    }
    if first_count < WORD_DIGITS {
        return Some((value(first, first_count), first_count));
    }
    let head = value(first, WORD_DIGITS);
    let (second, count) = digits(word(text.get(WORD_DIGITS..)?)?);
    if count == 0 {
        return Some((head, WORD_DIGITS));
    }
    if count == WORD_DIGITS {
        return None;
    }
    let scale = pow10(u8::try_from(count).ok()?)?.cast_unsigned();
    Some((head * scale + value(second, count), WORD_DIGITS + count))
}

/// The decimal number up to the quote that ends it, in steps of `10^-decimals`, and its length. Up to 7 digits before the
/// point and 8 behind it, and none that the grid cannot hold.
#[inline]
pub(super) fn steps(text: &[u8], decimals: u8) -> Option<(i64, usize)> {
    let decimals_count = usize::from(decimals);
    if decimals_count > WORD_DIGITS {
        return None;
    }
    let (whole, whole_count) = digits(word(text)?);
    if whole_count == 0 || whole_count == WORD_DIGITS {
        return None;
    }
    let scaled = i64::try_from(value(whole, whole_count)).ok()? * pow10(decimals)?;
    match text.get(whole_count)? {
        b'"' => Some((scaled, whole_count)),
        b'.' => {
            let (parts, parts_count) = digits(word(text.get(whole_count + 1..)?)?);
            let end = whole_count + 1 + parts_count;
            if text.get(end) != Some(&b'"') {
                return None;
            }
            // Bytes behind the last digit become zero digits.
            let parts = match parts_count {
                0 => 0,
                count => parts & (u64::MAX >> (64 - 8 * count)),
            };
            let kept = match decimals_count {
                0 if parts == 0 => 0,
                0 => return None,
                WORD_DIGITS => value(parts, WORD_DIGITS),
                count if parts >> (8 * count) == 0 => value(parts, count),
                _ => return None,
            };
            Some((scaled + i64::try_from(kept).ok()?, end))
        }
        _ => None,
    }
}

/// Length of the plain ASCII text (no control characters, no escapes) that ends at the first quote; `None` when something
/// else comes before the quote.
#[inline]
pub(super) fn plain_end(text: &[u8]) -> Option<usize> {
    let mut at = 0;
    while let Some(word) = text.get(at..).and_then(word) {
        let quotes = zeros(word ^ (ONES * 0x22));
        let escapes = zeros(word ^ (ONES * 0x5C));
        let deletes = zeros(word ^ (ONES * 0x7F));
        let controls = word.wrapping_sub(ONES * 0x20) & !word & HIGHS;
        let marks = quotes | escapes | deletes | controls | (word & HIGHS);
        if marks != 0 {
            let end = at + bytes_before(marks);
            return (text.get(end) == Some(&b'"')).then_some(end);
        }
        at += WORD_DIGITS;
    }
    let rest = text.get(at..)?;
    let end = at
        + rest
            .iter()
            .position(|byte| !matches!(byte, 0x20..=0x7E) || matches!(byte, b'"' | b'\\'))?;
    (text.get(end) == Some(&b'"')).then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::prng::Prng;

    fn text_of(prng: &mut Prng, alphabet: &[u8], length_max: u64) -> Vec<u8> {
        (0..prng.below(length_max))
            .map(|_| alphabet[usize::try_from(prng.below(alphabet.len() as u64)).unwrap()])
            .collect()
    }

    /// Where the short ways answer, they answer as byte by byte.
    #[test]
    fn agree_with_byte_by_byte() {
        let mut prng = Prng::new(17);
        let mut answered = [0; 3];
        for _ in 0..200_000 {
            let mut text = text_of(&mut prng, b"0123456789000000.\"/:\x80-", 24);
            let whole = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
            if let Some((value, length)) = integer(&text) {
                assert_eq!(length, whole);
                assert_eq!(
                    std::str::from_utf8(&text[..length]).unwrap().parse(),
                    Ok(value)
                );
                answered[0] += 1;
            }
            let decimals = u8::try_from(prng.below(10)).unwrap();
            if let Some((value, length)) = steps(&text, decimals) {
                assert_eq!(text[length], b'"');
                assert_eq!(
                    crate::units::parse_fixed(&text[..length], decimals),
                    Ok(value)
                );
                answered[1] += 1;
            }
            text.extend(text_of(
                &mut prng,
                b"abcXYZ09 ~@_\"\\\n\x7F\x1F\xC3\x80",
                30,
            ));
            let plain = text
                .iter()
                .position(|byte| !(0x20..=0x7E).contains(byte) || matches!(byte, b'"' | b'\\'));
            let expected = plain.filter(|end| text[*end] == b'"');
            assert_eq!(plain_end(&text), expected, "{text:?}");
            answered[2] += u32::from(expected.is_some());
        }
        assert!(answered.iter().all(|count| *count > 2_000), "{answered:?}");
        assert_eq!(steps(b"61837.63000000\",\"B", 2), Some((6_183_763, 14)));
        assert_eq!(
            steps(b"61837.63000001\",\"B", 2),
            None,
            "finer than the grid"
        );
        assert_eq!(steps(b"0.014\"]]}}", 8), Some((1_400_000, 5)));
        assert_eq!(
            integer(b"1723161256299,\"T\""),
            Some((1_723_161_256_299, 13))
        );
    }
}
