//! One picture in host memory, on its way between a codec or device and the GPU.

use crate::color::ColorSpace;
use crate::format::{Size, TextureFormat};
use crate::frame::Timestamp;

/// How the planes of a [`Picture`] are laid out. Names give bytes in the order in which they lie in memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum PictureLayout {
    /// 8-bit RGBA, one plane.
    Rgba8,
    /// 8-bit RGB and a byte of no meaning, one plane; opaque. The next three have the same bytes in another order.
    Rgbx8,
    /// As [`Rgbx8`](Self::Rgbx8).
    Bgrx8,
    /// As [`Rgbx8`](Self::Rgbx8).
    Xrgb8,
    /// As [`Rgbx8`](Self::Rgbx8).
    Xbgr8,
    /// 8-bit RGB, three bytes a pixel, one plane.
    Rgb8,
    /// As [`Rgb8`](Self::Rgb8), blue first.
    Bgr8,
    /// 8-bit luma, one plane.
    Grey8,
    /// 4:2:0 in three planes: Y, Cb, Cr.
    I420,
    /// 4:2:0 in two planes: Y, interleaved CbCr.
    Nv12,
    /// 4:2:0 in two planes: Y, interleaved CrCb.
    Nv21,
    /// 4:2:2 packed in one plane as Y0 Cb Y1 Cr; the texel of the plane is that pair of pixels.
    Yuyv,
    /// As [`Yuyv`](Self::Yuyv): Y0 Cr Y1 Cb.
    Yvyu,
    /// As [`Yuyv`](Self::Yuyv): Cb Y0 Cr Y1.
    Uyvy,
    /// As [`Yuyv`](Self::Yuyv): Cr Y0 Cb Y1.
    Vyuy,
    /// 4:4:4 in three planes: Y, Cb, Cr.
    I444,
    /// What an image sensor under a Bayer mosaic gives: one sample a pixel, of one colour, in one plane.
    Bayer(BayerPattern, BayerSamples),
}

/// Where the colours of a Bayer mosaic are: those of its first row from the left, then of its second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BayerPattern {
    /// Red in the first row, first column.
    Rggb,
    /// Blue there.
    Bggr,
    /// Green, and red beside it.
    Grbg,
    /// Green, and blue beside it.
    Gbrg,
}

impl BayerPattern {
    /// Every pattern.
    pub const ALL: [Self; 4] = [Self::Rggb, Self::Bggr, Self::Grbg, Self::Gbrg];

    /// Column and row, 0 or 1, of the red sample in each block of two by two.
    #[must_use]
    pub const fn red(self) -> (u32, u32) {
        match self {
            Self::Rggb => (0, 0),
            Self::Bggr => (1, 1),
            Self::Grbg => (1, 0),
            Self::Gbrg => (0, 1),
        }
    }
}

/// How a sample of a Bayer mosaic is stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum BayerSamples {
    /// A byte.
    Bits8,
    /// The low 10 bits of 16, little endian; so the next three.
    Bits10,
    /// 12 bits.
    Bits12,
    /// 14 bits.
    Bits14,
    /// All of them.
    Bits16,
    /// Four samples in five bytes: the upper 8 bits of each, then the lower 2 of all, those of the first lowest (MIPI RAW10).
    Packed10,
    /// Two samples in three bytes: the upper 8 bits of each, then the lower 4 of both, those of the first lowest (MIPI RAW12).
    Packed12,
}

impl BayerSamples {
    /// Every way.
    pub const ALL: [Self; 7] =
        [Self::Bits8, Self::Bits10, Self::Bits12, Self::Bits14, Self::Bits16, Self::Packed10, Self::Packed12];

    /// Bits of a sample.
    #[must_use]
    pub const fn bits(self) -> u32 {
        match self {
            Self::Bits8 => 8,
            Self::Bits10 | Self::Packed10 => 10,
            Self::Bits12 | Self::Packed12 => 12,
            Self::Bits14 => 14,
            Self::Bits16 => 16,
        }
    }

    /// How many samples share a byte for their lower bits, which comes after their upper bytes; 0 where none do.
    #[must_use]
    pub const fn group(self) -> u32 {
        match self {
            Self::Packed10 => 4,
            Self::Packed12 => 2,
            _ => 0,
        }
    }
}

impl PictureLayout {
    /// Size and texel format of each plane as a texture.
    ///
    /// Packed 4:2:2 is one [`Rgba8`](TextureFormat::Rgba8) plane of half the width: a texel of `Yuyv` is (Y0, Cb, Y1, Cr). Pixels of
    /// three bytes, and samples that share bytes, are one [`R8`](TextureFormat::R8) plane with a texel for each byte; samples of 16 bits
    /// are [`Rg8`](TextureFormat::Rg8): (low byte, high byte).
    #[must_use]
    pub fn planes(self, size: Size) -> Vec<(Size, TextureFormat)> {
        let (full, half) = (size, size.halved());
        let wide = |width| Size::new(width, size.height);
        match self {
            Self::Rgba8 | Self::Rgbx8 | Self::Bgrx8 | Self::Xrgb8 | Self::Xbgr8 => {
                vec![(full, TextureFormat::Rgba8)]
            }
            Self::Rgb8 | Self::Bgr8 => vec![(wide(size.width.saturating_mul(3)), TextureFormat::R8)],
            Self::Grey8 => vec![(full, TextureFormat::R8)],
            Self::I420 => {
                vec![(full, TextureFormat::R8), (half, TextureFormat::R8), (half, TextureFormat::R8)]
            }
            Self::Nv12 | Self::Nv21 => vec![(full, TextureFormat::R8), (half, TextureFormat::Rg8)],
            Self::Yuyv | Self::Yvyu | Self::Uyvy | Self::Vyuy => {
                vec![(wide(size.width.div_ceil(2)), TextureFormat::Rgba8)]
            }
            Self::I444 => vec![(full, TextureFormat::R8); 3],
            Self::Bayer(_, samples) => match samples.group() {
                0 if samples == BayerSamples::Bits8 => vec![(full, TextureFormat::R8)],
                0 => vec![(full, TextureFormat::Rg8)],
                group => {
                    let bytes = size.width.div_ceil(group).saturating_mul(group + 1);
                    vec![(wide(bytes), TextureFormat::R8)]
                }
            },
        }
    }

    /// Every layout.
    pub fn all() -> impl Iterator<Item = Self> {
        let plain = [
            Self::Rgba8,
            Self::Rgbx8,
            Self::Bgrx8,
            Self::Xrgb8,
            Self::Xbgr8,
            Self::Rgb8,
            Self::Bgr8,
            Self::Grey8,
            Self::I420,
            Self::Nv12,
            Self::Nv21,
            Self::Yuyv,
            Self::Yvyu,
            Self::Uyvy,
            Self::Vyuy,
            Self::I444,
        ];
        let bayer = BayerPattern::ALL
            .into_iter()
            .flat_map(|pattern| BayerSamples::ALL.map(|samples| Self::Bayer(pattern, samples)));
        plain.into_iter().chain(bayer)
    }

    /// Whether the planes hold YCbCr, to be read with the picture's [`ColorSpace`].
    #[must_use]
    pub const fn is_yuv(self) -> bool {
        match self {
            Self::Grey8
            | Self::I420
            | Self::Nv12
            | Self::Nv21
            | Self::Yuyv
            | Self::Yvyu
            | Self::Uyvy
            | Self::Vyuy
            | Self::I444 => true,
            Self::Rgba8
            | Self::Rgbx8
            | Self::Bgrx8
            | Self::Xrgb8
            | Self::Xbgr8
            | Self::Rgb8
            | Self::Bgr8
            | Self::Bayer(..) => false,
        }
    }
}

/// What every picture of a stream has in common.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct PictureFormat {
    /// Visible size in pixels.
    pub size: Size,
    /// Plane layout.
    pub layout: PictureLayout,
    /// How YCbCr becomes RGB; of no meaning for other layouts.
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
