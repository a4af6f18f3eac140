//! One timeline semaphore counts submissions; everything that must wait, waits for a value of it.
#![allow(unsafe_code, reason = "submits work and waits for it")]

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use ash::vk;

use crate::device::Device;
use crate::error::VulkanError;
use crate::handle::Owned;

/// A wait wakes up this often to see whether another thread found the device lost: such a value is never reached.
const SLICE: Duration = Duration::from_millis(100);

/// How long dropping the device waits for work that never ends.
const DRAIN: Duration = Duration::from_secs(10);

/// The queue's timeline.
pub(crate) struct Timeline {
    semaphore: Owned<vk::Semaphore>,
    /// Value of the newest submission. Its lock is the queue's lock (VUID-vkQueueSubmit-queue: external synchronisation).
    submitted: Mutex<u64>,
    /// A value that is known to have been reached.
    completed: AtomicU64,
    device: Arc<Device>,
}

/// The queue, locked.
pub(crate) struct Queue<'a> {
    submitted: MutexGuard<'a, u64>,
    timeline: &'a Timeline,
}

impl Queue<'_> {
    /// Submits command buffers; the answer is the timeline value that is reached when they have finished.
    ///
    /// # Safety
    /// The command buffers are executable, not pending, and stay alive with all that they use until then.
    pub(crate) unsafe fn submit(&mut self, commands: &[vk::CommandBuffer]) -> Result<u64, VulkanError> {
        let Timeline { semaphore, device, .. } = self.timeline;
        let value = *self.submitted + 1;
        let (semaphores, values) = ([semaphore.raw()], [value]);
        let mut timeline = vk::TimelineSemaphoreSubmitInfo::default().signal_semaphore_values(&values);
        let info = vk::SubmitInfo::default()
            .command_buffers(commands)
            .signal_semaphores(&semaphores)
            .push_next(&mut timeline);
        // SAFETY: the queue is locked; the value is greater than every earlier one
        // (VUID-VkSubmitInfo-pSignalSemaphores-03242); command buffers as the caller promises
        // (VUID-vkQueueSubmit-pCommandBuffers-00070, -00071).
        device.call("vkQueueSubmit", || unsafe {
            device.raw().queue_submit(device.queue(), &[info], vk::Fence::null())
        })?;
        *self.submitted = value;
        Ok(value)
    }
}

impl Timeline {
    pub(crate) fn new(device: &Arc<Device>) -> Result<Arc<Self>, VulkanError> {
        let mut kind = vk::SemaphoreTypeCreateInfo::default().semaphore_type(vk::SemaphoreType::TIMELINE);
        let info = vk::SemaphoreCreateInfo::default().push_next(&mut kind);
        let semaphore = Owned::new(device, "vkCreateSemaphore", |raw| {
            // SAFETY: the device has timeline semaphores (VUID-VkSemaphoreTypeCreateInfo-timelineSemaphore-03252).
            unsafe { raw.create_semaphore(&info, None) }
        })?
        .named("timeline");
        Ok(Arc::new(Self {
            semaphore,
            submitted: Mutex::new(0),
            completed: AtomicU64::new(0),
            device: Arc::clone(device),
        }))
    }

    /// Locks the queue.
    pub(crate) fn queue(&self) -> Queue<'_> {
        Queue { submitted: self.submitted.lock().unwrap_or_else(PoisonError::into_inner), timeline: self }
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

    /// Blocks until `value` has been reached.
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
        let submitted = *self.submitted.lock().unwrap_or_else(PoisonError::into_inner);
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
