//! One HDR histogram of time spans with its exact sum: 1 ns to 60 s, three digits.

use hdrhistogram::Histogram;

use crate::units::Nanos;

/// Longest span that is told apart; a longer one is counted as this.
pub const SPAN_MAX: Nanos = Nanos::from_secs(60);
const DIGITS: u8 = 3;

/// Counted spans. All memory (about 220 kB) is taken at the start.
#[derive(Debug, Clone)]
pub struct Spans {
    histogram: Histogram<u64>,
    sum_nanos: u64,
}

impl Default for Spans {
    fn default() -> Self {
        Self::new()
    }
}

impl Spans {
    /// Nothing counted.
    ///
    /// # Panics
    /// Invariant: the bounds are valid for a histogram.
    #[must_use]
    #[expect(
        clippy::expect_used,
        reason = "the bounds are constants that a test makes"
    )]
    pub fn new() -> Self {
        let histogram = Histogram::new_with_bounds(1, SPAN_MAX.0, DIGITS)
            .expect("Invariant: the bounds of a span histogram are valid");
        Self {
            histogram,
            sum_nanos: 0,
        }
    }
    /// Counts one span. No allocation.
    #[inline]
    pub fn record(&mut self, span: Nanos) {
        self.histogram.saturating_record(span.0);
        self.sum_nanos = self.sum_nanos.saturating_add(span.0);
    }
    /// Counts what `other` counted.
    pub fn merge(&mut self, other: &Self) {
        if !other.is_empty() && self.histogram.add(&other.histogram).is_ok() {
            self.sum_nanos = self.sum_nanos.saturating_add(other.sum_nanos);
        }
    }
    /// Forgets everything; untouched memory stays untouched.
    pub fn clear(&mut self) {
        if !self.is_empty() {
            self.histogram.reset();
            self.sum_nanos = 0;
        }
    }
    /// True when nothing was counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.histogram.is_empty()
    }
    /// How many.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.histogram.len()
    }
    /// Exact sum.
    #[must_use]
    pub const fn sum(&self) -> Nanos {
        Nanos(self.sum_nanos)
    }
    /// Longest, to three digits; zero when empty.
    #[must_use]
    pub fn max(&self) -> Nanos {
        Nanos(self.histogram.max())
    }
    /// The span below or at which the given share (0 to 1) of all lies, to three digits; zero when empty.
    #[must_use]
    pub fn quantile(&self, share: f64) -> Nanos {
        Nanos(self.histogram.value_at_quantile(share))
    }
    /// Cumulative counts for ascending bounds: how many spans were at or below each (to three digits).
    #[must_use]
    pub fn cumulative(&self, bounds: &[Nanos]) -> Vec<u64> {
        let mut counts = vec![0_u64; bounds.len()];
        for value in self.histogram.iter_recorded() {
            let lowest = self.histogram.lowest_equivalent(value.value_iterated_to());
            let first = bounds.partition_point(|bound| bound.0 < lowest);
            if let Some(slot) = counts.get_mut(first) {
                *slot = slot.saturating_add(value.count_at_value());
            }
        }
        let mut running = 0_u64;
        for slot in &mut counts {
            running = running.saturating_add(*slot);
            *slot = running;
        }
        counts
    }
    /// The histogram, for logs in the HdrHistogram format and plots.
    #[must_use]
    pub const fn histogram(&self) -> &Histogram<u64> {
        &self.histogram
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_sum_and_bounds() {
        let mut spans = Spans::new();
        for nanos in [0, 999, 1_000, 1_001, 2_500, 90_000_000_000] {
            spans.record(Nanos(nanos));
        }
        assert_eq!(spans.count(), 6);
        assert_eq!(spans.sum(), Nanos(90_000_005_500));
        let bounds = [Nanos(1_000), Nanos(2_500), Nanos::from_secs(10)];
        assert_eq!(spans.cumulative(&bounds), [3, 5, 5]);
        assert!(spans.max() >= SPAN_MAX);
        spans.clear();
        assert!(spans.is_empty() && spans.sum() == Nanos::ZERO);
        assert_eq!(spans.quantile(0.99), Nanos::ZERO);
    }
}
