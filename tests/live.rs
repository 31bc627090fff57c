//! The engine against simulated venues over real sockets: what it does when feeds, orders, positions and people misbehave.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub,
    reason = "a missing value fails the test; the parts of this file share helpers"
)]

#[path = "live/books.rs"]
mod books;
#[path = "live/world.rs"]
mod world;
