//! Images and their views.
#![allow(unsafe_code, reason = "creates images and views")]

use std::sync::Arc;

use ash::vk;
use streamlib_core::format::{Size, TextureFormat};

use crate::conv;
use crate::device::Device;
use crate::error::VulkanError;
use crate::handle::Owned;

/// The whole of an image with one level and one layer.
pub(crate) const WHOLE: vk::ImageSubresourceRange = vk::ImageSubresourceRange {
    aspect_mask: vk::ImageAspectFlags::COLOR,
    base_mip_level: 0,
    level_count: 1,
    base_array_layer: 0,
    layer_count: 1,
};

/// What images are used for, unless they are made by others.
pub(crate) const USAGE: vk::ImageUsageFlags = vk::ImageUsageFlags::from_raw(
    vk::ImageUsageFlags::SAMPLED.as_raw()
        | vk::ImageUsageFlags::STORAGE.as_raw()
        | vk::ImageUsageFlags::TRANSFER_SRC.as_raw()
        | vk::ImageUsageFlags::TRANSFER_DST.as_raw(),
);

/// How the texels of an image lie in memory.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Tiling<'a> {
    /// As the device likes best.
    Optimal,
    /// Row by row.
    Linear,
    /// As the device likes best among these format modifiers.
    OneOf(&'a [u64]),
    /// As somebody else has laid them out, by this format modifier.
    Given { modifier: u64, offset: u64, row_pitch: u64 },
}

/// An image to create.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ImageDesc<'a> {
    pub(crate) label: &'a str,
    pub(crate) size: Size,
    pub(crate) format: TextureFormat,
    pub(crate) usage: vk::ImageUsageFlags,
    pub(crate) tiling: Tiling<'a>,
    /// What its memory is shared as.
    pub(crate) handles: vk::ExternalMemoryHandleTypeFlags,
}

/// Creates an image without memory. The caller has checked that the device supports it.
pub(crate) fn create_image(
    device: &Arc<Device>,
    desc: &ImageDesc<'_>,
) -> Result<Owned<vk::Image>, VulkanError> {
    let unorm = conv::storage_format(desc.format);
    let formats = [unorm, conv::sampled_format(desc.format)];
    let mut list = vk::ImageFormatListCreateInfo::default().view_formats(&formats);
    let mut external = vk::ExternalMemoryImageCreateInfo::default().handle_types(desc.handles);
    let mut info = vk::ImageCreateInfo::default()
        .image_type(vk::ImageType::TYPE_2D)
        .format(unorm)
        .extent(vk::Extent3D { width: desc.size.width, height: desc.size.height, depth: 1 })
        .mip_levels(1)
        .array_layers(1)
        .samples(vk::SampleCountFlags::TYPE_1)
        .usage(desc.usage)
        .sharing_mode(vk::SharingMode::EXCLUSIVE)
        .initial_layout(vk::ImageLayout::UNDEFINED);
    if desc.format.is_srgb() {
        info = info.flags(vk::ImageCreateFlags::MUTABLE_FORMAT).push_next(&mut list);
    }
    if !desc.handles.is_empty() {
        info = info.push_next(&mut external);
    }
    let mut choice = vk::ImageDrmFormatModifierListCreateInfoEXT::default();
    let mut plane = [vk::SubresourceLayout::default()];
    let mut given = vk::ImageDrmFormatModifierExplicitCreateInfoEXT::default();
    info = match desc.tiling {
        Tiling::Optimal => info.tiling(vk::ImageTiling::OPTIMAL),
        Tiling::Linear => info.tiling(vk::ImageTiling::LINEAR),
        Tiling::OneOf(modifiers) => {
            choice = choice.drm_format_modifiers(modifiers);
            info.tiling(vk::ImageTiling::DRM_FORMAT_MODIFIER_EXT).push_next(&mut choice)
        }
        Tiling::Given { modifier, offset, row_pitch } => {
            (plane[0].offset, plane[0].row_pitch) = (offset, row_pitch);
            given = given.drm_format_modifier(modifier).plane_layouts(&plane);
            info.tiling(vk::ImageTiling::DRM_FORMAT_MODIFIER_EXT).push_next(&mut given)
        }
    };
    let image = Owned::new(device, "vkCreateImage", |raw| {
        // SAFETY: the caller compared size, usage, tiling and handle types with what the device allows
        // (VUID-VkImageCreateInfo-extent-00944, -imageCreateMaxMipLevels-02251, -pNext-00990, -tiling-02261, -02353).
        unsafe { raw.create_image(&info, None) }
    })?;
    Ok(image.named(desc.label))
}

/// A view of the whole of an image that has memory, for one use.
pub(crate) fn create_view(
    device: &Arc<Device>,
    image: &Owned<vk::Image>,
    (format, usage): (vk::Format, vk::ImageUsageFlags),
    label: &str,
) -> Result<Owned<vk::ImageView>, VulkanError> {
    // The sRGB view would otherwise inherit STORAGE, which sRGB formats do not have (VUID-VkImageViewCreateInfo-usage-02275).
    let mut usage = vk::ImageViewUsageCreateInfo::default().usage(usage);
    let info = vk::ImageViewCreateInfo::default()
        .image(image.raw())
        .view_type(vk::ImageViewType::TYPE_2D)
        .format(format)
        .subresource_range(WHOLE)
        .push_next(&mut usage);
    let view = Owned::new(device, "vkCreateImageView", |raw| {
        // SAFETY: the image is alive and bound to memory (VUID-VkImageViewCreateInfo-image-01020), the format is its own
        // or in its format list (-image-01761).
        unsafe { raw.create_image_view(&info, None) }
    })?;
    Ok(view.named(label))
}
