//! Why a camera gives no pictures.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use streamlib_core::format::Size;

/// Why a camera could not be opened or read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CameraError {
    /// There is no such device node.
    #[error("{}: there is no such camera; plug it in, or choose one of those in /dev/video*", path.display())]
    NotFound {
        /// The node that was asked for.
        path: PathBuf,
    },
    /// No camera has this name, or several have.
    #[error(
        "the camera `{wanted}` was not found; there is {found}: name one of them, by its path where names are alike"
    )]
    NoSuchCamera {
        /// The name that was asked for.
        wanted: String,
        /// What there is.
        found: String,
    },
    /// The node is there, and this user may not open it.
    #[error("{}: this user may not open the camera; add the user to the group `video` and log in again", path.display())]
    Denied {
        /// The node that was asked for.
        path: PathBuf,
    },
    /// The path leads to something that does not capture video.
    #[error("{}: not a camera ({found}); choose a video capture node, such as /dev/video0", path.display())]
    NotACamera {
        /// The path that was asked for.
        path: PathBuf,
        /// What is there instead.
        found: &'static str,
    },
    /// The camera delivers no pixel format that is understood here.
    #[error(
        "{}: the camera offers the pixel formats {offered}, and none of {wanted} could be set; \
         choose another camera or layout",
        path.display()
    )]
    NoUsableFormat {
        /// The camera's node.
        path: PathBuf,
        /// Four-character codes of what it offers.
        offered: String,
        /// Four-character codes of what would do.
        wanted: String,
    },
    /// The driver keeps its buffers to itself. [`Camera`](crate::Camera) copies pictures out of them.
    #[error("{}: the driver does not share its buffers (DMA-BUF); capture by copying them", path.display())]
    NotShareable {
        /// The camera's node.
        path: PathBuf,
    },
    /// The driver fills only buffers of its own. [`Camera`](crate::Camera) copies pictures out of them.
    #[error("{}: the driver takes no buffers of others (DMA-BUF); capture by copying its own", path.display())]
    NotHandable {
        /// The camera's node.
        path: PathBuf,
    },
    /// A picture of this size cannot be captured.
    #[error("{}: asked for pictures of {size}; choose a size that the camera lists", path.display())]
    BadSize {
        /// The camera's node.
        path: PathBuf,
        /// The size that was asked for, or that the driver answered with.
        size: Size,
    },
    /// Another program streams from the camera.
    #[error("{}: the camera is in use; close the program that uses it (`fuser -v {}` names it)", path.display(), path.display())]
    Busy {
        /// The camera's node.
        path: PathBuf,
    },
    /// The camera went away. The [`Camera`](crate::Camera) is of no more use; open it again when it is back.
    #[error("{}: the camera was unplugged; plug it in and open it again", path.display())]
    Unplugged {
        /// The camera's node.
        path: PathBuf,
    },
    /// No picture came in time. The camera stays usable.
    #[error("{}: no picture came within {waited:?}; the camera may have stopped: read again, or open it again", path.display())]
    Stalled {
        /// The camera's node.
        path: PathBuf,
        /// How long was waited.
        waited: Duration,
    },
    /// What the camera shows has another size from now on. The [`Camera`](crate::Camera) is of no more use; open it again.
    #[error("{}: the camera's pictures have changed their size; open it again", path.display())]
    Changed {
        /// The camera's node.
        path: PathBuf,
    },
    /// The camera has no control of this name.
    #[error("{}: the camera has no control `{name}`; it has {known}", path.display())]
    NoSuchControl {
        /// The camera's node.
        path: PathBuf,
        /// The name that was asked for.
        name: String,
        /// The names that there are.
        known: String,
    },
    /// The control does not take this value.
    #[error("{}: the control `{name}` cannot be {value}; it takes {allowed}", path.display())]
    BadControlValue {
        /// The camera's node.
        path: PathBuf,
        /// The control.
        name: String,
        /// What it was to be set to.
        value: i64,
        /// What it takes.
        allowed: String,
    },
    /// The driver refused to read or set a control.
    #[error(
        "{}: the driver refused the control `{name}`: {source}; it may be read only, or held by another program",
        path.display()
    )]
    Control {
        /// The camera's node.
        path: PathBuf,
        /// The control.
        name: String,
        /// The system's answer.
        source: io::Error,
    },
    /// The driver refused a call for another reason.
    #[error("{}: the driver refused to {action}: {source}", path.display())]
    Driver {
        /// The camera's node.
        path: PathBuf,
        /// What was asked of it.
        action: &'static str,
        /// The system's answer.
        source: io::Error,
    },
}

impl CameraError {
    /// The error for a failed call: what `source` means for a camera, whatever was asked of it.
    pub(super) fn of(path: &Path, action: &'static str, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.raw_os_error() {
            Some(libc::ENOENT) => Self::NotFound { path },
            Some(libc::EACCES | libc::EPERM) => Self::Denied { path },
            Some(libc::EBUSY) => Self::Busy { path },
            Some(libc::ENODEV | libc::ENXIO) => Self::Unplugged { path },
            // A device node could be written to on such a file system.
            Some(libc::ENOTTY | libc::EROFS) => Self::NotACamera { path, found: "no V4L2 device" },
            Some(libc::EISDIR) => Self::NotACamera { path, found: "a directory" },
            _ => Self::Driver { path, action, source },
        }
    }
}
