//! Sources of a live graph: each pushes its frames from a thread of its own, or from the program's.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_queue::ArrayQueue;
use streamlib_core::account::{DropReason, NodeCounters};
use streamlib_core::engine::Upload;
use streamlib_core::frame::{FrameMeta, Timestamp};
use streamlib_core::live::{Arrival, Clock, Push};
use streamlib_core::mailbox::{Bell, Listener, SendError};
use streamlib_core::picture::Picture;
use streamlib_vulkan::VulkanGpu;

use super::clock::{Monotonic, Role, prepare_thread};
use super::driver::Arrivals;
use super::event::{Events, LiveEvent};
use super::pulse::Pulse;
use crate::error::RunError;
use crate::sources::PictureSource;

/// A wait looks this often whether it is to stop.
pub(super) const SLICE: Duration = Duration::from_millis(100);

/// Uploads that a source needs beside those of the frames under way: one that is filled, one that is shown next.
pub(super) const SOURCE_UPLOADS: usize = 2;

/// What a source's thread and its keeper share.
#[derive(Debug)]
struct SourceState {
    is_stopping: AtomicBool,
    bell: Bell,
}

/// A running source.
#[derive(Debug)]
pub(super) struct SourceThread {
    state: Arc<SourceState>,
    pub(super) empties: Arc<ArrayQueue<Upload<VulkanGpu>>>,
    pub(super) bell: Bell,
    thread: Option<JoinHandle<()>>,
}

/// What a source's thread works with.
pub(super) struct SourceJob {
    pub(super) node: String,
    pub(super) source: PictureSource,
    /// How many pictures to take at most.
    pub(super) frames: Option<u64>,
    pub(super) uploads: Vec<Upload<VulkanGpu>>,
    pub(super) arrivals: Arrivals,
    pub(super) counters: Arc<NodeCounters>,
    pub(super) events: Arc<Events>,
    pub(super) pulse: Arc<Pulse>,
    /// Whether pictures of a file come at their own times, and not as fast as they are taken.
    pub(super) is_paced: bool,
}

impl SourceThread {
    pub(super) fn start(job: SourceJob) -> Result<Self, RunError> {
        let listener = Listener::new();
        let bell = listener.bell();
        let empties = Arc::new(ArrayQueue::new(job.uploads.len().max(1)));
        let state = Arc::new(SourceState { is_stopping: AtomicBool::new(false), bell: bell.clone() });
        let (shared, memory) = (state.clone(), empties.clone());
        let name = format!("source {}", job.node);
        let run = move || Worker { state: &shared, empties: &memory, listener, job, pushed: 0 }.run();
        let thread = std::thread::Builder::new().name(name).spawn(run).map_err(RunError::Thread)?;
        Ok(Self { state, empties, bell, thread: Some(thread) })
    }

    /// Stops the source and waits for its thread.
    pub(super) fn stop(&mut self) {
        self.state.is_stopping.store(true, Ordering::Release);
        self.state.bell.ring();
        if let Some(thread) = self.thread.take() {
            // A panic of a decoder has ended the source; the graph has been told.
            let _ = thread.join();
        }
    }
}

impl Drop for SourceThread {
    fn drop(&mut self) {
        self.stop();
    }
}

pub(super) struct Worker<'a> {
    state: &'a SourceState,
    pub(super) empties: &'a ArrayQueue<Upload<VulkanGpu>>,
    pub(super) listener: Listener,
    pub(super) job: SourceJob,
    pub(super) pushed: u64,
}

impl Worker<'_> {
    fn run(mut self) {
        let node = self.job.node.clone();
        prepare_thread(&node, Role::Other, None);
        for upload in std::mem::take(&mut self.job.uploads) {
            let _fits = self.empties.push(upload);
        }
        let outcome = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| self.push_all_there_is()));
        self.job.pulse.end();
        let why = match outcome {
            Ok(Ok(())) => None,
            Ok(Err(error)) => Some(error.to_string()),
            Err(_panic) => Some("its decoder panicked".to_owned()),
        };
        match why {
            Some(why) => self.job.events.tell(LiveEvent::SourceFailed { node, why }),
            None if self.is_stopping() => {}
            None => self.job.events.tell(LiveEvent::SourceEnded { node }),
        }
        // A still is over with its first frame, and shown for as long as the graph runs.
        if self.job.source.frames == Some(1) {
            while !self.is_stopping() && !self.job.arrivals.is_closed() {
                self.listener.wait(Some(Instant::now() + SLICE));
            }
        }
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.state.is_stopping.load(Ordering::Acquire)
    }

    fn push_all_there_is(&mut self) -> Result<(), RunError> {
        #[cfg(target_os = "linux")]
        if self.job.source.camera().is_some() {
            return self.push_camera();
        }
        self.push_all()
    }

    fn push_all(&mut self) -> Result<(), RunError> {
        let format = self.job.source.format;
        let mut picture = Picture { format, timestamp: Timestamp(0), data: Vec::new() };
        let mut start = None;
        while self.job.frames.is_none_or(|frames| self.pushed < frames) {
            let Some(mut upload) = self.empty() else { return Ok(()) };
            if !self.job.source.read(&self.job.node, &mut picture)? {
                return Ok(());
            }
            self.job.counters.came_in();
            if let Err(error) = upload.fill(&picture) {
                self.job.counters.dropped(DropReason::FormatChanged);
                return Err(error.into());
            }
            let captured = if self.job.is_paced {
                // A file plays in real time from its first picture on.
                let start = *start.get_or_insert_with(|| Monotonic.now().0 - picture.timestamp.0);
                let due = Timestamp(start + picture.timestamp.0);
                if !self.wait_until(due) {
                    self.job.counters.dropped(DropReason::Stopped);
                    return Ok(());
                }
                due
            } else {
                Monotonic.now()
            };
            if !self.push(captured, upload) {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Memory to read into; `None` when the source is to stop.
    fn empty(&mut self) -> Option<Upload<VulkanGpu>> {
        loop {
            if self.is_stopping() || self.job.arrivals.is_closed() {
                return None;
            }
            // The engine is behind, not the source.
            self.job.pulse.beat();
            match self.empties.pop() {
                Some(upload) => return Some(upload),
                None => drop(self.listener.wait(Some(Instant::now() + SLICE))),
            }
        }
    }

    fn wait_until(&mut self, due: Timestamp) -> bool {
        while Monotonic.now() < due {
            if self.is_stopping() {
                return false;
            }
            self.job.pulse.beat();
            self.listener.wait(Some(Monotonic.instant(due).min(Instant::now() + SLICE)));
        }
        true
    }

    /// Pushes a frame; `false` when nobody takes frames any more.
    pub(super) fn push(&mut self, captured: Timestamp, upload: Upload<VulkanGpu>) -> bool {
        let arrived = Monotonic.now();
        let meta = FrameMeta { captured, sequence: self.pushed, camera: None };
        self.pushed += 1;
        let mut arrival = Arrival { push: Push::Picture(upload), meta, arrived };
        loop {
            self.job.pulse.beat();
            match self.job.arrivals.send(arrival, SLICE) {
                Ok(Some(Arrival { push: Push::Picture(displaced), .. })) => {
                    // That one went out when it was sent: one of the two has.
                    self.job.counters.dropped(DropReason::Displaced);
                    let _fits = self.empties.push(displaced);
                    return true;
                }
                Ok(_) => {
                    self.job.counters.went_out();
                    return true;
                }
                Err(SendError::Full(back)) if !self.is_stopping() => arrival = back,
                Err(_over) => {
                    self.job.counters.dropped(DropReason::Stopped);
                    return false;
                }
            }
        }
    }
}
