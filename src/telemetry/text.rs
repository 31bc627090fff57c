//! The parts of `/metrics` that we write ourselves: latency from HDR histograms, and counters of exact amounts.
//!
//! The exporter library's own summaries are wrong for bursts (it drops all samples older than the newest block at the
//! first drain after an idle time), and its counters are whole numbers. A test in `tests/metrics.rs` shows the first.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use rust_decimal::Decimal;

use crate::units::Nanos;

use super::catalogue::{self, Metric};
use super::latency::{Lanes, LatencyStore};
use super::spans::Spans;
use super::stage::Stage;

/// Upper bounds of the buckets: 1, 2.5 and 5 per decade from 1 us to 10 s.
const BUCKETS: [(&str, Nanos); 22] = [
    ("0.000001", Nanos(1_000)),
    ("0.0000025", Nanos(2_500)),
    ("0.000005", Nanos(5_000)),
    ("0.00001", Nanos(10_000)),
    ("0.000025", Nanos(25_000)),
    ("0.00005", Nanos(50_000)),
    ("0.0001", Nanos(100_000)),
    ("0.00025", Nanos(250_000)),
    ("0.0005", Nanos(500_000)),
    ("0.001", Nanos(1_000_000)),
    ("0.0025", Nanos(2_500_000)),
    ("0.005", Nanos(5_000_000)),
    ("0.01", Nanos(10_000_000)),
    ("0.025", Nanos(25_000_000)),
    ("0.05", Nanos(50_000_000)),
    ("0.1", Nanos(100_000_000)),
    ("0.25", Nanos(250_000_000)),
    ("0.5", Nanos(500_000_000)),
    ("1", Nanos(1_000_000_000)),
    ("2.5", Nanos(2_500_000_000)),
    ("5", Nanos(5_000_000_000)),
    ("10", Nanos(10_000_000_000)),
];
const QUANTILES: [(&str, f64); 5] = [
    ("0.5", 0.5),
    ("0.9", 0.9),
    ("0.99", 0.99),
    ("0.999", 0.999),
    ("1", 1.0),
];

/// Counters of money, by metric name and label values: the value only grows.
pub(super) type Amounts = BTreeMap<(&'static str, Vec<String>), (Metric, Decimal)>;

/// Appends the latency histograms and window summaries.
pub(super) fn write_latency(store: &LatencyStore, lanes: &Lanes, page: &mut String) {
    for stage in Stage::ALL {
        let (histogram, window) = catalogue::of_stage(stage);
        let tracks: Vec<_> = store
            .iter()
            .filter(|(track_stage, _, _)| *track_stage == stage)
            .map(|(_, lane, track)| (label_pair(stage, lanes, lane), track))
            .collect();
        if tracks.is_empty() {
            continue;
        }
        write_head(histogram, page);
        for (labels, track) in &tracks {
            write_buckets(histogram.name, labels, &track.total, page);
        }
        write_head(window, page);
        for (labels, track) in &tracks {
            write_quantiles(window.name, labels, &track.closed, page);
            write_sum_and_count(window.name, labels, &track.total, page);
        }
    }
}

/// Appends the counters of exact amounts.
pub(super) fn write_amounts(amounts: &Amounts, page: &mut String) {
    let mut last = "";
    for ((name, values), (metric, amount)) in amounts {
        if *name != last {
            write_head(*metric, page);
            last = name;
        }
        let labels: Vec<String> = metric
            .labels
            .iter()
            .zip(values)
            .map(|(label, value)| pair(label, value))
            .collect();
        line(
            page,
            format_args!("{name}{} {}", braces(&labels), amount.normalize()),
        );
    }
}

fn line(page: &mut String, text: std::fmt::Arguments<'_>) {
    let written = page.write_fmt(text).and_then(|()| page.write_char('\n'));
    debug_assert!(written.is_ok(), "Invariant: writing to a string succeeds");
}

fn write_head(metric: Metric, page: &mut String) {
    line(page, format_args!("# HELP {} {}", metric.name, metric.help));
    line(
        page,
        format_args!("# TYPE {} {}", metric.name, metric.kind.label()),
    );
}

fn write_buckets(name: &str, labels: &[String], spans: &Spans, page: &mut String) {
    let bounds = BUCKETS.map(|(_, bound)| bound);
    let counts = spans.cumulative(&bounds);
    for ((bound, _), count) in BUCKETS.iter().zip(&counts) {
        line(
            page,
            format_args!("{name}_bucket{} {count}", with(labels, "le", bound)),
        );
    }
    line(
        page,
        format_args!(
            "{name}_bucket{} {}",
            with(labels, "le", "+Inf"),
            spans.count()
        ),
    );
    write_sum_and_count(name, labels, spans, page);
}

fn write_quantiles(name: &str, labels: &[String], window: &Spans, page: &mut String) {
    for (text, share) in QUANTILES {
        let labels = with(labels, "quantile", text);
        if window.is_empty() {
            line(page, format_args!("{name}{labels} NaN"));
        } else {
            line(
                page,
                format_args!("{name}{labels} {}", seconds(window.quantile(share))),
            );
        }
    }
}

fn write_sum_and_count(name: &str, labels: &[String], spans: &Spans, page: &mut String) {
    let labels = braces(labels);
    line(
        page,
        format_args!("{name}_sum{labels} {}", seconds(spans.sum())),
    );
    line(page, format_args!("{name}_count{labels} {}", spans.count()));
}

/// Exact decimal text of a span in seconds.
fn seconds(span: Nanos) -> String {
    let whole = span.0.div_euclid(1_000_000_000);
    let rest = span.0.rem_euclid(1_000_000_000);
    format!("{whole}.{rest:09}")
}

fn label_pair(stage: Stage, lanes: &Lanes, lane: usize) -> Vec<String> {
    let dimension = stage.dimension();
    dimension
        .label()
        .map(|label| pair(label, lanes.name(dimension, lane).unwrap_or("?")))
        .into_iter()
        .collect()
}

fn pair(label: &str, value: &str) -> String {
    let escaped = value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n");
    format!("{label}=\"{escaped}\"")
}

fn braces(labels: &[String]) -> String {
    if labels.is_empty() {
        String::new()
    } else {
        format!("{{{}}}", labels.join(","))
    }
}

fn with(labels: &[String], label: &str, value: &str) -> String {
    let mut all = labels.to_vec();
    all.push(pair(label, value));
    braces(&all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bounds_are_what_their_text_says() {
        for (text, bound) in BUCKETS {
            let seconds: Decimal = text.parse().unwrap();
            assert_eq!(
                seconds * Decimal::from(1_000_000_000_u64),
                Decimal::from(bound.0)
            );
        }
        assert_eq!(seconds(Nanos(1_500_000_001)), "1.500000001");
        assert_eq!(pair("symbol", "a\"b\\c\n"), r#"symbol="a\"b\\c\n""#);
    }
}
