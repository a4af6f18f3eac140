//! Looks: prints, film, light.

use super::{Case, Color, Second, Setup, each, luma, rgb, saturate, smoothstep};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("pixelate", pixelate)
            .variant(&[("block", &[1.0])])
            .variant(&[("block", &[13.0])])
            .filtered(),
        Case::new("vignette", vignette)
            .variant(&[("strength", &[1.0]), ("radius", &[0.1])])
            .variant(&[("radius", &[0.6]), ("softness", &[0.2])]),
        Case::new("film_grain", film_grain)
            .variant(&[("strength", &[0.5]), ("frame_number", &[1.0])])
            .variant(&[("strength", &[1.0]), ("frame_number", &[123_456.0])]),
        // The root of a small darkness, read between texels, sets the radius; and a pixel on the border of two cells of the
        // turned grid may take either dot.
        Case::new("halftone", halftone)
            .variant(&[("spacing", &[3.0])])
            .variant(&[("spacing", &[11.5])])
            .within(12.0)
            .outliers(0.002),
        Case::new("bright_pass", bright_pass)
            .variant(&[("threshold", &[0.3]), ("knee", &[0.0])])
            .variant(&[("threshold", &[0.6]), ("knee", &[0.4])]),
        // Multiplies a read between texels, by 4 at most here.
        Case::new("bloom_combine", bloom_combine)
            .second("bloom", Second::Glow)
            .variant(&[("strength", &[0.0])])
            .variant(&[("strength", &[4.0])])
            .within(5.0),
    ]
}

fn pixelate(s: &Setup, x: u32, y: u32) -> Color {
    let (side, size) = (s.number("block"), s.resolution());
    let corner = [f64::from(x), f64::from(y)].map(|a| (a / side).floor() * side);
    let at = |i: u32| side * (f64::from(i) + 0.5) / 4.0;
    let mut sum = [0.0; 4];
    for (i, j) in (0..4).flat_map(|j| (0..4).map(move |i| (i, j))) {
        let uv = [(corner[0] + at(i)) / size[0], (corner[1] + at(j)) / size[1]];
        let color = s.input().sample(uv);
        sum = std::array::from_fn(|k| sum[k] + color[k] / 16.0);
    }
    sum
}

fn vignette(s: &Setup, x: u32, y: u32) -> Color {
    let ([u, v], [width, height]) = (s.uv(x, y), s.resolution());
    let distance = ((u - 0.5) * width).hypot((v - 0.5) * height) / (0.5 * width).hypot(0.5 * height);
    let start = s.number("radius");
    let shade = smoothstep(start, start + s.number("softness"), distance);
    each(s.here(x, y), |c| c * (1.0 - s.number("strength") * shade))
}

/// Source: M. Jarzynski and M. Olano, "Hash functions for GPU rendering", 2020.
fn pcg3d(v: [u32; 3]) -> [u32; 3] {
    let [mut x, mut y, mut z] = v.map(|a| a.wrapping_mul(1_664_525).wrapping_add(1_013_904_223));
    for round in 0..2 {
        x = x.wrapping_add(y.wrapping_mul(z));
        y = y.wrapping_add(z.wrapping_mul(x));
        z = z.wrapping_add(x.wrapping_mul(y));
        if round == 0 {
            [x, y, z] = [x, y, z].map(|a| a ^ (a >> 16));
        }
    }
    [x, y, z]
}

fn film_grain(s: &Setup, x: u32, y: u32) -> Color {
    let color = s.here(x, y);
    let [first, second, _] = pcg3d([x, y, s.number("frame_number") as u32]);
    let even = |random: u32| f64::from(random >> 8) / f64::from(1 << 24);
    let grain = even(first) + even(second) - 1.0;
    let midtone = 4.0 * luma(color) * (1.0 - luma(color));
    each(color, |c| c + s.number("strength") * grain * (0.3 + 0.7 * midtone))
}

fn halftone(s: &Setup, x: u32, y: u32) -> Color {
    let (size, step) = (s.resolution(), s.number("spacing"));
    let angles: [f64; 3] = [15.0, 75.0, 0.0];
    rgb(s.here(x, y)[3], |channel| {
        let (sin, cos) = angles[channel].to_radians().sin_cos();
        let (px, py) = (f64::from(x) + 0.5, f64::from(y) + 0.5);
        let turned = [(cos * px + sin * py) / step, (cos * py - sin * px) / step];
        let cell = turned.map(|a| a.floor() + 0.5);
        let middle = [
            (cos * cell[0] - sin * cell[1]) * step / size[0],
            (sin * cell[0] + cos * cell[1]) * step / size[1],
        ];
        let darkness = saturate(1.0 - s.input().sample(middle)[channel]);
        let radius = 1.15 * (darkness / std::f64::consts::PI).sqrt();
        let outside = ((turned[0] - cell[0]).hypot(turned[1] - cell[1]) - radius) * step;
        1.0 - saturate(0.5 - outside) * saturate(darkness * 8.0)
    })
}

pub(crate) fn bright_pass(s: &Setup, x: u32, y: u32) -> Color {
    let color = s.here(x, y);
    let brightness = color[0].max(color[1]).max(color[2]);
    let (threshold, knee) = (s.number("threshold"), s.number("knee"));
    let over = brightness - threshold;
    let soft = (over + knee).clamp(0.0, 2.0 * knee).powi(2) / (4.0 * knee).max(0.0001);
    each(color, |c| c * soft.max(over) / brightness.max(0.0001))
}

fn bloom_combine(s: &Setup, x: u32, y: u32) -> Color {
    let color = s.here(x, y);
    let bloom = s.there("bloom", x, y);
    rgb(color[3], |i| 1.0 - (1.0 - color[i]) * (1.0 - saturate(bloom[i] * s.number("strength"))))
}
