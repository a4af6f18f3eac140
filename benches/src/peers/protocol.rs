//! What a contender is asked and what it answers, as JSON files.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// Work that contenders do, each in its own natural way.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Work {
    /// A horizontal blur of nine taps, and a tint.
    Blur,
    /// Eight pixel effects whose values stay unrounded from one to the next.
    ChainFused,
    /// The same eight, each from bytes to bytes.
    ChainPasses,
    /// 4:2:2 as Y0 Cb Y1 Cr, to RGBA.
    Yuyv,
    /// 4:2:0 in two planes, to RGBA.
    Nv12,
    /// What a row of pass-through nodes costs, for each node.
    Graph,
    /// From a shader text never seen before to a finished frame.
    Shader,
}

impl Work {
    /// Whether there are pixels to judge.
    pub(crate) const fn has_pixels(self) -> bool {
        !matches!(self, Self::Graph)
    }
}

/// One run of one contender.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Request {
    pub(crate) case: String,
    pub(crate) work: Work,
    pub(crate) width: u32,
    pub(crate) height: u32,
    /// Raw pictures, taken in turn: frame `i` reads input `i % inputs`.
    pub(crate) inputs: Vec<PathBuf>,
    /// Where the last frame's pixels go: RGBA, four bytes each.
    pub(crate) output: PathBuf,
    /// Frames to time, at most.
    pub(crate) frames: usize,
    /// Frames before them that do not count.
    pub(crate) warmup: usize,
    /// Time after which no further frame is begun.
    pub(crate) seconds: f64,
    /// Time between frames when they are paced.
    pub(crate) period_ns: Option<u64>,
    /// The nine weights of the blur.
    pub(crate) weights: Vec<f64>,
    /// The tint after the blur.
    pub(crate) tint: [f64; 3],
    /// For `shader`: the tints of the texts, one after the other.
    pub(crate) tints: Vec<[f64; 3]>,
    /// For `graph`: nodes between the two ends.
    pub(crate) nodes: u32,
    /// Folder for what is remembered between processes.
    pub(crate) cache: PathBuf,
    /// Folder of the effects.
    pub(crate) effects: PathBuf,
    /// Name of the Vulkan device.
    pub(crate) device: String,
}

/// Samples of one run.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Answer {
    /// Why this contender does not do this work; then nothing else is set.
    #[serde(default)]
    pub(crate) unsupported: Option<String>,
    /// Set to `chain-passes` by who was asked for `chain-fused` and has nothing but passes: pixels are judged as such.
    #[serde(default)]
    pub(crate) judged_as: Option<Work>,
    /// Of each frame: from asking for it until its pixels are there. Of paced frames: from their tick.
    #[serde(default)]
    pub(crate) wall_ns: Vec<u64>,
    /// Of each frame: time on the GPU; empty where nothing tells it.
    #[serde(default)]
    pub(crate) gpu_ns: Vec<u64>,
    /// Of each paced frame: how long after its tick it was begun.
    #[serde(default)]
    pub(crate) late_ns: Vec<u64>,
    /// CPU time of the whole process over all paced frames.
    #[serde(default)]
    pub(crate) cpu_ns: Option<u64>,
    /// Which way the work was done.
    #[serde(default)]
    pub(crate) note: String,
    #[serde(default)]
    pub(crate) versions: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) device: String,
}
