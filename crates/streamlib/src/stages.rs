//! Collects the times of stages.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::report::StageReport;

/// Samples by stage, in nanoseconds.
#[derive(Debug, Default)]
pub(crate) struct Stages {
    samples: BTreeMap<String, Vec<u64>>,
}

impl Stages {
    pub(crate) fn add(&mut self, stage: &str, nanoseconds: u64) {
        match self.samples.get_mut(stage) {
            Some(samples) => samples.push(nanoseconds),
            None => {
                self.samples.insert(stage.to_owned(), vec![nanoseconds]);
            }
        }
    }

    /// Runs something and files its time.
    pub(crate) fn time<T>(&mut self, stage: &str, work: impl FnOnce() -> T) -> T {
        let start = Instant::now();
        let result = work();
        self.add(stage, nanos(start.elapsed()));
        result
    }

    pub(crate) fn merge(&mut self, other: Self) {
        for (stage, mut samples) in other.samples {
            self.samples.entry(stage).or_default().append(&mut samples);
        }
    }

    pub(crate) fn report(self) -> Vec<StageReport> {
        self.samples.into_iter().map(|(stage, samples)| summary(stage, samples)).collect()
    }
}

fn nanos(duration: Duration) -> u64 {
    duration.as_nanos().try_into().unwrap_or(u64::MAX)
}

/// Percentiles by the nearest rank.
fn summary(stage: String, mut samples: Vec<u64>) -> StageReport {
    samples.sort_unstable();
    let us = |nanoseconds: u64| nanoseconds as f64 / 1e3;
    let rank = |share: f64| us(samples[((samples.len() as f64 * share).ceil() as usize).max(1) - 1]);
    let mean = samples.iter().map(|&sample| us(sample)).sum::<f64>() / samples.len() as f64;
    StageReport {
        stage,
        count: samples.len(),
        mean_us: mean,
        p50_us: rank(0.5),
        p99_us: rank(0.99),
        max_us: rank(1.0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_samples_that_were_taken() {
        let mut stages = Stages::default();
        (1..=100).rev().for_each(|ms: u64| stages.add("decode", ms * 1_000_000));
        let report = stages.report().remove(0);
        assert_eq!((report.p50_us, report.p99_us, report.max_us), (50_000.0, 99_000.0, 100_000.0));
        assert_eq!((report.count, report.mean_us), (100, 50_500.0));
    }
}
