//! Access units in, pictures out, one for one and in decoding order.

use openh264::OpenH264API;
use openh264::decoder::{DecoderConfig, Flush};
use openh264::formats::YUVSource;
use streamlib_core::format::Size;

use super::sps::without_reordering;

/// Decodes the samples of one track.
pub(crate) struct Decoder {
    decoder: openh264::decoder::Decoder,
    length_size: usize,
    parameter_sets: Vec<Vec<u8>>,
    unit: Vec<u8>,
}

/// Why a sample did not become a picture.
#[derive(Debug)]
pub(crate) enum DecodeError {
    /// The sample's data are wrong.
    Damaged(&'static str),
    /// It is a picture of another size.
    Size(Size),
}

impl Decoder {
    /// `length_size` is the number of bytes of each NAL unit's length; `parameter_sets` go before the first sample.
    pub(crate) fn new(length_size: usize, parameter_sets: Vec<Vec<u8>>) -> Result<Self, openh264::Error> {
        let config = DecoderConfig::new().flush_after_decode(Flush::NoFlush);
        let decoder = openh264::decoder::Decoder::with_api_config(OpenH264API::from_source(), config)?;
        Ok(Self { decoder, length_size, parameter_sets, unit: Vec::new() })
    }

    /// Decodes one sample and puts its planes (4:2:0, tightly packed) into `planes`, which keeps its allocation.
    pub(crate) fn decode(
        &mut self,
        sample: &[u8],
        size: Size,
        planes: &mut Vec<u8>,
    ) -> Result<(), DecodeError> {
        self.unit.clear();
        for nal in std::mem::take(&mut self.parameter_sets) {
            append_unit(&nal, &mut self.unit)?;
        }
        let mut rest = sample;
        while !rest.is_empty() {
            let (length, after) = rest
                .split_at_checked(self.length_size)
                .ok_or(DecodeError::Damaged("a NAL unit's length is cut short"))?;
            let length = length.iter().fold(0, |value, &byte| value << 8 | usize::from(byte));
            let (nal, after) = after
                .split_at_checked(length)
                .ok_or(DecodeError::Damaged("a NAL unit is longer than its sample"))?;
            append_unit(nal, &mut self.unit)?;
            rest = after;
        }
        let picture = self
            .decoder
            .decode(&self.unit)
            .map_err(|_| {
                DecodeError::Damaged("the H.264 data are corrupt, or use a tool that OpenH264 lacks")
            })?
            .ok_or(DecodeError::Damaged("the sample holds no complete picture"))?;
        let (width, height) = picture.dimensions();
        let found = Size::new(width as u32, height as u32);
        if found != size {
            return Err(DecodeError::Size(found));
        }
        planes.clear();
        let (y_stride, u_stride, v_stride) = picture.strides();
        append_rows(picture.y(), y_stride, size, planes);
        append_rows(picture.u(), u_stride, size.halved(), planes);
        append_rows(picture.v(), v_stride, size.halved(), planes);
        Ok(())
    }
}

fn append_rows(plane: &[u8], stride: usize, size: Size, out: &mut Vec<u8>) {
    for row in plane.chunks(stride).take(size.height as usize) {
        out.extend_from_slice(&row[..size.width as usize]);
    }
}

/// Appends one NAL unit in byte stream form (Annex B).
fn append_unit(nal: &[u8], out: &mut Vec<u8>) -> Result<(), DecodeError> {
    const SEQUENCE_PARAMETER_SET: u8 = 7;
    let Some(&header) = nal.first() else { return Ok(()) };
    out.extend_from_slice(&[0, 0, 0, 1]);
    if header & 31 == SEQUENCE_PARAMETER_SET {
        let nal = without_reordering(nal).ok_or(DecodeError::Damaged("a parameter set is malformed"))?;
        out.extend_from_slice(&nal);
    } else {
        out.extend_from_slice(nal);
    }
    Ok(())
}
