//! The device that tests run on: the one a user would get.

use std::sync::{Mutex, MutexGuard, PoisonError};

use streamlib_vulkan::{DeviceOptions, VulkanGpu};

/// An open device. Tests take turns: some drivers do not survive a second device beside a busy one.
pub(crate) struct Device {
    pub(crate) gpu: VulkanGpu,
    _turn: MutexGuard<'static, ()>,
}

impl Device {
    /// Opens it. `None`, having said so, where there is none.
    pub(crate) fn open() -> Option<Self> {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let gpu = VulkanGpu::new(&DeviceOptions::default());
        let gpu = gpu.map_err(|error| println!("SKIPPED: no Vulkan device: {error}"));
        gpu.ok().map(|gpu| Self { gpu, _turn: turn })
    }

    /// Checks that the validation layer, where it is there, had nothing to say.
    pub(crate) fn assert_valid(&self) {
        assert_eq!(self.gpu.validation_messages(), 0, "the validation layer complained");
    }
}
