//! Samples as the few figures that are shown.

use serde::{Deserialize, Serialize};

use crate::rig::percentile;

/// Percentiles in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Spread {
    pub(crate) samples: usize,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
    pub(crate) p999_us: f64,
    pub(crate) max_us: f64,
}

impl Spread {
    /// `None` of no samples.
    pub(crate) fn of(nanoseconds: impl IntoIterator<Item = u64>) -> Option<Self> {
        let mut sorted: Vec<u64> = nanoseconds.into_iter().collect();
        if sorted.is_empty() {
            return None;
        }
        sorted.sort_unstable();
        let us = |share: f64| percentile(&sorted, share) as f64 / 1e3;
        Some(Self {
            samples: sorted.len(),
            p50_us: us(0.5),
            p99_us: us(0.99),
            p999_us: us(0.999),
            max_us: us(1.0),
        })
    }
}

/// A contender's median over ours, of the same round: its median over the rounds, and the least and the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Ratio {
    pub(crate) median: f64,
    pub(crate) least: f64,
    pub(crate) greatest: f64,
}

impl Ratio {
    /// Of medians of the same rounds; `None` when there are none.
    pub(crate) fn of(theirs: &[f64], ours: &[f64]) -> Option<Self> {
        let mut ratios: Vec<f64> = theirs
            .iter()
            .zip(ours)
            .map(|(theirs, ours)| theirs / ours)
            .filter(|ratio| ratio.is_finite())
            .collect();
        ratios.sort_by(f64::total_cmp);
        let (&least, &greatest) = (ratios.first()?, ratios.last()?);
        Some(Self { median: ratios[(ratios.len() - 1) / 2], least, greatest })
    }
}
