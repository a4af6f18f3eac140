//! Which camera it was, when it comes back.

use std::path::{Path, PathBuf};

use super::error::CameraError;
use super::find::only;
use super::list::{camera_nodes, name_and_bus};

/// What a camera is known by when it has been unplugged and is plugged in again, maybe elsewhere and as another node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CameraIdentity {
    path: PathBuf,
    /// What the driver calls it.
    name: String,
    /// Where it was plugged in.
    bus: String,
}

impl CameraIdentity {
    /// Of the camera at `path`; `None` when there is none that this user may open.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let (name, bus) = name_and_bus(path)?;
        Some(Self { path: path.to_owned(), name, bus })
    }

    /// The node that the camera has now: one of its name that is plugged in where it was, the same node before others; else the
    /// only one of its name.
    #[must_use]
    pub fn find(&self) -> Option<PathBuf> {
        self.among(camera_nodes().filter_map(|path| Self::of(&path)).collect())
    }

    /// What to say while it is nowhere.
    #[must_use]
    pub fn missing(&self) -> CameraError {
        CameraError::Unplugged { path: self.path.clone() }
    }

    fn among(&self, cameras: Vec<Self>) -> Option<PathBuf> {
        let of_name: Vec<Self> = cameras.into_iter().filter(|camera| camera.name == self.name).collect();
        let here = || of_name.iter().filter(|camera| camera.bus == self.bus);
        let same = here().find(|camera| camera.path == self.path).or_else(|| here().next());
        same.or_else(|| only(of_name.iter())).map(|camera| camera.path.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_camera_is_found_where_it_was_or_by_its_name_where_only_one_has_it() {
        let camera = |node: u32, name: &str, bus: &str| CameraIdentity {
            path: format!("/dev/video{node}").into(),
            name: name.to_owned(),
            bus: bus.to_owned(),
        };
        let was = camera(2, "Webcam", "usb-1");
        let found = |cameras: &[CameraIdentity]| was.among(cameras.to_vec());
        let node = |node: u32| Some(PathBuf::from(format!("/dev/video{node}")));
        assert_eq!(found(&[camera(0, "Webcam", "usb-1"), camera(2, "Webcam", "usb-1")]), node(2));
        assert_eq!(found(&[camera(3, "Webcam", "usb-2"), camera(4, "Webcam", "usb-1")]), node(4));
        assert_eq!(found(&[camera(2, "Other", "usb-1"), camera(3, "Webcam", "usb-2")]), node(3));
        assert_eq!(found(&[camera(3, "Webcam", "usb-2"), camera(4, "Webcam", "usb-3")]), None);
        assert_eq!(found(&[camera(2, "Other", "usb-1")]), None);
    }
}
