//! What every effect must show, in `f64` and as plainly as possible.
//!
//! One module per family; each lists its effects as [`Case`]s. An oracle answers one pixel from a [`Setup`], without
//! rounding or clamping: what the effect would store in a texture of endless precision.

mod blend;
mod color;
mod distort;
mod image;
mod neighbourhood;
mod overlay;
mod place;
pub(crate) mod steps;
mod style;
mod time;

use std::collections::BTreeMap;

pub(crate) use image::{Color, Image};

/// One run of an effect: what is bound, and the size of the result.
pub(crate) struct Setup {
    /// Textures by port name.
    pub(crate) inputs: BTreeMap<String, Image>,
    /// Parameters, buffers and frame uniforms by name, in reading order.
    pub(crate) values: BTreeMap<String, Vec<f64>>,
    /// Width of the result in pixels.
    pub(crate) width: u32,
    /// Height of the result in pixels.
    pub(crate) height: u32,
}

impl Setup {
    /// The whole result.
    pub(crate) fn render(&self, oracle: Oracle) -> Image {
        Image::from_fn(self.width, self.height, |x, y| oracle(self, x, y))
    }

    fn resolution(&self) -> [f64; 2] {
        [f64::from(self.width), f64::from(self.height)]
    }

    /// Middle of a pixel, 0..=1 across and down.
    fn uv(&self, x: u32, y: u32) -> [f64; 2] {
        [(f64::from(x) + 0.5) / f64::from(self.width), (f64::from(y) + 0.5) / f64::from(self.height)]
    }

    fn image(&self, name: &str) -> &Image {
        self.inputs.get(name).unwrap_or_else(|| panic!("the oracle reads `{name}`, which is not bound"))
    }

    fn input(&self) -> &Image {
        self.image("input")
    }

    /// `input` at a pixel of the result.
    fn here(&self, x: u32, y: u32) -> Color {
        self.input().sample(self.uv(x, y))
    }

    /// `name` at a pixel of the result.
    fn there(&self, name: &str, x: u32, y: u32) -> Color {
        self.image(name).sample(self.uv(x, y))
    }

    /// `input` so many texels of its own away from a pixel of the result.
    fn near(&self, x: u32, y: u32, offset: [f64; 2]) -> Color {
        let [u, v] = self.uv(x, y);
        let [width, height] = self.input().size();
        self.input().sample([u + offset[0] / width, v + offset[1] / height])
    }

    fn list(&self, name: &str) -> &[f64] {
        self.values
            .get(name)
            .unwrap_or_else(|| panic!("the oracle reads `{name}`, which the effect does not have"))
    }

    fn number(&self, name: &str) -> f64 {
        self.vector::<1>(name)[0]
    }

    fn whole(&self, name: &str) -> i32 {
        self.number(name) as i32
    }

    fn vector<const N: usize>(&self, name: &str) -> [f64; N] {
        self.list(name)
            .try_into()
            .unwrap_or_else(|_| panic!("the oracle takes `{name}` for {N} number(s), the effect does not"))
    }
}

/// Gives one pixel of an effect's result.
pub(crate) type Oracle = fn(&Setup, u32, u32) -> Color;

/// A set of values that differ from the defaults.
pub(crate) type Variant = Vec<(&'static str, Vec<f64>)>;

/// One effect, how it is run, and how near to the oracle it must come.
pub(crate) struct Case {
    /// File name without `.hlsl`.
    pub(crate) name: &'static str,
    /// What it must show.
    pub(crate) oracle: Oracle,
    /// What is bound beside `input`, port by port.
    pub(crate) second: Option<(&'static str, Second)>,
    /// Values that every run needs: contents of buffers.
    pub(crate) always: Variant,
    /// Runs beside the one with the defaults.
    pub(crate) variants: Vec<Variant>,
    /// Size of the result over that of the input.
    pub(crate) scale: f64,
    /// Greatest allowed difference, in 8-bit code values. 1 covers rounding and the arithmetic of 32-bit floats.
    pub(crate) tolerance: f64,
    /// Fraction of pixels that may differ more, for effects that decide by a comparison which rounding can tip.
    pub(crate) outliers: f64,
}

/// What the second input of an effect shows in its golden picture.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Second {
    /// A badge with a transparent surrounding.
    Overlay,
    /// The scene without colour.
    Before,
    /// The blurred lights of the scene, at half size.
    Glow,
    /// The scene a little earlier.
    Earlier,
}

impl Case {
    fn new(name: &'static str, oracle: Oracle) -> Self {
        Self {
            name,
            oracle,
            second: None,
            always: Vec::new(),
            variants: Vec::new(),
            scale: 1.0,
            tolerance: 1.0,
            outliers: 0.0,
        }
    }

    fn second(self, port: &'static str, second: Second) -> Self {
        Self { second: Some((port, second)), ..self }
    }

    fn always(mut self, name: &'static str, value: &[f64]) -> Self {
        self.always.push((name, value.to_vec()));
        self
    }

    fn variant(mut self, values: &[(&'static str, &[f64])]) -> Self {
        self.variants.push(values.iter().map(|&(name, value)| (name, value.to_vec())).collect());
        self
    }

    fn scaled(self, scale: f64) -> Self {
        Self { scale, ..self }
    }

    /// For effects that read between texels: devices place a read with 8 bits of precision between two texels, so across an
    /// edge of full contrast it is off by half a code for each axis, and the result is rounded once more.
    fn filtered(self) -> Self {
        self.within(2.0)
    }

    fn within(self, tolerance: f64) -> Self {
        Self { tolerance, ..self }
    }

    fn outliers(self, outliers: f64) -> Self {
        Self { outliers, ..self }
    }
}

/// Every effect.
pub(crate) fn cases() -> Vec<Case> {
    let mut cases: Vec<Case> = [
        blend::cases(),
        color::cases(),
        distort::cases(),
        neighbourhood::cases(),
        overlay::cases(),
        place::cases(),
        style::cases(),
        time::cases(),
    ]
    .into_iter()
    .flatten()
    .collect();
    cases.sort_by_key(|case| case.name);
    cases
}

/// Luma of ITU-R BT.709.
fn luma([r, g, b, _]: Color) -> f64 {
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

fn lerp(a: f64, b: f64, t: f64) -> f64 {
    a + (b - a) * t
}

fn saturate(x: f64) -> f64 {
    x.clamp(0.0, 1.0)
}

fn smoothstep(low: f64, high: f64, x: f64) -> f64 {
    let t = saturate((x - low) / (high - low));
    t * t * (3.0 - 2.0 * t)
}

/// `f` of the indices of red, green and blue; `alpha` beside them.
fn rgb(alpha: f64, f: impl Fn(usize) -> f64) -> Color {
    [f(0), f(1), f(2), alpha]
}

/// `f` of every channel but alpha.
fn each(color: Color, f: impl Fn(f64) -> f64) -> Color {
    rgb(color[3], |i| f(color[i]))
}

/// Turns a vector that points right and down counter-clockwise as seen on the screen, from the result to its origin.
fn turned_back([x, y]: [f64; 2], degrees: f64) -> [f64; 2] {
    let (s, c) = degrees.to_radians().sin_cos();
    [c * x - s * y, s * x + c * y]
}
