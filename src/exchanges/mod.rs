//! Venue adapters: the only room that knows a venue's field names, and the session that carries their bytes.
//!
//! Adapters are machines without IO: they take frames, HTTP answers and time, and return events, reports and
//! [`Action`]s. A shell (`actors/`, or the virtual-time world) performs the actions. So live trading and simulation run
//! the same code, and tests need no socket.

pub mod backoff;
pub mod binance;
pub mod binance_spot;
pub mod binance_usdm;
pub mod decode;
mod digits;
pub mod feed;
pub mod frame;
pub mod gateway;
mod json;
mod number;
mod pending;
pub mod quote;
pub mod rules;
mod scan;
pub mod secret;
pub mod session;
pub mod sign;
pub mod sync;
mod tracker;
pub mod weights;

use crate::units::Nanos;

/// A wire dialect this build speaks. A venue *instance* of the configuration has one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Dialect {
    /// Binance Spot.
    BinanceSpot,
    /// Binance USD-M futures.
    BinanceUsdm,
}

impl Dialect {
    /// All dialects.
    pub const ALL: [Self; 2] = [Self::BinanceSpot, Self::BinanceUsdm];
    /// Configuration name.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::BinanceSpot => "binance_spot",
            Self::BinanceUsdm => "binance_usdm",
        }
    }
    /// The venue's own name of a symbol, by its usual rule (the venue's list decides).
    #[must_use]
    pub fn native_guess(self, symbol: &crate::market::Symbol) -> String {
        match self {
            Self::BinanceSpot | Self::BinanceUsdm => format!("{}{}", symbol.base, symbol.quote),
        }
    }
    /// By configuration name.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL
            .into_iter()
            .find(|dialect| dialect.label() == text)
    }
}

/// Which of a machine's WebSocket connections. A feed machine has one (lane 0); a gateway has up to two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// Market data.
    Market,
    /// Order entry (Binance: the WebSocket API; on spot it also carries the account stream).
    Orders,
    /// Account stream on a connection of its own (Binance USD-M: listenKey).
    Account,
}

/// HTTP method.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Method {
    /// GET
    Get,
    /// POST
    Post,
    /// PUT
    Put,
    /// DELETE
    Delete,
}

impl Method {
    /// As on the wire.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Delete => "DELETE",
        }
    }
}

/// Names one HTTP request of one machine, so that its answer finds its way back.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RequestId(pub u32);

/// Why a connection is to be replaced: the metric label.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ReconnectCause {
    /// Planned, before the venue's own cut.
    Rotation,
    /// The venue announced a stop.
    ServerShutdown,
    /// Nothing arrived for too long.
    Silence,
    /// A frame was too large, or too many were malformed.
    HostileFrames,
    /// A subscription was refused or not acknowledged.
    Subscription,
    /// The account stream's key expired, or the session was refused.
    Session,
    /// The other side closed, or the transport failed.
    Lost,
}

impl ReconnectCause {
    /// Fixed short word.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Rotation => "rotation",
            Self::ServerShutdown => "server_shutdown",
            Self::Silence => "silence",
            Self::HostileFrames => "hostile_frames",
            Self::Subscription => "subscription",
            Self::Session => "session",
            Self::Lost => "lost",
        }
    }
}

/// What a machine wants its shell to do, in order.
#[derive(Clone, PartialEq, Eq)]
pub enum Action {
    /// Open (or replace) a WebSocket connection; `target` is path and query below the configured base address.
    Open {
        /// Which.
        channel: Channel,
        /// Path and query, beginning with `/`.
        target: String,
    },
    /// Send one text message.
    Send {
        /// On which connection.
        channel: Channel,
        /// The text.
        text: String,
    },
    /// Make an HTTP request below the configured REST base address.
    Http {
        /// To find the answer by.
        request: RequestId,
        /// Method.
        method: Method,
        /// Path and query, beginning with `/`, signed already if need be.
        target: String,
        /// Send the API key header.
        with_key: bool,
    },
    /// Close and open again after the given delay (zero: at once).
    Reconnect {
        /// Which connection.
        channel: Channel,
        /// Why.
        cause: ReconnectCause,
        /// How long to wait.
        delay: Nanos,
    },
}

/// Without queries and texts: they carry key names, signatures and the account stream's key.
impl std::fmt::Debug for Action {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let path = |target: &str| target.split('?').next().unwrap_or_default().to_owned();
        match self {
            Self::Open { channel, target } => write!(f, "Open({channel:?} {})", path(target)),
            Self::Send { channel, text } => write!(f, "Send({channel:?}, {} bytes)", text.len()),
            Self::Http {
                request,
                method,
                target,
                ..
            } => write!(f, "Http({} {} {})", request.0, method.label(), path(target)),
            Self::Reconnect {
                channel,
                cause,
                delay,
            } => write!(
                f,
                "Reconnect({channel:?}, {}, {} ms)",
                cause.label(),
                delay.floor_millis()
            ),
        }
    }
}
pub mod socket;
