//! The one queue, and whose turn it is to submit to it.
#![allow(unsafe_code, reason = "submits work")]

use std::cell::UnsafeCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ash::vk;

use crate::device::Device;
use crate::error::VulkanError;
use crate::timeline::Timeline;

/// Tries before a claimant lets other threads run. A claim lasts as long as `vkQueueSubmit`: some microseconds.
const SPINS: u32 = 100;
/// What it then waits between two tries.
const PAUSE: Duration = Duration::from_micros(20);

/// Command buffers of one submission that the scratch holds from the start.
const COMMANDS: usize = 64;

/// The queue. One thread at a time has it, by an atomic claim: there is no lock to sleep on.
pub(crate) struct Queue {
    is_claimed: AtomicBool,
    /// Touched by the holder of the claim only. Grows when a submission is larger than any before.
    scratch: UnsafeCell<Vec<vk::CommandBuffer>>,
    device: Arc<Device>,
}

// SAFETY: the scratch is reached through a `Claimed` only, of which there is one at a time: it is made when the flag turns
// true and dropped before it turns false, with acquire and release order between the two.
unsafe impl Sync for Queue {}

/// The claim to the queue, given up on drop, also when its holder panics.
pub(crate) struct Claimed<'a> {
    queue: &'a Queue,
}

impl Queue {
    pub(crate) fn new(device: &Arc<Device>) -> Arc<Self> {
        Arc::new(Self {
            is_claimed: AtomicBool::new(false),
            scratch: UnsafeCell::new(Vec::with_capacity(COMMANDS)),
            device: Arc::clone(device),
        })
    }

    /// Claims the queue. Where another thread is submitting at this very moment, waits for that.
    pub(crate) fn claim(&self) -> Claimed<'_> {
        let mut spins = 0;
        while self
            .is_claimed
            .compare_exchange_weak(false, true, Ordering::Acquire, Ordering::Relaxed)
            .is_err()
        {
            if spins < SPINS {
                spins += 1;
                std::hint::spin_loop();
            } else {
                // A yield would not let a holder of lower priority run, where the claimant is a real-time thread.
                std::thread::park_timeout(PAUSE);
            }
        }
        Claimed { queue: self }
    }
}

impl Claimed<'_> {
    /// Submits command buffers as one piece of work; the answer is the value of `timeline` that is reached when they have
    /// finished.
    ///
    /// # Safety
    /// The command buffers are executable, distinct, not pending, and stay alive with all that they use until then.
    pub(crate) unsafe fn submit(
        &mut self,
        timeline: &Timeline,
        commands: impl Iterator<Item = vk::CommandBuffer>,
    ) -> Result<u64, VulkanError> {
        let device = &self.queue.device;
        // SAFETY: the claim is held, and `&mut self` keeps its holder from doing this twice at once.
        let scratch = unsafe { &mut *self.queue.scratch.get() };
        scratch.clear();
        scratch.extend(commands);
        let value = timeline.newest() + 1;
        let (semaphores, values) = ([timeline.semaphore()], [value]);
        let mut info = vk::TimelineSemaphoreSubmitInfo::default().signal_semaphore_values(&values);
        let info = vk::SubmitInfo::default()
            .command_buffers(scratch)
            .signal_semaphores(&semaphores)
            .push_next(&mut info);
        // SAFETY: the claim is the external synchronisation that the queue needs (VUID-vkQueueSubmit-queue-parameter and
        // the host synchronisation of `queue`); the value is greater than every earlier one of the semaphore
        // (VUID-VkSubmitInfo-pSignalSemaphores-03242), because values are given under the claim; command buffers as the
        // caller promises (VUID-vkQueueSubmit-pCommandBuffers-00070, -00071).
        device.call("vkQueueSubmit", || unsafe {
            device.raw().queue_submit(device.queue(), &[info], vk::Fence::null())
        })?;
        timeline.note_submission(value);
        Ok(value)
    }
}

impl Drop for Claimed<'_> {
    fn drop(&mut self) {
        self.queue.is_claimed.store(false, Ordering::Release);
    }
}
