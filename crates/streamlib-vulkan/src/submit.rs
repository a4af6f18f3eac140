//! Submits recordings together, all of them or none.
#![allow(unsafe_code, reason = "submits command buffers")]

use std::sync::Arc;

use streamlib_core::gpu::HostAccessError;

use crate::device::Device;
use crate::error::VulkanError;
use crate::gate::Claims;
use crate::queue::Queue;
use crate::recording::Recording;
use crate::timeline::Timeline;

/// Submits all recordings of all batches, in order, as one piece of work. Allocates nothing and takes no lock. The answer is the
/// value of `timeline`, and of `shared` if there is one, that tells when it is over.
pub(crate) fn submit(
    device: &Arc<Device>,
    queue: &Queue,
    (timeline, shared): (&Timeline, Option<&Timeline>),
    batches: &mut [&mut [Recording]],
) -> Result<u64, VulkanError> {
    device.check_lost()?;
    for recording in batches.iter_mut().flat_map(|batch| batch.iter_mut()) {
        recording.make_ready(device)?;
    }
    let parts = batches.iter().flat_map(|batch| batch.iter()).filter_map(Recording::parts);
    let mut claimed = queue.claim();
    // After the claim to the queue and dropped before it, because buffers tell submitters from closures only.
    let claims = Claims::take(parts.clone().flat_map(|parts| &parts.host_buffers)).map_err(|buffer| {
        VulkanError::HostAccess { buffer: buffer.0.label.clone(), source: HostAccessError }
    })?;
    // SAFETY: the command buffers are executable and not pending, as was just seen to; they are distinct, because each
    // recording is borrowed mutably once. Each recording owns what its commands use, and its drop keeps that alive until the
    // value is reached.
    let value = unsafe { claimed.submit(timeline, shared, parts.map(|parts| parts.commands())) }?;
    claims.submitted(value);
    drop(claimed);
    for recording in batches.iter_mut().flat_map(|batch| batch.iter_mut()) {
        recording.note_submission(value);
    }
    Ok(value)
}
