//! Textures whose texels lie row by row in memory that can be exported.
#![allow(unsafe_code, reason = "allocates and binds memory, asks about it")]

use std::os::fd::OwnedFd;
use std::sync::Arc;

use ash::vk;
use streamlib_core::gpu::TextureDesc;

use super::descriptor::memory_descriptor;
use crate::conv;
use crate::device::Device;
use crate::error::VulkanError;
use crate::handle::Owned;
use crate::prepare::Preparations;
use crate::texture::{Backing, Texture, USAGE, check, create_image};

const HANDLE: vk::ExternalMemoryHandleTypeFlags = vk::ExternalMemoryHandleTypeFlags::OPAQUE_FD;

/// A texture and how its rows lie in its memory.
pub(crate) struct LinearTexture {
    pub(crate) texture: Texture,
    /// Bytes from the start of the memory to the first texel.
    pub(crate) offset: u64,
    /// Bytes from one row to the next.
    pub(crate) row_pitch: u64,
    /// Bytes of the whole allocation, as an importer has to name them.
    pub(crate) allocation: u64,
    /// The memory, for an importer.
    pub(crate) descriptor: OwnedFd,
}

/// Creates a texture of zeros that lies row by row in an exportable allocation of its own.
pub(crate) fn create_linear_texture(
    device: &Arc<Device>,
    preparations: &Preparations,
    desc: &TextureDesc<'_>,
) -> Result<LinearTexture, VulkanError> {
    check(device, desc)?;
    check_sharing(device, desc)?;
    let image = create_image(device, desc, vk::ImageTiling::LINEAR, HANDLE)?;
    // SAFETY: the image is alive and of this device.
    let requirements = unsafe { device.raw().get_image_memory_requirements(image.raw()) };
    let memory = allocate(device, &image, &requirements, desc)?;
    // SAFETY: the memory was allocated for this image, whole (VUID-vkBindImageMemory-memory-02628), which has none yet.
    device.call("vkBindImageMemory", || unsafe {
        device.raw().bind_image_memory(image.raw(), memory.raw(), 0)
    })?;
    let plane = vk::ImageSubresource::default().aspect_mask(vk::ImageAspectFlags::COLOR);
    // SAFETY: the image is alive and linear (VUID-vkGetImageSubresourceLayout-image-07790).
    let layout = unsafe { device.raw().get_image_subresource_layout(image.raw(), plane) };
    let descriptor = memory_descriptor(device, memory.raw())?;
    let texture = Texture::backed(device, preparations, desc, image, Backing::Shared { _memory: memory })?;
    Ok(LinearTexture {
        texture,
        offset: layout.offset,
        row_pitch: layout.row_pitch,
        allocation: requirements.size,
        descriptor,
    })
}

fn allocate(
    device: &Arc<Device>,
    image: &Owned<vk::Image>,
    requirements: &vk::MemoryRequirements,
    desc: &TextureDesc<'_>,
) -> Result<Owned<vk::DeviceMemory>, VulkanError> {
    // SAFETY: the physical device belongs to the instance.
    let types = unsafe { device.instance().raw().get_physical_device_memory_properties(device.physical()) };
    let is_local = |index: &u32| {
        requirements.memory_type_bits & (1 << index) != 0
            && types.memory_types_as_slice()[*index as usize]
                .property_flags
                .contains(vk::MemoryPropertyFlags::DEVICE_LOCAL)
    };
    let index = (0..types.memory_type_count).find(is_local).ok_or(VulkanError::OutOfMemory {
        doing: "finding shareable memory for",
        label: desc.label.to_owned(),
    })?;
    let mut export = vk::ExportMemoryAllocateInfo::default().handle_types(HANDLE);
    let mut dedicated = vk::MemoryDedicatedAllocateInfo::default().image(image.raw());
    let info = vk::MemoryAllocateInfo::default()
        .allocation_size(requirements.size)
        .memory_type_index(index)
        .push_next(&mut export)
        .push_next(&mut dedicated);
    Owned::new(device, "vkAllocateMemory", |raw| {
        // SAFETY: the size is the image's (VUID-VkMemoryDedicatedAllocateInfo-image-02964), the type one of its own, and the
        // handle type one that the device exports such images as (VUID-VkExportMemoryAllocateInfo-handleTypes-00656).
        unsafe { raw.allocate_memory(&info, None) }
    })
}

/// Whether the device exports linear images of this format and size.
fn check_sharing(device: &Device, desc: &TextureDesc<'_>) -> Result<(), VulkanError> {
    let unsupported = || VulkanError::UnsupportedFormat {
        device: device.report().name.clone(),
        format: desc.format,
        usage: "sharing with other APIs",
    };
    if !device.features().shares_by_descriptor {
        return Err(unsupported());
    }
    let unorm = conv::storage_format(desc.format);
    let formats = [unorm, conv::sampled_format(desc.format)];
    let mut list = vk::ImageFormatListCreateInfo::default().view_formats(&formats);
    let mut external = vk::PhysicalDeviceExternalImageFormatInfo::default().handle_type(HANDLE);
    let mut info = vk::PhysicalDeviceImageFormatInfo2::default()
        .format(unorm)
        .ty(vk::ImageType::TYPE_2D)
        .tiling(vk::ImageTiling::LINEAR)
        .usage(USAGE)
        .push_next(&mut external);
    if desc.format.is_srgb() {
        info = info.flags(vk::ImageCreateFlags::MUTABLE_FORMAT).push_next(&mut list);
    }
    let mut sharing = vk::ExternalImageFormatProperties::default();
    let mut found = vk::ImageFormatProperties2::default().push_next(&mut sharing);
    // SAFETY: the physical device belongs to the instance; the chained structures are core since 1.1 and 1.2.
    let answer = unsafe {
        device.instance().raw().get_physical_device_image_format_properties2(
            device.physical(),
            &info,
            &mut found,
        )
    };
    let extent = found.image_format_properties.max_extent;
    let exportable = sharing.external_memory_properties.external_memory_features;
    let fits = desc.size.width <= extent.width && desc.size.height <= extent.height;
    if answer.is_err() || !fits || !exportable.contains(vk::ExternalMemoryFeatureFlags::EXPORTABLE) {
        return Err(unsupported());
    }
    Ok(())
}
