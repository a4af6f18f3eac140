//! A frame loop that any thread may step, one at a time.

use crossbeam_queue::ArrayQueue;

use super::frame_loop::{FrameLoop, Step};
use crate::engine::EngineError;
use crate::gpu::Gpu;

/// Holds the frame loop while nobody steps it. A source that has pushed the frame that sets the pace steps the loop itself,
/// which saves waking a thread up, the longest part of the way from a push to its submission.
#[derive(Debug)]
pub struct LoopCell<G: Gpu>(ArrayQueue<Box<FrameLoop<G>>>);

/// What stepping came to.
#[derive(Debug)]
pub struct Ran<E> {
    /// Frames that were submitted.
    pub submitted: u64,
    /// Why no further one was.
    pub step: Step<E>,
}

impl<G: Gpu> LoopCell<G> {
    /// A cell that gets its loop later.
    #[must_use]
    pub fn new() -> Self {
        Self(ArrayQueue::new(1))
    }

    /// Puts the loop in, or back.
    pub fn put(&self, frame_loop: Box<FrameLoop<G>>) {
        // There is one loop, so there is room for it.
        let _fits = self.0.push(frame_loop);
    }

    /// Takes the loop out; `None` while another thread steps it.
    pub fn take(&self) -> Option<Box<FrameLoop<G>>> {
        self.0.pop()
    }

    /// Submits all frames that are due; `None` when another thread is at it. That thread may have looked before the caller's
    /// frame came, so somebody has to look again.
    pub fn run(&self) -> Option<Ran<EngineError<G::Error>>> {
        let mut frame_loop = self.take()?;
        let mut submitted = 0;
        let step = loop {
            match frame_loop.step() {
                Step::Submitted => submitted += 1,
                step => break step,
            }
        };
        self.put(frame_loop);
        Some(Ran { submitted, step })
    }
}

impl<G: Gpu> Default for LoopCell<G> {
    fn default() -> Self {
        Self::new()
    }
}
