//! The outer shape of frames: WebSocket API answers, and account events in their three wrappings.
//!
//! A frame is read twice: once for its head (which request, which event), then for the body that the head promises. Both
//! passes are typed; unknown fields are skipped, duplicate ones are malformed.

use std::borrow::Cow;

use serde::Deserialize;

use crate::units::Nanos;

/// A frame or body that is not what it should be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Malformed;

/// One entry of `rateLimits`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct RateLimit<'a> {
    #[serde(borrow)]
    pub(crate) rate_limit_type: Cow<'a, str>,
    #[serde(borrow)]
    interval: Cow<'a, str>,
    interval_num: u32,
    pub(crate) limit: u32,
    #[serde(default)]
    pub(crate) count: Option<u32>,
}

impl RateLimit<'_> {
    /// Length of the window; `None` for an interval this build does not know.
    pub(crate) fn window(&self) -> Option<Nanos> {
        let unit = match self.interval.as_ref() {
            "SECOND" => 1,
            "MINUTE" => 60,
            "HOUR" => 3_600,
            "DAY" => 86_400,
            _ => return None,
        };
        Some(Nanos::from_secs(unit * u64::from(self.interval_num)))
    }
}

/// `error.data`, of which only one field concerns us.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct ErrorData {
    /// Epoch milliseconds.
    #[serde(default, rename = "retryAfter")]
    pub(crate) retry_after: Option<i64>,
}

/// An error, in a WebSocket API answer or as an HTTP body.
#[derive(Debug, Deserialize)]
pub(crate) struct ErrorBody<'a> {
    pub(crate) code: i32,
    #[serde(borrow, default)]
    pub(crate) msg: Cow<'a, str>,
    #[serde(default)]
    pub(crate) data: Option<ErrorData>,
}

/// What every event begins with.
#[derive(Debug, Deserialize)]
pub(crate) struct EventHead<'a> {
    #[serde(borrow)]
    pub(crate) e: Cow<'a, str>,
}

/// The first reading of a frame.
#[derive(Debug, Deserialize)]
pub(crate) struct Head<'a> {
    #[serde(default)]
    pub(crate) id: Option<u64>,
    #[serde(default)]
    pub(crate) status: Option<u16>,
    #[serde(borrow, default)]
    pub(crate) error: Option<ErrorBody<'a>>,
    #[serde(borrow, default, rename = "rateLimits")]
    pub(crate) rate_limits: Option<Vec<RateLimit<'a>>>,
    #[serde(borrow, default)]
    e: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    event: Option<EventHead<'a>>,
    #[serde(borrow, default)]
    data: Option<EventHead<'a>>,
}

/// How an event is wrapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wrapping {
    /// The event itself.
    Bare,
    /// `{"subscriptionId":0,"event":{..}}`
    Subscription,
    /// `{"stream":"..","data":{..}}`
    Combined,
}

impl Head<'_> {
    /// Reads the head.
    pub(crate) fn read(bytes: &[u8]) -> Result<Head<'_>, Malformed> {
        serde_json::from_slice(bytes).map_err(|_json| Malformed)
    }
    /// Name and wrapping of the event, if it is one.
    pub(crate) fn event(&self) -> Option<(&str, Wrapping)> {
        if let Some(event) = &self.event {
            Some((event.e.as_ref(), Wrapping::Subscription))
        } else if let Some(event) = &self.data {
            Some((event.e.as_ref(), Wrapping::Combined))
        } else {
            self.e.as_ref().map(|e| (e.as_ref(), Wrapping::Bare))
        }
    }
}

#[derive(Deserialize)]
struct InEvent<T> {
    event: T,
}
#[derive(Deserialize)]
struct InData<T> {
    data: T,
}
#[derive(Deserialize)]
struct InResult<T> {
    result: T,
}

/// Reads an event's body.
pub(crate) fn event_body<'a, T: Deserialize<'a>>(
    bytes: &'a [u8],
    wrapping: Wrapping,
) -> Result<T, Malformed> {
    match wrapping {
        Wrapping::Bare => serde_json::from_slice(bytes),
        Wrapping::Subscription => serde_json::from_slice::<InEvent<T>>(bytes).map(|it| it.event),
        Wrapping::Combined => serde_json::from_slice::<InData<T>>(bytes).map(|it| it.data),
    }
    .map_err(|_json| Malformed)
}

/// Reads the result of an answer: of a WebSocket API frame, or a whole HTTP body.
pub(crate) fn result_body<'a, T: Deserialize<'a>>(
    bytes: &'a [u8],
    over_http: bool,
) -> Result<T, Malformed> {
    if over_http {
        serde_json::from_slice(bytes)
    } else {
        serde_json::from_slice::<InResult<T>>(bytes).map(|it| it.result)
    }
    .map_err(|_json| Malformed)
}
