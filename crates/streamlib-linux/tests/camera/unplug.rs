//! Cameras that go and come back.

use streamlib_linux::{Camera, CameraControls, CameraError, CameraEvent, CameraWatch, SharedCamera};

use crate::cameras::{Bound, PATIENCE, empty, small, vivid};

#[test]
fn an_unplugged_camera_is_a_typed_error_to_every_reader() {
    let Some((info, _guard)) = vivid() else { return };
    let bound = Bound::of(&info);

    let mut camera = Camera::open(&info.path, &small()).unwrap();
    let mut picture = empty(&camera);
    camera.read(&mut picture, PATIENCE).unwrap();
    let controls = CameraControls::open(&info.path).unwrap();
    if !bound.leave() {
        return;
    }
    let gone = (0..100).find_map(|_| camera.read(&mut picture, PATIENCE).err());
    let set = controls.set("brightness", 100);
    // Its number is free again only when nobody holds the old node.
    drop((camera, controls));
    bound.take();
    assert!(matches!(gone, Some(CameraError::Unplugged { .. })), "{gone:?}");
    assert!(matches!(set, Err(CameraError::Unplugged { .. })), "{set:?}");

    let mut camera = SharedCamera::open(&info.path, &small()).unwrap();
    let held = camera.next_buffer(PATIENCE).unwrap();
    assert!(bound.leave());
    let gone = (0..100).find_map(|_| camera.next_buffer(PATIENCE).err());
    drop(held);
    drop(camera);
    bound.take();
    assert!(matches!(gone, Some(CameraError::Unplugged { .. })), "{gone:?}");
}

#[test]
fn a_watch_tells_what_went_and_what_appeared() {
    let Some((info, _guard)) = vivid() else { return };
    let bound = Bound::of(&info);
    let mut watch = CameraWatch::new().unwrap();
    assert!(watch.known().contains(&info.path));
    if !bound.leave() {
        return;
    }
    let mut events = |wanted: CameraEvent| {
        // The driver has other nodes, which go and come with this one.
        (0..100).any(|_| watch.next(PATIENCE).unwrap().is_some_and(|event| event == wanted))
    };
    let went = events(CameraEvent::Went(info.path.clone()));
    bound.take();
    let appeared = events(CameraEvent::Appeared(info.path.clone()));
    assert!(went && appeared, "went: {went}, appeared: {appeared}");
    assert!(watch.known().contains(&info.path));
}
