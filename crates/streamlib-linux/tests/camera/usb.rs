//! Cameras of the driver `uvcvideo`, which most are. What they send is made up here.

use std::path::PathBuf;

use streamlib_core::format::Size;
use streamlib_core::picture::{Picture, PictureLayout};
use streamlib_linux::{Camera, CameraError, CameraEvent, CameraWatch, SharedCamera, find_camera};

use crate::cameras::{PATIENCE, empty, small};
use crate::mapped::copied;
use crate::turn;
use crate::usb_camera::{Encoding, Frames, NAME, UsbCamera};

const SIZE: Size = Size::new(160, 120);

/// Plugs a camera in, and waits until it can be opened.
fn plugged(encoding: Encoding, frames: Frames) -> Option<(UsbCamera, PathBuf, CameraWatch)> {
    let mut watch = CameraWatch::new().unwrap();
    let camera = UsbCamera::plug(encoding, SIZE, frames)?;
    let appeared = (0..100).find_map(|_| match watch.next(PATIENCE).unwrap() {
        Some(CameraEvent::Appeared(path)) if find_camera(NAME).is_ok_and(|found| found == path) => Some(path),
        _ => None,
    });
    Some((camera, appeared.expect("the driver takes the camera"), watch))
}

/// Frame `number`: a ramp that moves, with the number in the blue chroma of its first texels.
fn ramp(number: u32) -> Vec<u8> {
    let luma = |x: u32, y: u32| ((x + y + number.wrapping_mul(4)) as u8).clamp(16, 235);
    let texel = |x: u32, y: u32| [luma(2 * x, y), 128, luma(2 * x + 1, y), 90];
    let texels = (0..SIZE.height).flat_map(|y| (0..SIZE.width / 2).map(move |x| (x, y)));
    let mut frame: Vec<u8> = texels.flat_map(|(x, y)| texel(x, y)).collect();
    number.to_le_bytes().into_iter().enumerate().for_each(|(index, byte)| frame[4 * index + 1] = byte);
    frame
}

/// The number in a frame, `None` where the frame is not all of that number.
fn number(frame: &[u8]) -> Option<u32> {
    let number = u32::from_le_bytes([frame[1], frame[5], frame[9], frame[13]]);
    (ramp(number) == frame).then_some(number)
}

#[test]
fn frames_arrive_as_they_were_sent_and_short_ones_never() {
    let _guard = turn::usb();
    let frames = Box::new(|number| {
        let mut frame = ramp(number);
        if number % 5 == 3 {
            frame.truncate(frame.len() / 2);
        }
        frame
    });
    let Some((_plug, path, _)) = plugged(Encoding::Yuyv, frames) else { return };
    let mut camera = Camera::open(&path, &small()).unwrap();
    assert_eq!((camera.format().size, camera.format().layout), (SIZE, PictureLayout::Yuyv));
    let mut picture = empty(&camera);
    let mut last = None;
    while last < Some(13) || camera.lost().total() < 2 {
        camera.read(&mut picture, PATIENCE).unwrap();
        let number = number(&picture.data);
        assert!(number.is_some_and(|number| number % 5 != 3) && number > last, "{number:?} follows {last:?}");
        last = number;
    }
}

#[test]
fn an_importer_sees_frames_as_they_were_sent() {
    let _guard = turn::usb();
    let Some((_plug, path, _)) = plugged(Encoding::Yuyv, Box::new(ramp)) else {
        return;
    };
    let mut camera = SharedCamera::open(&path, &small()).unwrap();
    for _ in 0..10 {
        let buffer = camera.next_buffer(PATIENCE).unwrap();
        let data = copied(&camera.buffers()[buffer.index()].memories()[0], camera.format().bytes());
        assert!(number(&data).is_some());
        drop(buffer);
    }
}

#[test]
fn files_of_jpeg_are_decoded_and_damaged_ones_counted() {
    let _guard = turn::usb();
    let frames = Box::new(|number: u32| {
        let grey: Vec<u8> = vec![(40 + number % 100) as u8; SIZE.pixels()];
        let mut file = Vec::new();
        let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut file, 90);
        encoder.encode(&grey, SIZE.width, SIZE.height, image::ExtendedColorType::L8).unwrap();
        match number % 4 {
            1 => file.truncate(file.len() - 10),
            2 => file[..2].fill(0),
            _ => {}
        }
        file
    });
    let Some((_plug, path, _)) = plugged(Encoding::Mjpeg, frames) else { return };
    let mut camera = Camera::open(&path, &small()).unwrap();
    assert_eq!((camera.format().size, camera.format().layout), (SIZE, PictureLayout::Rgba8));
    let mut picture = empty(&camera);
    while camera.lost().damaged < 4 {
        camera.read(&mut picture, PATIENCE).unwrap();
        assert_flat_grey(&picture);
    }
    let shared = SharedCamera::open(&path, &small());
    assert!(matches!(shared, Err(CameraError::NoUsableFormat { .. })), "{shared:?}");
}

fn assert_flat_grey(picture: &Picture) {
    let [red, green, blue, alpha] = *picture.data.first_chunk().unwrap();
    let number = i32::from(red) - 40;
    assert!(red == green && green == blue && alpha == 255, "{:?}", &picture.data[..4]);
    // One of the whole ones, give or take what JPEG changes.
    assert!((-1..=1).any(|off| matches!((number + off) % 4, 0 | 3)), "{red}");
    assert!(picture.data.chunks(4).all(|texel| texel == &picture.data[..4]));
}

#[test]
fn a_pulled_plug_is_a_typed_error_and_an_event() {
    let _guard = turn::usb();
    let Some((plug, path, mut watch)) = plugged(Encoding::Yuyv, Box::new(ramp)) else {
        return;
    };
    let mut camera = Camera::open(&path, &small()).unwrap();
    let mut picture = empty(&camera);
    camera.read(&mut picture, PATIENCE).unwrap();
    drop(plug);
    let gone = (0..100).find_map(|_| camera.read(&mut picture, PATIENCE).err());
    assert!(matches!(gone, Some(CameraError::Unplugged { .. })), "{gone:?}");
    drop(camera);
    let went = (0..100).any(|_| watch.next(PATIENCE).unwrap() == Some(CameraEvent::Went(path.clone())));
    assert!(went);
    // Its name may be there for a moment longer than the camera; it is not the name of another one.
    let refused = std::iter::repeat_with(|| Camera::open(&path, &small()).map(drop));
    let refused = refused.take(1000).find(|refused| !matches!(refused, Err(CameraError::Unplugged { .. })));
    assert!(matches!(refused, Some(Err(CameraError::NotFound { .. }))), "{refused:?}");
}
