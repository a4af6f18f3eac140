//! The state that a bell and its listener share.

use super::sync::{AtomicU8, Ordering, RwLock, Thread, current};

/// Not rung, and nobody sleeps.
const QUIET: u8 = 0;
/// Rung, and not heard yet.
const RUNG: u8 = 1;
/// The listener sleeps, or is about to.
const ASLEEP: u8 = 2;

#[derive(Debug)]
pub(super) struct State {
    word: AtomicU8,
    /// Whom to wake. Written by the listener alone, when it waits on another thread than the last time, so that those
    /// who ring, readers all, do not wait for each other.
    thread: RwLock<Option<Thread>>,
}

impl Default for State {
    fn default() -> Self {
        Self { word: AtomicU8::new(QUIET), thread: RwLock::new(None) }
    }
}

impl State {
    pub(super) fn ring(&self) {
        if self.word.swap(RUNG, Ordering::AcqRel) == ASLEEP
            && let Ok(thread) = self.thread.read()
            && let Some(thread) = &*thread
        {
            thread.unpark();
        }
    }

    /// Waits for a ring. `sleep` parks this thread once, or returns false because the time has come. Only the listener
    /// calls this, one call at a time.
    pub(super) fn wait(&self, mut sleep: impl FnMut() -> bool) -> bool {
        if self.hear() {
            return true;
        }
        self.will_sleep_here();
        loop {
            if self.word.compare_exchange(QUIET, ASLEEP, Ordering::AcqRel, Ordering::Acquire).is_err() {
                // Nobody else sets QUIET or ASLEEP, so it is RUNG.
                return self.hear();
            }
            let in_time = sleep();
            // Awake by a ring, by a token that an earlier ring left behind, by chance, or by time: the word tells.
            if self.hear() {
                return true;
            }
            if !in_time {
                return false;
            }
        }
    }

    /// Takes a ring, if there is one, and is awake.
    fn hear(&self) -> bool {
        self.word.swap(QUIET, Ordering::AcqRel) == RUNG
    }

    fn will_sleep_here(&self) {
        let here = current();
        let known = |thread: &Option<Thread>| thread.as_ref().is_some_and(|thread| thread.id() == here.id());
        if self.thread.read().is_ok_and(|thread| known(&thread)) {
            return;
        }
        if let Ok(mut thread) = self.thread.write() {
            *thread = Some(here);
        }
    }
}
