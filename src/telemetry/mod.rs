//! Stages, histograms, counters and the names they are exported under. The only room that names a metric.
//!
//! Hot threads own a [`StageRecorder`] and never touch a macro, a lock they could wait for, or the allocator. Once a
//! second they hand their histograms over; [`Telemetry`] merges them and renders everything for Prometheus.

pub mod catalogue;
pub mod control;
pub mod counters;
pub mod exporter;
pub mod hub;
pub mod latency;
pub mod limit_status;
pub mod recorder;
pub mod series;
pub mod snapshot;
pub mod spans;
pub mod stage;
pub mod text;

pub use control::ControlTally;
pub use counters::Counts;
pub use hub::Telemetry;
pub use latency::{Lanes, StageLatency};
pub use limit_status::LimitStatus;
pub use recorder::{LiveTimer, NoopTimer, StageRecorder, StageTimer};
pub use snapshot::EngineSnapshot;
pub use stage::{Dimension, Stage};
