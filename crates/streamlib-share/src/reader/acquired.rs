//! A frame that a reader holds.

use std::num::NonZeroU64;
use std::sync::Arc;

use streamlib_core::format::Size;
use streamlib_core::frame::{FrameMeta, Timestamp};

use super::link::Link;
use crate::buffer::{BufferId, FormatCode};
use crate::lease;
use crate::page::{Feed, Slot};

/// A frame of a surface. As long as it lives its buffer is not overwritten, unless the publisher ends. It may be dropped in any
/// thread.
#[derive(Debug)]
#[must_use = "the frame is let go when this is dropped"]
pub struct Acquired {
    link: Arc<Link>,
    lease: usize,
    word: u64,
    slot: Slot,
    is_early: bool,
    skipped: u64,
}

impl Acquired {
    pub(super) fn new(
        link: Arc<Link>,
        (lease, word): (usize, u64),
        (slot, feed): (Slot, Feed),
        seen: u64,
    ) -> Self {
        let is_early = feed == Feed::Early;
        // What came before a reader did, it has not missed.
        let skipped = if seen == 0 { 0 } else { lease::sequence(word) - seen - 1 };
        Self { link, lease, word, slot, is_early, skipped }
    }

    /// Number of the publication, counted from 1.
    #[must_use]
    pub fn number(&self) -> u64 {
        lease::sequence(self.word)
    }

    /// The buffer that it lies in; [`Reader::buffer`](super::Reader::buffer) gets it.
    #[must_use]
    pub fn buffer(&self) -> BufferId {
        self.slot.buffer
    }

    /// Width and height in pixels.
    #[must_use]
    pub fn size(&self) -> Size {
        self.slot.size
    }

    /// Its texels.
    #[must_use]
    pub fn format(&self) -> FormatCode {
        self.slot.format
    }

    /// What the publisher says of it.
    #[must_use]
    pub fn meta(&self) -> &FrameMeta {
        &self.slot.meta
    }

    /// When it was published, on `CLOCK_MONOTONIC`.
    #[must_use]
    pub fn published(&self) -> Timestamp {
        self.slot.published
    }

    /// Value of the publisher's timeline that tells that it is done, if it was not when it was published: to be waited for before
    /// its buffer is read. Only readers that [read early](super::Reader::read_early) get such frames.
    #[must_use]
    pub fn done(&self) -> Option<NonZeroU64> {
        NonZeroU64::new(self.slot.done).filter(|_| self.is_early)
    }

    /// Publications since the last one that this reader acquired which it never saw.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped
    }

    /// Lets it go. Whatever read it must have ended, on the GPU too.
    pub fn release(self) {}
}

impl Drop for Acquired {
    fn drop(&mut self) {
        self.link.release(self.lease, self.skipped);
    }
}
