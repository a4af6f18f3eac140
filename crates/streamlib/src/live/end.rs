//! Processors whose ends the program holds itself, instead of code that a thread of the graph's runs.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use streamlib_core::account::DropReason;
use streamlib_core::frame::Timestamp;
use streamlib_core::graph::Ports;
use streamlib_core::mailbox::Bell;
use streamlib_core::value::Value;

use super::LiveFrame;
use super::processor::{DataMessage, Ends, Outputs, Route, UnknownPort};

/// Nobody rings when a graph has ended that gives an end data only: so soon it is noticed.
const LOOK: Duration = Duration::from_millis(100);

/// The ends of a processor of a kind that was registered as [`held`](super::ProcessorKind::held), in the program's hands:
/// what the links bring waits here, under their policies, and what is sent goes where the links lead. No thread runs for it.
#[derive(Debug)]
pub struct ProcessorEnd {
    pub(super) ends: Ends,
    /// The graph has stopped, or goes on without the processor.
    pub(super) is_over: Arc<AtomicBool>,
}

/// What was taken from an input.
#[derive(Debug)]
pub enum Taken {
    /// A frame, of a video input.
    Frame(LiveFrame),
    /// A message, of a data input.
    Data(DataMessage),
}

impl ProcessorEnd {
    /// The next frame or message of an input in order; under `latest`, the newest. `None` when there is none now. Nothing is
    /// given twice.
    ///
    /// # Errors
    /// When the processor was registered without such an input.
    pub fn take(&mut self, port: &str) -> Result<Option<Taken>, UnknownPort> {
        let Ends { video, data, counters, .. } = &mut self.ends;
        if let Some((_, frames)) = video.iter_mut().find(|(name, _)| name == port) {
            let frame = frames.take();
            if frame.is_some() {
                counters.went_out();
            }
            return Ok(frame.map(Taken::Frame));
        }
        if let Some((_, messages)) = data.iter_mut().find(|(name, _)| name == port) {
            return Ok(messages.take().map(Taken::Data));
        }
        // A video input without a link gives nothing.
        let inputs = &self.ends.ports.inputs;
        if inputs.iter().any(|known| known.name == port) {
            return Ok(None);
        }
        Err(UnknownPort::input(port, inputs))
    }

    /// Waits until an input has something, or nothing will come any more; `false` when `limit` has passed before.
    pub fn wait(&mut self, limit: Duration) -> bool {
        let until = Instant::now().checked_add(limit);
        while !self.has_something() && !self.is_closed() {
            let now = Instant::now();
            if until.is_some_and(|until| now >= until) {
                return false;
            }
            self.ends.listener.wait(Some(until.map_or(now + LOOK, |until| until.min(now + LOOK))));
        }
        true
    }

    /// Sends a value to whatever is linked to `port`: parameters and buffers of effects, data inputs of processors. It acts on
    /// the next frame that is submitted. Once the graph has ended, it does nothing.
    ///
    /// # Errors
    /// When the processor was registered without such an output.
    pub fn send(&self, port: &str, value: Value, captured: Timestamp) -> Result<(), UnknownPort> {
        let Ends { node, ports, route, .. } = &self.ends;
        Outputs { node, ports, captured, route: &**route }.send(port, value)
    }

    /// The outputs by themselves, for a thread that sends while another one takes.
    #[must_use]
    pub fn outputs(&self) -> ProcessorOutputs {
        let Ends { node, ports, route, .. } = &self.ends;
        let (node, ports, route) = (node.clone(), ports.clone(), route.clone());
        ProcessorOutputs { node, ports, route, is_over: self.is_over.clone() }
    }

    /// Whether nothing will come any more: the graph has ended or goes on without the processor, and all was taken.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        let Ends { video, data, route, .. } = &self.ends;
        let is_over = self.is_over.load(Ordering::Acquire) || route.is_over();
        let no_frames = video.iter().all(|(_, frames)| frames.is_closed());
        no_frames && (is_over || !video.is_empty()) && data.iter().all(|(_, messages)| messages.is_empty())
    }

    fn has_something(&self) -> bool {
        let Ends { video, data, .. } = &self.ends;
        video.iter().any(|(_, frames)| !frames.is_empty())
            || data.iter().any(|(_, messages)| !messages.is_empty())
    }
}

/// The outputs of a processor whose ends the program holds.
#[derive(Clone)]
pub struct ProcessorOutputs {
    node: String,
    ports: Ports,
    route: Arc<dyn Route>,
    is_over: Arc<AtomicBool>,
}

impl ProcessorOutputs {
    /// As [`ProcessorEnd::send`].
    ///
    /// # Errors
    /// When the processor was registered without such an output.
    pub fn send(&self, port: &str, value: Value, captured: Timestamp) -> Result<(), UnknownPort> {
        Outputs { node: &self.node, ports: &self.ports, captured, route: &*self.route }.send(port, value)
    }

    /// Whether what is sent reaches nobody any more: the graph has ended, or goes on without the processor.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.is_over.load(Ordering::Acquire) || self.route.is_over()
    }
}

impl std::fmt::Debug for ProcessorOutputs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ProcessorOutputs").field("node", &self.node).finish_non_exhaustive()
    }
}

impl Drop for ProcessorEnd {
    fn drop(&mut self) {
        // What the program has not taken, nobody will, and nothing more comes.
        self.ends.refuse(DropReason::Stopped);
    }
}

/// The graph's side of an end.
#[derive(Debug)]
pub(super) struct HeldProcessor {
    /// Until the program takes it.
    pub(super) end: Option<ProcessorEnd>,
    is_over: Arc<AtomicBool>,
    bell: Bell,
}

impl HeldProcessor {
    pub(super) fn new(ends: Ends) -> Self {
        let (is_over, bell) = (Arc::new(AtomicBool::new(false)), ends.listener.bell());
        Self { end: Some(ProcessorEnd { ends, is_over: is_over.clone() }), is_over, bell }
    }

    /// The graph has let go of it.
    pub(super) fn close(&mut self) {
        self.is_over.store(true, Ordering::Release);
        self.bell.ring();
        self.end = None;
    }
}
