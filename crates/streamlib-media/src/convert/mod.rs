//! The kernels between decoded pictures and RGBA textures: HLSL sources, and what to bind and set.
//!
//! Chroma samples of limited-range video are taken to lie on the left luma sample of their pair, between two rows, as
//! H.264 has it unless a stream says otherwise; those of full-range video to lie between all four, as JPEG has it.
//! Interpolation is bilinear. RGB is clamped to 0..=1, so what is outside after an effect, or in the blacker-than-black
//! and whiter-than-white codes of a source, is lost.
//!
//! Bayer mosaics are interpolated by the linear filters of Malvar, He and Cutler ("High-quality linear interpolation for
//! demosaicing of Bayer-patterned color images", ICASSP 2004), over a border that is mirrored about the outermost samples. What
//! a sensor's numbers mean is left to effects: nothing is taken off for black, colours are not balanced, and neither a matrix nor
//! a curve is applied; the largest number that a sample can hold becomes 1.
//!
//! [`cpu`] does the same in `f64`, as the reference for tests.

pub mod cpu;
mod parameters;

use streamlib_core::color::{ColorSpace, YuvRange};
use streamlib_core::picture::PictureLayout;

/// Which way a conversion goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From planes to one RGBA texture, called `output`.
    ToRgba,
    /// From one RGBA texture, called `input`, to planes.
    FromRgba,
}

/// A kernel between the planes of pictures and an RGBA texture, in compute form. Layouts that differ in the order of bytes share
/// one, and differ in its parameters.
#[derive(Debug)]
pub struct Conversion {
    /// Its name, such as `i420_to_rgba`.
    pub name: &'static str,
    /// Its source.
    pub hlsl: &'static str,
    /// Which way it goes.
    pub direction: Direction,
    /// Names of the textures that hold the planes, in plane order: inputs or outputs by [`direction`](Self::direction).
    pub planes: &'static [&'static str],
}

/// The table of conversions, each with its file beside this one.
macro_rules! conversions {
    ($($name:ident $direction:ident $planes:expr;)*) => {
        /// Every conversion.
        pub static ALL: [Conversion; [$(stringify!($name)),*].len()] = [$(Conversion {
            name: stringify!($name),
            hlsl: include_str!(concat!(stringify!($name), ".hlsl")),
            direction: Direction::$direction,
            planes: &$planes,
        }),*];
    };
}

conversions! {
    i420_to_rgba ToRgba ["y", "u", "v"];
    nv12_to_rgba ToRgba ["y", "uv"];
    yuyv_to_rgba ToRgba ["yuyv"];
    i444_to_rgba ToRgba ["y", "u", "v"];
    grey_to_rgba ToRgba ["y"];
    rgb32_to_rgba ToRgba ["rgb"];
    rgb24_to_rgba ToRgba ["rgb"];
    bayer_to_rgba ToRgba ["raw"];
    rgba_to_i420 FromRgba ["y", "u", "v"];
    rgba_to_nv12 FromRgba ["y", "uv"];
}

/// The conversion of pictures of `layout` to RGBA; `None` for RGBA itself.
#[must_use]
pub fn to_rgba(layout: PictureLayout) -> Option<&'static Conversion> {
    use PictureLayout::{
        Bayer, Bgr8, Bgrx8, Grey8, I420, I444, Nv12, Nv21, Rgb8, Rgba8, Rgbx8, Uyvy, Vyuy, Xbgr8, Xrgb8,
        Yuyv, Yvyu,
    };
    match layout {
        Rgba8 => None,
        I420 => named("i420_to_rgba"),
        Nv12 | Nv21 => named("nv12_to_rgba"),
        Yuyv | Yvyu | Uyvy | Vyuy => named("yuyv_to_rgba"),
        I444 => named("i444_to_rgba"),
        Grey8 => named("grey_to_rgba"),
        Rgbx8 | Bgrx8 | Xrgb8 | Xbgr8 => named("rgb32_to_rgba"),
        Rgb8 | Bgr8 => named("rgb24_to_rgba"),
        Bayer(..) => named("bayer_to_rgba"),
    }
}

/// The conversion from RGBA to pictures of `layout`: I420 and NV12, the layouts that encoders take.
#[must_use]
pub fn from_rgba(layout: PictureLayout) -> Option<&'static Conversion> {
    match layout {
        PictureLayout::I420 => named("rgba_to_i420"),
        PictureLayout::Nv12 => named("rgba_to_nv12"),
        _ => None,
    }
}

fn named(name: &str) -> Option<&'static Conversion> {
    ALL.iter().find(|conversion| conversion.name == name)
}

impl Conversion {
    /// The layouts that it is for.
    pub fn layouts(&self) -> impl Iterator<Item = PictureLayout> {
        let find = match self.direction {
            Direction::ToRgba => to_rgba,
            Direction::FromRgba => from_rgba,
        };
        PictureLayout::all().filter(move |layout| find(*layout).is_some_and(|found| found.name == self.name))
    }
}

/// How far chroma samples lie right of the left luma sample of their pair, in widths of a chroma sample.
pub(crate) const fn chroma_shift(color: ColorSpace) -> f64 {
    match color.range {
        YuvRange::Limited => 0.0,
        YuvRange::Full => 0.25,
    }
}
