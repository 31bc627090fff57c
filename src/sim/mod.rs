//! Simulated venues and worlds.

pub mod tape;
