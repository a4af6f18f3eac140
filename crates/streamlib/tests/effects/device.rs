//! The device that tests run on: the one a user would get.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use streamlib::vulkan::{DeviceOptions, VulkanError, VulkanGpu};
use streamlib::{StartError, StreamRuntime};

use crate::library::Library;

/// An open device. Tests take turns: some drivers do not survive a second device beside a busy one.
pub(crate) struct Device {
    pub(crate) runtime: StreamRuntime,
    _turn: MutexGuard<'static, ()>,
}

impl Device {
    /// Opens it. `None`, having said so, where there is none.
    pub(crate) fn open(library: &Library) -> Option<Self> {
        static TURN: Mutex<()> = Mutex::new(());
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        match StreamRuntime::with_compiler(library.compiler(), &DeviceOptions::default()) {
            Ok(runtime) => Some(Self { runtime, _turn: turn }),
            Err(StartError::Gpu(error @ (VulkanError::NoLoader { .. } | VulkanError::NoDevice { .. }))) => {
                println!("SKIPPED: {error}");
                None
            }
            Err(error) => panic!("{error}"),
        }
    }

    /// The GPU alone.
    pub(crate) fn gpu(&self) -> &Arc<VulkanGpu> {
        self.runtime.gpu()
    }

    /// Checks that the validation layer, where it is there, had nothing to say.
    pub(crate) fn assert_valid(&self) {
        assert_eq!(self.gpu().validation_messages(), 0, "the validation layer complained");
    }
}
