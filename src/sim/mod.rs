//! Simulated venues and worlds.

pub mod recording;
pub mod tape;
