//! Simulated venues and worlds.

pub mod build;
pub mod checker;
pub mod dialect;
pub mod drill;
pub mod recording;
pub mod server;
pub mod tape;
pub mod venue;
pub mod world;
