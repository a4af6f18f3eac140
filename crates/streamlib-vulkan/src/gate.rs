//! Who may touch host memory: closures of the host, or submitted work, never both.

use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use streamlib_core::gpu::HostAccessError;

use crate::buffer::HostBuffer;
use crate::timeline::Timeline;

/// Nobody has it open.
const CLOSED: u32 = 0;
/// One closure writes. Smaller values count closures that read.
const WRITER: u32 = u32::MAX;
/// It is being submitted.
const SUBMITTER: u32 = u32::MAX - 1;

/// The state of one buffer.
pub(crate) struct Gate {
    state: AtomicU32,
    /// Timeline value of the newest submission that uses the buffer.
    last_use: AtomicU64,
}

/// Keeps the buffer open on the host's side.
pub(crate) struct Opened<'a> {
    gate: &'a Gate,
    is_writer: bool,
}

impl Gate {
    pub(crate) const fn new() -> Self {
        Self { state: AtomicU32::new(CLOSED), last_use: AtomicU64::new(0) }
    }

    /// Lets the host read, together with other readers.
    pub(crate) fn open_for_reading(&self, timeline: &Timeline) -> Result<Opened<'_>, HostAccessError> {
        let one_more = |state: u32| (state < SUBMITTER - 1).then_some(state + 1);
        self.state
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, one_more)
            .map_err(|_| HostAccessError)?;
        self.opened(timeline, false)
    }

    /// Lets the host write, alone.
    pub(crate) fn open_for_writing(&self, timeline: &Timeline) -> Result<Opened<'_>, HostAccessError> {
        self.state
            .compare_exchange(CLOSED, WRITER, Ordering::AcqRel, Ordering::Acquire)
            .map_err(|_| HostAccessError)?;
        self.opened(timeline, true)
    }

    /// While the gate is open no submission can begin, so it is enough to look at the last one now.
    fn opened(&self, timeline: &Timeline, is_writer: bool) -> Result<Opened<'_>, HostAccessError> {
        let opened = Opened { gate: self, is_writer };
        match timeline.reached(self.last_use.load(Ordering::Acquire)) {
            Ok(true) => Ok(opened),
            Ok(false) | Err(_) => Err(HostAccessError),
        }
    }

    /// Takes the buffer for the one submitter that there is at a time, which may do so repeatedly.
    fn claim(&self) -> Result<(), HostAccessError> {
        match self.state.compare_exchange(CLOSED, SUBMITTER, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) | Err(SUBMITTER) => Ok(()),
            Err(_) => Err(HostAccessError),
        }
    }

    /// Gives back what [`claim`](Self::claim) took. A closure that has opened the buffer meanwhile keeps it.
    fn release(&self) {
        let _closed = self.state.compare_exchange(SUBMITTER, CLOSED, Ordering::Release, Ordering::Relaxed);
    }
}

/// Buffers that a submission has taken: closures cannot open them until its timeline value is known.
pub(crate) struct Claims<'a, B: Iterator<Item = &'a HostBuffer> + Clone> {
    /// Some may be there more than once.
    buffers: B,
}

impl<'a, B: Iterator<Item = &'a HostBuffer> + Clone> Claims<'a, B> {
    /// Takes all of `buffers` or none; the error is the one that is open. Submitters hold the queue's claim for as long as
    /// they hold these, so they never meet here.
    pub(crate) fn take(buffers: B) -> Result<Self, &'a HostBuffer> {
        let claims = Self { buffers };
        for buffer in claims.buffers.clone() {
            buffer.0.gate.claim().map_err(|HostAccessError| buffer)?;
        }
        Ok(claims)
    }

    /// The submission that uses the buffers finishes with this timeline value.
    pub(crate) fn submitted(self, value: u64) {
        for buffer in self.buffers.clone() {
            buffer.0.gate.last_use.store(value, Ordering::Release);
        }
    }
}

impl<'a, B: Iterator<Item = &'a HostBuffer> + Clone> Drop for Claims<'a, B> {
    fn drop(&mut self) {
        // Those that were not reached are nobody's, and stay as they are.
        for buffer in self.buffers.clone() {
            buffer.0.gate.release();
        }
    }
}

impl Drop for Opened<'_> {
    fn drop(&mut self) {
        if self.is_writer {
            self.gate.state.store(CLOSED, Ordering::Release);
        } else {
            self.gate.state.fetch_sub(1, Ordering::AcqRel);
        }
    }
}
