//! What the kernels are told about a picture's format.

use streamlib_core::picture::{BayerSamples, PictureFormat, PictureLayout};
use streamlib_core::value::Value;

use super::{Conversion, Direction, chroma_shift};

impl Conversion {
    /// The values of its parameters, by name, for pictures of that format, which is of one of its [layouts](Self::layouts).
    #[must_use]
    pub fn parameters(&self, format: PictureFormat) -> Vec<(String, Value)> {
        use PictureLayout::{Bayer, Grey8, I444, Uyvy, Vyuy, Yuyv, Yvyu};
        let PictureFormat { layout, color, .. } = format;
        let mut parameters = Parameters::default();
        if let Bayer(pattern, samples) = layout {
            let (column, row) = pattern.red();
            parameters.set("red_at", numbers([column, row].map(f64::from)));
            parameters.set("bytes", numbers(bytes(samples)));
            let packing = samples.group().checked_ilog2().unwrap_or(0);
            parameters.set("packing", Value::Int(packing.into()));
        } else if layout.is_yuv() {
            let map = match self.direction {
                Direction::ToRgba => color.rgb_from_yuv(),
                Direction::FromRgba => color.yuv_from_rgb(),
            };
            for (index, (weights, offset)) in map.rows.iter().zip(map.offset).enumerate() {
                let [y, cb, cr] = *weights;
                let (first, second) = if has_red_first(layout) { (cr, cb) } else { (cb, cr) };
                parameters.set(&format!("row{index}"), numbers([y, first, second, offset]));
            }
            if !matches!(layout, Grey8 | I444) {
                parameters.set("chroma_shift", Value::Float(chroma_shift(color)));
            }
            if matches!(layout, Yuyv | Yvyu | Uyvy | Vyuy) {
                parameters.set("chroma_first", Value::Int(matches!(layout, Uyvy | Vyuy).into()));
            }
        } else {
            for (row, byte) in bytes_of_rgb(layout).into_iter().enumerate() {
                let weight = |index| if index == byte { 1.0 } else { 0.0 };
                parameters.set(&format!("row{row}"), numbers([0, 1, 2, 3].map(weight)));
            }
        }
        parameters.0
    }
}

/// Parameters by name.
#[derive(Default)]
struct Parameters(Vec<(String, Value)>);

impl Parameters {
    fn set(&mut self, name: &str, value: Value) {
        self.0.push((name.to_owned(), value));
    }
}

fn numbers<const N: usize>(numbers: [f64; N]) -> Value {
    Value::List(numbers.map(Value::Float).to_vec())
}

/// Whether Cr comes before Cb.
const fn has_red_first(layout: PictureLayout) -> bool {
    matches!(layout, PictureLayout::Nv21 | PictureLayout::Yvyu | PictureLayout::Vyuy)
}

/// Which byte of a pixel is red, green and blue.
pub(super) const fn bytes_of_rgb(layout: PictureLayout) -> [usize; 3] {
    match layout {
        PictureLayout::Bgrx8 | PictureLayout::Bgr8 => [2, 1, 0],
        PictureLayout::Xrgb8 => [1, 2, 3],
        PictureLayout::Xbgr8 => [3, 2, 1],
        _ => [0, 1, 2],
    }
}

/// What the bytes of a sample, each scaled to 0..=1, add to it.
fn bytes(samples: BayerSamples) -> [f64; 2] {
    let largest = f64::from((1_u32 << samples.bits()) - 1);
    if samples.bits() == 8 { [1.0, 0.0] } else { [255.0 / largest, 255.0 * 256.0 / largest] }
}
