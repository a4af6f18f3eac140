//! From what the driver delivers to what a [`Picture`](streamlib_core::picture::Picture) holds.

use streamlib_core::color::{ColorSpace, YuvMatrix, YuvRange};
use streamlib_core::format::Size;
use streamlib_core::picture::{PictureFormat, PictureLayout};

use crate::sys::abi::{self, PixFormat};

/// The layouts that are understood, best first: more chroma, then fewer planes.
pub(super) const LAYOUTS: [(PictureLayout, [u8; 4]); 4] = [
    (PictureLayout::Yuyv, *b"YUYV"),
    (PictureLayout::Nv12, *b"NV12"),
    (PictureLayout::I420, *b"YU12"),
    (PictureLayout::Grey8, *b"GREY"),
];

/// How the rows of one plane lie in the driver's buffer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct PlaneRows {
    rows: usize,
    /// Bytes of picture in a row.
    bytes: usize,
    /// Bytes from the beginning of a row to that of the next.
    stride: usize,
}

/// Turns the driver's buffers into tightly packed pictures.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Unpacking {
    pub(super) format: PictureFormat,
    planes: Vec<PlaneRows>,
}

impl Unpacking {
    /// For the format that the driver has set; `None` when its rows are shorter than a picture's.
    pub(super) fn new(pix: &PixFormat, layout: PictureLayout) -> Option<Self> {
        let size = Size::new(pix.width, pix.height);
        let format = PictureFormat { size, layout, color: color_space(pix, layout) };
        let mut planes = Vec::new();
        for (index, (size, texel)) in layout.planes(size).into_iter().enumerate() {
            let bytes = size.width as usize * texel.bytes_per_texel();
            // The header speaks of the first plane only: each chroma plane of I420 has half its stride.
            let halves = layout == PictureLayout::I420 && index > 0;
            let stride = pix.bytes_per_line.div_ceil(if halves { 2 } else { 1 }) as usize;
            // Zero is what drivers of old say for "no padding".
            let stride = if stride == 0 { bytes } else { stride };
            planes.push(PlaneRows { rows: size.height as usize, bytes, stride });
        }
        let sound =
            planes.iter().all(|plane| plane.stride >= plane.bytes && plane.rows > 0 && plane.bytes > 0);
        sound.then_some(Self { format, planes })
    }

    /// Copies the picture in `from` to `into`, row by row where rows are padded. `false` when `from` is too short.
    pub(super) fn unpack(&self, mut from: &[u8], into: &mut Vec<u8>) -> bool {
        into.clear();
        for plane in &self.planes {
            // The last row need not be padded.
            let needed = plane.stride * (plane.rows - 1) + plane.bytes;
            if from.len() < needed {
                return false;
            }
            if plane.stride == plane.bytes {
                into.extend_from_slice(&from[..needed]);
            } else {
                from.chunks(plane.stride)
                    .take(plane.rows)
                    .for_each(|row| into.extend_from_slice(&row[..plane.bytes]));
            }
            from = &from[from.len().min(plane.stride * plane.rows)..];
        }
        true
    }
}

/// What the driver says of its colours. Source: the mapping of defaults in the kernel's `videodev2.h`;
/// for pictures of luma alone, which it does not speak of, the kernel's test pattern generator: full range.
fn color_space(pix: &PixFormat, layout: PictureLayout) -> ColorSpace {
    let matrix = match (pix.ycbcr_encoding, pix.colorspace) {
        (abi::YCBCR_709 | abi::YCBCR_XV709, _)
        | (abi::YCBCR_DEFAULT, abi::COLORSPACE_REC709 | abi::COLORSPACE_DCI_P3) => YuvMatrix::Bt709,
        _ => YuvMatrix::Bt601,
    };
    let range = match (pix.quantization, pix.colorspace) {
        (abi::QUANTIZATION_FULL, _) => YuvRange::Full,
        (abi::QUANTIZATION_LIMITED, _) => YuvRange::Limited,
        (_, abi::COLORSPACE_JPEG) => YuvRange::Full,
        _ if layout == PictureLayout::Grey8 => YuvRange::Full,
        _ => YuvRange::Limited,
    };
    ColorSpace { matrix, range }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sys::abi::Plain as _;

    fn pix(size: (u32, u32), bytes_per_line: u32) -> PixFormat {
        let zeroed = abi::Format::zeroed().pix;
        PixFormat { width: size.0, height: size.1, bytes_per_line, ..zeroed }
    }

    fn unpacked(layout: PictureLayout, pix: &PixFormat, from: &[u8]) -> Option<Vec<u8>> {
        let unpacking = Unpacking::new(pix, layout).expect("rows are long enough");
        let mut into = Vec::new();
        let complete = unpacking.unpack(from, &mut into);
        assert!(!complete || into.len() == unpacking.format.bytes());
        complete.then_some(into)
    }

    #[test]
    fn padding_at_the_end_of_rows_is_left_out() {
        let from = [1, 2, 3, 4, 0, 0, 5, 6, 7, 8];
        assert_eq!(unpacked(PictureLayout::Yuyv, &pix((2, 2), 6), &from), Some(vec![1, 2, 3, 4, 5, 6, 7, 8]));
        assert_eq!(unpacked(PictureLayout::Grey8, &pix((1, 2), 3), &[1, 0, 0, 2]), Some(vec![1, 2]));
    }

    #[test]
    fn each_plane_has_its_own_stride() {
        let luma = [1, 2, 0, 0, 3, 4, 0, 0];
        let interleaved = [&luma[..], &[5, 6, 0, 0]].concat();
        assert_eq!(
            unpacked(PictureLayout::Nv12, &pix((2, 2), 4), &interleaved),
            Some(vec![1, 2, 3, 4, 5, 6])
        );
        let planar = [&luma[..], &[5, 0, 6, 0]].concat();
        assert_eq!(unpacked(PictureLayout::I420, &pix((2, 2), 4), &planar), Some(vec![1, 2, 3, 4, 5, 6]));
    }

    #[test]
    fn rows_without_padding_are_taken_as_they_are() {
        let from: Vec<u8> = (0..24).collect();
        assert_eq!(unpacked(PictureLayout::I420, &pix((4, 4), 4), &from), Some(from.clone()));
        assert_eq!(unpacked(PictureLayout::I420, &pix((4, 4), 0), &from), Some(from.clone()));
    }

    #[test]
    fn a_buffer_that_is_too_short_is_no_picture() {
        for length in 0..24 {
            assert_eq!(unpacked(PictureLayout::Nv12, &pix((4, 4), 4), &[0; 24][..length]), None);
        }
    }

    #[test]
    fn rows_shorter_than_the_picture_are_refused() {
        assert_eq!(Unpacking::new(&pix((4, 4), 7), PictureLayout::Yuyv), None);
        assert_eq!(Unpacking::new(&pix((0, 4), 8), PictureLayout::Yuyv), None);
        assert_eq!(Unpacking::new(&pix((4, 0), 8), PictureLayout::Yuyv), None);
    }

    #[test]
    fn colours_follow_what_the_driver_says_and_the_defaults_of_the_header() {
        let space = |colorspace, ycbcr_encoding, quantization| {
            let pix = PixFormat { colorspace, ycbcr_encoding, quantization, ..pix((2, 2), 0) };
            color_space(&pix, PictureLayout::Yuyv)
        };
        let of = |matrix, range| ColorSpace { matrix, range };
        assert_eq!(space(8, 0, 0), of(YuvMatrix::Bt601, YuvRange::Limited), "sRGB camera");
        assert_eq!(space(7, 0, 0), of(YuvMatrix::Bt601, YuvRange::Full), "JPEG");
        assert_eq!(space(3, 0, 0), of(YuvMatrix::Bt709, YuvRange::Limited), "Rec. 709");
        assert_eq!(space(3, 1, 1), of(YuvMatrix::Bt601, YuvRange::Full), "said outright");
        assert_eq!(space(7, 2, 2), of(YuvMatrix::Bt709, YuvRange::Limited), "said outright");
        let grey = color_space(&pix((2, 2), 0), PictureLayout::Grey8);
        assert_eq!(grey.range, YuvRange::Full, "luma alone");
    }
}
