//! The one owner of every handle that belongs to a device.
#![allow(unsafe_code, reason = "destroys Vulkan handles")]

use std::sync::Arc;

use ash::prelude::VkResult;
use ash::vk;

use crate::device::Device;
use crate::error::VulkanError;
use crate::fault;

/// A kind of handle and how it is destroyed.
pub(crate) trait Destroy: vk::Handle + Copy {
    /// Name in counts and messages.
    const KIND: &'static str;

    /// Destroys it.
    ///
    /// # Safety
    /// The handle was created on `device`, is not used by pending work and is not used afterwards.
    unsafe fn destroy(self, device: &ash::Device);
}

macro_rules! destroy {
    ($($handle:ident, $kind:literal, $function:ident;)*) => {$(
        impl Destroy for vk::$handle {
            const KIND: &'static str = $kind;

            unsafe fn destroy(self, device: &ash::Device) {
                // SAFETY: forwarded from the caller.
                unsafe { device.$function(self, None) }
            }
        }
    )*};
}

destroy! {
    Buffer, "buffer", destroy_buffer;
    CommandPool, "command pool", destroy_command_pool;
    DescriptorPool, "descriptor pool", destroy_descriptor_pool;
    DeviceMemory, "shared memory", free_memory;
    DescriptorSetLayout, "descriptor set layout", destroy_descriptor_set_layout;
    Image, "image", destroy_image;
    ImageView, "image view", destroy_image_view;
    Pipeline, "pipeline", destroy_pipeline;
    PipelineLayout, "pipeline layout", destroy_pipeline_layout;
    QueryPool, "query pool", destroy_query_pool;
    Sampler, "sampler", destroy_sampler;
    Semaphore, "semaphore", destroy_semaphore;
    ShaderModule, "shader module", destroy_shader_module;
}

/// A handle that is destroyed on drop. Its holder sees to it that no submitted work uses it by then.
pub(crate) struct Owned<H: Destroy> {
    raw: H,
    device: Arc<Device>,
}

impl<H: Destroy> Owned<H> {
    /// Creates a handle with the call `function`; `create` makes exactly that call.
    pub(crate) fn new(
        device: &Arc<Device>,
        function: &'static str,
        create: impl FnOnce(&ash::Device) -> VkResult<H>,
    ) -> Result<Self, VulkanError> {
        let raw = device.call(function, || create(device.raw()))?;
        fault::created(H::KIND);
        let device = Arc::clone(device);
        Ok(Self { raw, device })
    }

    /// Names it for debuggers.
    pub(crate) fn named(self, label: &str) -> Self {
        self.device.name(self.raw, label);
        self
    }

    /// The handle, valid while `self` lives.
    pub(crate) fn raw(&self) -> H {
        self.raw
    }
}

impl<H: Destroy> Drop for Owned<H> {
    fn drop(&mut self) {
        // SAFETY: created on this device by `new`; the holder keeps it until submitted work has finished
        // (VUID-vkDestroyImage-image-01000 and its likes); nothing can use it after drop.
        unsafe { self.raw.destroy(self.device.raw()) }
        fault::destroyed(H::KIND);
    }
}

impl<H: Destroy> std::fmt::Debug for Owned<H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}({:#x})", H::KIND, self.raw.as_raw())
    }
}
