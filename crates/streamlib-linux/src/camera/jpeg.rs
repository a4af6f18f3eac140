//! Pictures that come as JPEG files, one by one (MJPEG).

use streamlib_core::format::Size;
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// Beginning and end of a file without anything between.
pub(super) const SHORTEST: usize = 4;

const START: [u8; 2] = [0xff, 0xd8];
const END: [u8; 2] = [0xff, 0xd9];
const HUFFMAN_TABLES: u8 = 0xc4;
const SCAN: u8 = 0xda;

/// What says that the tables are the standard's, which cameras leave out: the first segment of AVI's JPEG files.
const STANDARD_TABLES: [u8; 9] = [0xff, 0xe0, 0, 7, b'A', b'V', b'I', b'1', 0];

/// Decodes a file that holds a picture of `size` to opaque RGBA in `into`; `false` when it is damaged or holds another.
pub(super) fn decode(file: &[u8], size: Size, into: &mut Vec<u8>) -> bool {
    // Some cameras fill up what they send. A file without an end was cut off, and would be decoded up to there.
    let used = file.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    let file = &file[..used];
    if !file.starts_with(&START) || !file.ends_with(&END) {
        return false;
    }
    if has_tables(file) {
        return decode_complete(file, size, into);
    }
    decode_complete(&[&START, &STANDARD_TABLES[..], &file[START.len()..]].concat(), size, into)
}

fn decode_complete(file: &[u8], size: Size, into: &mut Vec<u8>) -> bool {
    let (width, height) = (size.width as usize, size.height as usize);
    let options = DecoderOptions::default()
        .set_max_width(width)
        .set_max_height(height)
        .jpeg_set_out_colorspace(ColorSpace::RGBA);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(file), options);
    if decoder.decode_headers().is_err() || decoder.dimensions() != Some((width, height)) {
        return false;
    }
    into.resize(width * height * 4, 0);
    decoder.output_buffer_size() == Some(into.len()) && decoder.decode_into(into).is_ok()
}

/// Whether the file brings its own Huffman tables.
fn has_tables(file: &[u8]) -> bool {
    let mut rest = &file[START.len()..];
    while let [0xff, kind, high, low, ..] = *rest {
        match kind {
            HUFFMAN_TABLES => return true,
            SCAN => return false,
            _ => {}
        }
        let length = 2 + usize::from(u16::from_be_bytes([high, low]));
        rest = rest.get(length..).unwrap_or_default();
    }
    // Not understood here; the decoder will say.
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: Size = Size::new(40, 24);

    /// A ramp of red over one of green, and its file.
    fn file() -> (Vec<u8>, Vec<u8>) {
        let pixel = |x: u32, y: u32| [(x * 6) as u8, (y * 10) as u8, 90];
        let rgb: Vec<u8> =
            (0..SIZE.height).flat_map(|y| (0..SIZE.width).flat_map(move |x| pixel(x, y))).collect();
        let mut file = Vec::new();
        image::codecs::jpeg::JpegEncoder::new_with_quality(&mut file, 95)
            .encode(&rgb, SIZE.width, SIZE.height, image::ExtendedColorType::Rgb8)
            .unwrap();
        (rgb, file)
    }

    fn decoded(file: &[u8]) -> Option<Vec<u8>> {
        let mut into = Vec::new();
        decode(file, SIZE, &mut into).then_some(into)
    }

    fn assert_close(rgba: &[u8], rgb: &[u8]) {
        let pixels = rgba.chunks(4).zip(rgb.chunks(3));
        for (found, expected) in pixels {
            let close = found.iter().zip(expected).all(|(a, b)| a.abs_diff(*b) < 12);
            assert!(close && found[3] == 255, "{found:?} is not {expected:?}");
        }
    }

    /// The file without its segments of Huffman tables.
    fn without_tables(file: &[u8]) -> Vec<u8> {
        let mut kept = file[..2].to_vec();
        let mut rest = &file[2..];
        while rest[1] != SCAN {
            let length = 2 + usize::from(u16::from_be_bytes([rest[2], rest[3]]));
            if rest[1] != HUFFMAN_TABLES {
                kept.extend(&rest[..length]);
            }
            rest = &rest[length..];
        }
        [&kept, rest].concat()
    }

    #[test]
    fn a_file_is_decoded_to_opaque_rgba_also_when_it_is_filled_up() {
        let (rgb, file) = file();
        assert_close(&decoded(&file).unwrap(), &rgb);
        assert_close(&decoded(&[&file[..], &[0; 100]].concat()).unwrap(), &rgb);
    }

    #[test]
    fn a_file_without_tables_uses_those_of_the_standard() {
        let (rgb, file) = file();
        let bare = without_tables(&file);
        assert!(bare.len() < file.len() && !has_tables(&bare));
        assert_close(&decoded(&bare).unwrap(), &rgb);
    }

    #[test]
    fn a_file_that_was_cut_off_anywhere_is_damaged() {
        let (_, file) = file();
        for length in 0..file.len() {
            assert_eq!(decoded(&file[..length]), None, "{length} bytes");
        }
    }

    #[test]
    fn damage_anywhere_never_panics() {
        let (_, file) = file();
        for at in 0..file.len() {
            for value in [0, 0x55, 0xff] {
                let mut damaged = file.clone();
                damaged[at] = value;
                decoded(&damaged);
            }
        }
    }

    #[test]
    fn a_picture_of_another_size_is_refused() {
        let (_, file) = file();
        let mut into = Vec::new();
        for size in [Size::new(40, 23), Size::new(41, 24), Size::new(400, 240), Size::new(8, 8)] {
            assert!(!decode(&file, size, &mut into), "{size}");
        }
    }
}
