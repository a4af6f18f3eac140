//! A camera whose buffers the GPU reads where they lie.

use std::os::fd::AsFd;
use std::path::Path;
use std::time::Duration;

use streamlib_core::frame::Timestamp;
use streamlib_core::picture::PictureFormat;
use streamlib_linux::{CameraError, CameraOptions, CapturedBuffer, SharedCamera};
use streamlib_vulkan::{DmaBuf, DmaBufUse, Texture, VulkanError, VulkanGpu};

use super::handable;
use super::request::Memory;

/// A camera that streams into buffers which are textures as well.
pub(crate) struct LentCamera {
    /// Planes of the picture in each buffer.
    pub(crate) pictures: Vec<Vec<Texture>>,
    /// How they come to be read, in words.
    pub(crate) way: String,
    camera: SharedCamera,
    /// By buffer: what the camera has filled, and has not got back.
    taken: Vec<Option<CapturedBuffer>>,
}

/// Why a camera's pictures have to be copied.
#[derive(Debug, thiserror::Error)]
pub(crate) enum NotLent {
    #[error("{0} imports no DMA-BUFs")]
    Device(String),
    #[error(transparent)]
    Camera(#[from] CameraError),
    #[error(transparent)]
    Import(#[from] VulkanError),
    #[error("its buffers cannot be handed on: {0}")]
    Descriptor(#[from] std::io::Error),
    #[error("{driver}, and {handed}")]
    Both { driver: Box<Self>, handed: Box<Self> },
}

impl NotLent {
    /// Whether buffers from elsewhere may do.
    pub(crate) fn is_of_memory(&self) -> bool {
        matches!(self, Self::Camera(CameraError::NotShareable { .. }) | Self::Import(_) | Self::Descriptor(_))
    }
}

impl LentCamera {
    /// Opens the camera at `path` with buffers of its driver's, or with others that it is handed, and makes textures of them.
    pub(crate) fn open(
        gpu: &VulkanGpu,
        node: &str,
        path: &Path,
        (options, memory): (&CameraOptions, Memory),
    ) -> Result<Self, NotLent> {
        let report = gpu.report();
        if !report.sharing.dma_buf_import {
            return Err(NotLent::Device(report.name.clone()));
        }
        let (camera, way) = match memory {
            Memory::Handed => {
                let mut whose = "";
                let mut allocate = |bytes| {
                    let (memory, owner) = handable::allocate(gpu, node, bytes)?;
                    whose = owner;
                    Ok(memory)
                };
                let camera = SharedCamera::open_into(path, options, &mut allocate)?;
                (
                    camera,
                    format!("written by the driver into memory of the {whose} that it was handed (DMA-BUF)"),
                )
            }
            Memory::Driver | Memory::Host => {
                (SharedCamera::open(path, options)?, "read where the driver writes (DMA-BUF)".to_owned())
            }
        };
        let mut pictures = Vec::new();
        for buffer in camera.buffers() {
            let planes = camera.planes().iter().map(|plane| {
                let descriptor = buffer.memories()[plane.memory].as_fd().try_clone_to_owned()?;
                let buffer = DmaBuf {
                    descriptor,
                    size: plane.size,
                    format: plane.format,
                    modifier: LINEAR,
                    offset: plane.offset as u64,
                    row_pitch: plane.pitch as u64,
                };
                Ok(gpu.import_dma_buf(node, buffer, DmaBufUse::Read)?)
            });
            pictures.push(planes.collect::<Result<Vec<_>, NotLent>>()?);
        }
        let taken = pictures.iter().map(|_| None).collect();
        Ok(Self { pictures, way, camera, taken })
    }

    pub(crate) fn format(&self) -> PictureFormat {
        self.camera.format()
    }

    pub(crate) fn pixel_format(&self) -> [u8; 4] {
        self.camera.pixel_format()
    }

    /// Frames per second.
    pub(crate) fn frame_rate(&self) -> Option<(u32, u32)> {
        self.camera.frame_rate()
    }

    /// Ends the stream and begins it anew.
    pub(crate) fn restart(&mut self) -> Result<(), CameraError> {
        self.camera.restart()
    }

    /// Waits for the next picture: the number of its buffer, and when it was captured.
    pub(crate) fn next(&mut self, limit: Duration) -> Result<(usize, Timestamp), CameraError> {
        let captured = self.camera.next_buffer(limit)?;
        let (number, timestamp) = (captured.index(), captured.timestamp());
        self.taken[number] = Some(captured);
        Ok((number, timestamp))
    }

    /// Lets the camera fill a buffer again, which nothing reads any more.
    pub(crate) fn give_back(&mut self, number: usize) {
        self.taken[number] = None;
    }

    /// Whether the camera has a buffer to fill.
    pub(crate) fn can_capture(&self) -> bool {
        self.taken.iter().any(Option::is_none)
    }
}

/// Rows one after the other: `DRM_FORMAT_MOD_LINEAR`.
const LINEAR: u64 = 0;
