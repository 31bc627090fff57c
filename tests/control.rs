//! The control API over real sockets: who may do what, and everything that hostile requests try. No attack changes anything,
//! none ends the server, each refusal has a reason and is counted.
#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    unreachable_pub,
    reason = "a missing value fails the test; the parts of this file share helpers"
)]

#[path = "control/attacks.rs"]
mod attacks;
#[path = "control/docs.rs"]
mod docs;
#[path = "control/floods.rs"]
mod floods;
#[path = "control/roles.rs"]
mod roles;
#[path = "control/world.rs"]
mod world;
