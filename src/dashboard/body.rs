//! From the bytes of a body to a request: exact fields, exact types, nothing unknown, nothing twice, no hidden characters.

use rust_decimal::Decimal;
use serde::Deserialize;

use crate::engine::control::{ControlRequest, WhatIf};
use crate::risk::KillLevel;
use crate::units::Side;

use super::routes::Op;
use super::schema::{DECIMAL_CHARS_MAX, NAME_CHARS_MAX, REASON_CHARS_MAX};
use super::sign::from_hex;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ScopeReason {
    #[serde(default)]
    scope: Option<String>,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct LevelScopeReason {
    level: String,
    #[serde(default)]
    scope: Option<String>,
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Reason {
    reason: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Approve {
    token: String,
    state_hash: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Confirm {
    token: String,
    hash: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Order {
    venue: String,
    symbol: String,
    side: String,
    quantity: String,
    #[serde(default)]
    price: Option<String>,
    #[serde(default)]
    strategy: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Reads the body of an operation.
///
/// # Errors
/// What is wrong with it, in words without control characters.
pub(super) fn read(op: Op, body: &[u8]) -> Result<ControlRequest, String> {
    match op {
        Op::Status => Ok(ControlRequest::Status),
        Op::Positions => Ok(ControlRequest::Positions),
        Op::Limits => Ok(ControlRequest::Limits),
        Op::Levels => Ok(ControlRequest::Levels),
        Op::Alerts => Ok(ControlRequest::Alerts),
        Op::Closes => Ok(ControlRequest::Closes),
        Op::OpenApi => Err("nothing is asked of the engine here".to_owned()),
        Op::WhatIf => what_if(body),
        Op::Halt => raise(body, KillLevel::Halt),
        Op::Reduce => raise(body, KillLevel::ReduceOnly),
        Op::Flatten => raise(body, KillLevel::Flatten),
        Op::Raise => {
            let read: LevelScopeReason = parse(body)?;
            Ok(ControlRequest::Raise {
                level: level(&read.level, super::schema::RAISABLE)?,
                scope: scope(read.scope)?,
                reason: reason(read.reason)?,
            })
        }
        Op::CancelAll => {
            let read: ScopeReason = parse(body)?;
            Ok(ControlRequest::CancelAll {
                scope: scope(read.scope)?,
                reason: reason(read.reason)?,
            })
        }
        Op::RequestRearm => {
            let read: LevelScopeReason = parse(body)?;
            Ok(ControlRequest::RequestRearm {
                level: level(&read.level, super::schema::LOWERABLE)?,
                scope: scope(read.scope)?,
                reason: reason(read.reason)?,
            })
        }
        Op::ApproveRearm => {
            let read: Approve = parse(body)?;
            Ok(ControlRequest::ApproveRearm {
                token: hex64("token", read.token)?,
                state_hash: hex64("state_hash", read.state_hash)?,
            })
        }
        Op::Acknowledge => parse::<Nothing>(body).map(|Nothing {}| ControlRequest::Acknowledge),
        Op::ProposeLimits => {
            let read: Reason = parse(body)?;
            Ok(ControlRequest::ProposeLimits {
                reason: reason(read.reason)?,
            })
        }
        Op::ConfirmLimits => {
            let read: Confirm = parse(body)?;
            Ok(ControlRequest::ConfirmLimits {
                token: hex64("token", read.token)?,
                hash: hex64("hash", read.hash)?,
            })
        }
        Op::Drill => {
            let read: ScopeReason = parse(body)?;
            Ok(ControlRequest::Drill {
                scope: scope(read.scope)?,
                reason: reason(read.reason)?,
            })
        }
    }
}

fn parse<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, String> {
    // An object by its first byte: serde would read a list as the fields in order.
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err("must be one JSON object".to_owned());
    }
    serde_json::from_slice(body).map_err(|error| plain(&error.to_string()))
}

/// Text of an error that may quote what was sent: printable and short.
fn plain(text: &str) -> String {
    text.chars()
        .map(|letter| if is_hidden(letter) { '?' } else { letter })
        .take(200)
        .collect()
}

/// Control characters, line ends of all kinds, and characters that reorder text: they forge lines in logs.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}

fn text(key: &str, text: String, most: usize) -> Result<String, String> {
    if text.trim().is_empty() {
        return Err(format!("{key} is empty: say it in words"));
    }
    if text.chars().count() > most {
        return Err(format!("{key} has more than {most} characters"));
    }
    if text.chars().any(is_hidden) {
        return Err(format!("{key} has control characters"));
    }
    Ok(text)
}

fn scope(scope: Option<String>) -> Result<String, String> {
    scope.map_or_else(
        || Ok("portfolio".to_owned()),
        |scope| text("scope", scope, NAME_CHARS_MAX),
    )
}

fn reason(reason: String) -> Result<String, String> {
    text("reason", reason, REASON_CHARS_MAX)
}

fn level(word: &str, allowed: &[&str]) -> Result<KillLevel, String> {
    let levels = [
        KillLevel::Armed,
        KillLevel::ReduceOnly,
        KillLevel::CancelAll,
        KillLevel::Flatten,
        KillLevel::Halt,
    ];
    levels
        .into_iter()
        .find(|level| level.label() == word && allowed.contains(&word))
        .ok_or_else(|| format!("level must be one of {}", allowed.join(", ")))
}

fn raise(body: &[u8], level: KillLevel) -> Result<ControlRequest, String> {
    let read: ScopeReason = parse(body)?;
    Ok(ControlRequest::Raise {
        level,
        scope: scope(read.scope)?,
        reason: reason(read.reason)?,
    })
}

fn hex64(key: &str, text: String) -> Result<String, String> {
    if from_hex::<32>(&text).is_some() {
        Ok(text)
    } else {
        Err(format!("{key} must be 64 lower-case hexadecimal digits"))
    }
}

fn decimal(key: &str, text: &str) -> Result<Decimal, String> {
    let plain = text.len() <= DECIMAL_CHARS_MAX
        && text
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.');
    let value = if plain {
        Decimal::from_str_exact(text).ok()
    } else {
        None
    };
    value.filter(|value| *value > Decimal::ZERO).ok_or_else(|| {
        format!("{key} must be a decimal above zero, written as text, e.g. \"0.01\"")
    })
}

fn what_if(body: &[u8]) -> Result<ControlRequest, String> {
    let read: Order = parse(body)?;
    let side = match read.side.as_str() {
        "buy" => Side::Buy,
        "sell" => Side::Sell,
        _ => return Err("side must be buy or sell".to_owned()),
    };
    Ok(ControlRequest::WhatIf(WhatIf {
        venue: text("venue", read.venue, NAME_CHARS_MAX)?,
        symbol: text("symbol", read.symbol, NAME_CHARS_MAX)?,
        side,
        quantity: decimal("quantity", &read.quantity)?,
        price: read
            .price
            .map(|price| decimal("price", &price))
            .transpose()?,
        strategy: read
            .strategy
            .map(|name| text("strategy", name, NAME_CHARS_MAX))
            .transpose()?,
    }))
}

#[cfg(test)]
mod tests {
    use super::super::routes::{Method, ROUTES};
    use super::super::schema::{Field, Kind};
    use super::*;

    fn sample(kind: Kind) -> String {
        match kind {
            Kind::Text(_) => "\"words\"".to_owned(),
            Kind::Word(words) => format!("\"{}\"", words[0]),
            Kind::Hex64 => format!("\"{}\"", "0f".repeat(32)),
            Kind::Decimal => "\"1.5\"".to_owned(),
            Kind::Integer | Kind::Flag | Kind::Texts | Kind::Objects(_) => {
                panic!("no request has one")
            }
        }
    }

    fn object<'a>(fields: impl Iterator<Item = &'a Field>) -> String {
        let pairs: Vec<String> = fields
            .map(|field| format!("\"{}\":{}", field.key, sample(field.kind)))
            .collect();
        format!("{{{}}}", pairs.join(","))
    }

    /// The table of fields is what the reader takes: all of them, the required ones alone, none less, none more, none twice.
    #[test]
    fn the_schema_is_what_is_read() {
        for route in ROUTES.iter().filter(|route| route.method == Method::Post) {
            let read_it = |text: &str| read(route.op, text.as_bytes());
            assert!(
                read_it(&object(route.request.iter())).is_ok(),
                "{}",
                route.path
            );
            assert!(read_it(&object(route.request.iter().filter(|field| field.required))).is_ok());
            for left_out in route.request.iter().filter(|field| field.required) {
                let less = object(
                    route
                        .request
                        .iter()
                        .filter(|field| field.key != left_out.key),
                );
                assert!(
                    read_it(&less).is_err(),
                    "{} without {}",
                    route.path,
                    left_out.key
                );
            }
            for field in route.request {
                let whole = object(route.request.iter());
                let twice = whole.replacen(
                    '{',
                    &format!("{{\"{}\":{},", field.key, sample(field.kind)),
                    1,
                );
                assert!(
                    read_it(&twice).is_err(),
                    "{} with {} twice",
                    route.path,
                    field.key
                );
                for wrong in [
                    "1",
                    "true",
                    "[]",
                    "{}",
                    "\"\"",
                    "\"a\\nb\"",
                    "1e400",
                    "null",
                ] {
                    let pair = |value: &str| format!("\"{}\":{value}", field.key);
                    let right = pair(&sample(field.kind));
                    let body = object(route.request.iter()).replacen(&right, &pair(wrong), 1);
                    // An optional field may be null: then it is absent.
                    let may_be = wrong == "null" && !field.required;
                    assert_eq!(read_it(&body).is_ok(), may_be, "{body}");
                }
            }
        }
    }

    #[test]
    fn nothing_more_than_the_schema_is_read() {
        for route in ROUTES.iter().filter(|route| route.method == Method::Post) {
            let read_it = |text: &str| read(route.op, text.as_bytes());
            let more = object(route.request.iter())
                .replacen('{', "{\"more\":1", 1)
                .replacen("1\"", "1,\"", 1);
            assert!(read_it(&more).is_err(), "{more}");
            for text in [
                "",
                "null",
                "[]",
                "{",
                "{}}",
                "\"\"",
                "[\"a\",\"b\"]",
                "\u{feff}{}",
            ] {
                assert!(read_it(text).is_err(), "{} took {text}", route.path);
            }
        }
    }

    #[test]
    fn texts_cannot_forge_lines() {
        for bad in [
            "a\\r\\nb",
            "a\\u0000",
            "\\u202etxt",
            "\\u2028",
            "   ",
            "\\u0085",
        ] {
            let body = format!("{{\"reason\":\"{bad}\"}}");
            assert!(read(Op::Halt, body.as_bytes()).is_err(), "{bad}");
        }
        let long = format!("{{\"reason\":\"{}\"}}", "x".repeat(REASON_CHARS_MAX + 1));
        assert!(read(Op::Halt, long.as_bytes()).is_err());
        let longest = format!("{{\"reason\":\"{}\"}}", "\u{e9}".repeat(REASON_CHARS_MAX));
        assert!(read(Op::Halt, longest.as_bytes()).is_ok());
        let refused = read(Op::Halt, b"{\"re\\u000aason\":1}").unwrap_err();
        assert!(!refused.contains('\n'), "{refused}");
    }

    #[test]
    fn decimals_are_plain() {
        for text in ["1", "0.00000001", "79228162514264337593543950335"] {
            assert!(decimal("quantity", text).is_ok(), "{text}");
        }
        for text in [
            "0",
            "-1",
            "+1",
            "1e3",
            "NaN",
            "",
            ".",
            "1_000",
            "0x1",
            " 1",
            "792281625142643375935439503360",
            "0.00000000000000000000000000001",
        ] {
            assert!(decimal("quantity", text).is_err(), "{text}");
        }
    }
}
