//! How values go from one thread to another while frames are running: mailboxes with one sender and one receiver, and
//! the bell that wakes whoever waits for them.
//!
//! ```
//! use streamlib_core::mailbox::{self, Listener, Policy};
//!
//! let mut listener = Listener::new();
//! let (mut sender, mut receiver) = mailbox::with_bell(Policy::Latest, listener.bell());
//! let thread = std::thread::spawn(move || (1..=3).for_each(|n| drop(sender.send(n))));
//! let mut newest = None;
//! while !receiver.is_closed() {
//!     match receiver.take() {
//!         Some(value) => newest = Some(value),
//!         None => drop(listener.wait(None)),
//!     }
//! }
//! assert_eq!(newest, Some(3));
//! # thread.join().unwrap();
//! ```
//!
//! Sending and taking allocate nothing, take no lock and make no system call, but for the one wake-up of a side that
//! sleeps. Either side may spin for the few instructions in which the other one moves a value.

mod bell;
mod error;
mod receiver;
mod sender;

use std::num::NonZeroU16;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crossbeam_queue::ArrayQueue;

pub use bell::{Bell, Listener, Wake};
pub use error::SendError;
pub use receiver::Receiver;
pub use sender::Sender;

/// What becomes of a value that the receiver has not taken when the next one comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Policy {
    /// The new one displaces it: the receiver gets the newest value only.
    Latest,
    /// Up to `bound` values wait, in order; then a new one displaces the oldest.
    Every {
        /// How many values may wait.
        bound: NonZeroU16,
    },
    /// Up to `bound` values wait, in order; then the sender is refused. Nothing is lost.
    Lossless {
        /// How many values may wait.
        bound: NonZeroU16,
    },
}

impl Policy {
    /// How many values may wait.
    #[must_use]
    pub fn bound(self) -> usize {
        match self {
            Self::Latest => 1,
            Self::Every { bound } | Self::Lossless { bound } => bound.get().into(),
        }
    }
}

/// A mailbox whose receiver looks when it likes; nobody waits for it.
#[must_use]
pub fn new<T>(policy: Policy) -> (Sender<T>, Receiver<T>) {
    connect(policy, None)
}

/// A mailbox that rings `bell` whenever a value arrives or the sender is dropped. Several mailboxes may ring one bell.
#[must_use]
pub fn with_bell<T>(policy: Policy, bell: Bell) -> (Sender<T>, Receiver<T>) {
    connect(policy, Some(bell))
}

fn connect<T>(policy: Policy, bell: Option<Bell>) -> (Sender<T>, Receiver<T>) {
    let lossless = matches!(policy, Policy::Lossless { .. });
    let space = lossless.then(Listener::new);
    let space_bell = space.as_ref().map(Listener::bell);
    let shared = Arc::new(Shared {
        queue: ArrayQueue::new(policy.bound()),
        sender_gone: AtomicBool::new(false),
        receiver_gone: AtomicBool::new(false),
    });
    let sender = Sender { shared: shared.clone(), bell, space };
    (sender, Receiver { shared, space: space_bell })
}

/// What both sides hold.
#[derive(Debug)]
struct Shared<T> {
    queue: ArrayQueue<T>,
    sender_gone: AtomicBool,
    receiver_gone: AtomicBool,
}

#[cfg(test)]
mod interleaving_tests;
#[cfg(test)]
mod thread_tests;
