//! Vivid's first test pattern: eight bars of 75 % colour.

use streamlib_core::picture::{Picture, PictureFormat, PictureLayout};

const BARS: [[f64; 3]; 8] = [
    [0.75, 0.75, 0.75],
    [0.75, 0.75, 0.0],
    [0.0, 0.75, 0.75],
    [0.0, 0.75, 0.0],
    [0.75, 0.0, 0.75],
    [0.75, 0.0, 0.0],
    [0.0, 0.0, 0.75],
    [0.0, 0.0, 0.0],
];

/// Panics unless the picture shows the bars.
pub(crate) fn assert_bars(picture: &Picture, what: &str) {
    let (width, height) = (picture.format.size.width as usize, picture.format.size.height as usize);
    for (bar, expected) in BARS.iter().enumerate() {
        // Near the lower edge, where the driver writes no text.
        let found = rgb(picture, width * (2 * bar + 1) / 16, height - 4);
        // A grey picture has the bar's luma alone, so only its colourless bars are known.
        let known = picture.format.layout != PictureLayout::Grey8 || bar == 0 || bar == 7;
        let close = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 0.03);
        assert!(!known || close, "{what} {} bar {bar}: {found:.3?} is not {expected:?}", picture.format.size);
    }
}

/// R, G, B (0..=1) of the pixel at `x`, `y`.
pub(crate) fn rgb(picture: &Picture, x: usize, y: usize) -> [f64; 3] {
    let PictureFormat { size, layout, color } = picture.format;
    let planes: Vec<_> =
        picture.format.plane_ranges().into_iter().map(|range| &picture.data[range]).collect();
    let width = size.width as usize;
    let half = width.div_ceil(2);
    let codes = match layout {
        PictureLayout::Rgba8 => {
            let texel = &planes[0][(y * width + x) * 4..][..4];
            assert_eq!(texel[3], 255, "a picture of a camera is opaque");
            return [0, 1, 2].map(|channel| f64::from(texel[channel]) / 255.0);
        }
        PictureLayout::Yuyv => {
            let pair = &planes[0][(y * half + x / 2) * 4..][..4];
            [pair[x % 2 * 2], pair[1], pair[3]]
        }
        PictureLayout::Nv12 => {
            let chroma = &planes[1][(y / 2 * half + x / 2) * 2..][..2];
            [planes[0][y * width + x], chroma[0], chroma[1]]
        }
        PictureLayout::I420 => {
            let at = y / 2 * half + x / 2;
            [planes[0][y * width + x], planes[1][at], planes[2][at]]
        }
        _ => [planes[0][y * width + x], 128, 128],
    };
    color.rgb_from_yuv().apply(codes.map(|code| f64::from(code) / 255.0))
}
