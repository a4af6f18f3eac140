//! Processors: code of the program that takes frames and data in beside the plan, and gives data out.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::thread::JoinHandle;

use streamlib_core::account::{DropReason, NodeCounters};
use streamlib_core::frame::Timestamp;
use streamlib_core::graph::{self, Ports};
use streamlib_core::mailbox::{Listener, Receiver};
use streamlib_core::value::Value;

use super::LiveFrame;
use super::clock::{Role, prepare_thread};
use super::event::{Events, LiveEvent};
use crate::error::RunError;

/// What went wrong in a processor; it ends the processor, and nothing else.
pub type ProcessorError = Box<dyn Error + Send + Sync>;

/// A message of a processor.
#[derive(Clone, Debug, PartialEq)]
pub struct DataMessage {
    /// What it says.
    pub value: Value,
    /// Capture time of the frame that it is about.
    pub captured: Timestamp,
}

/// What a processor is given.
#[derive(Clone, Copy, Debug)]
pub enum ProcessorInput<'a> {
    /// A frame, at that video input.
    Frame(&'a str, &'a LiveFrame),
    /// A message, at that data input.
    Data(&'a str, &'a DataMessage),
}

/// Code that runs beside the plan, on a thread of its own. It may take as long as it likes: frames never wait for it, unless
/// the link says that none may be lost.
pub trait Processor: Send {
    /// Takes one frame or message in. What is sent to `out` acts on the next frame that is submitted.
    ///
    /// # Errors
    /// Any; the processor ends, the graph says so and goes on.
    fn process(&mut self, input: ProcessorInput<'_>, out: &mut Outputs<'_>) -> Result<(), ProcessorError>;
}

impl<F> Processor for F
where
    F: FnMut(ProcessorInput<'_>, &mut Outputs<'_>) -> Result<(), ProcessorError> + Send,
{
    fn process(&mut self, input: ProcessorInput<'_>, out: &mut Outputs<'_>) -> Result<(), ProcessorError> {
        self(input, out)
    }
}

/// How a processor wants its frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum View {
    /// As textures in GPU memory.
    #[default]
    Texture,
    /// As pictures in mapped host memory, 8-bit RGBA.
    Picture,
}

type Make = dyn Fn(&graph::Processor) -> Result<Box<dyn Processor>, ProcessorError> + Send + Sync;

/// A kind of processor: its ports, and how one is made.
#[derive(Clone)]
pub struct ProcessorKind {
    pub(super) ports: Ports,
    pub(super) view: View,
    pub(super) make: Arc<Make>,
}

impl ProcessorKind {
    /// Processors with these ports that `make` makes; it is given the node, with the values of its `set`.
    pub fn new<P: Processor + 'static>(
        ports: Ports,
        view: View,
        make: impl Fn(&graph::Processor) -> Result<P, ProcessorError> + Send + Sync + 'static,
    ) -> Self {
        let make = move |node: &graph::Processor| make(node).map(|made| Box::new(made) as Box<dyn Processor>);
        Self { ports, view, make: Arc::new(make) }
    }
}

impl std::fmt::Debug for ProcessorKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProcessorKind").field("ports", &self.ports).field("view", &self.view).finish()
    }
}

/// Kinds of processors by the name that graphs call them by.
pub type Processors = BTreeMap<String, ProcessorKind>;

/// Where a processor's messages go.
pub(super) trait Route: Send + Sync {
    /// Sends a message of `node` to all that are linked to its output `port`.
    fn send(&self, node: &str, port: &str, message: &DataMessage);
}

/// The outputs of a processor.
pub struct Outputs<'a> {
    node: &'a str,
    ports: &'a Ports,
    captured: Timestamp,
    route: &'a dyn Route,
}

impl Outputs<'_> {
    /// Sends a value to whatever is linked to `port`: parameters and buffers of effects, data inputs of processors.
    ///
    /// # Errors
    /// When the processor was registered without such an output.
    pub fn send(&mut self, port: &str, value: Value) -> Result<(), UnknownPort> {
        if !self.ports.outputs.iter().any(|known| known.name == port) {
            let known: Vec<_> = self.ports.outputs.iter().map(|port| port.name.clone()).collect();
            return Err(UnknownPort { port: port.to_owned(), known: known.join(", ") });
        }
        self.route.send(self.node, port, &DataMessage { value, captured: self.captured });
        Ok(())
    }
}

/// An output that the processor was not registered with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the processor has no output `{port}`; it was registered with: {known}")]
pub struct UnknownPort {
    port: String,
    known: String,
}

/// A processor at work.
#[derive(Debug)]
pub(super) struct ProcessorThread {
    thread: Option<JoinHandle<()>>,
}

/// What a processor's thread works with.
pub(super) struct ProcessorJob {
    pub(super) node: String,
    pub(super) code: Box<dyn Processor>,
    pub(super) ports: Ports,
    pub(super) video: Vec<(String, Receiver<LiveFrame>)>,
    pub(super) data: Vec<(String, Receiver<DataMessage>)>,
    pub(super) listener: Listener,
    pub(super) counters: Arc<NodeCounters>,
    pub(super) route: Arc<dyn Route>,
    pub(super) events: Arc<Events>,
}

impl ProcessorThread {
    pub(super) fn start(job: ProcessorJob) -> Result<Self, RunError> {
        let name = format!("processor {}", job.node);
        let thread = std::thread::Builder::new().name(name).spawn(move || job.run());
        Ok(Self { thread: Some(thread.map_err(RunError::Thread)?) })
    }

    /// Waits for the end of the processor; the graph has let go of it by now, or does so soon.
    pub(super) fn join(&mut self) {
        if let Some(thread) = self.thread.take() {
            let _told = thread.join();
        }
    }
}

impl ProcessorJob {
    fn run(mut self) {
        prepare_thread(&self.node, Role::Other, None);
        let node = self.node.clone();
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.serve()));
        let why = match outcome {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_panic) => "it panicked".to_owned(),
        };
        for (_, mut frames) in self.video {
            frames.close();
            while frames.take().is_some() {
                self.counters.dropped(DropReason::ConsumerFailed);
            }
        }
        self.events.tell(LiveEvent::ProcessorFailed { node, why });
    }

    /// Until no input gives anything any more.
    fn serve(&mut self) -> Result<(), ProcessorError> {
        loop {
            let mut did_something = false;
            for (port, messages) in &mut self.data {
                if let Some(message) = messages.take() {
                    let captured = message.captured;
                    let mut out =
                        Outputs { node: &self.node, ports: &self.ports, captured, route: &*self.route };
                    self.code.process(ProcessorInput::Data(port, &message), &mut out)?;
                    did_something = true;
                }
            }
            for (port, frames) in &mut self.video {
                if let Some(frame) = frames.take() {
                    let captured = frame.meta.captured;
                    let mut out =
                        Outputs { node: &self.node, ports: &self.ports, captured, route: &*self.route };
                    // Counted before: what panics has taken its frame as well.
                    self.counters.went_out();
                    self.code.process(ProcessorInput::Frame(port, &frame), &mut out)?;
                    did_something = true;
                }
            }
            if did_something {
                continue;
            }
            let no_frames = self.video.iter().all(|(_, frames)| frames.is_closed());
            if no_frames && self.data.iter().all(|(_, messages)| messages.is_closed()) {
                return Ok(());
            }
            self.listener.wait(None);
        }
    }
}
