//! Pictures that are left where the driver puts them.

use std::collections::BTreeSet;
use std::os::fd::AsFd as _;

use streamlib_core::format::Size;
use streamlib_core::picture::{Picture, PictureLayout};
use streamlib_linux::{Camera, CameraError, CameraInfo, CameraOptions, CapturedBuffer, SharedCamera};

use crate::bars::assert_bars;
use crate::cameras::{PATIENCE, any_camera, small, vivid, vivid_planes};
use crate::mapped::copied;

/// What an importer sees of a buffer, as a picture.
fn seen(camera: &SharedCamera, buffer: &CapturedBuffer) -> Picture {
    let memories = camera.buffers()[buffer.index()].memories();
    let memories: Vec<_> = memories.iter().map(|memory| copied(memory, memory.bytes())).collect();
    let mut data = Vec::new();
    for plane in camera.planes() {
        let row = plane.size.width as usize * plane.format.bytes_per_texel();
        let rows = (0..plane.size.height as usize).map(|y| plane.offset + y * plane.pitch);
        rows.for_each(|start| data.extend(&memories[plane.memory][start..start + row]));
    }
    Picture { format: camera.format(), timestamp: buffer.timestamp(), data }
}

fn assert_bars_of(info: &CameraInfo, code: &[u8; 4], memories: usize) {
    let what = String::from_utf8_lossy(code).into_owned();
    let options = CameraOptions {
        size: Some(Size::new(640, 360)),
        pixel_format: Some(*code),
        ..CameraOptions::default()
    };
    let mut camera = SharedCamera::open(&info.path, &options).unwrap();
    assert_eq!(&camera.pixel_format(), code);
    for buffer in camera.buffers() {
        assert_eq!(buffer.memories().len(), memories, "{what}");
    }
    let buffer = camera.next_buffer(PATIENCE).unwrap();
    let picture = seen(&camera, &buffer);
    assert_eq!(picture.data.len(), picture.format.bytes(), "{what}");
    assert_bars(&picture, &what);
    drop(buffer);
}

#[test]
fn what_an_importer_sees_has_the_right_colours() {
    let Some((info, _guard)) = vivid() else { return };
    for code in [b"YUYV", b"NV12", b"YU12", b"YV12", b"GREY"] {
        assert_bars_of(&info, code, 1);
    }
}

#[test]
fn planes_in_memories_of_their_own_are_shared_as_such() {
    let Some((info, _guard)) = vivid_planes() else { return };
    for (code, memories) in [(b"NM12", 2), (b"YM12", 3), (b"YM21", 3), (b"NV12", 1), (b"YUYV", 1)] {
        assert_bars_of(&info, code, memories);
    }
}

#[test]
fn buffers_go_round_with_rising_times_and_numbers() {
    let Some((info, _guard)) = vivid() else { return };
    let mut camera = SharedCamera::open(&info.path, &small()).unwrap();
    let mut used = BTreeSet::new();
    let mut last = None;
    for _ in 0..3 * camera.buffers().len() {
        let buffer = camera.next_buffer(PATIENCE).unwrap();
        let now = (buffer.timestamp(), buffer.sequence());
        assert!(last.is_none_or(|last: (_, _)| now.0 > last.0 && now.1 > last.1), "{now:?} follows {last:?}");
        last = Some(now);
        used.insert(buffer.index());
        drop(buffer);
    }
    assert_eq!(used, (0..camera.buffers().len()).collect());
}

#[test]
fn a_held_buffer_stays_as_it_is_while_others_are_filled() {
    let Some((info, _guard)) = vivid() else { return };
    let mut camera = SharedCamera::open(&info.path, &small()).unwrap();
    let held = camera.next_buffer(PATIENCE).unwrap();
    let before = seen(&camera, &held);
    for _ in 0..3 * camera.buffers().len() {
        let other = camera.next_buffer(PATIENCE).unwrap();
        assert_ne!(other.index(), held.index());
        drop(other);
    }
    assert_eq!(seen(&camera, &held), before);
}

#[test]
fn who_holds_every_buffer_stalls_the_camera_until_one_is_given_back() {
    let Some((info, _guard)) = vivid() else { return };
    let mut camera = SharedCamera::open(&info.path, &small()).unwrap();
    let mut held: Vec<_> =
        (0..camera.buffers().len()).map(|_| camera.next_buffer(PATIENCE).unwrap()).collect();
    let stalled = camera.next_buffer(std::time::Duration::from_millis(300));
    assert!(matches!(stalled, Err(CameraError::Stalled { .. })), "{stalled:?}");
    drop(held.remove(0));
    let next = camera.next_buffer(PATIENCE).unwrap();
    assert!(held.iter().all(|buffer| buffer.index() != next.index()));
    assert!(camera.lost().missed > 0, "{:?}", camera.lost());
}

#[test]
fn a_buffer_is_given_back_from_any_thread_also_while_the_camera_waits() {
    let Some((info, _guard)) = vivid() else { return };
    let mut camera = SharedCamera::open(&info.path, &small()).unwrap();
    let held: Vec<_> = (0..camera.buffers().len()).map(|_| camera.next_buffer(PATIENCE).unwrap()).collect();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| camera.next_buffer(PATIENCE));
        drop(held);
        waiting.join().unwrap().unwrap();
    });
}

#[test]
fn a_held_buffer_does_not_keep_the_camera_from_being_opened_again() {
    let Some((info, _guard)) = vivid() else { return };
    let mut camera = SharedCamera::open(&info.path, &small()).unwrap();
    let held = camera.next_buffer(PATIENCE).unwrap();
    drop(camera);
    let mut again = SharedCamera::open(&info.path, &small()).unwrap();
    drop(held);
    drop(again.next_buffer(PATIENCE).unwrap());
}

#[test]
fn imported_memory_outlives_the_camera() {
    let Some((info, _guard)) = vivid() else { return };
    let mut camera = SharedCamera::open(&info.path, &small()).unwrap();
    let buffer = camera.next_buffer(PATIENCE).unwrap();
    let memory = &camera.buffers()[buffer.index()].memories()[0];
    let (imported, bytes) = (memory.as_fd().try_clone_to_owned().unwrap(), memory.bytes());
    let before = copied(&imported, bytes);
    drop(camera);
    let mut again = Camera::open(&info.path, &small()).unwrap();
    again
        .read(&mut Picture { format: again.format(), timestamp: buffer.timestamp(), data: vec![] }, PATIENCE)
        .unwrap();
    assert_eq!(copied(&imported, bytes), before);
}

#[test]
fn layouts_that_would_need_another_order_of_bytes_are_refused() {
    let Some((info, _guard)) = any_camera() else { return };
    let options = CameraOptions { layout: Some(PictureLayout::Rgba8), ..CameraOptions::default() };
    let refused = SharedCamera::open(&info.path, &options);
    assert!(matches!(refused, Err(CameraError::NoUsableFormat { .. })), "{refused:?}");
}
