//! Frames that do not arrive whole.

use streamlib_linux::{Camera, CameraControls, CameraError, SharedCamera};

use crate::cameras::{PATIENCE, empty, small, vivid};
use crate::input::OtherInput;

#[test]
fn a_buffer_that_the_driver_calls_damaged_is_dropped_and_counted() {
    let Some((info, _guard)) = vivid() else { return };
    let controls = CameraControls::open(&info.path).unwrap();

    let mut camera = Camera::open(&info.path, &small()).unwrap();
    let mut picture = empty(&camera);
    controls.set("inject_v4l2_buf_flag_error", 1).unwrap();
    let counted = (0..100).any(|_| {
        camera.read(&mut picture, PATIENCE).unwrap();
        camera.lost().damaged == 1
    });
    assert!(counted, "{:?}", camera.lost());
    drop(camera);

    let mut camera = SharedCamera::open(&info.path, &small()).unwrap();
    controls.set("inject_v4l2_buf_flag_error", 1).unwrap();
    let counted = (0..100).any(|_| {
        let buffer = camera.next_buffer(PATIENCE).unwrap();
        drop(buffer);
        camera.lost().damaged == 1
    });
    assert!(counted, "{:?}", camera.lost());
}

#[test]
fn frames_that_the_driver_drops_are_missed() {
    let Some((info, _guard)) = vivid() else { return };
    let controls = CameraControls::open(&info.path).unwrap();
    let mut camera = Camera::open(&info.path, &small()).unwrap();
    let mut picture = empty(&camera);
    controls.set("percentage_of_dropped_buffers", 50).unwrap();
    let missed = (0..100).any(|_| {
        camera.read(&mut picture, PATIENCE).unwrap();
        camera.lost().missed > 0
    });
    controls.set("percentage_of_dropped_buffers", 0).unwrap();
    assert!(missed);
}

#[test]
fn a_stream_that_breaks_down_is_a_typed_error_and_the_camera_can_be_opened_again() {
    let Some((info, _guard)) = vivid() else { return };
    let controls = CameraControls::open(&info.path).unwrap();
    let mut camera = Camera::open(&info.path, &small()).unwrap();
    let mut picture = empty(&camera);
    camera.read(&mut picture, PATIENCE).unwrap();
    controls.set("inject_fatal_streaming_error", 1).unwrap();
    let broken = (0..100).find_map(|_| camera.read(&mut picture, PATIENCE).err());
    assert!(matches!(broken, Some(CameraError::Driver { .. })), "{broken:?}");
    let sequence = camera.sequence();
    camera.restart().unwrap();
    camera.read(&mut picture, PATIENCE).unwrap();
    assert!(camera.sequence() > sequence, "a stream that begins anew goes on");
    drop(camera);
    let mut camera = Camera::open(&info.path, &small()).unwrap();
    camera.read(&mut picture, PATIENCE).unwrap();
}

#[test]
fn a_driver_that_refuses_to_stream_is_a_typed_error() {
    let Some((info, _guard)) = vivid() else { return };
    let controls = CameraControls::open(&info.path).unwrap();
    for fault in ["inject_vidioc_reqbufs_error", "inject_vidioc_streamon_error", "inject_vidioc_qbuf_error"] {
        let known = controls.set(fault, 1);
        assert!(known.is_ok(), "{known:?}");
        let refused = Camera::open(&info.path, &small());
        assert!(matches!(refused, Err(CameraError::Driver { .. })), "{fault}: {refused:?}");
        Camera::open(&info.path, &small()).unwrap();
    }
}

#[test]
fn an_input_whose_signal_changes_is_a_typed_error_and_the_camera_can_be_opened_again() {
    /// The driver's HDMI input, and what its control calls the absence of a signal.
    const HDMI: i32 = 3;
    const NO_SIGNAL: i64 = 1;
    let Some((info, _guard)) = vivid() else { return };
    let _input = OtherInput::select(&info.path, HDMI).unwrap();
    let controls = CameraControls::open(&info.path).unwrap();
    let mut camera = Camera::open(&info.path, &small()).unwrap();
    let mut picture = empty(&camera);
    camera.read(&mut picture, PATIENCE).unwrap();
    controls.set("dv_timings_signal_mode", NO_SIGNAL).unwrap();
    let changed = (0..100).find_map(|_| camera.read(&mut picture, PATIENCE).err());
    controls.set("dv_timings_signal_mode", 0).unwrap();
    assert!(matches!(changed, Some(CameraError::Changed { .. })), "{changed:?}");
    drop(camera);
    Camera::open(&info.path, &small()).unwrap().read(&mut picture, PATIENCE).unwrap();
}
