//! What the Binance dialects share: market-data frames, the WebSocket API envelope, its errors, and the gateway machine around them.
//!
//! Endpoints, parameters and events that differ live in `binance_spot/` and `binance_usdm/`.

mod answers;
mod clock;
mod dead_man;
pub(crate) mod envelope;
mod errors;
pub(crate) mod exchange_info;
pub(crate) mod fields;
pub mod frames;
mod history;
mod lifecycle;
mod line;
mod machine;
pub(crate) mod order;
pub(crate) mod params;
pub(crate) mod quote;
mod requests;
mod short;
pub(crate) mod streams;
mod updates;

pub(crate) use machine::{Flavour, Machine, RequestKind};

use super::Method;
use super::gateway::AccountEvent;

/// How a kind of request is made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Endpoint {
    /// Method of the WebSocket API; `None` where only REST has it.
    pub(crate) ws: Option<&'static str>,
    /// REST method.
    pub(crate) method: Method,
    /// REST path; empty where only the WebSocket API has it.
    pub(crate) path: &'static str,
    /// Request weight.
    pub(crate) weight: u32,
}

/// What an event says.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Update {
    /// Of an order.
    Order(order::OrderUpdate),
    /// Of the account.
    Account(AccountEvent),
    /// The account stream ended; subscribe again.
    StreamEnded,
    /// The venue will close this connection.
    Shutdown,
}
