//! Steps the frame loop, from its own thread or from that of whoever pushes a frame.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use streamlib_core::engine::EngineError;
use streamlib_core::live::{Arrival, LoopCell, Step};
use streamlib_core::mailbox::{Bell, SendError, Sender};
use streamlib_vulkan::{VulkanError, VulkanGpu};

use super::clock::thread_cpu_ns;

/// The frame loop, and what stepping it has come to.
#[derive(Debug)]
pub(super) struct Driver {
    pub(super) cell: LoopCell<VulkanGpu>,
    /// Wakes the loop's own thread.
    pub(super) bell: Bell,
    pub(super) is_stopping: AtomicBool,
    /// Whether CPU time is counted, which costs two system calls a frame.
    counts_cpu: bool,
    frames: AtomicU64,
    cpu_ns: AtomicU64,
    failure: Mutex<Option<EngineError<VulkanError>>>,
}

impl Driver {
    pub(super) fn new(bell: Bell, counts_cpu: bool) -> Arc<Self> {
        Arc::new(Self {
            cell: LoopCell::new(),
            bell,
            is_stopping: AtomicBool::new(false),
            counts_cpu,
            frames: AtomicU64::new(0),
            cpu_ns: AtomicU64::new(0),
            failure: Mutex::new(None),
        })
    }

    /// Submits what is due; `None` when another thread is at it, or the graph is stopping.
    pub(super) fn run(&self) -> Option<Step<EngineError<VulkanError>>> {
        if self.is_stopping.load(Ordering::Acquire) {
            return None;
        }
        let before = if self.counts_cpu { thread_cpu_ns() } else { 0 };
        let ran = self.cell.run()?;
        if self.counts_cpu && ran.submitted > 0 {
            self.frames.fetch_add(ran.submitted, Ordering::Relaxed);
            self.cpu_ns.fetch_add(thread_cpu_ns() - before, Ordering::Relaxed);
        }
        Some(ran.step)
    }

    /// A source has pushed a frame, or has ended.
    fn something_came(&self) {
        match self.run() {
            // The loop's own thread knows when it is to look again.
            Some(Step::Wait(_)) => {}
            Some(Step::Failed(error)) => {
                *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                self.is_stopping.store(true, Ordering::Release);
                self.bell.ring();
            }
            // It has to act, or another thread did not see what came.
            _ => self.bell.ring(),
        }
    }

    /// Why the thread of a source could not run a frame, if that is why the graph stops.
    pub(super) fn take_failure(&self) -> Option<EngineError<VulkanError>> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// CPU time of the submitting thread for each frame, microseconds; `None` when it was not counted.
    pub(super) fn cpu_us_per_frame(&self) -> Option<f64> {
        let frames = self.frames.load(Ordering::Relaxed);
        (frames > 0).then(|| self.cpu_ns.load(Ordering::Relaxed) as f64 / 1e3 / frames as f64)
    }
}

/// Where a source pushes its frames.
#[derive(Debug)]
pub(super) struct Arrivals {
    /// Always there until drop.
    sender: Option<Sender<Arrival<VulkanGpu>>>,
    driver: Arc<Driver>,
}

impl Arrivals {
    pub(super) fn new(sender: Sender<Arrival<VulkanGpu>>, driver: Arc<Driver>) -> Self {
        Self { sender: Some(sender), driver }
    }

    /// As [`Sender::send_blocking`]. A frame that is due is submitted before this returns.
    #[expect(clippy::result_large_err, reason = "a frame that was not taken comes back")]
    pub(super) fn send(
        &mut self,
        arrival: Arrival<VulkanGpu>,
        limit: Duration,
    ) -> Result<Option<Arrival<VulkanGpu>>, SendError<Arrival<VulkanGpu>>> {
        let Some(sender) = &mut self.sender else { return Err(SendError::Closed(arrival)) };
        let sent = sender.send_blocking(arrival, limit);
        if sent.is_ok() {
            self.driver.something_came();
        }
        sent
    }

    /// Whether nobody takes frames any more.
    pub(super) fn is_closed(&self) -> bool {
        self.sender.as_ref().is_none_or(Sender::is_closed)
    }
}

impl Drop for Arrivals {
    fn drop(&mut self) {
        // First the end, then the word of it.
        self.sender = None;
        self.driver.bell.ring();
    }
}
