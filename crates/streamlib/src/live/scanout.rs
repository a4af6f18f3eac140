//! Screens that a live graph shows on without a window system, each on a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use streamlib_core::account::{DropReason, NodeCounters};
use streamlib_core::engine::Content;
use streamlib_core::mailbox::{Listener, Receiver};
use streamlib_linux::{Framebuffer, KmsOptions, KmsScreen};
use streamlib_vulkan::{DmaBuf, Scanout, VulkanGpu};

use super::LiveFrame;
use super::clock::{Role, prepare_thread};
use super::event::{Events, LiveEvent};
use crate::display::DisplayError;
use crate::scanout::ScanoutOptions;

/// One that is shown, one on its way to the screen, one to draw into.
const BUFFERS: usize = 3;
/// Drawing, or a screen's next picture, takes no longer on anything that works, be it emulated.
const LIMIT: Duration = Duration::from_secs(20);
/// A wait looks this often whether it is to stop.
const SLICE: Duration = Duration::from_millis(100);

/// An open screen.
pub(super) struct ScanoutScreen {
    scanout: Scanout<LiveFrame>,
    buffers: Vec<Framebuffer>,
    /// After the buffers, which are its card's.
    screen: KmsScreen,
    pub(super) listener: Listener,
}

/// What a screen's thread works with.
pub(super) struct ScanoutJob {
    pub(super) node: String,
    pub(super) screen: ScanoutScreen,
    pub(super) frames: Receiver<LiveFrame>,
    pub(super) counters: Arc<NodeCounters>,
    pub(super) events: Arc<Events>,
}

/// Opens the screen that `options` ask for. Nothing is shown on it yet.
pub(super) fn open_screen(gpu: &VulkanGpu, options: &ScanoutOptions) -> Result<ScanoutScreen, DisplayError> {
    let ScanoutOptions { connector, card, size, rate, scaling } = options.clone();
    let screen = KmsScreen::open(&KmsOptions { card, connector, size, rate })?;
    let buffers = (0..BUFFERS).map(|_| screen.create_buffer()).collect::<Result<Vec<_>, _>>()?;
    let shared = buffers.iter().map(|buffer| {
        let exported = buffer.export()?;
        Ok(DmaBuf {
            descriptor: exported.descriptor,
            size: exported.size,
            format: exported.format,
            modifier: exported.modifier,
            offset: exported.offset,
            row_pitch: exported.row_pitch,
        })
    });
    let scanout = gpu.open_scanout(shared.collect::<Result<_, DisplayError>>()?, scaling)?;
    Ok(ScanoutScreen { scanout, buffers, screen, listener: Listener::new() })
}

impl ScanoutScreen {
    /// Draws a frame into a buffer that the screen does not use, and lets it be shown next.
    fn show(&mut self, frame: LiveFrame) -> Result<(), DisplayError> {
        let Content::Texture(leased) = &frame.content else { return Ok(()) };
        let texture = leased.texture.clone();
        let screen = &self.screen;
        let is_free = |buffer: &Framebuffer| !screen.uses(buffer);
        let free = self.buffers.iter().position(is_free).expect("a screen uses at most two of three buffers");
        let drawn = self.scanout.draw(free, &texture, frame)?;
        self.scanout.wait(drawn, LIMIT)?;
        // The picture before has to be on the screen first.
        self.screen.wait(LIMIT)?;
        Ok(self.screen.flip(&self.buffers[free])?)
    }
}

impl ScanoutJob {
    /// Shows frames until there are none any more.
    pub(super) fn run(mut self, is_unwanted: &AtomicBool) {
        prepare_thread(&self.node, Role::Other, None);
        let Err(error) = self.show_all(is_unwanted) else { return };
        self.frames.close();
        while self.frames.take().is_some() {
            self.counters.dropped(DropReason::ConsumerFailed);
        }
        // The screen is given back when its end is heard of.
        drop(self.screen);
        self.events.tell(LiveEvent::SinkFailed { node: self.node, why: error.to_string() });
    }

    fn show_all(&mut self, is_unwanted: &AtomicBool) -> Result<(), DisplayError> {
        while !is_unwanted.load(Ordering::Acquire) {
            let Some(frame) = self.frames.take() else {
                if self.frames.is_closed() {
                    break;
                }
                self.screen.listener.wait(Some(Instant::now() + SLICE));
                continue;
            };
            self.screen.show(frame).inspect_err(|_| self.counters.dropped(DropReason::ConsumerFailed))?;
            self.counters.went_out();
        }
        Ok(())
    }
}

impl std::fmt::Debug for ScanoutScreen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ScanoutScreen({}, {})", self.screen.connector(), self.screen.mode())
    }
}
