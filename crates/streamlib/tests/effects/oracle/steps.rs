//! Oracles put in a row, to make the second input of effects that come late in a graph.

use std::collections::BTreeMap;

use super::{Image, Oracle, Setup, color, neighbourhood, style};

/// The picture in grey.
pub(crate) fn without_color(image: &Image) -> Image {
    step(image.clone(), 1, color::grayscale, &[("strength", 1.0)]).rounded()
}

/// What is bright in the picture, blurred, at half size.
pub(crate) fn glow(image: &Image) -> Image {
    let bright = step(image.clone(), 2, style::bright_pass, &[("threshold", 0.72), ("knee", 0.15)]);
    let blur = [("radius", 12.0), ("sigma", 4.5)];
    let rows = step(bright, 1, neighbourhood::blur_horizontal, &blur);
    step(rows, 1, neighbourhood::blur_vertical, &blur).rounded()
}

fn step(input: Image, divisor: u32, oracle: Oracle, values: &[(&str, f64)]) -> Image {
    let setup = Setup {
        width: input.width() / divisor,
        height: input.height() / divisor,
        inputs: BTreeMap::from([("input".to_owned(), input)]),
        values: values.iter().map(|(name, value)| ((*name).to_owned(), vec![*value])).collect(),
    };
    setup.render(oracle)
}
