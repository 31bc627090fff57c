//! Simulated venues and worlds.

pub mod dialect;
pub mod recording;
pub mod tape;
pub mod venue;
