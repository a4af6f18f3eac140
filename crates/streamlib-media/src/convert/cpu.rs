//! The same conversions on the CPU, in `f64`: the reference that the kernels are compared with, and enough for stills.

use streamlib_core::format::Size;
use streamlib_core::picture::{Picture, PictureFormat, PictureLayout};

use super::chroma_shift;
use super::parameters::bytes_of_rgb;

mod bayer;

/// A plane of a picture, its values scaled to 0..=1.
struct Plane<'a> {
    data: &'a [u8],
    size: Size,
    channels: usize,
}

impl Plane<'_> {
    /// One channel of a texel; outside, that of the nearest inside.
    fn load(&self, x: i64, y: i64, channel: usize) -> f64 {
        let x = x.clamp(0, i64::from(self.size.width) - 1) as usize;
        let y = y.clamp(0, i64::from(self.size.height) - 1) as usize;
        f64::from(self.data[(y * self.size.width as usize + x) * self.channels + channel]) / 255.0
    }

    /// Bilinear between texels, whose centres lie at whole numbers.
    fn interpolate(&self, x: f64, y: f64, channel: usize) -> f64 {
        let (left, top) = (x.floor(), y.floor());
        let (right_weight, bottom_weight) = (x - left, y - top);
        let row = |y: i64| {
            let from = self.load(left as i64, y, channel);
            from + (self.load(left as i64 + 1, y, channel) - from) * right_weight
        };
        let above = row(top as i64);
        above + (row(top as i64 + 1) - above) * bottom_weight
    }
}

/// The picture as tightly packed RGBA, four bytes a pixel, rounded to nearest.
///
/// # Panics
/// When the picture's data are not as long as its format says.
#[must_use]
pub fn to_rgba(picture: &Picture) -> Vec<u8> {
    let format = picture.format;
    assert_eq!(picture.data.len(), format.bytes(), "a picture holds as many bytes as its format says");
    if format.layout == PictureLayout::Rgba8 {
        return picture.data.clone();
    }
    if let PictureLayout::Bayer(pattern, samples) = format.layout {
        return bayer::to_rgba(&picture.data, format.size, pattern, samples);
    }
    if !format.layout.is_yuv() {
        return rgb_to_rgba(&picture.data, format);
    }
    let planes: Vec<Plane<'_>> = format
        .layout
        .planes(format.size)
        .into_iter()
        .zip(format.plane_ranges())
        .map(|((size, texel), range)| Plane {
            data: &picture.data[range],
            size,
            channels: texel.bytes_per_texel(),
        })
        .collect();
    let map = format.color.rgb_from_yuv();
    let shift = chroma_shift(format.color);
    // Of a pair of pixels packed in four bytes: first luma, Cb, Cr.
    let (luma, cb, cr) = match format.layout {
        PictureLayout::Yvyu => (0, 3, 1),
        PictureLayout::Uyvy => (1, 0, 2),
        PictureLayout::Vyuy => (1, 2, 0),
        _ => (0, 1, 3),
    };
    let mut rgba = Vec::with_capacity(format.size.pixels() * 4);
    for y in 0..format.size.height {
        for x in 0..format.size.width {
            let (column, row) = (i64::from(x), i64::from(y));
            let (across, down) = (f64::from(x) / 2.0 - shift, f64::from(y) / 2.0 - 0.25);
            let yuv = match format.layout {
                PictureLayout::I420 => [
                    planes[0].load(column, row, 0),
                    planes[1].interpolate(across, down, 0),
                    planes[2].interpolate(across, down, 0),
                ],
                PictureLayout::Nv12 | PictureLayout::Nv21 => {
                    let first = planes[1].interpolate(across, down, 0);
                    let second = planes[1].interpolate(across, down, 1);
                    let is_nv12 = format.layout == PictureLayout::Nv12;
                    let (cb, cr) = if is_nv12 { (first, second) } else { (second, first) };
                    [planes[0].load(column, row, 0), cb, cr]
                }
                PictureLayout::Yuyv | PictureLayout::Yvyu | PictureLayout::Uyvy | PictureLayout::Vyuy => [
                    planes[0].load(column / 2, row, if x % 2 == 0 { luma } else { luma + 2 }),
                    planes[0].interpolate(across, f64::from(y), cb),
                    planes[0].interpolate(across, f64::from(y), cr),
                ],
                PictureLayout::I444 => [0, 1, 2].map(|plane: usize| planes[plane].load(column, row, 0)),
                // Grey; what is not YCbCr was done before.
                _ => [planes[0].load(column, row, 0), 128.0 / 255.0, 128.0 / 255.0],
            };
            rgba.extend(map.apply(yuv).map(code));
            rgba.push(255);
        }
    }
    rgba
}

fn rgb_to_rgba(data: &[u8], format: PictureFormat) -> Vec<u8> {
    let [red, green, blue] = bytes_of_rgb(format.layout);
    let bytes = data.len() / format.size.pixels().max(1);
    let pixels = data.chunks_exact(bytes.max(1));
    pixels.flat_map(|pixel| [pixel[red], pixel[green], pixel[blue], 255]).collect()
}

/// The planes of a picture of `format` made from tightly packed RGBA. Alpha is ignored.
/// `None` for the layouts that no conversion makes.
///
/// # Panics
/// When `rgba` does not hold four bytes for each pixel.
#[must_use]
pub fn from_rgba(rgba: &[u8], format: PictureFormat) -> Option<Vec<u8>> {
    assert_eq!(rgba.len(), format.size.pixels() * 4, "RGBA has four bytes for each pixel");
    let interleaved = match format.layout {
        PictureLayout::Rgba8 => return Some(rgba.to_vec()),
        PictureLayout::I420 => false,
        PictureLayout::Nv12 => true,
        _ => return None,
    };
    let source = Plane { data: rgba, size: format.size, channels: 4 };
    let rgb = |x: i64, y: i64| [0, 1, 2].map(|channel| source.load(x, y, channel));
    let map = format.color.yuv_from_rgb();
    let mut data = Vec::with_capacity(format.bytes());
    for y in 0..i64::from(format.size.height) {
        data.extend((0..i64::from(format.size.width)).map(|x| code(map.apply(rgb(x, y))[0])));
    }
    let shift = chroma_shift(format.color);
    let weights = [0.25 - shift, 0.5, 0.25 + shift];
    let (mut cb, mut cr) = (Vec::new(), Vec::new());
    let blocks = format.size.halved();
    for row in 0..i64::from(blocks.height) {
        for column in 0..i64::from(blocks.width) {
            let mut mean = [0.0; 3];
            for y in [row * 2, row * 2 + 1] {
                for (x, weight) in (column * 2 - 1..).zip(weights) {
                    for (sum, value) in mean.iter_mut().zip(rgb(x, y)) {
                        *sum += value * weight / 2.0;
                    }
                }
            }
            let [_, blue, red] = map.apply(mean);
            cb.push(code(blue));
            cr.push(code(red));
        }
    }
    if interleaved {
        data.extend(cb.into_iter().zip(cr).flat_map(|(blue, red)| [blue, red]));
    } else {
        data.append(&mut cb);
        data.append(&mut cr);
    }
    Some(data)
}

/// A value of 0..=1 as a byte, clamped and rounded to nearest.
fn code(value: f64) -> u8 {
    (value.clamp(0.0, 1.0) * 255.0).round() as u8
}
