//! Textures that another process has created to be shared.

use std::os::fd::AsFd;
use std::sync::Arc;

use ash::vk;
use streamlib_core::gpu::TextureDesc;

use super::descriptor::{Found, examine, is_alike};
use super::dma_buf::{DmaBuf, DmaBufUse, import_dma_buf};
use super::error::SharingProblem;
use super::memory::{import, requirements, rows, sample};
use super::shared::{SharedTexture, SharedTiling, SharingKind};
use super::support::{Recipe, physical, support};
use crate::device::{Device, Identity};
use crate::error::VulkanError;
use crate::image::{ImageDesc, Tiling, USAGE, create_image};
use crate::prepare::{Preparations, State};
use crate::texture::{Backing, Texture, check};

/// Makes a texture of what another process has handed out.
pub(crate) fn import_texture(
    device: &Arc<Device>,
    preparations: &Preparations,
    label: &str,
    shared: SharedTexture,
) -> Result<Texture, VulkanError> {
    let refused = |problem| VulkanError::Sharing { label: label.to_owned(), problem };
    let desc = TextureDesc { label, size: shared.size, format: shared.format };
    match (shared.kind, shared.tiling) {
        (SharingKind::DmaBuf, SharedTiling::Modifier(modifier)) => {
            let buffer = DmaBuf {
                descriptor: shared.descriptor,
                size: shared.size,
                format: shared.format,
                modifier,
                offset: shared.offset,
                row_pitch: shared.row_pitch,
            };
            import_dma_buf(device, preparations, label, (buffer, DmaBufUse::Full))
        }
        (SharingKind::OpaqueFd, SharedTiling::Optimal) => {
            import_opaque(device, preparations, &desc, (shared, Tiling::Optimal))
        }
        (SharingKind::OpaqueFd, SharedTiling::Linear) => {
            import_opaque(device, preparations, &desc, (shared, Tiling::Linear))
        }
        (kind, tiling) => Err(refused(no_import(device, &desc, kind, tiling))),
    }
}

fn import_opaque(
    device: &Arc<Device>,
    preparations: &Preparations,
    desc: &TextureDesc<'_>,
    (shared, tiling): (SharedTexture, Tiling<'_>),
) -> Result<Texture, VulkanError> {
    let refused = |problem| VulkanError::Sharing { label: desc.label.to_owned(), problem };
    check(device, desc)?;
    if device.identity() != (Identity { device: shared.device, driver: shared.driver }) {
        return Err(refused(SharingProblem::OtherDevice));
    }
    let recipe = Recipe { format: desc.format, usage: USAGE, kind: shared.kind, tiling: shared.tiling };
    if !support(physical(device), &recipe).is_some_and(|found| found.imports(desc.size)) {
        return Err(refused(no_import(device, desc, shared.kind, shared.tiling)));
    }
    check_opaque(&shared).map_err(refused)?;
    let (label, size, format) = (desc.label, desc.size, desc.format);
    let handles = shared.kind.handle();
    let image = create_image(device, &ImageDesc { label, size, format, usage: USAGE, tiling, handles })?;
    // The same driver makes the same of the same words.
    let needed = requirements(device, &image).size;
    if needed != shared.allocation {
        return Err(refused(SharingProblem::Allocation { told: shared.allocation, needed }));
    }
    if !is_alike(shared.descriptor.as_fd(), sample(device, &image, label)?.as_fd()) {
        let found = "another kind of file than this driver hands out".to_owned();
        return Err(refused(SharingProblem::Descriptor { kind: shared.kind, found }));
    }
    let (offset, row_pitch) = (shared.offset, shared.row_pitch);
    if rows(device, &image, shared.tiling) != (offset, row_pitch) {
        return Err(refused(SharingProblem::Rows { offset, row_pitch }));
    }
    let memory = import(device, &image, (shared.descriptor, shared.kind), label)?;
    let backing = Backing::Imported { _memory: memory, tiling: shared.tiling, fences: None };
    let state = State::Acquired { from: vk::QUEUE_FAMILY_EXTERNAL };
    Texture::backed(device, preparations, desc, (image, USAGE, backing), state)
}

/// Refuses a descriptor that cannot hold the memory, or whose owner could take the memory away while it is in use.
fn check_opaque(shared: &SharedTexture) -> Result<(), SharingProblem> {
    let wrong = |found: &str| SharingProblem::Descriptor { kind: shared.kind, found: found.to_owned() };
    match examine(shared.descriptor.as_fd()).map_err(|error| wrong(&error.to_string()))? {
        Found::Other => Ok(()),
        Found::NoMemory(what) => Err(wrong(what)),
        Found::File { may_shrink: true, .. } => Err(wrong("a file that may become shorter")),
        // Mesa's drivers of real GPUs hand out DMA-BUFs, its software driver a file in memory.
        Found::DmaBuf { bytes } | Found::File { bytes, .. } if bytes < shared.allocation => {
            Err(SharingProblem::TooSmall { needed: shared.allocation, found: bytes })
        }
        Found::DmaBuf { .. } | Found::File { .. } => Ok(()),
    }
}

/// The refusal of an image that the device does not take.
pub(super) fn no_import(
    device: &Device,
    desc: &TextureDesc<'_>,
    kind: SharingKind,
    tiling: SharedTiling,
) -> SharingProblem {
    SharingProblem::NoImport {
        device: device.report().name.clone(),
        size: desc.size,
        format: desc.format,
        kind,
        tiling: match tiling {
            SharedTiling::Optimal => "its driver likes".to_owned(),
            SharedTiling::Linear => "plain rows".to_owned(),
            SharedTiling::Modifier(modifier) => format!("format modifier {modifier:#x}"),
        },
    }
}
