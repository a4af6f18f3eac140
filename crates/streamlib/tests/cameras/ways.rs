//! The ways of a camera's picture to the GPU, in formats of all kinds.

use streamlib::LiveEvent;
use streamlib::format::Size;
use streamlib::picture::Picture;

use crate::rig::{Rig, is_close, pixel, runtime, vivid};

/// The test driver's picture: bars of 75 % colour.
const BARS: [[u8; 3]; 8] = [
    [191, 191, 191],
    [191, 191, 0],
    [0, 191, 191],
    [0, 191, 0],
    [191, 0, 191],
    [191, 0, 0],
    [0, 0, 191],
    [0, 0, 0],
];

fn shows_bars(picture: &Picture) -> Result<(), String> {
    let Size { width, height } = picture.format.size;
    // Near the lower edge, where the driver writes no text.
    let found: Vec<_> = (0..8).map(|bar| pixel(picture, (width * (2 * bar + 1) / 16, height - 4))).collect();
    let is_right = found.iter().zip(BARS).all(|(found, wanted)| is_close(*found, wanted));
    if is_right { Ok(()) } else { Err(format!("{found:?}")) }
}

#[test]
fn a_camera_shows_its_picture_in_every_kind_of_format_and_every_way_and_says_which() {
    let Some(runtime) = runtime() else { return };
    let Some((node, _turn)) = vivid() else { return };
    for (format, way, said) in [
        ("UYVY", "", "read where the driver writes (DMA-BUF)"),
        ("RGGB", "&memory=driver", "read where the driver writes (DMA-BUF)"),
        ("BGR3", "&memory=handed", "into memory of the GPU that it was handed (DMA-BUF)"),
        ("GB12", "&memory=host", "copied and uploaded"),
    ] {
        let uri = format!("camera:{}?size=320x180&fps=5&format={format}{way}", node.display());
        let mut rig = Rig::start(&runtime, &uri);
        let opened = rig.until_event(&uri, |event| matches!(event, LiveEvent::CameraOpened { .. }));
        let LiveEvent::CameraOpened { how, .. } = opened else { unreachable!("it is that event") };
        assert_eq!(how, format!("camera, {format} 320x180, {}", how.split(", ").nth(2).unwrap()));
        assert!(how.contains(said), "{uri}: {how}");
        rig.until_picture(&uri, shows_bars);
        let report = rig.live.stop().unwrap();
        assert!(report.failures.is_empty(), "{uri}: {:?}", report.failures);
    }
    assert_eq!(runtime.gpu().validation_messages(), 0);
}
