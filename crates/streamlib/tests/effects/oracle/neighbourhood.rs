//! Effects that look at the pixels around each pixel.

use super::{Case, Color, Setup, each, lerp, luma, rgb, saturate};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("box_blur", box_blur).variant(&[("radius", &[0.0])]).variant(&[("radius", &[6.0])]),
        Case::new("gaussian_blur", gaussian_blur)
            .variant(&[("radius", &[3.0]), ("sigma", &[0.8])])
            .variant(&[("radius", &[7.0]), ("sigma", &[9.0])]),
        Case::new("blur_horizontal", blur_horizontal)
            .variant(&[("radius", &[2.0]), ("sigma", &[1.0])])
            .variant(&[("radius", &[40.0]), ("sigma", &[20.0])]),
        Case::new("blur_vertical", blur_vertical)
            .variant(&[("radius", &[2.0]), ("sigma", &[1.0])])
            .variant(&[("radius", &[40.0]), ("sigma", &[20.0])]),
        Case::new("sharpen", sharpen).variant(&[("strength", &[0.3])]).variant(&[("strength", &[4.0])]),
        Case::new("edge_detect", edge_detect)
            .variant(&[("strength", &[0.25]), ("background", &[0.8])])
            .variant(&[("strength", &[3.0]), ("color", &[0.1, 0.9, 0.4])]),
        // Multiplies the difference of two reads between texels by two.
        Case::new("emboss", emboss)
            .variant(&[("strength", &[0.7]), ("colored", &[1.0])])
            .variant(&[("light_degrees", &[-30.0]), ("colored", &[0.5])])
            .within(5.0),
        Case::new("median", median),
        // Two squares can vary equally little.
        Case::new("kuwahara", kuwahara)
            .variant(&[("radius", &[1.0])])
            .variant(&[("radius", &[5.0])])
            .outliers(0.003),
        Case::new("downsample", downsample).scaled(0.5).filtered(),
    ]
}

fn square(reach: i32) -> impl Iterator<Item = [f64; 2]> {
    (-reach..=reach).flat_map(move |y| (-reach..=reach).map(move |x| [f64::from(x), f64::from(y)]))
}

/// The mean of the pixels at `offsets`, each with its weight.
fn weighted(s: &Setup, x: u32, y: u32, offsets: impl Iterator<Item = ([f64; 2], f64)>) -> Color {
    let mut sum = [0.0; 4];
    let mut total = 0.0;
    for (offset, weight) in offsets {
        let color = s.near(x, y, offset);
        sum = std::array::from_fn(|i| sum[i] + weight * color[i]);
        total += weight;
    }
    sum.map(|c| c / total)
}

fn gaussian(s: &Setup, [x, y]: [f64; 2]) -> f64 {
    (-(x * x + y * y) / (2.0 * s.number("sigma").powi(2))).exp()
}

fn box_blur(s: &Setup, x: u32, y: u32) -> Color {
    weighted(s, x, y, square(s.whole("radius")).map(|offset| (offset, 1.0)))
}

fn gaussian_blur(s: &Setup, x: u32, y: u32) -> Color {
    let offsets = square(s.whole("radius")).map(|offset| (offset, gaussian(s, offset)));
    weighted(s, x, y, offsets)
}

pub(crate) fn blur_horizontal(s: &Setup, x: u32, y: u32) -> Color {
    let reach = s.whole("radius");
    let offsets = (-reach..=reach).map(|i| [f64::from(i), 0.0]);
    weighted(s, x, y, offsets.map(|offset| (offset, gaussian(s, offset))))
}

pub(crate) fn blur_vertical(s: &Setup, x: u32, y: u32) -> Color {
    let reach = s.whole("radius");
    let offsets = (-reach..=reach).map(|i| [0.0, f64::from(i)]);
    weighted(s, x, y, offsets.map(|offset| (offset, gaussian(s, offset))))
}

fn sharpen(s: &Setup, x: u32, y: u32) -> Color {
    let color = s.here(x, y);
    let kernel = square(1).map(|[dx, dy]| ([dx, dy], (2.0 - dx.abs()) * (2.0 - dy.abs())));
    let blurred = weighted(s, x, y, kernel);
    rgb(color[3], |i| color[i] + s.number("strength") * (color[i] - blurred[i]))
}

fn edge_detect(s: &Setup, x: u32, y: u32) -> Color {
    const SOBEL: [f64; 9] = [-1.0, 0.0, 1.0, -2.0, 0.0, 2.0, -1.0, 0.0, 1.0];
    let around: Vec<f64> = square(1).map(|offset| luma(s.near(x, y, offset))).collect();
    let across: f64 = (0..9).map(|i| SOBEL[i] * around[i]).sum();
    let down: f64 = (0..9).map(|i| SOBEL[i] * around[i % 3 * 3 + i / 3]).sum();
    let line = saturate(s.number("strength") * across.hypot(down));
    let source = s.here(x, y);
    let color: [f64; 3] = s.vector("color");
    rgb(source[3], |i| lerp(source[i] * s.number("background"), color[i], line))
}

fn emboss(s: &Setup, x: u32, y: u32) -> Color {
    let (sin, cos) = s.number("light_degrees").to_radians().sin_cos();
    let slope = luma(s.near(x, y, [-cos, sin])) - luma(s.near(x, y, [cos, -sin]));
    each(s.here(x, y), |c| lerp(0.5, c, s.number("colored")) + 0.5 * s.number("strength") * slope)
}

fn median(s: &Setup, x: u32, y: u32) -> Color {
    let around: Vec<Color> = square(1).map(|offset| s.near(x, y, offset)).collect();
    rgb(s.here(x, y)[3], |i| {
        let mut values: Vec<f64> = around.iter().map(|color| color[i]).collect();
        values.sort_by(f64::total_cmp);
        values[4]
    })
}

fn kuwahara(s: &Setup, x: u32, y: u32) -> Color {
    let reach = s.whole("radius");
    let quadrant = |right: f64, down: f64| {
        let colors: Vec<Color> = (0..=reach)
            .flat_map(|dy| (0..=reach).map(move |dx| [right * f64::from(dx), down * f64::from(dy)]))
            .map(|offset| s.near(x, y, offset))
            .collect();
        let mean = |f: &dyn Fn(&Color) -> f64| colors.iter().map(f).sum::<f64>() / colors.len() as f64;
        let mean_luma = mean(&|&color| luma(color));
        let variance = mean(&|&color| (luma(color) - mean_luma).powi(2));
        (variance, rgb(s.here(x, y)[3], |i| mean(&|color| color[i])))
    };
    [(-1.0, -1.0), (1.0, -1.0), (-1.0, 1.0), (1.0, 1.0)]
        .map(|(right, down)| quadrant(right, down))
        .into_iter()
        .min_by(|a, b| a.0.total_cmp(&b.0))
        .expect("four quadrants")
        .1
}

fn downsample(s: &Setup, x: u32, y: u32) -> Color {
    let corners = [[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]];
    weighted(s, x, y, corners.into_iter().map(|offset| (offset, 1.0)))
}
