//! What a run says about itself afterwards.

use serde::Serialize;
use streamlib_core::format::Size;

/// Account of a run.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// The GPU's name.
    pub device: String,
    /// Pictures read from all sources.
    pub frames_in: u64,
    /// Frames written to the sinks; each frame counts once for each sink.
    pub frames_out: u64,
    /// Frames of the clock source that did not come out. Always 0 offline.
    pub frames_dropped: u64,
    /// Wall-clock seconds from the first picture read to the last file closed.
    pub seconds: f64,
    /// Frames of the clock source per second of wall clock.
    pub frames_per_second: f64,
    /// Whether the run was stopped before its sources ended.
    pub interrupted: bool,
    /// Every source.
    pub sources: Vec<SourceReport>,
    /// Every sink.
    pub sinks: Vec<SinkReport>,
    /// Where the time went, by stage. Stages overlap, so they add up to more than the wall clock.
    pub stages: Vec<StageReport>,
    /// What the user should know.
    pub notices: Vec<String>,
}

/// A source after a run.
#[derive(Clone, Debug, Serialize)]
pub struct SourceReport {
    /// Node.
    pub node: String,
    /// What it was opened from.
    pub uri: String,
    /// Such as `MP4, H.264`.
    pub kind: String,
    /// Pixels.
    pub size: Size,
    /// Pictures read.
    pub frames: u64,
    /// Pictures that were passed over because a newer one was due at the same tick.
    pub passed_over: u64,
}

/// A sink after a run.
#[derive(Clone, Debug, Serialize)]
pub struct SinkReport {
    /// Node.
    pub node: String,
    /// The file, or the first and last of several.
    pub paths: Vec<String>,
    /// Pixels.
    pub size: Size,
    /// Frames written.
    pub frames: u64,
    /// Bytes written.
    pub bytes: u64,
    /// Seconds from the first frame to the end of the last.
    pub duration_s: f64,
}

/// Times of one stage, in microseconds.
#[derive(Clone, Debug, Serialize)]
pub struct StageReport {
    /// What was timed: `decode NODE`, `upload NODE`, `gpu PASS`, `wait for gpu`, `read back`, `encode NODE`.
    pub stage: String,
    /// How many times.
    pub count: usize,
    /// Mean.
    pub mean_us: f64,
    /// Median.
    pub p50_us: f64,
    /// 99th percentile.
    pub p99_us: f64,
    /// Greatest.
    pub max_us: f64,
}
