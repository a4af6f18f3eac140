//! Sources that need no file: HLSL effects in pixel form without inputs, like the patterns of a signal generator.

use streamlib_core::format::Size;

/// Their names.
pub const NAMES: [&str; 2] = ["scene", "bars"];

/// The HLSL text of the source called `name`.
///
/// `scene` is a textured 3D scene in motion, for the eye and for encoders. `bars` are colour bars with a moving marker
/// and the frame number as blocks of black and white, for tests: see [`frame_number`].
#[must_use]
pub fn source(name: &str) -> Option<&'static str> {
    match name {
        "scene" => Some(include_str!("scene.hlsl")),
        "bars" => Some(include_str!("bars.hlsl")),
        _ => None,
    }
}

/// Blocks in the counter of `bars`: bits of the frame number.
const COUNTER_BITS: u32 = 24;

/// Reads the frame number (modulo 2^24) back from a picture of `bars`, tightly packed RGBA.
/// `None` when the picture is too small for its counter, or a block is neither dark nor bright.
#[must_use]
pub fn frame_number(rgba: &[u8], size: Size) -> Option<u32> {
    if size.width < COUNTER_BITS || size.height < 12 || rgba.len() != size.pixels() * 4 {
        return None;
    }
    // The middle of the lowest twelfth, and of each block.
    let row = size.height as usize * 23 / 24;
    (0..COUNTER_BITS).try_fold(0, |number, bit| {
        let column = ((2 * bit + 1) * size.width / (2 * COUNTER_BITS)) as usize;
        let green = rgba[(row * size.width as usize + column) * 4 + 1];
        match green {
            0..=96 => Some(number << 1),
            160..=255 => Some(number << 1 | 1),
            _ => None,
        }
    })
}
