//! What was dropped while submitted work still used it waits here until that work has finished.

use std::sync::PoisonError;
use std::sync::atomic::{AtomicUsize, Ordering};

use streamlib_core::sync::Mutex;

use crate::timeline::Timeline;

/// Things to drop later, each with the timeline value to wait for.
pub(crate) struct RetireQueue<T> {
    items: Mutex<Vec<(u64, T)>>,
    /// Number of items, to be read without the lock.
    count: AtomicUsize,
}

impl<T> RetireQueue<T> {
    pub(crate) const fn new() -> Self {
        Self { items: Mutex::new(Vec::new()), count: AtomicUsize::new(0) }
    }

    /// Keeps `item` until the timeline has reached `value`.
    pub(crate) fn push(&self, value: u64, item: T) {
        let mut items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        items.push((value, item));
        self.count.store(items.len(), Ordering::Release);
    }

    /// Drops what is no longer in use. Costs one atomic load when there is nothing.
    pub(crate) fn collect(&self, timeline: &Timeline) {
        if self.count.load(Ordering::Acquire) == 0 {
            return;
        }
        // An unreadable timeline reaches nothing: what is here is then dropped together with the device.
        self.take(|value| timeline.reached(value).unwrap_or(false));
    }

    /// Drops everything; the caller has seen to it that nothing is in use.
    pub(crate) fn clear(&self) {
        self.take(|_| true);
    }

    fn take(&self, is_over: impl Fn(u64) -> bool) {
        let mut items = self.items.lock().unwrap_or_else(PoisonError::into_inner);
        let over: Vec<_> = items.extract_if(.., |(value, _)| is_over(*value)).collect();
        self.count.store(items.len(), Ordering::Release);
        drop(items);
        // Destroying takes time, so the lock is free by now.
        drop(over);
    }
}
