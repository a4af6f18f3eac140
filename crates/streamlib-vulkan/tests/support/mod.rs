//! Opens the device that tests run on.

use streamlib_vulkan::{DeviceOptions, Validation, VulkanError, VulkanGpu};

/// The best device of this machine with all of validation on, or a word about why there is none.
pub fn gpu() -> Option<VulkanGpu> {
    let options = DeviceOptions {
        validation: Validation::Synchronization,
        ..DeviceOptions::default()
    };
    match VulkanGpu::new(&options) {
        Ok(gpu) => Some(gpu),
        Err(error @ (VulkanError::NoLoader { .. } | VulkanError::NoDevice { .. })) => {
            println!("SKIPPED: {error}");
            None
        }
        Err(error) => panic!("{error}"),
    }
}
