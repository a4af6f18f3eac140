//! What runs, as the side that changes it knows it.

use std::collections::BTreeMap;
use std::sync::Arc;

use streamlib_core::account::FrameCounters;
use streamlib_core::engine::{Parameters, Shelf};
use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::graph::{self, Delivery, Graph};
use streamlib_core::interface::Interface;
use streamlib_core::picture::PictureFormat;
use streamlib_core::plan::Plan;
use streamlib_core::value::Value;
use streamlib_vulkan::VulkanGpu;

use super::app::{VideoInlet, VideoOutlet};
use super::end::HeldProcessor;
use super::processor::{ProcessorThread, View};
use super::pulse::Pulse;
use super::showing::ScreenFacts;
use super::sink::SinkThread;
use super::source::SourceThread;
use super::system::SurfaceThread;
use crate::overlay::Overlay;
use crate::programs::Ready;

/// Everything around a plan that runs.
#[derive(Debug, Default)]
pub(super) struct Stage {
    pub(super) generation: u64,
    /// Textures of the plan.
    pub(super) shelf: Option<Shelf<VulkanGpu>>,
    pub(super) counters: FrameCounters,
    pub(super) sources: BTreeMap<String, RunningSource>,
    /// By node and input port.
    pub(super) consumers: BTreeMap<(String, String), RunningConsumer>,
    pub(super) processors: BTreeMap<String, RunningProcessor>,
    /// Effects that draw numbers.
    pub(super) overlays: Vec<Overlay>,
}

/// What the plan computes, and with which values.
#[derive(Debug, Default)]
pub(super) struct Values {
    /// As the user has it.
    pub(super) graph: Graph,
    pub(super) plan: Arc<Plan>,
    pub(super) generation: u64,
    pub(super) parameters: Parameters,
    /// An earlier set of them that nobody has seen, for its memory.
    pub(super) spare: Option<Box<Parameters>>,
    /// Reflection of each effect, so that errors speak of its own names.
    pub(super) interfaces: BTreeMap<String, Arc<Interface>>,
    /// What was set while another plan is being built.
    pub(super) journal: Option<Vec<Setting>>,
}

/// A parameter of a node and its value.
pub type Setting = (String, String, Value);

/// What stays the same about a source for as long as it runs.
#[derive(Clone, Debug)]
pub(super) struct SourceFacts {
    pub(super) kind: SourceKind,
    pub(super) size: Size,
    pub(super) is_still: bool,
    /// Whether its frames come from outside when they come.
    pub(super) is_live: bool,
    /// Nominal frame rate.
    pub(super) frame_rate: Option<(u32, u32)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SourceKind {
    Pictures(PictureFormat),
    Textures(TextureFormat),
    Generated,
}

impl SourceFacts {
    pub(super) fn of(ready: &Ready) -> Self {
        let (kind, is_live) = match ready {
            Ready::Pictures(source) => (SourceKind::Pictures(source.format), source.is_live()),
            Ready::App { .. } => (SourceKind::Textures(TextureFormat::Rgba8), true),
            Ready::Surface(surface) => (SourceKind::Textures(surface.format), true),
            Ready::Generated { .. } => (SourceKind::Generated, false),
        };
        let (size, is_still, frame_rate) = (ready.size(), ready.is_still(), ready.frame_rate());
        Self { kind, size, is_still, is_live, frame_rate }
    }

    /// Nominal time between frames, nanoseconds.
    pub(super) fn interval_ns(&self) -> Option<i64> {
        self.frame_rate
            .map(|(frames, seconds)| (f64::from(seconds) * 1e9 / f64::from(frames.max(1))).round() as i64)
    }
}

/// A source that runs.
#[derive(Debug)]
pub(super) struct RunningSource {
    pub(super) spec: graph::Source,
    pub(super) delivery: Delivery,
    pub(super) facts: SourceFacts,
    pub(super) tag: u64,
    /// Place in the plan; none when no pass needs it.
    pub(super) place: Option<usize>,
    pub(super) pulse: Arc<Pulse>,
    pub(super) thread: Option<Pushing>,
    /// Until the program takes it.
    pub(super) inlet: Option<VideoInlet>,
}

/// The thread that pushes a source's frames.
#[derive(Debug)]
pub(super) enum Pushing {
    Pictures(SourceThread),
    Surface(SurfaceThread),
}

impl Pushing {
    /// Stops the source and waits for its thread.
    pub(super) fn stop(&mut self) {
        match self {
            Self::Pictures(thread) => thread.stop(),
            Self::Surface(thread) => thread.stop(),
        }
    }
}

impl RunningSource {
    /// Whether it is read, and has more than one frame to give.
    pub(super) fn can_stall(&self) -> bool {
        self.place.is_some() && !self.facts.is_still && self.facts.kind != SourceKind::Generated
    }
}

/// Who takes the frames of an outlet.
#[derive(Debug)]
pub(super) struct RunningConsumer {
    pub(super) spec: ConsumerSpec,
    pub(super) tag: u64,
    /// What its screen takes, where it is one.
    pub(super) facts: Option<ScreenFacts>,
    pub(super) sink: Option<SinkThread>,
    /// Until the program takes it.
    pub(super) outlet: Option<VideoOutlet>,
}

/// What has to stay the same for a consumer to go on in another plan.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct ConsumerSpec {
    pub(super) kind: ConsumerKind,
    pub(super) delivery: Delivery,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum ConsumerKind {
    /// A file of that format.
    File(String, PictureFormat),
    /// The program.
    App,
    /// Nobody: frames are counted.
    Null,
    /// The window of that name.
    Display(String),
    /// The screen of that name.
    Scanout(String),
    /// Other processes, by the surface of that name.
    Surface(String),
    /// A processor of that node.
    Processor(graph::Processor, View),
}

/// A processor that runs.
#[derive(Debug)]
pub(super) struct RunningProcessor {
    pub(super) spec: graph::Processor,
    pub(super) work: ProcessorWork,
}

/// Who does a processor's work.
#[derive(Debug)]
pub(super) enum ProcessorWork {
    /// A thread.
    Thread(ProcessorThread),
    /// The program.
    Held(HeldProcessor),
}

impl ProcessorWork {
    /// Waits for its end, where it has one. The graph has let go of the processor by now, or does so soon.
    pub(super) fn end(&mut self) {
        match self {
            Self::Thread(thread) => thread.join(),
            Self::Held(held) => held.close(),
        }
    }
}
