//! The pictures that everybody gets: noise beside gradients, from a seed.

use streamlib::format::Size;

use super::protocol::Work;

/// xorshift64*: the same sequence everywhere, without a visible pattern.
pub(crate) struct Noise(u64);

impl Noise {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1)
    }

    fn byte(&mut self) -> u8 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 56) as u8
    }
}

/// An input for that work; no bytes where the work reads no picture.
pub(crate) fn make(work: Work, size: Size, seed: u64) -> Vec<u8> {
    let noise = Noise::new(seed);
    match work {
        Work::Graph => Vec::new(),
        Work::Yuyv => yuyv(size, noise),
        Work::Nv12 => nv12(size, noise),
        _ => rgba(size, noise),
    }
}

/// `value` of `steps` steps as a code between `from` and `to`.
fn ramp(value: u32, steps: u32, from: u32, to: u32) -> u8 {
    (from + (to - from) * value / steps.max(2).saturating_sub(1)) as u8
}

/// The left half is noise in every channel; the right half runs from dark to bright in three directions.
fn rgba(size: Size, mut noise: Noise) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size.pixels() * 4);
    for y in 0..size.height {
        for x in 0..size.width {
            let color = if x < size.width / 2 {
                [noise.byte(), noise.byte(), noise.byte()]
            } else {
                let across = ramp(x, size.width, 0, 255);
                [across, ramp(y, size.height, 0, 255), 255 - across]
            };
            bytes.extend(color);
            bytes.push(255);
        }
    }
    bytes
}

/// Luma over all codes of limited range.
fn luma(noise: &mut Noise) -> u8 {
    16 + (u16::from(noise.byte()) * 220 / 256) as u8
}

/// Chroma changes so slowly that a program which repeats it and one which interpolates it agree within a code.
fn chroma(x: u32, y: u32, size: Size) -> [u8; 2] {
    [ramp(x, size.width, 60, 190), ramp(y, size.height, 60, 190)]
}

fn yuyv(size: Size, mut noise: Noise) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(size.pixels() * 2);
    for y in 0..size.height {
        for x in (0..size.width).step_by(2) {
            let [cb, cr] = chroma(x, y, size);
            bytes.extend([luma(&mut noise), cb, luma(&mut noise), cr]);
        }
    }
    bytes
}

fn nv12(size: Size, mut noise: Noise) -> Vec<u8> {
    let mut bytes: Vec<u8> = (0..size.pixels()).map(|_| luma(&mut noise)).collect();
    for y in (0..size.height).step_by(2) {
        for x in (0..size.width).step_by(2) {
            bytes.extend(chroma(x, y, size));
        }
    }
    bytes
}
