//! A timeline semaphore counts submissions; everything that must wait, waits for a value of it.
#![allow(unsafe_code, reason = "reads the semaphore and waits for it")]

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use ash::vk;

use crate::device::Device;
use crate::error::VulkanError;
use crate::handle::Owned;

/// A wait wakes up this often to see whether another thread found the device lost: such a value may never be reached.
/// (Waiting for a second semaphore as well would wake at once, but software devices do that by spinning.)
const SLICE: Duration = Duration::from_millis(10);

/// How long dropping the device waits for work that never ends.
const DRAIN: Duration = Duration::from_secs(10);

/// A timeline of the queue.
pub(crate) struct Timeline {
    semaphore: Owned<vk::Semaphore>,
    /// Value of the newest submission. Written by the holder of the queue's claim.
    submitted: AtomicU64,
    /// A value that is known to have been reached.
    completed: AtomicU64,
    device: Arc<Device>,
}

impl Timeline {
    pub(crate) fn new(device: &Arc<Device>, label: &str) -> Result<Arc<Self>, VulkanError> {
        Self::with_exports(device, label, vk::ExternalSemaphoreHandleTypeFlags::empty())
    }

    /// A timeline that can be handed to other APIs as the kinds of handle in `exports`, which the device supports.
    pub(crate) fn with_exports(
        device: &Arc<Device>,
        label: &str,
        exports: vk::ExternalSemaphoreHandleTypeFlags,
    ) -> Result<Arc<Self>, VulkanError> {
        let mut kind = vk::SemaphoreTypeCreateInfo::default().semaphore_type(vk::SemaphoreType::TIMELINE);
        let mut export = vk::ExportSemaphoreCreateInfo::default().handle_types(exports);
        let mut info = vk::SemaphoreCreateInfo::default().push_next(&mut kind);
        if !exports.is_empty() {
            info = info.push_next(&mut export);
        }
        let semaphore = Owned::new(device, "vkCreateSemaphore", |raw| {
            // SAFETY: the device has timeline semaphores (VUID-VkSemaphoreTypeCreateInfo-timelineSemaphore-03252).
            unsafe { raw.create_semaphore(&info, None) }
        })?
        .named(label);
        Ok(Arc::new(Self {
            semaphore,
            submitted: AtomicU64::new(0),
            completed: AtomicU64::new(0),
            device: Arc::clone(device),
        }))
    }

    pub(crate) fn semaphore(&self) -> vk::Semaphore {
        self.semaphore.raw()
    }

    /// The semaphore and the newest value that is known to have been reached. Work on another queue that is to read what was
    /// written until then waits for it: that costs no time, and brings the memory along.
    pub(crate) fn newest_reached(&self) -> (vk::Semaphore, u64) {
        (self.semaphore.raw(), self.completed.load(Ordering::Acquire))
    }

    /// Value of the newest submission.
    pub(crate) fn newest(&self) -> u64 {
        self.submitted.load(Ordering::Acquire)
    }

    /// The holder of the queue's claim has submitted work that signals `value`.
    pub(crate) fn note_submission(&self, value: u64) {
        self.submitted.store(value, Ordering::Release);
    }

    /// Whether `value` has been reached.
    pub(crate) fn reached(&self, value: u64) -> Result<bool, VulkanError> {
        if self.completed.load(Ordering::Acquire) >= value {
            return Ok(true);
        }
        let now = self.device.call("vkGetSemaphoreCounterValue", || {
            // SAFETY: the semaphore is alive and a timeline (VUID-vkGetSemaphoreCounterValue-semaphore-03255).
            unsafe { self.device.raw().get_semaphore_counter_value(self.semaphore.raw()) }
        })?;
        self.completed.fetch_max(now, Ordering::AcqRel);
        Ok(now >= value)
    }

    /// Looks without sleeping until `value` has been reached, for `limit` at most; whether it has been.
    pub(crate) fn watch(&self, value: u64, limit: Duration) -> Result<bool, VulkanError> {
        let start = Instant::now();
        while !self.reached(value)? {
            if start.elapsed() >= limit {
                return Ok(false);
            }
            std::hint::spin_loop();
        }
        Ok(true)
    }

    /// Blocks until `value` has been reached, which may belong to a submission that is still to come.
    pub(crate) fn wait(&self, value: u64, timeout: Duration) -> Result<(), VulkanError> {
        self.device.check_lost()?;
        if self.completed.load(Ordering::Acquire) >= value {
            return Ok(());
        }
        let start = Instant::now();
        loop {
            let left = timeout.saturating_sub(start.elapsed());
            let slice = left.min(SLICE);
            let answer = self.device.call("vkWaitSemaphores", || match self.wait_raw(value, slice) {
                Err(vk::Result::TIMEOUT) => Ok(false),
                other => other.map(|()| true),
            })?;
            if answer {
                self.completed.fetch_max(value, Ordering::AcqRel);
                return Ok(());
            }
            if left <= SLICE {
                return Err(VulkanError::Timeout { value, timeout });
            }
        }
    }

    fn wait_raw(&self, value: u64, timeout: Duration) -> Result<(), vk::Result> {
        let (semaphores, values) = ([self.semaphore.raw()], [value]);
        let info = vk::SemaphoreWaitInfo::default().semaphores(&semaphores).values(&values);
        let nanoseconds = u64::try_from(timeout.as_nanos()).unwrap_or(u64::MAX);
        // SAFETY: the semaphore is alive and a timeline (VUID-VkSemaphoreWaitInfo-pSemaphores-03256).
        unsafe { self.device.raw().wait_semaphores(&info, nanoseconds) }
    }

    /// Waits for everything submitted, for the sake of destroying it, also when the device is lost. False when work
    /// still runs after a long while.
    pub(crate) fn drain(&self) -> bool {
        let submitted = self.newest();
        if self.completed.load(Ordering::Acquire) >= submitted {
            return true;
        }
        // Not through `call`: a loss that was noted must not keep us from waiting for what may still run.
        match self.wait_raw(submitted, DRAIN) {
            Ok(()) => {
                self.completed.fetch_max(submitted, Ordering::AcqRel);
                true
            }
            // After a loss, handles may be destroyed at once.
            Err(result) => result != vk::Result::TIMEOUT,
        }
    }
}
