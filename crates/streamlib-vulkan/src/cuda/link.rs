//! A Vulkan device and CUDA's context on the same GPU.

use std::ffi::c_int;
use std::sync::Arc;

use ash::vk;
use streamlib_core::gpu::TextureDesc;

use super::driver::Context;
use super::error::CudaError;
use super::event::Event;
use super::memory::{ImportedMemory, ImportedTimeline};
use super::texture::{CudaTexture, Shared};
use crate::VulkanGpu;
use crate::external::{create_linear_texture, share, timeline_descriptor};
use crate::timeline::Timeline;

/// What textures for CUDA are made with. One for each device; cloning gives another handle.
#[derive(Clone)]
pub struct CudaLink(pub(super) Arc<Link>);

pub(super) struct Link {
    pub(super) gpu: Arc<VulkanGpu>,
    pub(super) context: Arc<Context>,
    /// Counts submissions that CUDA is to see.
    pub(super) produced: Arc<Timeline>,
    /// The same, for streams to wait for.
    pub(super) imported: ImportedTimeline,
}

impl CudaLink {
    /// Finds the device in CUDA, and retains its primary context: the one of torch, CuPy and the like.
    ///
    /// # Errors
    /// Where CUDA is not there, does not know the device, or refuses.
    pub fn new(gpu: &Arc<VulkanGpu>) -> Result<Self, CudaError> {
        let device = gpu.device();
        let other = || CudaError::OtherDevice { device: device.report().name.clone() };
        if device.is_cpu() || !device.features().exchange.is_whole() {
            return Err(other());
        }
        let context = Context::of(device.identity().device)?.ok_or_else(other)?;
        let exports = vk::ExternalSemaphoreHandleTypeFlags::OPAQUE_FD;
        let produced = Timeline::with_exports(device, "shared timeline", exports)?;
        let imported = ImportedTimeline::new(&context, timeline_descriptor(device, &produced)?)?;
        Ok(Self(Arc::new(Link { gpu: Arc::clone(gpu), context, produced, imported })))
    }

    /// CUDA's number of the device.
    #[must_use]
    pub fn device(&self) -> c_int {
        self.0.context.device()
    }

    /// Creates a texture of zeros that CUDA reaches too.
    ///
    /// # Errors
    /// When the device does not share such textures, or memory runs out.
    pub fn create_texture(&self, desc: &TextureDesc<'_>) -> Result<CudaTexture, CudaError> {
        let link = &self.0;
        let texture = create_linear_texture(link.gpu.device(), link.gpu.preparations(), desc)?;
        let shared = share(link.gpu.preparations(), &texture)?;
        let memory = ImportedMemory::new(&link.context, shared.descriptor, shared.allocation)?;
        let event = Event::new(&link.context)?;
        Ok(CudaTexture::new(Shared {
            texture,
            pointer: memory.pointer() + shared.offset,
            row_pitch: shared.row_pitch,
            memory,
            event,
            link: self.clone(),
        }))
    }
}

impl std::fmt::Debug for CudaLink {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "CudaLink(device {})", self.device())
    }
}
