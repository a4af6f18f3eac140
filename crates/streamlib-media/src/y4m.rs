//! YUV4MPEG2: raw pictures behind one line of text.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use streamlib_core::color::{ColorSpace, YuvMatrix, YuvRange};
use streamlib_core::format::Size;
use streamlib_core::frame::Timestamp;
use streamlib_core::picture::{Picture, PictureFormat, PictureLayout};

use crate::error::{CreateError, OpenError, ReadError, WriteError};
use crate::partial::PartialFile;
use crate::still::{check_format, sound_left_out};
use crate::stream::{AudioInfo, Notice, OutputOptions, StreamInfo, VideoReader, VideoWriter, Written};

/// A header line longer than this is none.
const MAX_LINE: u64 = 4096;
/// What the format's reader in every player assumes where no rate is stated.
const DEFAULT_RATE: (u32, u32) = (25, 1);

/// Frames of a Y4M file.
pub(crate) struct Y4mReader {
    info: StreamInfo,
    path: PathBuf,
    file: BufReader<File>,
    rate: (u32, u32),
    frame: u64,
}

impl Y4mReader {
    pub(crate) fn open(path: &Path, file: File) -> Result<Self, OpenError> {
        let failed = |source| OpenError::Io { path: path.to_owned(), source };
        let length = file.metadata().map_err(failed)?.len();
        let mut file = BufReader::with_capacity(1 << 18, file);
        let header = read_line(&mut file).map_err(failed)?;
        let header = parse_header(path, &header)?;
        let frame_bytes = header.format.bytes() as u64;
        let start = file.buffer().len() as u64;
        // Each frame has at least the six bytes of its own line.
        let frames = length.saturating_sub(start.min(length)).max(length) / (frame_bytes + 6);
        let rate = header.rate;
        let info = StreamInfo {
            format: header.format,
            frame_rate: Some(rate),
            frames: Some(frames),
            duration: Some(time_of(frames, rate)),
            container: "Y4M",
            codec: "raw",
            audio: AudioInfo::None,
            is_still: false,
        };
        Ok(Self { info, path: path.to_owned(), file, rate, frame: 0 })
    }
}

fn time_of(number: u64, (num, den): (u32, u32)) -> Timestamp {
    Timestamp::from_ticks((number as i64).saturating_mul(i64::from(den)), num)
}

/// Reads a line without its end; an overlong one comes back cut.
fn read_line(file: &mut impl BufRead) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    file.take(MAX_LINE).read_until(b'\n', &mut line)?;
    if line.last() == Some(&b'\n') {
        line.pop();
    }
    Ok(line)
}

struct Header {
    format: PictureFormat,
    rate: (u32, u32),
}

fn parse_header(path: &Path, line: &[u8]) -> Result<Header, OpenError> {
    let damaged =
        |what: &str| OpenError::Damaged { path: path.to_owned(), container: "Y4M", what: what.to_owned() };
    let unsupported = |codec: String, advice| OpenError::Codec { path: path.to_owned(), codec, advice };
    let line = std::str::from_utf8(line).map_err(|_| damaged("its header is not text"))?;
    let (mut width, mut height, mut layout) = (None, None, PictureLayout::I420);
    let (mut rate, mut range, mut matrix) = (DEFAULT_RATE, None, None);
    for field in line.split_ascii_whitespace().skip(1) {
        let Some(tag) = field.chars().next() else { continue };
        let value = &field[tag.len_utf8()..];
        match tag {
            'W' => width = value.parse().ok(),
            'H' => height = value.parse().ok(),
            'F' => rate = parse_rate(value).ok_or_else(|| damaged("its frame rate is no fraction"))?,
            'I' if !matches!(value, "p" | "?") => {
                return Err(unsupported("interlaced pictures".to_owned(), "deinterlace it first"));
            }
            'C' => {
                layout = match value {
                    "420jpeg" | "420mpeg2" | "420paldv" | "420" => PictureLayout::I420,
                    "444" => PictureLayout::I444,
                    "mono" => PictureLayout::Grey8,
                    other => {
                        const ADVICE: &str = "convert it to 8-bit 4:2:0, 4:4:4 or grey first";
                        return Err(unsupported(format!("raw pictures of the kind `{other}`"), ADVICE));
                    }
                };
            }
            'X' => match value.split_once('=') {
                Some(("COLORRANGE", "FULL")) => range = Some(YuvRange::Full),
                Some(("COLORRANGE", "LIMITED")) => range = Some(YuvRange::Limited),
                Some(("COLORMATRIX", "BT709")) => matrix = Some(YuvMatrix::Bt709),
                Some(("COLORMATRIX", "BT601")) => matrix = Some(YuvMatrix::Bt601),
                _ => {}
            },
            _ => {}
        }
    }
    let (Some(width @ 1..), Some(height @ 1..)) = (width, height) else {
        return Err(damaged("its header states no width and height"));
    };
    let size = Size::new(width, height);
    if width > crate::MAX_SIDE || height > crate::MAX_SIDE {
        return Err(OpenError::TooLarge { path: path.to_owned(), size });
    }
    let matrix = matrix.unwrap_or(YuvMatrix::assumed_for_height(height));
    let color = ColorSpace { matrix, range: range.unwrap_or(YuvRange::Limited) };
    Ok(Header { format: PictureFormat { size, layout, color }, rate })
}

/// `0:0` says that the rate is unknown.
fn parse_rate(value: &str) -> Option<(u32, u32)> {
    let (num, den) = value.split_once(':')?;
    match (num.parse().ok()?, den.parse().ok()?) {
        (0, 0) => Some(DEFAULT_RATE),
        (num @ 1.., den @ 1..) => Some((num, den)),
        _ => None,
    }
}

impl VideoReader for Y4mReader {
    fn info(&self) -> &StreamInfo {
        &self.info
    }

    fn read(&mut self, into: &mut Picture) -> Result<bool, ReadError> {
        let (path, frame) = (&self.path, self.frame);
        let failed = |source: io::Error| match source.kind() {
            io::ErrorKind::UnexpectedEof => ReadError::Truncated { path: path.clone(), frame },
            _ => ReadError::Io { path: path.clone(), frame, source },
        };
        if self.file.fill_buf().map_err(failed)?.is_empty() {
            return Ok(false);
        }
        let line = read_line(&mut self.file).map_err(failed)?;
        if !line.starts_with(b"FRAME") {
            let what = "its data do not begin with FRAME".to_owned();
            return Err(ReadError::Damaged { path: path.clone(), frame, what });
        }
        into.data.resize(self.info.format.bytes(), 0);
        self.file.read_exact(&mut into.data).map_err(failed)?;
        into.format = self.info.format;
        into.timestamp = time_of(frame, self.rate);
        self.frame += 1;
        Ok(true)
    }
}

/// Writes 4:2:0 pictures.
pub(crate) struct Y4mWriter {
    file: PartialFile,
    path: PathBuf,
    format: PictureFormat,
    rate: (u32, u32),
    notices: Vec<Notice>,
    frames: u64,
    first: Timestamp,
    previous: Option<Timestamp>,
    uneven: bool,
}

impl Y4mWriter {
    pub(crate) fn create(path: &Path, options: &OutputOptions) -> Result<Self, CreateError> {
        let failed = |source| CreateError::Io { path: path.to_owned(), source };
        let rate = options.frame_rate.unwrap_or((30, 1));
        let mut file = PartialFile::create(path).map_err(failed)?;
        let range = if options.color.range == YuvRange::Full { "FULL" } else { "LIMITED" };
        // Readers' patience with the header ends at 96 bytes, so it states only what they would not assume.
        let matrix = match options.color.matrix {
            matrix if matrix == YuvMatrix::assumed_for_height(options.size.height) => "",
            YuvMatrix::Bt709 => " XCOLORMATRIX=BT709",
            YuvMatrix::Bt601 => " XCOLORMATRIX=BT601",
        };
        let header = format!(
            "YUV4MPEG2 W{} H{} F{}:{} Ip C420mpeg2 XCOLORRANGE={range}{matrix}\n",
            options.size.width, options.size.height, rate.0, rate.1
        );
        file.writer().write_all(header.as_bytes()).map_err(failed)?;
        Ok(Self {
            file,
            path: path.to_owned(),
            format: PictureFormat { size: options.size, layout: PictureLayout::I420, color: options.color },
            rate,
            notices: sound_left_out(options, "Y4M"),
            frames: 0,
            first: Timestamp(0),
            previous: None,
            uneven: false,
        })
    }
}

impl VideoWriter for Y4mWriter {
    fn picture_format(&self) -> PictureFormat {
        self.format
    }

    fn write(&mut self, picture: &Picture) -> Result<(), WriteError> {
        check_format(&self.path, self.format, picture)?;
        let found = picture.timestamp;
        if let Some(previous) = self.previous.replace(found) {
            if found <= previous {
                return Err(WriteError::Order { frame: self.frames, previous, found });
            }
        } else {
            self.first = found;
        }
        // Containers round times to their own ticks; a millisecond is below anyone's notice.
        let expected = self.first.0.saturating_add(time_of(self.frames, self.rate).0);
        self.uneven |= found.0.abs_diff(expected) > 1_000_000;
        let writer = self.file.writer();
        let written = writer.write_all(b"FRAME\n").and_then(|()| writer.write_all(&picture.data));
        written.map_err(|source| WriteError::Io { path: self.path.clone(), source })?;
        self.frames += 1;
        Ok(())
    }

    fn finish(self: Box<Self>) -> Result<Written, WriteError> {
        let Self { file, path, rate, mut notices, frames, uneven, .. } = *self;
        if frames == 0 {
            return Err(WriteError::NoFrames { path });
        }
        if uneven {
            notices.push(Notice::TimesLeftOut { frame_rate: rate });
        }
        match file.finish() {
            Ok(bytes) => {
                Ok(Written { frames, bytes, paths: vec![path], duration: time_of(frames, rate), notices })
            }
            Err(source) => Err(WriteError::Io { path, source }),
        }
    }
}
