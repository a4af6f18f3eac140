//! Which images a device hands out and takes.
#![allow(unsafe_code, reason = "queries of physical devices")]

use ash::vk;
use streamlib_core::format::{Size, TextureFormat};

use super::shared::{SharedTiling, SharingKind};
use crate::conv;
use crate::device::Device;
use crate::features::Exchange;
use crate::image::USAGE;

/// Ways in which a device shares RGBA textures.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SharingSupport {
    /// As opaque descriptors, with the same device in other processes and with other APIs.
    pub opaque_fd: bool,
    /// It hands out DMA-BUFs.
    pub dma_buf_export: bool,
    /// It takes DMA-BUFs.
    pub dma_buf_import: bool,
    /// It waits for fences of the kernel's by itself, and hands such out (`sync_file`).
    pub fences: bool,
}

/// A physical device of an instance, and how it shares memory.
pub(crate) type Asked<'a> = (&'a ash::Instance, vk::PhysicalDevice, Exchange);

/// An image whose memory is shared.
#[derive(Clone, Copy, Debug)]
pub(super) struct Recipe {
    pub(super) format: TextureFormat,
    pub(super) usage: vk::ImageUsageFlags,
    pub(super) kind: SharingKind,
    pub(super) tiling: SharedTiling,
}

/// What a device does with the memory of images of a recipe.
#[derive(Clone, Copy, Debug)]
pub(super) struct Support {
    features: vk::ExternalMemoryFeatureFlags,
    largest: vk::Extent3D,
}

impl Support {
    pub(super) fn exports(&self, size: Size) -> bool {
        self.has(vk::ExternalMemoryFeatureFlags::EXPORTABLE, size)
    }

    pub(super) fn imports(&self, size: Size) -> bool {
        self.has(vk::ExternalMemoryFeatureFlags::IMPORTABLE, size)
    }

    fn has(&self, feature: vk::ExternalMemoryFeatureFlags, size: Size) -> bool {
        self.features.contains(feature)
            && size.width <= self.largest.width
            && size.height <= self.largest.height
    }
}

/// The physical device of `device`, to be asked.
pub(super) fn physical(device: &Device) -> Asked<'_> {
    (device.instance().raw(), device.physical(), device.features().exchange)
}

/// What a device does with the memory of images of a recipe; nothing where it has no such images.
pub(super) fn support((instance, physical, exchange): Asked<'_>, recipe: &Recipe) -> Option<Support> {
    let is_there = match recipe.kind {
        SharingKind::OpaqueFd => exchange.memory,
        SharingKind::DmaBuf => exchange.dma_buf,
    };
    if !is_there {
        return None;
    }
    let unorm = conv::storage_format(recipe.format);
    let formats = [unorm, conv::sampled_format(recipe.format)];
    let mut list = vk::ImageFormatListCreateInfo::default().view_formats(&formats);
    let mut modifier =
        vk::PhysicalDeviceImageDrmFormatModifierInfoEXT::default().sharing_mode(vk::SharingMode::EXCLUSIVE);
    let mut external = vk::PhysicalDeviceExternalImageFormatInfo::default().handle_type(recipe.kind.handle());
    let mut info = vk::PhysicalDeviceImageFormatInfo2::default()
        .format(unorm)
        .ty(vk::ImageType::TYPE_2D)
        .usage(recipe.usage)
        .push_next(&mut external);
    if recipe.format.is_srgb() {
        info = info.flags(vk::ImageCreateFlags::MUTABLE_FORMAT).push_next(&mut list);
    }
    info = match recipe.tiling {
        SharedTiling::Optimal => info.tiling(vk::ImageTiling::OPTIMAL),
        SharedTiling::Linear => info.tiling(vk::ImageTiling::LINEAR),
        SharedTiling::Modifier(value) => {
            modifier = modifier.drm_format_modifier(value);
            info.tiling(vk::ImageTiling::DRM_FORMAT_MODIFIER_EXT).push_next(&mut modifier)
        }
    };
    let mut sharing = vk::ExternalImageFormatProperties::default();
    let mut found = vk::ImageFormatProperties2::default().push_next(&mut sharing);
    // SAFETY: the physical device belongs to the instance; of the chained structures, those that are not core since 1.1 and 1.2
    // are there only if the device has their extension.
    let answer =
        unsafe { instance.get_physical_device_image_format_properties2(physical, &info, &mut found) };
    let largest = found.image_format_properties.max_extent;
    let features = sharing.external_memory_properties.external_memory_features;
    answer.is_ok().then_some(Support { features, largest })
}

/// Format modifiers of images in one plane of memory, each with what such images can be used for.
fn modifiers(
    (instance, physical, _): Asked<'_>,
    format: vk::Format,
) -> Vec<vk::DrmFormatModifierPropertiesEXT> {
    let ask = |list: &mut vk::DrmFormatModifierPropertiesListEXT<'_>| {
        let mut properties = vk::FormatProperties2::default().push_next(list);
        // SAFETY: the physical device belongs to the instance, and has the extension of the chained structure, as its callers
        // have found.
        unsafe { instance.get_physical_device_format_properties2(physical, format, &mut properties) };
    };
    let mut list = vk::DrmFormatModifierPropertiesListEXT::default();
    ask(&mut list);
    let mut all =
        vec![vk::DrmFormatModifierPropertiesEXT::default(); list.drm_format_modifier_count as usize];
    let mut list = vk::DrmFormatModifierPropertiesListEXT::default().drm_format_modifier_properties(&mut all);
    ask(&mut list);
    let count = list.drm_format_modifier_count as usize;
    all.truncate(count);
    all.retain(|one| one.drm_format_modifier_plane_count == 1);
    all
}

/// What images with a format modifier can be used for: nothing where the device has none with it, in one plane.
pub(crate) fn modifier_features(
    device: &Device,
    format: vk::Format,
    modifier: u64,
) -> vk::FormatFeatureFlags {
    features_of(physical(device), format, modifier)
}

fn features_of(of: Asked<'_>, format: vk::Format, modifier: u64) -> vk::FormatFeatureFlags {
    if !of.2.dma_buf {
        return vk::FormatFeatureFlags::empty();
    }
    let all = modifiers(of, format);
    let found = all.iter().find(|one| one.drm_format_modifier == modifier);
    found.map_or(vk::FormatFeatureFlags::empty(), |one| one.drm_format_modifier_tiling_features)
}

/// The format modifiers with which a device can hand out textures of a format.
pub(super) fn exported_modifiers(of: Asked<'_>, format: TextureFormat, size: Size) -> Vec<u64> {
    if !of.2.dma_buf {
        return vec![];
    }
    let all = modifiers(of, conv::storage_format(format));
    let filtered = vk::FormatFeatureFlags::SAMPLED_IMAGE_FILTER_LINEAR;
    let usable = |modifier: &u64| {
        let tiling = SharedTiling::Modifier(*modifier);
        let recipe = Recipe { format, usage: USAGE, kind: SharingKind::DmaBuf, tiling };
        support(of, &recipe).is_some_and(|found| found.exports(size))
            && features_of(of, conv::sampled_format(format), *modifier).contains(filtered)
    };
    all.into_iter().map(|one| one.drm_format_modifier).filter(usable).collect()
}

/// Ways in which a device shares RGBA textures.
pub(crate) fn sharing_support(of: Asked<'_>) -> SharingSupport {
    let (format, size) = (TextureFormat::Rgba8, Size::new(1, 1));
    let opaque = |tiling| {
        let recipe = Recipe { format, usage: USAGE, kind: SharingKind::OpaqueFd, tiling };
        support(of, &recipe).is_some_and(|found| found.exports(size) && found.imports(size))
    };
    let linear = Recipe {
        format,
        usage: vk::ImageUsageFlags::SAMPLED,
        kind: SharingKind::DmaBuf,
        tiling: SharedTiling::Modifier(0),
    };
    SharingSupport {
        opaque_fd: opaque(SharedTiling::Optimal) || opaque(SharedTiling::Linear),
        dma_buf_export: !exported_modifiers(of, format, size).is_empty(),
        dma_buf_import: support(of, &linear).is_some_and(|found| found.imports(size)),
        fences: of.2.sync_files,
    }
}
