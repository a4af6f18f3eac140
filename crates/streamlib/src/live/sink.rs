//! Files that a live graph writes, each on a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use streamlib_core::account::{DropReason, NodeCounters};
use streamlib_core::engine::Content;
use streamlib_core::frame::Timestamp;
use streamlib_core::mailbox::{Bell, Listener, Receiver};
use streamlib_core::picture::Picture;
use streamlib_media::VideoWriter;

use super::LiveFrame;
use super::clock::{Role, prepare_thread};
use super::display::DisplayJob;
use super::event::{Events, LiveEvent};
use super::system::ScanoutJob;
use crate::error::RunError;
use crate::report::SinkReport;
use crate::sinks::finish_writer;

/// A file's report, and what the user should know.
pub(super) type Finished = (SinkReport, Vec<String>);

/// A file that is being written, or a window. Dropped before it was joined, it leaves no file.
#[derive(Debug)]
pub(super) struct SinkThread {
    is_unwanted: Arc<AtomicBool>,
    bell: Bell,
    thread: Option<JoinHandle<Option<Finished>>>,
}

/// What a sink's thread works with.
pub(super) struct SinkJob {
    pub(super) node: String,
    pub(super) writer: Box<dyn VideoWriter>,
    pub(super) frames: Receiver<LiveFrame>,
    pub(super) listener: Listener,
    pub(super) counters: Arc<NodeCounters>,
    pub(super) events: Arc<Events>,
}

impl SinkThread {
    pub(super) fn start(job: SinkJob) -> Result<Self, RunError> {
        let (node, bell) = (job.node.clone(), job.listener.bell());
        Self::spawn(&node, bell, move |is_unwanted| write_all(job, is_unwanted))
    }

    /// Shows frames in a window instead, of which nothing is left to report.
    pub(super) fn show(job: DisplayJob) -> Result<Self, RunError> {
        let (node, bell) = (job.node.clone(), job.display.listener.bell());
        Self::spawn(&node, bell, move |is_unwanted| {
            job.run(is_unwanted);
            None
        })
    }

    /// Shows frames on a screen instead.
    pub(super) fn scan_out(job: ScanoutJob) -> Result<Self, RunError> {
        let (node, bell) = (job.node.clone(), job.screen.listener.bell());
        Self::spawn(&node, bell, move |is_unwanted| {
            job.run(is_unwanted);
            None
        })
    }

    fn spawn(
        node: &str,
        bell: Bell,
        run: impl FnOnce(&AtomicBool) -> Option<Finished> + Send + 'static,
    ) -> Result<Self, RunError> {
        let is_unwanted = Arc::new(AtomicBool::new(false));
        let told = is_unwanted.clone();
        let thread = std::thread::Builder::new().name(format!("sink {node}")).spawn(move || run(&told));
        Ok(Self { is_unwanted, bell, thread: Some(thread.map_err(RunError::Thread)?) })
    }

    /// Waits until the file is whole. The graph has let go of the sink by now, or does so soon. `None` when the sink failed or got
    /// no frame, and for a window.
    pub(super) fn join(&mut self) -> Option<(SinkReport, Vec<String>)> {
        self.thread.take()?.join().ok().flatten()
    }
}

impl Drop for SinkThread {
    fn drop(&mut self) {
        if let Some(thread) = self.thread.take() {
            self.is_unwanted.store(true, Ordering::Release);
            self.bell.ring();
            let _nothing = thread.join();
        }
    }
}

fn write_all(mut job: SinkJob, is_unwanted: &AtomicBool) -> Option<(SinkReport, Vec<String>)> {
    prepare_thread(&job.node, Role::Other, None);
    let format = job.writer.picture_format();
    let mut picture = Picture { format, timestamp: Timestamp(0), data: Vec::new() };
    let mut start = None;
    loop {
        if is_unwanted.load(Ordering::Acquire) {
            return None;
        }
        let Some(frame) = job.frames.take() else {
            if job.frames.is_closed() {
                break;
            }
            job.listener.wait(None);
            continue;
        };
        let Content::Picture(content) = &frame.content else { continue };
        // Times in files count from the first frame.
        let captured = frame.meta.captured.0;
        let timestamp = Timestamp(captured - *start.get_or_insert(captured));
        let copied = content.copy_to(timestamp, &mut picture).map_err(|error| error.to_string());
        drop(frame);
        let written = copied.and_then(|()| job.writer.write(&picture).map_err(|error| error.to_string()));
        if let Err(why) = written {
            job.counters.dropped(DropReason::ConsumerFailed);
            job.frames.close();
            while job.frames.take().is_some() {
                job.counters.dropped(DropReason::ConsumerFailed);
            }
            job.events.tell(LiveEvent::SinkFailed { node: job.node, why });
            return None;
        }
        job.counters.went_out();
    }
    if start.is_none() {
        // Dropping the writer leaves no file.
        job.events.tell(LiveEvent::NothingWritten { node: job.node });
        return None;
    }
    let size = format.size;
    match finish_writer(&job.node, size, job.writer) {
        Ok(report) => Some(report),
        Err(error) => {
            job.events.tell(LiveEvent::SinkFailed { node: job.node, why: error.to_string() });
            None
        }
    }
}
