//! What the publisher keeps for its readers.

use std::sync::Arc;

use crate::lease::{self, is_held};
use crate::page::{LEASES, ReaderPage, SLOTS};

/// A publication: its word, and what must live as long as somebody may look at it.
#[derive(Debug)]
struct Kept<T> {
    word: u64,
    keep: T,
}

/// The slots of a surface page. All but the newest, and the newest that is done, are given back when no reader holds them.
#[derive(Debug)]
pub(super) struct Slots<T> {
    kept: [Option<Kept<T>>; SLOTS],
    newest: u64,
    /// The newest that is done.
    done: u64,
    sequence: u64,
}

impl<T> Slots<T> {
    pub(super) fn new() -> Self {
        Self { kept: std::array::from_fn(|_| None), newest: 0, done: 0, sequence: 0 }
    }

    /// A slot that nobody looks at.
    pub(super) fn free(&self) -> Option<usize> {
        self.kept.iter().position(Option::is_none)
    }

    /// The word under which `keep` is offered from now on, in the free slot `slot`.
    pub(super) fn fill(&mut self, slot: usize, keep: T) -> u64 {
        self.sequence += 1;
        self.newest = lease::word(self.sequence, slot);
        self.kept[slot] = Some(Kept { word: self.newest, keep });
        self.newest
    }

    /// The publication `word` is done.
    pub(super) fn finish(&mut self, word: u64) {
        self.done = word;
    }

    /// Drops what is kept for nobody: all but the newest, the newest that is done, what one of `readers` holds, and as many as a
    /// reader may hold of those that `is_used` is true for. The newest two must have been offered.
    pub(super) fn reclaim(&mut self, readers: &[Arc<ReaderPage>], is_used: impl Fn(&T) -> bool) {
        let offered = [self.newest, self.done];
        let mut used = 0;
        for kept in &mut self.kept {
            let is_idle = kept.as_ref().is_some_and(|kept| {
                let is_held = is_held(kept.word, readers.iter().flat_map(|reader| reader.leases()));
                if offered.contains(&kept.word) || is_held {
                    return false;
                }
                let is_used = used < LEASES && is_used(&kept.keep);
                used += usize::from(is_used);
                !is_used
            });
            if is_idle {
                *kept = None;
            }
        }
    }

    /// How many frames are kept.
    pub(super) fn len(&self) -> usize {
        self.kept.iter().flatten().count()
    }
}
