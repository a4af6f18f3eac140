//! Vivid's first test pattern: eight bars of 75 % colour.

use streamlib_core::picture::{BayerPattern, BayerSamples, Picture, PictureFormat, PictureLayout};

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
        PictureLayout::Yuyv | PictureLayout::Yvyu | PictureLayout::Uyvy | PictureLayout::Vyuy => {
            let pair = &planes[0][(y * half + x / 2) * 4..][..4];
            let (luma, cb, cr) = match layout {
                PictureLayout::Yvyu => (0, 3, 1),
                PictureLayout::Uyvy => (1, 0, 2),
                PictureLayout::Vyuy => (1, 2, 0),
                _ => (0, 1, 3),
            };
            [pair[luma + x % 2 * 2], pair[cb], pair[cr]]
        }
        PictureLayout::Nv12 | PictureLayout::Nv21 => {
            let chroma = &planes[1][(y / 2 * half + x / 2) * 2..][..2];
            let (cb, cr) = if layout == PictureLayout::Nv12 { (0, 1) } else { (1, 0) };
            [planes[0][y * width + x], chroma[cb], chroma[cr]]
        }
        PictureLayout::I420 => {
            let at = y / 2 * half + x / 2;
            [planes[0][y * width + x], planes[1][at], planes[2][at]]
        }
        PictureLayout::Bayer(pattern, samples) => {
            return mosaic(planes[0], width, (pattern, samples), (x, y));
        }
        PictureLayout::Grey8 => [planes[0][y * width + x], 128, 128],
        _ => {
            let bytes = planes[0].len() / size.pixels();
            let order = match layout {
                PictureLayout::Bgrx8 | PictureLayout::Bgr8 => [2, 1, 0],
                PictureLayout::Xrgb8 => [1, 2, 3],
                PictureLayout::Xbgr8 => [3, 2, 1],
                _ => [0, 1, 2],
            };
            let texel = &planes[0][(y * width + x) * bytes..][..bytes];
            return order.map(|channel| f64::from(texel[channel]) / 255.0);
        }
    };
    color.rgb_from_yuv().apply(codes.map(|code| f64::from(code) / 255.0))
}

/// The colour of the block of two by two that `x`, `y` lie in; samples are one or two bytes each.
fn mosaic(
    plane: &[u8],
    width: usize,
    (pattern, samples): (BayerPattern, BayerSamples),
    (x, y): (usize, usize),
) -> [f64; 3] {
    let bytes = usize::from(samples != BayerSamples::Bits8) + 1;
    let largest = f64::from((1_u32 << samples.bits()) - 1);
    let (red_column, red_row) = pattern.red();
    let mut rgb = [0.0; 3];
    for (column, row) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
        let at = ((y / 2 * 2 + row) * width + x / 2 * 2 + column) * bytes;
        let number = f64::from(plane[at]) + if bytes == 2 { 256.0 * f64::from(plane[at + 1]) } else { 0.0 };
        let channel = usize::from(column != red_column as usize) + usize::from(row != red_row as usize);
        rgb[channel] += number / largest / if channel == 1 { 2.0 } else { 1.0 };
    }
    rgb
}
