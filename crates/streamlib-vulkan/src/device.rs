//! The logical device: what every other handle hangs on.
#![allow(unsafe_code, reason = "creates and destroys the device, names handles")]

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use ash::ext::debug_utils;
use ash::prelude::VkResult;
use ash::vk;

use crate::clock::Clock;
use crate::debug::c_label;
use crate::endings;
use crate::error::{VulkanError, WindowProblem};
use crate::fault;
use crate::features::Features;
use crate::instance::{Instance, call};
use crate::select::{Candidate, DeviceKind, DeviceReport};

/// What tells a device and its driver from others, the same in every process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Identity {
    pub(crate) device: [u8; 16],
    pub(crate) driver: [u8; 16],
}

/// A logical device. Everything created on it holds an `Arc` of it, so the order of drops never matters.
pub(crate) struct Device {
    raw: ash::Device,
    debug: Option<debug_utils::Device>,
    queue: vk::Queue,
    /// For showing pictures in windows, which may hold a queue up; none where there can be no window, or the family has one queue
    /// only.
    window_queue: Option<vk::Queue>,
    queue_family: u32,
    can_blit: bool,
    clock: Option<Clock>,
    limits: vk::PhysicalDeviceLimits,
    features: Features,
    report: DeviceReport,
    physical: vk::PhysicalDevice,
    lost: AtomicBool,
    instance: Arc<Instance>,
}

impl Device {
    /// Creates a logical device with one queue, and where windows can be shown in a second one of its family, if it has one.
    pub(crate) fn new(instance: &Arc<Instance>, chosen: Candidate) -> Result<Arc<Self>, VulkanError> {
        let has_second = chosen.queues > 1 && chosen.features.swapchain;
        let priorities = if has_second { &[1.0, 0.5][..] } else { &[1.0] };
        let queues = [vk::DeviceQueueCreateInfo::default()
            .queue_family_index(chosen.queue_family)
            .queue_priorities(priorities)];
        let raw = chosen.features.enable(|info| {
            let info = info.queue_create_infos(&queues);
            // SAFETY: the family exists and has as many queues (VUID-VkDeviceQueueCreateInfo-queueFamilyIndex-00381,
            // -queueCount-00382), and only what the device has is switched on (VUID-vkCreateDevice-ppEnabledExtensionNames-01387 and the feature VUIDs).
            call("vkCreateDevice", || unsafe { instance.raw().create_device(chosen.physical, &info, None) })
        })?;
        fault::created("device");
        // SAFETY: as many queues of this family were asked for (VUID-vkGetDeviceQueue-queueIndex-00385).
        let queue = |index| unsafe { raw.get_device_queue(chosen.queue_family, index) };
        let (queue, window_queue) = (queue(0), has_second.then(|| queue(1)));
        let debug = instance.has_debug_utils().then(|| debug_utils::Device::new(instance.raw(), &raw));
        let (bits, period_ns) = (chosen.timestamp_bits, chosen.limits.timestamp_period);
        let calibrating = chosen.features.calibrating;
        let clock = (bits > 0).then(|| Clock::new(instance.raw(), &raw, (bits, period_ns), calibrating));
        Ok(Arc::new(Self {
            raw,
            debug,
            queue,
            window_queue,
            queue_family: chosen.queue_family,
            can_blit: chosen.has_graphics,
            clock,
            limits: chosen.limits,
            features: chosen.features,
            report: chosen.report,
            physical: chosen.physical,
            lost: AtomicBool::new(false),
            instance: Arc::clone(instance),
        }))
    }

    /// Makes a Vulkan call. Once the device is lost, no call is made any more.
    pub(crate) fn call<T>(
        &self,
        name: &'static str,
        call: impl FnOnce() -> VkResult<T>,
    ) -> Result<T, VulkanError> {
        self.check_lost()?;
        endings::note_thread();
        fault::inject().map_or_else(call, Err).map_err(|result| self.failed(name, result))
    }

    /// The error for a result code of this device.
    pub(crate) fn failed(&self, name: &'static str, result: vk::Result) -> VulkanError {
        if result == vk::Result::ERROR_DEVICE_LOST {
            self.lost.store(true, Ordering::Release);
        }
        if result == vk::Result::ERROR_SURFACE_LOST_KHR {
            return VulkanError::Window { device: self.report.name.clone(), problem: WindowProblem::Lost };
        }
        VulkanError::from_result(name, result)
    }

    pub(crate) fn check_lost(&self) -> Result<(), VulkanError> {
        if self.lost.load(Ordering::Acquire) { Err(VulkanError::DeviceLost) } else { Ok(()) }
    }

    /// Names a handle for debuggers. A failure has no consequence but a missing name.
    pub(crate) fn name<H: vk::Handle>(&self, handle: H, label: &str) {
        let Some(debug) = &self.debug else { return };
        let label = c_label(label);
        let info = vk::DebugUtilsObjectNameInfoEXT::default().object_handle(handle).object_name(&label);
        // SAFETY: the handle is alive and, as it was created by the caller, not yet used by another thread
        // (VUID-vkSetDebugUtilsObjectNameEXT-pNameInfo-02588 and its external synchronisation).
        let _nameless = unsafe { debug.set_debug_utils_object_name(&info) };
    }

    pub(crate) fn raw(&self) -> &ash::Device {
        &self.raw
    }

    pub(crate) fn debug(&self) -> Option<&debug_utils::Device> {
        self.debug.as_ref()
    }

    pub(crate) fn instance(&self) -> &Arc<Instance> {
        &self.instance
    }

    pub(crate) fn physical(&self) -> vk::PhysicalDevice {
        self.physical
    }

    /// The queue that frames are computed on. Submitting takes the claim of [`crate::queue::Queue`].
    pub(crate) fn queue(&self) -> vk::Queue {
        self.queue
    }

    /// Another queue of the same family, where there is one.
    pub(crate) fn window_queue(&self) -> Option<vk::Queue> {
        self.window_queue
    }

    /// Whether the family scales images without a kernel.
    pub(crate) fn can_blit(&self) -> bool {
        self.can_blit
    }

    /// What images of a format, in the device's own tiling, can be used for.
    pub(crate) fn format_features(&self, format: vk::Format) -> vk::FormatFeatureFlags {
        self.format_properties(format).optimal_tiling_features
    }

    /// What images of a format can be used for, whose rows lie one after the other.
    pub(crate) fn linear_features(&self, format: vk::Format) -> vk::FormatFeatureFlags {
        self.format_properties(format).linear_tiling_features
    }

    fn format_properties(&self, format: vk::Format) -> vk::FormatProperties {
        // SAFETY: the physical device belongs to the instance.
        unsafe { self.instance.raw().get_physical_device_format_properties(self.physical, format) }
    }

    /// What tells it and its driver from others.
    pub(crate) fn identity(&self) -> Identity {
        let mut ids = vk::PhysicalDeviceIDProperties::default();
        let mut properties = vk::PhysicalDeviceProperties2::default().push_next(&mut ids);
        // SAFETY: the physical device belongs to the instance; the structure is core since 1.1.
        unsafe { self.instance.raw().get_physical_device_properties2(self.physical, &mut properties) };
        Identity { device: ids.device_uuid, driver: ids.driver_uuid }
    }

    pub(crate) fn queue_family(&self) -> u32 {
        self.queue_family
    }

    /// The clock of timestamps; none when the device has none.
    pub(crate) fn clock(&self) -> Option<&Clock> {
        self.clock.as_ref()
    }

    pub(crate) fn limits(&self) -> &vk::PhysicalDeviceLimits {
        &self.limits
    }

    pub(crate) fn features(&self) -> &Features {
        &self.features
    }

    pub(crate) fn report(&self) -> &DeviceReport {
        &self.report
    }

    pub(crate) fn is_cpu(&self) -> bool {
        self.report.kind == DeviceKind::Cpu
    }
}

impl Drop for Device {
    fn drop(&mut self) {
        let _held = endings::hold_off();
        // SAFETY: everything created on the device holds an `Arc` of it and is gone
        // (VUID-vkDestroyDevice-device-05137).
        unsafe { self.raw.destroy_device(None) };
        fault::destroyed("device");
    }
}
