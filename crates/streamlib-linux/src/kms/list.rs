//! Which screens there are, and what they can show.

use std::path::PathBuf;

use drm::control::{Device as _, Mode, ModeFlags, ModeTypeFlags, connector};
use streamlib_core::format::Size;

use super::card::{Card, nodes};

/// A connector of a card, and the screen that is connected to it.
#[derive(Clone, Debug, PartialEq)]
pub struct ScreenInfo {
    /// The card's node.
    pub card: PathBuf,
    /// Name of the card's driver.
    pub driver: String,
    /// Name of the connector, such as `HDMI-A-1`.
    pub connector: String,
    /// Whether a screen is there.
    pub is_connected: bool,
    /// What the screen can show, best first.
    pub modes: Vec<ScreenMode>,
}

/// A way to show pictures.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ScreenMode {
    /// Pixels.
    pub size: Size,
    /// Pictures per second.
    pub rate: f64,
    /// Whether the screen likes it best.
    pub is_preferred: bool,
}

impl std::fmt::Display for ScreenMode {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at {:.2} Hz", self.size, self.rate)
    }
}

/// The screens of this machine, by card and connector. Cards that this user may not open are left out;
/// [`KmsScreen::open`](crate::KmsScreen::open) says which they are.
#[must_use]
pub fn list_screens() -> Vec<ScreenInfo> {
    let cards = nodes().into_iter().filter_map(|path| Card::open(&path).ok());
    cards.flat_map(|card| screens(&card)).collect()
}

fn screens(card: &Card) -> Vec<ScreenInfo> {
    let driver = card.driver().unwrap_or_default();
    let described = |connector: connector::Info| ScreenInfo {
        card: card.path().to_owned(),
        driver: driver.clone(),
        connector: connector.to_string(),
        is_connected: connector.state() == connector::State::Connected,
        modes: modes(&connector).into_iter().map(|mode| describe(&mode)).collect(),
    };
    connectors(card).into_iter().map(described).collect()
}

/// The card's connectors. Whether a screen is there is asked anew.
pub(super) fn connectors(card: &Card) -> Vec<connector::Info> {
    let Ok(resources) = card.resource_handles() else { return vec![] };
    let found = resources.connectors().iter().filter_map(|handle| card.get_connector(*handle, true).ok());
    // A connector that writes to memory is no screen.
    found.filter(|found| found.interface() != connector::Interface::Writeback).collect()
}

/// A connector's modes that show whole pictures, best first.
pub(super) fn modes(connector: &connector::Info) -> Vec<Mode> {
    let whole = |mode: &&Mode| !mode.flags().contains(ModeFlags::INTERLACE);
    let mut modes: Vec<Mode> = connector.modes().iter().filter(whole).copied().collect();
    modes.sort_by_key(|mode| !describe(mode).is_preferred);
    modes
}

pub(super) fn describe(mode: &Mode) -> ScreenMode {
    let ((width, height), pixels) = (mode.size(), f64::from(mode.hsync().2) * f64::from(mode.vsync().2));
    let exact = f64::from(mode.clock()) * 1000.0 / pixels;
    ScreenMode {
        size: Size::new(width.into(), height.into()),
        // Drivers without a real screen make up numbers that do not fit together.
        rate: if exact.is_finite() && exact > 0.0 { exact } else { f64::from(mode.vrefresh()) },
        is_preferred: mode.mode_type().contains(ModeTypeFlags::PREFERRED),
    }
}
