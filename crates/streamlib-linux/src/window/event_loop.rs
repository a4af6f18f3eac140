//! The one thread that talks to the window system.

use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use raw_window_handle::HasDisplayHandle as _;
use streamlib_core::format::Size;
use winit::application::ApplicationHandler;
use winit::dpi::PhysicalSize;
use winit::error::EventLoopError;
use winit::event::WindowEvent;
use winit::event_loop::{ActiveEventLoop, EventLoop, EventLoopProxy};
use winit::window::{Window, WindowId};

use crate::sys::x11::outlive_server;

use super::{State, WindowError, WindowOptions};

/// Parts of a screen's side that a window of its own choice leaves free: one of so many.
const FREE: u32 = 5;

type Opened = Result<Arc<Window>, WindowError>;

/// What the thread is asked for.
enum Request {
    /// A window, and where to say what became of it.
    Open { options: WindowOptions, state: Arc<State>, answer: SyncSender<Opened> },
    /// Another title.
    SetTitle { window: Weak<Window>, title: String },
}

/// The way to the thread.
type Proxy = Mutex<EventLoopProxy<Request>>;

/// Opens a window.
pub(super) fn open(options: WindowOptions, state: &Arc<State>) -> Opened {
    let (answer, answered) = sync_channel(1);
    send(Request::Open { options, state: Arc::clone(state), answer })?;
    answered.recv().unwrap_or(Err(WindowError::Gone))
}

/// Gives a window another title, some time.
pub(super) fn set_title(window: &Arc<Window>, title: String) {
    // Without a window system the window closes, which is told elsewhere.
    let _gone = send(Request::SetTitle { window: Arc::downgrade(window), title });
}

/// Asks the thread, which starts with the first request.
fn send(request: Request) -> Result<(), WindowError> {
    // A second event loop in one process is refused by the library below, so that there is one try.
    static LOOP: OnceLock<Result<Proxy, WindowError>> = OnceLock::new();
    let proxy = LOOP.get_or_init(start).as_ref().map_err(Clone::clone)?;
    let sent = proxy.lock().unwrap_or_else(PoisonError::into_inner).send_event(request);
    sent.map_err(|_| WindowError::Gone)
}

fn start() -> Result<Proxy, WindowError> {
    let (ready, is_ready) = sync_channel(1);
    let run = move || {
        let mut builder = EventLoop::<Request>::with_user_event();
        // Both have an `any_thread`; they set the same thing.
        winit::platform::wayland::EventLoopBuilderExtWayland::with_any_thread(&mut builder, true);
        let event_loop = match builder.build() {
            Ok(event_loop) => event_loop,
            Err(error) => return drop(ready.send(Err(refused(&error)))),
        };
        static IS_LOST: AtomicBool = AtomicBool::new(false);
        if let Ok(display) = event_loop.display_handle()
            && !outlive_server(display, &IS_LOST)
        {
            tracing::warn!("the program will end with its X server: libX11 is older than 1.7");
        }
        let _starter = ready.send(Ok(Mutex::new(event_loop.create_proxy())));
        let mut windows = Windows { open: HashMap::new(), is_lost: &IS_LOST };
        if let Err(error) = event_loop.run_app(&mut windows) {
            tracing::warn!("the window system has gone away: {error}");
        }
        windows.close_all();
    };
    let no_display = |why: String| WindowError::NoDisplay { why };
    let thread = std::thread::Builder::new().name("windows".to_owned()).spawn(run);
    thread.map_err(|error| no_display(error.to_string()))?;
    // Nothing is sent when the thread has panicked.
    is_ready.recv().unwrap_or_else(|_| Err(no_display("its event loop cannot start".to_owned())))
}

fn refused(error: &EventLoopError) -> WindowError {
    match error {
        EventLoopError::RecreationAttempt => WindowError::EventLoopTaken,
        error => WindowError::NoDisplay { why: said(error) },
    }
}

/// What an error says, without the line of the library that said it.
fn said(error: &impl std::fmt::Display) -> String {
    let text = error.to_string();
    match text.strip_prefix("os error at ").and_then(|text| text.split_once(": ")) {
        Some((_, what)) => what.trim_end_matches('.').to_owned(),
        None => text,
    }
}

/// All windows of the process.
struct Windows {
    /// By the system's number.
    open: HashMap<WindowId, Weak<State>>,
    /// Whether the X server is gone.
    is_lost: &'static AtomicBool,
}

impl Windows {
    fn open(&mut self, event_loop: &ActiveEventLoop, options: WindowOptions, state: &Arc<State>) -> Opened {
        let size = match event_loop.primary_monitor().or_else(|| event_loop.available_monitors().next()) {
            Some(monitor) if options.fits_screen => {
                let screen = monitor.size();
                let most = |side: u32| side - side / FREE;
                within(options.size, Size::new(most(screen.width), most(screen.height)))
            }
            _ => options.size,
        };
        let attributes = Window::default_attributes()
            .with_title(options.title)
            .with_inner_size(PhysicalSize::new(size.width, size.height));
        let window = event_loop.create_window(attributes);
        let window = window.map_err(|error| WindowError::Refused { why: said(&error) })?;
        let PhysicalSize { width, height } = window.inner_size();
        state.set_size(Size::new(width, height));
        self.open.retain(|_, known| known.strong_count() > 0);
        self.open.insert(window.id(), Arc::downgrade(state));
        Ok(Arc::new(window))
    }

    fn close_all(&mut self) {
        self.open.drain().filter_map(|(_, state)| state.upgrade()).for_each(|state| state.close());
    }
}

impl ApplicationHandler<Request> for Windows {
    fn resumed(&mut self, _event_loop: &ActiveEventLoop) {}

    fn about_to_wait(&mut self, event_loop: &ActiveEventLoop) {
        if self.is_lost.load(Ordering::Acquire) {
            event_loop.exit();
        }
    }

    fn user_event(&mut self, event_loop: &ActiveEventLoop, request: Request) {
        match request {
            Request::Open { options, state, answer } => {
                // Who asked may have given up; the window closes then.
                let _unwanted = answer.send(self.open(event_loop, options, &state));
            }
            Request::SetTitle { window, title } if !self.is_lost.load(Ordering::Acquire) => {
                let Some(window) = window.upgrade() else { return };
                // The library panics where the X server has gone just now: all windows end then, and not this thread.
                if catch_unwind(AssertUnwindSafe(|| window.set_title(&title))).is_err() {
                    event_loop.exit();
                }
            }
            Request::SetTitle { .. } => {}
        }
    }

    fn window_event(&mut self, _event_loop: &ActiveEventLoop, id: WindowId, event: WindowEvent) {
        let Some(state) = self.open.get(&id).and_then(Weak::upgrade) else { return };
        match event {
            WindowEvent::Resized(PhysicalSize { width, height }) => state.set_size(Size::new(width, height)),
            WindowEvent::CloseRequested | WindowEvent::Destroyed => state.close(),
            WindowEvent::RedrawRequested => state.uncover(),
            _ => {}
        }
    }
}

/// The greatest size of these proportions that lies within `most`, and is no larger.
fn within(size: Size, most: Size) -> Size {
    let [w, h, mw, mh] = [size.width, size.height, most.width, most.height].map(u64::from);
    if (w <= mw && h <= mh) || w == 0 || h == 0 {
        return size;
    }
    let (width, height) = if w * mh > mw * h { (mw, h * mw / w) } else { (w * mh / h, mh) };
    Size::new(width.max(1) as u32, height.max(1) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_of_its_own_choice_is_no_larger_than_the_screen() {
        let screen = Size::new(1000, 500);
        assert_eq!(within(Size::new(640, 480), screen), Size::new(640, 480));
        assert_eq!(within(Size::new(4000, 1000), screen), Size::new(1000, 250));
        assert_eq!(within(Size::new(1000, 4000), screen), Size::new(125, 500));
        assert_eq!(within(Size::new(100_000, 1), screen), Size::new(1000, 1));
    }
}
