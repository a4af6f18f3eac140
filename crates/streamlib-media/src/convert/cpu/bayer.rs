//! Bayer mosaics by the filters of Malvar, He and Cutler, each as the five by five weights of the paper's figure 2.

use streamlib_core::format::Size;
use streamlib_core::picture::{BayerPattern, BayerSamples};

use super::code;

type Filter = [[f64; 5]; 5];

/// Green where red or blue is.
const GREEN: Filter = [
    [0.0, 0.0, -1.0, 0.0, 0.0],
    [0.0, 0.0, 2.0, 0.0, 0.0],
    [-1.0, 2.0, 4.0, 2.0, -1.0],
    [0.0, 0.0, 2.0, 0.0, 0.0],
    [0.0, 0.0, -1.0, 0.0, 0.0],
];
/// Red or blue where green is, and the colour stands to both sides in the row.
const IN_ROW: Filter = [
    [0.0, 0.0, 0.5, 0.0, 0.0],
    [0.0, -1.0, 0.0, -1.0, 0.0],
    [-1.0, 4.0, 5.0, 4.0, -1.0],
    [0.0, -1.0, 0.0, -1.0, 0.0],
    [0.0, 0.0, 0.5, 0.0, 0.0],
];
/// Red where blue is, and blue where red is.
const OPPOSITE: Filter = [
    [0.0, 0.0, -1.5, 0.0, 0.0],
    [0.0, 2.0, 0.0, 2.0, 0.0],
    [-1.5, 0.0, 6.0, 0.0, -1.5],
    [0.0, 2.0, 0.0, 2.0, 0.0],
    [0.0, 0.0, -1.5, 0.0, 0.0],
];

/// A mosaic with its samples scaled to 0..=1.
struct Mosaic<'a> {
    data: &'a [u8],
    size: Size,
    samples: BayerSamples,
}

impl Mosaic<'_> {
    /// The sample at a place; beyond the border, that of its mirror image.
    fn load(&self, x: i64, y: i64) -> f64 {
        let mirrored = |at: i64, count: u32| {
            let last = i64::from(count) - 1;
            let at = if at < 0 { -at } else { at };
            let at = if at > last { 2 * last - at } else { at };
            at.clamp(0, last) as usize
        };
        let (x, y) = (mirrored(x, self.size.width), mirrored(y, self.size.height));
        let (width, bits) = (self.size.width as usize, self.samples.bits());
        let number = match self.samples {
            BayerSamples::Bits8 => u16::from(self.data[y * width + x]),
            BayerSamples::Packed10 | BayerSamples::Packed12 => {
                let group = self.samples.group() as usize;
                let row = &self.data[y * width.div_ceil(group) * (group + 1)..];
                let bytes = &row[x / group * (group + 1)..][..=group];
                let lower = bits - 8;
                let low = u16::from(bytes[group] >> (lower as usize * (x % group))) % (1 << lower);
                u16::from(bytes[x % group]) << lower | low
            }
            _ => {
                let at = (y * width + x) * 2;
                u16::from_le_bytes([self.data[at], self.data[at + 1]])
            }
        };
        f64::from(number) / f64::from((1_u32 << bits) - 1)
    }

    fn filtered(&self, x: i64, y: i64, filter: &Filter, is_turned: bool) -> f64 {
        let places = (0..5).flat_map(|row| (0..5).map(move |column| (row, column)));
        let weighted = places.map(|(row, column)| {
            let weight = if is_turned { filter[column][row] } else { filter[row][column] };
            weight * self.load(x + column as i64 - 2, y + row as i64 - 2)
        });
        weighted.sum::<f64>() / 8.0
    }
}

pub(super) fn to_rgba(data: &[u8], size: Size, pattern: BayerPattern, samples: BayerSamples) -> Vec<u8> {
    let mosaic = Mosaic { data, size, samples };
    let (red_column, red_row) = pattern.red();
    let mut rgba = Vec::with_capacity(size.pixels() * 4);
    for y in 0..size.height {
        for x in 0..size.width {
            let (column, row) = (i64::from(x), i64::from(y));
            let here = mosaic.load(column, row);
            let with = |filter, is_turned| mosaic.filtered(column, row, filter, is_turned);
            let rgb = match (x % 2 == red_column, y % 2 == red_row) {
                (true, true) => [here, with(&GREEN, false), with(&OPPOSITE, false)],
                (false, true) => [with(&IN_ROW, false), here, with(&IN_ROW, true)],
                (true, false) => [with(&IN_ROW, true), here, with(&IN_ROW, false)],
                (false, false) => [with(&OPPOSITE, false), with(&GREEN, false), here],
            };
            rgba.extend(rgb.map(code));
            rgba.push(255);
        }
    }
    rgba
}
