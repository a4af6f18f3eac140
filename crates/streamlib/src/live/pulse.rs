//! Whether a source still gives frames.

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use streamlib_core::live::Clock;

use super::clock::Monotonic;
use super::event::{Events, LiveEvent};

/// No time at all.
const ALIVE: i64 = i64::MIN;

/// Shared by whoever pushes the frames of a source and the thread that looks after all sources.
#[derive(Debug)]
pub(super) struct Pulse {
    /// When it last gave a sign of life, on the monotonic clock.
    last: AtomicI64,
    is_over: AtomicBool,
    /// The last sign of life of a source that was told to have stalled; [`ALIVE`] of all others.
    stalled_at: AtomicI64,
}

impl Pulse {
    pub(super) fn new() -> Self {
        let last = AtomicI64::new(Monotonic.now().0);
        Self { last, is_over: AtomicBool::new(false), stalled_at: AtomicI64::new(ALIVE) }
    }

    /// The source gave a frame, or waits for others and not they for it.
    pub(super) fn beat(&self) {
        self.last.store(Monotonic.now().0, Ordering::Release);
    }

    /// No frame will come any more, and nobody waits for one.
    pub(super) fn end(&self) {
        self.is_over.store(true, Ordering::Release);
    }

    /// The source knows by itself that it gives nothing any more, and tells so, if nobody has.
    pub(super) fn stall(&self, node: &str, events: &Events) {
        let last = self.last.load(Ordering::Acquire);
        if self.stalled_at.compare_exchange(ALIVE, last, Ordering::AcqRel, Ordering::Acquire).is_ok() {
            events.tell(LiveEvent::SourceStalled { node: node.to_owned() });
        }
    }

    /// Tells when the source stalls, and when it is back, be it for one frame only. One thread calls this.
    pub(super) fn watch(&self, node: &str, patience: Duration, events: &Events) {
        if self.is_over.load(Ordering::Acquire) {
            return;
        }
        let (now, last) = (Monotonic.now().0, self.last.load(Ordering::Acquire));
        let stalled_at = self.stalled_at.load(Ordering::Acquire);
        if stalled_at != ALIVE && last != stalled_at {
            self.stalled_at.store(ALIVE, Ordering::Release);
            events.tell(LiveEvent::SourceIsBack { node: node.to_owned() });
        } else if i128::from(now - last) > patience.as_nanos() as i128 {
            self.stall(node, events);
        }
    }
}
