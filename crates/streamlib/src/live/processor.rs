//! Processors: code of the program that takes frames and data in beside the plan, and gives data out.

use std::collections::BTreeMap;
use std::error::Error;
use std::sync::Arc;
use std::thread::JoinHandle;

use streamlib_core::account::{DropReason, NodeCounters};
use streamlib_core::frame::Timestamp;
use streamlib_core::graph::{self, Port, Ports};
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

pub(super) type Make = dyn Fn(&graph::Processor) -> Result<Box<dyn Processor>, ProcessorError> + Send + Sync;

/// A kind of processor: its ports, and how one is made.
#[derive(Clone)]
pub struct ProcessorKind {
    pub(super) ports: Ports,
    pub(super) view: View,
    pub(super) code: Code,
}

/// Where a processor's code runs.
#[derive(Clone)]
pub(super) enum Code {
    /// On a thread of the graph's.
    Made(Arc<Make>),
    /// In the program, which holds the ends.
    Held,
}

impl ProcessorKind {
    /// Processors with these ports that `make` makes; it is given the node, with the values of its `set`.
    pub fn new<P: Processor + 'static>(
        ports: Ports,
        view: View,
        make: impl Fn(&graph::Processor) -> Result<P, ProcessorError> + Send + Sync + 'static,
    ) -> Self {
        let make = move |node: &graph::Processor| make(node).map(|made| Box::new(made) as Box<dyn Processor>);
        Self { ports, view, code: Code::Made(Arc::new(make)) }
    }

    /// Processors with these ports whose ends the program holds ([`LiveGraph::end`](super::LiveGraph::end)): no thread runs
    /// for them.
    #[must_use]
    pub fn held(ports: Ports, view: View) -> Self {
        Self { ports, view, code: Code::Held }
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

    /// Whether the graph has ended.
    fn is_over(&self) -> bool;
}

/// Where a processor's frames and messages come in and go out.
pub(super) struct Ends {
    pub(super) node: String,
    pub(super) ports: Ports,
    pub(super) video: Vec<(String, Receiver<LiveFrame>)>,
    pub(super) data: Vec<(String, Receiver<DataMessage>)>,
    pub(super) listener: Listener,
    pub(super) counters: Arc<NodeCounters>,
    pub(super) route: Arc<dyn Route>,
}

impl Ends {
    /// Takes no frames any more; those that wait are lost, for that reason.
    pub(super) fn refuse(&mut self, reason: DropReason) {
        for (_, frames) in &mut self.video {
            frames.close();
            while frames.take().is_some() {
                self.counters.dropped(reason);
            }
        }
    }
}

impl std::fmt::Debug for Ends {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ends").field("node", &self.node).field("ports", &self.ports).finish_non_exhaustive()
    }
}

/// The outputs of a processor.
pub struct Outputs<'a> {
    pub(super) node: &'a str,
    pub(super) ports: &'a Ports,
    pub(super) captured: Timestamp,
    pub(super) route: &'a dyn Route,
}

impl Outputs<'_> {
    /// Sends a value to whatever is linked to `port`: parameters and buffers of effects, data inputs of processors.
    ///
    /// # Errors
    /// When the processor was registered without such an output.
    pub fn send(&mut self, port: &str, value: Value) -> Result<(), UnknownPort> {
        if !self.ports.outputs.iter().any(|known| known.name == port) {
            return Err(UnknownPort::new("output", port, &self.ports.outputs));
        }
        self.route.send(self.node, port, &DataMessage { value, captured: self.captured });
        Ok(())
    }
}

/// A port that the processor was not registered with.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the processor has no {side} `{port}`; it was registered with: {known}")]
pub struct UnknownPort {
    side: &'static str,
    port: String,
    known: String,
}

impl UnknownPort {
    fn new(side: &'static str, port: &str, known: &[Port]) -> Self {
        let names: Vec<_> = known.iter().map(|port| port.name.as_str()).collect();
        let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
        Self { side, port: port.to_owned(), known }
    }

    pub(super) fn input(port: &str, known: &[Port]) -> Self {
        Self::new("input", port, known)
    }
}

/// A processor at work.
#[derive(Debug)]
pub(super) struct ProcessorThread {
    thread: Option<JoinHandle<()>>,
}

/// What a processor's thread works with.
pub(super) struct ProcessorJob {
    pub(super) ends: Ends,
    pub(super) code: Box<dyn Processor>,
    pub(super) events: Arc<Events>,
}

impl ProcessorThread {
    pub(super) fn start(job: ProcessorJob) -> Result<Self, RunError> {
        let name = format!("processor {}", job.ends.node);
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
        prepare_thread(&self.ends.node, Role::Other, None);
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.serve()));
        let why = match outcome {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(_panic) => "it panicked".to_owned(),
        };
        self.ends.refuse(DropReason::ConsumerFailed);
        self.events.tell(LiveEvent::ProcessorFailed { node: self.ends.node, why });
    }

    /// Until no input gives anything any more.
    fn serve(&mut self) -> Result<(), ProcessorError> {
        let Ends { node, ports, video, data, listener, counters, route } = &mut self.ends;
        loop {
            let mut did_something = false;
            for (port, messages) in &mut *data {
                if let Some(message) = messages.take() {
                    let captured = message.captured;
                    let mut out = Outputs { node, ports, captured, route: &**route };
                    self.code.process(ProcessorInput::Data(port, &message), &mut out)?;
                    did_something = true;
                }
            }
            for (port, frames) in &mut *video {
                if let Some(frame) = frames.take() {
                    let captured = frame.meta.captured;
                    let mut out = Outputs { node, ports, captured, route: &**route };
                    // Counted before: what panics has taken its frame as well.
                    counters.went_out();
                    self.code.process(ProcessorInput::Frame(port, &frame), &mut out)?;
                    did_something = true;
                }
            }
            if did_something {
                continue;
            }
            let no_frames = video.iter().all(|(_, frames)| frames.is_closed());
            if no_frames && data.iter().all(|(_, messages)| messages.is_closed()) {
                return Ok(());
            }
            listener.wait(None);
        }
    }
}
