//! Cameras that stall, and that are unplugged and come back.

use std::sync::Arc;

use streamlib::format::Size;
use streamlib::picture::Picture;
use streamlib::{LiveEvent, StreamRuntime};
use streamlib_linux::CameraControls;

use crate::rig::{Rig, is_close, pixel, runtime, vivid};
use crate::turn;
use crate::usb_camera::{Encoding, NAME, UsbCamera};

/// Small, since a pixel takes the emulated processor a microsecond.
const SIZE: Size = Size::new(64, 48);

fn is_stalled(event: &LiveEvent) -> bool {
    matches!(event, LiveEvent::SourceStalled { node } if node == "camera")
}

fn is_restarting(event: &LiveEvent) -> bool {
    matches!(event, LiveEvent::SourceRestarting { node, .. } if node == "camera")
}

fn is_back(event: &LiveEvent) -> bool {
    matches!(event, LiveEvent::SourceIsBack { node } if node == "camera")
}

#[test]
fn a_camera_that_stalls_or_breaks_down_is_restarted_while_the_graph_goes_on() {
    let Some(runtime) = runtime() else { return };
    let Some((node, _turn)) = vivid() else { return };
    let controls = CameraControls::open(&node).unwrap();
    for (memory, stalls) in [("driver", true), ("host", false)] {
        let uri = format!("camera:{}?size=320x180&fps=5&memory={memory}", node.display());
        let mut rig = Rig::start(&runtime, &uri);
        rig.until_picture("the first", |_| Ok(()));
        if stalls {
            controls.set("percentage_of_dropped_buffers", 100).unwrap();
            rig.until_event("a camera that gives nothing", is_stalled);
            let frames = rig.live.frames();
            rig.until_event("a restart", is_restarting);
            rig.until("frames without it", |rig| rig.live.frames() > frames);
            controls.set("percentage_of_dropped_buffers", 0).unwrap();
            rig.until_event("its coming back", is_back);
        }
        controls.set("inject_fatal_streaming_error", 1).unwrap();
        rig.until_event("a stream that breaks down", is_stalled);
        rig.until_event("a restart", is_restarting);
        rig.until_event("its coming back", is_back);
        let report = rig.live.stop().unwrap();
        assert!(report.failures.is_empty(), "{memory}: {:?}", report.failures);
    }
    assert_eq!(runtime.gpu().validation_messages(), 0);
}

/// A camera that shows one grey.
fn plug(size: Size, luma: u8) -> Option<UsbCamera> {
    UsbCamera::plug(Encoding::Yuyv, size, Box::new(move |_| [luma, 128].repeat(size.pixels())))
}

fn shows(luma: u8) -> impl Fn(&Picture) -> Result<(), String> {
    let grey = ((f64::from(luma) - 16.0) / 219.0 * 255.0).round() as u8;
    move |picture| {
        let found = pixel(picture, (32, 24));
        if is_close(found, [grey; 3]) { Ok(()) } else { Err(format!("{found:?}, not {grey}")) }
    }
}

#[test]
fn a_camera_is_waited_for_when_it_is_not_there_yet_and_when_it_is_unplugged() {
    let Some(runtime) = runtime() else { return };
    let _turn = turn::usb();
    let Some((first, mut rig)) = started_before_it_was_plugged_in(&runtime) else { return };
    rig.until_picture("the first camera", shows(60));
    drop(first);
    rig.until_event("an unplugged camera", is_stalled);
    let told = rig.until_event("the wait for it", is_restarting).to_string();
    assert!(told.contains("unplugged"), "{told}");
    let frames = rig.live.frames();
    rig.until("frames without it", |rig| rig.live.frames() > frames);
    // Another port and another node, under the same name.
    let second = plug(SIZE, 180).unwrap();
    rig.until_event("its coming back", is_back);
    rig.until_picture("the second camera", shows(180));
    drop(second);

    let _third = plug(Size::new(80, 60), 120).unwrap();
    let failed = rig.until_event("other pictures", |event| matches!(event, LiveEvent::SourceFailed { .. }));
    assert!(failed.to_string().contains("80x60, not YUYV 64x48"), "{failed}");
    let report = rig.live.stop().unwrap();
    assert_eq!(report.failures.len(), 1, "{:?}", report.failures);
    assert_eq!(runtime.gpu().validation_messages(), 0);
}

fn started_before_it_was_plugged_in(runtime: &Arc<StreamRuntime>) -> Option<(UsbCamera, Rig)> {
    std::thread::scope(|scope| {
        let starting = scope.spawn(|| {
            // Without a port for it there is nothing to wait for.
            std::fs::exists("/sys/devices/platform/vhci_hcd.0/attach")
                .is_ok_and(|is_there| is_there)
                .then(|| Rig::start(runtime, &format!("camera:{NAME}?wait=40")))
        });
        let camera = plug(SIZE, 60);
        let rig = starting.join().unwrap();
        camera.zip(rig)
    })
}

#[test]
fn a_camera_that_does_not_come_back_ends_its_source_by_name_when_it_was_waited_for() {
    let Some(runtime) = runtime() else { return };
    let _turn = turn::usb();
    let Some(camera) = plug(SIZE, 60) else { return };
    let mut rig = Rig::start(&runtime, &format!("camera:{NAME}?wait=7"));
    rig.until_picture("its picture", shows(60));
    drop(camera);
    let failed = rig.until_event("its end", |event| matches!(event, LiveEvent::SourceFailed { .. }));
    let told = failed.to_string();
    assert!(
        told.contains("`camera`") && told.contains("unplugged") && told.contains("waited for 7 s"),
        "{told}"
    );
    assert_eq!(rig.live.stop().unwrap().failures.len(), 1);
}
