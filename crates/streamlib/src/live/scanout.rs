//! Screens that a live graph shows on without a window system, each on a thread of its own.

use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use streamlib_core::account::{DropReason, NodeCounters, ShownBy, ShownFrame};
use streamlib_core::engine::{Content, Leased};
use streamlib_core::frame::Timestamp;
use streamlib_core::mailbox::{Listener, Receiver};
use streamlib_linux::{Framebuffer, KmsError, KmsOptions, KmsScreen};
use streamlib_vulkan::{DmaBuf, Scanout, VulkanGpu};

use super::LiveFrame;
use super::clock::{Role, prepare_thread};
use super::direct::{Direct, NotDirect};
use super::event::{Events, LiveEvent};
use super::showing::{FORMATS, ScreenFacts};
use crate::display::DisplayError;
use crate::scanout::ScanoutOptions;

/// One that is shown, one on its way to the screen, one to draw into.
const BUFFERS: usize = 3;
/// Drawing, or a screen's next picture, takes no longer on anything that works, be it emulated.
const LIMIT: Duration = Duration::from_secs(20);
/// A wait looks this often whether it is to stop.
const SLICE: Duration = Duration::from_millis(100);
/// So often it is looked whether the screen is still there.
const LOOK: Duration = Duration::from_millis(500);

/// An open screen.
pub(super) struct ScanoutScreen {
    scanout: Scanout<LiveFrame>,
    buffers: Vec<Framebuffer>,
    direct: Direct,
    /// After the buffers, which are its card's.
    screen: KmsScreen,
    /// The frame that is on its way to the screen.
    next: Option<Next>,
    /// The frame that is on the screen, where that reads its texture.
    _shown: Option<LiveFrame>,
    pub(super) listener: Listener,
}

/// A frame on its way to the screen.
struct Next {
    captured: Timestamp,
    handed: Timestamp,
    held: Held,
}

/// What has its texture until it is shown.
enum Held {
    /// The screen, and for as long as it shows it.
    Frame(LiveFrame),
    /// A drawing of that number.
    Drawn(u64),
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
pub(super) fn open_screen(
    gpu: &Arc<VulkanGpu>,
    options: &ScanoutOptions,
) -> Result<ScanoutScreen, DisplayError> {
    let ScanoutOptions { connector, card, size, rate, scaling, .. } = options.clone();
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
    let (direct, listener) = (Direct::new(gpu), Listener::new());
    Ok(ScanoutScreen { scanout, buffers, direct, screen, next: None, _shown: None, listener })
}

impl ScanoutScreen {
    /// What the screen shows where it lies.
    pub(super) fn facts(&self) -> ScreenFacts {
        let modifiers = FORMATS.map(|format| (format, self.screen.modifiers(format)));
        ScreenFacts { size: self.screen.mode().size, modifiers: modifiers.into() }
    }

    /// Lets a frame be shown next, where it lies or drawn into a buffer that the screen does not use; in which way. None is on its
    /// way.
    fn show(&mut self, frame: LiveFrame) -> Result<Option<String>, DisplayError> {
        let Content::Texture(leased) = &frame.content else { return Ok(None) };
        let (leased, captured) = (leased.clone(), frame.meta.captured);
        let why = match self.flip_to(&leased)? {
            Ok(how) => {
                self.next = Some(Next { captured, handed: super::now(), held: Held::Frame(frame) });
                return Ok(Some(how));
            }
            Err(why) => why,
        };
        let screen = &self.screen;
        let is_free = |buffer: &Framebuffer| !screen.uses(buffer);
        let free = self.buffers.iter().position(is_free).expect("a screen uses at most two of three buffers");
        let drawn = self.scanout.draw(free, &leased.texture, frame)?;
        match &drawn.fence {
            // The screen waits, and no thread wakes up in between.
            Some(fence) => self.screen.flip_after(&self.buffers[free], fence.as_fd())?,
            None => {
                self.scanout.wait(drawn.value, LIMIT)?;
                self.screen.flip(&self.buffers[free])?;
            }
        }
        let held = Held::Drawn(drawn.value);
        self.next = Some(Next { captured, handed: super::now(), held });
        Ok(Some(format!("each frame is drawn into a buffer of the screen's: {why}")))
    }

    /// Shows a texture where it lies, or says why not.
    fn flip_to(&mut self, leased: &Leased<VulkanGpu>) -> Result<Result<String, NotDirect>, DisplayError> {
        let shown = match self.direct.buffer(&self.screen, leased) {
            Ok(shown) => shown,
            Err(why) => return Ok(Err(why)),
        };
        match self.screen.flip(&shown.buffer) {
            Ok(()) => Ok(Ok(format!(
                "direct, frames are shown where they were computed ({}, modifier {:#x})",
                shown.format.name(),
                shown.modifier
            ))),
            // Hardware may not be able to show a buffer that its driver has taken.
            Err(error @ KmsError::Driver { .. }) => Ok(Err(self.direct.refuse(leased, &error))),
            Err(error) => Err(error.into()),
        }
    }

    /// Waits until the frame that is on its way is on the screen.
    fn await_shown(&mut self, counters: &NodeCounters) -> Result<(), DisplayError> {
        let Some(next) = &self.next else { return Ok(()) };
        let shown = self.screen.wait(LIMIT)?;
        let (captured, handed) = (next.captured, next.handed);
        if let Some(shown) = shown {
            let frame = ShownFrame { captured, handed, shown: shown.time };
            let refresh_ns = (1e9 / self.screen.mode().rate) as i64;
            counters.shown(ShownBy::PageFlip, frame, Some(refresh_ns));
        }
        // The screen has let go of the frame before.
        self._shown = None;
        match self.next.take().map(|next| next.held) {
            Some(Held::Frame(frame)) => self._shown = Some(frame),
            // What is shown is drawn: this only lets go of the texture.
            Some(Held::Drawn(value)) => self.scanout.wait(value, LIMIT)?,
            None => {}
        }
        Ok(())
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
        let (mut told, mut looked) = (None, Instant::now());
        while !is_unwanted.load(Ordering::Acquire) {
            // Before the next frame is taken: what has come by then is newer, and never more than two are in hand.
            self.screen.await_shown(&self.counters)?;
            if looked.elapsed() >= LOOK {
                self.screen.screen.check()?;
                looked = Instant::now();
            }
            let Some(frame) = self.frames.take() else {
                if self.frames.is_closed() {
                    break;
                }
                self.screen.listener.wait(Some(Instant::now() + SLICE));
                continue;
            };
            let how =
                self.screen.show(frame).inspect_err(|_| self.counters.dropped(DropReason::ConsumerFailed))?;
            self.counters.went_out();
            if how.is_some() && how != told {
                self.tell(how.as_deref().unwrap_or_default());
                told = how;
            }
        }
        Ok(())
    }

    fn tell(&self, how: &str) {
        let how = format!("{}, {}: {how}", self.screen.screen.connector(), self.screen.screen.mode());
        self.events.tell(LiveEvent::ScreenShows { node: self.node.clone(), how });
    }
}

impl std::fmt::Debug for ScanoutScreen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ScanoutScreen({}, {})", self.screen.connector(), self.screen.mode())
    }
}
