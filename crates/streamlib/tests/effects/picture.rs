//! Pictures to run effects on: the same on every machine.

use crate::oracle::{Color, Image};

/// Gradients, hard edges and noise in every channel, alpha between 0.4 and 1; another picture for every `seed`.
pub(crate) fn busy(width: u32, height: u32, seed: u32) -> Image {
    let shift = f64::from(seed) * 0.37;
    Image::from_fn(width, height, |x, y| {
        let (u, v) = (f64::from(x) / f64::from(width), f64::from(y) / f64::from(height));
        let stripe = f64::from((x / 7 + y / 11 + seed) % 2);
        let noise = |channel: u32| f64::from(hash(x, y, seed * 4 + channel) % 1000) / 1000.0;
        let ring = ((u - 0.5).hypot(v - 0.4) * 21.0 + shift).sin() * 0.5 + 0.5;
        if (u + shift).fract() < 0.3 {
            // A part that is nearly flat, then one that is all noise.
            return [0.2 + 0.1 * v, 0.5 + 0.02 * noise(1), 0.8 - 0.2 * u, 1.0];
        }
        if (v + shift).fract() < 0.2 {
            return [noise(0), noise(1), noise(2), 0.4 + 0.6 * noise(3)];
        }
        let mixed = |base: f64, channel| 0.6 * base + 0.25 * stripe + 0.15 * noise(channel);
        [mixed(u, 0), mixed(ring, 1), mixed(1.0 - v, 2), 0.4 + 0.6 * (1.0 - stripe * u)]
    })
    .rounded()
}

fn hash(x: u32, y: u32, seed: u32) -> u32 {
    let mut h = x
        .wrapping_mul(0x9E37_79B1)
        .wrapping_add(y.wrapping_mul(0x85EB_CA77))
        .wrapping_add(seed.wrapping_mul(0xC2B2_AE3D));
    h = (h ^ (h >> 15)).wrapping_mul(0x2C1B_3C6D);
    h = (h ^ (h >> 12)).wrapping_mul(0x297A_2D39);
    h ^ (h >> 15)
}

/// A round badge with soft edges on nothing, to be laid over a picture.
pub(crate) fn badge(width: u32, height: u32) -> Image {
    let side = f64::from(height);
    Image::from_fn(width, height, |x, y| {
        let across = (f64::from(x) + 0.5 - f64::from(width) / 2.0) / side;
        let down = (f64::from(y) + 0.5) / side - 0.5;
        let distance = across.hypot(down);
        let ray = (down.atan2(across) * 6.0).sin() > 0.0;
        let (warm, cool) = ([1.0, 0.62, 0.15], [0.15, 0.45, 0.9]);
        let color = if distance > 0.33 || ray { warm } else { cool };
        let alpha = ((0.42 - distance) * side / 3.0).clamp(0.0, 0.9);
        [color[0], color[1], color[2], alpha]
    })
    .rounded()
}

type Vector = [f64; 3];

struct Ball {
    center: Vector,
    radius: f64,
    color: Vector,
    shine: f64,
}

/// Balls on a chequered floor at sunset, seen at `seconds`; the green one has the colour that `chroma_key` removes.
pub(crate) fn scene(width: u32, height: u32, seconds: f64) -> Image {
    const SIDE: u32 = 3;
    let hop = |phase: f64| (seconds * 2.0 + phase).sin().abs() * 0.5;
    let ball = |center, radius, color, shine| Ball { center, radius, color, shine };
    let balls = [
        ball([-1.55, 0.7 + hop(0.4), 0.9], 0.7, [0.92, 0.22, 0.10], 0.08),
        ball([0.15, 0.85, 1.9], 0.85, [0.75, 0.78, 0.85], 0.7),
        ball([1.5, 0.6 + hop(2.2), 0.4], 0.6, [0.10, 0.70, 0.25], 0.0),
        ball([-0.25, 0.3, -0.6], 0.3, [0.98, 0.80, 0.15], 0.1),
    ];
    Image::from_fn(width, height, |x, y| {
        let mut sum = [0.0; 3];
        for i in 0..SIDE * SIDE {
            let at = |pixel: u32, sub: u32| f64::from(pixel) + (f64::from(sub) + 0.5) / f64::from(SIDE);
            let across = (at(x, i % SIDE) - f64::from(width) / 2.0) / f64::from(height);
            let down = at(y, i / SIDE) / f64::from(height) - 0.5;
            let direction = normalized([across, -down - 0.08, 1.25]);
            let seen = light([0.0, 1.25, -3.4], direction, &balls, 2);
            sum = add(sum, seen, 1.0 / f64::from(SIDE * SIDE));
        }
        let [r, g, b] = sum.map(|c| c.clamp(0.0, 1.0).powf(1.0 / 2.2));
        [r, g, b, 1.0]
    })
    .rounded()
}

fn light(origin: Vector, direction: Vector, balls: &[Ball], bounces: u32) -> Vector {
    // From behind the viewer's right shoulder: more light than the low sun in the picture gives.
    const KEY: Vector = [0.62, 0.62, -0.55];
    let hit = balls
        .iter()
        .filter_map(|ball| Some((distance(origin, direction, ball)?, ball)))
        .min_by(|a, b| a.0.total_cmp(&b.0));
    let floor = if direction[1] < -1e-6 { -origin[1] / direction[1] } else { f64::INFINITY };
    let (t, normal, color, shine) = match hit {
        Some((t, ball)) if t < floor => {
            let normal = normalized(add(add(origin, direction, t), ball.center, -1.0));
            (t, normal, ball.color.map(|c| c.powf(2.2)), ball.shine)
        }
        _ if floor < 40.0 => {
            let at = add(origin, direction, floor);
            let dark = (at[0].floor() + at[2].floor()).rem_euclid(2.0) < 1.0;
            let color = if dark { [0.03, 0.04, 0.09] } else { [0.66, 0.60, 0.52] };
            (floor, [0.0, 1.0, 0.0], color, 0.12)
        }
        _ => return sky(direction),
    };
    let at = add(add(origin, direction, t), normal, 1e-4);
    let sun = normalized(KEY);
    let lit = balls.iter().all(|ball| distance(at, sun, ball).is_none());
    let facing = dot(normal, sun).max(0.0) * if lit { 1.5 } else { 0.0 };
    let mut seen: Vector = std::array::from_fn(|i| {
        let (warm, ambient) = ([1.0, 0.88, 0.72][i], [0.24, 0.30, 0.42][i]);
        color[i] * (warm * facing + ambient * (0.6 + 0.4 * normal[1]))
    });
    if bounces > 0 && shine > 0.0 {
        let mirrored = add(direction, normal, -2.0 * dot(direction, normal));
        let reflected = light(at, mirrored, balls, bounces - 1);
        seen = add(seen.map(|c| c * (1.0 - shine)), reflected, shine);
    }
    let haze = 1.0 - (-t * 0.012).exp();
    add(seen.map(|c| c * (1.0 - haze)), sky([direction[0], 0.02, direction[2]]), haze)
}

fn sky(direction: Vector) -> Vector {
    let height = direction[1].max(0.0).sqrt();
    let toward_sun = dot(normalized(direction), normalized([0.42, 0.17, 0.9])).max(0.0);
    let glow = toward_sun.powi(90) * 0.4 + if toward_sun > 0.9988 { 2.0 } else { 0.0 };
    std::array::from_fn(|i| {
        let (low, high) = ([0.92, 0.45, 0.20][i], [0.03, 0.12, 0.42][i]);
        low + (high - low) * (1.5 * height).min(1.0) + glow * [1.0, 0.85, 0.6][i]
    })
}

/// How far along a ray a ball is met.
fn distance(origin: Vector, direction: Vector, ball: &Ball) -> Option<f64> {
    let to_ball = add(ball.center, origin, -1.0);
    let along = dot(to_ball, direction);
    let inside = ball.radius * ball.radius - (dot(to_ball, to_ball) - along * along);
    let t = along - inside.max(0.0).sqrt();
    (inside > 0.0 && t > 0.0).then_some(t)
}

/// a + b × factor.
fn add(a: Vector, b: Vector, factor: f64) -> Vector {
    std::array::from_fn(|i| a[i] + b[i] * factor)
}

fn dot(a: Vector, b: Vector) -> f64 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn normalized(a: Vector) -> Vector {
    let length = dot(a, a).sqrt();
    a.map(|c| c / length)
}

/// The picture over light grey, for showing it without alpha.
pub(crate) fn over_grey(color: Color) -> Color {
    let [r, g, b, a] = color;
    let on_grey = |c: f64| c * a + 0.85 * (1.0 - a);
    [on_grey(r), on_grey(g), on_grey(b), 1.0]
}
