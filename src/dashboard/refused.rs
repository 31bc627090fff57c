//! Why a request was refused: one enum, each with its status, its word for the counter, and its cure.

use crate::engine::control::ControlError;

/// A refusal of the web server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Refused {
    /// Absolute form, or an address in the request line.
    RequestLine,
    /// A second request on one connection.
    Second,
    /// Host is not this machine, or there is not exactly one.
    Host,
    /// Another page's script, or another site.
    Origin,
    /// Nothing there.
    Path,
    /// There with another method.
    Method,
    /// No engine behind this server.
    NoEngine,
    /// No tokens are configured.
    NoTokens,
    /// The request carries no signature.
    Unsigned,
    /// A header of the signature is there twice or is not of its form.
    Headers(&'static str),
    /// The body is larger than the limit.
    TooLarge,
    /// The body did not arrive in time.
    Slow,
    /// Unknown name or wrong signature: they are not told apart.
    Signature,
    /// Too many wrong signatures under this name.
    Locked {
        /// Seconds until the next try, rounded up.
        seconds: u64,
    },
    /// Signed too long ago, in the future, or before this process began.
    StaleTime {
        /// Milliseconds since 1970 here.
        now_ms: i64,
    },
    /// The nonce was used.
    Replay,
    /// The role may not.
    Role {
        /// It.
        role: &'static str,
    },
    /// Too many requests under this name.
    Rate,
    /// Not JSON by its content type.
    MediaType,
    /// Not the JSON that the route takes.
    Body(String),
    /// Refused by the engine.
    Engine(ControlError),
}

impl Refused {
    /// Every word of [`Refused::label`], so that each is exported before it happens.
    pub const LABELS: &'static [&'static str] = &[
        "request_line",
        "second",
        "host",
        "origin",
        "path",
        "method",
        "no_engine",
        "no_tokens",
        "unsigned",
        "headers",
        "too_large",
        "slow",
        "signature",
        "locked",
        "stale_time",
        "replay",
        "role",
        "rate",
        "media_type",
        "body",
        "wrong",
        "refused",
        "unavailable",
    ];

    /// Fixed short word: the label of the counter and `reason` of the answer.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::RequestLine => "request_line",
            Self::Second => "second",
            Self::Host => "host",
            Self::Origin => "origin",
            Self::Path => "path",
            Self::Method => "method",
            Self::NoEngine => "no_engine",
            Self::NoTokens => "no_tokens",
            Self::Unsigned => "unsigned",
            Self::Headers(_) => "headers",
            Self::TooLarge => "too_large",
            Self::Slow => "slow",
            Self::Signature => "signature",
            Self::Locked { .. } => "locked",
            Self::StaleTime { .. } => "stale_time",
            Self::Replay => "replay",
            Self::Role { .. } => "role",
            Self::Rate => "rate",
            Self::MediaType => "media_type",
            Self::Body(_) => "body",
            Self::Engine(error) => error.label(),
        }
    }

    /// HTTP status.
    #[must_use]
    pub const fn status(&self) -> u16 {
        match self {
            Self::RequestLine
            | Self::Second
            | Self::Headers(_)
            | Self::Body(_)
            | Self::Engine(ControlError::Wrong(_)) => 400,
            Self::Unsigned | Self::Signature | Self::StaleTime { .. } | Self::Replay => 401,
            Self::Host | Self::Origin | Self::NoTokens | Self::Role { .. } => 403,
            Self::Path => 404,
            Self::Method => 405,
            Self::Slow => 408,
            Self::Engine(ControlError::Refused(_)) => 409,
            Self::TooLarge => 413,
            Self::MediaType => 415,
            Self::Locked { .. } | Self::Rate => 429,
            Self::NoEngine | Self::Engine(ControlError::Unavailable) => 503,
        }
    }

    /// What is wrong and what helps.
    #[must_use]
    pub fn text(&self) -> String {
        match self {
            Self::RequestLine => "the request line must be a path, not an address".to_owned(),
            Self::Second => "one request a connection: open another".to_owned(),
            Self::Host => "Host is not this machine: ask http://127.0.0.1 or http://localhost".to_owned(),
            Self::Origin => "requests of web pages are refused: use 'arbalest risk' or a program of your own".to_owned(),
            Self::Path => "there is no such path: GET /api/v1/openapi.json lists them".to_owned(),
            Self::Method => "another method: GET reads, POST acts (GET /api/v1/openapi.json)".to_owned(),
            Self::NoEngine => "this server shows no running engine: nothing to control".to_owned(),
            Self::NoTokens => "control is off, because no tokens are configured: make a file with 'arbalest risk token new NAME ROLE', \
                               name it as tokens_file in [control] of engine.toml, and start again"
                .to_owned(),
            Self::Unsigned => "the request is not signed: use 'arbalest risk', or see docs/CONTROL.md for the four headers".to_owned(),
            Self::Headers(which) => format!("header {which} must be there once and in its form (docs/CONTROL.md)"),
            Self::TooLarge => format!("the body is larger than {} bytes", super::BODY_BYTES_MAX),
            Self::Slow => "the body did not arrive in time".to_owned(),
            Self::Signature => "name or signature is wrong: is the token file the one that this engine was started with?".to_owned(),
            Self::Locked { seconds } => format!("too many wrong signatures under this name: try again in {seconds} s; stopping still works"),
            Self::StaleTime { now_ms } => {
                format!("the request was signed at another time than now ({now_ms} ms here): set the clock, and sign anew")
            }
            Self::Replay => "this nonce was used: sign anew with a fresh one".to_owned(),
            Self::Role { role } => format!("role {role} may not: docs/CONTROL.md says whose role may"),
            Self::Rate => "too many requests under this name: wait a second".to_owned(),
            Self::MediaType => "the body must be application/json".to_owned(),
            Self::Body(text) => format!("body: {text} (docs/CONTROL.md lists the fields)"),
            Self::Engine(error) => error.to_string(),
        }
    }
}
