//! The object that a user holds.

use std::sync::{Arc, Mutex};

use streamlib_shader::{Compiler, CompilerOptions};
use streamlib_vulkan::{DeviceOptions, VulkanGpu};

use crate::eager::Eager;
use crate::error::StartError;
use crate::kernels::KernelCache;

/// How to start a runtime.
#[derive(Clone, Debug, Default)]
pub struct RuntimeOptions {
    /// Which GPU, and whether the validation layer watches.
    pub device: DeviceOptions,
    /// Where DXC and the cache are.
    pub compiler: CompilerOptions,
}

/// A runtime on this device: one GPU and one effect compiler.
#[derive(Debug)]
pub struct StreamRuntime {
    gpu: Arc<VulkanGpu>,
    compiler: Arc<Compiler>,
    /// Of all graphs, so that one that is started again finds its own.
    kernels: Mutex<KernelCache>,
    eager: Eager,
}

impl StreamRuntime {
    /// Finds the compiler and opens the GPU.
    ///
    /// # Errors
    /// When DXC or a usable Vulkan device is missing; the message says how to get it.
    pub fn new(options: &RuntimeOptions) -> Result<Self, StartError> {
        let compiler = Arc::new(Compiler::new(options.compiler.clone())?);
        Self::with_compiler(compiler, &options.device)
    }

    /// Opens the GPU beside a compiler that is there already: a second device, or a new one after the old was lost.
    ///
    /// # Errors
    /// When a usable Vulkan device is missing.
    pub fn with_compiler(compiler: Arc<Compiler>, device: &DeviceOptions) -> Result<Self, StartError> {
        let gpu = Arc::new(VulkanGpu::new(device)?);
        Ok(Self { gpu, compiler, kernels: Mutex::default(), eager: Eager::default() })
    }

    /// The GPU.
    #[must_use]
    pub fn gpu(&self) -> &Arc<VulkanGpu> {
        &self.gpu
    }

    pub(crate) fn kernels(&self) -> &Mutex<KernelCache> {
        &self.kernels
    }

    pub(crate) fn eager(&self) -> &Eager {
        &self.eager
    }

    /// The effect compiler.
    #[must_use]
    pub fn compiler(&self) -> &Arc<Compiler> {
        &self.compiler
    }
}
