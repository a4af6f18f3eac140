//! Frames per second, of late.

use crate::frame::Timestamp;

/// Deliveries that are remembered.
const REMEMBERED: usize = 256;
/// Deliveries before this do not count, nanoseconds.
const WINDOW_NS: i64 = 2_000_000_000;
const SECOND_NS: f64 = 1e9;

/// When the last frames were delivered.
#[derive(Clone, Debug)]
pub(super) struct Rate {
    times: [Timestamp; REMEMBERED],
    count: usize,
}

impl Rate {
    pub(super) fn new() -> Self {
        Self { times: [Timestamp::default(); REMEMBERED], count: 0 }
    }

    pub(super) fn record(&mut self, at: Timestamp) {
        self.times[self.count % REMEMBERED] = at;
        self.count += 1;
    }

    /// Frames per second at `now`. It falls as soon as frames stay away.
    pub(super) fn per_second(&self, now: Timestamp) -> f64 {
        let known = &self.times[..self.count.min(REMEMBERED)];
        let recent = known.iter().map(|at| at.0).filter(|at| now.0.saturating_sub(*at) <= WINDOW_NS);
        let (count, first, last) =
            recent.fold((0_u32, i64::MAX, i64::MIN), |(n, a, b), at| (n + 1, a.min(at), b.max(at)));
        if count < 2 {
            return 0.0;
        }
        let (intervals, mut span) = (f64::from(count - 1), (last - first) as f64);
        let silence = now.0.saturating_sub(last) as f64;
        if silence > 2.0 * span / intervals {
            span += silence;
        }
        if span > 0.0 { intervals * SECOND_NS / span } else { 0.0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: i64 = 20_000_000;

    fn fifty_fps(frames: i64) -> Rate {
        let mut rate = Rate::new();
        (0..frames).for_each(|n| rate.record(Timestamp(n * INTERVAL)));
        rate
    }

    #[test]
    fn the_rate_is_that_of_the_last_two_seconds() {
        for frames in [2, 3, 50, 1_000] {
            let rate = fifty_fps(frames).per_second(Timestamp((frames - 1) * INTERVAL));
            assert!((rate - 50.0).abs() < 1e-9, "{frames} frames: {rate}");
        }
        let mut rate = fifty_fps(1_000);
        (0..400).for_each(|n| rate.record(Timestamp(1_000 * INTERVAL + n * INTERVAL / 2)));
        assert!((rate.per_second(Timestamp(1_200 * INTERVAL)) - 100.0).abs() < 1.0);
    }

    #[test]
    fn the_rate_falls_when_frames_stay_away() {
        let rate = fifty_fps(100);
        let at = |seconds: i64| rate.per_second(Timestamp(99 * INTERVAL + seconds * 1_000_000_000));
        assert!(at(1) < 40.0 && at(1) > 0.0, "{}", at(1));
        assert_eq!(at(3), 0.0);
        assert_eq!(fifty_fps(0).per_second(Timestamp(0)), 0.0);
        assert_eq!(fifty_fps(1).per_second(Timestamp(0)), 0.0);
    }
}
