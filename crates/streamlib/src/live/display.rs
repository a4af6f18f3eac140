//! Windows that a live graph shows in, each on a thread of its own.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use streamlib_core::account::{DropReason, NodeCounters, ShownBy, ShownFrame};
use streamlib_core::engine::Content;
use streamlib_core::format::Size;
use streamlib_core::mailbox::{Listener, Receiver};
use streamlib_vulkan::{Screen, VulkanError, VulkanGpu};

use super::LiveFrame;
use super::clock::{Role, prepare_thread};
use super::event::{Events, LiveEvent};
use super::rate::RateTitle;
use crate::display::{DisplayError, DisplayOptions};

#[cfg(not(target_os = "linux"))]
use super::windowless::{Presentation, Window};
#[cfg(target_os = "linux")]
use streamlib_linux::{Presentation, Window};

/// An open window.
#[derive(Debug)]
pub(super) struct Display {
    screen: Screen<LiveFrame>,
    /// What tells when frames were seen, where the window system does.
    presentation: Option<Presentation<ShownFrame>>,
    window: Arc<Window>,
    /// Where its title tells the rate.
    rate: Option<RateTitle>,
    pub(super) listener: Listener,
}

/// What a window's thread works with.
pub(super) struct DisplayJob {
    pub(super) node: String,
    pub(super) display: Display,
    pub(super) frames: Receiver<LiveFrame>,
    pub(super) counters: Arc<NodeCounters>,
    pub(super) events: Arc<Events>,
}

/// Opens the window that `uri` asks for, for frames of that size.
#[cfg(target_os = "linux")]
pub(super) fn open(gpu: &VulkanGpu, node: &str, uri: &str, frame: Size) -> Result<Display, DisplayError> {
    let options = DisplayOptions::parse(uri)?;
    let listener = Listener::new();
    let wanted = streamlib_linux::WindowOptions {
        title: options.title.clone().unwrap_or_else(|| format!("{node} - streamlib")),
        size: options.size(frame),
        fits_screen: options.width.is_none() && options.height.is_none(),
    };
    let window = Arc::new(Window::open(&wanted, listener.bell())?);
    let screen = gpu.open_screen(window.clone(), options.screen)?;
    let presentation = window.presentation();
    let rate = options.fps.then(|| RateTitle::new(wanted.title));
    Ok(Display { screen, presentation, window, rate, listener })
}

/// Refuses.
#[cfg(not(target_os = "linux"))]
pub(super) fn open(_: &VulkanGpu, _: &str, uri: &str, _: Size) -> Result<Display, DisplayError> {
    DisplayOptions::parse(uri)?;
    Err(DisplayError::Platform)
}

/// Why a window shows nothing any more.
enum End {
    /// The graph has ended, or let go of it.
    Unwanted,
    /// Its user closed it.
    Closed,
    Failed(VulkanError),
}

impl DisplayJob {
    /// Shows frames until there are none any more, or the window is closed; the graph goes on then.
    pub(super) fn run(mut self, is_unwanted: &AtomicBool) {
        prepare_thread(&self.node, Role::Other, None);
        let end = self.show_all(is_unwanted);
        // What was seen by now counts; nobody waits for the rest.
        self.count_presented();
        self.count_untold();
        let event = match end {
            End::Unwanted => return,
            End::Closed => LiveEvent::WindowClosed { node: self.node },
            End::Failed(error) => LiveEvent::SinkFailed { node: self.node, why: error.to_string() },
        };
        self.frames.close();
        while self.frames.take().is_some() {
            self.counters.dropped(DropReason::ConsumerFailed);
        }
        // The window is gone when its end is heard of.
        drop(self.display);
        self.events.tell(event);
    }

    fn show_all(&mut self, is_unwanted: &AtomicBool) -> End {
        let mut size = self.display.window.size();
        loop {
            if is_unwanted.load(Ordering::Acquire) {
                return End::Unwanted;
            }
            if self.display.window.is_closed() {
                return End::Closed;
            }
            self.count_presented();
            self.tell_rate();
            // Before the next frame is taken, so that never more than two are in hand.
            if let Err(error) = self.display.screen.make_room() {
                return End::Failed(error);
            }
            let now = self.display.window.size();
            let has_changed = std::mem::replace(&mut size, now) != now;
            let shown = match self.frames.take() {
                Some(frame) => self.show(frame, size),
                None if self.frames.is_closed() => return End::Unwanted,
                None if self.display.window.was_uncovered() || has_changed => self.show_again(size),
                None => {
                    self.display.listener.wait(self.display.rate.as_ref().map(RateTitle::due));
                    Ok(())
                }
            };
            if let Err(error) = shown {
                return End::Failed(error);
            }
        }
    }

    /// Writes the rate into the title, now and then, also while nothing comes.
    fn tell_rate(&mut self) {
        let title = self.display.rate.as_mut().and_then(|rate| rate.title(Instant::now()));
        if let Some(title) = title {
            self.display.window.set_title(&title);
        }
    }

    fn show(&mut self, frame: LiveFrame, size: Size) -> Result<(), VulkanError> {
        let Content::Texture(leased) = &frame.content else { return Ok(()) };
        let texture = leased.texture.clone();
        let (captured, handed) = (frame.meta.captured, super::now());
        let Display { screen, presentation, .. } = &mut self.display;
        if let Some(presentation) = presentation {
            presentation.ask();
        }
        let is_taken = screen.show(&texture, frame, size).inspect_err(|_| {
            self.counters.dropped(DropReason::ConsumerFailed);
        })?;
        if !is_taken {
            // The window is hidden: what comes later takes its place.
            self.counters.dropped(DropReason::Displaced);
            return Ok(());
        }
        self.counters.went_out();
        let frame = ShownFrame { captured, handed, shown: super::now() };
        let is_told_later = presentation.as_mut().is_some_and(|presentation| presentation.handed_over(frame));
        if !is_told_later {
            self.count(ShownBy::HandedOver, frame, None);
        }
        Ok(())
    }

    /// Shows the newest frame once more, which counts as shown already.
    fn show_again(&mut self, size: Size) -> Result<(), VulkanError> {
        let is_taken = self.display.screen.show_again(size)?;
        if let Some(presentation) = self.display.presentation.as_mut().filter(|_| is_taken) {
            presentation.handed_over_unasked();
        }
        Ok(())
    }

    /// Counts the frames that the window system has told of since.
    fn count_presented(&mut self) {
        let news = self.display.presentation.as_mut().map(Presentation::news);
        for (frame, presented) in news.into_iter().flatten() {
            match presented {
                Some(presented) => {
                    let frame = ShownFrame { shown: presented.time, ..frame };
                    self.count(ShownBy::Presented, frame, presented.refresh_ns);
                }
                None => self.counters.never_shown(),
            }
        }
    }

    /// Counts the frames that a window system has taken which never tells that one was seen.
    fn count_untold(&mut self) {
        let untold = self.display.presentation.take().map(Presentation::untold);
        for frame in untold.into_iter().flatten() {
            self.count(ShownBy::HandedOver, frame, None);
        }
    }

    fn count(&mut self, by: ShownBy, frame: ShownFrame, refresh_ns: Option<i64>) {
        self.counters.shown(by, frame, refresh_ns);
        if let Some(rate) = &mut self.display.rate {
            rate.count();
        }
    }
}
