//! Numbers with a unit, as people write them: `5`, `"5 bps"`, `"0.5%"`, `"250ms"`; read exactly, never through a float.

use rust_decimal::Decimal;

use crate::units::{Nanos, Ppm};

/// What a value counts, and in which unit a bare number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// Basis points.
    Bps,
    /// Basis points to 0.00001: rates of funding.
    FineBps,
    /// A share from 0 to 1.
    Ratio,
    /// A span; a bare number is microseconds.
    Micros,
    /// A span; a bare number is milliseconds.
    Millis,
    /// A span; a bare number is seconds.
    Seconds,
    /// A span; a bare number is hours.
    Hours,
    /// An amount in the named asset or currency.
    Amount(&'static str),
    /// A whole number of things.
    Count,
}

impl Unit {
    /// For the documentation and for rules.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Bps | Self::FineBps => "bps",
            Self::Ratio => "ratio 0..1",
            Self::Micros => "us",
            Self::Millis => "ms",
            Self::Seconds => "s",
            Self::Hours => "h",
            Self::Amount(of) => of,
            Self::Count => "count",
        }
    }
    /// How a value in this unit may be written.
    #[must_use]
    pub const fn example(self) -> &'static str {
        match self {
            Self::Bps | Self::FineBps => "5, \"5 bps\" or \"0.05%\"",
            Self::Ratio => "0.25, \"25%\" or \"2500 bps\"",
            Self::Micros => "500, \"500us\" or \"0.5ms\"",
            Self::Millis => "250, \"250ms\" or \"1.5s\"",
            Self::Seconds => "30, \"30s\" or \"1min\"",
            Self::Hours => "8, \"8h\" or \"480min\"",
            Self::Amount(_) => "\"1000\" or \"0.05\"",
            Self::Count => "a whole number such as 3",
        }
    }
    /// The units that may stand behind a number in quotes.
    #[must_use]
    pub fn suffix_words(self) -> Vec<&'static str> {
        let all = self.suffixes().iter().map(|(suffix, _)| *suffix);
        all.filter(|suffix| !suffix.is_empty()).collect()
    }
    /// The finest step: ppm, ppb, ns, one, or none for an amount.
    const fn suffixes(self) -> &'static [(&'static str, Decimal)] {
        match self {
            Self::Bps => &RATIO_SUFFIXES_BPS,
            Self::FineBps => &RATIO_SUFFIXES_FINE,
            Self::Ratio => &RATIO_SUFFIXES,
            Self::Micros => &SPAN_SUFFIXES_MICROS,
            Self::Millis => &SPAN_SUFFIXES_MILLIS,
            Self::Seconds => &SPAN_SUFFIXES_SECONDS,
            Self::Hours => &SPAN_SUFFIXES_HOURS,
            Self::Amount(_) | Self::Count => &PLAIN,
        }
    }
}

const fn whole(number: u32) -> Decimal {
    Decimal::from_parts(number, 0, 0, false, 0)
}
/// 60,000,000,000 and 3,600,000,000,000 do not fit 32 bits.
const MINUTE: Decimal = Decimal::from_parts(0xF847_5800, 13, 0, false, 0);
const HOUR: Decimal = Decimal::from_parts(0x30B8_A000, 838, 0, false, 0);
// The longer suffix first: `ms` before `s`. The empty suffix is the bare number.
const RATIO_SUFFIXES_BPS: [(&str, Decimal); 4] = [
    ("bps", whole(100)),
    ("ppm", whole(1)),
    ("%", whole(10_000)),
    ("", whole(100)),
];
const RATIO_SUFFIXES_FINE: [(&str, Decimal); 4] = [
    ("bps", whole(100_000)),
    ("ppm", whole(1_000)),
    ("%", whole(10_000_000)),
    ("", whole(100_000)),
];
const RATIO_SUFFIXES: [(&str, Decimal); 4] = [
    ("bps", whole(100)),
    ("ppm", whole(1)),
    ("%", whole(10_000)),
    ("", whole(1_000_000)),
];
const SPAN_SUFFIXES_MILLIS: [(&str, Decimal); 7] = [
    ("ns", whole(1)),
    ("us", whole(1_000)),
    ("ms", whole(1_000_000)),
    ("s", whole(1_000_000_000)),
    ("min", MINUTE),
    ("h", HOUR),
    ("", whole(1_000_000)),
];
const SPAN_SUFFIXES_MICROS: [(&str, Decimal); 7] = [
    ("ns", whole(1)),
    ("us", whole(1_000)),
    ("ms", whole(1_000_000)),
    ("s", whole(1_000_000_000)),
    ("min", MINUTE),
    ("h", HOUR),
    ("", whole(1_000)),
];
const SPAN_SUFFIXES_SECONDS: [(&str, Decimal); 7] = [
    ("ns", whole(1)),
    ("us", whole(1_000)),
    ("ms", whole(1_000_000)),
    ("s", whole(1_000_000_000)),
    ("min", MINUTE),
    ("h", HOUR),
    ("", whole(1_000_000_000)),
];
const SPAN_SUFFIXES_HOURS: [(&str, Decimal); 7] = [
    ("ns", whole(1)),
    ("us", whole(1_000)),
    ("ms", whole(1_000_000)),
    ("s", whole(1_000_000_000)),
    ("min", MINUTE),
    ("h", HOUR),
    ("", HOUR),
];
const PLAIN: [(&str, Decimal); 1] = [("", whole(1))];

/// What a value of a unit must be.
#[must_use]
pub fn number_rule(unit: Unit) -> String {
    match unit {
        Unit::Amount(of) => {
            format!("must be a plain number ({of}): digits and at most one point")
        }
        Unit::Count => "must be a whole number".to_owned(),
        Unit::Ratio => "must be a share from 0 to 1".to_owned(),
        Unit::Bps | Unit::FineBps | Unit::Micros | Unit::Millis | Unit::Seconds | Unit::Hours => {
            format!("must be a number in {}", unit.label())
        }
    }
}

/// A number in the finest step of its unit (ppm, ns, or the amount itself).
///
/// # Errors
/// The rule that the text breaks.
pub fn parse(text: &str, unit: Unit) -> Result<Decimal, String> {
    let text = text.trim();
    let wrong = || number_rule(unit);
    let (number, factor) = unit
        .suffixes()
        .iter()
        .find_map(|(suffix, factor)| {
            let number = text.strip_suffix(suffix)?.trim_end();
            number
                .ends_with(|last: char| last.is_ascii_digit())
                .then_some((number, *factor))
        })
        .ok_or_else(wrong)?;
    let digits = number.strip_prefix('-').unwrap_or(number);
    if digits.is_empty()
        || !digits
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
    {
        return Err(wrong());
    }
    let number =
        Decimal::from_str_exact(number).map_err(|_error| "must fit 28 digits".to_owned())?;
    let steps = number.checked_mul(factor).ok_or("must fit 28 digits")?;
    let finest = match unit {
        Unit::Amount(_) => return Ok(steps.normalize()),
        Unit::Bps | Unit::Ratio => "must be a whole number of ppm (0.01 bps)",
        Unit::FineBps => "must be a whole number of ppb (0.00001 bps)",
        Unit::Micros | Unit::Millis | Unit::Seconds | Unit::Hours => {
            "must be a whole number of nanoseconds"
        }
        Unit::Count => "must be a whole number",
    };
    if steps.is_integer() {
        Ok(steps.normalize())
    } else {
        Err(finest.to_owned())
    }
}

/// Steps of [`parse`] as text in the unit, the way it is echoed: `50 bps`, `0.25`, `250 ms`, `1000`.
#[must_use]
pub fn display(steps: Decimal, unit: Unit) -> String {
    let shown = |factor: Decimal| steps.checked_div(factor).unwrap_or(steps).normalize();
    match unit {
        Unit::Bps => format!("{} bps", shown(whole(100))),
        Unit::FineBps => format!("{} bps", shown(whole(100_000))),
        Unit::Ratio => format!("{}", shown(whole(1_000_000))),
        Unit::Micros => format!("{} us", shown(whole(1_000))),
        Unit::Millis => format!("{} ms", shown(whole(1_000_000))),
        Unit::Seconds => format!("{} s", shown(whole(1_000_000_000))),
        Unit::Hours => format!("{} h", shown(HOUR)),
        Unit::Amount(_) | Unit::Count => format!("{}", steps.normalize()),
    }
}

/// Steps as a ratio.
#[must_use]
pub fn ppm(steps: Decimal) -> Option<Ppm> {
    i64::try_from(steps).ok().map(Ppm)
}

/// Steps as a span.
#[must_use]
pub fn nanos(steps: Decimal) -> Option<Nanos> {
    u64::try_from(steps).ok().map(Nanos)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_units_exactly() {
        for (text, unit, steps) in [
            ("5", Unit::Bps, "500"),
            ("5 bps", Unit::Bps, "500"),
            ("0.5%", Unit::Bps, "5000"),
            ("-1.25bps", Unit::Bps, "-125"),
            ("30 ppm", Unit::Bps, "30"),
            ("0.25", Unit::Ratio, "250000"),
            ("25%", Unit::Ratio, "250000"),
            ("250", Unit::Millis, "250000000"),
            ("250ms", Unit::Millis, "250000000"),
            ("1.5 s", Unit::Millis, "1500000000"),
            ("1min", Unit::Millis, "60000000000"),
            ("1 h", Unit::Millis, "3600000000000"),
            ("7us", Unit::Micros, "7000"),
            ("7", Unit::Micros, "7000"),
            ("30", Unit::Seconds, "30000000000"),
            ("72", Unit::Hours, "259200000000000"),
            ("90min", Unit::Hours, "5400000000000"),
            ("0.125", Unit::FineBps, "12500"),
            ("0.10", Unit::Amount("quote"), "0.1"),
            ("12", Unit::Count, "12"),
        ] {
            assert_eq!(parse(text, unit), Ok(steps.parse().unwrap()), "{text}");
        }
        for (text, unit) in [
            ("", Unit::Bps),
            ("bps", Unit::Bps),
            ("0.001", Unit::Bps),
            ("5 ms", Unit::Bps),
            ("1e3", Unit::Amount("quote")),
            ("nan", Unit::Amount("quote")),
            ("+5", Unit::Count),
            ("1.5", Unit::Count),
            ("0.0000001", Unit::Ratio),
            ("99999999999999999999999999999999", Unit::Count),
            ("5%", Unit::Millis),
        ] {
            assert!(parse(text, unit).is_err(), "{text}");
        }
        assert_eq!(display("5000".parse().unwrap(), Unit::Bps), "50 bps");
        assert_eq!(
            display("250000000".parse().unwrap(), Unit::Millis),
            "250 ms"
        );
    }
}
