//! The trace of a live graph, written on a thread of its own.

use std::fs::File;
use std::num::NonZeroU16;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::JoinHandle;

use streamlib_core::graph::{Graph, INPUT};
use streamlib_core::live::TracedPlan;
use streamlib_core::trace::{self, TraceError, TraceNames, TraceReceiver, TraceSender};

use super::build::Built;
use super::stage::ConsumerKind;
use crate::error::RunError;

/// Events that may wait to be written: some seconds of frames.
const WAITING: NonZeroU16 = NonZeroU16::new(16_384).expect("not zero");

/// What a trace calls the parts of a plan that was built.
pub(super) fn names(built: &Built, graph: &Graph, generation: u64) -> TracedPlan {
    let name = graph.name.as_deref().unwrap_or("graph");
    let title = if generation == 1 { name.to_owned() } else { format!("{name}, plan {generation}") };
    let mailboxes = built.consumers.iter().filter(|(_, consumer)| consumer.spec.kind != ConsumerKind::Null);
    let (queues, tags) = mailboxes
        .map(|((node, port), consumer)| {
            let name = if port == INPUT { node.clone() } else { format!("{node}.{port}") };
            (format!("waiting for {name}"), consumer.tag)
        })
        .unzip();
    let nodes = graph.nodes.keys().cloned().collect();
    let passes = built.plan.passes.iter().map(|pass| pass.label.clone()).collect();
    TracedPlan { names: Arc::new(TraceNames { title, nodes, passes, queues }), queues: tags }
}

/// The file of a trace that has not begun; dropped, it is removed.
#[derive(Debug)]
pub(super) struct TraceFile {
    path: PathBuf,
    file: Option<File>,
}

impl TraceFile {
    pub(super) fn create(path: &Path) -> Result<Self, RunError> {
        let path = path.to_owned();
        match File::create(&path) {
            Ok(file) => Ok(Self { path, file: Some(file) }),
            Err(source) => Err(RunError::Trace { path, source }),
        }
    }

    /// Starts to write; `names` are those of the plan that runs first.
    pub(super) fn start(mut self, names: Arc<TraceNames>) -> Result<(TraceSender, TraceThread), RunError> {
        let (sender, receiver) = trace::channel(WAITING);
        let file = self.file.take().expect("a trace starts once");
        let write = move || TraceReceiver::write_to(receiver, file, names);
        let thread = std::thread::Builder::new().name("trace".to_owned()).spawn(write);
        Ok((sender, TraceThread(thread.map_err(RunError::Thread)?)))
    }
}

impl Drop for TraceFile {
    fn drop(&mut self) {
        if self.file.take().is_some() {
            // It holds nothing; a graph that did not start leaves no file, if that can be helped.
            let _removed = std::fs::remove_file(&self.path);
        }
    }
}

/// A trace that is being written.
#[derive(Debug)]
pub(super) struct TraceThread(JoinHandle<Result<u64, TraceError>>);

impl TraceThread {
    /// Waits until the trace is whole, once its sender is gone; what the user should know of it.
    pub(super) fn join(self) -> Option<String> {
        match self.0.join() {
            Ok(Ok(0)) => None,
            Ok(Ok(left_out)) => Some(format!("the trace lacks {left_out} event(s): the disk was too slow")),
            Ok(Err(error)) => Some(error.to_string()),
            Err(_panic) => Some("the trace is not complete: its writer panicked".to_owned()),
        }
    }
}
