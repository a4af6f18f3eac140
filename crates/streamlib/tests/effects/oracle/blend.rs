//! Effects that put two pictures together, and the key that cuts one out.

use super::{Case, Color, Oracle, Second, Setup, lerp, luma, rgb, saturate, smoothstep};

pub(crate) fn cases() -> Vec<Case> {
    let blend = |name, oracle: Oracle| {
        Case::new(name, oracle)
            .second("overlay", Second::Overlay)
            .variant(&[("opacity", &[0.0])])
            .variant(&[("opacity", &[0.6])])
    };
    vec![
        blend("blend_alpha", blend_alpha),
        blend("blend_additive", |s, x, y| onto(s, x, y, |a, b| (a + b).min(1.0))),
        blend("blend_multiply", |s, x, y| onto(s, x, y, |a, b| a * b)),
        blend("blend_screen", |s, x, y| onto(s, x, y, |a, b| a + b - a * b)),
        Case::new("mix", mix)
            .second("overlay", Second::Overlay)
            .variant(&[("amount", &[0.0])])
            .variant(&[("amount", &[0.85])]),
        Case::new("split_screen", split_screen)
            .second("before", Second::Before)
            .variant(&[("position", &[0.304]), ("line_width", &[0.0])])
            .variant(&[("position", &[0.9]), ("line_width", &[5.0]), ("line_color", &[1.0, 0.2, 0.0])]),
        Case::new("chroma_key", chroma_key)
            .variant(&[("key_color", &[0.9, 0.1, 0.1]), ("spill", &[0.3])])
            .variant(&[("tolerance", &[0.05]), ("softness", &[0.4]), ("spill", &[0.0])]),
    ]
}

fn blend_alpha(s: &Setup, x: u32, y: u32) -> Color {
    let (below, above) = (s.here(x, y), s.there("overlay", x, y));
    let alpha = above[3] * s.number("opacity");
    let behind = below[3] * (1.0 - alpha);
    rgb(alpha + behind, |i| (above[i] * alpha + below[i] * behind) / (alpha + behind))
}

/// `blended(below, above)` where the overlay's alpha says so.
fn onto(s: &Setup, x: u32, y: u32, blended: impl Fn(f64, f64) -> f64) -> Color {
    let (below, above) = (s.here(x, y), s.there("overlay", x, y));
    let alpha = above[3] * s.number("opacity");
    rgb(below[3], |i| lerp(below[i], blended(below[i], above[i]), alpha))
}

fn mix(s: &Setup, x: u32, y: u32) -> Color {
    let (from, to) = (s.here(x, y), s.there("overlay", x, y));
    std::array::from_fn(|i| lerp(from[i], to[i], s.number("amount")))
}

fn split_screen(s: &Setup, x: u32, y: u32) -> Color {
    let (before, after) = (s.there("before", x, y), s.here(x, y));
    let right_of_line = f64::from(x) + 0.5 - s.number("position") * f64::from(s.width);
    let share = saturate(right_of_line + 0.5);
    let width = s.number("line_width");
    let on_line = saturate(width / 2.0 + 0.5 - right_of_line.abs()) * saturate(width);
    let line: [f64; 3] = s.vector("line_color");
    let picture = |i: usize| lerp(before[i], after[i], share);
    rgb(picture(3), |i| lerp(picture(i), line[i], on_line))
}

/// Cb and Cr of ITU-R BT.709.
fn chroma(color: Color) -> [f64; 2] {
    [(color[2] - luma(color)) / 1.8556, (color[0] - luma(color)) / 1.5748]
}

fn chroma_key(s: &Setup, x: u32, y: u32) -> Color {
    let color = s.here(x, y);
    let [r, g, b] = s.vector("key_color");
    let (own, key) = (chroma(color), chroma([r, g, b, 1.0]));
    let distance = (own[0] - key[0]).hypot(own[1] - key[1]);
    let tolerance = s.number("tolerance");
    let kept = smoothstep(tolerance, tolerance + s.number("softness"), distance);

    let toward = key.map(|k| k / key[0].hypot(key[1]));
    let spill = (own[0] * toward[0] + own[1] * toward[1]).max(0.0) * s.number("spill");
    let [cb, cr] = [own[0] - toward[0] * spill, own[1] - toward[1] * spill];
    let (red, blue) = (luma(color) + 1.5748 * cr, luma(color) + 1.8556 * cb);
    let green = (luma(color) - 0.2126 * red - 0.0722 * blue) / 0.7152;
    [red, green, blue, color[3] * kept]
}
