//! Memory that a camera's driver writes and the GPU reads, and that belongs to neither.

use std::io;
use std::os::fd::OwnedFd;

use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::gpu::TextureDesc;
use streamlib_linux::allocate_dma_memory;
use streamlib_vulkan::{DeviceKind, SharingKind, VulkanError, VulkanGpu};

/// The GPU's memory is asked for as a texture, with rows of so many bytes.
const ROW: usize = 4096;
const FORMAT: TextureFormat = TextureFormat::Rgba8;

/// A DMA-BUF of at least `bytes`, and whose it is. The GPU's own is what it reads for certain, and what every user may have; that of
/// a GPU with memory of its own comes last, since a camera hardly reaches it.
pub(super) fn allocate(gpu: &VulkanGpu, label: &str, bytes: usize) -> io::Result<(OwnedFd, &'static str)> {
    let of_gpu = || of_gpu(gpu, label, bytes).map(|memory| (memory, "GPU"));
    let of_kernel = || allocate_dma_memory(bytes).map(|memory| (memory, "kernel"));
    let both = |first: io::Error, second: io::Error| io::Error::other(format!("{first}; {second}"));
    if gpu.report().kind == DeviceKind::Discrete {
        of_kernel().or_else(|first| of_gpu().map_err(|second| both(first, second)))
    } else {
        of_gpu().or_else(|first| of_kernel().map_err(|second| both(first, second)))
    }
}

/// Memory of a texture: how that would lie in it is of no matter.
fn of_gpu(gpu: &VulkanGpu, label: &str, bytes: usize) -> io::Result<OwnedFd> {
    let rows = u32::try_from(bytes.div_ceil(ROW)).map_err(io::Error::other)?;
    let size = Size::new((ROW / FORMAT.bytes_per_texel()) as u32, rows);
    let desc = TextureDesc { label, size, format: FORMAT };
    let made = || -> Result<OwnedFd, VulkanError> {
        let texture = gpu.create_shared_texture(&desc, Some(SharingKind::DmaBuf))?;
        // The memory stays for as long as anybody has its descriptor.
        Ok(gpu.share(&texture)?.descriptor)
    };
    made().map_err(io::Error::other)
}
