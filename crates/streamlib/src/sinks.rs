//! Writes frames behind the engine, on a thread per sink.

use std::sync::Arc;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread::JoinHandle;

use streamlib_core::engine::HostPicture;
use streamlib_core::format::Size;
use streamlib_core::frame::Timestamp;
use streamlib_core::graph::Sink;
use streamlib_core::picture::Picture;
use streamlib_media::{VideoWriter, Written};
use streamlib_vulkan::VulkanGpu;

use crate::display::DISPLAY;
use crate::error::RunError;
use crate::report::SinkReport;
use crate::scanout::KMS;
use crate::sources::APP;
use crate::stages::Stages;
use crate::surface::SURFACE;

/// Frames waiting for the encoder.
const BEHIND: usize = 3;
/// Pictures that a sink may hold: those waiting, and the one that is being written.
pub(crate) const SINK_DEPTH: usize = BEHIND + 1;

/// A sink that only counts its frames.
pub(crate) const NULL: &str = "null:";

/// Whether a sink takes textures as they are, which only live graphs give.
pub(crate) fn takes_textures(sink: &Sink) -> bool {
    sink.uri == APP
        || sink.uri == NULL
        || [DISPLAY, KMS, SURFACE].iter().any(|scheme| sink.uri.starts_with(scheme))
}

/// A frame, in host memory of the engine's.
type Finished = (Timestamp, Arc<HostPicture<VulkanGpu>>);

/// A sink that is written behind.
pub(crate) struct WriteBehind {
    pub(crate) node: String,
    pub(crate) size: Size,
    pictures: SyncSender<Finished>,
    thread: JoinHandle<Outcome>,
}

/// What the thread comes back with: the writer, whole or failed, and its times.
struct Outcome {
    writer: Result<Box<dyn VideoWriter>, RunError>,
    stages: Stages,
}

impl WriteBehind {
    pub(crate) fn start(node: &str, writer: Box<dyn VideoWriter>) -> Result<Self, RunError> {
        let (pictures, receive) = sync_channel::<Finished>(BEHIND);
        let (name, format) = (node.to_owned(), writer.picture_format());
        let write = move || {
            let mut outcome = Outcome { writer: Ok(writer), stages: Stages::default() };
            let (copy, encode) = (format!("read back {name}"), format!("encode {name}"));
            let mut picture = Picture { format, timestamp: Timestamp(0), data: Vec::new() };
            for (timestamp, finished) in receive {
                let copied = outcome.stages.time(&copy, || finished.copy_to(timestamp, &mut picture));
                if let Err(error) = copied {
                    outcome.writer = Err(RunError::Engine(error.into()));
                    break;
                }
                drop(finished);
                let Ok(writer) = &mut outcome.writer else { break };
                if let Err(error) = outcome.stages.time(&encode, || writer.write(&picture)) {
                    // Dropping the receiver tells the engine; dropping the writer removes what it wrote.
                    outcome.writer = Err(RunError::Write { node: name, error });
                    break;
                }
            }
            outcome
        };
        let thread = std::thread::Builder::new().name(format!("write {node}")).spawn(write);
        let thread = thread.map_err(RunError::Thread)?;
        Ok(Self { node: node.to_owned(), size: format.size, pictures, thread })
    }

    /// Hands a picture over; `false` when the sink has failed ([`close`](Self::close) says why).
    pub(crate) fn push(&self, timestamp: Timestamp, picture: Arc<HostPicture<VulkanGpu>>) -> bool {
        self.pictures.send((timestamp, picture)).is_ok()
    }

    /// Waits until everything is written. The file is not finished yet.
    pub(crate) fn close(self) -> Result<(ClosedSink, Stages), RunError> {
        drop(self.pictures);
        let outcome = self.thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        Ok((ClosedSink { node: self.node, size: self.size, writer: outcome.writer? }, outcome.stages))
    }
}

/// A sink with all its frames written, to be finished or dropped.
pub(crate) struct ClosedSink {
    node: String,
    size: Size,
    writer: Box<dyn VideoWriter>,
}

impl ClosedSink {
    /// Completes the file.
    pub(crate) fn finish(self) -> Result<(SinkReport, Vec<String>), RunError> {
        finish_writer(&self.node, self.size, self.writer)
    }
}

/// Completes a sink's file: its report, and what the user should know.
pub(crate) fn finish_writer(
    node: &str,
    size: Size,
    writer: Box<dyn VideoWriter>,
) -> Result<(SinkReport, Vec<String>), RunError> {
    let written = writer.finish().map_err(|error| RunError::Write { node: node.to_owned(), error })?;
    let Written { frames, bytes, paths, duration, notices } = written;
    let ends =
        if paths.len() > 2 { vec![&paths[0], &paths[paths.len() - 1]] } else { paths.iter().collect() };
    let paths = ends.into_iter().map(|path| path.display().to_string()).collect();
    let notices = notices.iter().map(|notice| format!("sink `{node}`: {notice}")).collect();
    let node = node.to_owned();
    let report = SinkReport { node, paths, size, frames, bytes, duration_s: duration.seconds() };
    Ok((report, notices))
}
