//! The route of everything, numbered, and the two back edges. Read this first.
//!
//! 1. A feed machine turns a frame into [`MarketEvent`](crate::market::MarketEvent)s in its own ring
//!    (`exchanges/feed.rs`).
//! 2. [`HotPath::on_event`](super::HotPath::on_event) drains the rings, applies events to books, and on the last event of a
//!    batch asks the strategies of the changed instrument (`strategy/`).
//! 3. A strategy answers with an [`Intent`](crate::trade::Intent); the gate (`risk/gate.rs`) approves it with holds, or refuses
//!    it with a reason and both numbers.
//! 4. An [`ApprovedSet`](crate::risk::ApprovedSet) goes through a ring to the desk (`execution/desk.rs`), which alone makes
//!    order commands; a gateway machine (`exchanges/gateway.rs`) turns them into bytes.
//! 5. Reports come back from the gateway to the desk as inputs; fills go to the ledger (`ledger/`), which answers with a
//!    position; the monitor (`risk/monitor.rs`) judges every position and mark.
//! 6. **Back edge 1**: the monitor's [`RiskView`](crate::risk::RiskView) is read by the gate at the top of each duty cycle.
//! 7. **Back edge 2**: the monitor's forced close sends an approved reduce-only order straight to the desk. It does not
//!    pass the signal seat: it works with feeds dead, books stale and the signal stalled.
//! 8. A broken set is an input to the signal seat like a tick: the resolver prices it on live books and the gate approves
//!    the repair.

/// Names of the back edges, for traces and docs.
pub const BACK_EDGES: [&str; 2] = ["monitor -> view -> gate", "monitor -> unwind -> desk"];
