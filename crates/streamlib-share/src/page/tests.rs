//! Pages as one side writes them and the other reads them.

use std::num::NonZeroU64;

use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::frame::{CameraModel, FrameMeta, Timestamp};

use super::*;
use crate::buffer::BufferId;
use crate::lease::word;

fn slot(camera: Option<CameraModel>) -> Slot {
    Slot {
        buffer: BufferId(NonZeroU64::new(77).unwrap()),
        size: Size::new(1920, 1080),
        format: TextureFormat::Rgba8.into(),
        meta: FrameMeta { captured: Timestamp(-5), sequence: 12, camera },
        published: Timestamp(1 << 40),
        done: 1 << 63,
    }
}

#[test]
fn a_frame_is_read_as_it_was_written_in_every_slot() {
    let (page, file) = SurfacePage::create().unwrap();
    let view = SurfaceView::open(&file).unwrap();
    let camera = CameraModel {
        intrinsics: [1.5, 2.5, 3.5, 4.5],
        world_from_camera: std::array::from_fn(|row| {
            std::array::from_fn(|column| (10 * row + column) as f32)
        }),
    };
    for index in 0..SLOTS {
        for slot in [slot(Some(camera)), slot(None)] {
            page.write(index, slot);
            assert_eq!(view.slot(word(1, index)), Some(slot));
        }
    }
}

#[test]
fn slots_that_do_not_exist_and_slots_without_a_buffer_are_no_frames() {
    let (_page, file) = SurfacePage::create().unwrap();
    let view = SurfaceView::open(&file).unwrap();
    assert_eq!(view.slot(word(1, SLOTS)), None);
    assert_eq!(view.slot(u64::MAX), None);
    assert_eq!(view.slot(word(1, 0)), None);
}

#[test]
fn a_page_of_the_other_kind_is_refused() {
    let (_page, surface) = SurfacePage::create().unwrap();
    let (_page, reader) = ReaderPage::create().unwrap();
    assert!(ReaderPage::open(&surface).is_err());
    assert!(SurfaceView::open(&reader).is_err());
    assert!(ReaderPage::open(&reader).is_ok());
}
