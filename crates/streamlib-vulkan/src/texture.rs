//! Images in device memory, as effects read and write them.

use std::sync::{Arc, OnceLock};

use ash::vk;
use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::gpu::TextureDesc;

use crate::conv;
use crate::device::Device;
use crate::error::VulkanError;
use crate::external::{Fences, Layout, SharedTiling, modifier_features};
use crate::handle::Owned;
use crate::image::{ImageDesc, Tiling, USAGE, create_image, create_view};
use crate::memory::{Memory, MemoryPool};
use crate::prepare::{Preparations, State};

/// An image in device memory, in layout `GENERAL` as soon as it can be used. Cloning gives another handle.
#[derive(Clone)]
pub struct Texture(pub(crate) Arc<TextureInner>);

/// Fields in the order in which they are destroyed.
pub(crate) struct TextureInner {
    /// Sampled view; sRGB formats are decoded.
    pub(crate) sampled: Owned<vk::ImageView>,
    /// Storage view; sRGB formats show their stored values. None of a texture that is only read here.
    pub(crate) storage: Option<Owned<vk::ImageView>>,
    pub(crate) image: Owned<vk::Image>,
    pub(crate) memory: Backing,
    pub(crate) label: String,
    pub(crate) size: Size,
    pub(crate) format: TextureFormat,
    pub(crate) device: Arc<Device>,
}

/// The memory of an image.
pub(crate) enum Backing {
    /// A piece of the device's pool.
    Pooled { _memory: Memory },
    /// An allocation of its own, which can be handed out.
    Exported {
        memory: Owned<vk::DeviceMemory>,
        layout: Layout,
        /// Where it was handed out as a DMA-BUF, what others do with it.
        handed_out: OnceLock<Fences>,
    },
    /// Memory that somebody else has handed out.
    Imported {
        _memory: Owned<vk::DeviceMemory>,
        tiling: SharedTiling,
        /// What others do with it; none of opaque descriptors.
        fences: Option<Fences>,
    },
}

impl Texture {
    /// Creates an image of zeros.
    pub(crate) fn new(
        device: &Arc<Device>,
        pool: &Arc<MemoryPool>,
        preparations: &Preparations,
        desc: &TextureDesc<'_>,
    ) -> Result<Self, VulkanError> {
        check(device, desc)?;
        let image = create_image(
            device,
            &ImageDesc {
                label: desc.label,
                size: desc.size,
                format: desc.format,
                usage: USAGE,
                tiling: Tiling::Optimal,
                handles: vk::ExternalMemoryHandleTypeFlags::empty(),
            },
        )?;
        let memory = Backing::Pooled { _memory: pool.back_image(&image, desc.label)? };
        Self::backed(device, preparations, desc, (image, USAGE, memory), State::Zeros)
    }

    /// An image that has its memory becomes a texture.
    pub(crate) fn backed(
        device: &Arc<Device>,
        preparations: &Preparations,
        desc: &TextureDesc<'_>,
        (image, usage, memory): (Owned<vk::Image>, vk::ImageUsageFlags, Backing),
        state: State,
    ) -> Result<Self, VulkanError> {
        let (unorm, decoded) = (conv::storage_format(desc.format), conv::sampled_format(desc.format));
        let view = |format, usage| create_view(device, &image, (format, usage), desc.label);
        let is_written = usage.contains(vk::ImageUsageFlags::STORAGE);
        let storage = is_written.then(|| view(unorm, vk::ImageUsageFlags::STORAGE)).transpose()?;
        let sampled = view(decoded, vk::ImageUsageFlags::SAMPLED)?;
        let texture = Self(Arc::new(TextureInner {
            sampled,
            storage,
            image,
            memory,
            label: desc.label.to_owned(),
            size: desc.size,
            format: desc.format,
            device: Arc::clone(device),
        }));
        preparations.prepare(texture.clone(), state)?;
        Ok(texture)
    }

    /// Whether both are handles of the same image.
    #[must_use]
    pub fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    /// Width and height.
    #[must_use]
    pub fn size(&self) -> Size {
        self.0.size
    }

    /// Texel format.
    #[must_use]
    pub fn format(&self) -> TextureFormat {
        self.0.format
    }

    /// Whether it is somebody else's and was imported to be read only.
    #[must_use]
    pub fn is_read_only(&self) -> bool {
        self.0.storage.is_none()
    }

    /// Size of its texels in host memory, tightly packed.
    pub(crate) fn bytes(&self) -> usize {
        self.0.size.pixels() * self.0.format.bytes_per_texel()
    }

    /// What the device can do with its stored values, as they lie.
    pub(crate) fn features(&self) -> vk::FormatFeatureFlags {
        let (device, format) = (&self.0.device, conv::storage_format(self.0.format));
        let tiling = match &self.0.memory {
            Backing::Pooled { .. } => SharedTiling::Optimal,
            Backing::Exported { layout, .. } => layout.tiling,
            Backing::Imported { tiling, .. } => *tiling,
        };
        match tiling {
            SharedTiling::Optimal => device.format_features(format),
            SharedTiling::Linear => device.linear_features(format),
            SharedTiling::Modifier(modifier) => modifier_features(device, format, modifier),
        }
    }
}

impl std::fmt::Debug for Texture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let TextureInner { label, size, format, .. } = &*self.0;
        write!(f, "Texture({label:?}, {size}, {})", format.name())
    }
}

/// Refuses what the device cannot store as a texture that kernels read and write.
pub(crate) fn check(device: &Device, desc: &TextureDesc<'_>) -> Result<(), VulkanError> {
    check_size(device, desc)?;
    let report = device.report();
    let support = report.formats.iter().find(|support| support.format == desc.format);
    let missing = match support {
        Some(support) if !support.storage => "writing from kernels",
        Some(support) if !support.sampled => "filtered sampling",
        _ => return Ok(()),
    };
    Err(VulkanError::UnsupportedFormat { device: report.name.clone(), format: desc.format, usage: missing })
}

/// Refuses a size that no image of the device has.
pub(crate) fn check_size(device: &Device, desc: &TextureDesc<'_>) -> Result<(), VulkanError> {
    let limit = device.limits().max_image_dimension2_d;
    for (what, asked) in [("a texture width", desc.size.width), ("a texture height", desc.size.height)] {
        if asked == 0 || asked > limit {
            return Err(VulkanError::Limit {
                label: desc.label.to_owned(),
                what,
                asked: asked.into(),
                limit: limit.into(),
            });
        }
    }
    Ok(())
}
