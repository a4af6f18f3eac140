//! From what the driver delivers to what a [`Picture`](streamlib_core::picture::Picture) holds.

use streamlib_core::picture::PictureFormat;

use super::codes::{Coding, PixelCode};
use super::color::color_space;
use super::jpeg;
use super::places::{Place, SetFormat, needed, places};

/// Turns the driver's buffers into tightly packed pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unpacking {
    pub(super) format: PictureFormat,
    coding: Coding,
    places: Vec<Place>,
}

impl Unpacking {
    /// For the format that the driver has set; `None` when it does not say enough for a whole picture.
    pub(super) fn new(code: &PixelCode, set: &SetFormat) -> Option<Self> {
        let format =
            PictureFormat { size: set.size, layout: code.layout, color: color_space(set, code.layout) };
        let places = match code.coding {
            // Its rows are in it.
            Coding::Jpeg => Vec::new(),
            _ => places(code, set)?,
        };
        (format.bytes() > 0).then_some(Self { format, coding: code.coding, places })
    }

    /// Bytes that each memory must hold for a whole picture.
    pub(super) fn needed(&self) -> Vec<usize> {
        if self.coding == Coding::Jpeg { vec![jpeg::SHORTEST] } else { needed(&self.places) }
    }

    /// Copies the picture in the memories that `from` gives to `into`. `false` when there is no whole one.
    pub(super) fn unpack<'a>(&self, from: impl Fn(usize) -> &'a [u8], into: &mut Vec<u8>) -> bool {
        into.clear();
        if self.coding == Coding::Jpeg {
            return jpeg::decode(from(0), self.format.size, into);
        }
        for place in &self.places {
            let Some(plane) = from(place.memory).get(place.offset..place.end()) else {
                return false;
            };
            if place.pitch == place.bytes {
                into.extend_from_slice(plane);
            } else {
                plane.chunks(place.pitch).for_each(|row| into.extend_from_slice(&row[..place.bytes]));
            }
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::camera::places::tests::{code, set};

    fn unpacked(name: &[u8; 4], size: (u32, u32), pitches: &[u32], from: &[&[u8]]) -> Option<Vec<u8>> {
        let unpacking = Unpacking::new(&code(name), &set(size, pitches)).expect("rows are long enough");
        let mut into = Vec::new();
        let complete = unpacking.unpack(|memory| from[memory], &mut into);
        assert!(!complete || into.len() == unpacking.format.bytes());
        complete.then_some(into)
    }

    #[test]
    fn padding_at_the_end_of_rows_is_left_out() {
        let from = [1, 2, 3, 4, 0, 0, 5, 6, 7, 8];
        assert_eq!(unpacked(b"YUYV", (2, 2), &[6], &[&from]), Some(vec![1, 2, 3, 4, 5, 6, 7, 8]));
        assert_eq!(unpacked(b"GREY", (1, 2), &[3], &[&[1, 0, 0, 2]]), Some(vec![1, 2]));
        assert_eq!(unpacked(b"BGR3", (1, 2), &[4], &[&[1, 2, 3, 0, 4, 5, 6]]), Some(vec![1, 2, 3, 4, 5, 6]));
    }

    #[test]
    fn each_plane_has_its_own_pitch() {
        let luma = [1, 2, 0, 0, 3, 4, 0, 0];
        let interleaved = [&luma[..], &[5, 6, 0, 0]].concat();
        let whole = Some(vec![1, 2, 3, 4, 5, 6]);
        assert_eq!(unpacked(b"NV12", (2, 2), &[4], &[&interleaved]), whole);
        assert_eq!(unpacked(b"NM12", (2, 2), &[4, 3], &[&luma, &[5, 6]]), whole);
        let planar = [&luma[..], &[5, 0, 6, 0]].concat();
        assert_eq!(unpacked(b"YU12", (2, 2), &[4], &[&planar]), whole);
        assert_eq!(unpacked(b"YM12", (2, 2), &[4, 1, 2], &[&luma, &[5], &[6]]), whole);
    }

    #[test]
    fn bytes_keep_their_order_but_planes_of_chroma_change_places() {
        assert_eq!(unpacked(b"UYVY", (2, 1), &[0], &[&[20, 10, 40, 30]]), Some(vec![20, 10, 40, 30]));
        assert_eq!(
            unpacked(b"NM21", (2, 2), &[0, 0], &[&[1, 2, 3, 4], &[6, 5]]),
            Some(vec![1, 2, 3, 4, 6, 5])
        );
        let i420 = Some(vec![1, 2, 3, 4, 5, 6]);
        assert_eq!(unpacked(b"YV12", (2, 2), &[0], &[&[1, 2, 3, 4, 6, 5]]), i420);
        assert_eq!(unpacked(b"YM21", (2, 2), &[0, 0, 0], &[&[1, 2, 3, 4], &[6], &[5]]), i420);
    }

    #[test]
    fn a_buffer_that_is_too_short_is_no_picture() {
        for length in 0..24 {
            assert_eq!(unpacked(b"NV12", (4, 4), &[4], &[&[0; 24][..length]]), None);
            assert_eq!(unpacked(b"NM12", (4, 4), &[4, 4], &[&[0; 16], &[0; 8][..length / 3]]), None);
        }
        assert_eq!(unpacked(b"YU12", (4, 4), &[4], &[&[7; 24]]), Some(vec![7; 24]));
    }
}
