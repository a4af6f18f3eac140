//! The CPU conversions against published code values and the reference converter.

mod common;

use common::{has_ffmpeg, run, test_picture};
use streamlib_core::color::{ColorSpace, YuvMatrix, YuvRange};
use streamlib_core::format::Size;
use streamlib_core::frame::Timestamp;
use streamlib_core::picture::{BayerPattern, BayerSamples, Picture, PictureFormat, PictureLayout};
use streamlib_media::convert::{self, cpu};
use streamlib_media::generate;

fn spaces() -> impl Iterator<Item = ColorSpace> {
    [YuvMatrix::Bt601, YuvMatrix::Bt709]
        .into_iter()
        .flat_map(|matrix| [YuvRange::Limited, YuvRange::Full].map(|range| ColorSpace { matrix, range }))
}

/// A picture of one colour.
fn uniform(format: PictureFormat, [y, u, v]: [u8; 3]) -> Picture {
    let (pixels, half) = (format.size.pixels(), format.size.halved().pixels());
    let data = match format.layout {
        PictureLayout::I420 => [vec![y; pixels], vec![u; half], vec![v; half]].concat(),
        PictureLayout::Nv12 => [vec![y; pixels], [u, v].repeat(half)].concat(),
        PictureLayout::Yuyv => [y, u, y, v].repeat(format.bytes() / 4),
        PictureLayout::I444 => [vec![y; pixels], vec![u; pixels], vec![v; pixels]].concat(),
        PictureLayout::Nv21 => [vec![y; pixels], [v, u].repeat(half)].concat(),
        PictureLayout::Yvyu => [y, v, y, u].repeat(format.bytes() / 4),
        PictureLayout::Uyvy => [u, y, v, y].repeat(format.bytes() / 4),
        PictureLayout::Vyuy => [v, y, u, y].repeat(format.bytes() / 4),
        _ => vec![y; format.bytes()],
    };
    Picture { format, timestamp: Timestamp(0), data }
}

#[test]
fn published_code_values_become_their_colours_in_every_layout() {
    let limited = |matrix| ColorSpace { matrix, range: YuvRange::Limited };
    for (color, yuv, rgb) in [
        (limited(YuvMatrix::Bt601), [81, 90, 240], [255, 0, 0]),
        (limited(YuvMatrix::Bt601), [41, 240, 110], [0, 0, 255]),
        (limited(YuvMatrix::Bt709), [173, 42, 26], [0, 255, 0]),
        (limited(YuvMatrix::Bt709), [235, 128, 128], [255, 255, 255]),
        (limited(YuvMatrix::Bt709), [16, 128, 128], [0, 0, 0]),
        (ColorSpace { matrix: YuvMatrix::Bt601, range: YuvRange::Full }, [76, 85, 255], [254, 0, 0]),
    ] {
        for layout in PictureLayout::all().filter(|l| l.is_yuv() && *l != PictureLayout::Grey8) {
            // Code values are rounded, which is worth up to two steps of RGB.
            for found in
                cpu::to_rgba(&uniform(PictureFormat { size: Size::new(5, 3), layout, color }, yuv)).chunks(4)
            {
                let off = (0..3).map(|channel| found[channel].abs_diff(rgb[channel])).max().unwrap_or(0);
                assert!(off <= 2 && found[3] == 255, "{layout:?} {color:?} {yuv:?}: {found:?}");
            }
        }
    }
    let format =
        PictureFormat { size: Size::new(2, 2), layout: PictureLayout::Grey8, color: ColorSpace::default() };
    assert_eq!(cpu::to_rgba(&uniform(format, [235, 0, 0]))[..4], [255; 4]);
}

#[test]
fn a_colour_survives_the_way_to_planes_and_back_at_odd_sizes_too() {
    for color in spaces() {
        for layout in [PictureLayout::I420, PictureLayout::Nv12] {
            let format = PictureFormat { size: Size::new(7, 5), layout, color };
            for rgb in [[255, 0, 0], [12, 200, 99], [255, 255, 255], [0, 0, 0], [128, 64, 250]] {
                let rgba = [rgb[0], rgb[1], rgb[2], 255].repeat(35);
                let data = cpu::from_rgba(&rgba, format).expect("a layout that encoders take");
                let back = cpu::to_rgba(&Picture { format, timestamp: Timestamp(0), data });
                let off = back.iter().zip(&rgba).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0);
                assert!(off <= 3, "{layout:?} {color:?} {rgb:?}: {off}");
            }
        }
    }
}

#[test]
fn chroma_lies_where_the_standard_puts_it() {
    // A ramp of chroma along the row: 100 + 10 for each chroma sample, so 5 for each pixel.
    for (range, at_pixel) in [(YuvRange::Limited, 0.0), (YuvRange::Full, 0.25)] {
        let color = ColorSpace { matrix: YuvMatrix::Bt601, range };
        let format = PictureFormat { size: Size::new(16, 4), layout: PictureLayout::I420, color };
        let mut picture = uniform(format, [128, 128, 128]);
        let u = format.plane_ranges()[1].clone();
        for (index, sample) in picture.data[u].iter_mut().enumerate() {
            *sample = 100 + 10 * (index as u8 % 8);
        }
        let rgba = cpu::to_rgba(&picture);
        let map = color.rgb_from_yuv();
        for pixel in 1..14 {
            let cb = 100.0 + 10.0 * (pixel as f64 / 2.0 - at_pixel);
            let blue = map.apply([128.0 / 255.0, cb / 255.0, 128.0 / 255.0])[2] * 255.0;
            let found = f64::from(rgba[pixel * 4 + 2]);
            assert!(
                (found - blue.clamp(0.0, 255.0)).abs() <= 0.51,
                "{range:?} pixel {pixel}: {found} not {blue}"
            );
        }
    }
}

#[test]
fn the_reference_converter_gives_the_same_colours() {
    if !has_ffmpeg() {
        return;
    }
    let directory = tempfile::tempdir().expect("a directory");
    for color in spaces() {
        let format = PictureFormat { size: Size::new(64, 48), layout: PictureLayout::I444, color };
        let picture = test_picture(format, 1);
        let path = directory.path().join("a.yuv");
        std::fs::write(&path, &picture.data).expect("writable");
        let matrix = if color.matrix == YuvMatrix::Bt601 { "bt601" } else { "bt709" };
        let range = if color.range == YuvRange::Full { "full" } else { "limited" };
        let scale = format!(
            "scale=in_color_matrix={matrix}:in_range={range}:out_range=full:flags=accurate_rnd+bitexact"
        );
        let input = ["-f", "rawvideo", "-pix_fmt", "yuv444p", "-s", "64x48", "-i"];
        let rgb = run("ffmpeg", &input, &path, &["-vf", &scale, "-f", "rawvideo", "-pix_fmt", "rgba", "-"]);
        let ours = cpu::to_rgba(&picture);
        let off = ours.iter().zip(&rgb).map(|(a, b)| a.abs_diff(*b)).max().unwrap_or(0);
        assert!(off <= 2, "{color:?}: {off}");
    }
}

#[test]
fn every_layout_has_its_conversion() {
    for conversion in &convert::ALL {
        assert!(conversion.layouts().next().is_some(), "{}", conversion.name);
        for layout in conversion.layouts() {
            assert_eq!(conversion.planes.len(), layout.planes(Size::new(7, 5)).len(), "{}", conversion.name);
        }
    }
    for layout in PictureLayout::all() {
        assert_eq!(convert::to_rgba(layout).is_none(), layout == PictureLayout::Rgba8, "{layout:?}");
    }
    assert!(convert::from_rgba(PictureLayout::Rgba8).is_none());
    assert_eq!(
        convert::from_rgba(PictureLayout::I420).map(|conversion| conversion.name),
        Some("rgba_to_i420")
    );
}

#[test]
fn every_order_of_red_green_blue_becomes_opaque_rgba() {
    for (layout, pixel) in [
        (PictureLayout::Rgb8, &[1, 2, 3][..]),
        (PictureLayout::Bgr8, &[3, 2, 1]),
        (PictureLayout::Rgbx8, &[1, 2, 3, 0]),
        (PictureLayout::Bgrx8, &[3, 2, 1, 0]),
        (PictureLayout::Xrgb8, &[0, 1, 2, 3]),
        (PictureLayout::Xbgr8, &[0, 3, 2, 1]),
    ] {
        let format = PictureFormat { size: Size::new(3, 2), layout, color: ColorSpace::default() };
        let picture = Picture { format, timestamp: Timestamp(0), data: pixel.repeat(6) };
        assert_eq!(cpu::to_rgba(&picture), [1, 2, 3, 255].repeat(6), "{layout:?}");
    }
}

/// A mosaic of one colour, whose channels are fractions of the largest number.
fn mosaic(pattern: BayerPattern, samples: BayerSamples, size: Size, rgb: [f64; 3]) -> Picture {
    let layout = PictureLayout::Bayer(pattern, samples);
    let format = PictureFormat { size, layout, color: ColorSpace::default() };
    let largest = f64::from((1_u32 << samples.bits()) - 1);
    let (column, row) = pattern.red();
    let mut data = vec![0; format.bytes()];
    for (x, y) in (0..size.height).flat_map(|y| (0..size.width).map(move |x| (x, y))) {
        let channel = usize::from(x % 2 != column) + usize::from(y % 2 != row);
        let number = (rgb[channel] * largest).round() as u16;
        let row = &mut data[y as usize
            * format.layout.planes(size)[0].0.width as usize
            * format.layout.planes(size)[0].1.bytes_per_texel()..];
        let x = x as usize;
        match samples.group() as usize {
            0 if samples == BayerSamples::Bits8 => row[x] = number as u8,
            0 => row[2 * x..][..2].copy_from_slice(&number.to_le_bytes()),
            group => {
                let (bytes, lower) = (&mut row[x / group * (group + 1)..][..=group], samples.bits() - 8);
                bytes[x % group] = (number >> lower) as u8;
                bytes[group] |= ((number & ((1 << lower) - 1)) as u8) << (lower as usize * (x % group));
            }
        }
    }
    Picture { format, timestamp: Timestamp(0), data }
}

#[test]
fn a_mosaic_of_one_colour_is_that_colour_up_to_the_border_however_it_is_stored() {
    for pattern in BayerPattern::ALL {
        for samples in BayerSamples::ALL {
            for size in [Size::new(9, 7), Size::new(4, 4), Size::new(2, 2)] {
                let rgb = [200.0, 60.0, 10.0];
                let found = cpu::to_rgba(&mosaic(pattern, samples, size, rgb.map(|value| value / 255.0)));
                // The mirror of the smallest block has no second sample of a colour: only what was sampled is known there.
                let is_known = |pixel: &[u8]| pixel == [200, 60, 10, 255] || size.width < 3;
                assert!(found.chunks(4).all(is_known), "{pattern:?} {samples:?} {size}: {found:?}");
            }
        }
    }
}

#[test]
fn the_gradient_of_one_colour_sharpens_another() {
    // Red is flat and green is a step: where red has to be guessed, the step corrects it, by a weight of the paper.
    let size = Size::new(8, 8);
    let mut picture = mosaic(BayerPattern::Grbg, BayerSamples::Bits8, size, [0.5, 0.25, 0.5]);
    let at = 4 * 8 + 4;
    picture.data[at] = 104;
    let red = f64::from(cpu::to_rgba(&picture)[at * 4]);
    assert!((red - (128.0 + 5.0 / 8.0 * (104.0 - 64.0))).abs() <= 0.51, "{red}");
}

#[test]
fn the_counter_of_the_bars_is_read_back() {
    let size = Size::new(240, 24);
    for number in [0_u32, 1, 0b1010_0110, 0xff_ffff] {
        let mut rgba = vec![128; size.pixels() * 4];
        for y in 22..24 {
            for x in 0..240 {
                let bit = number >> (23 - x / 10) & 1;
                rgba[(y * 240 + x) * 4..][..4].fill(if bit == 1 { 250 } else { 5 });
            }
        }
        assert_eq!(generate::frame_number(&rgba, size), Some(number));
        rgba.fill(128);
        assert_eq!(generate::frame_number(&rgba, size), None);
    }
    assert!(generate::source("no such source").is_none());
}
