//! Why a screen shows nothing.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use streamlib_core::format::Size;

use super::list::ScreenMode;

/// Why a screen could not be opened, or does not show any more.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KmsError {
    /// This machine has no card with screens.
    #[error(
        "there is no /dev/dri/card* with a screen: load the driver of the graphics card, or show in a window"
    )]
    NoCards,
    /// There is no such node.
    #[error("{}: there is no such card; choose one of /dev/dri/card*", path.display())]
    NotFound {
        /// The node that was asked for.
        path: PathBuf,
    },
    /// The node is there, and this user may not open it.
    #[error("{}: this user may not open the card; add the user to the group `video` and log in again, or be root", path.display())]
    Denied {
        /// The card's node.
        path: PathBuf,
    },
    /// The node shows nothing: it is no card, or one that only computes.
    #[error("{}: nothing can be shown with this device; choose another of /dev/dri/card*", path.display())]
    NotACard {
        /// The node that was asked for.
        path: PathBuf,
    },
    /// Another program shows on the card's screens.
    #[error(
        "{}: another program shows on this card (a desktop, an X server); end it, or switch to a text console \
         (Ctrl+Alt+F3) and start again there, as root where the seat is a desktop's",
        path.display()
    )]
    InUse {
        /// The card's node.
        path: PathBuf,
    },
    /// There is no such connector.
    #[error("there is no connector {asked}{}", choose(found))]
    NoConnector {
        /// What was asked for.
        asked: String,
        /// Those that exist.
        found: Vec<String>,
    },
    /// No screen is connected.
    #[error("no screen is connected to {connector}: plug one in, or choose another connector")]
    Disconnected {
        /// The connector, or several.
        connector: String,
    },
    /// The screen has no such mode.
    #[error("{connector} has no mode of {}{}", wish(*size, *rate), choose_mode(modes))]
    NoMode {
        /// The connector.
        connector: String,
        /// Size that was asked for.
        size: Option<Size>,
        /// Pictures per second that were asked for.
        rate: Option<u32>,
        /// Modes that it has.
        modes: Vec<ScreenMode>,
    },
    /// The card has no way to this screen that is free.
    #[error("{}: the card cannot drive {connector} as well: turn off another of its screens", path.display())]
    NoWay {
        /// The card's node.
        path: PathBuf,
        /// The connector.
        connector: String,
    },
    /// The card does not show memory of others.
    #[error(
        "{}: the card cannot show this buffer of {size} where it lies ({source}); copy into a buffer of the card's own",
        path.display()
    )]
    BufferRefused {
        /// The card's node.
        path: PathBuf,
        /// Size of the buffer.
        size: Size,
        /// The system's answer.
        source: io::Error,
    },
    /// A buffer does not have the size of the mode.
    #[error("a buffer of {found} cannot be shown in a mode of {wanted}: scale into one of that size")]
    Size {
        /// Size of the buffer.
        found: Size,
        /// Size of the mode.
        wanted: Size,
    },
    /// Two pictures were to be shown at once.
    #[error("the picture before is still on its way to the screen: wait for it first")]
    Flipping,
    /// The screen did not take the picture in time. It stays usable.
    #[error("{connector} did not show a picture within {waited:?}: wait again, or open it again")]
    Stalled {
        /// The connector.
        connector: String,
        /// How long was waited.
        waited: Duration,
    },
    /// The card is gone.
    #[error("{}: the card was removed, or its driver; open it again when it is back", path.display())]
    Unplugged {
        /// The card's node.
        path: PathBuf,
    },
    /// The driver refused a call for another reason.
    #[error("{}: the driver refused to {action}: {source}", path.display())]
    Driver {
        /// The card's node.
        path: PathBuf,
        /// What was asked of it.
        action: &'static str,
        /// The system's answer.
        source: io::Error,
    },
}

impl KmsError {
    /// The error for a node that cannot be opened as a card.
    pub(super) fn opening(path: &Path, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.raw_os_error() {
            Some(libc::ENOENT) => Self::NotFound { path },
            Some(libc::EACCES | libc::EPERM) => Self::Denied { path },
            Some(libc::ENODEV | libc::ENXIO) => Self::Unplugged { path },
            Some(libc::ENOTTY | libc::EISDIR | libc::EOPNOTSUPP | libc::EINVAL) => Self::NotACard { path },
            _ => Self::Driver { path, action: "open", source },
        }
    }

    /// The error for a failed call on an open card: what `source` means, whatever was asked of it.
    pub(super) fn of(path: &Path, action: &'static str, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.raw_os_error() {
            // The right to show went to somebody else.
            Some(libc::EACCES | libc::EPERM) => Self::InUse { path },
            Some(libc::ENODEV | libc::ENXIO) => Self::Unplugged { path },
            _ => Self::Driver { path, action, source },
        }
    }
}

fn choose(found: &[String]) -> String {
    if found.is_empty() {
        ": the card has none".to_owned()
    } else {
        format!(": choose one of {}", found.join(", "))
    }
}

fn choose_mode(modes: &[ScreenMode]) -> String {
    let modes: Vec<_> = modes.iter().map(ToString::to_string).collect();
    choose(&modes)
}

fn wish(size: Option<Size>, rate: Option<u32>) -> String {
    let size = size.map(|size| size.to_string());
    let rate = rate.map(|rate| format!("{rate} Hz"));
    [size, rate].into_iter().flatten().collect::<Vec<_>>().join(" at ")
}
