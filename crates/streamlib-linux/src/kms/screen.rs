//! A screen that this program alone shows on.

use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use drm::control::{Device as _, Event, Mode, connector};
use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::frame::Timestamp;

use super::buffer::{Framebuffer, ScanoutBuffer};
use super::card::{Card, nodes};
use super::error::KmsError;
use super::list::{ScreenMode, connectors, describe, modes};
use super::way::Way;
use crate::sys::{Readiness, monotonic_now, wait_readable};

/// Drawing takes no longer on anything that works.
const FENCE: Duration = Duration::from_secs(20);
/// How long closing waits for a picture that is on its way.
const LAST_FLIP: Duration = Duration::from_millis(500);

/// Which screen to show on, and how. The default takes the first that is connected, and the mode that it likes best.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KmsOptions {
    /// The card's node, such as `/dev/dri/card0`.
    pub card: Option<PathBuf>,
    /// Name of the connector, such as `HDMI-A-1`.
    pub connector: Option<String>,
    /// Size of the mode.
    pub size: Option<Size>,
    /// Pictures per second of the mode; the nearest that there is of the size.
    pub rate: Option<u32>,
}

/// A picture has come onto the screen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// When its first line was shown, on `CLOCK_MONOTONIC`.
    pub time: Timestamp,
    /// The driver's number of that moment; it counts the screen's pictures and wraps. 0 of the first.
    pub sequence: u32,
}

/// An open screen. Nothing is shown before the first [`flip`](Self::flip); dropping it shows what stood there before.
#[derive(Debug)]
pub struct KmsScreen {
    connector: String,
    mode: ScreenMode,
    /// On the screen now.
    shown: Option<Framebuffer>,
    /// On its way there.
    next: Option<Framebuffer>,
    /// The first picture comes without an event.
    set: Option<Shown>,
    way: Way,
    card: Arc<Card>,
}

impl KmsScreen {
    /// Opens a screen, and takes the right to show on its card.
    ///
    /// # Errors
    /// When there is no such card, connector, screen or mode, or another program shows on the card.
    pub fn open(options: &KmsOptions) -> Result<Self, KmsError> {
        let (card, connector) = choose(options)?;
        let card = Arc::new(card);
        card.become_master()?;
        let name = connector.to_string();
        let mode = choose_mode(&connector, options)?;
        let way = Way::find(&card, &connector, mode)
            .map_err(card.failed("say how its screens are driven"))?
            .ok_or_else(|| KmsError::NoWay { path: card.path().to_owned(), connector: name.clone() })?;
        let mode = describe(&mode);
        tracing::debug!(connector = name, %mode, atomic = way.is_atomic(), "a screen is open");
        Ok(Self { connector: name, mode, shown: None, next: None, set: None, way, card })
    }

    /// Name of the connector.
    #[must_use]
    pub fn connector(&self) -> &str {
        &self.connector
    }

    /// Size and rate of what is shown.
    #[must_use]
    pub fn mode(&self) -> ScreenMode {
        self.mode
    }

    /// Allocates a buffer of the screen's size in the card's memory. Three are enough to draw one while another is shown and
    /// a third is on its way.
    ///
    /// # Errors
    /// When the card has no memory left, or is gone.
    pub fn create_buffer(&self) -> Result<Framebuffer, KmsError> {
        Framebuffer::create(&self.card, self.mode.size)
    }

    /// How the rows of buffers of others may lie, to be shown in place: format modifiers of `drm_fourcc.h`, in the driver's order.
    /// None where the screen does not show that format.
    #[must_use]
    pub fn modifiers(&self, format: TextureFormat) -> Vec<u64> {
        self.way.formats().modifiers(format)
    }

    /// Takes a buffer of somebody else's, to show it where it lies. The descriptor may be closed afterwards.
    ///
    /// # Errors
    /// [`BufferRefused`](KmsError::BufferRefused) where the card cannot.
    pub fn import(&self, buffer: &ScanoutBuffer<BorrowedFd<'_>>) -> Result<Framebuffer, KmsError> {
        Framebuffer::import(&self.card, buffer)
    }

    /// Whether a buffer is on the screen or on its way there: it must not be drawn into.
    #[must_use]
    pub fn uses(&self, buffer: &Framebuffer) -> bool {
        [&self.shown, &self.next].into_iter().flatten().any(|used| used.is(buffer))
    }

    /// Looks whether the screen is still there; the kernel knows when one was unplugged.
    ///
    /// # Errors
    /// [`Disconnected`](KmsError::Disconnected) when it is not, [`Unplugged`](KmsError::Unplugged) when its card is gone as well.
    pub fn check(&self) -> Result<(), KmsError> {
        match self.way.is_connected() {
            Ok(true) => Ok(()),
            Ok(false) => Err(KmsError::Disconnected { connector: self.connector.clone() }),
            Err(error) => Err(self.card.failed("say whether a screen is there")(error)),
        }
    }

    /// Whether a picture is on its way to the screen.
    #[must_use]
    pub fn is_flipping(&self) -> bool {
        self.next.is_some()
    }

    /// Shows a buffer from the screen's next picture on. Its pixels must have been drawn. Does not wait, except the first time,
    /// when the mode is set.
    ///
    /// # Errors
    /// When a picture is on its way already, the buffer is of another card or size, or the card is gone.
    pub fn flip(&mut self, buffer: &Framebuffer) -> Result<(), KmsError> {
        self.show(buffer, None)
    }

    /// As [`flip`](Self::flip), of a buffer whose pixels are drawn when a fence (a `sync_file`) ends. The screen waits for it where
    /// its driver can; elsewhere, and the first time, this thread does.
    ///
    /// # Errors
    /// As [`flip`](Self::flip); [`Stalled`](KmsError::Stalled) when this thread has waited for the fence too long.
    pub fn flip_after(&mut self, buffer: &Framebuffer, fence: BorrowedFd<'_>) -> Result<(), KmsError> {
        self.show(buffer, Some(fence))
    }

    fn show(&mut self, buffer: &Framebuffer, after: Option<BorrowedFd<'_>>) -> Result<(), KmsError> {
        if self.is_flipping() {
            return Err(KmsError::Flipping);
        }
        let (found, wanted) = (buffer.size(), self.mode.size);
        if found != wanted || !buffer.belongs_to(&self.card) {
            return Err(KmsError::Size { found, wanted });
        }
        let is_first = self.shown.is_none();
        if let Some(fence) = after.filter(|_| is_first || !self.way.takes_fences()) {
            self.wait_for(&fence, FENCE)?;
        }
        if is_first {
            self.way.set(buffer.id()).map_err(self.card.failed("set the mode"))?;
            self.set = Some(Shown { time: monotonic_now(), sequence: 0 });
        } else {
            self.way.flip(buffer.id(), after).map_err(self.card.failed("show a picture"))?;
        }
        self.next = Some(buffer.clone());
        Ok(())
    }

    /// Waits until the picture that is on its way is shown; the one before is free then. `None` when there is none.
    ///
    /// # Errors
    /// [`Stalled`](KmsError::Stalled) when it did not come in time, [`Unplugged`](KmsError::Unplugged) when the card is gone.
    pub fn wait(&mut self, timeout: Duration) -> Result<Option<Shown>, KmsError> {
        if !self.is_flipping() {
            return Ok(None);
        }
        if let Some(shown) = self.set.take() {
            return Ok(self.arrived(shown));
        }
        let begun = Instant::now();
        loop {
            self.wait_for(&*self.card, timeout.saturating_sub(begun.elapsed()))?;
            if let Some(shown) = self.read_events()? {
                return Ok(self.arrived(shown));
            }
        }
    }

    /// Waits for the card, or for a fence.
    fn wait_for(&self, what: &impl AsFd, timeout: Duration) -> Result<(), KmsError> {
        let begun = Instant::now();
        loop {
            match wait_readable(what, timeout.saturating_sub(begun.elapsed())) {
                Ok(Readiness::Ready) => return Ok(()),
                Ok(Readiness::TimedOut) => {
                    let connector = self.connector.clone();
                    return Err(KmsError::Stalled { connector, waited: begun.elapsed() });
                }
                Ok(Readiness::Dead) => {
                    return Err(KmsError::Unplugged { path: self.card.path().to_owned() });
                }
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.card.failed("wait for a picture")(error)),
            }
        }
    }

    fn arrived(&mut self, shown: Shown) -> Option<Shown> {
        self.shown = self.next.take();
        Some(shown)
    }

    fn read_events(&self) -> Result<Option<Shown>, KmsError> {
        let events = match self.card.receive_events() {
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => return Ok(None),
            other => other.map_err(self.card.failed("say what it shows"))?,
        };
        let of_screen = |event| match event {
            Event::PageFlip(flip) if flip.crtc == self.way.crtc() => {
                let time = i64::try_from(flip.duration.as_nanos()).unwrap_or(i64::MAX);
                // A driver without a screen's clock may leave it out.
                let time = if time == 0 { monotonic_now() } else { Timestamp(time) };
                Some(Shown { time, sequence: flip.frame })
            }
            _ => None,
        };
        Ok(events.filter_map(of_screen).last())
    }
}

impl Drop for KmsScreen {
    fn drop(&mut self) {
        // The driver takes no other picture before that.
        let _late = self.wait(LAST_FLIP);
        if self.shown.is_none() && self.next.is_none() {
            return;
        }
        if let Err(error) = self.way.restore() {
            tracing::debug!("{}: the screen stays as it is: {error}", self.connector);
        }
    }
}

/// The card and connector that `options` mean.
fn choose(options: &KmsOptions) -> Result<(Card, connector::Info), KmsError> {
    let cards = match &options.card {
        Some(path) => vec![Card::open(path)?],
        None => {
            let (cards, failures): (Vec<_>, Vec<_>) =
                nodes().iter().map(|path| Card::open(path)).partition(Result::is_ok);
            let failure = failures.into_iter().filter_map(Result::err).find(is_worth_telling);
            let cards: Vec<_> = cards.into_iter().filter_map(Result::ok).collect();
            if cards.is_empty() {
                return Err(failure.unwrap_or(KmsError::NoCards));
            }
            cards
        }
    };
    let mut found = Vec::new();
    let mut disconnected = Vec::new();
    for card in cards {
        for connector in connectors(&card) {
            let name = connector.to_string();
            let is_wanted = options.connector.as_ref().is_none_or(|wanted| *wanted == name);
            found.push(name.clone());
            if is_wanted && connector.state() == connector::State::Connected {
                return Ok((card, connector));
            }
            if is_wanted {
                disconnected.push(name);
            }
        }
    }
    match &options.connector {
        Some(asked) if disconnected.is_empty() => Err(KmsError::NoConnector { asked: asked.clone(), found }),
        _ => Err(KmsError::Disconnected { connector: disconnected.join(", ") }),
    }
}

/// A card without screens is no reason to tell of; one that may not be opened is.
fn is_worth_telling(error: &KmsError) -> bool {
    !matches!(error, KmsError::NotACard { .. })
}

fn choose_mode(connector: &connector::Info, options: &KmsOptions) -> Result<Mode, KmsError> {
    let all = modes(connector);
    let fitting = all.iter().filter(|mode| options.size.is_none_or(|size| describe(mode).size == size));
    let best = match options.rate {
        None => fitting.into_iter().next(),
        Some(rate) => {
            let first = options.size.or_else(|| all.first().map(|mode| describe(mode).size));
            let distance = |mode: &&Mode| (describe(mode).rate - f64::from(rate)).abs();
            fitting
                .filter(|mode| Some(describe(mode).size) == first)
                .filter(|mode| distance(mode) < 1.0)
                .min_by(|a, b| distance(a).total_cmp(&distance(b)))
        }
    };
    best.copied().ok_or_else(|| KmsError::NoMode {
        connector: connector.to_string(),
        size: options.size,
        rate: options.rate,
        modes: all.iter().map(describe).collect(),
    })
}
