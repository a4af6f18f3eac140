//! One picture in host memory, on its way between a codec or device and the GPU.

use crate::color::ColorSpace;
use crate::format::{Size, TextureFormat};
use crate::frame::Timestamp;

/// How the planes of a [`Picture`] are laid out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PictureLayout {
    /// 8-bit RGBA, one plane.
    Rgba8,
    /// 8-bit luma, one plane.
    Grey8,
    /// 4:2:0 in three planes: Y, Cb, Cr.
    I420,
    /// 4:2:0 in two planes: Y, interleaved CbCr.
    Nv12,
    /// 4:2:2 packed in one plane as Y0 Cb Y1 Cr; the texel of the plane is that pair of pixels.
    Yuyv,
    /// 4:4:4 in three planes: Y, Cb, Cr.
    I444,
}

impl PictureLayout {
    /// Size and texel format of each plane as a texture.
    ///
    /// `Yuyv` is one [`Rgba8`](TextureFormat::Rgba8) plane of half the width: a texel is (Y0, Cb, Y1, Cr).
    #[must_use]
    pub fn planes(self, size: Size) -> Vec<(Size, TextureFormat)> {
        let (full, half) = (size, size.halved());
        match self {
            Self::Rgba8 => vec![(full, TextureFormat::Rgba8)],
            Self::Grey8 => vec![(full, TextureFormat::R8)],
            Self::I420 => {
                vec![(full, TextureFormat::R8), (half, TextureFormat::R8), (half, TextureFormat::R8)]
            }
            Self::Nv12 => vec![(full, TextureFormat::R8), (half, TextureFormat::Rg8)],
            Self::Yuyv => vec![(Size::new(size.width.div_ceil(2), size.height), TextureFormat::Rgba8)],
            Self::I444 => vec![(full, TextureFormat::R8); 3],
        }
    }

    /// Whether the planes hold YCbCr, to be read with the picture's [`ColorSpace`].
    #[must_use]
    pub const fn is_yuv(self) -> bool {
        !matches!(self, Self::Rgba8)
    }
}

/// What every picture of a stream has in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PictureFormat {
    /// Visible size in pixels.
    pub size: Size,
    /// Plane layout.
    pub layout: PictureLayout,
    /// How YCbCr becomes RGB; of no meaning for RGBA.
    pub color: ColorSpace,
}

impl PictureFormat {
    /// Byte range of each plane inside [`Picture::data`]: planes follow each other, rows are tightly packed.
    #[must_use]
    pub fn plane_ranges(&self) -> Vec<std::ops::Range<usize>> {
        let mut start = 0;
        let planes = self.layout.planes(self.size).into_iter();
        planes
            .map(|(size, format)| {
                let range = start..start + size.pixels() * format.bytes_per_texel();
                start = range.end;
                range
            })
            .collect()
    }

    /// Size of a whole picture in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.plane_ranges().last().map_or(0, |range| range.end)
    }
}

/// One picture in host memory. Planes are tightly packed, one after the other (see [`PictureFormat::plane_ranges`]).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Size, layout and colour.
    pub format: PictureFormat,
    /// Presentation or capture time.
    pub timestamp: Timestamp,
    /// All planes.
    pub data: Vec<u8>,
}
