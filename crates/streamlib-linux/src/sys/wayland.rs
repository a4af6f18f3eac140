//! The protocol by which a Wayland compositor tells when it has shown a window's pictures (`wp_presentation`), spoken on the
//! connection that the window was opened on, beside the library that opened it.

use std::sync::Arc;

use raw_window_handle::{HasDisplayHandle as _, HasWindowHandle as _, RawDisplayHandle, RawWindowHandle};
use streamlib_core::frame::Timestamp;
use wayland_client::backend::{Backend, ObjectId};
use wayland_client::globals::{GlobalListContents, registry_queue_init};
use wayland_client::protocol::wl_registry::{self, WlRegistry};
use wayland_client::protocol::wl_surface::WlSurface;
use wayland_client::{Connection, Dispatch, EventQueue, Proxy as _, QueueHandle};
use wayland_protocols::wp::presentation_time::client::wp_presentation::{self, WpPresentation};
use wayland_protocols::wp::presentation_time::client::wp_presentation_feedback::{
    self, WpPresentationFeedback,
};
use winit::window::Window;

const SECOND_NS: i64 = 1_000_000_000;

/// A picture was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Presented {
    /// When, on `CLOCK_MONOTONIC`.
    pub time: Timestamp,
    /// How far apart the screen's pictures are, where they come evenly.
    pub refresh_ns: Option<i64>,
}

/// What became of a picture: seen, or never.
pub(crate) type Fate = Option<Presented>;

/// A window's part in the protocol.
///
/// The library reads the connection; what it reads for this part waits here until it is asked for. Fields in the order in which they
/// are dropped: the last of the connection's holders here takes its objects along, while the window still has the connection itself.
pub(crate) struct Feedback {
    presentation: WpPresentation,
    surface: WlSurface,
    queue: EventQueue<News>,
    news: News,
    _window: Arc<Window>,
}

/// What the compositor has said.
#[derive(Default)]
struct News {
    /// The clock of its times, as `clock_gettime` knows it.
    clock: Option<u32>,
    /// By the number of the question.
    fates: Vec<(u64, Fate)>,
}

impl Feedback {
    /// None where the window system has no such protocol, or times on another clock.
    pub(crate) fn new(window: &Arc<Window>) -> Option<Self> {
        let RawWindowHandle::Wayland(surface) = window.window_handle().ok()?.as_raw() else { return None };
        let RawDisplayHandle::Wayland(display) = window.display_handle().ok()?.as_raw() else { return None };
        // SAFETY: the window holds the connection, and is held until the backend is dropped: by this call, and then by what it
        // returns, whose last field it is. No clone of the backend leaves this module, and objects refer to it weakly.
        let backend = unsafe { Backend::from_foreign_display(display.display.as_ptr().cast()) };
        let connection = Connection::from_backend(backend);
        // SAFETY: the surface is the window's, and there for as long as that is, as above. The kind of object is checked.
        let surface = unsafe { ObjectId::from_ptr(WlSurface::interface(), surface.surface.as_ptr().cast()) };
        let surface = WlSurface::from_id(&connection, surface.ok()?).ok()?;
        let (globals, mut queue) = registry_queue_init::<News>(&connection).ok()?;
        // With the first version, a screen whose pictures come unevenly has no distance between them.
        let presentation = globals.bind(&queue.handle(), 1..=1, ()).ok()?;
        globals.destroy();
        let mut news = News::default();
        queue.roundtrip(&mut news).ok()?;
        let feedback = Self { presentation, surface, queue, news, _window: Arc::clone(window) };
        (feedback.news.clock == Some(libc::CLOCK_MONOTONIC as u32)).then_some(feedback)
    }

    /// Asks what becomes of the picture that the window is given next, whoever gives it.
    pub(crate) fn ask(&self, number: u64) {
        self.presentation.feedback(&self.surface, &self.queue.handle(), number);
    }

    /// What has been said by now, by the number of the question; none when nothing will be said any more.
    pub(crate) fn news(&mut self) -> Option<impl Iterator<Item = (u64, Fate)>> {
        self.queue.dispatch_pending(&mut self.news).ok()?;
        Some(self.news.fates.drain(..))
    }
}

impl Drop for Feedback {
    fn drop(&mut self) {
        // Goes out with what the library sends next.
        self.presentation.destroy();
    }
}

impl Dispatch<WlRegistry, GlobalListContents> for News {
    fn event(
        _: &mut Self,
        _: &WlRegistry,
        _: wl_registry::Event,
        _: &GlobalListContents,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
    }
}

impl Dispatch<WpPresentation, ()> for News {
    fn event(
        news: &mut Self,
        _: &WpPresentation,
        event: wp_presentation::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let wp_presentation::Event::ClockId { clk_id } = event {
            news.clock = Some(clk_id);
        }
    }
}

impl Dispatch<WpPresentationFeedback, u64> for News {
    fn event(
        news: &mut Self,
        _: &WpPresentationFeedback,
        event: wp_presentation_feedback::Event,
        number: &u64,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        use wp_presentation_feedback::Event;
        let fate = match event {
            Event::Presented { tv_sec_hi, tv_sec_lo, tv_nsec, refresh, .. } => {
                let refresh_ns = Some(i64::from(refresh)).filter(|refresh| *refresh > 0);
                Some(Presented { time: timestamp([tv_sec_hi, tv_sec_lo], tv_nsec), refresh_ns })
            }
            Event::Discarded => None,
            _ => return,
        };
        news.fates.push((*number, fate));
    }
}

/// A time as the protocol writes it; one that cannot be is the last there is.
fn timestamp([high, low]: [u32; 2], nanoseconds: u32) -> Timestamp {
    let seconds = i64::try_from(u64::from(high) << 32 | u64::from(low)).unwrap_or(i64::MAX);
    Timestamp(seconds.saturating_mul(SECOND_NS).saturating_add(nanoseconds.into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_the_protocol_are_nanoseconds_whatever_stands_in_them() {
        assert_eq!(timestamp([0, 5], 7), Timestamp(5_000_000_007));
        assert_eq!(timestamp([1, 0], 0), Timestamp((1 << 32) * SECOND_NS));
        assert_eq!(timestamp([u32::MAX, u32::MAX], u32::MAX), Timestamp(i64::MAX));
    }
}
