//! Colour spaces of video, and the matrices between YCbCr and RGB.

use serde::{Deserialize, Serialize};

/// Which luma weights a YCbCr signal was made with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum YuvMatrix {
    /// ITU-R BT.601 (standard definition; JPEG).
    Bt601,
    /// ITU-R BT.709 (high definition).
    #[default]
    Bt709,
}

impl YuvMatrix {
    /// Luma weights of red and blue (`Kr`, `Kb`), from the recommendation's own text.
    #[must_use]
    pub const fn luma_weights(self) -> (f64, f64) {
        match self {
            Self::Bt601 => (0.299, 0.114),
            Self::Bt709 => (0.2126, 0.0722),
        }
    }

    /// What players assume when a stream does not say: BT.601 below 720 rows, BT.709 from there.
    #[must_use]
    pub const fn assumed_for_height(height: u32) -> Self {
        if height < 720 { Self::Bt601 } else { Self::Bt709 }
    }
}

/// Which code values of an 8-bit YCbCr signal carry picture.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum YuvRange {
    /// Luma 16..=235, chroma 16..=240 ("studio", "MPEG").
    #[default]
    Limited,
    /// 0..=255 ("JPEG").
    Full,
}

/// How a YCbCr picture is to be read as RGB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ColorSpace {
    /// Luma weights.
    pub matrix: YuvMatrix,
    /// Range of code values.
    pub range: YuvRange,
}

/// An affine map of three channels: `out = rows · in + offset`, on values scaled to 0..=1.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct AffineColor {
    /// Row-major 3 × 3 matrix.
    pub rows: [[f64; 3]; 3],
    /// Added after the matrix.
    pub offset: [f64; 3],
}

impl AffineColor {
    /// Applies the map.
    #[must_use]
    pub fn apply(&self, value: [f64; 3]) -> [f64; 3] {
        std::array::from_fn(|row| {
            let weights = self.rows[row];
            weights[0] * value[0] + weights[1] * value[1] + weights[2] * value[2] + self.offset[row]
        })
    }
}

impl ColorSpace {
    /// (scale, offset) of luma and scale of chroma in code values of 0..=1; chroma is centred on 128/255.
    const fn quantisation(self) -> (f64, f64, f64) {
        match self.range {
            YuvRange::Limited => (219.0 / 255.0, 16.0 / 255.0, 224.0 / 255.0),
            YuvRange::Full => (1.0, 0.0, 1.0),
        }
    }

    /// RGB (0..=1) to Y, Cb, Cr code values (0..=1). Source: ITU-R BT.601-7 §2.5 and BT.709-6 §3, §4.
    #[must_use]
    pub fn yuv_from_rgb(self) -> AffineColor {
        let (kr, kb) = self.matrix.luma_weights();
        let kg = 1.0 - kr - kb;
        let (luma, black, chroma) = self.quantisation();
        let (cb, cr) = (chroma / (2.0 * (1.0 - kb)), chroma / (2.0 * (1.0 - kr)));
        let middle = 128.0 / 255.0;
        AffineColor {
            rows: [
                [luma * kr, luma * kg, luma * kb],
                [-cb * kr, -cb * kg, cb * (1.0 - kb)],
                [cr * (1.0 - kr), -cr * kg, -cr * kb],
            ],
            offset: [black, middle, middle],
        }
    }

    /// Y, Cb, Cr code values (0..=1) to RGB; the exact inverse of [`yuv_from_rgb`](Self::yuv_from_rgb).
    #[must_use]
    pub fn rgb_from_yuv(self) -> AffineColor {
        let (kr, kb) = self.matrix.luma_weights();
        let kg = 1.0 - kr - kb;
        let (luma, black, chroma) = self.quantisation();
        let (y, r, b) = (1.0 / luma, 2.0 * (1.0 - kr) / chroma, 2.0 * (1.0 - kb) / chroma);
        let rows = [[y, 0.0, r], [y, -b * kb / kg, -r * kr / kg], [y, b, 0.0]];
        let middle = 128.0 / 255.0;
        let offset = rows.map(|row: [f64; 3]| -(row[0] * black + (row[1] + row[2]) * middle));
        AffineColor { rows, offset }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spaces() -> impl Iterator<Item = ColorSpace> {
        [YuvMatrix::Bt601, YuvMatrix::Bt709]
            .into_iter()
            .flat_map(|matrix| [YuvRange::Limited, YuvRange::Full].map(|range| ColorSpace { matrix, range }))
    }

    #[test]
    fn the_two_maps_are_inverse() {
        for space in spaces() {
            for rgb in [[0.0, 0.0, 0.0], [1.0, 1.0, 1.0], [1.0, 0.0, 0.0], [0.2, 0.5, 0.9]] {
                let back = space.rgb_from_yuv().apply(space.yuv_from_rgb().apply(rgb));
                for (a, b) in rgb.iter().zip(back) {
                    assert!((a - b).abs() < 1e-12, "{space:?} {rgb:?} came back as {back:?}");
                }
            }
        }
    }

    #[test]
    fn the_published_code_values_come_out() {
        let code =
            |space: ColorSpace, rgb| space.yuv_from_rgb().apply(rgb).map(|v| (v * 255.0).round() as i32);
        let limited = |matrix| ColorSpace { matrix, range: YuvRange::Limited };
        assert_eq!(code(limited(YuvMatrix::Bt709), [1.0; 3]), [235, 128, 128]);
        assert_eq!(code(limited(YuvMatrix::Bt709), [0.0; 3]), [16, 128, 128]);
        assert_eq!(code(limited(YuvMatrix::Bt601), [1.0, 0.0, 0.0]), [81, 90, 240]);
        assert_eq!(code(limited(YuvMatrix::Bt601), [0.0, 0.0, 1.0]), [41, 240, 110]);
        assert_eq!(code(limited(YuvMatrix::Bt709), [0.0, 1.0, 0.0]), [173, 42, 26]);
    }
}
