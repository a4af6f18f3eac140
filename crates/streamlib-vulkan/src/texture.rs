//! Images in device memory.
#![allow(unsafe_code, reason = "creates images and views")]

use std::sync::Arc;

use ash::vk;
use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::gpu::TextureDesc;

use crate::conv;
use crate::device::Device;
use crate::error::VulkanError;
use crate::handle::Owned;
use crate::memory::{Memory, MemoryPool};
use crate::prepare::Preparations;

/// An image in device memory, in layout `GENERAL` as soon as it can be used. Cloning gives another handle.
#[derive(Clone)]
pub struct Texture(pub(crate) Arc<TextureInner>);

/// Fields in the order in which they are destroyed.
pub(crate) struct TextureInner {
    /// Sampled view; sRGB formats are decoded.
    pub(crate) sampled: Owned<vk::ImageView>,
    /// Storage view; sRGB formats show their stored values.
    pub(crate) storage: Owned<vk::ImageView>,
    pub(crate) image: Owned<vk::Image>,
    _memory: Backing,
    pub(crate) label: String,
    pub(crate) size: Size,
    pub(crate) format: TextureFormat,
    pub(crate) device: Arc<Device>,
}

/// The memory of an image. Kept for its drop.
pub(crate) enum Backing {
    /// A piece of the device's pool.
    Pooled { _memory: Memory },
    /// An allocation of its own, which another API may have as well.
    Shared { _memory: Owned<vk::DeviceMemory> },
}

/// The whole of an image with one level and one layer.
pub(crate) const WHOLE: vk::ImageSubresourceRange = vk::ImageSubresourceRange {
    aspect_mask: vk::ImageAspectFlags::COLOR,
    base_mip_level: 0,
    level_count: 1,
    base_array_layer: 0,
    layer_count: 1,
};

impl Texture {
    /// Creates an image of zeros.
    pub(crate) fn new(
        device: &Arc<Device>,
        pool: &Arc<MemoryPool>,
        preparations: &Preparations,
        desc: &TextureDesc<'_>,
    ) -> Result<Self, VulkanError> {
        check(device, desc)?;
        let exports = vk::ExternalMemoryHandleTypeFlags::empty();
        let image = create_image(device, desc, vk::ImageTiling::OPTIMAL, exports)?;
        let memory = pool.back_image(&image, desc.label)?;
        Self::backed(device, preparations, desc, image, Backing::Pooled { _memory: memory })
    }

    /// An image that has its memory becomes a texture of zeros.
    pub(crate) fn backed(
        device: &Arc<Device>,
        preparations: &Preparations,
        desc: &TextureDesc<'_>,
        image: Owned<vk::Image>,
        memory: Backing,
    ) -> Result<Self, VulkanError> {
        let (unorm, decoded) = (conv::storage_format(desc.format), conv::sampled_format(desc.format));
        let storage = view(device, &image, unorm, vk::ImageUsageFlags::STORAGE)?.named(desc.label);
        let sampled = view(device, &image, decoded, vk::ImageUsageFlags::SAMPLED)?.named(desc.label);
        let texture = Self(Arc::new(TextureInner {
            sampled,
            storage,
            image,
            _memory: memory,
            label: desc.label.to_owned(),
            size: desc.size,
            format: desc.format,
            device: Arc::clone(device),
        }));
        preparations.prepare(texture.clone())?;
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

    /// Size of its texels in host memory, tightly packed.
    pub(crate) fn bytes(&self) -> usize {
        self.0.size.pixels() * self.0.format.bytes_per_texel()
    }
}

impl std::fmt::Debug for Texture {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let TextureInner { label, size, format, .. } = &*self.0;
        write!(f, "Texture({label:?}, {size}, {})", format.name())
    }
}

/// What images are used for.
pub(crate) const USAGE: vk::ImageUsageFlags = vk::ImageUsageFlags::from_raw(
    vk::ImageUsageFlags::SAMPLED.as_raw()
        | vk::ImageUsageFlags::STORAGE.as_raw()
        | vk::ImageUsageFlags::TRANSFER_SRC.as_raw()
        | vk::ImageUsageFlags::TRANSFER_DST.as_raw(),
);

/// Creates an image without memory. The caller has checked that the device supports it.
pub(crate) fn create_image(
    device: &Arc<Device>,
    desc: &TextureDesc<'_>,
    tiling: vk::ImageTiling,
    exports: vk::ExternalMemoryHandleTypeFlags,
) -> Result<Owned<vk::Image>, VulkanError> {
    let unorm = conv::storage_format(desc.format);
    let formats = [unorm, conv::sampled_format(desc.format)];
    let mut list = vk::ImageFormatListCreateInfo::default().view_formats(&formats);
    let mut external = vk::ExternalMemoryImageCreateInfo::default().handle_types(exports);
    let mut info = vk::ImageCreateInfo::default()
        .image_type(vk::ImageType::TYPE_2D)
        .format(unorm)
        .extent(vk::Extent3D { width: desc.size.width, height: desc.size.height, depth: 1 })
        .mip_levels(1)
        .array_layers(1)
        .samples(vk::SampleCountFlags::TYPE_1)
        .tiling(tiling)
        .usage(USAGE)
        .sharing_mode(vk::SharingMode::EXCLUSIVE)
        .initial_layout(vk::ImageLayout::UNDEFINED);
    if desc.format.is_srgb() {
        info = info.flags(vk::ImageCreateFlags::MUTABLE_FORMAT).push_next(&mut list);
    }
    if !exports.is_empty() {
        info = info.push_next(&mut external);
    }
    let image = Owned::new(device, "vkCreateImage", |raw| {
        // SAFETY: the caller compared size, usage, tiling and handle types with what the device allows
        // (VUID-VkImageCreateInfo-extent-00944, -imageCreateMaxMipLevels-02251, -pNext-00990).
        unsafe { raw.create_image(&info, None) }
    })?;
    Ok(image.named(desc.label))
}

pub(crate) fn check(device: &Device, desc: &TextureDesc<'_>) -> Result<(), VulkanError> {
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
    let report = device.report();
    let support = report.formats.iter().find(|support| support.format == desc.format);
    let missing = match support {
        Some(support) if !support.storage => "writing from kernels",
        Some(support) if !support.sampled => "filtered sampling",
        _ => return Ok(()),
    };
    Err(VulkanError::UnsupportedFormat { device: report.name.clone(), format: desc.format, usage: missing })
}

fn view(
    device: &Arc<Device>,
    image: &Owned<vk::Image>,
    format: vk::Format,
    usage: vk::ImageUsageFlags,
) -> Result<Owned<vk::ImageView>, VulkanError> {
    // The sRGB view would otherwise inherit STORAGE, which sRGB formats do not have (VUID-VkImageViewCreateInfo-usage-02275).
    let mut usage = vk::ImageViewUsageCreateInfo::default().usage(usage);
    let info = vk::ImageViewCreateInfo::default()
        .image(image.raw())
        .view_type(vk::ImageViewType::TYPE_2D)
        .format(format)
        .subresource_range(WHOLE)
        .push_next(&mut usage);
    Owned::new(device, "vkCreateImageView", |raw| {
        // SAFETY: the image is alive and bound to memory (VUID-VkImageViewCreateInfo-image-01020), the format is its own
        // or in its format list (-image-01761).
        unsafe { raw.create_image_view(&info, None) }
    })
}
