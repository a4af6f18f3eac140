//! The page of one reader, which it and its publisher write.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering, fence};

use streamlib_linux::shared::{Others, PageError, SharedPage};

use super::{Feed, LAYOUT, MAGIC, head};

/// Frames that a reader can hold at once: what a graph shows, what waits to be shown, and what its GPU is still reading.
pub(crate) const LEASES: usize = 4;

mod place {
    pub(super) const LEASES: [usize; super::LEASES] = [0, 8, 16, 24];
    pub(super) const RELEASED: usize = 32;
    pub(super) const SKIPPED: usize = 33;
    pub(super) const WAITING: usize = 34;
    pub(super) const WAITING_EARLY: usize = 35;
}

const WORDS: usize = 40;

#[derive(Debug)]
pub(crate) struct ReaderPage {
    page: SharedPage,
}

impl ReaderPage {
    /// A new page, and the file to give to its reader.
    pub(crate) fn create() -> Result<(Self, OwnedFd), PageError> {
        let (page, file) = SharedPage::create("streamlib-reader", WORDS, Others::Write)?;
        page.head()[head::MAGIC].store(MAGIC[1], Ordering::Relaxed);
        page.head()[head::LAYOUT].store(LAYOUT, Ordering::Relaxed);
        Ok((Self { page }, file))
    }

    /// Maps the page that a publisher has made.
    pub(crate) fn open(file: &OwnedFd) -> Result<Self, PageError> {
        let page = SharedPage::open(file, WORDS)?;
        let found = [&page.head()[head::MAGIC], &page.head()[head::LAYOUT]];
        if found.map(|word| word.load(Ordering::Relaxed)) != [MAGIC[1], LAYOUT] {
            return Err(PageError::NotMemory);
        }
        Ok(Self { page })
    }

    /// What the reader holds: 0, or the word of a publication.
    pub(crate) fn lease(&self, index: usize) -> &AtomicU64 {
        &self.page.words()[place::LEASES[index]]
    }

    pub(crate) fn leases(&self) -> impl Iterator<Item = &AtomicU64> {
        (0..LEASES).map(|index| self.lease(index))
    }

    /// Counts a frame that the reader has let go, and those that it never saw.
    pub(crate) fn count(&self, released: u64, skipped: u64) {
        self.page.words()[place::RELEASED].fetch_add(released, Ordering::Relaxed);
        self.page.words()[place::SKIPPED].fetch_add(skipped, Ordering::Relaxed);
    }

    /// Frames that the reader has let go, and those that it never saw.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let load = |place: usize| self.page.words()[place].load(Ordering::Relaxed);
        (load(place::RELEASED), load(place::SKIPPED))
    }

    /// Says that a thread of the reader is about to wait for the bell. If the publisher does not see this when it rings, the
    /// thread sees the ring before it sleeps.
    pub(crate) fn will_wait(&self, feed: Feed) {
        self.waiting(feed).fetch_add(1, Ordering::Relaxed);
        fence(Ordering::SeqCst);
    }

    pub(crate) fn has_waited(&self, feed: Feed) {
        self.waiting(feed).fetch_sub(1, Ordering::Relaxed);
    }

    /// Whether a thread of the reader may be waiting.
    pub(crate) fn is_waiting(&self, feed: Feed) -> bool {
        self.waiting(feed).load(Ordering::Relaxed) != 0
    }

    fn waiting(&self, feed: Feed) -> &AtomicU64 {
        &self.page.words()[match feed {
            Feed::Done => place::WAITING,
            Feed::Early => place::WAITING_EARLY,
        }]
    }
}
