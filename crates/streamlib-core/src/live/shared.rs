//! What the frame loop and the deliverer share.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};
use std::thread::Thread;
use std::time::Duration;

use crossbeam_queue::ArrayQueue;

use super::swap::Swap;
use crate::engine::{Home, Slot};
use crate::frame::Timestamp;
use crate::gpu::Gpu;
use crate::mailbox::Bell;

/// Pieces of work that may wait to be delivered: frames of two plans, and plans that were replaced.
const WORK: usize = 64;

/// What the frame loop hands on, in order.
#[derive(Debug)]
pub(super) enum Work<G: Gpu> {
    /// A submitted frame.
    Frame { slot: Box<Slot<G>>, home: Home<G>, arrived: Timestamp, submitted: Timestamp },
    /// What a swap replaced; frames of that plan came before.
    Replaced {
        replaced: Box<Swap<G>>,
        /// Generation of the plan that runs now.
        by: u64,
    },
}

/// The way from the frame loop to the deliverer.
#[derive(Debug)]
pub struct Handover<G: Gpu> {
    work: ArrayQueue<Work<G>>,
    /// Set when the graph was told to stop, and did not come to its end.
    is_hurried: AtomicBool,
    /// Set when no more work will come.
    is_closed: AtomicBool,
    /// Set while the frame loop waits for a slot.
    wants_slot: AtomicBool,
    /// Frames submitted whose slots have not come home, of the plan that runs and of those before.
    under_way: AtomicUsize,
    /// Set while frames that may not be lost wait for room at a consumer's.
    is_held_up: AtomicBool,
    /// Wakes the frame loop.
    bell: Bell,
    /// The deliverer's thread, once it has waited.
    deliverer: OnceLock<Thread>,
    /// Generation of the plan that runs, and number of the first frame that it ran.
    generation: AtomicU64,
    first_frame: AtomicU64,
    /// Wakes whoever waits for a swap.
    swapped: OnceLock<Bell>,
}

/// A handover to a deliverer; `bell` wakes the frame loop.
#[must_use]
pub fn handover<G: Gpu>(bell: Bell) -> Arc<Handover<G>> {
    Arc::new(Handover {
        work: ArrayQueue::new(WORK),
        is_hurried: AtomicBool::new(false),
        is_closed: AtomicBool::new(false),
        wants_slot: AtomicBool::new(false),
        under_way: AtomicUsize::new(0),
        is_held_up: AtomicBool::new(false),
        bell,
        deliverer: OnceLock::new(),
        generation: AtomicU64::new(0),
        first_frame: AtomicU64::new(0),
        swapped: OnceLock::new(),
    })
}

impl<G: Gpu> Handover<G> {
    /// Whether a frame and a replaced plan would fit in.
    pub(super) fn has_room(&self) -> bool {
        self.work.len() + 2 <= WORK
    }

    /// Hands work on; `has_room` was asked before.
    pub(super) fn push(&self, work: Work<G>) {
        if matches!(work, Work::Frame { .. }) {
            self.under_way.fetch_add(1, Ordering::SeqCst);
        }
        let _fits = self.work.push(work);
        self.wake_deliverer();
    }

    /// One atomic operation while the deliverer is awake.
    fn wake_deliverer(&self) {
        if let Some(thread) = self.deliverer.get() {
            thread.unpark();
        }
    }

    /// Lets the deliverer's thread, which is always the same, sleep until there is work, or so long.
    pub(super) fn await_work(&self, limit: Duration) {
        self.deliverer.get_or_init(std::thread::current);
        if self.is_empty() && !self.is_closed() {
            std::thread::park_timeout(limit);
        }
    }

    pub(super) fn pop(&self) -> Option<Work<G>> {
        self.work.pop()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.work.is_empty()
    }

    /// The graph is to stop soon: lossless consumers have little time for what waits for them.
    pub fn hurry(&self) {
        self.is_hurried.store(true, Ordering::SeqCst);
    }

    pub(super) fn is_hurried(&self) -> bool {
        self.is_hurried.load(Ordering::SeqCst)
    }

    /// No more work will come.
    pub fn close(&self) {
        self.is_closed.store(true, Ordering::SeqCst);
        self.wake_deliverer();
    }

    pub(super) fn is_closed(&self) -> bool {
        self.is_closed.load(Ordering::SeqCst)
    }

    /// The bell to ring when another plan runs. The first that is given counts.
    pub fn tell_swaps(&self, bell: Bell) {
        let _first_counts = self.swapped.set(bell);
    }

    /// Generation of the plan that runs, and number of the first frame that it ran.
    #[must_use]
    pub fn running(&self) -> (u64, u64) {
        // In the opposite order of `note_swap`, so that a new generation comes with its frame.
        let generation = self.generation.load(Ordering::SeqCst);
        (generation, self.first_frame.load(Ordering::SeqCst))
    }

    pub(super) fn note_swap(&self, generation: u64, first_frame: u64) {
        self.first_frame.store(first_frame, Ordering::SeqCst);
        self.generation.store(generation, Ordering::SeqCst);
        if let Some(bell) = self.swapped.get() {
            bell.ring();
        }
    }

    /// How many frames are under way.
    pub(super) fn under_way(&self) -> usize {
        self.under_way.load(Ordering::SeqCst)
    }

    /// Asks for the bell when a slot comes home.
    pub(super) fn want_slot(&self) {
        self.wants_slot.store(true, Ordering::SeqCst);
    }

    /// A slot came home.
    pub(super) fn slot_came_home(&self) {
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        if self.wants_slot.swap(false, Ordering::SeqCst) {
            self.bell.ring();
        }
    }

    /// Whether frames that may not be lost wait for room at a consumer's: no more should come then.
    pub(super) fn is_held_up(&self) -> bool {
        self.is_held_up.load(Ordering::SeqCst)
    }

    pub(super) fn hold_up(&self, is_held_up: bool) {
        if self.is_held_up.swap(is_held_up, Ordering::SeqCst) && !is_held_up {
            self.bell.ring();
        }
    }
}
