//! The receiving side.

use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};

use super::{Bell, Shared};

/// The receiving side of a mailbox. Dropping it discards the waiting values and refuses further ones.
#[derive(Debug)]
pub struct Receiver<T> {
    pub(super) shared: Arc<Shared<T>>,
    /// Tells a lossless sender of space.
    pub(super) space: Option<Bell>,
}

impl<T> Receiver<T> {
    /// The oldest waiting value.
    pub fn take(&mut self) -> Option<T> {
        let value = self.shared.queue.pop()?;
        if let Some(space) = &self.space {
            space.ring();
        }
        Some(value)
    }

    /// Whether no value will come any more: the sender is gone, and all it sent was taken.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        // In this order: after the sender has gone, an empty queue stays empty.
        self.shared.sender_gone.load(Ordering::SeqCst) && self.shared.queue.is_empty()
    }

    /// How many values wait.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.queue.len()
    }

    /// Whether no value waits now.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shared.queue.is_empty()
    }

    /// Refuses further values; those that wait can still be taken. Whoever counts takes them after this, so that none slips in
    /// between the last one taken and the end.
    pub fn close(&mut self) {
        self.shared.receiver_gone.store(true, Ordering::SeqCst);
        fence(Ordering::SeqCst);
        if let Some(space) = &self.space {
            space.ring();
        }
    }
}

impl<T> Drop for Receiver<T> {
    fn drop(&mut self) {
        self.close();
        while self.shared.queue.pop().is_some() {}
    }
}
