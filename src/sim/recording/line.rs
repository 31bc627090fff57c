//! The parts of one recorded line: time, kind, payload.

use std::ops::Range;

use crate::units::UnixNanos;

/// What one line of a recording is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LineKind<'a> {
    /// A frame received.
    Frame,
    /// An HTTP answer; the address is empty in files that do not keep it.
    Http {
        /// The whole address asked.
        url: &'a str,
    },
    /// A connection was opened.
    Opened {
        /// Its address.
        url: &'a str,
    },
    /// A frame the recorder sent.
    Sent {
        /// The connection's address.
        url: &'a str,
    },
    /// What the recorder was asked to record.
    Configuration,
}

/// [`LineKind`] without the borrowed address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Frame,
    Http,
    Opened,
    Sent,
    Configuration,
}

impl Kind {
    pub(super) const fn with_url(self, url: &str) -> LineKind<'_> {
        match self {
            Self::Frame => LineKind::Frame,
            Self::Http => LineKind::Http { url },
            Self::Opened => LineKind::Opened { url },
            Self::Sent => LineKind::Sent { url },
            Self::Configuration => LineKind::Configuration,
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ParsedLine {
    pub(super) time: Option<UnixNanos>,
    pub(super) kind: Kind,
    pub(super) payload: Range<usize>,
    pub(super) url: Range<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum LineFault {
    BadTime(String),
    Foreign(String),
}

const CONFIGURATION: &[u8] = b"configuration: ";

/// Splits a line without its newline.
pub(super) fn parse_line(line: &[u8]) -> Result<ParsedLine, LineFault> {
    if line.starts_with(CONFIGURATION) {
        return Ok(ParsedLine {
            time: None,
            kind: Kind::Configuration,
            payload: CONFIGURATION.len()..line.len(),
            url: 0..0,
        });
    }
    let is_address = [b"wss://".as_slice(), b"ws://", b"https://", b"http://"]
        .iter()
        .any(|scheme| line.starts_with(scheme));
    if is_address {
        return parse_addressed(line);
    }
    let first_end = memchr::memchr(b' ', line).unwrap_or(line.len());
    let first = line.get(..first_end).unwrap_or_default();
    let payload = (first_end + 1).min(line.len())..line.len();
    let looks_timed = first.first().is_some_and(u8::is_ascii_digit) || !payload.is_empty();
    let time = match first.strip_suffix(b":") {
        Some(seconds) => parse_seconds(seconds),
        None => parse_nanos(first),
    };
    let Some(time) = time else {
        return Err(
            if looks_timed && !first.starts_with(b"{") && !first.starts_with(b"[") {
                LineFault::BadTime(shortened(first))
            } else {
                LineFault::Foreign(shortened(line))
            },
        );
    };
    if payload.is_empty() && first_end == line.len() {
        return Err(LineFault::Foreign(shortened(line)));
    }
    let body = line.get(payload.clone()).unwrap_or_default();
    // A bare REST depth answer among the frames: it alone begins with its update id and has no stream name.
    let kind = if body.starts_with(b"{\"lastUpdateId\"") {
        Kind::Http
    } else {
        Kind::Frame
    };
    Ok(ParsedLine {
        time: Some(time),
        kind,
        payload,
        url: 0..0,
    })
}

/// `URL <-> T`, `URL <- T: {..}` or `URL -> T: {..}`.
fn parse_addressed(line: &[u8]) -> Result<ParsedLine, LineFault> {
    let foreign = || LineFault::Foreign(shortened(line));
    let url_end = memchr::memchr(b' ', line).ok_or_else(foreign)?;
    let arrow_start = url_end + 1;
    let rest = line.get(arrow_start..).unwrap_or_default();
    let arrow_length = memchr::memchr(b' ', rest).ok_or_else(foreign)?;
    let kind = match rest.get(..arrow_length) {
        Some(b"<->") => Kind::Opened,
        Some(b"<-") => Kind::Sent,
        Some(b"->") => Kind::Http,
        _ => return Err(foreign()),
    };
    let time_start = arrow_start + arrow_length + 1;
    let timed = line.get(time_start..).unwrap_or_default();
    let time_length = memchr::memchr(b' ', timed).unwrap_or(timed.len());
    let time_text = timed.get(..time_length).unwrap_or_default();
    let seconds = time_text.strip_suffix(b":").unwrap_or(time_text);
    let time = parse_seconds(seconds).ok_or_else(|| LineFault::BadTime(shortened(time_text)))?;
    let payload = (time_start + time_length + 1).min(line.len())..line.len();
    Ok(ParsedLine {
        time: Some(time),
        kind,
        payload,
        url: 0..url_end,
    })
}

fn parse_nanos(text: &[u8]) -> Option<UnixNanos> {
    // Nineteen digits hold every nanosecond until 2262.
    (text.len() <= 19 && !text.is_empty() && text.iter().all(u8::is_ascii_digit))
        .then(|| crate::units::parse_fixed(text, 0).ok().map(UnixNanos))
        .flatten()
}

fn parse_seconds(text: &[u8]) -> Option<UnixNanos> {
    let plain = text.first()?.is_ascii_digit() && text.last()?.is_ascii_digit();
    plain
        .then(|| crate::units::parse_fixed(text, 9).ok().map(UnixNanos))
        .flatten()
}

fn shortened(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .chars()
        .take(40)
        .flat_map(char::escape_default)
        .collect()
}
