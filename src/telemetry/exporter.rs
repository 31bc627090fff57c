//! Gauges and whole-number counters for Prometheus, through handles that are looked up once and kept.
//!
//! The exporter is not installed globally: it belongs to one hub, so that two engines in one process (a test) do not
//! mix, and no macro can reach it from a hot thread.

use std::collections::BTreeMap;

use metrics::{Counter, Gauge, Key, Label, Level, Metadata, Recorder};
use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle, PrometheusRecorder};

use super::catalogue::{CATALOGUE, Kind, Metric};
use super::series::{Sample, Value};
use super::text::{Amounts, write_amounts};

type SeriesKey = (&'static str, Vec<String>);

/// Holds every series that was ever published.
pub(super) struct Exporter {
    recorder: PrometheusRecorder,
    handle: PrometheusHandle,
    gauges: BTreeMap<SeriesKey, Gauge>,
    counters: BTreeMap<SeriesKey, Counter>,
    amounts: Amounts,
}

impl std::fmt::Debug for Exporter {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Exporter")
            .field("gauges", &self.gauges.len())
            .field("counters", &self.counters.len())
            .finish_non_exhaustive()
    }
}

const METADATA: Metadata<'static> = Metadata::new("arbalest", Level::INFO, None);

impl Exporter {
    /// Knows the catalogue's help texts, has no series yet.
    pub(super) fn new() -> Self {
        let recorder = PrometheusBuilder::new().build_recorder();
        for metric in CATALOGUE {
            match metric.kind {
                Kind::Gauge => {
                    recorder.describe_gauge(metric.name.into(), None, metric.help.into());
                }
                Kind::Counter => {
                    recorder.describe_counter(metric.name.into(), None, metric.help.into());
                }
                Kind::Histogram | Kind::Summary => {}
            }
        }
        Self {
            handle: recorder.handle(),
            recorder,
            gauges: BTreeMap::new(),
            counters: BTreeMap::new(),
            amounts: Amounts::new(),
        }
    }

    /// Sets every series of a snapshot. A counter never falls: a lower count is ignored.
    pub(super) fn apply(&mut self, samples: Vec<Sample>) {
        for Sample {
            metric,
            labels,
            value,
        } in samples
        {
            let series = (metric.name, labels);
            match value {
                Value::Level(level) => self.gauge(metric, series).set(level),
                Value::Count(count) => self.counter(metric, series).absolute(count),
                Value::Amount(amount) => {
                    let (_, kept) = self.amounts.entry(series).or_insert((metric, amount));
                    *kept = (*kept).max(amount);
                }
            }
        }
    }

    /// The page as the library and our amounts make it.
    pub(super) fn render(&self) -> String {
        self.handle.run_upkeep();
        let mut page = self.handle.render();
        write_amounts(&self.amounts, &mut page);
        page
    }

    fn gauge(&mut self, metric: Metric, series: SeriesKey) -> &Gauge {
        let recorder = &self.recorder;
        self.gauges.entry(series).or_insert_with_key(|(_, values)| {
            recorder.register_gauge(&key(metric, values), &METADATA)
        })
    }

    fn counter(&mut self, metric: Metric, series: SeriesKey) -> &Counter {
        let recorder = &self.recorder;
        self.counters
            .entry(series)
            .or_insert_with_key(|(_, values)| {
                recorder.register_counter(&key(metric, values), &METADATA)
            })
    }
}

fn key(metric: Metric, values: &[String]) -> Key {
    let labels: Vec<Label> = metric
        .labels
        .iter()
        .zip(values)
        .map(|(label, value)| Label::new(*label, value.clone()))
        .collect();
    Key::from_parts(metric.name, labels)
}
