//! Shows textures in a window.
//!
//! A frame is scaled into an image of the swapchain by one blit. The thread that shows waits for the screen; the queue is
//! claimed for the calls alone, and is a second one where the device has it.
#![allow(unsafe_code, reason = "records and submits work, waits for the queue")]

use std::sync::Arc;
use std::time::Duration;

use ash::vk;
use streamlib_core::format::Size;

use crate::check::own_texture;
use crate::commands::Commands;
use crate::device::Device;
use crate::encode::{After, Encoder};
use crate::error::VulkanError;
use crate::handle::Owned;
use crate::place::{Scaling, place};
use crate::queue::Queue;
use crate::surface::{Surface, WindowHandles, extent};
use crate::swapchain::{Answer, Chain, ChainDesc, semaphore};
use crate::texture::Texture;
use crate::timeline::Timeline;

/// Frames that are drawn at once.
const UNDER_WAY: usize = 2;
/// The screen lets go of an image within this, unless the window is hidden.
const PATIENCE: Duration = Duration::from_millis(100);
/// Drawing one picture takes no longer than this on anything that works.
const DRAW_LIMIT: Duration = Duration::from_secs(10);
/// How often a window may change its size while one picture is on its way into it.
const TRIES: usize = 4;
/// Swapchains that may wait for their end. A window whose size is dragged makes many.
const REPLACED: usize = 4;

/// How a window shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ScreenOptions {
    /// How pictures are brought to the window's size.
    pub scaling: Scaling,
    /// Whether each picture waits for the screen; else a newer one takes its place.
    pub vsync: bool,
}

/// A texture, and what keeps others from writing it while it is shown.
#[derive(Debug)]
struct Held<H> {
    texture: Texture,
    keep: Arc<H>,
}

impl<H> Clone for Held<H> {
    fn clone(&self) -> Self {
        Self { texture: self.texture.clone(), keep: Arc::clone(&self.keep) }
    }
}

/// One picture on its way.
struct Slot<H> {
    commands: Commands,
    /// Signalled when the screen has let go of the image that is to be drawn.
    taken: Owned<vk::Semaphore>,
    /// Reached when the picture is drawn.
    value: u64,
    held: Option<Held<H>>,
}

/// A window's screen. It holds up to two things of the type `H`, each for as long as its texture may be read.
///
/// Fields in the order in which they are destroyed.
pub struct Screen<H> {
    slots: Vec<Slot<H>>,
    next: usize,
    last: Option<Held<H>>,
    chain: Option<Chain>,
    /// Swapchains that were replaced, and the timeline value after which the screen is past them, once that is known.
    replaced: (Vec<Chain>, Option<u64>),
    /// Size of the window that the swapchain was made for.
    window: Size,
    /// Whether the swapchain cannot show any more.
    is_out_of_date: bool,
    /// Whether it can, and another might do it better.
    is_suboptimal: bool,
    /// What went wrong, after which nothing is shown.
    failure: Option<VulkanError>,
    format: vk::SurfaceFormatKHR,
    mode: vk::PresentModeKHR,
    scaling: Scaling,
    timeline: Arc<Timeline>,
    surface: Surface,
    queue: Arc<Queue>,
    /// That of the engine.
    rendered: Arc<Timeline>,
    device: Arc<Device>,
}

impl<H> Screen<H> {
    pub(crate) fn new(
        device: &Arc<Device>,
        queue: &Arc<Queue>,
        rendered: &Arc<Timeline>,
        window: Arc<dyn WindowHandles>,
        options: ScreenOptions,
    ) -> Result<Self, VulkanError> {
        let surface = Surface::new(device, window)?;
        let (format, mode) = (surface.format()?, surface.mode(options.vsync)?);
        let timeline = Timeline::new(device, "screen")?;
        let slot = |_| {
            let (commands, taken) = (Commands::new(device, "screen")?, semaphore(device, "taken")?);
            Ok(Slot { commands, taken, value: 0, held: None })
        };
        let slots = (0..UNDER_WAY).map(slot).collect::<Result<_, VulkanError>>()?;
        Ok(Self {
            slots,
            next: 0,
            last: None,
            chain: None,
            replaced: (Vec::new(), None),
            window: Size::new(0, 0),
            is_out_of_date: false,
            is_suboptimal: false,
            failure: None,
            format,
            mode,
            scaling: options.scaling,
            timeline,
            surface,
            queue: Arc::clone(queue),
            rendered: Arc::clone(rendered),
            device: Arc::clone(device),
        })
    }

    /// Waits until one of the two pictures under way is drawn, and lets go of it, so that the next may come.
    ///
    /// # Errors
    /// When the device is lost, or does not get there.
    pub fn make_room(&mut self) -> Result<(), VulkanError> {
        let slot = &mut self.slots[self.next];
        self.timeline.wait(slot.value, DRAW_LIMIT)?;
        slot.held = None;
        Ok(())
    }

    /// Shows a texture in a window of that size, and holds `keep` for as long as it may be read. The frame that drew it has been
    /// waited for. `false` when nothing was handed over to the window system: the window is hidden at the moment, has no area, or
    /// has just changed its size.
    ///
    /// # Errors
    /// When the device or the window is lost, or memory runs out. The screen shows nothing any more then.
    pub fn show(&mut self, texture: &Texture, keep: H, window: Size) -> Result<bool, VulkanError> {
        check_shown(&self.device, texture)?;
        self.show_held(Held { texture: texture.clone(), keep: Arc::new(keep) }, window)
    }

    /// Shows the newest texture once more: the window was uncovered, or has another size. `false` as with [`show`](Self::show).
    ///
    /// # Errors
    /// As [`show`](Self::show).
    pub fn show_again(&mut self, window: Size) -> Result<bool, VulkanError> {
        let Some(held) = self.last.clone() else { return Ok(false) };
        self.show_held(held, window)
    }

    fn show_held(&mut self, held: Held<H>, window: Size) -> Result<bool, VulkanError> {
        match self.failure.clone() {
            Some(failure) => Err(failure),
            None => self.try_to_show(held, window).inspect_err(|error| self.failure = Some(error.clone())),
        }
    }

    fn try_to_show(&mut self, held: Held<H>, window: Size) -> Result<bool, VulkanError> {
        self.make_room()?;
        self.last = Some(held.clone());
        for _ in 0..TRIES {
            if !self.fit(window)? {
                return Ok(false);
            }
            let Some(chain) = &self.chain else { return Ok(false) };
            let slot = &self.slots[self.next];
            // SAFETY: the slot's last picture is drawn, which waited for the semaphore; only taken images signal it, and each
            // of them is drawn, or else the screen fails and is dropped.
            let taken = unsafe { chain.take(slot.taken.raw(), PATIENCE) }?;
            match taken {
                Answer::NotYet => return Ok(false),
                Answer::OutOfDate => self.is_out_of_date = true,
                Answer::Done(image, is_suboptimal) => {
                    self.is_suboptimal |= is_suboptimal;
                    return self.draw(image, held);
                }
            }
        }
        Ok(false)
    }

    /// Sees to it that there is a swapchain that fits the window; `false` when the window has no area.
    fn fit(&mut self, window: Size) -> Result<bool, VulkanError> {
        let may_be_better = self.is_out_of_date || self.is_suboptimal || self.window != window;
        if self.chain.is_some() && !may_be_better {
            return Ok(true);
        }
        let capabilities = self.surface.capabilities()?;
        let Some(extent) = extent(&capabilities, window) else { return Ok(false) };
        // Some systems call a swapchain less than optimal for as long as it lives: one of the same size would be no better.
        let is_same = self.chain.as_ref().is_some_and(|chain| chain.extent == extent);
        if !is_same || self.is_out_of_date {
            let desc = ChainDesc { format: self.format, mode: self.mode, extent };
            let new = Chain::new(&self.device, &self.surface, &capabilities, desc, self.chain.as_ref());
            // It shows nothing any more, whatever became of the new one.
            let (replaced, until) = &mut self.replaced;
            replaced.extend(self.chain.take());
            *until = None;
            self.chain = Some(new?);
            if self.replaced.0.len() > REPLACED {
                self.settle()?;
                self.replaced = (Vec::new(), None);
            }
        }
        (self.window, self.is_out_of_date, self.is_suboptimal) = (window, false, false);
        Ok(true)
    }

    /// Draws the picture of the next slot into an image that was taken, and shows it; whether the window takes it.
    fn draw(&mut self, image: usize, held: Held<H>) -> Result<bool, VulkanError> {
        let Some(chain) = &mut self.chain else { return Ok(false) };
        let slot = &mut self.slots[self.next];
        record(
            slot.commands.raw(),
            &held.texture,
            (chain.image(image), Size::new(chain.extent.width, chain.extent.height)),
            self.scaling,
            After::Presented,
        )?;
        let was_shown = chain.was_shown(image);
        let mut claimed = self.queue.claim();
        // SAFETY: the command buffer is executable, and not pending, as the slot's value has been reached; what it uses is held
        // by the slot until its new value is. `taken` is about to be signalled and waited for by this alone; `drawn` is
        // unsignalled, as the image was shown and has been taken anew, or was never drawn.
        let value = unsafe {
            claimed.submit_drawing(
                &self.timeline,
                slot.commands.raw(),
                [(slot.taken.raw(), 0), self.rendered.newest_reached()],
                Some(chain.drawn(image)),
            )
        }?;
        (slot.value, slot.held) = (value, Some(held));
        // SAFETY: the claim is held; the image was taken, and the work just submitted draws it and signals its semaphore.
        let shown = unsafe { chain.show(image, claimed.raw()) };
        drop(claimed);
        let is_taken = match shown? {
            Answer::Done((), is_suboptimal) => {
                self.is_suboptimal |= is_suboptimal;
                true
            }
            Answer::OutOfDate | Answer::NotYet => {
                self.is_out_of_date = true;
                false
            }
        };
        self.next = (self.next + 1) % UNDER_WAY;
        if let (_, until @ None) = &mut self.replaced
            && was_shown
        {
            *until = Some(value);
        }
        if self.replaced.1.is_some_and(|until| self.timeline.reached(until).unwrap_or(false)) {
            self.replaced = (Vec::new(), None);
        }
        Ok(is_taken)
    }

    /// Waits until nothing is drawn, and the screen has taken over all that was shown.
    fn settle(&self) -> Result<(), VulkanError> {
        self.timeline.wait(self.timeline.newest(), DRAW_LIMIT)?;
        let claimed = self.queue.claim();
        self.device.call("vkQueueWaitIdle", || claimed.wait_idle())
    }
}

impl<H> Drop for Screen<H> {
    fn drop(&mut self) {
        let is_drawn = self.timeline.drain();
        if is_drawn {
            // Not through `call`: what the screen still waits for has to end also after another failure. After a loss there is
            // nothing to wait for.
            let _lost = self.queue.claim().wait_idle();
            return;
        }
        tracing::error!("a picture for a window was never drawn: its memory is not freed");
        std::mem::forget(std::mem::take(&mut self.slots));
        std::mem::forget((self.last.take(), self.chain.take(), std::mem::take(&mut self.replaced)));
        std::mem::forget(Arc::clone(&self.device));
    }
}

impl<H> std::fmt::Debug for Screen<H> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Screen({}, {:?})", self.window, self.mode)
    }
}

/// Refuses a texture that the device cannot scale into another image.
pub(crate) fn check_shown(device: &Arc<Device>, texture: &Texture) -> Result<(), VulkanError> {
    own_texture(device, texture)?;
    if !texture.features().contains(vk::FormatFeatureFlags::BLIT_SRC) {
        let (device, format) = (device.report().name.clone(), texture.format());
        return Err(VulkanError::UnsupportedFormat { device, format, usage: "showing" });
    }
    Ok(())
}

/// Records how a texture gets into an image that is shown, and what becomes of that.
pub(crate) fn record(
    commands: vk::CommandBuffer,
    texture: &Texture,
    (image, target): (vk::Image, Size),
    scaling: Scaling,
    after: After,
) -> Result<(), VulkanError> {
    let device = &*texture.0.device;
    let placed = place(scaling, texture.size(), target);
    let is_filtered = texture.features().contains(vk::FormatFeatureFlags::SAMPLED_IMAGE_FILTER_LINEAR);
    let filter = if is_filtered { vk::Filter::LINEAR } else { vk::Filter::NEAREST };
    // SAFETY: the command buffer is not pending, and its pool belongs to this thread's screen.
    let encoder = unsafe { Encoder::begin(device, commands) }?;
    encoder.draw_into(image, texture, (&placed, filter), after);
    encoder.end()
}
