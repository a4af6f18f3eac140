//! Frames on a screen: when each was seen there.

use std::sync::PoisonError;

use serde::{Deserialize, Serialize};

use super::histogram::Durations;
use super::stats::Summary;
use crate::frame::Timestamp;
use crate::sync::Mutex;

/// How the moment is known at which a frame was shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShownBy {
    /// The screen's driver told when the first line was sent to it.
    PageFlip,
    /// The window system told when it had put it on the screen.
    Presented,
    /// The window system has taken it; when it was seen nobody told. That is later, by up to two pictures of the screen.
    HandedOver,
}

impl ShownBy {
    /// The moment, for people; it completes "from capture to …".
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::PageFlip => "page flip",
            Self::Presented => "presentation",
            Self::HandedOver => "hand-over",
        }
    }

    /// Whether the screen tells of its pictures, so that it is known which of them a frame missed.
    #[must_use]
    pub fn tells_missed(self) -> bool {
        match self {
            Self::PageFlip | Self::Presented => true,
            Self::HandedOver => false,
        }
    }
}

/// When a frame was where on its way to a screen, on the clock of its capture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShownFrame {
    /// The source saw it.
    pub captured: Timestamp,
    /// It was ready, and the screen or the window system was asked to show it.
    pub handed: Timestamp,
    /// It was seen.
    pub shown: Timestamp,
}

/// What a screen has shown.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct ShownStats {
    /// How the moments are known.
    pub by: ShownBy,
    /// Frames that were shown.
    pub frames: u64,
    /// Pictures of the screen that showed an older frame though this one had been handed over before; counted where the screen
    /// tells its moments.
    pub missed: u64,
    /// Frames that were never shown because a newer one took their place.
    pub replaced: u64,
    /// From capture to the moment at which it was shown.
    pub latency: Summary,
}

/// What one sink has shown. The thread that shows writes it; it waits for a reader no longer than a reading takes.
#[derive(Debug, Default)]
pub(super) struct Shown(Mutex<Option<Box<Book>>>);

#[derive(Debug)]
struct Book {
    by: ShownBy,
    latency: Durations,
    missed: u64,
    last: Option<Timestamp>,
}

impl Shown {
    pub(super) fn record(&self, by: ShownBy, frame: ShownFrame, refresh_ns: Option<i64>) {
        let mut guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Box::new(Book { by, latency: Durations::new(), missed: 0, last: None });
        let book = guard.get_or_insert_with(new);
        book.by = by;
        book.latency.record(frame.shown.0.saturating_sub(frame.captured.0));
        let last = book.last.replace(frame.shown);
        if let (Some(last), Some(refresh_ns @ 1..)) = (last, refresh_ns) {
            book.missed += missed(last, frame, refresh_ns);
        }
    }

    pub(super) fn stats(&self, replaced: u64) -> Option<ShownStats> {
        let guard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let book = guard.as_ref()?;
        let latency = book.latency.summary();
        let frames = latency.count + latency.negative;
        Some(ShownStats { by: book.by, frames, missed: book.missed, replaced, latency })
    }
}

/// Pictures of a screen between the first that could have shown a frame and the one that did. The screen's pictures are counted
/// from the moment of the frame before, `refresh_ns` apart.
fn missed(last: Timestamp, frame: ShownFrame, refresh_ns: i64) -> u64 {
    let since = |at: Timestamp| at.0.saturating_sub(last.0).max(0);
    // The frame before took one picture itself.
    let first = (since(frame.handed) / refresh_ns + 1).max(1);
    let found = (since(frame.shown) + refresh_ns / 2) / refresh_ns;
    u64::try_from(found - first).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MS: i64 = 1_000_000;

    fn frame(captured: i64, handed: i64, shown: i64) -> ShownFrame {
        let at = |ms: i64| Timestamp(ms * MS);
        ShownFrame { captured: at(captured), handed: at(handed), shown: at(shown) }
    }

    #[test]
    fn a_screen_that_nothing_was_shown_on_has_no_account() {
        assert_eq!(Shown::default().stats(3), None);
    }

    #[test]
    fn pictures_that_a_frame_was_too_late_for_are_none_that_it_missed() {
        let shown = Shown::default();
        // A screen of 100 Hz. The second frame comes after two pictures, and is on the third.
        for frame in [frame(0, 4, 10), frame(5, 25, 30), frame(31, 38, 40)] {
            shown.record(ShownBy::PageFlip, frame, Some(10 * MS));
        }
        let stats = shown.stats(7).expect("an account");
        assert_eq!((stats.by, stats.frames, stats.missed, stats.replaced), (ShownBy::PageFlip, 3, 0, 7));
        assert_eq!((stats.latency.count, stats.latency.max_us), (3, 25_000.0));
    }

    #[test]
    fn pictures_that_show_an_older_frame_are_missed() {
        let shown = Shown::default();
        // Ready for the picture at 20 ms, and on the one at 40; the time stamps of screens are not exact.
        for frame in [frame(0, 4, 10), ShownFrame { shown: Timestamp(41 * MS), ..frame(5, 12, 0) }] {
            shown.record(ShownBy::PageFlip, frame, Some(10 * MS));
        }
        assert_eq!(shown.stats(0).expect("an account").missed, 2);
        // Where the screen's pictures are not known, nothing is claimed of them.
        shown.record(ShownBy::HandedOver, frame(41, 42, 99), None);
        let stats = shown.stats(0).expect("an account");
        assert_eq!((stats.by, stats.frames, stats.missed), (ShownBy::HandedOver, 3, 2));
    }
}
