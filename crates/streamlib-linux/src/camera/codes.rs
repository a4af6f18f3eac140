//! The pixel formats that are understood.

use streamlib_core::picture::PictureLayout;

/// A byte of a shuffled group that the driver delivers nothing for: opaque.
pub(super) const OPAQUE: u8 = u8::MAX;

/// A pixel format of V4L2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct PixelCode {
    pub(super) fourcc: [u8; 4],
    /// What a picture of it becomes.
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
    /// Bytes have another order.
    Shuffled(Shuffle),
    /// It is a JPEG file.
    Jpeg,
}

/// Which bytes of a group become which of a texel.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Shuffle {
    /// The plane that is shuffled; the others are as they should be.
    pub(super) plane: usize,
    /// Bytes that the driver delivers for a texel.
    pub(super) from: usize,
    /// For each byte of the texel, which byte of the group it is, or [`OPAQUE`].
    pub(super) order: &'static [u8],
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
    pub(super) const fn lies_as_planes(&self) -> bool {
        matches!(self.coding, Coding::Planes | Coding::ChromaReversed)
    }
}

const fn shuffled(plane: usize, from: usize, order: &'static [u8]) -> Coding {
    Coding::Shuffled(Shuffle { plane, from, order })
}

/// RGB in groups of `from` bytes. A camera has no transparency: what stands in a fourth byte is left out.
const fn rgb(fourcc: &[u8; 4], from: usize, order: &'static [u8]) -> PixelCode {
    PixelCode::new(PictureLayout::Rgba8, fourcc, shuffled(0, from, order))
}

/// Best first: uncompressed, more chroma, fewer planes, fewer bytes.
pub(super) const CODES: [PixelCode; 27] = {
    use Coding::{ChromaReversed, Jpeg, Planes};
    use PictureLayout::{Grey8, I420, Nv12, Rgba8, Yuyv};
    [
        PixelCode::new(Yuyv, b"YUYV", Planes),
        PixelCode::new(Yuyv, b"UYVY", shuffled(0, 4, &[1, 0, 3, 2])),
        PixelCode::new(Yuyv, b"YVYU", shuffled(0, 4, &[0, 3, 2, 1])),
        PixelCode::new(Yuyv, b"VYUY", shuffled(0, 4, &[1, 2, 3, 0])),
        PixelCode::new(Nv12, b"NV12", Planes),
        PixelCode::apart(Nv12, b"NM12", Planes),
        PixelCode::new(Nv12, b"NV21", shuffled(1, 2, &[1, 0])),
        PixelCode::apart(Nv12, b"NM21", shuffled(1, 2, &[1, 0])),
        PixelCode::new(I420, b"YU12", Planes),
        PixelCode::apart(I420, b"YM12", Planes),
        PixelCode::new(I420, b"YV12", ChromaReversed),
        PixelCode::apart(I420, b"YM21", ChromaReversed),
        rgb(b"RGB3", 3, &[0, 1, 2, OPAQUE]),
        rgb(b"BGR3", 3, &[2, 1, 0, OPAQUE]),
        rgb(b"XB24", 4, &[0, 1, 2, OPAQUE]),
        rgb(b"XR24", 4, &[2, 1, 0, OPAQUE]),
        rgb(b"BX24", 4, &[1, 2, 3, OPAQUE]),
        rgb(b"RX24", 4, &[3, 2, 1, OPAQUE]),
        rgb(b"AB24", 4, &[0, 1, 2, OPAQUE]),
        rgb(b"AR24", 4, &[2, 1, 0, OPAQUE]),
        rgb(b"BA24", 4, &[1, 2, 3, OPAQUE]),
        rgb(b"RA24", 4, &[3, 2, 1, OPAQUE]),
        rgb(b"RGB4", 4, &[1, 2, 3, OPAQUE]),
        rgb(b"BGR4", 4, &[2, 1, 0, OPAQUE]),
        PixelCode::new(Rgba8, b"MJPG", Jpeg),
        PixelCode::new(Rgba8, b"JPEG", Jpeg),
        PixelCode::new(Grey8, b"GREY", Planes),
    ]
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_order_names_bytes_of_its_group() {
        for code in CODES {
            if let Coding::Shuffled(Shuffle { plane, from, order }) = code.coding {
                let planes = code.layout.planes(streamlib_core::format::Size::new(4, 4));
                assert_eq!(planes[plane].1.bytes_per_texel(), order.len(), "{code:?}");
                assert!(order.iter().all(|byte| *byte == OPAQUE || usize::from(*byte) < from), "{code:?}");
            }
        }
    }

    #[test]
    fn no_code_is_listed_twice() {
        let codes: std::collections::BTreeSet<_> = CODES.iter().map(PixelCode::code).collect();
        assert_eq!(codes.len(), CODES.len());
    }
}
