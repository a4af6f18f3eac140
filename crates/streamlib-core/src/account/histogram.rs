//! Durations, in a histogram of fixed size.

use hdrhistogram::Histogram;

use super::stats::Summary;

/// Shorter durations count as this.
const SHORTEST_NS: u64 = 100;
/// Longer durations count as this; sums and maxima are exact nevertheless.
const LONGEST_NS: u64 = 60_000_000_000;
/// Significant digits of a quantile.
const DIGITS: u8 = 3;
const QUANTILES: [f64; 4] = [0.5, 0.9, 0.99, 0.999];

/// Durations in nanoseconds. Recording allocates nothing.
#[derive(Clone, Debug)]
pub(super) struct Durations {
    histogram: Histogram<u64>,
    sum_ns: u128,
    max_ns: u64,
    /// Durations below zero: the two times are from clocks that disagree.
    negative: u64,
}

impl Durations {
    pub(super) fn new() -> Self {
        let histogram = Histogram::new_with_bounds(SHORTEST_NS, LONGEST_NS, DIGITS);
        let histogram = histogram.expect("100 ns to 60 s in three digits is a histogram");
        Self { histogram, sum_ns: 0, max_ns: 0, negative: 0 }
    }

    pub(super) fn record(&mut self, nanoseconds: i64) {
        let Ok(nanoseconds) = u64::try_from(nanoseconds) else {
            self.negative += 1;
            return;
        };
        self.histogram.saturating_record(nanoseconds);
        self.sum_ns += u128::from(nanoseconds);
        self.max_ns = self.max_ns.max(nanoseconds);
    }

    pub(super) fn summary(&self) -> Summary {
        let (count, max_us) = (self.histogram.len(), micros(self.max_ns));
        if count == 0 {
            return Summary { negative: self.negative, ..Summary::default() };
        }
        let mut quantiles = self.histogram.value_at_quantiles(QUANTILES);
        // A quantile is the upper edge of its class, which may lie above everything recorded.
        let mut next = || quantiles.next().map_or(max_us, |value| micros(value.min(self.max_ns)));
        Summary {
            count,
            p50_us: next(),
            p90_us: next(),
            p99_us: next(),
            p99_9_us: next(),
            max_us,
            mean_us: self.sum_ns as f64 / count as f64 / 1e3,
            negative: self.negative,
        }
    }
}

fn micros(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e3
}
