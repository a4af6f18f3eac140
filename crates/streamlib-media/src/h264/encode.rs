//! Pictures in, samples for an MP4 track out.

use openh264::OpenH264API;
use openh264::encoder::{
    BitRate, Complexity, EncoderConfig, FrameRate, IntraFramePeriod, QpRange, RateControlMode, UsageType,
    VuiConfig,
};
use openh264::formats::YUVSlices;
use streamlib_core::color::{YuvMatrix, YuvRange};
use streamlib_core::picture::{Picture, PictureFormat};

use crate::stream::Quality;

/// Frames between two that can be decoded on their own: how finely a player can seek.
const KEY_FRAME_PERIOD: u32 = 60;

/// OpenH264 quantises no finer.
const FINEST_QUANTIZER: u8 = 12;

/// Encodes pictures of one format.
pub(crate) struct Encoder {
    encoder: openh264::encoder::Encoder,
    format: PictureFormat,
}

/// One encoded picture.
pub(crate) struct EncodedFrame {
    /// NAL units, each after its length in four bytes; parameter sets left out.
    pub(crate) sample: Vec<u8>,
    /// Whether decoding can start here.
    pub(crate) is_key: bool,
    /// Sequence and picture parameter set, when the encoder stated them before this picture.
    pub(crate) parameter_sets: Option<(Vec<u8>, Vec<u8>)>,
}

impl Encoder {
    pub(crate) fn new(
        format: PictureFormat,
        frame_rate: f32,
        quality: Quality,
    ) -> Result<Self, openh264::Error> {
        let vui = match format.color.matrix {
            YuvMatrix::Bt601 => VuiConfig::bt601(),
            YuvMatrix::Bt709 => VuiConfig::bt709(),
        };
        let (mode, quantizers, bitrate) = match quality {
            Quality::Quantizer(quantizer) => {
                // This mode only moves the quantiser within its range, here of one value, and leaves no frame out; the
                // rate decides the level that the stream declares.
                let quantizer = quantizer.clamp(FINEST_QUANTIZER, 51);
                let bits = (format.size.pixels() as f32 * frame_rate * 0.4) as u32;
                let range = QpRange::new(quantizer, quantizer);
                (RateControlMode::Bufferbased, range, bits.clamp(200_000, 200_000_000))
            }
            Quality::Bitrate(bitrate) => {
                (RateControlMode::Bitrate, QpRange::new(FINEST_QUANTIZER, 51), bitrate)
            }
        };
        let config = EncoderConfig::new()
            .vui(vui.full_range(format.color.range == YuvRange::Full))
            .usage_type(UsageType::CameraVideoRealTime)
            .rate_control_mode(mode)
            .bitrate(BitRate::from_bps(bitrate))
            .qp(quantizers)
            .skip_frames(false)
            .max_frame_rate(FrameRate::from_hz(frame_rate))
            .complexity(Complexity::Low)
            .adaptive_quantization(false)
            .background_detection(false)
            .scene_change_detect(false)
            .intra_frame_period(IntraFramePeriod::from_num_frames(KEY_FRAME_PERIOD));
        let encoder = openh264::encoder::Encoder::with_api_config(OpenH264API::from_source(), config)?;
        Ok(Self { encoder, format })
    }

    /// Encodes a picture of the encoder's format.
    pub(crate) fn encode(&mut self, picture: &Picture) -> Result<EncodedFrame, openh264::Error> {
        let size = self.format.size;
        let planes = self.format.plane_ranges();
        let [y, u, v] = [0, 1, 2].map(|plane: usize| &picture.data[planes[plane].clone()]);
        let (width, half) = (size.width as usize, size.halved().width as usize);
        let slices = YUVSlices::new((y, u, v), (width, size.height as usize), (width, half, half));
        let stream = self.encoder.encode(&slices)?;
        let is_key = matches!(
            stream.frame_type(),
            openh264::encoder::FrameType::IDR | openh264::encoder::FrameType::I
        );
        let mut frame = EncodedFrame { sample: Vec::new(), is_key, parameter_sets: None };
        let (mut sequence, mut pictures) = (None, None);
        let layers = (0..stream.num_layers()).filter_map(|i| stream.layer(i));
        for layer in layers {
            for nal in (0..layer.nal_count()).filter_map(|i| layer.nal_unit(i)) {
                let start = nal.iter().position(|&byte| byte == 1).map_or(nal.len(), |at| at + 1);
                let nal = &nal[start..];
                match nal.first().map(|header| header & 31) {
                    Some(7) => sequence = Some(nal.to_vec()),
                    Some(8) => pictures = Some(nal.to_vec()),
                    Some(_) => {
                        frame.sample.extend_from_slice(&(nal.len() as u32).to_be_bytes());
                        frame.sample.extend_from_slice(nal);
                    }
                    None => {}
                }
            }
        }
        frame.parameter_sets = sequence.zip(pictures);
        Ok(frame)
    }
}
