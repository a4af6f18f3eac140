//! Which camera is meant by a name.

use std::path::{Path, PathBuf};

use super::error::CameraError;
use super::list::{CameraInfo, nameable_cameras};

/// Folders in which the system links cameras under names that stay: what they are, and where they are plugged in.
const LINKS: [&str; 2] = ["/dev/v4l/by-id", "/dev/v4l/by-path"];

/// The node of the camera that `name` means: nothing for the first one, a path, a name in `/dev/v4l/by-id` or
/// `/dev/v4l/by-path`, a node such as `video2`, where it is plugged in ([`CameraInfo::bus`]), or what the driver calls it
/// ([`CameraInfo::name`]), of which a part is enough when only one camera has it. Case does not matter.
///
/// # Errors
///
/// [`NoSuchCamera`](CameraError::NoSuchCamera) when there is none, or several that are meant alike.
pub fn find_camera(name: &str) -> Result<PathBuf, CameraError> {
    if name.starts_with('/') {
        return Ok(PathBuf::from(name));
    }
    let linked = LINKS.iter().map(|folder| Path::new(folder).join(name));
    if let Some(path) = linked.into_iter().find(|path| !name.is_empty() && path.exists()) {
        return Ok(path);
    }
    let cameras = nameable_cameras();
    meant(name, &cameras).map(|camera| camera.path.clone()).ok_or_else(|| CameraError::NoSuchCamera {
        wanted: name.to_owned(),
        found: if cameras.is_empty() { "no camera".to_owned() } else { described(&cameras) },
    })
}

fn meant<'a>(name: &str, cameras: &'a [CameraInfo]) -> Option<&'a CameraInfo> {
    if name.is_empty() {
        return cameras.first();
    }
    let same = |text: &str| text.eq_ignore_ascii_case(name);
    let node = |camera: &CameraInfo| camera.path.file_name().is_some_and(|file| file == name);
    let whole = |camera: &&CameraInfo| node(camera) || same(&camera.bus) || same(&camera.name);
    let part = |camera: &&CameraInfo| camera.name.to_lowercase().contains(&name.to_lowercase());
    only(cameras.iter().filter(whole)).or_else(|| only(cameras.iter().filter(part)))
}

pub(super) fn only<T>(mut found: impl Iterator<Item = T>) -> Option<T> {
    let first = found.next();
    if found.next().is_some() { None } else { first }
}

fn described(cameras: &[CameraInfo]) -> String {
    let one = |camera: &CameraInfo| format!("{} ({}, {})", camera.path.display(), camera.name, camera.bus);
    cameras.iter().map(one).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn camera(node: u32, name: &str, bus: &str) -> CameraInfo {
        let path = PathBuf::from(format!("/dev/video{node}"));
        CameraInfo { path, name: name.to_owned(), bus: bus.to_owned(), formats: Vec::new() }
    }

    #[test]
    fn a_camera_is_found_by_node_bus_name_and_part_of_the_name() {
        let cameras = [
            camera(0, "Integrated Camera", "usb-0000:00:14.0-8"),
            camera(2, "HD Pro Webcam", "usb-0000:00:14.0-1"),
            camera(4, "HD Pro Webcam", "usb-0000:00:14.0-2"),
        ];
        let found = |name| meant(name, &cameras).map(|camera| camera.path.to_str().unwrap());
        assert_eq!(found(""), Some("/dev/video0"));
        assert_eq!(found("video4"), Some("/dev/video4"));
        assert_eq!(found("usb-0000:00:14.0-1"), Some("/dev/video2"));
        assert_eq!(found("integrated camera"), Some("/dev/video0"));
        assert_eq!(found("integrated"), Some("/dev/video0"));
        assert_eq!(found("HD Pro Webcam"), None, "two are meant alike");
        assert_eq!(found("video"), None);
        assert_eq!(found("thermal"), None);
        assert!(meant("", &[]).is_none());
    }
}
