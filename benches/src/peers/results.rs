//! What a comparison found, as it is written to disk and read back when only some cases run again.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::judge::PixelErrors;
use super::protocol::Answer;
use super::statistics::{Ratio, Spread};

/// Everything about one device.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Comparison {
    pub(crate) device: String,
    pub(crate) is_cpu: bool,
    /// Cores that the machine's CPU shows.
    pub(crate) cores: usize,
    pub(crate) cases: Vec<CaseResult>,
}

/// One case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct CaseResult {
    pub(crate) name: String,
    pub(crate) title: String,
    /// When it ended, in seconds since 1970.
    pub(crate) measured_at: u64,
    /// The command of the run.
    pub(crate) command: String,
    pub(crate) rounds: usize,
    pub(crate) period_ns: Option<u64>,
    pub(crate) entries: Vec<Entry>,
}

/// One contender in one case.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) contender: String,
    pub(crate) versions: BTreeMap<String, String>,
    pub(crate) device: String,
    pub(crate) note: String,
    pub(crate) outcome: Outcome,
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
pub(crate) enum Outcome {
    Measured(Measured),
    /// Its pixels are not what was asked for, so its times mean nothing.
    Wrong {
        errors: PixelErrors,
    },
    /// It has no natural way to do this.
    Unsupported {
        reason: String,
    },
    /// It is not there.
    Skipped {
        reason: String,
    },
    /// It crashed, hung or answered nonsense.
    Failed {
        reason: String,
    },
}

/// Times of all rounds together.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Measured {
    pub(crate) wall: Spread,
    pub(crate) gpu: Option<Spread>,
    /// Median of each round, in microseconds.
    pub(crate) wall_rounds_us: Vec<f64>,
    pub(crate) gpu_rounds_us: Vec<f64>,
    pub(crate) errors: Option<PixelErrors>,
    pub(crate) paced: Option<Paced>,
    /// Against ours by wall clock.
    pub(crate) wall_ratio: Option<Ratio>,
    /// Against ours by time on the GPU, where both tell it.
    pub(crate) gpu_ratio: Option<Ratio>,
}

impl Measured {
    /// The ratio that tells more about the work itself: that of GPU time where there is one.
    pub(crate) fn ratio(&self) -> Option<Ratio> {
        self.gpu_ratio.or(self.wall_ratio)
    }
}

/// Frames at a steady rate.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub(crate) struct Paced {
    pub(crate) frames: usize,
    /// How long after its tick a frame was begun.
    pub(crate) late: Spread,
    /// Frames that were not done when the next was due.
    pub(crate) misses: usize,
    pub(crate) cpu_ms_per_frame: f64,
}

/// One round of one contender: what it answered and how its pixels are.
#[derive(Clone, Debug)]
pub(crate) struct Round {
    pub(crate) answer: Answer,
    pub(crate) errors: Option<PixelErrors>,
    /// Whether they are right.
    pub(crate) is_right: bool,
}

/// Merges the rounds of one contender; `None` when there is no sample.
pub(crate) fn merge(rounds: &[Round], period_ns: Option<u64>) -> Option<Measured> {
    let wall = Spread::of(rounds.iter().flat_map(|round| round.answer.wall_ns.iter().copied()))?;
    let gpu = Spread::of(rounds.iter().flat_map(|round| round.answer.gpu_ns.iter().copied()));
    let medians = |samples: fn(&Answer) -> &Vec<u64>| -> Vec<f64> {
        let spreads = rounds.iter().map(|round| Spread::of(samples(&round.answer).iter().copied()));
        spreads.flatten().map(|spread| spread.p50_us).collect()
    };
    let errors = rounds.iter().filter_map(|round| round.errors).reduce(PixelErrors::worst);
    Some(Measured {
        wall,
        gpu,
        wall_rounds_us: medians(|answer| &answer.wall_ns),
        gpu_rounds_us: medians(|answer| &answer.gpu_ns),
        errors,
        paced: period_ns.and_then(|period| paced(rounds, period)),
        wall_ratio: None,
        gpu_ratio: None,
    })
}

fn paced(rounds: &[Round], period_ns: u64) -> Option<Paced> {
    let late = Spread::of(rounds.iter().flat_map(|round| round.answer.late_ns.iter().copied()))?;
    let latencies = || rounds.iter().flat_map(|round| &round.answer.wall_ns);
    let frames = latencies().count();
    let cpu_ns: u64 = rounds.iter().filter_map(|round| round.answer.cpu_ns).sum();
    Some(Paced {
        frames,
        late,
        misses: latencies().filter(|&&latency| latency > period_ns).count(),
        cpu_ms_per_frame: cpu_ns as f64 / 1e6 / frames as f64,
    })
}

impl CaseResult {
    /// Sets every ratio against the contender called `ours`.
    pub(crate) fn set_ratios(&mut self, ours: &str) {
        let own = self.entries.iter().find(|entry| entry.contender == ours);
        let Some(Outcome::Measured(own)) = own.map(|entry| entry.outcome.clone()) else { return };
        for entry in &mut self.entries {
            if let Outcome::Measured(measured) = &mut entry.outcome {
                measured.wall_ratio = Ratio::of(&measured.wall_rounds_us, &own.wall_rounds_us);
                measured.gpu_ratio = Ratio::of(&measured.gpu_rounds_us, &own.gpu_rounds_us);
            }
        }
    }
}

impl Comparison {
    /// Puts a case in the place of an older one of its name, else at the end.
    pub(crate) fn put(&mut self, case: CaseResult) {
        match self.cases.iter_mut().find(|old| old.name == case.name) {
            Some(old) => *old = case,
            None => self.cases.push(case),
        }
    }
}
