//! Text to values without losing a digit: decimals, times, CSV fields, flat JSON objects.

use std::collections::BTreeMap;

use rust_decimal::Decimal;

/// An exact decimal: at most 28 digits, an exponent only when the value stays exact.
pub(super) fn amount(text: &str) -> Result<Decimal, &'static str> {
    const RULE: &str = "was no decimal number of at most 28 digits";
    let (digits, exponent) = match text.split_once(['e', 'E']) {
        Some((digits, exponent)) => (digits, exponent.parse::<i32>().map_err(|_no_number| RULE)?),
        None => (text, 0),
    };
    let plain = digits.strip_prefix(['-', '+']).unwrap_or(digits);
    if !plain.bytes().any(|byte| byte.is_ascii_digit())
        || !plain
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        return Err(RULE);
    }
    let mantissa = Decimal::from_str_exact(digits).map_err(|_not_exact| RULE)?;
    let power = exponent.unsigned_abs();
    if exponent < 0 {
        let mut value = mantissa.normalize();
        value
            .set_scale(value.scale().saturating_add(power))
            .map_err(|_too_fine| RULE)?;
        return Ok(value);
    }
    let factor = 10_i128
        .checked_pow(power)
        .and_then(|factor| Decimal::try_from_i128_with_scale(factor, 0).ok());
    let product = factor.and_then(|factor| {
        crate::units::Money(mantissa)
            .mul(crate::units::Money(factor))
            .ok()
    });
    product.map(|value| value.0).ok_or(RULE)
}

/// Integer nanoseconds, or RFC 3339 with any offset, as nanoseconds since 1970.
pub(super) fn time(text: &str) -> Option<i64> {
    if let Ok(nanos) = text.parse::<i64>() {
        return Some(nanos);
    }
    let (date, rest) = text.split_once(['T', 't', ' '])?;
    let mut date = date.splitn(3, '-');
    let year: i64 = fixed(date.next()?, 4)?;
    let (month, day) = (fixed(date.next()?, 2)?, fixed(date.next()?, 2)?);
    let zone = rest.find(['Z', 'z', '+', '-'])?;
    let (clock, zone) = rest.split_at_checked(zone)?;
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let mut clock = clock.splitn(3, ':');
    let (hour, minute) = (fixed(clock.next()?, 2)?, fixed(clock.next()?, 2)?);
    let second = fixed(clock.next()?, 2)?;
    let in_range = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60
        && !fraction.is_empty()
        && fraction.len() <= 9
        && fraction.bytes().all(|byte| byte.is_ascii_digit());
    if !in_range {
        return None;
    }
    let nanos: i64 = format!("{fraction:0<9}").parse().ok()?;
    let offset = match zone {
        "Z" | "z" => 0,
        _ => {
            let (hours, minutes) = zone.get(1..)?.split_once(':')?;
            let minutes = fixed(hours, 2)? * 60 + fixed(minutes, 2)?;
            if zone.starts_with('-') {
                -minutes
            } else {
                minutes
            }
        }
    };
    let seconds = days(year, month, day) * 86_400 + hour * 3_600 + (minute - offset) * 60 + second;
    seconds.checked_mul(1_000_000_000)?.checked_add(nanos)
}

fn fixed(text: &str, length: usize) -> Option<i64> {
    (text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit()))
        .then(|| text.parse().ok())
        .flatten()
}

/// Days from 1970-01-01 in the proleptic Gregorian calendar (the year begins in March, so a leap day is its last).
fn days(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let in_era = year.rem_euclid(400);
    let in_year = (153 * ((month + 9) % 12) + 2).div_euclid(5) + day - 1;
    era * 146_097 + in_era * 365 + in_era.div_euclid(4) - in_era.div_euclid(100) + in_year - 719_468
}

/// Fields of one CSV line; a quoted field may contain commas and doubled quotes.
pub(super) fn csv_fields(line: &str) -> Result<Vec<String>, String> {
    let mut fields = Vec::new();
    let mut field = String::new();
    let mut letters = line.chars().peekable();
    let mut quoted = false;
    while let Some(letter) = letters.next() {
        match letter {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                field.push('"');
            }
            '"' if quoted => quoted = false,
            '"' if field.is_empty() => quoted = true,
            ',' if !quoted => fields.push(std::mem::take(&mut field)),
            other => field.push(other),
        }
    }
    if quoted {
        return Err("a quote was not closed".to_owned());
    }
    fields.push(field);
    Ok(fields)
}

/// A flat JSON object; numbers keep their text, so that no digit is lost.
pub(super) fn json_object(line: &str) -> Result<BTreeMap<String, String>, String> {
    let mut fields = BTreeMap::new();
    let mut rest = line
        .trim()
        .strip_prefix('{')
        .ok_or("was no JSON object")?
        .trim_start();
    if rest == "}" {
        return Ok(fields);
    }
    loop {
        let (key, after) = json_string(rest)?;
        rest = after
            .trim_start()
            .strip_prefix(':')
            .ok_or_else(|| format!("no colon after key '{key}'"))?
            .trim_start();
        let value = if rest.starts_with('"') {
            let (value, after) = json_string(rest)?;
            rest = after;
            value
        } else {
            let end = rest.find([',', '}']).ok_or("the object was not closed")?;
            let (token, after) = rest.split_at(end);
            rest = after;
            match token.trim() {
                "null" => String::new(),
                token if token.starts_with(['[', '{']) => {
                    return Err(format!("key '{key}' was not text or number"));
                }
                token => token.to_owned(),
            }
        };
        if fields.insert(key.clone(), value).is_some() {
            return Err(format!("key '{key}' came twice"));
        }
        rest = rest.trim_start();
        if let Some(after) = rest.strip_prefix(',') {
            rest = after.trim_start();
        } else if rest == "}" {
            return Ok(fields);
        } else {
            return Err("the object was not closed, or something followed it".to_owned());
        }
    }
}

/// A JSON string at the start of `text`, and what follows it.
fn json_string(text: &str) -> Result<(String, &str), String> {
    let inner = text
        .strip_prefix('"')
        .ok_or("a key or text had no quotes")?;
    let mut escaped = false;
    for (at, letter) in inner.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => {
                let (token, after) = text.split_at(at + 2);
                let value = serde_json::from_str(token)
                    .map_err(|error| format!("text was not JSON: {error}"))?;
                return Ok((value, after));
            }
            _ => {}
        }
    }
    Err("a quote was not closed".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact_or_refused() {
        for (text, expected) in [
            ("0.1", "0.1"),
            ("-5", "-5"),
            ("1e-8", "0.00000001"),
            ("1.50E+3", "1500"),
            (
                "79228162514264337593543950335",
                "79228162514264337593543950335",
            ),
        ] {
            assert_eq!(
                amount(text).unwrap(),
                expected.parse::<Decimal>().unwrap(),
                "{text}"
            );
        }
        for text in [
            "",
            "NaN",
            "Infinity",
            "1e400",
            "1e-400",
            "0x10",
            "1_000",
            "1,5",
            ".",
            "--1",
            "0.12345678901234567890123456789",
        ] {
            assert!(amount(text).is_err(), "{text}");
        }
    }

    #[test]
    fn times_of_both_forms() {
        for (text, expected) in [
            ("1723161253000000001", Some(1_723_161_253_000_000_001)),
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2024-02-29T23:59:59.5Z", Some(1_709_251_199_500_000_000)),
            ("2024-03-01T01:00:00+01:00", Some(1_709_251_200_000_000_000)),
            ("2026-13-01T00:00:00Z", None),
            ("2026-01-01", None),
            ("2026-01-01T00:00:00", None),
            ("1.5", None),
        ] {
            assert_eq!(time(text), expected, "{text}");
        }
    }

    #[test]
    fn quotes_and_objects() {
        assert_eq!(csv_fields("a,\"b,\"\"c\",").unwrap(), ["a", "b,\"c", ""]);
        assert!(csv_fields("\"a").is_err());
        assert_eq!(json_object("{}").unwrap().len(), 0);
        assert!(json_object("{\"a\":1,\"a\":2}").is_err());
        assert_eq!(
            json_object(r#"{"a":"\u0041\"x", "b" : 1.10 }"#).unwrap()["b"],
            "1.10"
        );
    }
}
