//! Effects that bend the picture.

use super::place::inside_or_background;
use super::{Case, Color, Setup, saturate, turned_back};

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("lens_distortion", lens_distortion)
            .variant(&[("k1", &[-0.4]), ("k2", &[0.1])])
            .variant(&[("camera_intrinsics", &[70.0, 75.0, 40.0, 33.0])])
            .filtered()
            .outliers(0.002),
        Case::new("swirl", swirl)
            .variant(&[("degrees_turned", &[-400.0])])
            .variant(&[("radius", &[1.5])])
            .filtered(),
        Case::new("ripple", ripple)
            .variant(&[("amplitude", &[0.05]), ("time", &[0.0])])
            .variant(&[("wavelength", &[0.4]), ("speed", &[-2.5]), ("time", &[3600.7])])
            .filtered(),
        Case::new("chromatic_aberration", chromatic_aberration)
            .variant(&[("strength", &[-2.0])])
            .variant(&[("strength", &[20.0])])
            .filtered(),
    ]
}

fn lens_distortion(s: &Setup, x: u32, y: u32) -> Color {
    let (uv, size) = (s.uv(x, y), s.resolution());
    let [mut fx, mut fy, mut cx, mut cy] = s.vector("camera_intrinsics");
    if fx <= 0.0 {
        (fx, fy, cx, cy) = (size[0], size[0], size[0] / 2.0, size[1] / 2.0);
    }
    let ray = [(uv[0] * size[0] - cx) / fx, (uv[1] * size[1] - cy) / fy];
    let r2 = ray[0] * ray[0] + ray[1] * ray[1];
    let bend = 1.0 + s.number("k1") * r2 + s.number("k2") * r2 * r2;
    let at = [(ray[0] * bend * fx + cx) / size[0], (ray[1] * bend * fy + cy) / size[1]];
    inside_or_background(s, at)
}

/// From the middle of the picture to a pixel, in heights of the picture.
fn from_center(s: &Setup, x: u32, y: u32) -> [f64; 2] {
    let (uv, size) = (s.uv(x, y), s.resolution());
    [(uv[0] - 0.5) * size[0] / size[1], uv[1] - 0.5]
}

/// The other way round.
fn to_uv(s: &Setup, [x, y]: [f64; 2]) -> [f64; 2] {
    let size = s.resolution();
    [x * size[1] / size[0] + 0.5, y + 0.5]
}

fn swirl(s: &Setup, x: u32, y: u32) -> Color {
    let at = from_center(s, x, y);
    let inside = saturate(1.0 - at[0].hypot(at[1]) / s.number("radius"));
    let source = turned_back(at, s.number("degrees_turned") * inside * inside);
    s.input().sample(to_uv(s, source))
}

fn ripple(s: &Setup, x: u32, y: u32) -> Color {
    let at = from_center(s, x, y);
    let distance = at[0].hypot(at[1]);
    let turns = distance / s.number("wavelength") - s.number("time") * s.number("speed");
    let shift = s.number("amplitude") * (std::f64::consts::TAU * turns).sin();
    let outward = at.map(|a| a / distance.max(0.0001));
    let source = [at[0] + outward[0] * shift, at[1] + outward[1] * shift];
    s.input().sample(to_uv(s, source))
}

fn chromatic_aberration(s: &Setup, x: u32, y: u32) -> Color {
    let uv = s.uv(x, y);
    let shift = uv.map(|a| (a - 0.5) * 2.0 * s.number("strength") / s.resolution()[0]);
    let [_, green, _, alpha] = s.here(x, y);
    let red = s.input().sample([uv[0] - shift[0], uv[1] - shift[1]])[0];
    let blue = s.input().sample([uv[0] + shift[0], uv[1] + shift[1]])[2];
    [red, green, blue, alpha]
}
