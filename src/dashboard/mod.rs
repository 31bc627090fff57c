//! What people see of a running engine, and how they steer it: `/metrics` for Prometheus, `/status` as JSON, health, one page,
//! and the control API under `/api/v1/`.
//!
//! The page and the metrics are drawn from the published snapshot, never from live state, on a thread of its own: a flood of
//! requests slows the page down, not the trading. Only this machine may ask; only signed requests change anything.

mod api;
mod body;
mod bounds;
pub mod document;
mod guard;
pub mod health;
mod host;
pub mod keyring;
pub mod openapi;
mod refused;
pub mod routes;
pub mod schema;
pub mod server;
pub mod sign;
mod tarpit;

pub use api::Door;
pub use bounds::Bounds;
pub use keyring::{Keyring, KeyringError};
pub use refused::Refused;
pub use server::{DashboardError, Handle, serve};

/// Most bytes of a request's body.
pub const BODY_BYTES_MAX: usize = 64 << 10;
