//! PNG and JPEG pictures.

use std::fs::File;
use std::io::{self, BufReader, Seek, Write};
use std::path::{Path, PathBuf};

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::{CompressionType, FilterType, PngEncoder};
use image::{ExtendedColorType, ImageEncoder, ImageError, ImageFormat, ImageReader, Limits};
use streamlib_core::color::ColorSpace;
use streamlib_core::format::Size;
use streamlib_core::frame::Timestamp;
use streamlib_core::picture::{Picture, PictureFormat, PictureLayout};

use crate::error::{CreateError, OpenError, ReadError, WriteError};
use crate::open::Kind;
use crate::partial::PartialFile;
use crate::stream::{
    AudioInfo, Notice, OutputOptions, Quality, StreamInfo, VideoReader, VideoWriter, Written,
};

/// One picture as a stream of one frame.
pub(crate) struct StillReader {
    info: StreamInfo,
    path: PathBuf,
    file: Option<File>,
    kind: Kind,
}

impl StillReader {
    pub(crate) fn open(path: &Path, mut file: File, kind: Kind) -> Result<Self, OpenError> {
        let size = still_size(path, &mut file, kind)?;
        let name = name(kind);
        let info = StreamInfo {
            format: rgba(size),
            frame_rate: None,
            frames: Some(1),
            duration: None,
            container: name,
            codec: name,
            audio: AudioInfo::None,
            is_still: true,
        };
        Ok(Self { info, path: path.to_owned(), file: Some(file), kind })
    }
}

impl VideoReader for StillReader {
    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn read(&mut self, into: &mut Picture) -> Result<bool, ReadError> {
        let Some(file) = self.file.take() else {
            return Ok(false);
        };
        read_still((&self.path, 0), file, self.kind, into)?;
        into.timestamp = Timestamp(0);
        Ok(true)
    }
}

pub(crate) fn name(kind: Kind) -> &'static str {
    if kind == Kind::Jpeg { "JPEG" } else { "PNG" }
}

pub(crate) fn rgba(size: Size) -> PictureFormat {
    PictureFormat { size, layout: PictureLayout::Rgba8, color: ColorSpace::default() }
}

fn reader(file: File, kind: Kind) -> ImageReader<BufReader<File>> {
    let format = if kind == Kind::Jpeg { ImageFormat::Jpeg } else { ImageFormat::Png };
    ImageReader::with_format(BufReader::new(file), format)
}

/// What the decoder complains of, in one line.
fn complaint(error: &ImageError) -> String {
    error.to_string().trim_end().to_owned()
}

/// Reads the size of a picture and leaves the file at its start.
pub(crate) fn still_size(path: &Path, file: &mut File, kind: Kind) -> Result<Size, OpenError> {
    let failed = |source| OpenError::Io { path: path.to_owned(), source };
    let dimensions = reader(file.try_clone().map_err(failed)?, kind).into_dimensions();
    file.rewind().map_err(failed)?;
    let (width, height) = dimensions.map_err(|error| OpenError::Damaged {
        path: path.to_owned(),
        container: name(kind),
        what: complaint(&error),
    })?;
    let size = Size::new(width, height);
    if width > crate::MAX_SIDE || height > crate::MAX_SIDE {
        return Err(OpenError::TooLarge { path: path.to_owned(), size });
    }
    Ok(size)
}

/// Decodes a whole picture as RGBA; its alpha is kept, grey and palette are expanded, 16 bits are rounded to 8.
pub(crate) fn read_still(
    (path, frame): (&Path, u64),
    file: File,
    kind: Kind,
    into: &mut Picture,
) -> Result<(), ReadError> {
    let mut limits = Limits::default();
    // A picture of the largest size with 16 bits a channel, and as much again for the decoder.
    limits.max_alloc = Some(u64::from(crate::MAX_SIDE).pow(2) * 16);
    limits.max_image_width = Some(crate::MAX_SIDE);
    limits.max_image_height = Some(crate::MAX_SIDE);
    let mut reader = reader(file, kind);
    reader.limits(limits);
    let decoded = reader.decode().map_err(|error| match error {
        ImageError::IoError(source) if source.kind() == std::io::ErrorKind::UnexpectedEof => {
            ReadError::Truncated { path: path.to_owned(), frame }
        }
        ImageError::IoError(source) => ReadError::Io { path: path.to_owned(), frame, source },
        other => ReadError::Damaged { path: path.to_owned(), frame, what: complaint(&other) },
    })?;
    let pixels = decoded.into_rgba8();
    into.format = rgba(Size::new(pixels.width(), pixels.height()));
    into.data = pixels.into_raw();
    Ok(())
}

/// How a picture is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum StillFormat {
    Png,
    Jpeg,
}

impl StillFormat {
    pub(crate) fn of_extension(extension: &str) -> Option<Self> {
        match extension.to_ascii_lowercase().as_str() {
            "png" => Some(Self::Png),
            "jpg" | "jpeg" => Some(Self::Jpeg),
            _ => None,
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Png => "PNG",
            Self::Jpeg => "JPEG",
        }
    }

    /// Encodes a picture in [`rgba`] format.
    pub(crate) fn encode(
        self,
        picture: &Picture,
        quality: Quality,
        to: &mut impl Write,
    ) -> Result<(), ImageError> {
        let Size { width, height } = picture.format.size;
        match self {
            Self::Png => write_png(picture.format.size, &picture.data, to),
            Self::Jpeg => {
                // JPEG has no alpha.
                let rgb: Vec<u8> =
                    picture.data.chunks_exact(4).flat_map(|pixel| [pixel[0], pixel[1], pixel[2]]).collect();
                JpegEncoder::new_with_quality(to, jpeg_quality(quality)).write_image(
                    &rgb,
                    width,
                    height,
                    ExtendedColorType::Rgb8,
                )
            }
        }
    }
}

/// A picture of 8-bit RGBA pixels, rows tightly packed, as a PNG file.
///
/// # Panics
/// When there are not four bytes for each pixel.
#[must_use]
pub fn encode_png(size: Size, rgba: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_png(size, rgba, &mut bytes).expect("memory takes everything");
    bytes
}

fn write_png(size: Size, rgba: &[u8], to: &mut impl Write) -> Result<(), ImageError> {
    PngEncoder::new_with_quality(to, CompressionType::Fast, FilterType::Adaptive).write_image(
        rgba,
        size.width,
        size.height,
        ExtendedColorType::Rgba8,
    )
}

/// A quantiser of 0..=51 as a JPEG quality of 100..=80; a bit rate says nothing about one picture.
fn jpeg_quality(quality: Quality) -> u8 {
    match quality {
        Quality::Quantizer(quantizer) => 100 - quantizer.min(51) * 2 / 5,
        Quality::Bitrate(_) => jpeg_quality(Quality::default()),
    }
}

/// The notice that sound was left out, if there was any.
pub(crate) fn sound_left_out(options: &OutputOptions, container: &'static str) -> Vec<Notice> {
    let sound = options.audio.iter();
    sound.map(|track| Notice::AudioLeftOut { codec: track.codec().to_owned(), container }).collect()
}

/// Writes one picture.
pub(crate) struct StillWriter {
    file: PartialFile,
    path: PathBuf,
    still: StillFormat,
    format: PictureFormat,
    quality: Quality,
    notices: Vec<Notice>,
    written: bool,
}

impl StillWriter {
    pub(crate) fn create(
        path: &Path,
        still: StillFormat,
        options: &OutputOptions,
    ) -> Result<Self, CreateError> {
        let file =
            PartialFile::create(path).map_err(|source| CreateError::Io { path: path.to_owned(), source })?;
        Ok(Self {
            file,
            path: path.to_owned(),
            still,
            format: rgba(options.size),
            quality: options.quality,
            notices: sound_left_out(options, still.name()),
            written: false,
        })
    }
}

impl VideoWriter for StillWriter {
    fn picture_format(&self) -> PictureFormat {
        self.format
    }

    fn write(&mut self, picture: &Picture) -> Result<(), WriteError> {
        check_format(&self.path, self.format, picture)?;
        if self.written {
            let stem = self.path.file_stem().unwrap_or_default().to_string_lossy();
            let extension = self.path.extension().unwrap_or_default().to_string_lossy();
            let suggestion = format!("{stem}-%04d.{extension}");
            return Err(WriteError::SecondFrame { path: self.path.clone(), suggestion });
        }
        self.written = true;
        write_still(&self.path, self.still, (picture, self.quality), &mut self.file)
    }

    fn finish(self: Box<Self>) -> Result<Written, WriteError> {
        let Self { file, path, notices, written, .. } = *self;
        if !written {
            return Err(WriteError::NoFrames { path });
        }
        match file.finish() {
            Ok(bytes) => Ok(Written { frames: 1, bytes, paths: vec![path], duration: Timestamp(0), notices }),
            Err(source) => Err(WriteError::Io { path, source }),
        }
    }
}

/// Encodes one picture into a file.
pub(crate) fn write_still(
    path: &Path,
    still: StillFormat,
    (picture, quality): (&Picture, Quality),
    file: &mut PartialFile,
) -> Result<(), WriteError> {
    // By way of memory: through the encoders' errors, a full disk could not be told from any other failure.
    let mut bytes = Vec::new();
    still
        .encode(picture, quality, &mut bytes)
        .map_err(io::Error::other)
        .and_then(|()| file.writer().write_all(&bytes))
        .map_err(|source| WriteError::Io { path: path.to_owned(), source })
}

/// A writer takes pictures of its own format only.
pub(crate) fn check_format(
    path: &Path,
    expected: PictureFormat,
    picture: &Picture,
) -> Result<(), WriteError> {
    let found = picture.format;
    // The colour space means nothing for RGBA.
    let same = found.size == expected.size
        && found.layout == expected.layout
        && (found.color == expected.color || !expected.layout.is_yuv());
    if same && picture.data.len() == expected.bytes() {
        Ok(())
    } else {
        Err(WriteError::Format { path: path.to_owned(), expected, found })
    }
}
