//! Whether a source still gives frames.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use streamlib_core::live::Clock;

use super::clock::Monotonic;
use super::event::{Events, LiveEvent};

/// Shared by whoever pushes the frames of a source and the thread that looks after all sources.
#[derive(Debug)]
pub(super) struct Pulse {
    /// When it last gave a sign of life, on the monotonic clock.
    last: AtomicI64,
    is_over: AtomicBool,
    /// Whether it was told to have stalled.
    is_told: AtomicBool,
}

impl Pulse {
    pub(super) fn new() -> Self {
        let last = AtomicI64::new(Monotonic.now().0);
        Self { last, is_over: AtomicBool::new(false), is_told: AtomicBool::new(false) }
    }

    /// The source gave a frame, or waits for others and not they for it.
    pub(super) fn beat(&self) {
        self.last.store(Monotonic.now().0, Ordering::Release);
    }

    /// No frame will come any more, and nobody waits for one.
    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::Release);
    }

    /// Tells when the source stalls, and when it is back.
    pub(super) fn watch(&self, node: &str, patience: Duration, events: &Events) {
        let is_over = self.is_over.load(Ordering::Acquire);
        let silent = Monotonic.now().0 - self.last.load(Ordering::Acquire);
        let has_stalled = i128::from(silent) > patience.as_nanos() as i128 && !is_over;
        if self.is_told.swap(has_stalled, Ordering::AcqRel) == has_stalled || is_over {
            return;
        }
        let node = node.to_owned();
        events.tell(match has_stalled {
            true => LiveEvent::SourceStalled { node },
            false => LiveEvent::SourceIsBack { node },
        });
    }
}
