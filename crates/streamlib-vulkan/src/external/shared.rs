//! What is said about a shared texture, besides its memory.

use std::os::fd::OwnedFd;

use ash::vk;
use streamlib_core::format::{Size, TextureFormat};

/// What the memory of a texture is handed out as.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SharingKind {
    /// A descriptor of Vulkan's own, for the same device and driver: another process, or CUDA.
    OpaqueFd,
    /// A DMA-BUF of Linux: for any driver that understands its format modifier, such as a screen's.
    DmaBuf,
}

impl SharingKind {
    /// Both.
    pub const ALL: [Self; 2] = [Self::OpaqueFd, Self::DmaBuf];

    /// Name in messages.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OpaqueFd => "opaque descriptor",
            Self::DmaBuf => "DMA-BUF",
        }
    }

    pub(super) const fn handle(self) -> vk::ExternalMemoryHandleTypeFlags {
        match self {
            Self::OpaqueFd => vk::ExternalMemoryHandleTypeFlags::OPAQUE_FD,
            Self::DmaBuf => vk::ExternalMemoryHandleTypeFlags::DMA_BUF_EXT,
        }
    }
}

/// How the texels of a shared texture lie in its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SharedTiling {
    /// As the driver likes; only the same driver knows. Of opaque descriptors.
    Optimal,
    /// Row by row. Of opaque descriptors.
    Linear,
    /// As a format modifier of `drm_fourcc.h` says; 0 is row by row. Of DMA-BUFs.
    Modifier(u64),
}

/// A texture as another process needs to have it: its memory and everything that has to be known about it.
///
/// All but the descriptor is plain data, to be sent along with it. See the rules on layout and ownership at
/// [`VulkanGpu::share`](crate::VulkanGpu::share).
#[derive(Debug)]
pub struct SharedTexture {
    /// The memory. Sending it, or importing the texture, leaves the memory with both.
    pub descriptor: OwnedFd,
    /// What kind of descriptor it is.
    pub kind: SharingKind,
    /// Width and height.
    pub size: Size,
    /// Texel format.
    pub format: TextureFormat,
    /// Bytes of the whole allocation.
    pub allocation: u64,
    /// How the texels lie in it.
    pub tiling: SharedTiling,
    /// Bytes from its start to the first texel; 0 with [`SharedTiling::Optimal`].
    pub offset: u64,
    /// Bytes from one row to the next; 0 with [`SharedTiling::Optimal`].
    pub row_pitch: u64,
    /// UUID of the device, the same in every process.
    pub device: [u8; 16],
    /// UUID of the driver, the same for all processes that have the same version of it.
    pub driver: [u8; 16],
}

/// How a texture that was made to be shared lies in its memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) kind: SharingKind,
    pub(crate) tiling: SharedTiling,
    pub(crate) allocation: u64,
    pub(crate) offset: u64,
    pub(crate) row_pitch: u64,
}
