//! The pixel formats that are understood.

use streamlib_core::picture::{BayerPattern, BayerSamples, PictureLayout};

/// A pixel format of V4L2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PixelCode {
    pub(super) fourcc: [u8; 4],
    /// What a picture of it is.
    pub(super) layout: PictureLayout,
    /// Whether each plane lies in a memory of its own.
    pub(super) apart: bool,
    pub(super) coding: Coding,
}

/// How what the driver delivers differs from the layout.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    /// In nothing.
    Planes,
    /// The last two planes change places.
    ChromaReversed,
    /// It is a JPEG file.
    Jpeg,
}

impl PixelCode {
    const fn new(layout: PictureLayout, fourcc: &[u8; 4], coding: Coding) -> Self {
        Self { fourcc: *fourcc, layout, apart: false, coding }
    }

    /// The same with each plane in a memory of its own.
    const fn apart(layout: PictureLayout, fourcc: &[u8; 4], coding: Coding) -> Self {
        Self { apart: true, ..Self::new(layout, fourcc, coding) }
    }

    pub(super) const fn code(&self) -> u32 {
        u32::from_le_bytes(self.fourcc)
    }

    /// Whether a GPU can read the planes where the driver puts them.
    pub(super) fn lies_as_planes(&self) -> bool {
        self.coding != Coding::Jpeg
    }
}

/// Every one of them, best first: uncompressed, more chroma, fewer planes, fewer bytes. Mosaics come last, since what a sensor
/// gives is dark and tinted before anybody has worked on it.
pub(super) fn codes() -> impl Iterator<Item = PixelCode> {
    let bayer = BAYER.into_iter().flat_map(|(samples, codes)| {
        let of = move |(pattern, code): (BayerPattern, &[u8; 4])| {
            PixelCode::new(PictureLayout::Bayer(pattern, samples), code, Coding::Planes)
        };
        BAYER_ORDER.into_iter().zip(codes).map(of)
    });
    FINISHED.into_iter().chain(bayer)
}

/// Pictures that a camera has finished.
const FINISHED: [PixelCode; 27] = {
    use Coding::{ChromaReversed, Jpeg, Planes};
    use PictureLayout::{
        Bgr8, Bgrx8, Grey8, I420, Nv12, Nv21, Rgb8, Rgba8, Rgbx8, Uyvy, Vyuy, Xbgr8, Xrgb8, Yuyv, Yvyu,
    };
    [
        PixelCode::new(Yuyv, b"YUYV", Planes),
        PixelCode::new(Uyvy, b"UYVY", Planes),
        PixelCode::new(Yvyu, b"YVYU", Planes),
        PixelCode::new(Vyuy, b"VYUY", Planes),
        PixelCode::new(Nv12, b"NV12", Planes),
        PixelCode::apart(Nv12, b"NM12", Planes),
        PixelCode::new(Nv21, b"NV21", Planes),
        PixelCode::apart(Nv21, b"NM21", Planes),
        PixelCode::new(I420, b"YU12", Planes),
        PixelCode::apart(I420, b"YM12", Planes),
        PixelCode::new(I420, b"YV12", ChromaReversed),
        PixelCode::apart(I420, b"YM21", ChromaReversed),
        // A camera has no transparency: what stands in a fourth byte is left out.
        PixelCode::new(Rgb8, b"RGB3", Planes),
        PixelCode::new(Bgr8, b"BGR3", Planes),
        PixelCode::new(Rgbx8, b"XB24", Planes),
        PixelCode::new(Bgrx8, b"XR24", Planes),
        PixelCode::new(Xrgb8, b"BX24", Planes),
        PixelCode::new(Xbgr8, b"RX24", Planes),
        PixelCode::new(Rgbx8, b"AB24", Planes),
        PixelCode::new(Bgrx8, b"AR24", Planes),
        PixelCode::new(Xrgb8, b"BA24", Planes),
        PixelCode::new(Xbgr8, b"RA24", Planes),
        PixelCode::new(Xrgb8, b"RGB4", Planes),
        PixelCode::new(Bgrx8, b"BGR4", Planes),
        PixelCode::new(Rgba8, b"MJPG", Jpeg),
        PixelCode::new(Rgba8, b"JPEG", Jpeg),
        PixelCode::new(Grey8, b"GREY", Planes),
    ]
};

/// In which order the table below has the patterns.
const BAYER_ORDER: [BayerPattern; 4] =
    [BayerPattern::Bggr, BayerPattern::Gbrg, BayerPattern::Grbg, BayerPattern::Rggb];

/// What a sensor gives, which has to be made a picture of.
const BAYER: [(BayerSamples, [&[u8; 4]; 4]); 7] = [
    (BayerSamples::Bits8, [b"BA81", b"GBRG", b"GRBG", b"RGGB"]),
    (BayerSamples::Bits10, [b"BG10", b"GB10", b"BA10", b"RG10"]),
    (BayerSamples::Bits12, [b"BG12", b"GB12", b"BA12", b"RG12"]),
    (BayerSamples::Bits14, [b"BG14", b"GB14", b"GR14", b"RG14"]),
    (BayerSamples::Bits16, [b"BYR2", b"GB16", b"GR16", b"RG16"]),
    (BayerSamples::Packed10, [b"pBAA", b"pGAA", b"pgAA", b"pRAA"]),
    (BayerSamples::Packed12, [b"pBCC", b"pGCC", b"pgCC", b"pRCC"]),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_code_is_listed_twice() {
        let all: std::collections::BTreeSet<_> = codes().map(|code| code.code()).collect();
        assert_eq!(all.len(), codes().count());
    }

    #[test]
    fn every_layout_of_a_mosaic_has_its_code() {
        for layout in PictureLayout::all().filter(|layout| matches!(layout, PictureLayout::Bayer(..))) {
            assert_eq!(codes().filter(|code| code.layout == layout).count(), 1, "{layout:?}");
        }
    }
}
