//! The kernels between decoded pictures and RGBA textures: HLSL sources, and what to bind and set.
//!
//! Chroma samples of limited-range video are taken to lie on the left luma sample of their pair, between two rows, as
//! H.264 has it unless a stream says otherwise; those of full-range video to lie between all four, as JPEG has it.
//! Interpolation is bilinear. RGB is clamped to 0..=1, so what is outside after an effect, or in the blacker-than-black
//! and whiter-than-white codes of a source, is lost. [`cpu`] does the same in `f64`, as the reference for tests.

pub mod cpu;

use streamlib_core::color::{ColorSpace, YuvRange};
use streamlib_core::picture::PictureLayout;
use streamlib_core::value::Value;

/// Which way a conversion goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From planes to one RGBA texture, called `output`.
    ToRgba,
    /// From one RGBA texture, called `input`, to planes.
    FromRgba,
}

/// A kernel between the planes of one layout and an RGBA texture, in compute form.
#[derive(Debug)]
pub struct Conversion {
    /// Its name, such as `i420_to_rgba`.
    pub name: &'static str,
    /// Its source.
    pub hlsl: &'static str,
    /// Layout of the pictures.
    pub layout: PictureLayout,
    /// Which way it goes.
    pub direction: Direction,
    /// Names of the textures that hold the planes, in plane order: inputs or outputs by [`direction`](Self::direction).
    pub planes: &'static [&'static str],
    /// Whether it has to know where chroma samples lie.
    is_subsampled: bool,
}

macro_rules! hlsl {
    ($name:literal) => {
        include_str!(concat!($name, ".hlsl"))
    };
}

/// Every conversion.
pub static ALL: [Conversion; 7] = [
    Conversion {
        name: "i420_to_rgba",
        hlsl: hlsl!("i420_to_rgba"),
        layout: PictureLayout::I420,
        direction: Direction::ToRgba,
        planes: &["y", "u", "v"],
        is_subsampled: true,
    },
    Conversion {
        name: "nv12_to_rgba",
        hlsl: hlsl!("nv12_to_rgba"),
        layout: PictureLayout::Nv12,
        direction: Direction::ToRgba,
        planes: &["y", "uv"],
        is_subsampled: true,
    },
    Conversion {
        name: "yuyv_to_rgba",
        hlsl: hlsl!("yuyv_to_rgba"),
        layout: PictureLayout::Yuyv,
        direction: Direction::ToRgba,
        planes: &["yuyv"],
        is_subsampled: true,
    },
    Conversion {
        name: "i444_to_rgba",
        hlsl: hlsl!("i444_to_rgba"),
        layout: PictureLayout::I444,
        direction: Direction::ToRgba,
        planes: &["y", "u", "v"],
        is_subsampled: false,
    },
    Conversion {
        name: "grey_to_rgba",
        hlsl: hlsl!("grey_to_rgba"),
        layout: PictureLayout::Grey8,
        direction: Direction::ToRgba,
        planes: &["y"],
        is_subsampled: false,
    },
    Conversion {
        name: "rgba_to_i420",
        hlsl: hlsl!("rgba_to_i420"),
        layout: PictureLayout::I420,
        direction: Direction::FromRgba,
        planes: &["y", "u", "v"],
        is_subsampled: true,
    },
    Conversion {
        name: "rgba_to_nv12",
        hlsl: hlsl!("rgba_to_nv12"),
        layout: PictureLayout::Nv12,
        direction: Direction::FromRgba,
        planes: &["y", "uv"],
        is_subsampled: true,
    },
];

/// The conversion of pictures of `layout` to RGBA; `None` for RGBA itself.
#[must_use]
pub fn to_rgba(layout: PictureLayout) -> Option<&'static Conversion> {
    find(layout, Direction::ToRgba)
}

/// The conversion from RGBA to pictures of `layout`: I420 and NV12, the layouts that encoders take.
#[must_use]
pub fn from_rgba(layout: PictureLayout) -> Option<&'static Conversion> {
    find(layout, Direction::FromRgba)
}

fn find(layout: PictureLayout, direction: Direction) -> Option<&'static Conversion> {
    ALL.iter().find(|conversion| conversion.layout == layout && conversion.direction == direction)
}

impl Conversion {
    /// The values of its parameters, by name, for pictures of that colour space.
    #[must_use]
    pub fn parameters(&self, color: ColorSpace) -> Vec<(String, Value)> {
        let map = match self.direction {
            Direction::ToRgba => color.rgb_from_yuv(),
            Direction::FromRgba => color.yuv_from_rgb(),
        };
        let rows = map.rows.iter().zip(map.offset).enumerate();
        let mut parameters: Vec<(String, Value)> = rows
            .map(|(index, (weights, offset))| {
                let numbers = weights.iter().copied().chain([offset]).map(Value::Float);
                (format!("row{index}"), Value::List(numbers.collect()))
            })
            .collect();
        if self.is_subsampled {
            parameters.push(("chroma_shift".to_owned(), Value::Float(chroma_shift(color))));
        }
        parameters
    }
}

/// How far chroma samples lie right of the left luma sample of their pair, in widths of a chroma sample.
pub(crate) const fn chroma_shift(color: ColorSpace) -> f64 {
    match color.range {
        YuvRange::Limited => 0.0,
        YuvRange::Full => 0.25,
    }
}
