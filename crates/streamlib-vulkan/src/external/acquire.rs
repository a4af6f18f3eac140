//! Coming after what others do with a DMA-BUF: their fences as semaphores, or waited for by the calling thread.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use super::descriptor::import_sync_file;
use super::error::SharingProblem;
use super::fences::{DmaBufAccess, Fences};
use super::shared::SharingKind;
use crate::device::Device;
use crate::error::VulkanError;
use crate::prepare::Preparations;
use crate::swapchain::semaphore;
use crate::texture::{Backing, Texture};

/// Lets everything that is submitted from now on come after what others do with the texture. The device waits where it can, and
/// elsewhere this thread, for `limit` at most.
pub(crate) fn acquire(
    device: &Arc<Device>,
    preparations: &Preparations,
    texture: &Texture,
    (access, limit): (DmaBufAccess, Duration),
) -> Result<(), VulkanError> {
    let Some(fences) = fences(texture) else { return Ok(()) };
    if !device.features().exchange.sync_files {
        return wait(texture, fences, access, limit);
    }
    if is_over(texture, fences, access, Duration::ZERO)? {
        return Ok(());
    }
    let Some(sync_file) = fences.sync_file(access) else { return wait(texture, fences, access, limit) };
    let done = semaphore(device, &texture.0.label)?;
    import_sync_file(device, &done, sync_file)?;
    preparations.come_after(done)
}

/// Waits for what others do with the texture, on this thread.
pub(crate) fn wait_for_others(
    texture: &Texture,
    access: DmaBufAccess,
    limit: Duration,
) -> Result<(), VulkanError> {
    fences(texture).map_or(Ok(()), |fences| wait(texture, fences, access, limit))
}

fn wait(
    texture: &Texture,
    fences: &Fences,
    access: DmaBufAccess,
    limit: Duration,
) -> Result<(), VulkanError> {
    if is_over(texture, fences, access, limit)? {
        return Ok(());
    }
    Err(refused(texture, SharingProblem::InUse { access, waited: limit }))
}

fn is_over(
    texture: &Texture,
    fences: &Fences,
    access: DmaBufAccess,
    limit: Duration,
) -> Result<bool, VulkanError> {
    let kind = SharingKind::DmaBuf;
    let unknown = |error: io::Error| SharingProblem::Descriptor { kind, found: error.to_string() };
    fences.wait(access, limit).map_err(|error| refused(texture, unknown(error)))
}

fn refused(texture: &Texture, problem: SharingProblem) -> VulkanError {
    VulkanError::Sharing { label: texture.0.label.clone(), problem }
}

/// The fences of a texture that others have as a DMA-BUF.
fn fences(texture: &Texture) -> Option<&Fences> {
    match &texture.0.memory {
        Backing::Pooled { .. } => None,
        Backing::Exported { handed_out, .. } => handed_out.get(),
        Backing::Imported { fences, .. } => fences.as_ref(),
    }
}
