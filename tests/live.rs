//! The engine against simulated venues over real sockets: what it does when feeds, orders, positions and people misbehave.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    unreachable_pub,
    reason = "a missing value fails the test; the parts of this file share helpers; what was measured is printed"
)]

#[path = "live/alerts.rs"]
mod alerts;
#[path = "live/books.rs"]
mod books;
#[path = "live/control.rs"]
mod control;
#[path = "live/heart.rs"]
mod heart;
#[path = "live/hostile.rs"]
mod hostile;
#[path = "live/kill.rs"]
mod kill;
#[path = "live/legs.rs"]
mod legs;
#[path = "live/positions.rs"]
mod positions;
#[path = "live/process.rs"]
mod process;
#[path = "live/reload.rs"]
mod reload;
#[path = "live/starts.rs"]
mod starts;
#[path = "live/world.rs"]
mod world;
