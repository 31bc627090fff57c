//! Stages, histograms, counters and the names they are exported under. The only room that names a metric.

pub mod stage;

pub use stage::Stage;
