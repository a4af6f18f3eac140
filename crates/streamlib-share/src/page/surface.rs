//! The page that a publisher writes and all its readers read.

use std::os::fd::OwnedFd;
use std::sync::atomic::{AtomicU64, Ordering, fence};
use std::time::Duration;

use streamlib_core::frame::Timestamp;
use streamlib_linux::shared::{Others, PageError, ReadOnlyPage, SharedPage};

use super::slot::{PUBLISHED, SLOT_WORDS, Slot};
use super::{LAYOUT, MAGIC, head};
use crate::lease;

/// Frames that a publisher can have under way at once: the newest, and those that readers hold.
pub(crate) const SLOTS: usize = 64;

/// Which frames somebody takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Feed {
    /// Those that are done.
    Done,
    /// Those that the publisher's GPU may still work on, too.
    Early,
}

impl Feed {
    const fn bell(self) -> usize {
        match self {
            Self::Done => head::BELL,
            Self::Early => head::EARLY_BELL,
        }
    }

    const fn newest(self) -> usize {
        match self {
            Self::Done => place::NEWEST,
            Self::Early => place::NEWEST_EARLY,
        }
    }
}

/// Places of 64-bit words. What is written by every frame and what is read by every reader lie in lines of their own.
mod place {
    pub(super) const NEWEST: usize = 0;
    pub(super) const NEWEST_EARLY: usize = 1;
    pub(super) const PUBLISHED: usize = 8;
    pub(super) const DROPPED: usize = 9;
    pub(super) const READERS: usize = 10;
    pub(super) const RATE: usize = 11;
    pub(super) const SLOTS: usize = 16;
}

const WORDS: usize = place::SLOTS + SLOTS * SLOT_WORDS;

/// What a publisher has counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counters {
    pub(crate) published: u64,
    pub(crate) dropped: u64,
    pub(crate) readers: u64,
    /// Frames in 1,000 seconds.
    pub(crate) rate_mhz: u64,
}

/// The publisher's view.
#[derive(Debug)]
pub(crate) struct SurfacePage {
    page: SharedPage,
}

impl SurfacePage {
    /// A new page, and the file to give to readers.
    pub(crate) fn create() -> Result<(Self, OwnedFd), PageError> {
        let (page, file) = SharedPage::create("streamlib-surface", WORDS, Others::Read)?;
        let head = page.head();
        head[head::MAGIC].store(MAGIC[0], Ordering::Relaxed);
        head[head::LAYOUT].store(LAYOUT, Ordering::Relaxed);
        head[head::SLOTS].store(SLOTS as u32, Ordering::Relaxed);
        Ok((Self { page }, file))
    }

    pub(crate) fn newest(&self, feed: Feed) -> &AtomicU64 {
        &self.page.words()[feed.newest()]
    }

    /// Writes down what lies in `index`, which no reader looks at.
    pub(crate) fn write(&self, index: usize, slot: Slot) {
        let first = place::SLOTS + index * SLOT_WORDS;
        for (word, value) in self.page.words()[first..].iter().zip(slot.to_words()) {
            word.store(value, Ordering::Relaxed);
        }
    }

    /// Writes down that what lies in `index`, which early readers may look at, is done since `now`.
    pub(crate) fn write_done(&self, index: usize, now: Timestamp) {
        let first = place::SLOTS + index * SLOT_WORDS;
        self.page.words()[first + PUBLISHED].store(now.0 as u64, Ordering::Relaxed);
    }

    /// Ends the waits of readers that have not fallen asleep yet. Whoever is not seen waiting after this need not be woken.
    pub(crate) fn ring(&self, feed: Feed) {
        self.page.head()[feed.bell()].fetch_add(1, Ordering::Release);
        fence(Ordering::SeqCst);
    }

    /// Wakes readers whose wait has become pointless.
    pub(crate) fn wake(&self, feed: Feed) {
        self.page.wake(feed.bell());
    }

    /// Tells readers that nothing will come any more.
    pub(crate) fn close(&self) {
        self.page.head()[head::CLOSED].store(1, Ordering::Release);
        for feed in [Feed::Done, Feed::Early] {
            self.ring(feed);
            self.wake(feed);
        }
    }

    pub(crate) fn count_published(&self, rate_mhz: u64) {
        self.page.words()[place::PUBLISHED].fetch_add(1, Ordering::Relaxed);
        self.page.words()[place::RATE].store(rate_mhz, Ordering::Relaxed);
    }

    pub(crate) fn count_dropped(&self, frames: u64) {
        self.page.words()[place::DROPPED].fetch_add(frames, Ordering::Relaxed);
    }

    pub(crate) fn set_readers(&self, readers: usize) {
        self.page.words()[place::READERS].store(readers as u64, Ordering::Relaxed);
    }

    pub(crate) fn counters(&self) -> Counters {
        counters(|place| self.page.words()[place].load(Ordering::Relaxed))
    }
}

/// The view of readers and of the broker.
#[derive(Debug)]
pub(crate) struct SurfaceView {
    page: ReadOnlyPage,
}

impl SurfaceView {
    /// Maps a page that somebody else has made.
    pub(crate) fn open(file: &OwnedFd) -> Result<Self, PageError> {
        let page = ReadOnlyPage::open(file, WORDS)?;
        let found = [page.head(head::MAGIC), page.head(head::LAYOUT), page.head(head::SLOTS)];
        if found != [MAGIC[0], LAYOUT, SLOTS as u32] {
            return Err(PageError::NotMemory);
        }
        Ok(Self { page })
    }

    /// What is newest, by a relaxed load.
    pub(crate) fn newest(&self, feed: Feed) -> u64 {
        self.page.word(feed.newest())
    }

    /// What lies in the slot of `word`. It only means something while a lease holds the word.
    pub(crate) fn slot(&self, word: u64) -> Option<Slot> {
        let index = lease::slot(word);
        let first = place::SLOTS + index * SLOT_WORDS;
        (index < SLOTS).then(|| Slot::from_words(|place| self.page.word(first + place)))?
    }

    /// What [`SurfaceView::wait`] waits for a change of. Whatever was published before is seen after.
    pub(crate) fn bell(&self, feed: Feed) -> u32 {
        let bell = self.page.head(feed.bell());
        fence(Ordering::Acquire);
        bell
    }

    /// Waits until the bell, which stood at `heard`, is rung, `timeout` at most; it may end early.
    pub(crate) fn wait(&self, feed: Feed, heard: u32, timeout: Duration) {
        self.page.wait(feed.bell(), heard, timeout);
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.page.head(head::CLOSED) != 0
    }

    pub(crate) fn counters(&self) -> Counters {
        counters(|place| self.page.word(place))
    }
}

fn counters(word: impl Fn(usize) -> u64) -> Counters {
    Counters {
        published: word(place::PUBLISHED),
        dropped: word(place::DROPPED),
        readers: word(place::READERS),
        rate_mhz: word(place::RATE),
    }
}
