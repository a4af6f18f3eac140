//! What a reader says about a stream, what a writer is told, and the two traits.

use std::path::PathBuf;

use streamlib_core::color::ColorSpace;
use streamlib_core::format::Size;
use streamlib_core::frame::Timestamp;
use streamlib_core::picture::{Picture, PictureFormat};

use crate::audio::AudioTrack;
use crate::error::{ReadError, WriteError};

/// What is known of a stream before its first frame is read.
#[derive(Clone, Debug)]
pub struct StreamInfo {
    /// Size, plane layout and colour of every picture.
    pub format: PictureFormat,
    /// Nominal frames per second, as a fraction; the commonest one where the rate varies.
    pub frame_rate: Option<(u32, u32)>,
    /// Number of frames that will be read, when the container says.
    pub frames: Option<u64>,
    /// From the first frame's start to the last frame's end.
    pub duration: Option<Timestamp>,
    /// `MP4`, `PNG`, `JPEG`, `Y4M`, `PNG sequence`, `JPEG sequence`.
    pub container: &'static str,
    /// `H.264`, `PNG`, `JPEG`, `raw`.
    pub codec: &'static str,
    /// Sound beside the pictures.
    pub audio: AudioInfo,
    /// Whether this is one picture and no video.
    pub is_still: bool,
}

/// The sound of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AudioInfo {
    /// There is none.
    None,
    /// It can be copied unchanged into an MP4 file: see [`audio_of`](crate::audio_of).
    PassThrough {
        /// Sample entry of the track, such as `mp4a`.
        codec: String,
        /// Tracks beyond the first, which are not copied.
        further_tracks: usize,
    },
    /// It cannot be copied.
    Unsupported {
        /// Sample entry of the track.
        codec: String,
        /// Why not.
        reason: String,
    },
}

/// Reads the frames of a file in presentation order.
pub trait VideoReader: Send {
    /// What is known of the stream.
    fn info(&self) -> &StreamInfo;

    /// Reads the next frame into `into`, reusing its allocation. Times count from the first frame, exact from the
    /// container's ticks to the nanosecond. Returns `false`, and leaves `into` alone, after the last frame.
    ///
    /// # Errors
    /// When the file cannot be read, ends early, or holds a frame that cannot be decoded.
    fn read(&mut self, into: &mut Picture) -> Result<bool, ReadError>;
}

/// Writes frames to a file, which appears under its name only when it is finished.
pub trait VideoWriter: Send {
    /// The only format that [`write`](Self::write) takes.
    fn picture_format(&self) -> PictureFormat;

    /// Appends one frame. Video takes strictly increasing times; the first may be any.
    ///
    /// # Errors
    /// When the picture does not fit, the time does not increase, the encoder fails, or the disk does.
    fn write(&mut self, picture: &Picture) -> Result<(), WriteError>;

    /// Completes the file and gives it its name. Dropping a writer instead leaves nothing behind.
    ///
    /// # Errors
    /// When there was no frame, or the disk fails; nothing is left behind then either.
    fn finish(self: Box<Self>) -> Result<Written, WriteError>;
}

/// How well a lossy format keeps the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Quality {
    /// Constant quantiser of H.264, 0 (best) to 51, where 0 to 12 are the same; for JPEG it is mapped to a quality of 100 to 80.
    Quantizer(u8),
    /// Bits per second, for H.264 only.
    Bitrate(u32),
}

impl Default for Quality {
    /// Visually lossless: above 40 dB on camera video.
    fn default() -> Self {
        Self::Quantizer(20)
    }
}

/// What [`create`](crate::create) is to write.
#[derive(Clone, Debug)]
pub struct OutputOptions {
    /// Size of every picture.
    pub size: Size,
    /// Nominal frames per second as a fraction. MP4 keeps every frame's own time whatever this says; Y4M, which has
    /// no times, is written at this rate (30 when absent).
    pub frame_rate: Option<(u32, u32)>,
    /// How YCbCr is to be made from RGB; MP4 and Y4M state it in the file.
    pub color: ColorSpace,
    /// Of H.264 and JPEG.
    pub quality: Quality,
    /// Sound to copy into an MP4 file; for any other format [`Written::notices`] says that it was left out.
    pub audio: Option<AudioTrack>,
}

impl OutputOptions {
    /// The defaults for pictures of `size`: the colour space that players assume for it, no stated rate, no sound.
    #[must_use]
    pub fn new(size: Size) -> Self {
        let matrix = streamlib_core::color::YuvMatrix::assumed_for_height(size.height);
        let color = ColorSpace { matrix, ..ColorSpace::default() };
        Self { size, frame_rate: None, color, quality: Quality::default(), audio: None }
    }
}

/// What was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// Frames.
    pub frames: u64,
    /// Bytes of all files together.
    pub bytes: u64,
    /// The files, in order.
    pub paths: Vec<PathBuf>,
    /// From the first frame's start to the last frame's end.
    pub duration: Timestamp,
    /// What the user should be told.
    pub notices: Vec<Notice>,
}

/// Something that a format could not keep.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Notice {
    /// The format has no sound.
    AudioLeftOut {
        /// What was left out.
        codec: String,
        /// Where from.
        container: &'static str,
    },
    /// The format has no times of its own, so frames that were not evenly spaced now are.
    TimesLeftOut {
        /// Frames per second that were written, as a fraction.
        frame_rate: (u32, u32),
    },
}

impl std::fmt::Display for Notice {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::AudioLeftOut { codec, container } => {
                write!(f, "the {codec} sound was left out: {container} holds none; write .mp4 to keep it")
            }
            Self::TimesLeftOut { frame_rate: (num, den) } => write!(
                f,
                "the frames were not evenly spaced in time, but are written as {num}/{den} per second; \
                 write .mp4 to keep their times"
            ),
        }
    }
}
