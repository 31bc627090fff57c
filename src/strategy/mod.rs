//! Strategies: pure functions from books to intents. They know no venue, no clock and no risk limit.

pub mod params;

pub use params::CrossVenueParams;
