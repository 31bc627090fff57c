//! Simulated venues and worlds.

pub mod build;
pub mod dialect;
pub mod recording;
pub mod server;
pub mod tape;
pub mod venue;
