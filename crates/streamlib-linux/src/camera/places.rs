//! Where the planes of a picture lie in what the driver delivers.

use streamlib_core::format::Size;

use super::codes::{Coding, PixelCode};
use crate::sys::abi::PixFormat;
use crate::sys::abi::planes::PixFormatPlanes;

/// A format that the driver has set, of either interface.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SetFormat {
    pub(super) fourcc: u32,
    pub(super) size: Size,
    pub(super) field: u32,
    pub(super) colorspace: u32,
    pub(super) ycbcr_encoding: u32,
    pub(super) quantization: u32,
    /// Of each memory, bytes from one row to the next; of memories with several planes, in the first.
    pub(super) pitches: Vec<u32>,
    /// Of each memory, how many bytes it has to have.
    pub(super) bytes: Vec<u32>,
}

impl From<&PixFormat> for SetFormat {
    fn from(pix: &PixFormat) -> Self {
        Self {
            fourcc: pix.fourcc,
            size: Size::new(pix.width, pix.height),
            field: pix.field,
            colorspace: pix.colorspace,
            ycbcr_encoding: pix.ycbcr_encoding,
            quantization: pix.quantization,
            pitches: vec![pix.bytes_per_line],
            bytes: vec![pix.size_image],
        }
    }
}

impl From<&PixFormatPlanes> for SetFormat {
    fn from(pix: &PixFormatPlanes) -> Self {
        let planes = pix.planes;
        let planes = || planes.iter().take(pix.plane_count.into());
        Self {
            fourcc: pix.fourcc,
            size: Size::new(pix.width, pix.height),
            field: pix.field,
            colorspace: pix.colorspace,
            ycbcr_encoding: pix.ycbcr_encoding.into(),
            quantization: pix.quantization.into(),
            pitches: planes().map(|plane| plane.bytes_per_line).collect(),
            bytes: planes().map(|plane| plane.size_image).collect(),
        }
    }
}

/// Where a plane lies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// Which memory of the buffer.
    pub(super) memory: usize,
    /// Bytes from the beginning of that memory.
    pub(super) offset: usize,
    /// Bytes from the beginning of a row to that of the next.
    pub(super) pitch: usize,
    pub(super) rows: usize,
    /// Bytes of picture in a row.
    pub(super) bytes: usize,
}

impl Place {
    /// Where the plane ends in its memory. The last row need not be padded.
    pub(super) const fn end(&self) -> usize {
        self.offset + self.pitch * (self.rows - 1) + self.bytes
    }
}

/// The places of the planes of `code`, in the order of its layout; `None` when the driver's rows are shorter than a
/// picture's, or it has fewer memories than the code needs.
pub(super) fn places(code: &PixelCode, set: &SetFormat) -> Option<Vec<Place>> {
    let mut places = Vec::new();
    let mut offset = 0;
    for (index, (size, texel)) in code.layout.planes(set.size).into_iter().enumerate() {
        let texel = texel.bytes_per_texel();
        let (bytes, rows) = (size.width as usize * texel, size.height as usize);
        let memory = if code.apart { index } else { 0 };
        let said = *set.pitches.get(memory)? as usize;
        // V4L2 speaks of the first plane of a memory: chroma in planes of half the width has half its pitch.
        let halves = !code.apart && index > 0 && texel == 1 && size.width < set.size.width;
        // Zero is what drivers of old say for "no padding".
        let pitch = if said == 0 { bytes } else { said.div_ceil(if halves { 2 } else { 1 }) };
        if rows == 0 || bytes == 0 || pitch < bytes {
            return None;
        }
        places.push(Place { memory, offset: if code.apart { 0 } else { offset }, pitch, rows, bytes });
        offset += pitch * rows;
    }
    if code.coding == Coding::ChromaReversed {
        places.swap(1, 2);
    }
    Some(places)
}

/// Bytes that each memory must hold for a whole picture.
pub(super) fn needed(places: &[Place]) -> Vec<usize> {
    let memories = places.iter().map(|place| place.memory + 1).max().unwrap_or(0);
    let end = |memory| {
        places.iter().filter(|place| place.memory == memory).map(Place::end).max().unwrap_or_default()
    };
    (0..memories).map(end).collect()
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::camera::codes::codes;

    pub(in crate::camera) fn code(name: &[u8; 4]) -> PixelCode {
        codes().find(|code| code.fourcc == *name).expect("the code is listed")
    }

    pub(in crate::camera) fn set(size: (u32, u32), pitches: &[u32]) -> SetFormat {
        SetFormat {
            fourcc: 0,
            size: Size::new(size.0, size.1),
            field: 1,
            colorspace: 0,
            ycbcr_encoding: 0,
            quantization: 0,
            pitches: pitches.to_vec(),
            bytes: vec![0; pitches.len()],
        }
    }

    fn found(name: &[u8; 4], size: (u32, u32), pitches: &[u32]) -> Option<Vec<(usize, usize, usize)>> {
        let places = places(&code(name), &set(size, pitches))?;
        Some(places.iter().map(|place| (place.memory, place.offset, place.pitch)).collect())
    }

    #[test]
    fn planes_of_one_memory_follow_each_other() {
        assert_eq!(found(b"NV12", (4, 4), &[6]), Some(vec![(0, 0, 6), (0, 24, 6)]));
        assert_eq!(found(b"YU12", (4, 4), &[6]), Some(vec![(0, 0, 6), (0, 24, 3), (0, 30, 3)]));
        assert_eq!(found(b"YU12", (5, 3), &[0]), Some(vec![(0, 0, 5), (0, 15, 3), (0, 21, 3)]));
    }

    #[test]
    fn planes_apart_have_a_pitch_of_their_own_each() {
        assert_eq!(found(b"NM12", (4, 4), &[6, 8]), Some(vec![(0, 0, 6), (1, 0, 8)]));
        assert_eq!(found(b"YM21", (4, 4), &[4, 2, 3]), Some(vec![(0, 0, 4), (2, 0, 3), (1, 0, 2)]));
    }

    #[test]
    fn reversed_chroma_is_found_in_the_other_plane() {
        assert_eq!(found(b"YV12", (4, 4), &[4]), Some(vec![(0, 0, 4), (0, 20, 2), (0, 16, 2)]));
    }

    #[test]
    fn a_memory_must_hold_all_but_the_last_padding() {
        let of = |name, pitches: &[u32]| needed(&places(&code(name), &set((4, 4), pitches)).unwrap());
        assert_eq!(of(b"NV12", &[6]), [24 + 6 + 4]);
        assert_eq!(of(b"NM12", &[6, 6]), [18 + 4, 6 + 4]);
        assert_eq!(of(b"RGB3", &[16]), [48 + 12]);
        assert_eq!(of(b"RG10", &[16]), [48 + 8], "two bytes a sample");
        assert_eq!(of(b"pRAA", &[16]), [48 + 5], "four samples in five bytes");
        assert_eq!(of(b"pRCC", &[16]), [48 + 6], "two samples in three");
    }

    #[test]
    fn rows_that_are_too_short_and_memories_that_are_missing_are_refused() {
        assert_eq!(found(b"YUYV", (4, 4), &[7]), None);
        assert_eq!(found(b"YUYV", (0, 4), &[8]), None);
        assert_eq!(found(b"YUYV", (4, 0), &[8]), None);
        assert_eq!(found(b"NM12", (4, 4), &[4]), None);
        assert_eq!(found(b"RGB3", (4, 4), &[11]), None);
    }
}
