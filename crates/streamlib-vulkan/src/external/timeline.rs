//! Timelines that other processes wait for: one tells which submissions are done.
#![allow(unsafe_code, reason = "imports semaphores")]

use std::os::fd::{AsFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use ash::vk;

use super::descriptor::{Lent, is_alike, timeline_descriptor};
use super::error::SharingProblem;
use crate::device::{Device, Identity};
use crate::error::VulkanError;
use crate::timeline::Timeline;

const HANDLE: vk::ExternalSemaphoreHandleTypeFlags = vk::ExternalSemaphoreHandleTypeFlags::OPAQUE_FD;

/// A timeline as another process needs to have it, to be sent along with its descriptor.
#[derive(Debug)]
pub struct SharedTimeline {
    /// The semaphore, as the driver hands it out.
    pub descriptor: OwnedFd,
    /// UUID of the device, the same in every process.
    pub device: [u8; 16],
    /// UUID of the driver, the same for all processes that have the same version of it.
    pub driver: [u8; 16],
}

/// The timeline of another process. Its values grow as that process's submissions end.
///
/// It is waited for on the host: no rule makes another program reach a value, and a queue that waited for one which never comes
/// would never go on.
#[derive(Clone)]
pub struct PeerTimeline(Arc<Timeline>);

impl PeerTimeline {
    /// Whether `value` has been reached. What was submitted until then is done, and may be read on any queue from now on.
    ///
    /// # Errors
    /// When the device is lost.
    pub fn reached(&self, value: u64) -> Result<bool, VulkanError> {
        self.0.reached(value)
    }

    /// Waits until `value` has been reached, asleep, `limit` at most; whether it has.
    ///
    /// # Errors
    /// When the device is lost.
    pub fn wait(&self, value: u64, limit: Duration) -> Result<bool, VulkanError> {
        match self.0.wait(value, limit) {
            Ok(()) => Ok(true),
            Err(VulkanError::Timeout { .. }) => Ok(false),
            Err(error) => Err(error),
        }
    }
}

impl std::fmt::Debug for PeerTimeline {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("PeerTimeline")
    }
}

/// A timeline for other processes to wait for; none where the device shares none.
pub(crate) fn create_shared_timeline(device: &Arc<Device>) -> Result<Option<Arc<Timeline>>, VulkanError> {
    let shares = device.features().exchange.timelines;
    shares.then(|| Timeline::with_exports(device, "produced", HANDLE)).transpose()
}

/// What another process needs to wait for a timeline that was made for it.
pub(crate) fn share_timeline(
    device: &Arc<Device>,
    timeline: &Timeline,
) -> Result<SharedTimeline, VulkanError> {
    let descriptor = timeline_descriptor(device, timeline)?;
    let Identity { device, driver } = device.identity();
    Ok(SharedTimeline { descriptor, device, driver })
}

/// Takes what another process has handed out.
pub(crate) fn import_timeline(
    device: &Arc<Device>,
    label: &str,
    shared: SharedTimeline,
) -> Result<PeerTimeline, VulkanError> {
    let refused = |problem| VulkanError::Sharing { label: label.to_owned(), problem };
    let no_timeline = |reason: &str| refused(SharingProblem::NoTimeline { reason: reason.to_owned() });
    if device.identity() != (Identity { device: shared.device, driver: shared.driver }) {
        return Err(refused(SharingProblem::OtherDevice));
    }
    if !device.features().exchange.timelines {
        return Err(no_timeline("the device takes none of others"));
    }
    let timeline = Timeline::with_exports(device, label, HANDLE)?;
    let own = timeline_descriptor(device, &timeline)?;
    if !is_alike(shared.descriptor.as_fd(), own.as_fd()) {
        return Err(no_timeline("its descriptor is none of a semaphore"));
    }
    let lent = Lent::new(shared.descriptor).map_err(|error| no_timeline(&error.to_string()))?;
    let extension = ash::khr::external_semaphore_fd::Device::new(device.instance().raw(), device.raw());
    let info = vk::ImportSemaphoreFdInfoKHR::default()
        .semaphore(timeline.semaphore())
        .handle_type(HANDLE)
        .fd(lent.raw());
    // SAFETY: the semaphore is a new timeline that nothing uses, and the descriptor one of the same driver's, as far as can be
    // known (VUID-VkImportSemaphoreFdInfoKHR-fd-01544 is for the driver to see to); it is the driver's if this succeeds.
    match unsafe { extension.import_semaphore_fd(&info) } {
        Ok(()) => lent.keep(),
        // What the specification wants said, and what NVIDIA's driver says.
        Err(vk::Result::ERROR_INVALID_EXTERNAL_HANDLE | vk::Result::ERROR_INITIALIZATION_FAILED) => {
            return Err(no_timeline("the driver knows no such semaphore"));
        }
        Err(result) => {
            device.call("vkImportSemaphoreFdKHR", || Err(result))?;
        }
    }
    Ok(PeerTimeline(timeline))
}
