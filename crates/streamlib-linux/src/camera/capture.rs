//! Pictures from one camera, copied to host memory.

use std::path::Path;
use std::time::{Duration, Instant};

use streamlib_core::format::Size;
use streamlib_core::picture::{Picture, PictureFormat, PictureLayout};

use super::counter::{Content, LostFrames};
use super::error::CameraError;
use super::pixels::Unpacking;
use super::stream::{Ready, Stream, timestamp};
use crate::sys::Queue;

/// Buffers to stream with: one being filled, one being read, two to bridge a late reader.
const BUFFERS: u32 = 4;

/// What is wanted of a camera. The default leaves everything to the driver and takes the best layout.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CameraOptions {
    /// Size in pixels; the driver takes the nearest that it has.
    pub size: Option<Size>,
    /// Frames per second; the driver takes the nearest that it has.
    pub frame_rate: Option<u32>,
    /// Layout of the pictures. All but `I444` can be captured; `Rgba8` is made of JPEG files.
    pub layout: Option<PictureLayout>,
    /// Four-character code of the pixel format, such as `*b"MJPG"`; one of those that the camera lists.
    pub pixel_format: Option<[u8; 4]>,
}

/// An open camera that streams pictures to host memory. Dropping it ends the stream.
///
/// [`SharedCamera`](crate::SharedCamera) leaves pictures where they are.
#[derive(Debug)]
pub struct Camera {
    stream: Stream,
    unpacking: Unpacking,
}

impl Camera {
    /// Opens the camera at `path`, sets its format and starts streaming.
    ///
    /// Of the formats that can be captured it takes the first that has the size and the rate that are wanted, else one
    /// that has the size, uncompressed ones first.
    ///
    /// # Errors
    ///
    /// Every [`CameraError`] but [`Stalled`](CameraError::Stalled) and those of [`SharedCamera`](crate::SharedCamera) and
    /// of controls.
    pub fn open(path: &Path, options: &CameraOptions) -> Result<Self, CameraError> {
        let ready = Ready::open(path, options, |_| true)?;
        let described = ready.described(path);
        let Ready { device, kind, code, set, .. } = ready;
        let unpacking = Unpacking::new(&code, &set)
            .ok_or(CameraError::BadSize { path: path.to_owned(), size: set.size })?;
        let queue = Queue::start(device, kind, BUFFERS)
            .map_err(|source| CameraError::of(path, "start streaming", source))?;
        Ok(Self { stream: Stream::new(described, queue, unpacking.needed()), unpacking })
    }

    /// Ends the stream and begins it anew, which makes some cameras give pictures again that have stalled.
    ///
    /// # Errors
    ///
    /// [`Unplugged`](CameraError::Unplugged) when the camera is gone, [`Driver`](CameraError::Driver) for anything else.
    pub fn restart(&mut self) -> Result<(), CameraError> {
        self.stream.restart()
    }

    /// Its device node.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.stream.camera.path
    }

    /// Size, layout and colour of the pictures, as the driver has set them.
    #[must_use]
    pub fn format(&self) -> PictureFormat {
        self.unpacking.format
    }

    /// Four-character code of what the camera delivers, as it [lists](crate::CameraFormat::fourcc) it.
    #[must_use]
    pub fn pixel_format(&self) -> [u8; 4] {
        self.stream.camera.pixel_format
    }

    /// Frames per second as a fraction, where the driver says; the camera may be slower, when it is dark for example.
    #[must_use]
    pub fn frame_rate(&self) -> Option<(u32, u32)> {
        self.stream.camera.frame_rate
    }

    /// The driver's number of the picture that was read last. The first is mostly 0; a gap is a lost frame.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.stream.counter.sequence
    }

    /// Frames that the camera captured since the first and that were not read, by reason.
    #[must_use]
    pub fn lost(&self) -> LostFrames {
        self.stream.counter.lost
    }

    /// Reads the next whole picture, waiting for it up to `timeout`. Its timestamp is the driver's own.
    ///
    /// `into` is given this camera's format and its data is replaced; its memory is used again. After an error it
    /// holds no whole picture.
    ///
    /// # Errors
    ///
    /// [`Stalled`](CameraError::Stalled) when none came in time, [`Unplugged`](CameraError::Unplugged) when the camera
    /// is gone, [`Changed`](CameraError::Changed) when its pictures have another size now, [`Driver`](CameraError::Driver) for
    /// anything else.
    pub fn read(&mut self, into: &mut Picture, timeout: Duration) -> Result<(), CameraError> {
        let begun = Instant::now();
        loop {
            let filled = self.stream.next(begun, timeout)?;
            into.format = self.unpacking.format;
            into.timestamp = timestamp(&filled);
            let queue = &*self.stream.queue;
            let whole = self.unpacking.unpack(|memory| queue.bytes(&filled, memory), &mut into.data);
            self.stream.settle(filled, if whole { Content::Whole } else { Content::Damaged })?;
            if whole {
                return Ok(());
            }
        }
    }
}
