//! Cameras by name.

use std::path::{Path, PathBuf};

use streamlib_linux::{Camera, CameraError, find_camera};

use crate::cameras::{any_camera, small, vivid};
use crate::turn;

#[test]
fn a_camera_is_found_by_node_bus_path_and_no_name_at_all() {
    let Some((info, _guard)) = vivid() else { return };
    let node = info.path.file_name().unwrap().to_str().unwrap();
    for name in [node, &info.bus, &info.bus.to_uppercase(), info.path.to_str().unwrap()] {
        assert_eq!(find_camera(name).unwrap(), info.path, "{name}");
    }
}

#[test]
fn no_name_means_the_first_camera() {
    let Some((_, _guard)) = any_camera() else { return };
    assert_eq!(find_camera("").unwrap(), streamlib_linux::list_cameras()[0].path);
}

#[test]
fn a_name_that_several_cameras_have_is_refused_with_what_there_is() {
    let Some((info, _guard)) = vivid() else { return };
    if streamlib_linux::list_cameras().iter().filter(|camera| camera.name == info.name).count() < 2 {
        println!("SKIPPED: no two cameras of one name");
        return;
    }
    let refused = find_camera(&info.name);
    assert!(
        matches!(&refused, Err(CameraError::NoSuchCamera { found, .. }) if found.contains(&info.bus)),
        "{refused:?}"
    );
}

#[test]
fn a_link_that_the_system_made_by_id_is_found() {
    let Some((info, _guard)) = vivid() else { return };
    let root = Path::new("/dev/v4l");
    if root.exists() || std::fs::create_dir_all(root.join("by-id")).is_err() {
        println!("SKIPPED: /dev/v4l is the system's here");
        return;
    }
    std::os::unix::fs::symlink(&info.path, root.join("by-id/usb-Maker_Model-video-index0")).unwrap();
    let found = find_camera("usb-Maker_Model-video-index0");
    let opened = found.as_ref().map(|path| Camera::open(path, &small()).map(drop));
    std::fs::remove_dir_all(root).unwrap();
    assert!(matches!(opened, Ok(Ok(()))), "{found:?}: {opened:?}");
}

#[test]
fn a_name_that_nothing_has_is_refused() {
    let _guard = turn::cameras();
    let refused = find_camera("a camera that nobody makes");
    assert!(matches!(refused, Err(CameraError::NoSuchCamera { .. })), "{refused:?}");
    assert_eq!(find_camera("/dev/video-none").unwrap(), PathBuf::from("/dev/video-none"));
}
