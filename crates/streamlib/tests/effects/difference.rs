//! How far a picture is from what it should be.

use crate::oracle::{Case, Image};

/// How far a result is from what it should be, pixel by pixel, in 8-bit code values, the farthest first.
pub(crate) struct Difference(Vec<(f64, u32, u32)>);

impl Difference {
    pub(crate) fn between(got: &Image, wanted: &Image) -> Self {
        assert_eq!((got.width(), got.height()), (wanted.width(), wanted.height()));
        let mut pixels = Vec::new();
        for (x, y) in (0..got.height()).flat_map(|y| (0..got.width()).map(move |x| (x, y))) {
            let (got, wanted) = (got.texel(x.into(), y.into()), wanted.texel(x.into(), y.into()));
            let difference =
                (0..4).map(|i| (got[i] - wanted[i].clamp(0.0, 1.0)).abs() * 255.0).fold(0.0, f64::max);
            pixels.push((difference, x, y));
        }
        pixels.sort_by(|a, b| b.0.total_cmp(&a.0));
        Self(pixels)
    }

    /// The greatest difference when a fraction of the pixels does not count.
    pub(crate) fn greatest(&self, outliers: f64) -> f64 {
        self.0[(self.0.len() as f64 * outliers) as usize].0
    }

    /// A sentence when the case does not allow this.
    pub(crate) fn verdict(&self, case: &Case, what: &str) -> Option<String> {
        let greatest = self.greatest(case.outliers);
        // The last digits of a code value that an f64 came through.
        (greatest > case.tolerance + 1e-9).then(|| {
            let (most, x, y) = self.0[0];
            let beyond = self.0.iter().take_while(|pixel| pixel.0 > case.tolerance).count();
            format!(
                "{}, {what}: {greatest:.2} code values off where {} are allowed; {beyond} pixels are, the worst by {most:.2} at \
                 ({x}, {y})",
                case.name, case.tolerance
            )
        })
    }
}
