//! Which cameras this machine has.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::Duration;

use streamlib_core::format::Size;
use streamlib_core::frame::Timestamp;
use streamlib_core::picture::Picture;
use streamlib_linux::{Camera, CameraInfo, CameraOptions, list_cameras};

use crate::turn::{self, Turn};

/// Long enough for a camera that warms up, on an emulated machine.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A camera that no other test uses meanwhile: it streams to one reader at a time.
pub(crate) type Lent = (CameraInfo, Turn);

pub(crate) fn camera(wanted: impl Fn(&CameraInfo) -> bool, kind: &str) -> Option<Lent> {
    /// Those that are there before a test plugs its own in. In an emulated machine a list takes half a second.
    static LISTED: OnceLock<Vec<CameraInfo>> = OnceLock::new();
    let turn = turn::cameras();
    match LISTED.get_or_init(list_cameras).iter().find(|camera| wanted(camera)) {
        Some(camera) => Some((camera.clone(), turn)),
        None => {
            println!("SKIPPED: no {kind}");
            None
        }
    }
}

pub(crate) fn offers(camera: &CameraInfo, fourcc: &str) -> bool {
    camera.formats.iter().any(|format| format.fourcc == fourcc)
}

pub(crate) fn any_camera() -> Option<Lent> {
    let usable = |camera: &CameraInfo| {
        ["YUYV", "NV12", "YU12", "MJPG", "GREY"].iter().any(|fourcc| offers(camera, fourcc))
    };
    camera(usable, "V4L2 camera")
}

fn is_vivid(camera: &CameraInfo) -> bool {
    camera.bus.starts_with("platform:vivid")
}

/// The test driver's camera with all planes in one memory.
pub(crate) fn vivid() -> Option<Lent> {
    camera(|camera| is_vivid(camera) && !offers(camera, "NM12"), "V4L2 camera of the vivid test driver")
}

/// The test driver's camera that can put each plane in a memory of its own.
pub(crate) fn vivid_planes() -> Option<Lent> {
    camera(
        |camera| is_vivid(camera) && offers(camera, "NM12"),
        "V4L2 camera of the vivid test driver with planes apart",
    )
}

/// Small pictures, which an emulated machine makes soon.
pub(crate) fn small() -> CameraOptions {
    CameraOptions { size: Some(Size::new(320, 180)), ..CameraOptions::default() }
}

pub(crate) fn empty(camera: &Camera) -> Picture {
    Picture { format: camera.format(), timestamp: Timestamp::default(), data: Vec::new() }
}

/// A device that its driver can be told to leave and to take again.
pub(crate) struct Bound {
    driver: PathBuf,
    name: Vec<u8>,
}

impl Bound {
    pub(crate) fn of(camera: &CameraInfo) -> Self {
        let node = camera.path.file_name().unwrap();
        let device = Path::new("/sys/class/video4linux").join(node).join("device").canonicalize().unwrap();
        let driver = device.join("driver").canonicalize().unwrap();
        Self { driver, name: device.file_name().unwrap().as_encoded_bytes().to_vec() }
    }

    /// `false`, with a reason, where this user may not do that.
    pub(crate) fn leave(&self) -> bool {
        let left = std::fs::write(self.driver.join("unbind"), &self.name);
        if let Err(error) = &left {
            println!("SKIPPED: the camera cannot be taken from its driver: {error}");
        }
        left.is_ok()
    }

    pub(crate) fn take(&self) {
        std::fs::write(self.driver.join("bind"), &self.name).unwrap();
    }
}
