//! A command buffer with a pool of its own.
#![allow(unsafe_code, reason = "allocates command buffers")]

use std::sync::Arc;

use ash::vk;

use crate::device::Device;
use crate::error::VulkanError;
use crate::handle::Owned;

/// A command buffer; dropping it destroys it. Its pool is its own, so whoever has this value may record into it.
pub(crate) struct Commands {
    _pool: Owned<vk::CommandPool>,
    raw: vk::CommandBuffer,
}

impl Commands {
    pub(crate) fn new(device: &Arc<Device>, label: &str) -> Result<Self, VulkanError> {
        let info = vk::CommandPoolCreateInfo::default()
            .queue_family_index(device.queue_family())
            .flags(vk::CommandPoolCreateFlags::RESET_COMMAND_BUFFER);
        let pool = Owned::new(device, "vkCreateCommandPool", |raw| {
            // SAFETY: the family exists (VUID-vkCreateCommandPool-queueFamilyIndex-01937).
            unsafe { raw.create_command_pool(&info, None) }
        })?
        .named(label);
        let info = vk::CommandBufferAllocateInfo::default()
            .command_pool(pool.raw())
            .level(vk::CommandBufferLevel::PRIMARY)
            .command_buffer_count(1);
        // SAFETY: the pool is alive and used by this thread only (VUID-vkAllocateCommandBuffers-pAllocateInfo-parameter).
        let buffers = device
            .call("vkAllocateCommandBuffers", || unsafe { device.raw().allocate_command_buffers(&info) })?;
        let raw = buffers[0];
        device.name(raw, label);
        Ok(Self { _pool: pool, raw })
    }

    pub(crate) fn raw(&self) -> vk::CommandBuffer {
        self.raw
    }
}
