//! Controls, set while the camera streams.

use std::path::Path;

use streamlib_linux::{Camera, CameraControls, CameraError, ControlValues};

use crate::bars::{assert_bars, rgb};
use crate::cameras::{PATIENCE, any_camera, empty, small, vivid};

#[test]
fn every_control_has_a_name_of_its_own_and_values_that_its_default_is_one_of() {
    let Some((info, _guard)) = any_camera() else { return };
    let controls = CameraControls::open(&info.path).unwrap().list().unwrap();
    let names: std::collections::BTreeSet<_> = controls.iter().map(|control| &control.name).collect();
    assert_eq!(names.len(), controls.len(), "{controls:#?}");
    for control in &controls {
        assert!(!control.name.is_empty(), "{control:?}");
        let default = control.default;
        match &control.values {
            ControlValues::Range { min, max, .. } => assert!((*min..=*max).contains(&default), "{control:?}"),
            ControlValues::Menu(entries) => {
                assert!(entries.iter().any(|(number, _)| *number == default), "{control:?}");
            }
            ControlValues::Button => assert_eq!(control.value, None, "{control:?}"),
            _ => {}
        }
    }
}

#[test]
fn a_number_is_listed_set_and_read() {
    let Some((info, _guard)) = vivid() else { return };
    let controls = CameraControls::open(&info.path).unwrap();
    let listed = controls.list().unwrap();
    let brightness = listed.iter().find(|control| control.name == "brightness").unwrap();
    assert_eq!(brightness.values, ControlValues::Range { min: 0, max: 255, step: 1 });
    assert!(brightness.writable && brightness.active);
    controls.set("brightness", 200).unwrap();
    assert_eq!(controls.get("brightness").unwrap(), 200);
    controls.set("brightness", brightness.default).unwrap();
    assert_eq!(controls.get("brightness").unwrap(), brightness.default);
}

#[test]
fn a_control_that_is_set_while_the_camera_streams_shows_in_its_pictures() {
    let Some((info, _guard)) = vivid() else { return };
    let controls = CameraControls::open(&info.path).unwrap();
    let pattern =
        controls.list().unwrap().into_iter().find(|control| control.name == "test_pattern").unwrap();
    let ControlValues::Menu(patterns) = &pattern.values else { panic!("{pattern:?}") };
    let (black, _) = patterns.iter().find(|(_, name)| name.contains("100% Black")).unwrap();

    let mut camera = Camera::open(&info.path, &small()).unwrap();
    let mut picture = empty(&camera);
    camera.read(&mut picture, PATIENCE).unwrap();
    assert_bars(&picture, "before");
    controls.set("test_pattern", *black).unwrap();
    let went_black = (0..100).any(|_| {
        camera.read(&mut picture, PATIENCE).unwrap();
        rgb(&picture, 8, picture.format.size.height as usize - 4).iter().all(|channel| *channel < 0.03)
    });
    controls.set("test_pattern", pattern.default).unwrap();
    assert!(went_black);
}

#[test]
fn what_a_control_does_not_take_is_refused_with_what_it_takes() {
    let Some((info, _guard)) = vivid() else { return };
    let controls = CameraControls::open(&info.path).unwrap();
    let refused = controls.set("brightness", 256);
    assert!(
        matches!(&refused, Err(CameraError::BadControlValue { allowed, .. }) if allowed.contains("0 to 255")),
        "{refused:?}"
    );
    for value in [i64::MIN, -1, i64::from(u32::MAX), i64::MAX] {
        let refused = controls.set("brightness", value);
        assert!(matches!(refused, Err(CameraError::BadControlValue { .. })), "{refused:?}");
    }
    let refused = controls.get("brightnes");
    assert!(
        matches!(&refused, Err(CameraError::NoSuchControl { known, .. }) if known.contains("brightness")),
        "{refused:?}"
    );
}

#[test]
fn what_cannot_be_set_is_refused_by_name() {
    let Some((info, _guard)) = vivid() else { return };
    let controls = CameraControls::open(&info.path).unwrap();
    let listed = controls.list().unwrap();
    let fixed = listed.iter().find(|control| !control.writable && control.values != ControlValues::Button);
    let Some(fixed) = fixed else { panic!("vivid has controls to read: {listed:#?}") };
    let refused = controls.set(&fixed.name, fixed.value.unwrap());
    assert!(matches!(refused, Err(CameraError::Control { .. })), "{refused:?}");
}

#[test]
fn what_is_no_camera_has_no_controls() {
    for path in ["/dev/null", "/dev", "/dev/video-none"] {
        let refused = CameraControls::open(Path::new(path));
        let typed = matches!(refused, Err(CameraError::NotACamera { .. } | CameraError::NotFound { .. }));
        assert!(typed, "{path}: {refused:?}");
    }
}
