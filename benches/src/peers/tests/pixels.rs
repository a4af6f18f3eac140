//! The reference against values worked out by hand, and the judge.

use streamlib::format::Size;
use streamlib::media::convert::cpu;
use streamlib::picture::{Picture, PictureFormat, PictureLayout};

use super::request;
use crate::peers::judge::{PixelErrors, Tolerance};
use crate::peers::pictures;
use crate::peers::protocol::Work;
use crate::peers::reference::{COLOR, Reference, weights};

fn assert_close(found: [f64; 3], expected: [f64; 3]) {
    let is_close = found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 5e-6);
    assert!(is_close, "{found:?} is not {expected:?}");
}

/// One colour everywhere.
fn plain(width: u32, height: u32, color: [u8; 3]) -> Vec<u8> {
    let [r, g, b] = color;
    [r, g, b, 255].repeat((width * height) as usize)
}

#[test]
fn the_blur_keeps_a_plain_colour_and_tints_it() {
    let request = request(Work::Blur, 16, 1);
    let input = plain(16, 1, [255, 255, 51]);
    assert_close(Reference::new(&request, &input).pixel(0, 0), [1.0, 0.72, 0.09]);
}

#[test]
fn the_blur_of_a_dot_shows_its_weights() {
    let request = request(Work::Blur, 16, 1);
    let mut input = plain(16, 1, [0; 3]);
    input[8 * 4] = 255;
    let reference = Reference::new(&request, &input);
    // exp(-1/8 · i²) over its sum for i of -4..=4, which is 4.898 031.
    assert_close(reference.pixel(8, 0), [0.204_164, 0.0, 0.0]);
    assert_close(reference.pixel(9, 0), [0.180_174, 0.0, 0.0]);
    assert_close(reference.pixel(12, 0), [0.027_631, 0.0, 0.0]);
    assert_close(reference.pixel(13, 0), [0.0; 3]);
    assert!((weights().iter().sum::<f64>() - 1.0).abs() < 1e-12);
}

#[test]
fn the_blur_repeats_the_edge() {
    let request = request(Work::Blur, 16, 1);
    let mut input = plain(16, 1, [0; 3]);
    input[0] = 255;
    let (weights, reference) = (weights(), Reference::new(&request, &input));
    assert_close(reference.pixel(0, 0), [weights[..=4].iter().sum(), 0.0, 0.0]);
}

#[test]
fn a_new_shader_is_judged_by_the_tint_of_its_last_text() {
    let mut request = request(Work::Shader, 16, 1);
    request.tints = vec![[0.1, 0.1, 0.1], [0.5, 1.0, 0.0]];
    let input = plain(16, 1, [255; 3]);
    assert_close(Reference::new(&request, &input).pixel(3, 0), [0.5, 1.0, 0.0]);
}

#[test]
fn the_chain_of_a_grey_is_what_it_is_by_hand() {
    // Grey has neither saturation nor hue:
    // (51/255 + 0.15 - 0.5) · 1.5 + 0.5 = 0.275; 0.275^(1/1.8) = 0.488 084; sepia's rows sum to 1.351, 1.203, 0.937.
    let request = request(Work::ChainFused, 2, 2);
    let input = plain(2, 2, [51; 3]);
    let grey = 0.275_f64.powf(1.0 / 1.8);
    let found = Reference::new(&request, &input).pixel(0, 0);
    // At a quarter of two pixels the way to the corner is half gone: t = (0.5 - 0.35) / 0.65.
    let t: f64 = 0.15 / 0.65;
    let kept = 1.0 - 0.85 * t * t * (3.0 - 2.0 * t);
    assert_close(found, [grey * 1.351 * kept, grey * 1.203 * kept * 0.72, grey * 0.937 * kept * 0.45]);
}

#[test]
fn the_chain_turns_red_into_a_dark_ochre() {
    // Brighter and with more contrast red is red again; hue-rotate(120deg) makes (-0.365, 0.443 342, -0.362) of it,
    // clamped; 0.443 342^(1/1.8) = 0.636 420; sepia's second column and the tint do the rest. No shade in the middle.
    let request = request(Work::ChainFused, 64, 64);
    let input = plain(64, 64, [255, 0, 0]);
    let found = Reference::new(&request, &input).pixel(32, 32);
    assert_close(found, [0.489_407, 0.314_341, 0.152_932]);
}

#[test]
fn as_passes_every_value_in_between_is_a_byte() {
    // 1/255 + 0.15 is 39.25 codes, stored as 39; · 1.5 - 63.75 is below 0. 200: 238.25 → 238 → 293 → white.
    let request = request(Work::ChainPasses, 2, 2);
    let dark = plain(2, 2, [1; 3]);
    assert_close(Reference::new(&request, &dark).pixel(0, 0), [0.0; 3]);
    let middle = plain(2, 2, [52; 3]);
    // 90.25 → 90 → 71.25 → 71 → 255 · (71/255)^(1/1.8) = 125.37 → 125 → 168.875, 150.375, 117.125 → 169, 150, 117.
    let t: f64 = 0.15 / 0.65;
    let kept = 1.0 - 0.85 * t * t * (3.0 - 2.0 * t);
    let shaded = [169.0, 150.0, 117.0].map(|code: f64| (code * kept).round() / 255.0);
    let expected = [shaded[0], shaded[1] * 0.72, shaded[2] * 0.45];
    assert_close(Reference::new(&request, &middle).pixel(0, 0), expected);
}

#[test]
fn conversions_agree_with_the_published_codes() {
    // BT.601, limited: 235, 128, 128 is white, and 81, 90, 240 is red.
    let white = request(Work::Yuyv, 2, 1);
    assert_close(Reference::new(&white, &[235, 128, 235, 128]).pixel(1, 0), [1.0; 3]);
    let red = request(Work::Nv12, 2, 2);
    let found = Reference::new(&red, &[81, 81, 81, 81, 90, 240]).pixel(1, 1);
    assert!(found[0] > 0.99 && found[1] < 0.01 && found[2] < 0.01, "{found:?}");
}

#[test]
fn conversions_agree_with_the_media_crates_twin() {
    for (work, layout) in [(Work::Yuyv, PictureLayout::Yuyv), (Work::Nv12, PictureLayout::Nv12)] {
        let size = Size::new(64, 32);
        let data = pictures::make(work, size, 7);
        let request = request(work, size.width, size.height);
        let format = PictureFormat { size, layout, color: COLOR };
        let twin = cpu::to_rgba(&Picture { format, timestamp: Default::default(), data: data.clone() });
        let errors = PixelErrors::of(&twin, &Reference::new(&request, &data), size.width).unwrap();
        assert!(errors.max_codes <= 0.5 + 1e-9, "{work:?}: {errors:?}");
    }
}

#[test]
fn a_program_that_repeats_chroma_is_within_the_tolerance() {
    let size = Size::new(640, 360);
    let data = pictures::make(Work::Nv12, size, 1);
    let request = request(Work::Nv12, size.width, size.height);
    let reference = Reference::new(&request, &data);
    let mut pixels = Vec::new();
    for index in 0..size.pixels() {
        let (x, y) = (index % 640, index / 640);
        let at = size.pixels() + (y / 2 * 320 + x / 2) * 2;
        let codes = [data[index], data[at], data[at + 1]].map(|code| f64::from(code) / 255.0);
        pixels.extend(COLOR.rgb_from_yuv().apply(codes).map(|v| (v.clamp(0.0, 1.0) * 255.0).round() as u8));
        pixels.push(255);
    }
    let errors = PixelErrors::of(&pixels, &reference, size.width).unwrap();
    assert!(errors.are_within(Tolerance::SINGLE), "{errors:?}");
}

#[test]
fn one_wrong_pixel_is_seen_and_so_is_a_short_file() {
    let request = request(Work::Blur, 16, 2);
    let input = plain(16, 2, [255; 3]);
    let reference = Reference::new(&request, &input);
    let mut pixels = [255, 184, 115, 255].repeat(32);
    let errors = PixelErrors::of(&pixels, &reference, 16).unwrap();
    assert!(errors.are_within(Tolerance::SINGLE) && errors.max_codes < 0.5, "{errors:?}");
    pixels[4] = 250;
    let errors = PixelErrors::of(&pixels, &reference, 16).unwrap();
    assert!(!errors.are_within(Tolerance::SINGLE));
    assert!((errors.max_codes - 5.0).abs() < 1e-9 && (errors.far_share - 1.0 / 96.0).abs() < 1e-9);
    assert!(PixelErrors::of(&pixels[4..], &reference, 16).unwrap_err().contains("124 bytes"));
    pixels[3] = 0;
    assert!(PixelErrors::of(&pixels, &reference, 16).unwrap_err().contains("alpha 0"));
}

#[test]
fn pictures_come_from_their_seed_alone() {
    let size = Size::new(32, 8);
    for (work, bytes) in [(Work::Blur, 1024), (Work::Yuyv, 512), (Work::Nv12, 384), (Work::Graph, 0)] {
        let picture = pictures::make(work, size, 3);
        assert_eq!(picture.len(), bytes);
        assert_eq!(picture, pictures::make(work, size, 3));
        assert!(bytes == 0 || picture != pictures::make(work, size, 4), "{work:?}");
    }
}
