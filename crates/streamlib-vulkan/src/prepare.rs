//! Gets new textures ready before anybody can use them. Those that are made here are given their layout and zeros, so that
//! no program sees another's memory; those of others keep what they hold.
#![allow(unsafe_code, reason = "records and submits commands")]

use std::sync::Arc;
use std::time::Duration;

use ash::vk;

use crate::commands::Commands;
use crate::device::Device;
use crate::encode::Encoder;
use crate::error::VulkanError;
use crate::handle::Owned;
use crate::queue::Queue;
use crate::retire::RetireQueue;
use crate::texture::Texture;
use crate::timeline::Timeline;

/// What has to happen before textures can be used, and was submitted. It has a timeline of its own, because it takes no value of the
/// contract's.
pub(crate) struct Preparations {
    submitted: RetireQueue<Preparation>,
    timeline: Arc<Timeline>,
    queue: Arc<Queue>,
    device: Arc<Device>,
}

/// What a texture is to hold when it is ready, in layout `GENERAL`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    /// Zeros.
    Zeros,
    /// What its owner, one of this queue family, has written; there it is in layout `GENERAL` as well.
    Acquired { from: u32 },
}

/// What must live until a preparation has finished.
enum Preparation {
    Texture { _commands: Commands, _texture: Texture },
    Order { _after: Owned<vk::Semaphore> },
}

impl Preparations {
    pub(crate) fn new(device: &Arc<Device>, queue: &Arc<Queue>) -> Result<Self, VulkanError> {
        let timeline = Timeline::new(device, "preparations")?;
        let (queue, device) = (Arc::clone(queue), Arc::clone(device));
        Ok(Self { submitted: RetireQueue::new(), timeline, queue, device })
    }

    /// Prepares a texture that nothing has used: everything submitted from now on finds it ready. Does not wait.
    pub(crate) fn prepare(&self, texture: Texture, state: State) -> Result<(), VulkanError> {
        let commands = Commands::new(&self.device, &texture.0.label)?;
        // SAFETY: the command buffer is new, and so is its pool.
        let encoder = unsafe { Encoder::begin(&self.device, commands.raw()) }?;
        match state {
            State::Zeros => encoder.initialise(&texture),
            State::Acquired { from } => encoder.acquire(texture.0.image.raw(), from),
        }
        encoder.end()?;
        let raw = std::iter::once(commands.raw());
        let preparation = Preparation::Texture { _commands: commands, _texture: texture };
        // SAFETY: the command buffer is executable and was never submitted; it and the texture stay alive in the queue of
        // what has not finished.
        let value = unsafe { self.queue.claim().submit(&self.timeline, None, raw) }?;
        self.submitted.push(value, preparation);
        Ok(())
    }

    /// Lets everything that is submitted from now on come after a semaphore of two states that will be signalled by somebody else,
    /// and that nothing else waits for. Does not wait.
    pub(crate) fn come_after(&self, semaphore: Owned<vk::Semaphore>) -> Result<(), VulkanError> {
        // SAFETY: as the caller says; it stays alive in the queue of what has not finished.
        let value = unsafe { self.queue.claim().submit_wait(&self.timeline, semaphore.raw()) }?;
        self.submitted.push(value, Preparation::Order { _after: semaphore });
        Ok(())
    }

    /// Waits until all that were submitted until now are ready.
    pub(crate) fn wait(&self, timeout: Duration) -> Result<(), VulkanError> {
        self.timeline.wait(self.timeline.newest(), timeout)
    }

    /// Drops what has finished.
    pub(crate) fn collect(&self) {
        self.submitted.collect(&self.timeline);
    }

    /// Waits for all of them, as [`Timeline::drain`].
    pub(crate) fn drain(&self) -> bool {
        self.timeline.drain()
    }

    /// Drops everything; the caller has seen to it that nothing is in use.
    pub(crate) fn clear(&self) {
        self.submitted.clear();
    }
}
