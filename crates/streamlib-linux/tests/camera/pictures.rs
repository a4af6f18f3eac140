//! Pictures that are copied.

use std::path::{Path, PathBuf};
use std::time::Duration;

use streamlib_core::format::Size;
use streamlib_core::picture::PictureLayout;
use streamlib_linux::{Camera, CameraError, CameraInfo, CameraOptions};

use crate::bars::assert_bars;
use crate::cameras::{PATIENCE, any_camera, empty, offers, small, vivid, vivid_planes};

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
    let mut camera = Camera::open(&info.path, &small()).unwrap();
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
    let mut camera = Camera::open(&info.path, &small()).unwrap();
    let mut picture = empty(&camera);
    // No camera fills buffers as fast as they are taken.
    let stalled = (0..10_000).find_map(|_| camera.read(&mut picture, Duration::ZERO).err());
    assert!(matches!(stalled, Some(CameraError::Stalled { .. })), "{stalled:?}");
    camera.read(&mut picture, PATIENCE).unwrap();
}

fn assert_bars_of(info: &CameraInfo, options: &CameraOptions) {
    let what =
        options.pixel_format.map_or_else(String::new, |code| String::from_utf8_lossy(&code).into_owned());
    let mut camera = Camera::open(&info.path, options).unwrap();
    assert_eq!(Some(camera.format().size), options.size, "{what}");
    assert!(options.pixel_format.is_none_or(|code| code == camera.pixel_format()), "{what}");
    let mut picture = empty(&camera);
    camera.read(&mut picture, PATIENCE).unwrap();
    assert_bars(&picture, &what);
}

#[test]
fn the_test_pattern_has_the_right_colours_in_every_layout_and_size() {
    let Some((info, _guard)) = vivid() else { return };
    use PictureLayout::{Grey8, I420, Nv12, Rgb8, Yuyv};
    for layout in [Yuyv, Nv12, I420, Rgb8, Grey8] {
        for size in [Size::new(320, 180), Size::new(640, 360)] {
            let options = CameraOptions {
                size: Some(size),
                layout: Some(layout),
                frame_rate: Some(30),
                ..CameraOptions::default()
            };
            assert_bars_of(&info, &options);
        }
    }
}

fn assert_bars_in_every_format(info: &CameraInfo, codes: &[&[u8; 4]]) {
    for code in codes {
        assert!(offers(info, str::from_utf8(*code).unwrap()), "vivid has {code:?}");
        let size = Some(Size::new(320, 180));
        assert_bars_of(info, &CameraOptions { size, pixel_format: Some(**code), ..CameraOptions::default() });
    }
}

#[test]
fn the_test_pattern_has_the_right_colours_in_every_pixel_format() {
    let Some((info, _guard)) = vivid() else { return };
    let packed = [b"YUYV", b"UYVY", b"YVYU", b"VYUY", b"NV12", b"NV21", b"YU12", b"YV12", b"GREY"];
    assert_bars_in_every_format(&info, &packed);
    let rgb = [b"RGB3", b"BGR3", b"XB24", b"XR24", b"BX24", b"RX24", b"AB24", b"AR24", b"BA24", b"RA24"];
    assert_bars_in_every_format(&info, &rgb);
    assert_bars_in_every_format(&info, &[b"RGB4", b"BGR4"]);
    assert_bars_in_every_format(&info, &[b"BA81", b"GBRG", b"GRBG", b"RGGB"]);
    assert_bars_in_every_format(&info, &[b"BG10", b"BA10", b"GB12", b"RG12", b"RG16"]);
}

#[test]
fn planes_in_memories_of_their_own_make_the_same_pictures() {
    let Some((info, _guard)) = vivid_planes() else { return };
    assert_bars_in_every_format(&info, &[b"NM12", b"NM21", b"YM12", b"YM21", b"NV12", b"YUYV", b"RGB3"]);
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
fn the_frame_rate_is_the_one_that_was_asked_for_or_one_of_those_listed() {
    let Some((info, _guard)) = vivid() else { return };
    let size = Some(Size::new(640, 360));
    let with = |frame_rate| CameraOptions { size, frame_rate, ..CameraOptions::default() };
    let camera = Camera::open(&info.path, &with(Some(25))).unwrap();
    assert_eq!(camera.frame_rate(), Some((25, 1)));
    drop(camera);
    let (frames, seconds) = Camera::open(&info.path, &with(Some(1000))).unwrap().frame_rate().unwrap();
    let rate = f64::from(frames) / f64::from(seconds);
    let modes = info.formats.iter().flat_map(|format| &format.modes);
    assert!(modes.flat_map(|mode| &mode.rates).any(|listed| (listed - rate).abs() < 0.01), "{rate}");
}

#[test]
fn a_layout_that_no_camera_delivers_is_refused_with_what_there_is() {
    let Some((info, _guard)) = any_camera() else {
        return;
    };
    let options = CameraOptions { layout: Some(PictureLayout::I444), ..small() };
    let refused = Camera::open(&info.path, &options);
    assert!(
        matches!(&refused, Err(CameraError::NoUsableFormat { offered, .. }) if !offered.is_empty()),
        "{refused:?}"
    );
}

#[test]
fn what_is_no_camera_is_refused_by_name() {
    let open = |path: &Path| Camera::open(path, &small()).map(drop);
    assert!(matches!(open(Path::new("/dev/video-none")), Err(CameraError::NotFound { .. })));
    for path in ["/dev/null", "/dev/zero", "/dev", env!("CARGO_MANIFEST_PATH")].map(PathBuf::from) {
        let refused = open(&path);
        let text = refused.as_ref().map_err(ToString::to_string);
        let typed = matches!(refused, Err(CameraError::NotACamera { .. } | CameraError::NotFound { .. }));
        assert!(typed, "{}: {text:?}", path.display());
    }
}
