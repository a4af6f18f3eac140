//! Textures as what travels between processes, and back.
#![cfg(target_os = "linux")]

use std::os::fd::OwnedFd;

use streamlib_share::{BufferDescription, BufferKind, FormatCode};
use streamlib_vulkan::{SharedTexture, SharedTiling, SharingKind};

use super::SurfaceError;

/// Tilings of opaque descriptors, as numbers; those of DMA-BUFs are format modifiers.
const OPTIMAL: u64 = 0;
const LINEAR: u64 = 1;

/// What another process is told of a texture, and its memory.
pub(crate) fn describe(texture: SharedTexture) -> (BufferDescription, OwnedFd) {
    let description = BufferDescription {
        kind: match texture.kind {
            SharingKind::OpaqueFd => BufferKind::Opaque,
            SharingKind::DmaBuf => BufferKind::DmaBuf,
        },
        size: texture.size,
        format: FormatCode::from(texture.format),
        allocation: texture.allocation,
        tiling: match texture.tiling {
            SharedTiling::Optimal => OPTIMAL,
            SharedTiling::Linear => LINEAR,
            SharedTiling::Modifier(modifier) => modifier,
        },
        offset: texture.offset,
        pitch: texture.row_pitch,
        device: texture.device,
        driver: texture.driver,
    };
    (description, texture.descriptor)
}

/// The texture that another process has told of. What is said of its memory is checked when it is imported.
pub(crate) fn described(
    name: &str,
    description: &BufferDescription,
    descriptor: OwnedFd,
) -> Result<SharedTexture, SurfaceError> {
    let no_texture = |what: String| SurfaceError::Buffer { name: name.to_owned(), what };
    let (kind, tiling) = match (description.kind, description.tiling) {
        (BufferKind::Opaque, OPTIMAL) => (SharingKind::OpaqueFd, SharedTiling::Optimal),
        (BufferKind::Opaque, LINEAR) => (SharingKind::OpaqueFd, SharedTiling::Linear),
        (BufferKind::Opaque, other) => return Err(no_texture(format!("texels laid out as {other}"))),
        (BufferKind::DmaBuf, modifier) => (SharingKind::DmaBuf, SharedTiling::Modifier(modifier)),
        (BufferKind::Memory, _) => return Err(no_texture("buffers in host memory".to_owned())),
    };
    let code = description.format;
    let format =
        code.texture_format().ok_or_else(|| no_texture(format!("texels of the format {}", code.0)))?;
    Ok(SharedTexture {
        descriptor,
        kind,
        size: description.size,
        format,
        allocation: description.allocation,
        tiling,
        offset: description.offset,
        row_pitch: description.pitch,
        device: description.device,
        driver: description.driver,
    })
}
