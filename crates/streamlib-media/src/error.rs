//! What can go wrong with files, one enum per operation family.

use std::io::ErrorKind;
use std::path::PathBuf;

use streamlib_core::format::Size;
use streamlib_core::frame::Timestamp;
use streamlib_core::picture::PictureFormat;

/// Opening a file for reading.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OpenError {
    /// The operating system refused.
    #[error("cannot open {}: {source}; {}", path.display(), advice(source))]
    Io {
        /// File asked for.
        path: PathBuf,
        /// Its reason.
        source: std::io::Error,
    },
    /// There is no byte in it.
    #[error("{} is empty (0 bytes): record or copy it again", path.display())]
    Empty {
        /// File asked for.
        path: PathBuf,
    },
    /// Nothing that this crate reads.
    #[error(
        "{} is not a video or picture that can be read (it starts with {found}); \
         use MP4 with H.264, PNG, JPEG, a picture sequence such as frame-%04d.png, or Y4M",
        path.display()
    )]
    Unknown {
        /// File asked for.
        path: PathBuf,
        /// Its first bytes.
        found: String,
    },
    /// The container or picture contradicts itself.
    #[error("{} is a damaged {container} file: {what}; copy or record it again", path.display())]
    Damaged {
        /// File asked for.
        path: PathBuf,
        /// What it should have been.
        container: &'static str,
        /// What is wrong.
        what: String,
    },
    /// The container promises data beyond the file's end.
    #[error(
        "{} is cut short: {missing} of its {frames} frames lie beyond the end of the file; copy it again",
        path.display()
    )]
    Truncated {
        /// File asked for.
        path: PathBuf,
        /// Frames declared.
        frames: usize,
        /// Frames that are not wholly in the file.
        missing: usize,
    },
    /// A codec, or a kind of it, that cannot be decoded.
    #[error("{} holds {codec}, which cannot be decoded; {advice}", path.display())]
    Codec {
        /// File asked for.
        path: PathBuf,
        /// What was found.
        codec: String,
        /// What to do.
        advice: &'static str,
    },
    /// No video track.
    #[error("{} has no video track (it has: {found})", path.display())]
    NoVideo {
        /// File asked for.
        path: PathBuf,
        /// Tracks that there are.
        found: String,
    },
    /// The samples are encrypted.
    #[error("{} is encrypted; decrypt it first", path.display())]
    Encrypted {
        /// File asked for.
        path: PathBuf,
    },
    /// Larger than any picture accepted.
    #[error(
        "{} declares a picture of {size}; at most {limit}x{limit} is accepted: scale it down first",
        path.display(), limit = crate::MAX_SIDE
    )]
    TooLarge {
        /// File asked for.
        path: PathBuf,
        /// Declared size.
        size: Size,
    },
    /// A picture sequence that cannot be read.
    #[error("{}: {what}", pattern.display())]
    Sequence {
        /// Pattern asked for.
        pattern: PathBuf,
        /// What is wrong and what to do.
        what: String,
    },
}

/// Reading a frame.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReadError {
    /// The operating system refused.
    #[error("cannot read frame {frame} of {}: {source}; {}", path.display(), advice(source))]
    Io {
        /// File being read.
        path: PathBuf,
        /// Frame, in presentation order, from 0.
        frame: u64,
        /// The reason.
        source: std::io::Error,
    },
    /// The file ends inside a frame.
    #[error("{} ends inside frame {frame}: it is cut short, copy it again", path.display())]
    Truncated {
        /// File being read.
        path: PathBuf,
        /// Frame, in presentation order, from 0.
        frame: u64,
    },
    /// The frame's data are wrong.
    #[error("frame {frame} of {} cannot be decoded: {what}", path.display())]
    Damaged {
        /// File being read.
        path: PathBuf,
        /// Frame, in presentation order, from 0.
        frame: u64,
        /// What is wrong.
        what: String,
    },
    /// The picture size changed.
    #[error(
        "frame {frame} of {} is {found}, but the stream started as {expected}; \
         split the file where its size changes",
        path.display()
    )]
    SizeChanged {
        /// File being read.
        path: PathBuf,
        /// Frame, in presentation order, from 0.
        frame: u64,
        /// Size of the stream.
        expected: Size,
        /// Size of this frame.
        found: Size,
    },
}

/// Creating a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum CreateError {
    /// The operating system refused.
    #[error("cannot write {}: {source}; {}", path.display(), advice(source))]
    Io {
        /// File asked for.
        path: PathBuf,
        /// Its reason.
        source: std::io::Error,
    },
    /// The name does not say which format.
    #[error(
        "cannot tell what to write from the name {}; \
         end it in .mp4, .y4m, .png or .jpg, or use a pattern such as frame-%04d.png",
        path.display()
    )]
    UnknownExtension {
        /// File asked for.
        path: PathBuf,
    },
    /// A pattern that cannot be used.
    #[error("{}: {what}", pattern.display())]
    Sequence {
        /// Pattern asked for.
        pattern: PathBuf,
        /// What is wrong and what to do.
        what: String,
    },
    /// A size that the format cannot hold.
    #[error("{} cannot be {size}: {why}", path.display())]
    Size {
        /// File asked for.
        path: PathBuf,
        /// Size asked for.
        size: Size,
        /// The rule, and what to do.
        why: String,
    },
    /// An option out of its range.
    #[error("{option} cannot be {found}; {advice}")]
    Option {
        /// Name.
        option: &'static str,
        /// Value.
        found: String,
        /// What it may be.
        advice: &'static str,
    },
    /// The encoder could not be set up.
    #[error("the H.264 encoder cannot be set up: {what}")]
    Encoder {
        /// Its reason.
        what: String,
    },
}

/// Writing a frame, or finishing a file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WriteError {
    /// The operating system refused.
    #[error("cannot write {}: {source}; {}", path.display(), advice(source))]
    Io {
        /// File being written.
        path: PathBuf,
        /// Its reason.
        source: std::io::Error,
    },
    /// A picture of another format than the writer asked for.
    #[error("{} takes pictures of {expected:?}, but was given one of {found:?}", path.display())]
    Format {
        /// File being written.
        path: PathBuf,
        /// What [`picture_format`](crate::VideoWriter::picture_format) says.
        expected: PictureFormat,
        /// What was given.
        found: PictureFormat,
    },
    /// Time stamps that do not increase.
    #[error(
        "frame {frame} is at {found} ns, not after the frame before it ({previous} ns); \
         frames must come in order",
        found = found.0, previous = previous.0
    )]
    Order {
        /// Frame, from 0.
        frame: u64,
        /// Time of the frame before.
        previous: Timestamp,
        /// Its time.
        found: Timestamp,
    },
    /// A second frame for a single picture.
    #[error(
        "{} holds one picture, but there is a second frame; write a sequence with a pattern such as {suggestion}, \
         or take one frame only",
        path.display()
    )]
    SecondFrame {
        /// File being written.
        path: PathBuf,
        /// A pattern for the same place.
        suggestion: String,
    },
    /// No frame was written.
    #[error("no frame was written to {}, so there is no file", path.display())]
    NoFrames {
        /// File asked for.
        path: PathBuf,
    },
    /// The encoder failed.
    #[error("frame {frame} of {} cannot be encoded: {what}", path.display())]
    Encoder {
        /// File being written.
        path: PathBuf,
        /// Frame, from 0.
        frame: u64,
        /// Its reason.
        what: String,
    },
    /// The audio track to be passed through could not be read.
    #[error("the audio for {} cannot be read: {source}; leave it out, or copy its file again", path.display())]
    Audio {
        /// File being written.
        path: PathBuf,
        /// Its reason.
        source: std::io::Error,
    },
}

/// What a person can do about an I/O error.
pub(crate) fn advice(error: &std::io::Error) -> &'static str {
    match error.kind() {
        ErrorKind::NotFound => "check the name, and that its directory exists",
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem => {
            "check the permissions, or use another directory"
        }
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "free some space, or use another disk",
        ErrorKind::FileTooLarge => "raise the file size limit, or write a shorter file",
        ErrorKind::IsADirectory | ErrorKind::NotADirectory => "name a file, not a directory",
        _ => "check the disk and the path",
    }
}
