//! Pictures from one camera, left where the driver puts them.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::sync::{Arc, Weak};
use std::time::{Duration, Instant};

use streamlib_core::format::{Size, TextureFormat};
use streamlib_core::frame::Timestamp;
use streamlib_core::picture::PictureFormat;

use super::capture::CameraOptions;
use super::codes::PixelCode;
use super::color::color_space;
use super::counter::{Content, LostFrames};
use super::error::CameraError;
use super::places::{Place, needed, places};
use super::stream::{Ready, Stream, timestamp};
use crate::sys::{Exported, Filled, Queue};

/// Buffers to stream with: one being filled, one waiting, and one for each frame that a GPU has under way, with one over.
const BUFFERS: u32 = 6;

/// Where a plane of the pictures lies in every buffer. As a texture it is linear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BufferPlane {
    /// Which of the buffer's [memories](CameraBuffer::memories).
    pub memory: usize,
    /// Bytes from the beginning of that memory.
    pub offset: usize,
    /// Bytes from the beginning of a row to that of the next.
    pub pitch: usize,
    /// Size in texels.
    pub size: Size,
    /// Texel format, as [`PictureLayout::planes`](streamlib_core::picture::PictureLayout::planes) gives it.
    pub format: TextureFormat,
}

/// One memory of a buffer: a DMA-BUF.
#[derive(Debug)]
pub struct BufferMemory {
    exported: Exported,
}

impl BufferMemory {
    /// Its size in bytes.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.exported.length
    }
}

impl AsFd for BufferMemory {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.exported.fd.as_fd()
    }
}

/// A buffer that the driver fills again and again.
#[derive(Debug)]
pub struct CameraBuffer {
    memories: Vec<BufferMemory>,
}

impl CameraBuffer {
    /// Its memories: one, or one for each plane.
    #[must_use]
    pub fn memories(&self) -> &[BufferMemory] {
        &self.memories
    }
}

/// A picture in a buffer, which is the holder's until this is dropped: then the driver may write to it again.
#[derive(Debug)]
pub struct CapturedBuffer {
    /// Only `drop` takes it.
    filled: Option<Filled>,
    index: usize,
    timestamp: Timestamp,
    sequence: u64,
    /// A camera that was dropped takes nothing back, and is not kept open.
    queue: Weak<Queue>,
}

impl Drop for CapturedBuffer {
    fn drop(&mut self) {
        if let (Some(queue), Some(filled)) = (self.queue.upgrade(), self.filled.take()) {
            // A camera that is gone says so when the next picture is asked for.
            let _ = queue.requeue(filled);
        }
    }
}

impl CapturedBuffer {
    /// Which of the camera's [buffers](SharedCamera::buffers) holds it.
    #[must_use]
    pub fn index(&self) -> usize {
        self.index
    }

    /// The driver's capture time.
    #[must_use]
    pub fn timestamp(&self) -> Timestamp {
        self.timestamp
    }

    /// The driver's number of the frame. The first is mostly 0; a gap is a lost frame.
    #[must_use]
    pub fn sequence(&self) -> u64 {
        self.sequence
    }
}

/// An open camera that streams into memory that others can use, too (DMA-BUF). Dropping it ends the stream.
///
/// The contract:
///
/// - [`buffers`](Self::buffers) and [`planes`](Self::planes) never change. Import each buffer once (its descriptors stay
///   the camera's: duplicate them), and find it again by [`CapturedBuffer::index`].
/// - The driver does not write to a buffer while a [`CapturedBuffer`] of it is held, on whatever thread. Whoever reads it must
///   have finished, on the GPU, too, before that is dropped: drivers of cameras wait for no fence.
/// - The driver has finished a buffer, and what it wrote is visible to other devices, when `next_buffer` returns. A
///   reader on the CPU brackets its reads with `DMA_BUF_IOCTL_SYNC`.
/// - Nobody but the driver writes to a buffer.
/// - A reader that holds every buffer stops the camera: frames are then [`missed`](LostFrames::missed).
/// - After the camera is dropped or unplugged, imported memory stays readable and is filled no more.
#[derive(Debug)]
pub struct SharedCamera {
    stream: Stream,
    format: PictureFormat,
    planes: Vec<BufferPlane>,
    buffers: Vec<CameraBuffer>,
}

impl SharedCamera {
    /// Opens the camera at `path`, sets the best of its formats whose planes lie as those of a picture, exports its
    /// buffers and starts streaming. That excludes files of JPEG alone.
    ///
    /// # Errors
    ///
    /// [`NotShareable`](CameraError::NotShareable) when the driver does not export buffers: [`Camera`](crate::Camera) then
    /// copies. Otherwise as [`Camera::open`](crate::Camera::open).
    pub fn open(path: &Path, options: &CameraOptions) -> Result<Self, CameraError> {
        Self::start(path, options, |Ready { device, kind, .. }, _| {
            let (queue, exported) = Queue::start_exported(device, kind, BUFFERS)
                .map_err(|source| CameraError::of(path, "start streaming", source))?;
            let exported = exported.ok_or_else(|| CameraError::NotShareable { path: path.to_owned() })?;
            Ok((queue, exported))
        })
    }

    /// As [`open`](Self::open), with buffers that are not the driver's: `allocate` makes their memories, each a DMA-BUF of at least
    /// as many bytes as it is asked for.
    ///
    /// # Errors
    ///
    /// [`NotHandable`](CameraError::NotHandable) when the driver fills only buffers of its own, [`Driver`](CameraError::Driver) also
    /// when it does not take these, or none could be made. Otherwise as [`Camera::open`](crate::Camera::open).
    pub fn open_into(
        path: &Path,
        options: &CameraOptions,
        allocate: &mut dyn FnMut(usize) -> io::Result<OwnedFd>,
    ) -> Result<Self, CameraError> {
        Self::start(path, options, |Ready { device, kind, set, .. }, needed| {
            let sizes = needed.iter().zip(&set.bytes).map(|(needed, said)| *needed.max(&(*said as usize)));
            let sizes: Vec<usize> = sizes.collect();
            Queue::start_handed(device, kind, BUFFERS, &sizes, allocate)
                .map_err(|source| CameraError::of(path, "stream into buffers of others", source))?
                .ok_or_else(|| CameraError::NotHandable { path: path.to_owned() })
        })
    }

    fn start(
        path: &Path,
        options: &CameraOptions,
        start: impl FnOnce(Ready, &[usize]) -> Result<(Queue, Vec<Vec<Exported>>), CameraError>,
    ) -> Result<Self, CameraError> {
        let ready = Ready::open(path, options, PixelCode::lies_as_planes)?;
        let described = ready.described(path);
        let (size, layout) = (ready.set.size, ready.code.layout);
        let places =
            places(&ready.code, &ready.set).ok_or(CameraError::BadSize { path: path.to_owned(), size })?;
        let format = PictureFormat { size, layout, color: color_space(&ready.set, layout) };
        let needed = needed(&places);
        let (queue, memories) = start(ready, &needed)?;
        let buffer = |memories: Vec<Exported>| CameraBuffer {
            memories: memories.into_iter().map(|exported| BufferMemory { exported }).collect(),
        };
        Ok(Self {
            stream: Stream::new(described, queue, needed),
            format,
            planes: planes(&format, &places),
            buffers: memories.into_iter().map(buffer).collect(),
        })
    }

    /// Ends the stream and begins it anew, with the same buffers, which makes some cameras give pictures again that have stalled.
    /// Buffers that are held stay so.
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
        self.format
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

    /// Where the planes of the layout lie, the same in every buffer.
    #[must_use]
    pub fn planes(&self) -> &[BufferPlane] {
        &self.planes
    }

    /// The buffers that the driver fills.
    #[must_use]
    pub fn buffers(&self) -> &[CameraBuffer] {
        &self.buffers
    }

    /// Frames that the camera captured since the first and that were not handed out, by reason.
    #[must_use]
    pub fn lost(&self) -> LostFrames {
        self.stream.counter.lost
    }

    /// The next whole picture, waited for up to `timeout`.
    ///
    /// # Errors
    ///
    /// [`Stalled`](CameraError::Stalled) when none came in time, also because every buffer is held;
    /// [`Unplugged`](CameraError::Unplugged) when the camera is gone, [`Changed`](CameraError::Changed) when its pictures have
    /// another size now, [`Driver`](CameraError::Driver) for anything else.
    pub fn next_buffer(&mut self, timeout: Duration) -> Result<CapturedBuffer, CameraError> {
        let begun = Instant::now();
        loop {
            let filled = self.stream.next(begun, timeout)?;
            // Planes are where they were said to be, or this is not a picture that the reader would understand.
            let memories = self.planes.last().map_or(0, |plane| plane.memory + 1);
            if (0..memories).any(|memory| filled.data(memory).0 != 0) {
                self.stream.settle(filled, Content::Damaged)?;
                continue;
            }
            self.stream.counter.count(filled.sequence, Content::Whole);
            return Ok(CapturedBuffer {
                index: filled.index(),
                timestamp: timestamp(&filled),
                sequence: self.stream.counter.sequence,
                filled: Some(filled),
                queue: Arc::downgrade(&self.stream.queue),
            });
        }
    }
}

fn planes(format: &PictureFormat, places: &[Place]) -> Vec<BufferPlane> {
    let textures = format.layout.planes(format.size);
    let plane = |(place, (size, format)): (&Place, (Size, TextureFormat))| BufferPlane {
        memory: place.memory,
        offset: place.offset,
        pitch: place.pitch,
        size,
        format,
    };
    places.iter().zip(textures).map(plane).collect()
}
