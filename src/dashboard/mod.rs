//! What people see of a running engine: `/metrics` for Prometheus, `/status` as JSON, health, and one page.
//!
//! Everything is drawn from the published snapshot, never from live state, on a thread of its own: a flood of requests
//! slows the page down, not the trading. Nothing here changes anything: reads only, from this machine only.

pub mod health;
pub mod server;

pub use server::{DashboardError, Handle, serve};
