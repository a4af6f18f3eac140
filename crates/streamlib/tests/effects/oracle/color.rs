//! Effects that change each pixel by itself.

use super::{Case, Color, Setup, each, lerp, luma, rgb, saturate};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("grayscale", grayscale).variant(&[("strength", &[0.5])]).variant(&[("strength", &[0.0])]),
        Case::new("sepia", sepia).variant(&[("strength", &[0.4])]).variant(&[("strength", &[0.0])]),
        Case::new("brightness", brightness).variant(&[("amount", &[-0.4])]).variant(&[("amount", &[0.7])]),
        Case::new("contrast", contrast)
            .variant(&[("amount", &[0.3])])
            .variant(&[("amount", &[3.0]), ("pivot", &[0.3])]),
        Case::new("saturation", saturation).variant(&[("amount", &[0.2])]).variant(&[("amount", &[3.0])]),
        Case::new("hue_shift", hue_shift)
            .variant(&[("degrees_turned", &[-75.0])])
            .variant(&[("degrees_turned", &[300.0])]),
        Case::new("invert", invert).variant(&[("strength", &[0.25])]).variant(&[("strength", &[0.8])]),
        Case::new("tint", tint)
            .variant(&[("color", &[0.2, 0.5, 1.4])])
            .variant(&[("color", &[2.0, 0.0, 1.0]), ("strength", &[0.3])]),
        Case::new("posterize", posterize).variant(&[("levels", &[2.0])]).variant(&[("levels", &[16.0])]),
        Case::new("threshold", threshold)
            .variant(&[("level", &[0.3]), ("softness", &[0.5])])
            .variant(&[("level", &[0.6123]), ("softness", &[0.01])]),
        Case::new("gamma", gamma).variant(&[("exponent", &[0.45])]).variant(&[("exponent", &[3.0])]),
        Case::new("levels", levels)
            .variant(&[("in_black", &[0.3]), ("in_white", &[0.6]), ("midtones", &[0.5])])
            .variant(&[("out_black", &[0.2]), ("out_white", &[0.7]), ("midtones", &[2.0])]),
        Case::new("exposure", exposure).variant(&[("stops", &[-2.5])]).variant(&[("stops", &[2.5])]),
        Case::new("tone_curve", tone_curve)
            .variant(&[("curve", &std::array::from_fn::<f64, 16, _>(|i| 1.0 - i as f64 / 15.0))])
            .variant(&[(
                "curve",
                &std::array::from_fn::<f64, 16, _>(|i| if i % 2 == 0 { 0.2 } else { 0.8 }),
            )]),
        Case::new("color_matrix", color_matrix)
            .variant(&[(
                "color_matrix",
                &[0.0, 1.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.3, 0.3, 0.3, 0.1],
            )])
            .variant(&[("offset", &[0.1, -0.2, 0.3, -0.4])]),
        // Two colours of the palette can be equally near.
        Case::new("palette", palette)
            .always("colors", &PALETTE)
            .variant(&[("dither", &[0.0])])
            .variant(&[("dither", &[1.0])])
            .outliers(0.002),
    ]
}

/// Sixteen colours in the manner of early home computers.
#[rustfmt::skip]
const PALETTE: [f64; 64] = [
    0.00, 0.00, 0.00, 1.0,  1.00, 1.00, 1.00, 1.0,  0.53, 0.22, 0.20, 1.0,  0.40, 0.71, 0.74, 1.0,
    0.55, 0.25, 0.59, 1.0,  0.34, 0.63, 0.29, 1.0,  0.22, 0.20, 0.55, 1.0,  0.75, 0.81, 0.45, 1.0,
    0.55, 0.33, 0.16, 1.0,  0.34, 0.26, 0.00, 1.0,  0.72, 0.41, 0.38, 1.0,  0.31, 0.31, 0.31, 1.0,
    0.47, 0.47, 0.47, 1.0,  0.58, 0.88, 0.54, 1.0,  0.47, 0.42, 0.77, 1.0,  0.62, 0.62, 0.62, 1.0,
];

pub(crate) fn grayscale(s: &Setup, x: u32, y: u32) -> Color {
    let color = s.here(x, y);
    each(color, |c| lerp(c, luma(color), s.number("strength")))
}

fn sepia(s: &Setup, x: u32, y: u32) -> Color {
    const ROWS: [[f64; 3]; 3] = [[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]];
    let color = s.here(x, y);
    let brown = |i: usize| (0..3).map(|k| ROWS[i][k] * color[k]).sum::<f64>().min(1.0);
    rgb(color[3], |i| lerp(color[i], brown(i), s.number("strength")))
}

fn brightness(s: &Setup, x: u32, y: u32) -> Color {
    each(s.here(x, y), |c| c + s.number("amount"))
}

fn contrast(s: &Setup, x: u32, y: u32) -> Color {
    let pivot = s.number("pivot");
    each(s.here(x, y), |c| (c - pivot) * s.number("amount") + pivot)
}

fn saturation(s: &Setup, x: u32, y: u32) -> Color {
    let color = s.here(x, y);
    each(color, |c| lerp(luma(color), c, s.number("amount")))
}

fn hue_shift(s: &Setup, x: u32, y: u32) -> Color {
    const LUMA: [f64; 3] = [0.213, 0.715, 0.072];
    const COS: [[f64; 3]; 3] = [[0.787, -0.715, -0.072], [-0.213, 0.285, -0.072], [-0.213, -0.715, 0.928]];
    const SIN: [[f64; 3]; 3] = [[-0.213, -0.715, 0.928], [0.143, 0.140, -0.283], [-0.787, 0.715, 0.072]];
    let color = s.here(x, y);
    let (sin, cos) = s.number("degrees_turned").to_radians().sin_cos();
    rgb(color[3], |i| (0..3).map(|k| (LUMA[k] + cos * COS[i][k] + sin * SIN[i][k]) * color[k]).sum())
}

fn invert(s: &Setup, x: u32, y: u32) -> Color {
    each(s.here(x, y), |c| lerp(c, 1.0 - c, s.number("strength")))
}

fn tint(s: &Setup, x: u32, y: u32) -> Color {
    let color = s.here(x, y);
    let tint: [f64; 3] = s.vector("color");
    rgb(color[3], |i| color[i] * lerp(1.0, tint[i], s.number("strength")))
}

fn posterize(s: &Setup, x: u32, y: u32) -> Color {
    let steps = s.number("levels") - 1.0;
    each(s.here(x, y), |c| (c * steps).round() / steps)
}

fn threshold(s: &Setup, x: u32, y: u32) -> Color {
    let color = s.here(x, y);
    each(color, |_| (luma(color) - s.number("level")) / s.number("softness") + 0.5)
}

fn gamma(s: &Setup, x: u32, y: u32) -> Color {
    each(s.here(x, y), |c| c.powf(1.0 / s.number("exponent")))
}

fn levels(s: &Setup, x: u32, y: u32) -> Color {
    let (black, white) = (s.number("in_black"), s.number("in_white"));
    each(s.here(x, y), |c| {
        let shaped = saturate((c - black) / (white - black)).powf(1.0 / s.number("midtones"));
        lerp(s.number("out_black"), s.number("out_white"), shaped)
    })
}

fn exposure(s: &Setup, x: u32, y: u32) -> Color {
    each(s.here(x, y), |c| {
        let light = if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
        let light = saturate(light * s.number("stops").exp2());
        if light <= 0.003_130_8 { light * 12.92 } else { 1.055 * light.powf(1.0 / 2.4) - 0.055 }
    })
}

fn tone_curve(s: &Setup, x: u32, y: u32) -> Color {
    let curve: [f64; 16] = s.vector("curve");
    each(s.here(x, y), |c| {
        let below = ((c * 15.0) as usize).min(14);
        lerp(curve[below], curve[below + 1], c * 15.0 - below as f64)
    })
}

fn color_matrix(s: &Setup, x: u32, y: u32) -> Color {
    let color = s.here(x, y);
    let rows: [f64; 16] = s.vector("color_matrix");
    let offset: Color = s.vector("offset");
    std::array::from_fn(|i| offset[i] + (0..4).map(|k| rows[4 * i + k] * color[k]).sum::<f64>())
}

fn palette(s: &Setup, x: u32, y: u32) -> Color {
    const BAYER: [[f64; 4]; 4] =
        [[0.0, 8.0, 2.0, 10.0], [12.0, 4.0, 14.0, 6.0], [3.0, 11.0, 1.0, 9.0], [15.0, 7.0, 13.0, 5.0]];
    let color = s.here(x, y);
    let pattern = (BAYER[y as usize % 4][x as usize % 4] + 0.5) / 16.0 - 0.5;
    let wanted = each(color, |c| c + pattern * s.number("dither"));
    let distance = |entry: &&[f64]| (0..3).map(|i| (entry[i] - wanted[i]).powi(2)).sum::<f64>();
    let nearest = s
        .list("colors")
        .chunks_exact(4)
        .min_by(|a, b| distance(a).total_cmp(&distance(b)))
        .expect("the palette has colours");
    rgb(color[3], |i| nearest[i])
}
