//! How a graph runs live.

use std::path::PathBuf;
use std::time::Duration;

use streamlib_media::Quality;

use super::processor::Processors;

/// What makes frames run.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub enum Pacing {
    /// The clock source ([`Graph::clock`](streamlib_core::graph::Graph::clock)): each of its frames, or, where it is generated, its
    /// rate.
    #[default]
    Clock,
    /// So many frames a second, whatever the sources do. The graph ends with its clock source.
    Rate(f64),
    /// As fast as the device goes, until the clock source ends. Files are read as fast as they are taken, and written without a
    /// loss; each picture of one that is the clock source runs once.
    Free,
}

/// How to run a graph live.
#[derive(Clone, Debug)]
pub struct LiveOptions {
    /// Folder that the graph's paths are relative to.
    pub base: PathBuf,
    /// What makes frames run.
    pub pacing: Pacing,
    /// Whether effects that read only their own pixel run as one kernel with their readers.
    pub fuse: bool,
    /// Quality of lossy outputs.
    pub quality: Quality,
    /// A frame misses its deadline when it is delivered so long after its capture; one frame's time when not stated.
    pub deadline: Option<Duration>,
    /// A source has stalled when it gives no frame for so long.
    pub patience: Duration,
    /// A frame that takes the GPU longer than this ends the graph. When not stated, ten seconds, or a minute where the device is a
    /// processor: its drivers compile a kernel when it first runs, and others may keep it busy.
    pub frame_limit: Option<Duration>,
    /// The graph ends after so many frames. All of them are delivered, and files have the last one.
    pub frames: Option<u64>,
    /// CPU that the frame thread is bound to.
    pub frame_cpu: Option<usize>,
    /// How long before and after a frame is expected its delivery, or its arrival from a surface, is awaited without sleeping; and for
    /// as long, 50 ms at most, that a frame of a surface is done. It costs a processor about that share of the time, and saves the
    /// time that the system takes to wake a thread up. These threads are kept off the CPUs that serve the GPU's interrupts, where the
    /// system tells which they are. Zero for not at all.
    pub awake: Duration,
    /// Whether the CPU time of submissions is counted, which costs two system calls a frame.
    pub counts_cpu: bool,
    /// Where to write a trace that Perfetto (ui.perfetto.dev) opens; relative to the current folder, not to `base`.
    pub trace: Option<PathBuf>,
    /// What the graph's processors are.
    pub processors: Processors,
}

impl Default for LiveOptions {
    fn default() -> Self {
        Self {
            base: PathBuf::new(),
            pacing: Pacing::default(),
            fuse: true,
            quality: Quality::default(),
            deadline: None,
            patience: Duration::from_secs(1),
            frame_limit: None,
            frames: None,
            frame_cpu: None,
            awake: Duration::ZERO,
            counts_cpu: false,
            trace: None,
            processors: Processors::new(),
        }
    }
}
