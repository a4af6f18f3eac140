//! Windows on Wayland and X11.
//!
//! One thread talks to the window system, for all windows of the process; it starts with the first of them. What happens to a
//! window is left where its holder looks, and a bell is rung. Whoever draws does so on a thread of its own, by the window's
//! handle.

mod event_loop;
mod presentation;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use raw_window_handle::{DisplayHandle, HandleError, HasDisplayHandle, HasWindowHandle, WindowHandle};
use streamlib_core::format::Size;
use streamlib_core::mailbox::Bell;

pub use presentation::Presentation;

pub use crate::sys::wayland::Presented;

/// What a window is to be like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WindowOptions {
    /// What stands above it.
    pub title: String,
    /// Size of its contents in pixels.
    pub size: Size,
    /// Whether that is only a wish: on a smaller screen the window is smaller, in the same proportions.
    pub fits_screen: bool,
}

/// A window that could not be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WindowError {
    /// Nothing to open it on.
    #[error(
        "no window can be opened ({why}): on a machine with a screen, set WAYLAND_DISPLAY or DISPLAY, such as DISPLAY=:0; over \
         ssh, use `ssh -X`; without a screen, write a file instead"
    )]
    NoDisplay {
        /// What the window system said.
        why: String,
    },
    /// The program talks to the window system itself.
    #[error(
        "no window can be opened: this program has an event loop of its own; let it show the frames itself, from a sink `app:`"
    )]
    EventLoopTaken,
    /// The window system does not want to.
    #[error("the window system does not open the window: {why}")]
    Refused {
        /// What it said.
        why: String,
    },
    /// The window system went away.
    #[error("the window system has gone away: start the program anew to open windows")]
    Gone,
}

/// An open window. Dropping it closes it.
#[derive(Debug)]
pub struct Window {
    window: Arc<winit::window::Window>,
    state: Arc<State>,
}

/// What has happened to a window.
#[derive(Debug)]
struct State {
    /// Width in the upper half, height in the lower.
    size: AtomicU64,
    is_closed: AtomicBool,
    is_uncovered: AtomicBool,
    bell: Bell,
}

impl State {
    fn set_size(&self, size: Size) {
        self.size.store(u64::from(size.width) << 32 | u64::from(size.height), Ordering::Release);
        self.bell.ring();
    }

    fn close(&self) {
        self.is_closed.store(true, Ordering::Release);
        self.bell.ring();
    }

    fn uncover(&self) {
        self.is_uncovered.store(true, Ordering::Release);
        self.bell.ring();
    }
}

impl Window {
    /// Opens a window. `bell` is rung when something happens to it.
    ///
    /// # Errors
    /// When there is no window system to be reached, or it refuses.
    pub fn open(options: &WindowOptions, bell: Bell) -> Result<Self, WindowError> {
        let state = State {
            size: AtomicU64::new(0),
            is_closed: AtomicBool::new(false),
            is_uncovered: AtomicBool::new(false),
            bell,
        };
        let state = Arc::new(state);
        let options = WindowOptions { title: without_zeros(&options.title), ..options.clone() };
        let window = event_loop::open(options, &state)?;
        Ok(Self { window, state })
    }

    /// Asks for another title. It comes when the window system has time; a window that is gone needs none.
    pub fn set_title(&self, title: &str) {
        event_loop::set_title(&self.window, without_zeros(title));
    }

    /// Size of its contents in pixels; a side may be 0.
    #[must_use]
    pub fn size(&self) -> Size {
        let size = self.state.size.load(Ordering::Acquire);
        Size::new((size >> 32) as u32, size as u32)
    }

    /// Whether its user wants it closed, or the window system has closed it.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        self.state.is_closed.load(Ordering::Acquire)
    }

    /// Whether what it shows was lost since this was last asked, and has to be drawn once more.
    #[must_use]
    pub fn was_uncovered(&self) -> bool {
        self.state.is_uncovered.swap(false, Ordering::AcqRel)
    }
}

/// X11 takes texts that end with a zero, and the library panics at one within.
fn without_zeros(title: &str) -> String {
    title.replace('\0', "")
}

impl HasWindowHandle for Window {
    fn window_handle(&self) -> Result<WindowHandle<'_>, HandleError> {
        self.window.window_handle()
    }
}

impl HasDisplayHandle for Window {
    fn display_handle(&self) -> Result<DisplayHandle<'_>, HandleError> {
        self.window.display_handle()
    }
}
