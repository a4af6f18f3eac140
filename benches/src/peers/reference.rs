//! What the pixels should be, in `f64`, from the definitions: no shader and no contender has a part in it.

use streamlib::color::{ColorSpace, YuvMatrix, YuvRange};
use streamlib::format::Size;

use super::protocol::{Request, Work};

/// The colour space of the conversions: the one that every peer knows.
pub(crate) const COLOR: ColorSpace = ColorSpace { matrix: YuvMatrix::Bt601, range: YuvRange::Limited };
/// The tint of the chain and of the blur.
pub(crate) const TINT: [f64; 3] = [1.0, 0.72, 0.45];

const LUMA: [f64; 3] = [0.2126, 0.7152, 0.0722];
const SEPIA: [[f64; 3]; 3] = [[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]];

/// Nine weights of a Gaussian with a standard deviation of two pixels, their sum 1.
pub(crate) fn weights() -> Vec<f64> {
    let raw: Vec<f64> = (-4..=4).map(|i: i32| (-0.5 * (f64::from(i) / 2.0).powi(2)).exp()).collect();
    let sum: f64 = raw.iter().sum();
    raw.into_iter().map(|weight| weight / sum).collect()
}

/// One picture and what is to be done with it.
#[derive(Debug)]
pub(crate) struct Reference<'a> {
    work: Work,
    size: Size,
    input: &'a [u8],
    weights: &'a [f64],
    tint: [f64; 3],
}

impl<'a> Reference<'a> {
    /// For the last text of a `shader` request, and for the one result of any other.
    pub(crate) fn new(request: &'a Request, input: &'a [u8]) -> Self {
        let (work, size) = (request.work, Size::new(request.width, request.height));
        let last = request.tints.last().filter(|_| work == Work::Shader);
        Self { work, size, input, weights: &request.weights, tint: *last.unwrap_or(&request.tint) }
    }

    /// Bytes of the result as RGBA.
    pub(crate) const fn bytes(&self) -> usize {
        self.size.pixels() * 4
    }

    /// Red, green and blue of a pixel, 0..=1, as they would be stored were there no rounding.
    pub(crate) fn pixel(&self, x: u32, y: u32) -> [f64; 3] {
        match self.work {
            Work::Blur | Work::Shader => self.blur(x, y),
            Work::ChainFused => self.chain(x, y, |value| value),
            Work::ChainPasses => self.chain(x, y, |value| (value * 255.0).round() / 255.0),
            Work::Yuyv => self.yuyv(x, y),
            Work::Nv12 => self.nv12(x, y),
            Work::Graph => [0.0; 3],
        }
    }

    fn load(&self, x: u32, y: u32) -> [f64; 3] {
        let at = (y as usize * self.size.width as usize + x as usize) * 4;
        std::array::from_fn(|channel| f64::from(self.input[at + channel]) / 255.0)
    }

    fn blur(&self, x: u32, y: u32) -> [f64; 3] {
        let mut sum = [0.0; 3];
        for (offset, weight) in (-4..).zip(self.weights) {
            let at = (i64::from(x) + offset).clamp(0, i64::from(self.size.width) - 1);
            let color = self.load(at as u32, y);
            for channel in 0..3 {
                sum[channel] += weight * color[channel] * self.tint[channel];
            }
        }
        clamped(sum)
    }

    /// The eight effects with their defaults; `stored` is what a texture between two of them does to a value.
    fn chain(&self, x: u32, y: u32, stored: impl Fn(f64) -> f64) -> [f64; 3] {
        let keep = |color: [f64; 3]| clamped(color).map(&stored);
        let mut color = self.load(x, y);
        color = keep(color.map(|value| value + 0.15));
        color = keep(color.map(|value| (value - 0.5) * 1.5 + 0.5));
        let luma = dot(LUMA, color);
        color = keep(color.map(|value| luma + 1.6 * (value - luma)));
        color = keep(turned(color, 120.0_f64.to_radians()));
        color = keep(color.map(|value| value.powf(1.0 / 1.8)));
        color = keep(SEPIA.map(|row| dot(row, color)));
        let shade = 1.0 - 0.85 * self.vignette(x, y);
        color = keep(color.map(|value| value * shade));
        clamped(std::array::from_fn(|channel| color[channel] * TINT[channel]))
    }

    /// How far the vignette has come at a pixel: 0 up to 0.35 of the way to the corner, 1 at the corner.
    fn vignette(&self, x: u32, y: u32) -> f64 {
        let half = [f64::from(self.size.width) / 2.0, f64::from(self.size.height) / 2.0];
        let away = (f64::from(x) + 0.5 - half[0]).hypot(f64::from(y) + 0.5 - half[1]);
        let t = ((away / half[0].hypot(half[1]) - 0.35) / 0.65).clamp(0.0, 1.0);
        t * t * (3.0 - 2.0 * t)
    }

    fn yuyv(&self, x: u32, y: u32) -> [f64; 3] {
        let pairs = self.size.width / 2;
        let byte = |pair: u32, part: usize| self.input[(y * pairs + pair) as usize * 4 + part];
        let (pair, next) = (x / 2, (x / 2 + 1).min(pairs - 1));
        let part = f64::from(x % 2) / 2.0;
        let between = |channel| mix(byte(pair, channel), byte(next, channel), part);
        let luma = f64::from(byte(pair, if x.is_multiple_of(2) { 0 } else { 2 }));
        rgb([luma, between(1), between(3)])
    }

    fn nv12(&self, x: u32, y: u32) -> [f64; 3] {
        let (columns, rows) = (self.size.width / 2, self.size.height / 2);
        let chroma = &self.input[self.size.pixels()..];
        let byte =
            |column: u32, row: u32, channel: usize| chroma[(row * columns + column) as usize * 2 + channel];
        let (left, right) = (x / 2, (x / 2 + 1).min(columns - 1));
        let down = f64::from(y) / 2.0 - 0.25;
        let above = down.floor().max(0.0) as u32;
        let below = ((down.floor() + 1.0) as u32).min(rows - 1);
        let (across, part) = (f64::from(x % 2) / 2.0, down - down.floor());
        let between = |channel| {
            let upper = mix(byte(left, above, channel), byte(right, above, channel), across);
            let lower = mix(byte(left, below, channel), byte(right, below, channel), across);
            upper + (lower - upper) * part
        };
        let luma = f64::from(self.input[(y * self.size.width + x) as usize]);
        rgb([luma, between(0), between(1)])
    }
}

fn clamped(color: [f64; 3]) -> [f64; 3] {
    color.map(|value| value.clamp(0.0, 1.0))
}

fn dot(weights: [f64; 3], color: [f64; 3]) -> f64 {
    weights.iter().zip(color).map(|(weight, value)| weight * value).sum()
}

fn mix(from: u8, to: u8, part: f64) -> f64 {
    f64::from(from) + (f64::from(to) - f64::from(from)) * part
}

/// RGB from code values of Y, Cb and Cr.
fn rgb(codes: [f64; 3]) -> [f64; 3] {
    clamped(COLOR.rgb_from_yuv().apply(codes.map(|code| code / 255.0)))
}

/// `hue-rotate()` of the W3C's Filter Effects Module.
fn turned(color: [f64; 3], angle: f64) -> [f64; 3] {
    let (s, c) = angle.sin_cos();
    let luma = [0.213, 0.715, 0.072];
    let cosine = [[0.787, -0.715, -0.072], [-0.213, 0.285, -0.072], [-0.213, -0.715, 0.928]];
    let sine = [[-0.213, -0.715, 0.928], [0.143, 0.140, -0.283], [-0.787, 0.715, 0.072]];
    std::array::from_fn(|row| {
        let weights = std::array::from_fn(|i| luma[i] + c * cosine[row][i] + s * sine[row][i]);
        dot(weights, color)
    })
}
