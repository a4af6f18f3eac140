//! Sequences of numbered pictures.

use std::path::PathBuf;

use streamlib_core::frame::Timestamp;
use streamlib_core::picture::{Picture, PictureFormat};

use crate::error::{CreateError, OpenError, ReadError, WriteError};
use crate::open::{Kind, identify};
use crate::partial::{Hidden, PartialFile};
use crate::pattern::Pattern;
use crate::still::{StillFormat, check_format, read_still, rgba, sound_left_out, still_size, write_still};
use crate::stream::{
    AudioInfo, Notice, OutputOptions, Quality, StreamInfo, VideoReader, VideoWriter, Written,
};

/// Frames a second of a sequence, which states none.
const RATE: (u32, u32) = (30, 1);

/// Numbered pictures, from 0 or 1 to the last before a gap.
pub(crate) struct SequenceReader {
    info: StreamInfo,
    pattern: Pattern,
    first: u64,
    read: u64,
    count: u64,
}

impl SequenceReader {
    pub(crate) fn open(pattern: Pattern) -> Result<Self, OpenError> {
        let first =
            (0..=1).find(|&number| pattern.at(number).exists()).ok_or_else(|| OpenError::Sequence {
                what: format!(
                    "neither {} nor {} exists; number the pictures from 0 or 1",
                    pattern.at(0).display(),
                    pattern.at(1).display()
                ),
                pattern: pattern.path().to_owned(),
            })?;
        let count = (first..).take_while(|&number| pattern.at(number).exists()).count() as u64;
        let path = pattern.at(first);
        let (kind, mut file) = identify(&path)?;
        let (container, codec) = match kind {
            Kind::Png => ("PNG sequence", "PNG"),
            Kind::Jpeg => ("JPEG sequence", "JPEG"),
            Kind::Mp4 | Kind::Y4m => {
                let what = format!("{} is no picture; a sequence is of PNG or JPEG files", path.display());
                return Err(OpenError::Sequence { pattern: pattern.path().to_owned(), what });
            }
        };
        let info = StreamInfo {
            format: rgba(still_size(&path, &mut file, kind)?),
            frame_rate: Some(RATE),
            frames: Some(count),
            duration: Some(time_of(count, RATE)),
            container,
            codec,
            audio: AudioInfo::None,
            is_still: false,
        };
        Ok(Self { info, pattern, first, read: 0, count })
    }
}

/// When frame `number` is shown.
fn time_of(number: u64, (num, den): (u32, u32)) -> Timestamp {
    Timestamp::from_ticks(number as i64 * i64::from(den), num)
}

impl VideoReader for SequenceReader {
    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn read(&mut self, into: &mut Picture) -> Result<bool, ReadError> {
        if self.read == self.count {
            return Ok(false);
        }
        let frame = self.read;
        let path = self.pattern.at(self.first + frame);
        let (kind, file) = identify(&path).map_err(|error| match error {
            OpenError::Io { path, source } => ReadError::Io { path, frame, source },
            other => ReadError::Damaged { path: path.clone(), frame, what: other.to_string() },
        })?;
        if !matches!(kind, Kind::Png | Kind::Jpeg) {
            return Err(ReadError::Damaged { path, frame, what: "it is no picture".to_owned() });
        }
        read_still((&path, frame), file, kind, into)?;
        let (expected, found) = (self.info.format.size, into.format.size);
        if found != expected {
            return Err(ReadError::SizeChanged { path, frame, expected, found });
        }
        into.timestamp = time_of(frame, RATE);
        self.read += 1;
        Ok(true)
    }
}

/// Writes every frame as a picture, numbered from 0.
pub(crate) struct SequenceWriter {
    pattern: Pattern,
    still: StillFormat,
    format: PictureFormat,
    quality: Quality,
    rate: (u32, u32),
    notices: Vec<Notice>,
    /// Pictures that are complete, waiting for their names.
    done: Vec<(Hidden, PathBuf)>,
    bytes: u64,
}

impl SequenceWriter {
    pub(crate) fn create(
        pattern: Pattern,
        still: StillFormat,
        options: &OutputOptions,
    ) -> Result<Self, CreateError> {
        // A directory that cannot be written to should be known before the first frame is rendered.
        let first = pattern.at(0);
        drop(PartialFile::create(&first).map_err(|source| CreateError::Io { path: first.clone(), source })?);
        Ok(Self {
            pattern,
            still,
            format: rgba(options.size),
            quality: options.quality,
            rate: options.frame_rate.unwrap_or(RATE),
            notices: sound_left_out(options, still.name()),
            done: Vec::new(),
            bytes: 0,
        })
    }
}

impl VideoWriter for SequenceWriter {
    fn picture_format(&self) -> PictureFormat {
        self.format
    }

    fn write(&mut self, picture: &Picture) -> Result<(), WriteError> {
        let path = self.pattern.at(self.done.len() as u64);
        check_format(&path, self.format, picture)?;
        let failed = |source| WriteError::Io { path: path.clone(), source };
        let mut file = PartialFile::create(&path).map_err(failed)?;
        write_still(&path, self.still, (picture, self.quality), &mut file)?;
        let (hidden, bytes) = file.close().map_err(failed)?;
        self.bytes += bytes;
        self.done.push((hidden, path));
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Written, WriteError> {
        let Self { pattern, done, bytes, notices, rate, .. } = *self;
        if done.is_empty() {
            return Err(WriteError::NoFrames { path: pattern.path().to_owned() });
        }
        let frames = done.len() as u64;
        let mut paths = Vec::with_capacity(done.len());
        for (hidden, path) in done {
            hidden.publish().map_err(|source| WriteError::Io { path: path.clone(), source })?;
            paths.push(path);
        }
        Ok(Written { frames, bytes, paths, duration: time_of(frames, rate), notices })
    }
}
