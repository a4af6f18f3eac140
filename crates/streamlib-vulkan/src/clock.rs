//! The device's clock.
#![allow(unsafe_code, reason = "reads clocks")]

use ash::vk;
use streamlib_core::gpu::Calibration;

use crate::device::Device;
use crate::error::VulkanError;
use crate::features::Calibrating;

/// Readings of both clocks for a comparison, of which the surest counts: a single one is off by some tens of microseconds now and then,
/// in virtual machines above all.
const READINGS: usize = 8;

/// What timestamps of the device mean, and how they are compared with the host's clock.
pub(crate) struct Clock {
    /// Bits of a timestamp that are not valid, all at its upper end.
    idle_bits: u32,
    /// Nanoseconds of a tick, in units of 2^-32.
    period: u64,
    /// None when the device cannot tell.
    read_both: Option<vk::PFN_vkGetCalibratedTimestampsKHR>,
}

impl Clock {
    /// The clock of a device whose timestamps have `valid_bits` (1 to 64) and ticks of `period_ns`.
    pub(crate) fn new(
        instance: &ash::Instance,
        device: &ash::Device,
        (valid_bits, period_ns): (u32, f32),
        calibrating: Option<Calibrating>,
    ) -> Self {
        let read_both = calibrating.map(|extension| match extension {
            Calibrating::Khr => {
                let loaded = ash::khr::calibrated_timestamps::Device::new(instance, device);
                loaded.fp().get_calibrated_timestamps_khr
            }
            Calibrating::Ext => {
                let loaded = ash::ext::calibrated_timestamps::Device::new(instance, device);
                loaded.fp().get_calibrated_timestamps_ext
            }
        });
        Self { idle_bits: 64 - valid_bits.min(64), period: fixed_point(period_ns), read_both }
    }

    /// Turns timestamps in the order in which they were taken into nanoseconds.
    pub(crate) fn in_nanoseconds(&self, timestamps: &mut [u64]) {
        in_nanoseconds(timestamps, self.idle_bits, self.period);
    }

    /// Reads the clock and the host's at the same moment, as far as that is possible.
    pub(crate) fn calibrate(&self, device: &Device) -> Result<Option<Calibration>, VulkanError> {
        let Some(read_both) = self.read_both else { return Ok(None) };
        let mut surest: Option<Calibration> = None;
        for _ in 0..READINGS {
            let read = self.read(read_both, device)?;
            if surest.is_none_or(|surest| read.uncertainty_ns < surest.uncertainty_ns) {
                surest = Some(read);
            }
        }
        Ok(surest)
    }

    fn read(
        &self,
        read_both: vk::PFN_vkGetCalibratedTimestampsKHR,
        device: &Device,
    ) -> Result<Calibration, VulkanError> {
        let domains = [vk::TimeDomainKHR::DEVICE, vk::TimeDomainKHR::CLOCK_MONOTONIC]
            .map(|domain| vk::CalibratedTimestampInfoKHR::default().time_domain(domain));
        let (mut both, mut uncertainty_ns) = ([0; 2], 0);
        device.call("vkGetCalibratedTimestampsKHR", || {
            let handle = device.raw().handle();
            // SAFETY: the device has both domains (VUID-VkCalibratedTimestampInfoKHR-timeDomain-02354), they are distinct
            // (VUID-vkGetCalibratedTimestampsKHR-timeDomain-09246), and there is room for one answer each.
            unsafe { read_both(handle, 2, domains.as_ptr(), both.as_mut_ptr(), &raw mut uncertainty_ns) }
                .result()
        })?;
        let [mut device_time, host_ns] = both;
        self.in_nanoseconds(std::slice::from_mut(&mut device_time));
        Ok(Calibration { device_ns: device_time, host_ns: host_ns as i64, uncertainty_ns })
    }
}

fn fixed_point(period_ns: f32) -> u64 {
    (f64::from(period_ns) * 2_f64.powi(32)).round() as u64
}

fn in_nanoseconds(timestamps: &mut [u64], idle_bits: u32, period: u64) {
    let mut before: Option<(u64, u64)> = None;
    for timestamp in timestamps {
        let ticks = match before {
            // So that nothing steps back where the counter starts again from zero.
            Some((raw, ticks)) => {
                let step = (timestamp.wrapping_sub(raw) << idle_bits).cast_signed() >> idle_bits;
                ticks.wrapping_add_signed(step)
            }
            None => *timestamp & (u64::MAX >> idle_bits),
        };
        before = Some((*timestamp, ticks));
        *timestamp = ((u128::from(ticks) * u128::from(period)) >> 32) as u64;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn converted<const N: usize>(mut timestamps: [u64; N], valid_bits: u32, period_ns: f32) -> [u64; N] {
        in_nanoseconds(&mut timestamps, 64 - valid_bits, fixed_point(period_ns));
        timestamps
    }

    #[test]
    fn ticks_become_nanoseconds_without_loss_of_precision() {
        let late = (1 << 62) + 1;
        assert_eq!(converted([late, late + 1], 64, 1.0), [late, late + 1]);
        assert_eq!(converted([100, 110], 48, 52.083_332), [5208, 5729]);
        assert_eq!(converted([0, 32], 64, 31.25), [0, 1000]);
        assert_eq!(converted([], 64, 1.0), [0; 0]);
    }

    #[test]
    fn invalid_bits_are_masked_and_a_counter_that_starts_again_goes_on() {
        let noise = 0xab << 36;
        assert_eq!(converted([noise | 7, 9], 36, 1.0), [7, 9]);
        let last = (1 << 36) - 1;
        assert_eq!(converted([last, noise | 4, 9], 36, 1.0), [last, last + 5, last + 10]);
        assert_eq!(converted([5, 4], 36, 1.0), [5, 4], "a small step back is one");
    }
}
