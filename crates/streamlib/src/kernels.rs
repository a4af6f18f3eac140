//! Kernels that were built before.

use std::collections::HashMap;
use std::sync::PoisonError;

use streamlib_core::format::TextureFormat;
use streamlib_core::plan::PlanKernel;
use streamlib_shader::{Effect, EffectId};
use streamlib_vulkan::{Kernel, VulkanError, VulkanGpu};

use crate::programs::create_kernel;
use crate::runtime::StreamRuntime;

/// Kernels kept that nothing runs. An agent that goes back and forth between versions of an effect finds them here. On a CPU device
/// each takes about a megabyte of the driver's.
const KEPT: usize = 64;

type Key = (EffectId, Vec<(String, TextureFormat)>);

/// Kernels by their effect and the formats of its outputs. Of those that no plan has, the least recently used is dropped first.
#[derive(Debug, Default)]
pub(crate) struct KernelCache {
    kernels: HashMap<Key, (Kernel, u64)>,
    uses: u64,
}

impl KernelCache {
    fn get(&mut self, gpu: &VulkanGpu, kernel: &PlanKernel, effect: &Effect) -> Result<Kernel, VulkanError> {
        self.uses += 1;
        let key = (effect.id, kernel.outputs.clone());
        if let Some((known, used)) = self.kernels.get_mut(&key) {
            *used = self.uses;
            return Ok(known.clone());
        }
        let built = create_kernel(gpu, kernel, effect)?;
        let idle = || self.kernels.iter().filter(|(_, (kernel, _))| !kernel.is_shared());
        if idle().count() >= KEPT
            && let Some(oldest) = idle().min_by_key(|(_, (_, used))| *used).map(|(key, _)| key.clone())
        {
            self.kernels.remove(&oldest);
        }
        self.kernels.insert(key, (built.clone(), self.uses));
        Ok(built)
    }
}

impl StreamRuntime {
    /// A kernel that was built before, for this graph or another, or a new one. Whoever builds takes turns.
    pub(crate) fn kernel(&self, kernel: &PlanKernel, effect: &Effect) -> Result<Kernel, VulkanError> {
        let mut kernels = self.kernels().lock().unwrap_or_else(PoisonError::into_inner);
        kernels.get(self.gpu(), kernel, effect)
    }
}
