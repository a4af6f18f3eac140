//! A queue, and whose turn it is to submit to it.
#![allow(unsafe_code, reason = "submits work")]

use std::cell::UnsafeCell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ash::prelude::VkResult;
use ash::vk;

use crate::device::Device;
use crate::error::VulkanError;
use crate::timeline::Timeline;

/// Tries before a claimant lets other threads run. A claim lasts as long as `vkQueueSubmit`: some microseconds.
const SPINS: u32 = 100;
/// How long a claimant sleeps after that. Yielding would not do: one with real-time priority would keep the holder, who may have
/// none, from ever running.
const NAP: Duration = Duration::from_micros(20);

/// Command buffers of one submission that the scratch holds from the start.
const COMMANDS: usize = 64;

/// A queue. One thread at a time has it, by an atomic claim: there is no lock to sleep on.
pub(crate) struct Queue {
    raw: vk::Queue,
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
    /// The claims to a queue of `device`; there is one such value for it.
    pub(crate) fn new(device: &Arc<Device>, raw: vk::Queue) -> Arc<Self> {
        Arc::new(Self {
            raw,
            is_claimed: AtomicBool::new(false),
            scratch: UnsafeCell::new(Vec::with_capacity(COMMANDS)),
            device: Arc::clone(device),
        })
    }

    /// Claims the queue. Where another thread is submitting at this very moment, waits for that.
    #[expect(clippy::disallowed_methods, reason = "waiting for the event itself would be a lock")]
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
                std::thread::sleep(NAP);
            }
        }
        Claimed { queue: self }
    }
}

impl Claimed<'_> {
    /// Submits command buffers as one piece of work; the answer is the value of `timeline` that is reached when they have
    /// finished. `shared`, a timeline that another API or process waits for, reaches the same value then.
    ///
    /// # Safety
    /// The command buffers are executable, distinct, not pending, and stay alive with all that they use until then.
    pub(crate) unsafe fn submit(
        &mut self,
        timeline: &Timeline,
        shared: Option<&Timeline>,
        commands: impl Iterator<Item = vk::CommandBuffer>,
    ) -> Result<u64, VulkanError> {
        let device = &self.queue.device;
        // SAFETY: the claim is held, and `&mut self` keeps its holder from doing this twice at once.
        let scratch = unsafe { &mut *self.queue.scratch.get() };
        scratch.clear();
        scratch.extend(commands);
        let value = timeline.newest() + 1;
        let second = shared.unwrap_or(timeline);
        let semaphores = [timeline.semaphore(), second.semaphore()];
        let values = [value; 2];
        let signals = if shared.is_some() { 2 } else { 1 };
        let mut info = vk::TimelineSemaphoreSubmitInfo::default().signal_semaphore_values(&values[..signals]);
        let info = vk::SubmitInfo::default()
            .command_buffers(scratch)
            .signal_semaphores(&semaphores[..signals])
            .push_next(&mut info);
        // SAFETY: the claim is the external synchronisation that the queue needs (VUID-vkQueueSubmit-queue-parameter and
        // the host synchronisation of `queue`); the value is greater than every earlier one of the semaphore
        // (VUID-VkSubmitInfo-pSignalSemaphores-03242), because values are given under the claim, and so are those of `shared`, which
        // are some of them; command buffers as the caller promises (VUID-vkQueueSubmit-pCommandBuffers-00070, -00071).
        device.call("vkQueueSubmit", || unsafe {
            device.raw().queue_submit(self.queue.raw, &[info], vk::Fence::null())
        })?;
        timeline.note_submission(value);
        if let Some(shared) = shared {
            shared.note_submission(value);
        }
        Ok(value)
    }

    /// Submits nothing but a wait, which all that is submitted later comes after as well. The answer is as that of
    /// [`submit`](Self::submit).
    ///
    /// # Safety
    /// The semaphore, one of two states, is or will be signalled, nothing else waits for it, and it stays alive until then.
    pub(crate) unsafe fn submit_wait(
        &mut self,
        timeline: &Timeline,
        until: vk::Semaphore,
    ) -> Result<u64, VulkanError> {
        let device = &self.queue.device;
        let value = timeline.newest() + 1;
        let (waits, stages) = ([until], [vk::PipelineStageFlags::ALL_COMMANDS]);
        let (signals, values) = ([timeline.semaphore()], [value]);
        let mut info = vk::TimelineSemaphoreSubmitInfo::default()
            .wait_semaphore_values(&[0])
            .signal_semaphore_values(&values);
        let info = vk::SubmitInfo::default()
            .wait_semaphores(&waits)
            .wait_dst_stage_mask(&stages)
            .signal_semaphores(&signals)
            .push_next(&mut info);
        // SAFETY: as in `submit`; the semaphore as the caller promises (VUID-vkQueueSubmit-pWaitSemaphores-03238).
        device.call("vkQueueSubmit", || unsafe {
            device.raw().queue_submit(self.queue.raw, &[info], vk::Fence::null())
        })?;
        timeline.note_submission(value);
        Ok(value)
    }

    /// Submits the drawing of an image that is shown: it waits for `until`, each a semaphore and, for a timeline, a value, and
    /// signals `drawn`. The answer is as that of [`submit`](Self::submit).
    ///
    /// # Safety
    /// As that of [`submit`](Self::submit). Each semaphore of two states that it waits for is or will be signalled, and nothing
    /// else waits for it; `drawn` is unsignalled, and nothing else is to signal it.
    pub(crate) unsafe fn submit_drawing<const N: usize>(
        &mut self,
        timeline: &Timeline,
        commands: vk::CommandBuffer,
        until: [(vk::Semaphore, u64); N],
        drawn: Option<vk::Semaphore>,
    ) -> Result<u64, VulkanError> {
        let device = &self.queue.device;
        let value = timeline.newest() + 1;
        let (waits, wait_values) = (until.map(|(semaphore, _)| semaphore), until.map(|(_, value)| value));
        let signals = [timeline.semaphore(), drawn.unwrap_or_default()];
        let signals = &signals[..1 + usize::from(drawn.is_some())];
        let signal_values = &[value, 0][..signals.len()];
        let (commands, stages) = ([commands], [vk::PipelineStageFlags::TRANSFER; N]);
        let mut values = vk::TimelineSemaphoreSubmitInfo::default()
            .wait_semaphore_values(&wait_values)
            .signal_semaphore_values(signal_values);
        let info = vk::SubmitInfo::default()
            .command_buffers(&commands)
            .wait_semaphores(&waits)
            .wait_dst_stage_mask(&stages)
            .signal_semaphores(signals)
            .push_next(&mut values);
        // SAFETY: as in `submit`; there is a value for each semaphore, which those of two states ignore
        // (VUID-VkSubmitInfo-pNext-03240, -03241); semaphores as the caller promises (VUID-vkQueueSubmit-pWaitSemaphores-03238,
        // -pSignalSemaphores-00067).
        device.call("vkQueueSubmit", || unsafe {
            device.raw().queue_submit(self.queue.raw, &[info], vk::Fence::null())
        })?;
        timeline.note_submission(value);
        Ok(value)
    }

    /// The queue, for a call that needs the claim to it.
    pub(crate) fn raw(&self) -> vk::Queue {
        self.queue.raw
    }

    /// Waits until the queue has done all that it was given, showing included.
    pub(crate) fn wait_idle(&self) -> VkResult<()> {
        // SAFETY: the claim is the external synchronisation that the queue needs.
        unsafe { self.queue.device.raw().queue_wait_idle(self.queue.raw) }
    }
}

impl Drop for Claimed<'_> {
    fn drop(&mut self) {
        self.queue.is_claimed.store(false, Ordering::Release);
    }
}
