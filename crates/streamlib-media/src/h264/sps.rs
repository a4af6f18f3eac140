//! Sequence parameter sets: what a stream's pictures are (ITU-T H.264 §7.3.2.1, Annex E).

use streamlib_core::format::Size;

use super::bits::{BitReader, BitWriter};

/// What a sequence parameter set says that matters here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Sps {
    /// `profile_idc`.
    pub(crate) profile: u8,
    /// 0 grey, 1 4:2:0, 2 4:2:2, 3 4:4:4.
    pub(crate) chroma_format: u32,
    /// Bits of a luma sample.
    pub(crate) bit_depth: u32,
    /// Whether every picture is a whole frame; false for interlaced streams.
    pub(crate) frames_only: bool,
    /// Size after cropping.
    pub(crate) size: Size,
    /// `matrix_coefficients` of the VUI, if stated.
    pub(crate) matrix: Option<u8>,
    /// `video_full_range_flag` of the VUI, if stated.
    pub(crate) full_range: Option<bool>,
}

/// Profiles whose parameter sets carry chroma format, bit depth and scaling lists.
fn has_format_fields(profile: u8) -> bool {
    matches!(profile, 100 | 110 | 122 | 244 | 44 | 83 | 86 | 118 | 128 | 138 | 139 | 134 | 135)
}

impl Sps {
    /// Reads a NAL unit of type 7, header byte included. `None` when it is malformed.
    pub(crate) fn parse(nal: &[u8]) -> Option<Self> {
        let rbsp = unescape(nal.get(1..)?);
        let mut bits = BitReader::new(&rbsp);
        let profile = bits.bits(8)? as u8;
        bits.bits(16)?;
        bits.unsigned()?;
        let (mut chroma_format, mut bit_depth) = (1, 8);
        if has_format_fields(profile) {
            chroma_format = bits.unsigned()?;
            if chroma_format == 3 {
                bits.bit()?;
            }
            bit_depth = bits.unsigned()?.checked_add(8)?;
            bits.unsigned()?;
            bits.bit()?;
            if bits.bit()? {
                skip_scaling_lists(&mut bits, if chroma_format == 3 { 12 } else { 8 })?;
            }
        }
        bits.unsigned()?;
        skip_order_count(&mut bits)?;
        bits.unsigned()?;
        bits.bit()?;
        let columns = bits.unsigned()?.checked_add(1)?;
        let rows = bits.unsigned()?.checked_add(1)?;
        let frames_only = bits.bit()?;
        if !frames_only {
            bits.bit()?;
        }
        bits.bit()?;
        let row_units = if frames_only { 1 } else { 2 };
        let width = columns.checked_mul(16)?;
        let height = rows.checked_mul(16 * row_units)?;
        let mut size = Size::new(width, height);
        if bits.bit()? {
            let crop = [bits.unsigned()?, bits.unsigned()?, bits.unsigned()?, bits.unsigned()?];
            let unit_x = if matches!(chroma_format, 1 | 2) { 2 } else { 1 };
            let unit_y = row_units * if chroma_format == 1 { 2 } else { 1 };
            let across = crop[0].checked_add(crop[1])?.checked_mul(unit_x)?;
            let down = crop[2].checked_add(crop[3])?.checked_mul(unit_y)?;
            size = Size::new(width.checked_sub(across)?, height.checked_sub(down)?);
        }
        if size.width == 0 || size.height == 0 {
            return None;
        }
        let (full_range, matrix) = if bits.bit()? { colour(&mut bits)? } else { (None, None) };
        Some(Self { profile, chroma_format, bit_depth, frames_only, size, matrix, full_range })
    }
}

fn skip_scaling_lists(bits: &mut BitReader<'_>, lists: u32) -> Option<()> {
    for list in 0..lists {
        if !bits.bit()? {
            continue;
        }
        let (mut last, mut next) = (8, 8);
        for _ in 0..if list < 6 { 16 } else { 64 } {
            if next != 0 {
                next = (last + bits.signed()?.clamp(-256, 256)).rem_euclid(256);
            }
            if next != 0 {
                last = next;
            }
        }
    }
    Some(())
}

fn skip_order_count(bits: &mut BitReader<'_>) -> Option<()> {
    match bits.unsigned()? {
        0 => {
            bits.unsigned()?;
        }
        1 => {
            bits.bit()?;
            bits.signed()?;
            bits.signed()?;
            for _ in 0..bits.unsigned()?.min(255) {
                bits.signed()?;
            }
        }
        _ => {}
    }
    Some(())
}

/// The colour description at the start of the VUI: range and matrix.
fn colour(bits: &mut BitReader<'_>) -> Option<(Option<bool>, Option<u8>)> {
    const EXTENDED_ASPECT: u32 = 255;
    if bits.bit()? && bits.bits(8)? == EXTENDED_ASPECT {
        bits.bits(32)?;
    }
    if bits.bit()? {
        bits.bit()?;
    }
    if !bits.bit()? {
        return Some((None, None));
    }
    bits.bits(3)?;
    let full_range = bits.bit()?;
    let matrix = if bits.bit()? {
        bits.bits(16)?;
        Some(bits.bits(8)? as u8)
    } else {
        None
    };
    Some((Some(full_range), matrix))
}

/// Rewrites a parameter set so that OpenH264 hands out every picture as soon as it is decoded.
///
/// For Main and High profile its decoder holds pictures back and guesses their order from slice types and order
/// counts. The container states that order exactly. Its decoder does not reorder for `profile_idc` 83 (scalable
/// baseline), whose tools and syntax it decodes like those of High, so that is what it is told.
pub(crate) fn without_reordering(nal: &[u8]) -> Option<Vec<u8>> {
    const HIGH: u8 = 100;
    const MAIN: u8 = 77;
    const EXTENDED: u8 = 88;
    const NO_REORDERING: u8 = 83;
    let mut nal = nal.to_vec();
    match *nal.get(1)? {
        HIGH => nal[1] = NO_REORDERING,
        MAIN | EXTENDED => {
            let rbsp = unescape(&nal[1..]);
            let mut from = BitReader::new(&rbsp);
            let mut to = BitWriter::default();
            from.bits(8)?;
            to.bits(u32::from(NO_REORDERING), 8);
            to.bits(from.bits(16)?, 16);
            to.unsigned(from.unsigned()?);
            // 4:2:0, 8 bits, no lossless bypass, no scaling lists: what Main profile implies.
            to.unsigned(1);
            to.unsigned(0);
            to.unsigned(0);
            to.bits(0, 2);
            for _ in 0..from.left()? {
                to.bit(from.bit()?);
            }
            nal.truncate(1);
            escape(&to.finish(), &mut nal);
        }
        _ => {}
    }
    Some(nal)
}

/// Removes emulation prevention bytes.
fn unescape(payload: &[u8]) -> Vec<u8> {
    let mut rbsp = Vec::with_capacity(payload.len());
    let mut zeros = 0;
    for &byte in payload {
        if zeros >= 2 && byte == 3 {
            zeros = 0;
            continue;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        rbsp.push(byte);
    }
    rbsp
}

/// Appends `rbsp` with emulation prevention bytes.
fn escape(rbsp: &[u8], out: &mut Vec<u8>) {
    let mut zeros = 0;
    for &byte in rbsp {
        if zeros >= 2 && byte <= 3 {
            out.push(3);
            zeros = 0;
        }
        zeros = if byte == 0 { zeros + 1 } else { 0 };
        out.push(byte);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// x264, High profile, 1920x1080 (coded as 1088 rows), BT.709 limited.
    const HIGH_1080: &[u8] = &[
        0x67, 0x64, 0x00, 0x28, 0xac, 0xd9, 0x40, 0x78, 0x02, 0x27, 0xe5, 0xc0, 0x5a, 0x80, 0x80, 0x80, 0xa0,
        0x00, 0x00, 0x7d, 0x20, 0x00, 0x1d, 0x4c, 0x11, 0xe3, 0x06, 0x32, 0xc0,
    ];

    #[test]
    fn cropping_gives_the_visible_size() {
        let sps = Sps::parse(HIGH_1080).expect("a well-formed parameter set");
        assert_eq!(sps.size, Size::new(1920, 1080));
        assert_eq!((sps.profile, sps.chroma_format, sps.bit_depth), (100, 1, 8));
        assert!(sps.frames_only);
    }

    #[test]
    fn a_cut_parameter_set_is_refused_at_every_length() {
        for length in 0..12 {
            assert_eq!(Sps::parse(&HIGH_1080[..length]), None, "{length} bytes");
        }
    }

    #[test]
    fn emulation_prevention_round_trips() {
        let rbsp = [0, 0, 0, 1, 0, 0, 3, 0, 0, 2, 9];
        let mut escaped = Vec::new();
        escape(&rbsp, &mut escaped);
        assert_eq!(unescape(&escaped), rbsp);
    }
}
