//! A wake-up that many threads may give and one waits for.

mod state;
mod sync;

use std::sync::Arc;
use std::thread;
use std::time::Instant;

use state::State;

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wake {
    /// The bell rang since the last wait ended, once or several times.
    Rung,
    /// The time came first.
    TimedOut,
}

/// Wakes the thread at its [`Listener`]. Clones ring the same one.
#[derive(Clone, Debug)]
pub struct Bell(Arc<State>);

impl Bell {
    /// Ends the listener's wait; if it does not wait now, its next one ends at once. What this thread wrote before is
    /// seen by the listener after.
    ///
    /// An atomic swap, and a system call only when the listener sleeps. Ringing for nobody is harmless.
    pub fn ring(&self) {
        self.0.ring();
    }
}

/// The one who waits for a bell. It may move between threads.
#[derive(Debug, Default)]
pub struct Listener(Arc<State>);

impl Listener {
    /// A listener whose bell has not rung.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A bell that wakes this listener.
    #[must_use]
    pub fn bell(&self) -> Bell {
        Bell(self.0.clone())
    }

    /// Sleeps until the bell rings or `until` has come. A ring is never lost, and is heard once; look for what it may
    /// have meant *before* each wait, as rings that come together are heard as one.
    pub fn wait(&mut self, until: Option<Instant>) -> Wake {
        let rung = self.0.wait(|| match until {
            None => {
                thread::park();
                true
            }
            Some(until) => {
                let left = until.saturating_duration_since(Instant::now());
                if !left.is_zero() {
                    thread::park_timeout(left);
                }
                !left.is_zero()
            }
        });
        if rung { Wake::Rung } else { Wake::TimedOut }
    }
}

#[cfg(test)]
mod model;
