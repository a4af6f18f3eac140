//! Hazard pointers. A reader writes down what it is about to look at, and then makes sure that it is still the newest; a
//! publisher offers something newer, and then looks whether anybody has written down the old. Each writes before it looks, with
//! a fence between, so that they cannot both miss each other: either the reader sees that there is something newer and lets go,
//! or the publisher sees the lease and leaves the slot alone.

use super::sync::{AtomicU64, Ordering, fence};

/// How often a reader tries again when a newer frame comes while it takes one.
const ATTEMPTS: usize = 8;

/// What taking the newest came to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// It is held: this word stands in the lease.
    Held(u64),
    /// There is nothing newer than what the reader has seen.
    Nothing,
    /// Frames come faster than they can be taken.
    Contended,
}

/// Takes what is newest, if its sequence number, as `sequence` tells, is above `seen`. `newest` is a relaxed load.
pub(crate) fn hold(
    newest: impl Fn() -> u64,
    lease: &AtomicU64,
    sequence: impl Fn(u64) -> u64,
    seen: u64,
) -> Hold {
    for _ in 0..ATTEMPTS {
        let wanted = newest();
        if sequence(wanted) <= seen {
            lease.store(0, Ordering::Release);
            return Hold::Nothing;
        }
        // Release, for what was read under an earlier lease: the publisher may see this word and never the zero before.
        lease.store(wanted, Ordering::Release);
        // It also makes visible what the publisher wrote before it offered this word.
        fence(Ordering::SeqCst);
        if newest() == wanted {
            return Hold::Held(wanted);
        }
    }
    lease.store(0, Ordering::Release);
    Hold::Contended
}

/// Lets go. What the reader has read, it has read before.
pub(crate) fn release(lease: &AtomicU64) {
    lease.store(0, Ordering::Release);
}

/// Makes `word` the newest. Whoever takes it sees what was written before. [`is_held`] may be asked about older ones then.
pub(crate) fn offer(newest: &AtomicU64, word: u64) {
    newest.store(word, Ordering::Release);
    fence(Ordering::SeqCst);
}

/// Whether one of `leases` holds `word`, which is not the newest any more. If not, none ever will, and what readers did with it
/// they did before.
pub(crate) fn is_held<'a>(word: u64, leases: impl IntoIterator<Item = &'a AtomicU64>) -> bool {
    leases.into_iter().any(|lease| lease.load(Ordering::Acquire) == word)
}
