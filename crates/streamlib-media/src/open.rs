//! Finds out what a file is, by its content, and opens the reader for it.

use std::fs::File;
use std::io::{Read, Seek};
use std::path::Path;

use crate::error::OpenError;
use crate::mp4::Mp4Reader;
use crate::pattern::Pattern;
use crate::sequence::SequenceReader;
use crate::still::StillReader;
use crate::stream::VideoReader;
use crate::y4m::Y4mReader;

/// What a file starts with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Mp4,
    Png,
    Jpeg,
    Y4m,
}

impl Kind {
    fn of(start: &[u8]) -> Option<Self> {
        const BOXES: [&[u8]; 8] = [b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide", b"styp", b"pnot"];
        match start {
            [0x89, b'P', b'N', b'G', ..] => Some(Self::Png),
            [0xff, 0xd8, 0xff, ..] => Some(Self::Jpeg),
            _ if start.starts_with(b"YUV4MPEG2") => Some(Self::Y4m),
            [_, _, _, _, kind @ ..] if BOXES.iter().any(|known| kind.starts_with(known)) => Some(Self::Mp4),
            _ => None,
        }
    }
}

/// Opens a video, a picture, or a sequence of pictures (`frame-%04d.png`) for reading.
///
/// What a file is, is decided by its content: MP4 with H.264 (also fragmented), PNG, JPEG, Y4M. A name with `%d` in
/// it that is no file itself is a sequence of PNG or JPEG pictures, from number 0 or 1 (the lower that exists) to the
/// last before a gap, at 30 frames a second.
///
/// # Errors
/// When the file cannot be read, is damaged or cut short, or holds something that cannot be decoded.
pub fn open(path: &Path) -> Result<Box<dyn VideoReader>, OpenError> {
    if !path.exists()
        && let Some(pattern) = Pattern::parse(path)
    {
        let pattern = pattern.map_err(|what| OpenError::Sequence { pattern: path.to_owned(), what })?;
        return Ok(Box::new(SequenceReader::open(pattern)?));
    }
    let (kind, file) = identify(path)?;
    Ok(match kind {
        Kind::Mp4 => Box::new(Mp4Reader::open(path, file)?),
        Kind::Png | Kind::Jpeg => Box::new(StillReader::open(path, file, kind)?),
        Kind::Y4m => Box::new(Y4mReader::open(path, file)?),
    })
}

/// Whether a file starts as an MP4 file does.
pub(crate) fn is_mp4(path: &Path) -> Result<bool, OpenError> {
    if !path.exists() && Pattern::parse(path).is_some() {
        return Ok(false);
    }
    Ok(identify(path)?.0 == Kind::Mp4)
}

/// Opens a file and says what it is; the file is at its start again.
pub(crate) fn identify(path: &Path) -> Result<(Kind, File), OpenError> {
    let failed = |source| OpenError::Io { path: path.to_owned(), source };
    // Opening a pipe would wait for its other end, and a device need not end.
    let metadata = std::fs::metadata(path).map_err(failed)?;
    if !metadata.is_file() {
        let kind = if metadata.is_dir() { "a directory" } else { "a device or a pipe" };
        return Err(failed(std::io::Error::other(format!("it is {kind}, not a file"))));
    }
    let mut file = File::open(path).map_err(failed)?;
    let mut start = Vec::new();
    (&mut file).take(16).read_to_end(&mut start).map_err(failed)?;
    if start.is_empty() {
        return Err(OpenError::Empty { path: path.to_owned() });
    }
    file.rewind().map_err(failed)?;
    match Kind::of(&start) {
        Some(kind) => Ok((kind, file)),
        None => Err(OpenError::Unknown { path: path.to_owned(), found: describe(&start) }),
    }
}

/// The first bytes, as text if they are.
fn describe(start: &[u8]) -> String {
    if start.iter().all(|byte| byte.is_ascii_graphic() || byte.is_ascii_whitespace()) {
        format!("the text {:?}", String::from_utf8_lossy(start))
    } else {
        let hex: Vec<String> = start.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
        format!("the bytes {}", hex.join(" "))
    }
}
