//! From what the driver delivers to what a [`Picture`](streamlib_core::picture::Picture) holds.

use streamlib_core::picture::PictureFormat;

use super::codes::{Coding, PixelCode, Shuffle};
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
        for (index, place) in self.places.iter().enumerate() {
            let Some(plane) = from(place.memory).get(place.offset..place.end()) else {
                return false;
            };
            let shuffle = match self.coding {
                Coding::Shuffled(shuffle) if shuffle.plane == index => Some(shuffle),
                _ => None,
            };
            if place.pitch == place.bytes {
                unpack_row(plane, shuffle, into);
            } else {
                plane.chunks(place.pitch).for_each(|row| unpack_row(&row[..place.bytes], shuffle, into));
            }
        }
        true
    }
}

fn unpack_row(row: &[u8], shuffle: Option<Shuffle>, into: &mut Vec<u8>) {
    let Some(Shuffle { from, order, .. }) = shuffle else {
        return into.extend_from_slice(row);
    };
    // The lengths are those of the table of codes; known to the compiler, they make a loop without checks.
    match (from, order) {
        (4, &[a, b, c, d]) => shuffle_row::<4, 4>(row, [a, b, c, d], into),
        (3, &[a, b, c, d]) => shuffle_row::<3, 4>(row, [a, b, c, d], into),
        (2, &[a, b]) => shuffle_row::<2, 2>(row, [a, b], into),
        _ => unreachable!("no code is shuffled like that: {shuffle:?}"),
    }
}

fn shuffle_row<const FROM: usize, const TO: usize>(row: &[u8], order: [u8; TO], into: &mut Vec<u8>) {
    let (groups, _) = row.as_chunks::<FROM>();
    let start = into.len();
    into.resize(start + groups.len() * TO, u8::MAX);
    let (texels, _) = into[start..].as_chunks_mut::<TO>();
    for (texel, group) in texels.iter_mut().zip(groups) {
        *texel = order.map(|byte| group.get(usize::from(byte)).copied().unwrap_or(u8::MAX));
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
        assert_eq!(
            unpacked(b"BGR3", (1, 2), &[4], &[&[1, 2, 3, 0, 4, 5, 6]]),
            Some(vec![3, 2, 1, 255, 6, 5, 4, 255])
        );
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
    fn other_orders_of_the_same_bytes_become_the_layout() {
        let yuyv = Some(vec![10, 20, 30, 40]);
        assert_eq!(unpacked(b"UYVY", (2, 1), &[0], &[&[20, 10, 40, 30]]), yuyv);
        assert_eq!(unpacked(b"YVYU", (2, 1), &[0], &[&[10, 40, 30, 20]]), yuyv);
        assert_eq!(unpacked(b"VYUY", (2, 1), &[0], &[&[40, 10, 20, 30]]), yuyv);
        let nv12 = Some(vec![1, 2, 3, 4, 5, 6]);
        assert_eq!(unpacked(b"NV21", (2, 2), &[0], &[&[1, 2, 3, 4, 6, 5]]), nv12);
        assert_eq!(unpacked(b"NM21", (2, 2), &[0, 0], &[&[1, 2, 3, 4], &[6, 5]]), nv12);
        assert_eq!(unpacked(b"YV12", (2, 2), &[0], &[&[1, 2, 3, 4, 6, 5]]), nv12);
        assert_eq!(unpacked(b"YM21", (2, 2), &[0, 0, 0], &[&[1, 2, 3, 4], &[6], &[5]]), nv12);
    }

    #[test]
    fn every_order_of_red_green_blue_becomes_opaque_rgba() {
        for (name, pixel) in [
            (b"RGB3", &[1, 2, 3][..]),
            (b"BGR3", &[3, 2, 1]),
            (b"XB24", &[1, 2, 3, 0]),
            (b"XR24", &[3, 2, 1, 0]),
            (b"BX24", &[0, 1, 2, 3]),
            (b"RX24", &[0, 3, 2, 1]),
            (b"AB24", &[1, 2, 3, 9]),
            (b"AR24", &[3, 2, 1, 9]),
            (b"BA24", &[9, 1, 2, 3]),
            (b"RA24", &[9, 3, 2, 1]),
            (b"RGB4", &[9, 1, 2, 3]),
            (b"BGR4", &[3, 2, 1, 9]),
        ] {
            assert_eq!(unpacked(name, (1, 1), &[0], &[pixel]), Some(vec![1, 2, 3, 255]), "{name:?}");
        }
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
