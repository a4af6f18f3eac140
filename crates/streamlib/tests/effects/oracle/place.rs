//! Effects that move the picture as a whole.

use super::{Case, Color, Setup, turned_back};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("flip_horizontal", flip_horizontal),
        Case::new("flip_vertical", flip_vertical),
        // Along the edge of the picture, rounding decides whether a pixel is inside.
        Case::new("rotate", rotate)
            .variant(&[("degrees_turned", &[-110.0]), ("center", &[0.2, 0.7])])
            .variant(&[("degrees_turned", &[45.0]), ("background", &[0.2, 0.4, 0.6, 0.5])])
            .filtered()
            .outliers(0.002),
        Case::new("scale", scale)
            .variant(&[("factor", &[0.63, 0.41]), ("background", &[0.2, 0.4, 0.6, 0.5])])
            .variant(&[("factor", &[3.0, 0.9]), ("center", &[0.1, 0.8])])
            .filtered()
            .outliers(0.002),
    ]
}

fn flip_horizontal(s: &Setup, x: u32, y: u32) -> Color {
    let [u, v] = s.uv(x, y);
    s.input().sample([1.0 - u, v])
}

fn flip_vertical(s: &Setup, x: u32, y: u32) -> Color {
    let [u, v] = s.uv(x, y);
    s.input().sample([u, 1.0 - v])
}

/// The picture at `at`, or the parameter `background` outside it.
pub(super) fn inside_or_background(s: &Setup, at: [f64; 2]) -> Color {
    if at.iter().all(|a| (0.0..=1.0).contains(a)) { s.input().sample(at) } else { s.vector("background") }
}

fn rotate(s: &Setup, x: u32, y: u32) -> Color {
    let (uv, size, center) = (s.uv(x, y), s.resolution(), s.vector::<2>("center"));
    let from_center = std::array::from_fn(|i| (uv[i] - center[i]) * size[i]);
    let source = turned_back(from_center, s.number("degrees_turned"));
    inside_or_background(s, std::array::from_fn(|i| source[i] / size[i] + center[i]))
}

fn scale(s: &Setup, x: u32, y: u32) -> Color {
    let (uv, factor, center) = (s.uv(x, y), s.vector::<2>("factor"), s.vector::<2>("center"));
    inside_or_background(s, std::array::from_fn(|i| (uv[i] - center[i]) / factor[i] + center[i]))
}
