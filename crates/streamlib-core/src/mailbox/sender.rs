//! The sending side.

use std::sync::Arc;
use std::sync::atomic::{Ordering, fence};
use std::time::{Duration, Instant};

use super::{Bell, Listener, SendError, Shared, Wake};

/// The sending side of a mailbox. Dropping it closes the mailbox once the waiting values are taken.
#[derive(Debug)]
pub struct Sender<T> {
    pub(super) shared: Arc<Shared<T>>,
    /// Wakes the receiver.
    pub(super) bell: Option<Bell>,
    /// Hears of taken values; only in a lossless mailbox.
    pub(super) space: Option<Listener>,
}

impl<T> Sender<T> {
    /// Sends a value without waiting. Returns the value that it displaced, if any.
    ///
    /// # Errors
    /// [`SendError::Full`] when a lossless mailbox is full, [`SendError::Closed`] when the receiver is gone.
    pub fn send(&mut self, value: T) -> Result<Option<T>, SendError<T>> {
        if self.is_closed() {
            return Err(SendError::Closed(value));
        }
        let displaced = if self.space.is_some() {
            self.shared.queue.push(value).map_err(SendError::Full)?;
            None
        } else {
            self.shared.queue.force_push(value)
        };
        // Pairs with the fence of a receiver that closes: either it finds what was just pushed, or this sees it gone.
        fence(Ordering::SeqCst);
        if self.is_closed() {
            // One value at most is more than the receiver still takes: where it had found the mailbox empty, the one that was
            // just pushed; and where one was displaced, it had not. Whoever counts gets each value on one side only.
            if displaced.is_none()
                && let Some(left) = self.shared.queue.pop()
            {
                return Err(SendError::Closed(left));
            }
        } else if let Some(bell) = &self.bell {
            bell.ring();
        }
        Ok(displaced)
    }

    /// Sends a value; where a lossless mailbox is full, waits for space, `limit` at most. The other policies never wait.
    ///
    /// # Errors
    /// [`SendError::Full`] when no value was taken within `limit`, [`SendError::Closed`] as soon as the receiver is gone.
    pub fn send_blocking(&mut self, value: T, limit: Duration) -> Result<Option<T>, SendError<T>> {
        // A limit beyond what the clock can hold is none.
        let until = Instant::now().checked_add(limit);
        let mut value = value;
        loop {
            match self.send(value) {
                Err(SendError::Full(refused)) => value = refused,
                done => return done,
            }
            let Some(space) = &mut self.space else { return Err(SendError::Full(value)) };
            if space.wait(until) == Wake::TimedOut {
                // The receiver may have taken a value at the last moment.
                return self.send(value);
            }
        }
    }

    /// Whether the receiver is gone.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.shared.receiver_gone.load(Ordering::SeqCst)
    }

    /// How many values wait to be taken.
    #[must_use]
    pub fn len(&self) -> usize {
        self.shared.queue.len()
    }

    /// Whether every value was taken.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shared.queue.is_empty()
    }
}

impl<T> Drop for Sender<T> {
    fn drop(&mut self) {
        self.shared.sender_gone.store(true, Ordering::SeqCst);
        if let Some(bell) = &self.bell {
            bell.ring();
        }
    }
}
