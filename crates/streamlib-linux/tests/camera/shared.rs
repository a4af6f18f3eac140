//! Pictures that are left where the driver puts them.

use std::collections::BTreeSet;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};

use streamlib_core::format::Size;
use streamlib_core::picture::Picture;
use streamlib_linux::{
    Camera, CameraError, CameraInfo, CameraOptions, CapturedBuffer, SharedCamera, allocate_dma_memory,
};

use crate::bars::assert_bars;
use crate::cameras::{PATIENCE, small, vivid, vivid_planes};
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

type Allocate<'a> = &'a mut dyn FnMut(usize) -> io::Result<OwnedFd>;

fn assert_bars_of(info: &CameraInfo, code: &[u8; 4], memories: usize, allocate: Option<Allocate<'_>>) {
    let what = String::from_utf8_lossy(code).into_owned();
    let options = CameraOptions {
        size: Some(Size::new(320, 180)),
        pixel_format: Some(*code),
        ..CameraOptions::default()
    };
    let mut camera = match allocate {
        Some(allocate) => SharedCamera::open_into(&info.path, &options, allocate).unwrap(),
        None => SharedCamera::open(&info.path, &options).unwrap(),
    };
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
    let yuv = [b"YUYV", b"UYVY", b"NV12", b"NV21", b"YU12", b"YV12", b"GREY"];
    let others = [b"RGB3", b"BGR3", b"XR24", b"RA24", b"RGGB", b"BG10", b"GB12"];
    for code in yuv.into_iter().chain(others) {
        assert_bars_of(&info, code, 1, None);
    }
}

#[test]
fn planes_in_memories_of_their_own_are_shared_as_such() {
    let Some((info, _guard)) = vivid_planes() else { return };
    for (code, memories) in [(b"NM12", 2), (b"YM12", 3), (b"YM21", 3), (b"NV12", 1), (b"YUYV", 1)] {
        assert_bars_of(&info, code, memories, None);
    }
}

#[test]
fn a_driver_fills_buffers_that_it_is_handed() {
    let Some((info, guard)) = vivid() else { return };
    if let Err(why) = allocate_dma_memory(4096) {
        println!("SKIPPED: no memory that drivers share can be made: {why}");
        return;
    }
    let mut sizes = Vec::new();
    let mut allocate = |bytes| {
        sizes.push(bytes);
        allocate_dma_memory(bytes)
    };
    assert_bars_of(&info, b"YUYV", 1, Some(&mut allocate));
    assert_bars_of(&info, b"RG10", 1, Some(&mut allocate));
    assert!(sizes.len() >= 4 && sizes.iter().all(|bytes| *bytes >= 320 * 180 * 2), "{sizes:?}");
    drop((info, guard));
    let Some((info, _guard)) = vivid_planes() else { return };
    assert_bars_of(&info, b"NM12", 2, Some(&mut allocate_dma_memory));
}

#[test]
fn memory_that_cannot_be_made_or_is_too_small_is_a_typed_error_and_the_camera_can_be_opened_again() {
    let Some((info, _guard)) = vivid() else { return };
    let refused =
        SharedCamera::open_into(&info.path, &small(), &mut |_| Err(io::ErrorKind::OutOfMemory.into()));
    assert!(matches!(refused, Err(CameraError::Driver { .. })), "{refused:?}");
    let refused = SharedCamera::open_into(&info.path, &small(), &mut |_| allocate_dma_memory(4096));
    assert!(matches!(refused, Err(CameraError::Driver { .. })), "{refused:?}");
    SharedCamera::open(&info.path, &small()).unwrap();
}

#[test]
fn a_stream_that_begins_anew_goes_on_with_its_buffers_and_those_that_are_held() {
    let Some((info, _guard)) = vivid() else { return };
    let mut camera = SharedCamera::open(&info.path, &small()).unwrap();
    let held = camera.next_buffer(PATIENCE).unwrap();
    let (before, sequence) = (seen(&camera, &held), held.sequence());
    camera.restart().unwrap();
    let mut used = BTreeSet::new();
    for _ in 0..2 * camera.buffers().len() {
        let buffer = camera.next_buffer(PATIENCE).unwrap();
        assert!(buffer.index() != held.index() && buffer.sequence() > sequence);
        used.insert(buffer.index());
    }
    assert_eq!(used.len(), camera.buffers().len() - 1);
    assert_eq!(seen(&camera, &held), before);
    let index = held.index();
    drop(held);
    assert!((0..100).any(|_| camera.next_buffer(PATIENCE).unwrap().index() == index), "it goes round again");
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
