//! DMA-BUFs: buffers that cameras fill and screens show, made by any driver.

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;

use ash::vk;
use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::gpu::TextureDesc;

use super::descriptor::{Found, examine};
use super::error::SharingProblem;
use super::fences::Fences;
use super::import::no_import;
use super::memory::{import, requirements};
use super::shared::{SharedTiling, SharingKind};
use super::support::{Recipe, modifier_features, physical, support};
use crate::conv;
use crate::device::Device;
use crate::error::VulkanError;
use crate::handle::Owned;
use crate::image::{ImageDesc, Tiling, USAGE, create_image};
use crate::prepare::{Preparations, State};
use crate::texture::{Backing, Texture, check, check_size};

const KIND: SharingKind = SharingKind::DmaBuf;
/// Rows that lie one after the other: `DRM_FORMAT_MOD_LINEAR`.
const LINEAR: u64 = 0;

/// One plane of a buffer that some driver has allocated. Pictures in several planes are one of these for each plane, with
/// copies of one descriptor where the planes lie in one buffer.
#[derive(Debug)]
pub struct DmaBuf {
    /// The buffer.
    pub descriptor: OwnedFd,
    /// Width and height of the plane, in its texels.
    pub size: Size,
    /// What a texel is: of NV12 for instance [`R8`](TextureFormat::R8) and [`Rg8`](TextureFormat::Rg8), of XRGB8888
    /// [`Bgra8`](TextureFormat::Bgra8).
    pub format: TextureFormat,
    /// Format modifier of `drm_fourcc.h`; 0 is row by row.
    pub modifier: u64,
    /// Bytes from the start of the buffer to the first texel.
    pub offset: u64,
    /// Bytes from one row to the next.
    pub row_pitch: u64,
}

/// What is to be done with an imported buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DmaBufUse {
    /// Reading: effects sample it, copies take from it. Devices take more formats for this.
    Read,
    /// Whatever textures are used for.
    Full,
}

/// An image that lies in somebody else's buffer.
pub(crate) struct DmaBufImage {
    pub(crate) image: Owned<vk::Image>,
    pub(crate) memory: Owned<vk::DeviceMemory>,
    /// The queue family that it comes from.
    pub(crate) owner: u32,
}

/// Makes a texture of a buffer, which keeps what it holds.
pub(crate) fn import_dma_buf(
    device: &Arc<Device>,
    preparations: &Preparations,
    label: &str,
    (buffer, purpose): (DmaBuf, DmaBufUse),
) -> Result<Texture, VulkanError> {
    let desc = TextureDesc { label, size: buffer.size, format: buffer.format };
    let read = vk::ImageUsageFlags::SAMPLED | vk::ImageUsageFlags::TRANSFER_SRC;
    let usage = match purpose {
        DmaBufUse::Read => read,
        DmaBufUse::Full => {
            check(device, &desc)?;
            USAGE
        }
    };
    let filtered = vk::FormatFeatureFlags::SAMPLED_IMAGE_FILTER_LINEAR;
    let features = modifier_features(device, conv::sampled_format(buffer.format), buffer.modifier);
    if !features.contains(filtered) {
        let problem = no_import(device, &desc, KIND, SharedTiling::Modifier(buffer.modifier));
        return Err(VulkanError::Sharing { label: label.to_owned(), problem });
    }
    let tiling = SharedTiling::Modifier(buffer.modifier);
    let fences = Fences::of(buffer.descriptor.as_fd());
    let DmaBufImage { image, memory, owner } = DmaBufImage::import(device, label, buffer, usage)?;
    let fences = fences.map_err(|error| {
        let problem = SharingProblem::Descriptor { kind: KIND, found: error.to_string() };
        VulkanError::Sharing { label: label.to_owned(), problem }
    })?;
    let backing = Backing::Imported { _memory: memory, tiling, fences: Some(fences) };
    Texture::backed(device, preparations, &desc, (image, usage, backing), State::Acquired { from: owner })
}

impl DmaBufImage {
    /// Makes an image of a buffer.
    pub(crate) fn import(
        device: &Arc<Device>,
        label: &str,
        buffer: DmaBuf,
        usage: vk::ImageUsageFlags,
    ) -> Result<Self, VulkanError> {
        let DmaBuf { size, format, modifier, offset, row_pitch, .. } = buffer;
        let refused = |problem| VulkanError::Sharing { label: label.to_owned(), problem };
        let desc = TextureDesc { label, size, format };
        check_size(device, &desc)?;
        let tiling = SharedTiling::Modifier(modifier);
        let recipe = Recipe { format, usage, kind: KIND, tiling };
        let is_known = !modifier_features(device, conv::storage_format(format), modifier).is_empty();
        if !is_known || !support(physical(device), &recipe).is_some_and(|found| found.imports(size)) {
            return Err(refused(no_import(device, &desc, KIND, tiling)));
        }
        let bytes = bytes(&buffer).map_err(refused)?;
        check_rows(&buffer, bytes).map_err(refused)?;
        let tiling = Tiling::Given { modifier, offset, row_pitch };
        let image =
            create_image(device, &ImageDesc { label, size, format, usage, tiling, handles: KIND.handle() })
                .map_err(|error| match error {
                VulkanError::Call {
                    result: vk::Result::ERROR_INVALID_DRM_FORMAT_MODIFIER_PLANE_LAYOUT_EXT,
                    ..
                } => refused(SharingProblem::Rows { offset, row_pitch }),
                other => other,
            })?;
        // Drivers round up; what they would touch has to be there.
        let needed = requirements(device, &image).size;
        if needed > bytes {
            return Err(refused(SharingProblem::TooSmall { needed, found: bytes }));
        }
        let memory = import(device, &image, (buffer.descriptor, KIND), label)?;
        let foreign = device.features().exchange.foreign;
        let owner = if foreign { vk::QUEUE_FAMILY_FOREIGN_EXT } else { vk::QUEUE_FAMILY_EXTERNAL };
        Ok(Self { image, memory, owner })
    }
}

/// Size of the buffer, as the kernel has it.
fn bytes(buffer: &DmaBuf) -> Result<u64, SharingProblem> {
    let wrong = |found: &str| SharingProblem::Descriptor { kind: KIND, found: found.to_owned() };
    match examine(buffer.descriptor.as_fd()).map_err(|error| wrong(&error.to_string()))? {
        Found::DmaBuf { bytes } => Ok(bytes),
        Found::File { .. } => Err(wrong("a file")),
        Found::NoMemory(what) => Err(wrong(what)),
        Found::Other => Err(wrong("something else")),
    }
}

/// Refuses rows that overlap, or end beyond the buffer. Of tiles, the driver says what they need.
fn check_rows(buffer: &DmaBuf, bytes: u64) -> Result<(), SharingProblem> {
    let DmaBuf { size, format, offset, row_pitch, .. } = *buffer;
    let texel = format.bytes_per_texel() as u64;
    let row = u64::from(size.width) * texel;
    let is_whole = offset.is_multiple_of(texel) && row_pitch.is_multiple_of(texel);
    let wrong = SharingProblem::Rows { offset, row_pitch };
    if buffer.modifier != LINEAR {
        return if offset < bytes && row_pitch < bytes { Ok(()) } else { Err(wrong) };
    }
    if !is_whole || row_pitch < row {
        return Err(wrong);
    }
    let rows = row_pitch.checked_mul(u64::from(size.height) - 1);
    let needed = rows.and_then(|rows| rows.checked_add(row)?.checked_add(offset)).ok_or(wrong)?;
    if needed > bytes {
        return Err(SharingProblem::TooSmall { needed, found: bytes });
    }
    Ok(())
}
