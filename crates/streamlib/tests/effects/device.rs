//! The device that tests run on: the one a user would get.

use streamlib_vulkan::{DeviceOptions, VulkanGpu};

/// Opens it. `None`, having said so, where there is none.
pub fn open() -> Option<VulkanGpu> {
    let gpu = VulkanGpu::new(&DeviceOptions::default());
    gpu.map_err(|error| println!("SKIPPED: no Vulkan device: {error}")).ok()
}
