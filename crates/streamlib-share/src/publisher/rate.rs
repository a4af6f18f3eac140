//! How many frames a second are published.

use streamlib_core::frame::Timestamp;

/// Times shorter than this say little about a rate.
const WINDOW_NS: i64 = 1_000_000_000;

/// Counts frames over windows of at least a second.
#[derive(Debug, Default)]
pub(super) struct Rate {
    start: Option<Timestamp>,
    frames: u64,
    /// Frames in 1,000 seconds, in the last full window; before its end, in the time that has passed.
    rate_mhz: u64,
    is_settled: bool,
}

impl Rate {
    /// Counts a frame published `now`; the rate, in frames in 1,000 seconds.
    pub(super) fn count(&mut self, now: Timestamp) -> u64 {
        let Some(start) = self.start else {
            self.start = Some(now);
            return 0;
        };
        self.frames += 1;
        let passed = now.0.saturating_sub(start.0).max(1);
        let is_full = passed >= WINDOW_NS;
        if is_full || !self.is_settled {
            let rate = u128::from(self.frames) * 1_000_000_000_000 / passed.unsigned_abs() as u128;
            self.rate_mhz = u64::try_from(rate).unwrap_or(u64::MAX);
        }
        if is_full {
            (self.start, self.frames, self.is_settled) = (Some(now), 0, true);
        }
        self.rate_mhz
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sixty_frames_a_second_are_counted_as_such() {
        let mut rate = Rate::default();
        let mut found = 0;
        for frame in 0..200 {
            found = rate.count(Timestamp(frame * 1_000_000_000 / 60));
        }
        assert!((59_900..=60_100).contains(&found), "{found}");
    }

    #[test]
    fn a_clock_that_stands_still_is_survived() {
        let mut rate = Rate::default();
        for _ in 0..5 {
            rate.count(Timestamp(7));
        }
    }
}
