//! Capture from a real kernel driver: any V4L2 camera of this machine, and more of it where that is vivid, the kernel's
//! own test driver, whose pictures are known.
#![cfg(target_os = "linux")]
#![allow(clippy::print_stdout, reason = "a test that is skipped says why")]

use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use streamlib_core::format::Size;
use streamlib_core::frame::Timestamp;
use streamlib_core::picture::{Picture, PictureLayout};
use streamlib_linux::{Camera, CameraError, CameraInfo, CameraOptions, list_cameras};

/// Long enough for a camera that warms up, on an emulated machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A camera streams to one reader at a time, and so do these tests.
fn camera(wanted: impl Fn(&CameraInfo) -> bool, kind: &str) -> Option<(CameraInfo, MutexGuard<'static, ()>)> {
    static ONE_READER: Mutex<()> = Mutex::new(());
    let guard = ONE_READER.lock().unwrap_or_else(PoisonError::into_inner);
    match list_cameras().into_iter().find(wanted) {
        Some(camera) => Some((camera, guard)),
        None => {
            println!("SKIPPED: no {kind}");
            None
        }
    }
}

fn any_camera() -> Option<(CameraInfo, MutexGuard<'static, ()>)> {
    let usable = |camera: &CameraInfo| {
        let known = ["YUYV", "NV12", "YU12", "GREY"];
        camera.formats.iter().any(|format| known.contains(&format.fourcc.as_str()))
    };
    camera(usable, "V4L2 camera with uncompressed pictures")
}

fn vivid() -> Option<(CameraInfo, MutexGuard<'static, ()>)> {
    camera(|camera| camera.bus.starts_with("platform:vivid"), "V4L2 camera of the vivid test driver")
}

fn empty(camera: &Camera) -> Picture {
    Picture { format: camera.format(), timestamp: Timestamp::default(), data: Vec::new() }
}

#[test]
fn every_listed_camera_has_formats_with_sizes_and_rates() {
    let Some((camera, _guard)) = any_camera() else {
        return;
    };
    assert!(!camera.name.is_empty() && !camera.bus.is_empty());
    for format in &camera.formats {
        assert!((1..=4).contains(&format.fourcc.len()), "{format:?}");
        for mode in &format.modes {
            assert!(mode.size.pixels() > 0, "{format:?}");
            assert!(mode.rates.iter().all(|rate| rate.is_finite() && *rate > 0.0), "{format:?}");
        }
    }
}

#[test]
fn pictures_come_whole_with_rising_times_and_numbers() {
    let Some((info, _guard)) = any_camera() else {
        return;
    };
    let mut camera = Camera::open(&info.path, &CameraOptions::default()).unwrap();
    let mut picture = empty(&camera);
    let mut last = None;
    for _ in 0..12 {
        camera.read(&mut picture, PATIENCE).unwrap();
        assert_eq!(picture.format, camera.format());
        assert_eq!(picture.data.len(), picture.format.bytes());
        let now = (picture.timestamp, camera.sequence());
        if let Some((timestamp, sequence)) = last {
            assert!(now.0 > timestamp, "{now:?} follows {last:?}");
            assert!(now.1 > sequence, "{now:?} follows {last:?}");
        }
        last = Some(now);
    }
}

#[test]
fn a_camera_that_was_dropped_can_be_opened_again_and_a_second_reader_is_refused() {
    let Some((info, _guard)) = any_camera() else {
        return;
    };
    let options = CameraOptions::default();
    let first = Camera::open(&info.path, &options).unwrap();
    let second = Camera::open(&info.path, &options);
    assert!(matches!(second, Err(CameraError::Busy { .. })), "{second:?}");
    drop(first);
    Camera::open(&info.path, &options).unwrap();
}

#[test]
fn waiting_for_no_time_is_a_stall_that_the_camera_survives() {
    let Some((info, _guard)) = any_camera() else {
        return;
    };
    let mut camera = Camera::open(&info.path, &CameraOptions::default()).unwrap();
    let mut picture = empty(&camera);
    // No camera fills buffers as fast as they are taken.
    let stalled = (0..10_000).find_map(|_| camera.read(&mut picture, Duration::ZERO).err());
    assert!(matches!(stalled, Some(CameraError::Stalled { .. })), "{stalled:?}");
    camera.read(&mut picture, PATIENCE).unwrap();
}

/// Y, Cb, Cr (0..=1) of the pixel at `x`, `y`.
fn sample(picture: &Picture, x: usize, y: usize) -> [f64; 3] {
    let planes: Vec<_> =
        picture.format.plane_ranges().into_iter().map(|range| &picture.data[range]).collect();
    let width = picture.format.size.width as usize;
    let half = width.div_ceil(2);
    let codes = match picture.format.layout {
        PictureLayout::Yuyv => {
            let pair = &planes[0][(y * half + x / 2) * 4..][..4];
            [pair[x % 2 * 2], pair[1], pair[3]]
        }
        PictureLayout::Nv12 => {
            let chroma = &planes[1][(y / 2 * half + x / 2) * 2..][..2];
            [planes[0][y * width + x], chroma[0], chroma[1]]
        }
        PictureLayout::I420 => {
            let at = y / 2 * half + x / 2;
            [planes[0][y * width + x], planes[1][at], planes[2][at]]
        }
        _ => [planes[0][y * width + x], 128, 128],
    };
    codes.map(|code| f64::from(code) / 255.0)
}

/// Vivid's first test pattern: eight bars of 75 % colour.
const BARS: [[f64; 3]; 8] = [
    [0.75, 0.75, 0.75],
    [0.75, 0.75, 0.0],
    [0.0, 0.75, 0.75],
    [0.0, 0.75, 0.0],
    [0.75, 0.0, 0.75],
    [0.75, 0.0, 0.0],
    [0.0, 0.0, 0.75],
    [0.0, 0.0, 0.0],
];

#[test]
fn the_test_pattern_has_the_right_colours_in_every_layout_and_size() {
    let Some((info, _guard)) = vivid() else { return };
    let layouts = [PictureLayout::Yuyv, PictureLayout::Nv12, PictureLayout::I420, PictureLayout::Grey8];
    for layout in layouts {
        for size in [Size::new(320, 180), Size::new(640, 360)] {
            let options = CameraOptions { size: Some(size), layout: Some(layout), frame_rate: Some(30) };
            let mut camera = Camera::open(&info.path, &options).unwrap();
            assert_eq!((camera.format().size, camera.format().layout), (size, layout));
            let mut picture = empty(&camera);
            camera.read(&mut picture, PATIENCE).unwrap();
            let to_rgb = picture.format.color.rgb_from_yuv();
            let (width, height) = (size.width as usize, size.height as usize);
            for (bar, expected) in BARS.iter().enumerate() {
                let rgb = to_rgb.apply(sample(&picture, width * (2 * bar + 1) / 16, height - 4));
                // A grey picture has the bar's luma alone, so only its colourless bars are known.
                let known = layout != PictureLayout::Grey8 || bar == 0 || bar == 7;
                let close = rgb.iter().zip(expected).all(|(a, b)| (a - b).abs() < 0.03);
                assert!(!known || close, "{layout:?} {size} bar {bar}: {rgb:.3?} is not {expected:?}");
            }
        }
    }
}

#[test]
fn a_size_that_the_camera_lacks_becomes_the_nearest_one() {
    let Some((info, _guard)) = vivid() else { return };
    let options = CameraOptions { size: Some(Size::new(650, 350)), ..CameraOptions::default() };
    let camera = Camera::open(&info.path, &options).unwrap();
    let listed =
        info.formats.iter().flat_map(|format| &format.modes).any(|mode| mode.size == camera.format().size);
    assert!(listed, "{:?}", camera.format());
}

#[test]
fn a_layout_that_no_camera_delivers_is_refused_with_what_there_is() {
    let Some((info, _guard)) = any_camera() else {
        return;
    };
    let options = CameraOptions { layout: Some(PictureLayout::I444), ..CameraOptions::default() };
    let refused = Camera::open(&info.path, &options);
    assert!(
        matches!(&refused, Err(CameraError::NoUsableFormat { offered, .. }) if !offered.is_empty()),
        "{refused:?}"
    );
}

#[test]
fn an_unplugged_camera_is_a_typed_error() {
    let Some((info, _guard)) = vivid() else { return };
    let node = info.path.file_name().unwrap();
    let device = Path::new("/sys/class/video4linux").join(node).join("device").canonicalize().unwrap();
    let driver = device.join("driver").canonicalize().unwrap();
    let name = device.file_name().unwrap().as_encoded_bytes();
    let mut camera = Camera::open(&info.path, &CameraOptions::default()).unwrap();
    let mut picture = empty(&camera);
    camera.read(&mut picture, PATIENCE).unwrap();
    if let Err(error) = std::fs::write(driver.join("unbind"), name) {
        println!("SKIPPED: {} cannot be taken from its driver: {error}", device.display());
        return;
    }
    let gone = (0..100).find_map(|_| camera.read(&mut picture, PATIENCE).err());
    drop(camera);
    std::fs::write(driver.join("bind"), name).unwrap();
    assert!(matches!(gone, Some(CameraError::Unplugged { .. })), "{gone:?}");
}

#[test]
fn what_is_no_camera_is_refused_by_name() {
    let open = |path: &Path| Camera::open(path, &CameraOptions::default()).map(drop);
    assert!(matches!(open(Path::new("/dev/video-none")), Err(CameraError::NotFound { .. })));
    for path in ["/dev/null", "/dev/zero", "/dev", env!("CARGO_MANIFEST_PATH")].map(PathBuf::from) {
        let refused = open(&path);
        let text = refused.as_ref().map_err(ToString::to_string);
        let typed = matches!(refused, Err(CameraError::NotACamera { .. } | CameraError::NotFound { .. }));
        assert!(typed, "{}: {text:?}", path.display());
    }
}
