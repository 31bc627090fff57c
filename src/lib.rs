//! Arbalest: the arbitrage engine that explains itself and fails closed.
//!
//! ```text
//! bytes -> Frame -> MarketEvent -> [ring] -> Book -> Signal -> Intent -> Verdict -> OrderCommand -> bytes
//! bytes -> OrderReport -> Fill -> Position -> Monitor -> RiskView ..(back edge 1)..> gate
//!                                                +- unwind ..(back edge 2: reduce-only)..> desk
//! ```
//!
//! Rooms stand on floors; a room imports only from lower floors (`tests/tidy.rs` holds that). Everything that decides is
//! synchronous and takes `now`; only the shells on floor 6 know sockets and actors. `docs/ARCHITECTURE.md` is the map.

// Floor 0: ground.
pub mod capacity;
pub mod priority;
pub mod prng;
pub mod ring;
pub mod units;
// Floor 1: world.
pub mod clock;
pub mod market;
// Floor 2: words.
pub mod telemetry;
pub mod trade;
// Floor 3: judges, strangers to each other.
pub mod exchanges;
pub mod ledger;
pub mod risk;
pub mod strategy;
// Floor 4: acts.
pub mod execution;
pub mod journal;
pub mod store;
// Floor 5: whole.
pub mod config;
pub mod engine;
// Floor 6: worlds.
pub mod actors;
pub mod dashboard;
pub mod sim;
// Floor 7: doors.
pub mod cli;
