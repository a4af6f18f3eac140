//! What the device's clock says, as the host's clock has it.

use crate::frame::Timestamp;
use crate::gpu::Calibration;

/// Clocks that part faster were not compared well, or one of them was set.
const MOST: f64 = 1e-3;
/// How much of what a comparison says of the pace is believed, once there is one: a comparison is off by some microseconds.
const BELIEVED: f64 = 0.25;

/// The last comparison of both clocks, and how fast they part: by some parts in a million, which are microseconds in a second.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DeviceClock {
    compared: Option<Calibration>,
    /// What the host's clock gains in a nanosecond of the device's, nanoseconds; None until there were two comparisons.
    gain: Option<f64>,
}

impl DeviceClock {
    /// Takes another comparison, later than those before.
    pub(super) fn compare(&mut self, now: Calibration) {
        if let Some(before) = self.compared {
            let passed = now.device_ns.wrapping_sub(before.device_ns).cast_signed();
            let gained = now.host_ns.wrapping_sub(before.to_host(now.device_ns));
            let gain = gained as f64 / passed as f64;
            if passed > 0 && gain.abs() <= MOST {
                self.gain = Some(self.gain.map_or(gain, |known| known + (gain - known) * BELIEVED));
            }
        }
        self.compared = Some(now);
    }

    /// A moment on the device's clock, nanoseconds; None before the first comparison.
    pub(super) fn to_host(self, device_ns: u64) -> Option<Timestamp> {
        let compared = self.compared?;
        let since = device_ns.wrapping_sub(compared.device_ns).cast_signed();
        let gained = (since as f64 * self.gain.unwrap_or(0.0)).round() as i64;
        Some(Timestamp(compared.to_host(device_ns).wrapping_add(gained)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    /// A comparison after `device_ns`, where the host's clock started at 500 and loses seven parts in a million.
    fn slow(device_ns: u64) -> Calibration {
        let host_ns = 500 + device_ns as i64 - device_ns as i64 * 7 / 1_000_000;
        Calibration { device_ns, host_ns, uncertainty_ns: 0 }
    }

    fn host_ns(clock: DeviceClock, device_ns: u64) -> i64 {
        clock.to_host(device_ns).expect("it was compared").0
    }

    #[test]
    fn moments_between_comparisons_follow_the_pace_that_these_have_shown() {
        let mut clock = DeviceClock::default();
        assert_eq!(clock.to_host(1), None);
        clock.compare(slow(SECOND));
        assert_eq!(host_ns(clock, 2 * SECOND), slow(2 * SECOND).host_ns + 7_000, "no pace is known yet");
        clock.compare(slow(2 * SECOND));
        for moment in [2 * SECOND, 3 * SECOND, 12 * SECOND, SECOND] {
            assert!((host_ns(clock, moment) - slow(moment).host_ns).abs() <= 1, "{moment}");
        }
    }

    #[test]
    fn a_comparison_that_was_off_moves_the_pace_a_little() {
        let mut clock = DeviceClock::default();
        for second in 1..4 {
            clock.compare(slow(second * SECOND));
        }
        let off = Calibration { host_ns: slow(4 * SECOND).host_ns + 4_000, ..slow(4 * SECOND) };
        clock.compare(off);
        assert_eq!(host_ns(clock, 4 * SECOND), off.host_ns);
        let after = host_ns(clock, 5 * SECOND) - slow(5 * SECOND).host_ns;
        assert!((after - 5_000).abs() <= 1, "{after}: the comparison's error, and a quarter of it");
    }

    #[test]
    fn a_clock_that_was_set_is_followed_and_tells_nothing_of_the_pace() {
        let mut clock = DeviceClock::default();
        (1..3).for_each(|second| clock.compare(slow(second * SECOND)));
        for set in [
            Calibration { host_ns: 77, ..slow(3 * SECOND) },
            Calibration { device_ns: 5, host_ns: 99, uncertainty_ns: 0 },
            Calibration { device_ns: 5, host_ns: 100, uncertainty_ns: 0 },
        ] {
            clock.compare(set);
            assert_eq!(host_ns(clock, set.device_ns), set.host_ns);
            assert_eq!(host_ns(clock, set.device_ns + SECOND), set.host_ns + SECOND as i64 - 7_000);
        }
    }
}
