//! The basis strategy: its numbers against written ones and a slow twin in decimals, and the whole engine on planted markets.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::integer_division,
    reason = "a test says no by panicking, and its whole numbers are cut where it wants"
)]

#[path = "strategy_basis/rules.rs"]
mod rules;
#[path = "strategy_basis/scene.rs"]
mod scene;
#[path = "support/small_market.rs"]
mod small_market;
#[path = "strategy_basis/twin.rs"]
mod twin;
#[path = "strategy_basis/world.rs"]
mod world;
