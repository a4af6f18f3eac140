//! What colours the driver says that its pictures have.

use streamlib_core::color::{ColorSpace, YuvMatrix, YuvRange};
use streamlib_core::picture::PictureLayout;

use super::places::SetFormat;
use crate::sys::abi;

/// What the driver says of its colours. Source: the mapping of defaults in the kernel's `videodev2.h`;
/// for pictures of luma alone, which it does not speak of, the kernel's test pattern generator: full range.
pub(super) fn color_space(set: &SetFormat, layout: PictureLayout) -> ColorSpace {
    let matrix = match (set.ycbcr_encoding, set.colorspace) {
        (abi::YCBCR_709 | abi::YCBCR_XV709, _)
        | (abi::YCBCR_DEFAULT, abi::COLORSPACE_REC709 | abi::COLORSPACE_DCI_P3) => YuvMatrix::Bt709,
        _ => YuvMatrix::Bt601,
    };
    let range = match (set.quantization, set.colorspace) {
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
    use crate::camera::places::tests::set;

    #[test]
    fn colours_follow_what_the_driver_says_and_the_defaults_of_the_header() {
        let space = |colorspace, ycbcr_encoding, quantization| {
            let set = SetFormat { colorspace, ycbcr_encoding, quantization, ..set((2, 2), &[0]) };
            color_space(&set, PictureLayout::Yuyv)
        };
        let of = |matrix, range| ColorSpace { matrix, range };
        assert_eq!(space(8, 0, 0), of(YuvMatrix::Bt601, YuvRange::Limited), "sRGB camera");
        assert_eq!(space(7, 0, 0), of(YuvMatrix::Bt601, YuvRange::Full), "JPEG");
        assert_eq!(space(3, 0, 0), of(YuvMatrix::Bt709, YuvRange::Limited), "Rec. 709");
        assert_eq!(space(3, 1, 1), of(YuvMatrix::Bt601, YuvRange::Full), "said outright");
        assert_eq!(space(7, 2, 2), of(YuvMatrix::Bt709, YuvRange::Limited), "said outright");
        let grey = color_space(&set((2, 2), &[0]), PictureLayout::Grey8);
        assert_eq!(grey.range, YuvRange::Full, "luma alone");
    }
}
