//! Texel formats of textures.

use serde::{Deserialize, Serialize};

/// How a texture stores one texel.
///
/// The `Srgb` formats hold sRGB-encoded bytes: a kernel reads linear light from them and writes linear light to them.
/// Every other format is read and written as stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum TextureFormat {
    /// 8-bit red, green, blue, alpha, each 0..=1.
    Rgba8,
    /// As [`Rgba8`](Self::Rgba8), sRGB-encoded.
    Rgba8Srgb,
    /// 8-bit blue, green, red, alpha in memory; a kernel sees red, green, blue, alpha.
    Bgra8,
    /// As [`Bgra8`](Self::Bgra8), sRGB-encoded.
    Bgra8Srgb,
    /// IEEE half floats, not clamped.
    Rgba16Float,
    /// One 8-bit channel, 0..=1: a luma or chroma plane, a mask.
    R8,
    /// Two 8-bit channels, 0..=1: the interleaved chroma plane of NV12.
    Rg8,
}

impl TextureFormat {
    /// Every format, for tests and capability listings.
    pub const ALL: [Self; 7] =
        [Self::Rgba8, Self::Rgba8Srgb, Self::Bgra8, Self::Bgra8Srgb, Self::Rgba16Float, Self::R8, Self::Rg8];

    /// Size of one texel in bytes.
    #[must_use]
    pub const fn bytes_per_texel(self) -> usize {
        match self {
            Self::R8 => 1,
            Self::Rg8 => 2,
            Self::Rgba8 | Self::Rgba8Srgb | Self::Bgra8 | Self::Bgra8Srgb => 4,
            Self::Rgba16Float => 8,
        }
    }

    /// Whether stored bytes are sRGB-encoded.
    #[must_use]
    pub const fn is_srgb(self) -> bool {
        matches!(self, Self::Rgba8Srgb | Self::Bgra8Srgb)
    }

    /// Name as written in graph files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rgba8 => "rgba8",
            Self::Rgba8Srgb => "rgba8srgb",
            Self::Bgra8 => "bgra8",
            Self::Bgra8Srgb => "bgra8srgb",
            Self::Rgba16Float => "rgba16float",
            Self::R8 => "r8",
            Self::Rg8 => "rg8",
        }
    }
}

/// Width and height in pixels.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "(u32, u32)", into = "(u32, u32)")]
pub struct Size {
    /// Pixels per row.
    pub width: u32,
    /// Rows.
    pub height: u32,
}

impl Size {
    /// A size of `width` × `height` pixels.
    #[must_use]
    pub const fn new(width: u32, height: u32) -> Self {
        Self { width, height }
    }

    /// Number of pixels.
    #[must_use]
    pub const fn pixels(self) -> usize {
        self.width as usize * self.height as usize
    }

    /// Half in both directions, rounded up: the size of a 4:2:0 chroma plane.
    #[must_use]
    pub const fn halved(self) -> Self {
        Self::new(self.width.div_ceil(2), self.height.div_ceil(2))
    }
}

impl From<(u32, u32)> for Size {
    fn from((width, height): (u32, u32)) -> Self {
        Self { width, height }
    }
}

impl From<Size> for (u32, u32) {
    fn from(size: Size) -> Self {
        (size.width, size.height)
    }
}

impl std::fmt::Display for Size {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}
