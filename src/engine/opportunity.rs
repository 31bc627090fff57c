//! The opportunity ledger: every edge that a strategy saw, taken or not, with the numbers that decided.
//!
//! An *episode* is a maximal run of looks at or above the strategy's minimum on one route. The [`Tracker`] stands on the
//! signal seat and hears each look ([`crate::strategy::EdgeSink`]); it counts all of them exactly in a [`Window`] that a
//! reporter swaps for an empty one whenever it likes, and keeps a bounded sample of episodes in full ([`Opportunity`]).
//! Nothing allocates after start. While no edge exists it costs one comparison of instants a batch, and for a route of two
//! legs two multiplications to know whether this is the best touch of the window.

mod edge;
mod kept;
mod numbers;
mod probes;
mod record;
mod tally;
mod touch;
mod tracker;
mod words;

pub use edge::touch_edge;
pub use numbers::Numbers;
pub use probes::{PROBE_COUNT, PROBES};
pub use record::{ROUTE_ROWS_MAX, asked, route_text};
pub use tally::{ReasonTally, RouteTally, Window};
pub(in crate::engine) use tracker::Looking;
pub use tracker::{OpportunityRules, Tracker};
pub use words::{Closed, LegLook, Look, MARKOUTS, Markout, Opportunity, Reason};
