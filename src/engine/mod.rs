//! The whole: the order of steps between the rooms, and the routes.
//!
//! Nothing here awaits, reads a clock, logs or names a venue: the live shells (`actors/`), the virtual-time world
//! (`sim/world.rs`) and the benches call the same functions.

pub mod alerts;
pub mod book_digest;
pub mod control;
pub mod digest;
pub mod flow;
mod gate_words;
pub mod heartbeat;
mod holdings;
pub mod hot_path;
pub mod money_split;
pub mod opportunity;
pub mod recovery;
mod refusal_counts;
pub mod rescue;
mod sent;
pub mod summary;
pub mod venue_watch;

pub use digest::DecisionDigest;
pub use hot_path::{HotOutput, HotPath, HotSetup};
pub use summary::Summary;
pub use venue_watch::VenueWatch;
