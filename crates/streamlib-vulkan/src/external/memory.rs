//! Memory of one image, to be handed out or taken in.
#![allow(unsafe_code, reason = "allocates and binds memory, asks about it")]

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;

use ash::vk;

use super::descriptor::{Lent, memory_descriptor};
use super::error::SharingProblem;
use super::shared::{SharedTiling, SharingKind};
use crate::device::Device;
use crate::error::VulkanError;
use crate::handle::Owned;

/// Memory that is allocated to see what descriptors of it look like.
const SAMPLE_BYTES: u64 = 4096;

/// What memory an image needs.
pub(super) fn requirements(device: &Device, image: &Owned<vk::Image>) -> vk::MemoryRequirements {
    // SAFETY: the image is alive and of this device.
    unsafe { device.raw().get_image_memory_requirements(image.raw()) }
}

/// Allocates memory for an image, whole, that can be exported, and binds it.
pub(super) fn allocate(
    device: &Arc<Device>,
    image: &Owned<vk::Image>,
    kind: SharingKind,
    label: &str,
) -> Result<Owned<vk::DeviceMemory>, VulkanError> {
    let needed = requirements(device, image);
    let mut export = vk::ExportMemoryAllocateInfo::default().handle_types(kind.handle());
    let mut dedicated = vk::MemoryDedicatedAllocateInfo::default().image(image.raw());
    let info = vk::MemoryAllocateInfo::default()
        .allocation_size(needed.size)
        .memory_type_index(memory_type(device, needed.memory_type_bits, label)?)
        .push_next(&mut export)
        .push_next(&mut dedicated);
    let memory = Owned::new(device, "vkAllocateMemory", |raw| {
        // SAFETY: the size is the image's (VUID-VkMemoryDedicatedAllocateInfo-image-02964), the type one of its own, and the
        // handle type one that the device exports such images as (VUID-VkExportMemoryAllocateInfo-handleTypes-00656).
        unsafe { raw.allocate_memory(&info, None) }
    })?
    .named(label);
    bind(device, image, &memory)?;
    Ok(memory)
}

/// An opaque descriptor of a little memory that such an image could have: what this driver hands out.
pub(super) fn sample(
    device: &Arc<Device>,
    image: &Owned<vk::Image>,
    label: &str,
) -> Result<OwnedFd, VulkanError> {
    let kind = SharingKind::OpaqueFd;
    let mut export = vk::ExportMemoryAllocateInfo::default().handle_types(kind.handle());
    let info = vk::MemoryAllocateInfo::default()
        .allocation_size(SAMPLE_BYTES)
        .memory_type_index(memory_type(device, requirements(device, image).memory_type_bits, label)?)
        .push_next(&mut export);
    let memory = Owned::new(device, "vkAllocateMemory", |raw| {
        // SAFETY: the type is one of the device's, and the handle type one that the device exports images as.
        unsafe { raw.allocate_memory(&info, None) }
    })?
    .named(label);
    memory_descriptor(device, memory.raw(), kind)
}

/// Imports memory for an image, and binds it. The driver owns the descriptor from then on.
pub(super) fn import(
    device: &Arc<Device>,
    image: &Owned<vk::Image>,
    (descriptor, kind): (OwnedFd, SharingKind),
    label: &str,
) -> Result<Owned<vk::DeviceMemory>, VulkanError> {
    let needed = requirements(device, image);
    let fitting = match kind {
        // The type that its exporter has chosen, in the same way and on the same device.
        SharingKind::OpaqueFd => needed.memory_type_bits,
        SharingKind::DmaBuf => needed.memory_type_bits & dma_buf_types(device, &descriptor, label)?,
    };
    if fitting == 0 {
        let problem = SharingProblem::Refused { reason: "it lies where such images cannot" };
        return Err(VulkanError::Sharing { label: label.to_owned(), problem });
    }
    let lent = Lent::new(descriptor).map_err(|error| {
        let problem = SharingProblem::Descriptor { kind, found: error.to_string() };
        VulkanError::Sharing { label: label.to_owned(), problem }
    })?;
    let mut import = vk::ImportMemoryFdInfoKHR::default().handle_type(kind.handle()).fd(lent.raw());
    let mut dedicated = vk::MemoryDedicatedAllocateInfo::default().image(image.raw());
    let info = vk::MemoryAllocateInfo::default()
        .allocation_size(needed.size)
        .memory_type_index(memory_type(device, fitting, label)?)
        .push_next(&mut import)
        .push_next(&mut dedicated);
    let memory = Owned::new(device, "vkAllocateMemory", |raw| {
        // SAFETY: the descriptor is open; it comes from the same device and driver, or is a DMA-BUF
        // (VUID-VkImportMemoryFdInfoKHR-fd-00668, VUID-VkMemoryAllocateInfo-deviceMask-00639 and its likes); it holds as much,
        // as far as can be known (-allocationSize-01742). Of anything else the driver refuses it.
        unsafe { raw.allocate_memory(&info, None) }
    })
    .map_err(|error| refused(error, label))?;
    lent.keep();
    let memory = memory.named(label);
    bind(device, image, &memory)?;
    Ok(memory)
}

fn bind(
    device: &Device,
    image: &Owned<vk::Image>,
    memory: &Owned<vk::DeviceMemory>,
) -> Result<(), VulkanError> {
    // SAFETY: the memory was allocated for this image, whole (VUID-vkBindImageMemory-memory-02628), which has none yet.
    device
        .call("vkBindImageMemory", || unsafe { device.raw().bind_image_memory(image.raw(), memory.raw(), 0) })
}

/// Types of memory that a DMA-BUF can be imported as.
fn dma_buf_types(device: &Device, descriptor: &OwnedFd, label: &str) -> Result<u32, VulkanError> {
    let extension = ash::khr::external_memory_fd::Device::new(device.instance().raw(), device.raw());
    let mut found = vk::MemoryFdPropertiesKHR::default();
    let (kind, raw) = (SharingKind::DmaBuf.handle(), descriptor.as_raw_fd());
    device
        .call("vkGetMemoryFdPropertiesKHR", || {
            // SAFETY: the descriptor is open (VUID-vkGetMemoryFdPropertiesKHR-fd-00673), and the kind is not opaque (-handleType-00674).
            unsafe { extension.get_memory_fd_properties(kind, raw, &mut found) }
        })
        .map_err(|error| refused(error, label))?;
    Ok(found.memory_type_bits)
}

/// The memory type to take of `fitting`: the same for everyone who asks, the device's own first.
fn memory_type(device: &Device, fitting: u32, label: &str) -> Result<u32, VulkanError> {
    // SAFETY: the physical device belongs to the instance.
    let types = unsafe { device.instance().raw().get_physical_device_memory_properties(device.physical()) };
    let fits = |index: &u32| fitting & (1 << index) != 0;
    let is_local = |index: &u32| {
        let flags = types.memory_types_as_slice()[*index as usize].property_flags;
        fits(index) && flags.contains(vk::MemoryPropertyFlags::DEVICE_LOCAL)
    };
    let all = 0..types.memory_type_count;
    all.clone()
        .find(is_local)
        .or_else(|| all.clone().find(fits))
        .ok_or(VulkanError::OutOfMemory { doing: "finding shareable memory for", label: label.to_owned() })
}

/// Offset and row pitch of an image whose rows can be found in its memory; zeros of any other.
pub(super) fn rows(device: &Device, image: &Owned<vk::Image>, tiling: SharedTiling) -> (u64, u64) {
    let aspect = match tiling {
        SharedTiling::Optimal => return (0, 0),
        SharedTiling::Linear => vk::ImageAspectFlags::COLOR,
        SharedTiling::Modifier(_) => vk::ImageAspectFlags::MEMORY_PLANE_0_EXT,
    };
    let plane = vk::ImageSubresource::default().aspect_mask(aspect);
    // SAFETY: the image is alive and of a tiling that tells (VUID-vkGetImageSubresourceLayout-image-07790), of one plane
    // (-tiling-09433).
    let layout = unsafe { device.raw().get_image_subresource_layout(image.raw(), plane) };
    (layout.offset, layout.row_pitch)
}

/// A driver's refusal of what came from outside is not a failure of this program. NVIDIA's says of a descriptor of something else
/// that memory has run out, of which importing needs none.
fn refused(error: VulkanError, label: &str) -> VulkanError {
    let reason = match error {
        VulkanError::Call { result: vk::Result::ERROR_INVALID_EXTERNAL_HANDLE, .. } => {
            "it knows no such descriptor"
        }
        VulkanError::OutOfMemory { .. } => "it finds no such memory there, or has none left",
        other => return other,
    };
    VulkanError::Sharing { label: label.to_owned(), problem: SharingProblem::Refused { reason } }
}
