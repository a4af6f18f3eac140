//! When a camera that gives no pictures is tried again, and when it is given up.

use std::time::{Duration, Instant};

/// A camera that gives nothing for so long is restarted.
const STALL: Duration = Duration::from_secs(2);
/// A camera that was restarted is given at most so long.
const LONGEST_STALL: Duration = Duration::from_secs(8);
/// Between the first two tries to open a camera.
const PAUSE: Duration = Duration::from_millis(250);
/// Between any two.
const LONGEST_PAUSE: Duration = Duration::from_secs(4);

/// The time since a camera's last picture. Every wait in it is twice as long as the one before, up to some seconds.
#[derive(Clone, Debug)]
pub(crate) struct Outage {
    /// When the last picture came.
    last: Instant,
    /// When something was last done about it, or else that.
    since: Instant,
    /// How often something was done about it.
    attempts: u32,
}

impl Outage {
    pub(crate) fn new(now: Instant) -> Self {
        Self { last: now, since: now, attempts: 0 }
    }

    /// A picture came, or the engine is behind and not the camera: there is none.
    pub(crate) fn end(&mut self, now: Instant) {
        *self = Self::new(now);
    }

    /// Whether a camera that streams may give nothing for some more time before something is done about it. A slow camera has longer.
    pub(crate) fn is_patient(&self, now: Instant, frame_rate: Option<(u32, u32)>) -> bool {
        now.saturating_duration_since(self.since) < self.patience(frame_rate)
    }

    fn patience(&self, frame_rate: Option<(u32, u32)>) -> Duration {
        let frame = frame_rate.map_or(0.0, |(frames, seconds)| f64::from(seconds) / f64::from(frames.max(1)));
        let slow = Duration::from_secs_f64((4.0 * frame).min(60.0));
        doubled(STALL, self.attempts, LONGEST_STALL).max(slow)
    }

    /// How long to wait before the camera is opened once more.
    pub(crate) fn pause(&self) -> Duration {
        doubled(PAUSE, self.attempts.saturating_sub(1), LONGEST_PAUSE)
    }

    /// Something is done about it; whether it is the first time.
    pub(crate) fn attempt(&mut self, now: Instant) -> bool {
        self.since = now;
        self.attempts += 1;
        self.attempts == 1
    }

    /// A camera was plugged in, and may need a moment: pauses begin anew.
    pub(crate) fn hope(&mut self) {
        self.attempts = self.attempts.min(1);
    }

    /// How long it has lasted.
    pub(crate) fn lasted(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.last)
    }
}

fn doubled(first: Duration, times: u32, longest: Duration) -> Duration {
    first.saturating_mul(1_u32.checked_shl(times).unwrap_or(u32::MAX)).min(longest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_a_limit_and_begin_anew_with_a_picture() {
        let start = Instant::now();
        let at = |seconds| start + Duration::from_secs(seconds);
        let mut outage = Outage::new(start);
        assert!(outage.is_patient(at(1), None) && !outage.is_patient(at(2), None));
        let mut waits = Vec::new();
        for attempt in 0..40 {
            assert_eq!(outage.attempt(at(10)), attempt == 0);
            waits.push((outage.patience(Some((30, 1))).as_secs(), outage.pause().as_millis()));
        }
        assert_eq!(waits[..6], [(4, 250), (8, 500), (8, 1000), (8, 2000), (8, 4000), (8, 4000)]);
        assert_eq!(waits[39], (8, 4000));
        assert!(outage.is_patient(at(17), None) && !outage.is_patient(at(18), None));
        assert_eq!(outage.lasted(at(18)), Duration::from_secs(18));
        outage.hope();
        assert_eq!(outage.pause(), PAUSE);
        outage.end(at(20));
        assert_eq!((outage.patience(None), outage.lasted(at(20))), (STALL, Duration::ZERO));
        assert_eq!(outage.lasted(start), Duration::ZERO);
    }

    #[test]
    fn a_camera_of_one_frame_in_two_seconds_may_take_eight() {
        let outage = Outage::new(Instant::now());
        assert_eq!(outage.patience(Some((1, 2))), Duration::from_secs(8));
        assert_eq!(outage.patience(Some((0, u32::MAX))), Duration::from_secs(60));
    }
}
