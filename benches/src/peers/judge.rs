//! Whether a contender's pixels are right.

use serde::{Deserialize, Serialize};

use super::protocol::Work;
use super::reference::Reference;

/// Errors beyond this many codes are counted.
const FAR: f64 = 2.0;

/// What is still right.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Tolerance {
    /// Greatest mean error in codes of 0..=255.
    pub(crate) mean_codes: f64,
    /// Greatest share of values that are off by more than two codes.
    pub(crate) far_share: f64,
}

impl Tolerance {
    /// For work that rounds once: nothing is off by more than two codes.
    pub(crate) const SINGLE: Self = Self { mean_codes: 0.75, far_share: 0.0 };
    /// For eight roundings in a row. The gamma curve makes eleven codes of one near black, so a tie that is broken the
    /// other way may show in a few places.
    pub(crate) const PASSES: Self = Self { mean_codes: 0.75, far_share: 0.001 };

    pub(crate) const fn of(work: Work) -> Self {
        match work {
            Work::ChainPasses => Self::PASSES,
            _ => Self::SINGLE,
        }
    }
}

/// How far pixels are from the reference, over red, green and blue; in codes of 0..=255.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct PixelErrors {
    pub(crate) max_codes: f64,
    pub(crate) mean_codes: f64,
    /// Share of values that are off by more than two codes.
    pub(crate) far_share: f64,
}

impl PixelErrors {
    /// Compares RGBA bytes with the reference.
    ///
    /// # Errors
    /// When there are not as many bytes as pixels need, or alpha is not opaque.
    pub(crate) fn of(pixels: &[u8], reference: &Reference<'_>, width: u32) -> Result<Self, String> {
        let expected = reference.bytes();
        if pixels.len() != expected {
            return Err(format!("wrote {} bytes of pixels where {expected} were asked for", pixels.len()));
        }
        let (mut max, mut sum, mut far) = (0.0_f64, 0.0, 0_u64);
        for (index, pixel) in (0_u32..).zip(pixels.chunks_exact(4)) {
            if pixel[3] != 255 {
                return Err(format!("made alpha {} of 255", pixel[3]));
            }
            let right = reference.pixel(index % width, index / width);
            for (code, value) in pixel.iter().zip(right) {
                let error = (f64::from(*code) - value * 255.0).abs();
                max = max.max(error);
                sum += error;
                far += u64::from(error > FAR);
            }
        }
        let values = (pixels.len() / 4 * 3) as f64;
        Ok(Self { max_codes: max, mean_codes: sum / values, far_share: far as f64 / values })
    }

    pub(crate) fn are_within(&self, tolerance: Tolerance) -> bool {
        self.mean_codes <= tolerance.mean_codes && self.far_share <= tolerance.far_share
    }

    /// The worse of each.
    pub(crate) fn worst(self, other: Self) -> Self {
        Self {
            max_codes: self.max_codes.max(other.max_codes),
            mean_codes: self.mean_codes.max(other.mean_codes),
            far_share: self.far_share.max(other.far_share),
        }
    }
}
