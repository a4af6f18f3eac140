//! GPU times of the passes of a plan.

use super::histogram::Durations;
use super::stats::PassStats;

/// GPU times of the passes of one plan. Made where the plan is built, as making it allocates.
#[derive(Clone, Debug, Default)]
pub struct PassTimes(Vec<(String, Durations)>);

impl PassTimes {
    /// For passes of these names, in the plan's order.
    #[must_use]
    pub fn new<S: Into<String>>(names: impl IntoIterator<Item = S>) -> Self {
        Self(names.into_iter().map(|name| (name.into(), Durations::new())).collect())
    }

    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    pub(super) fn record(&mut self, times_ns: &[u64]) {
        for ((_, durations), &time) in self.0.iter_mut().zip(times_ns) {
            durations.record(time.try_into().unwrap_or(i64::MAX));
        }
    }

    pub(super) fn stats(&self) -> Vec<PassStats> {
        self.0.iter().map(|(name, gpu)| PassStats { name: name.clone(), gpu: gpu.summary() }).collect()
    }
}
