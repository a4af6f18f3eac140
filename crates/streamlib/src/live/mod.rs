//! Graphs that run live: sources push, several consumers take, and everything may change meanwhile.

mod app;
#[cfg(target_os = "linux")]
mod awake;
mod build;
#[cfg(target_os = "linux")]
mod camera;
mod clock;
mod control;
#[cfg(target_os = "linux")]
mod direct;
mod display;
mod driver;
mod end;
mod event;
mod hire;
mod install;
mod knob;
mod options;
mod processor;
#[cfg(target_os = "linux")]
mod publish;
mod pulse;
mod rate;
mod route;
mod run;
#[cfg(target_os = "linux")]
mod scanout;
mod showing;
mod sink;
mod source;
mod stage;
#[cfg(target_os = "linux")]
mod subscribe;
mod system;
mod trace;
mod values;
#[cfg(not(target_os = "linux"))]
mod windowless;

use std::sync::Arc;
use std::time::Duration;

use serde::Serialize;
use streamlib_core::account::Stats;
use streamlib_core::frame::Timestamp;
use streamlib_core::graph::{Edit, Graph, GraphError};
use streamlib_core::live::Clock as _;
use streamlib_core::value::Value;
use streamlib_vulkan::VulkanGpu;

pub use app::{Loan, PushError, VideoInlet, VideoOutlet};
pub use end::{ProcessorEnd, ProcessorOutputs, Taken};
pub use event::LiveEvent;
pub use knob::Knob;
pub use options::{LiveOptions, Pacing};
pub use processor::{
    DataMessage, Outputs, Processor, ProcessorError, ProcessorInput, ProcessorKind, Processors, UnknownPort,
    View,
};
pub use stage::Setting;
pub(crate) use system::SurfaceSource;

use crate::error::RunError;
use crate::report::SinkReport;
use crate::runtime::StreamRuntime;
use clock::Monotonic;
use control::Control;
use knob::Target;
use run::Threads;

/// Now, on the clock of live frames (`CLOCK_MONOTONIC`).
#[must_use]
pub fn now() -> Timestamp {
    Monotonic.now()
}

/// A frame of a live graph.
pub type LiveFrame = streamlib_core::live::Frame<VulkanGpu>;

/// A graph that runs. It runs until its clock source ends or it is stopped; dropping it stops it.
///
/// ```no_run
/// use std::sync::Arc;
/// use std::time::Duration;
/// use streamlib::graph::{Effect, EffectText, Graph, Port, Ports, Processor, Source};
/// use streamlib::value::Value;
/// use streamlib::{Content, LiveOptions, ProcessorInput, ProcessorKind, RuntimeOptions, StreamRuntime, View};
///
/// // Code of the program, beside the frames: how bright the picture is.
/// let ports = Ports { inputs: vec![Port::video("input")], outputs: vec![Port::data("brightness")] };
/// let meter = ProcessorKind::new(ports, View::Picture, |_| {
///     Ok(|input: ProcessorInput<'_>, out: &mut streamlib::Outputs<'_>| {
///         if let ProcessorInput::Frame(_, frame) = input
///             && let Content::Picture(picture) = &frame.content
///         {
///             let mean = picture.plane(0, |rgba| {
///                 rgba.iter().map(|&byte| f64::from(byte)).sum::<f64>() / (rgba.len() as f64 * 255.0)
///             })?;
///             out.send("brightness", Value::Float(mean))?;
///         }
///         Ok(())
///     })
/// });
///
/// let mut graph = Graph::new();
/// let hlsl = "float gain = 1; float4 main(float2 uv : TEXCOORD) : SV_Target { return tex2D(input, uv) * gain; }";
/// graph
///     .add_source("camera", Source { uri: "camera:".into(), ..Source::default() })?
///     .add_processor("meter", Processor::new("meter"))?
///     .add_effect("shade", Effect::new(EffectText::Inline(hlsl.into())))?
///     .add_sink("out", "out.mp4")?
///     .connect("camera", "meter")?
///     .connect("camera", "shade")?
///     .connect("meter.brightness", "shade.gain")?
///     .connect("shade", "out")?;
///
/// let runtime = Arc::new(StreamRuntime::new(&RuntimeOptions::default())?);
/// let options = LiveOptions { processors: [("meter".into(), meter)].into(), ..LiveOptions::default() };
/// let live = runtime.start(&graph, options)?;
/// live.wait(Duration::from_secs(10));
/// println!("{:.1} ms in the median", live.stats().latency.p50_us / 1e3);
/// let report = live.stop()?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// Everything here may be called from any thread. Nothing here is on the frame path.
#[derive(Debug)]
pub struct LiveGraph {
    control: Arc<Control>,
    threads: Threads,
}

/// What an edit came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Applied {
    /// Number of the plan that runs now. Parameters alone need no new plan.
    pub generation: u64,
    /// Number of the first frame that it ran; `None` when the plan did not change.
    pub first_frame: Option<u64>,
    /// What building the plan took.
    pub build: BuildTimes,
}

/// Where the time of building a plan went.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct BuildTimes {
    /// From text to SPIR-V.
    pub compile: Duration,
    /// From SPIR-V to the device's own code, in its driver.
    pub kernels: Duration,
    /// Everything, until the plan could take over.
    pub total: Duration,
}

/// Account of a live graph that has ended.
#[derive(Clone, Debug, Serialize)]
pub struct LiveReport {
    /// The GPU's name.
    pub device: String,
    /// Seconds from the start to the last file closed.
    pub seconds: f64,
    /// Every frame's account.
    pub stats: Stats,
    /// Files that were written.
    pub sinks: Vec<SinkReport>,
    /// What happened and was not asked for ([`LiveGraph::events`]), and what the user should know.
    pub notices: Vec<String>,
    /// Parts of the graph that failed while it ran, and why.
    pub failures: Vec<String>,
    /// Bytes of pictures that went through host memory on their way to the device or from it, in the whole process while the
    /// graph ran. 0 where frames stay in the device's memory, from a camera's buffer to a screen or another process.
    pub host_bytes: u64,
    /// CPU time that submitting a frame cost the thread that did it, microseconds, on the mean; only where
    /// [`LiveOptions::counts_cpu`] asked for it.
    pub submit_cpu_us_per_frame: Option<f64>,
}

impl StreamRuntime {
    /// Starts a graph live. It runs when this returns.
    ///
    /// # Errors
    /// When anything in the graph cannot be opened, compiled or created. Nothing runs then, and no file is left behind.
    pub fn start(self: &Arc<Self>, graph: &Graph, options: LiveOptions) -> Result<LiveGraph, RunError> {
        let (control, threads) = run::start(self, graph, options)?;
        Ok(LiveGraph { control, threads })
    }
}

impl LiveGraph {
    /// The graph as it is now, with the parameters as they are now.
    #[must_use]
    pub fn graph(&self) -> Graph {
        self.control.graph()
    }

    /// Sets a parameter, or the contents of a buffer, of an effect, from the next frame on.
    ///
    /// # Errors
    /// When there is no such effect or parameter, or the value does not fit. Nothing changes then.
    pub fn set(&self, node: &str, parameter: &str, value: Value) -> Result<(), GraphError> {
        self.control.set(&[(node.to_owned(), parameter.to_owned(), value)])
    }

    /// Sets several parameters, all in the same frame.
    ///
    /// # Errors
    /// As [`set`](Self::set).
    pub fn set_all(&self, settings: &[Setting]) -> Result<(), GraphError> {
        self.control.set(settings)
    }

    /// A parameter to be set often, of one or several effects; all are nodes with a parameter of theirs.
    ///
    /// # Errors
    /// When there is no such effect or parameter.
    pub fn knob(&self, targets: &[(&str, &str)]) -> Result<Knob, GraphError> {
        for (node, parameter) in targets {
            self.control.knobs.check(node, parameter)?;
        }
        let targets = targets.iter().map(|(node, parameter)| Target {
            node: (*node).to_owned(),
            parameter: (*parameter).to_owned(),
            place: None,
        });
        Ok(Knob { control: Arc::downgrade(&self.control), targets: targets.collect() })
    }

    /// Changes the graph: all of the edits or none. The new plan is built while the old one runs, and takes over between two
    /// frames: sources, consumers, parameters and what stands in textures go on. Returns when the new plan runs.
    ///
    /// # Errors
    /// When the changed graph cannot run, with the diagnostics of the compiler where an effect is wrong. The old plan runs on
    /// then, and no frame is lost.
    pub fn apply(&self, edits: &[Edit]) -> Result<Applied, RunError> {
        self.control.apply(edits)
    }

    /// Changes the graph into another one, by the edits between them, and reads effects from files anew.
    ///
    /// # Errors
    /// As [`apply`](Self::apply).
    pub fn change_to(&self, graph: &Graph) -> Result<Applied, RunError> {
        self.control.change_to(graph)
    }

    /// The program's end of a source whose `source` is `app:`. It is there to be taken once.
    #[must_use]
    pub fn inlet(&self, source: &str) -> Option<VideoInlet> {
        self.control.take_inlet(source)
    }

    /// The program's end of a sink whose `sink` is `app:`. It is there to be taken once.
    #[must_use]
    pub fn outlet(&self, sink: &str) -> Option<VideoOutlet> {
        self.control.take_outlet(sink)
    }

    /// The program's ends of a processor of a kind that is [`held`](ProcessorKind::held). They are there to be taken once.
    #[must_use]
    pub fn end(&self, processor: &str) -> Option<ProcessorEnd> {
        self.control.take_end(processor)
    }

    /// The account of all frames so far.
    #[must_use]
    pub fn stats(&self) -> Stats {
        self.threads.stats()
    }

    /// How many frames have been delivered so far, as [`Stats::frames`]. It costs next to nothing, unlike the whole account.
    #[must_use]
    pub fn frames(&self) -> u64 {
        self.threads.frames()
    }

    /// What has happened since this was last asked.
    #[must_use]
    pub fn events(&self) -> Vec<LiveEvent> {
        self.control.events.take()
    }

    /// Waits until the graph has ended by itself; `false` when it still runs after `limit`.
    pub fn wait(&self, limit: Duration) -> bool {
        self.threads.wait(limit)
    }

    /// Stops the graph: frames under way are delivered, and files are closed.
    ///
    /// # Errors
    /// When the GPU failed. What files there are have been closed then, too.
    pub fn stop(mut self) -> Result<LiveReport, RunError> {
        self.threads.stop(&self.control)
    }
}

impl Drop for LiveGraph {
    fn drop(&mut self) {
        // After `stop` there is nothing left to do.
        let _told = self.threads.stop(&self.control);
    }
}
