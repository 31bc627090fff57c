//! Real processes killed at any moment against venues that live on, and what is left of it afterwards.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::too_many_lines,
    reason = "a test stops at the first surprise, and a script is read from the top"
)]

#[path = "recovery/kill.rs"]
mod kill;
#[path = "recovery/losses.rs"]
mod losses;
#[path = "recovery/market.rs"]
mod market;
#[path = "recovery/policies.rs"]
mod policies;
#[path = "recovery/rooms.rs"]
mod rooms;
#[path = "recovery/watchdog.rs"]
mod watchdog;
