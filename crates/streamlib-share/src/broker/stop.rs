//! Telling a thread that waits for sockets to end.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use rustix::event::{EventfdFlags, PollFd, PollFlags, eventfd};

use crate::socket::wait;

/// Ends [`serve`](super::serve), from any thread. Clones are the same.
#[derive(Clone, Debug)]
pub struct Stop {
    event: Arc<OwnedFd>,
}

impl Stop {
    /// One that has not been used.
    ///
    /// # Errors
    /// When the process has no descriptors left.
    pub fn new() -> io::Result<Self> {
        let event = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
        Ok(Self { event: Arc::new(event) })
    }

    /// Ends it, once and for all.
    pub fn stop(&self) {
        // It fails only when it has been stopped so often that the counter is full.
        let _stopped_already = rustix::io::write(&*self.event, &1_u64.to_ne_bytes());
    }

    /// Whether [`Stop::stop`] was called.
    #[must_use]
    pub fn is_stopped(&self) -> bool {
        let mut polled = [PollFd::new(self, PollFlags::IN)];
        wait(&mut polled, Some(Duration::ZERO)).is_ok() && !polled[0].revents().is_empty()
    }
}

impl AsFd for Stop {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.event.as_fd()
    }
}
