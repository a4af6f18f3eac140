//! From the contract's words to Vulkan's.

use ash::vk;
use streamlib_core::format::TextureFormat;
use streamlib_core::gpu::HostBufferUse;
use streamlib_core::interface::{AddressMode, Filter};

/// Format of the image and of its storage view. The sRGB formats have no storage views, so those see the stored bytes.
pub(crate) const fn storage_format(format: TextureFormat) -> vk::Format {
    match format {
        TextureFormat::Rgba8 | TextureFormat::Rgba8Srgb => vk::Format::R8G8B8A8_UNORM,
        TextureFormat::Bgra8 | TextureFormat::Bgra8Srgb => vk::Format::B8G8R8A8_UNORM,
        TextureFormat::Rgba16Float => vk::Format::R16G16B16A16_SFLOAT,
        TextureFormat::R8 => vk::Format::R8_UNORM,
        TextureFormat::Rg8 => vk::Format::R8G8_UNORM,
    }
}

/// Format of the sampled view: reads of sRGB formats give linear light.
pub(crate) const fn sampled_format(format: TextureFormat) -> vk::Format {
    match format {
        TextureFormat::Rgba8Srgb => vk::Format::R8G8B8A8_SRGB,
        TextureFormat::Bgra8Srgb => vk::Format::B8G8R8A8_SRGB,
        other => storage_format(other),
    }
}

pub(crate) const fn filter(filter: Filter) -> vk::Filter {
    match filter {
        Filter::Linear => vk::Filter::LINEAR,
        Filter::Nearest => vk::Filter::NEAREST,
    }
}

pub(crate) const fn address_mode(mode: AddressMode) -> vk::SamplerAddressMode {
    match mode {
        AddressMode::Clamp => vk::SamplerAddressMode::CLAMP_TO_EDGE,
        AddressMode::Repeat => vk::SamplerAddressMode::REPEAT,
        AddressMode::Mirror => vk::SamplerAddressMode::MIRRORED_REPEAT,
        AddressMode::Border => vk::SamplerAddressMode::CLAMP_TO_BORDER,
    }
}

pub(crate) const fn buffer_usage(usage: HostBufferUse) -> vk::BufferUsageFlags {
    match usage {
        HostBufferUse::Upload => vk::BufferUsageFlags::TRANSFER_SRC,
        HostBufferUse::Readback => vk::BufferUsageFlags::TRANSFER_DST,
        HostBufferUse::Parameters => vk::BufferUsageFlags::STORAGE_BUFFER,
    }
}

/// The value to store for a colour in linear light: images of sRGB formats are cleared through their UNORM format.
pub(crate) fn clear_value(format: TextureFormat, color: [f32; 4]) -> vk::ClearColorValue {
    let [r, g, b, a] = color;
    let float32 = if format.is_srgb() { [encode_srgb(r), encode_srgb(g), encode_srgb(b), a] } else { color };
    vk::ClearColorValue { float32 }
}

/// IEC 61966-2-1, linear light to the stored value, both 0..=1.
fn encode_srgb(linear: f32) -> f32 {
    let linear = linear.clamp(0.0, 1.0);
    if linear <= 0.003_130_8 { linear * 12.92 } else { 1.055 * linear.powf(1.0 / 2.4) - 0.055 }
}
