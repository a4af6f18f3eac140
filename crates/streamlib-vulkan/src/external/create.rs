//! Textures whose memory can be handed out.
#![allow(unsafe_code, reason = "asks for the format modifier of an image")]

use std::os::fd::AsFd;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use ash::vk;
use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::gpu::TextureDesc;

use super::descriptor::memory_descriptor;
use super::error::SharingProblem;
use super::fences::Fences;
use super::memory::{allocate, requirements, rows};
use super::shared::{Layout, SharedTexture, SharedTiling, SharingKind};
use super::support::{Recipe, exported_modifiers, physical, support};
use crate::device::Device;
use crate::error::VulkanError;
use crate::handle::Owned;
use crate::image::{ImageDesc, Tiling, USAGE, create_image};
use crate::prepare::{Preparations, State};
use crate::texture::{Backing, Texture, check};

/// The format modifier of rows that lie one after the other, `DRM_FORMAT_MOD_LINEAR`.
const ROWS: u64 = 0;
/// Clearing a texture takes no longer than this on anything that works.
const CLEAR_LIMIT: Duration = Duration::from_secs(10);

/// Creates a texture of zeros whose memory can be handed out as `kind`; if that is left open, as what the device does best.
pub(crate) fn create_shared_texture(
    device: &Arc<Device>,
    preparations: &Preparations,
    desc: &TextureDesc<'_>,
    kind: Option<SharingKind>,
) -> Result<Texture, VulkanError> {
    check(device, desc)?;
    let wanted = kind.as_ref().map_or(&SharingKind::ALL[..], std::slice::from_ref);
    for kind in wanted {
        let modifiers;
        let tiling = match kind {
            SharingKind::OpaqueFd => opaque_tiling(device, desc),
            SharingKind::DmaBuf => {
                modifiers = exported_modifiers(physical(device), desc.format, desc.size);
                (!modifiers.is_empty()).then_some(Tiling::OneOf(&modifiers))
            }
        };
        if let Some(tiling) = tiling {
            return create(device, preparations, desc, (*kind, tiling));
        }
    }
    Err(no_export(device, desc, kind))
}

/// Creates a texture of zeros that lies row by row in memory that can be handed out to another API on the same device.
pub(crate) fn create_linear_texture(
    device: &Arc<Device>,
    preparations: &Preparations,
    desc: &TextureDesc<'_>,
) -> Result<Texture, VulkanError> {
    check(device, desc)?;
    let kind = SharingKind::OpaqueFd;
    if !exports(device, desc, SharedTiling::Linear) {
        return Err(no_export(device, desc, Some(kind)));
    }
    create(device, preparations, desc, (kind, Tiling::Linear))
}

/// Creates a texture of zeros that lies row by row in a DMA-BUF, where programs without a GPU find its texels.
pub(crate) fn create_mappable_texture(
    device: &Arc<Device>,
    preparations: &Preparations,
    desc: &TextureDesc<'_>,
) -> Result<Texture, VulkanError> {
    check(device, desc)?;
    if !exported_modifiers(physical(device), desc.format, desc.size).contains(&ROWS) {
        let (device, format) = (device.report().name.clone(), desc.format);
        let problem = SharingProblem::NoRows { device, format };
        return Err(VulkanError::Sharing { label: desc.label.to_owned(), problem });
    }
    create(device, preparations, desc, (SharingKind::DmaBuf, Tiling::OneOf(&[ROWS])))
}

/// Creates a texture of zeros whose memory is handed out as a DMA-BUF with one of these format modifiers, whichever the driver likes
/// best.
pub(crate) fn create_scanout_texture(
    device: &Arc<Device>,
    preparations: &Preparations,
    desc: &TextureDesc<'_>,
    modifiers: &[u64],
) -> Result<Texture, VulkanError> {
    check(device, desc)?;
    let kind = SharingKind::DmaBuf;
    let modifiers = scanout_modifiers(device, (desc.format, desc.size), modifiers);
    if modifiers.is_empty() {
        return Err(no_export(device, desc, Some(kind)));
    }
    create(device, preparations, desc, (kind, Tiling::OneOf(&modifiers)))
}

/// Those of some format modifiers with which the device hands out textures.
pub(crate) fn scanout_modifiers(
    device: &Device,
    (format, size): (TextureFormat, Size),
    modifiers: &[u64],
) -> Vec<u64> {
    let mut found = exported_modifiers(physical(device), format, size);
    found.retain(|modifier| modifiers.contains(modifier));
    found
}

/// What others need to have a texture as well. Waits until it holds its zeros: nobody is to see what its memory held before.
pub(crate) fn share(preparations: &Preparations, texture: &Texture) -> Result<SharedTexture, VulkanError> {
    let device = &texture.0.device;
    let Backing::Exported { memory, layout, handed_out } = &texture.0.memory else {
        let (label, problem) = (texture.0.label.clone(), SharingProblem::NotShared);
        return Err(VulkanError::Sharing { label, problem });
    };
    preparations.wait(CLEAR_LIMIT)?;
    let identity = device.identity();
    let descriptor = memory_descriptor(device, memory.raw(), layout.kind)?;
    if layout.kind == SharingKind::DmaBuf && handed_out.get().is_none() {
        let fences = Fences::of(descriptor.as_fd()).map_err(|error| {
            let problem = SharingProblem::Descriptor { kind: layout.kind, found: error.to_string() };
            VulkanError::Sharing { label: texture.0.label.clone(), problem }
        })?;
        handed_out.get_or_init(|| fences);
    }
    Ok(SharedTexture {
        descriptor,
        kind: layout.kind,
        size: texture.size(),
        format: texture.format(),
        allocation: layout.allocation,
        tiling: layout.tiling,
        offset: layout.offset,
        row_pitch: layout.row_pitch,
        device: identity.device,
        driver: identity.driver,
    })
}

fn create(
    device: &Arc<Device>,
    preparations: &Preparations,
    desc: &TextureDesc<'_>,
    (kind, tiling): (SharingKind, Tiling<'_>),
) -> Result<Texture, VulkanError> {
    let TextureDesc { label, size, format } = *desc;
    let image = create_image(
        device,
        &ImageDesc { label, size, format, usage: USAGE, tiling, handles: kind.handle() },
    )?;
    let allocation = requirements(device, &image).size;
    let memory = allocate(device, &image, kind, label)?;
    let tiling = match tiling {
        Tiling::Optimal => SharedTiling::Optimal,
        Tiling::Linear => SharedTiling::Linear,
        Tiling::OneOf(_) | Tiling::Given { .. } => SharedTiling::Modifier(modifier(device, &image)?),
    };
    let (offset, row_pitch) = rows(device, &image, tiling);
    let layout = Layout { kind, tiling, allocation, offset, row_pitch };
    let parts = (image, USAGE, Backing::Exported { memory, layout, handed_out: OnceLock::new() });
    Texture::backed(device, preparations, desc, parts, State::Zeros)
}

/// How textures lie that go out as opaque descriptors: the device's own way, unless it hands out only others.
fn opaque_tiling(device: &Device, desc: &TextureDesc<'_>) -> Option<Tiling<'static>> {
    let known = [(SharedTiling::Optimal, Tiling::Optimal), (SharedTiling::Linear, Tiling::Linear)];
    known.into_iter().find(|(tiling, _)| exports(device, desc, *tiling)).map(|(_, tiling)| tiling)
}

/// Whether the device hands out such textures as opaque descriptors.
fn exports(device: &Device, desc: &TextureDesc<'_>, tiling: SharedTiling) -> bool {
    let recipe = Recipe { format: desc.format, usage: USAGE, kind: SharingKind::OpaqueFd, tiling };
    support(physical(device), &recipe).is_some_and(|found| found.exports(desc.size))
}

/// The format modifier that the driver has chosen.
fn modifier(device: &Device, image: &Owned<vk::Image>) -> Result<u64, VulkanError> {
    let extension = ash::ext::image_drm_format_modifier::Device::new(device.instance().raw(), device.raw());
    let mut found = vk::ImageDrmFormatModifierPropertiesEXT::default();
    device.call("vkGetImageDrmFormatModifierPropertiesEXT", || {
        // SAFETY: the image is alive and was created with format modifiers
        // (VUID-vkGetImageDrmFormatModifierPropertiesEXT-image-02272).
        unsafe { extension.get_image_drm_format_modifier_properties(image.raw(), &mut found) }
    })?;
    Ok(found.drm_format_modifier)
}

fn no_export(device: &Device, desc: &TextureDesc<'_>, kind: Option<SharingKind>) -> VulkanError {
    let device = device.report().name.clone();
    let problem = SharingProblem::NoExport { device, format: desc.format, kind };
    VulkanError::Sharing { label: desc.label.to_owned(), problem }
}
