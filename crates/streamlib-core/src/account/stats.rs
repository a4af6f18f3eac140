//! A snapshot of the accounts, as plain data.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::reason::DropReason;
use super::shown::ShownStats;
use crate::frame::Timestamp;

/// The accounts of a graph at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Stats {
    /// When the snapshot was taken.
    pub at: Timestamp,
    /// Frames delivered and recorded so far.
    pub frames: u64,
    /// Frames delivered per second, over the last two seconds.
    pub fps: f64,
    /// Counts of the graph as a whole: in is submitted, out is delivered. Drops at nodes are counted there.
    pub graph: Counts,
    /// Counts of each node, in the graph's order.
    pub nodes: Vec<NodeStats>,
    /// From capture to delivery.
    pub latency: Summary,
    /// From capture to the hand-over to the GPU.
    pub capture_to_submit: Summary,
    /// From the hand-over to the end of the GPU's work.
    pub submit_to_gpu_end: Summary,
    /// How far the interval between two deliveries was from the wanted one, or, where none is wanted, from the interval
    /// between the two captures.
    pub jitter: Summary,
    /// CPU time of the frame thread for each frame.
    pub frame_cpu: Summary,
    /// GPU time of each pass of the plan that runs now.
    pub passes: Vec<PassStats>,
}

impl Stats {
    /// Drops at the graph and all its nodes.
    #[must_use]
    pub fn drops(&self) -> Drops {
        let everywhere = self.nodes.iter().map(|node| &node.counts).chain([&self.graph]);
        everywhere.flat_map(|counts| counts.dropped.iter()).collect()
    }

    /// Deadline misses of the graph and all its nodes.
    #[must_use]
    pub fn deadline_misses(&self) -> u64 {
        self.graph.deadline_misses + self.nodes.iter().map(|node| node.counts.deadline_misses).sum::<u64>()
    }
}

/// What became of frames.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Frames that came in.
    pub frames_in: u64,
    /// Frames that went out.
    pub frames_out: u64,
    /// Deadlines that were missed.
    pub deadline_misses: u64,
    /// Frames that were dropped.
    #[serde(default, skip_serializing_if = "Drops::is_empty")]
    pub dropped: Drops,
}

/// Dropped frames by reason; reasons that never happened are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Drops(BTreeMap<DropReason, u64>);

impl Drops {
    /// How many were dropped for `reason`.
    #[must_use]
    pub fn of(&self, reason: DropReason) -> u64 {
        self.0.get(&reason).copied().unwrap_or(0)
    }

    /// How many were dropped for any reason.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// Whether none was dropped.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Each reason that happened, and how often.
    pub fn iter(&self) -> impl Iterator<Item = (DropReason, u64)> + '_ {
        self.0.iter().map(|(&reason, &count)| (reason, count))
    }
}

impl FromIterator<(DropReason, u64)> for Drops {
    fn from_iter<I: IntoIterator<Item = (DropReason, u64)>>(counts: I) -> Self {
        let mut drops = BTreeMap::new();
        for (reason, count) in counts.into_iter().filter(|(_, count)| *count > 0) {
            *drops.entry(reason).or_default() += count;
        }
        Self(drops)
    }
}

/// A node's counts.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct NodeStats {
    /// The node.
    pub name: String,
    /// Its counts.
    #[serde(flatten)]
    pub counts: Counts,
    /// What it has shown, where it is a window or a screen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<ShownStats>,
}

/// A pass's GPU times.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct PassStats {
    /// The pass.
    pub name: String,
    /// Time on the GPU.
    pub gpu: Summary,
}

/// Durations in microseconds. Mean and maximum are exact, quantiles to three digits; all are 0 where `count` is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Summary {
    /// How many were recorded.
    pub count: u64,
    /// Median.
    pub p50_us: f64,
    /// Nine of ten were shorter.
    pub p90_us: f64,
    /// 99 of 100 were shorter.
    pub p99_us: f64,
    /// 999 of 1000 were shorter.
    pub p99_9_us: f64,
    /// The longest.
    pub max_us: f64,
    /// The mean.
    pub mean_us: f64,
    /// How many ended before they began, which says that two clocks disagree; they are not in the other figures.
    #[serde(default)]
    pub negative: u64,
}
