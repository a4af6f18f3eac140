//! Draws textures into buffers that a screen shows without a window system.
//!
//! As in a window ([`Screen`](crate::Screen)), a frame is scaled into place by one blit, on the queue that does not hold up frames.
//! Which buffer is free, and when it is shown, is for the owner of the screen to know.
#![allow(unsafe_code, reason = "submits work")]

use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::time::Duration;

use ash::vk;
use streamlib_core::format::Size;

use crate::commands::Commands;
use crate::conv;
use crate::device::Device;
use crate::encode::After;
use crate::error::VulkanError;
use crate::external::{DmaBuf, DmaBufImage, export_sync_file, exported_semaphore, modifier_features};
use crate::handle::Owned;
use crate::place::Scaling;
use crate::queue::Queue;
use crate::screen::{check_shown, record};
use crate::texture::Texture;
use crate::timeline::Timeline;

/// Buffers that a screen shows, for one device to draw into. It holds one thing of the type `H` for each buffer that is being
/// drawn, for as long as its texture may be read.
///
/// Fields in the order in which they are destroyed.
pub struct Scanout<H> {
    targets: Vec<Target<H>>,
    scaling: Scaling,
    timeline: Arc<Timeline>,
    queue: Arc<Queue>,
    /// That of the engine.
    rendered: Arc<Timeline>,
    device: Arc<Device>,
}

/// One buffer. Fields in the order in which they are destroyed.
struct Target<H> {
    commands: Commands,
    image: DmaBufImage,
    size: Size,
    /// Reached when what was drawn last is there.
    value: u64,
    held: Option<Held<H>>,
}

/// What is used until a picture is drawn.
struct Held<H> {
    _texture: Texture,
    /// What keeps others from writing the texture.
    _keep: H,
    /// Signalled when the picture is drawn, where somebody else may wait for that.
    drawn: Option<Owned<vk::Semaphore>>,
}

/// A picture that was submitted to be drawn.
#[derive(Debug)]
pub struct Drawn {
    /// What to give to [`Scanout::wait`].
    pub value: u64,
    /// A fence that ends when the picture is drawn (a `sync_file`), for a screen that waits by itself. None where the device has no
    /// such fences, or the picture is drawn by now: then [`Scanout::wait`] tells.
    pub fence: Option<OwnedFd>,
}

impl<H> Scanout<H> {
    pub(crate) fn new(
        device: &Arc<Device>,
        (queue, rendered): (&Arc<Queue>, &Arc<Timeline>),
        buffers: Vec<DmaBuf>,
        scaling: Scaling,
    ) -> Result<Self, VulkanError> {
        let usage = vk::ImageUsageFlags::TRANSFER_DST;
        let target = |buffer: DmaBuf| {
            let (size, format) = (buffer.size, buffer.format);
            let features = modifier_features(device, conv::storage_format(format), buffer.modifier);
            if !device.can_blit() || !features.contains(vk::FormatFeatureFlags::BLIT_DST) {
                let device = device.report().name.clone();
                return Err(VulkanError::UnsupportedFormat { device, format, usage: "screens" });
            }
            let image = DmaBufImage::import(device, "scan-out", buffer, usage)?;
            let commands = Commands::new(device, "scan-out")?;
            Ok(Target { commands, image, size, value: 0, held: None })
        };
        let targets = buffers.into_iter().map(target).collect::<Result<_, _>>()?;
        let timeline = Timeline::new(device, "scan-out")?;
        let (queue, rendered, device) = (Arc::clone(queue), Arc::clone(rendered), Arc::clone(device));
        Ok(Self { targets, scaling, timeline, queue, rendered, device })
    }

    /// Draws a texture into the buffer of that number, counted as they were given, and holds `keep` for as long as it may be
    /// read. The frame that drew the texture has been waited for, and the screen does not use the buffer. Does not wait.
    ///
    /// # Errors
    /// When there is no such buffer, it is being drawn already, the device is lost, or memory runs out.
    pub fn draw(&mut self, buffer: usize, texture: &Texture, keep: H) -> Result<Drawn, VulkanError> {
        check_shown(&self.device, texture)?;
        let count = self.targets.len() as u64;
        let target = self.targets.get_mut(buffer).ok_or_else(|| VulkanError::Limit {
            label: texture.0.label.clone(),
            what: "a buffer of the screen after number",
            asked: buffer as u64,
            limit: count.saturating_sub(1),
        })?;
        if !self.timeline.reached(target.value)? {
            return Err(VulkanError::StillInFlight { recording: "scan-out".to_owned(), value: target.value });
        }
        target.held = None;
        let (image, commands) = (target.image.image.raw(), target.commands.raw());
        let after = After::Released { to: target.image.owner };
        record(commands, texture, (image, target.size), self.scaling, after)?;
        let has_fences = self.device.features().exchange.sync_files;
        let drawn = has_fences.then(|| exported_semaphore(&self.device, "drawn")).transpose()?;
        let signal = drawn.as_ref().map(Owned::raw);
        let mut claimed = self.queue.claim();
        // SAFETY: the command buffer is executable, and not pending, as the target's value has been reached; what it uses is held
        // by the target until its new value is. The semaphore is new.
        let value = unsafe {
            claimed.submit_drawing(&self.timeline, commands, [self.rendered.newest_reached()], signal)
        }?;
        drop(claimed);
        target.value = value;
        let held = target.held.insert(Held { _texture: texture.clone(), _keep: keep, drawn });
        let fence = held.drawn.as_ref().map_or(Ok(None), |drawn| {
            // SAFETY: what signals it was just submitted, and it waits for nothing that is still to come.
            unsafe { export_sync_file(&self.device, drawn) }
        })?;
        Ok(Drawn { value, fence })
    }

    /// Waits until the picture with that [`value`](Drawn::value) is drawn, and lets go of the texture.
    ///
    /// # Errors
    /// When `timeout` passes first, or the device is lost.
    pub fn wait(&mut self, drawn: u64, timeout: Duration) -> Result<(), VulkanError> {
        self.timeline.wait(drawn, timeout)?;
        for target in self.targets.iter_mut().filter(|target| target.value <= drawn) {
            target.held = None;
        }
        Ok(())
    }
}

impl<H> Drop for Scanout<H> {
    fn drop(&mut self) {
        if !self.timeline.drain() {
            tracing::error!("a picture for a screen was never drawn: its memory is not freed");
            std::mem::forget(std::mem::take(&mut self.targets));
            std::mem::forget(Arc::clone(&self.device));
        }
    }
}

impl<H> std::fmt::Debug for Scanout<H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Scanout({} buffers, {:?})", self.targets.len(), self.scaling)
    }
}
