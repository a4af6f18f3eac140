//! File descriptors of what is shared.
#![allow(unsafe_code, reason = "asks the driver for file descriptors and takes them over")]

use std::os::fd::{FromRawFd, OwnedFd};
use std::sync::Arc;

use ash::vk;

use crate::device::Device;
use crate::error::VulkanError;
use crate::timeline::Timeline;

/// A descriptor of memory that was allocated to be exported.
pub(super) fn memory_descriptor(
    device: &Arc<Device>,
    memory: vk::DeviceMemory,
) -> Result<OwnedFd, VulkanError> {
    let extension = ash::khr::external_memory_fd::Device::new(device.instance().raw(), device.raw());
    let info = vk::MemoryGetFdInfoKHR::default()
        .memory(memory)
        .handle_type(vk::ExternalMemoryHandleTypeFlags::OPAQUE_FD);
    // SAFETY: the memory is alive and was allocated with this handle type (VUID-VkMemoryGetFdInfoKHR-handleType-00671).
    let descriptor = device.call("vkGetMemoryFdKHR", || unsafe { extension.get_memory_fd(&info) })?;
    // SAFETY: the descriptor is new, and the application's to close.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}

/// A descriptor of a timeline that was made to be exported as one.
pub(crate) fn timeline_descriptor(device: &Arc<Device>, timeline: &Timeline) -> Result<OwnedFd, VulkanError> {
    let extension = ash::khr::external_semaphore_fd::Device::new(device.instance().raw(), device.raw());
    let info = vk::SemaphoreGetFdInfoKHR::default()
        .semaphore(timeline.semaphore())
        .handle_type(vk::ExternalSemaphoreHandleTypeFlags::OPAQUE_FD);
    // SAFETY: the semaphore is alive and was created with this handle type (VUID-VkSemaphoreGetFdInfoKHR-handleType-01132).
    let descriptor = device.call("vkGetSemaphoreFdKHR", || unsafe { extension.get_semaphore_fd(&info) })?;
    // SAFETY: as above.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor) })
}
